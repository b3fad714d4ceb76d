"""The syntax tree of a `.lgraph` file: what was written, with the place of each part.

The tree keeps everything that the formatter needs to print the file again (parentheses, the spelling of
literals, the order of everything, comments by position) and nothing that has to be looked up: names are
names, not what they stand for. Nodes are frozen; each carries its span; sequences are tuples.

Terms, as in the language: a *clause* is a line inside a node's braces; a *trigger* is what stands behind an
arrow (`when`, `else`, `on`); a *region* is the graph's own edges or those of one branch.

`doc` is the text of the `///` lines above, without the slashes and one leading space, lines joined by
newlines; "" where there is none.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .frozen import frozen as node
from .source import Source, Span

# --- words ----------------------------------------------------------------------------------------------


@node
class Name:
    """An identifier where it stands. `start` and `end` of edges are names too."""

    span: Span
    text: str


@node
class Comment:
    """A `//` comment (not `///`), from the slashes to the end of the line, without the line end."""

    span: Span
    text: str


# --- types ----------------------------------------------------------------------------------------------


@node
class NamedType:
    """`str`, `Verdict`: a built-in, enum, record, union, state or opaque type by name."""

    span: Span
    name: str


@node
class ListType:
    """`list[T]`."""

    span: Span
    item: TypeExpr


@node
class SetType:
    """`set[T]`."""

    span: Span
    item: TypeExpr


@node
class DictType:
    """`dict[K, T]`."""

    span: Span
    key: TypeExpr
    value: TypeExpr


@node
class OptionalType:
    """`T?`."""

    span: Span
    item: TypeExpr


TypeExpr: TypeAlias = NamedType | ListType | SetType | DictType | OptionalType

# --- expressions ----------------------------------------------------------------------------------------


@node
class NoneLit:
    """`none`."""

    span: Span


@node
class BoolLit:
    """`true`, `false`."""

    span: Span
    value: bool


@node
class IntLit:
    """`1_000`: the value and the spelling. A minus sign in front is a `Unary`."""

    span: Span
    value: int
    text: str


@node
class FloatLit:
    """`0.5`, `1e-3`."""

    span: Span
    value: float
    text: str


@node
class StrLit:
    """`"…"` or `\"\"\"…\"\"\"`: the value with escapes decoded (and the common indentation removed)."""

    span: Span
    value: str
    text: str


@node
class DurationLit:
    """`500ms`, `30s`, `5m`, `2h`, `7d`: the length in milliseconds, and the spelling."""

    span: Span
    milliseconds: int
    text: str


@node
class Ref:
    """A name in an expression: a field, a parameter, an item, an enum, a record …"""

    span: Span
    name: str


@node
class Attr:
    """`x.f`, or `x?.f` where `safe`."""

    span: Span
    base: Expr
    name: Name
    safe: bool


@node
class Index:
    """`d[k]`, `xs[i]`."""

    span: Span
    base: Expr
    key: Expr


@node
class Arg:
    """One argument of a call: positional where `name` is None."""

    span: Span
    name: Name | None
    value: Expr


@node
class Call:
    """`len(xs)`, `Note(author = "a", text = t)`: a built-in function or a record."""

    span: Span
    name: Name
    args: tuple[Arg, ...]


@node
class ListExpr:
    """`[a, b]`."""

    span: Span
    items: tuple[Expr, ...]


@node
class DictExpr:
    """`{k: v}`."""

    span: Span
    items: tuple[tuple[Expr, Expr], ...]


@node
class Unary:
    """`-x`, `not x`."""

    span: Span
    op: Literal["-", "not"]
    operand: Expr


BinaryOp: TypeAlias = Literal[
    "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%", "??"
]


@node
class Binary:
    """Two operands and one operator; comparisons do not chain."""

    span: Span
    op: BinaryOp
    left: Expr
    right: Expr
    op_span: Span


@node
class Is:
    """`x is R`: which member of a union."""

    span: Span
    operand: Expr
    record: Name


@node
class Conditional:
    """`A if C else B`."""

    span: Span
    then: Expr
    condition: Expr
    otherwise: Expr


@node
class Paren:
    """`(e)`, kept because the writer wanted it; it means nothing."""

    span: Span
    inner: Expr


Literal_: TypeAlias = NoneLit | BoolLit | IntLit | FloatLit | StrLit | DurationLit
Expr: TypeAlias = (
    Literal_ | Ref | Attr | Index | Call | ListExpr | DictExpr | Unary | Binary | Is | Conditional | Paren
)

# --- declarations of data ---------------------------------------------------------------------------------


@node
class Import:
    """`from "PATH" import A, B`."""

    span: Span
    path: StrLit
    names: tuple[Name, ...]


@node
class EnumMember:
    """One name of an enum."""

    span: Span
    name: Name
    doc: str


@node
class Enum:
    """`enum E { a, b }`."""

    span: Span
    name: Name
    members: tuple[EnumMember, ...]
    doc: str


@node
class RecordField:
    """`f: T = literal` of a record."""

    span: Span
    name: Name
    type: TypeExpr
    default: Expr | None
    doc: str


@node
class Record:
    """`record R { … }`."""

    span: Span
    name: Name
    fields: tuple[RecordField, ...]
    doc: str


@node
class Union:
    """`union U = A | B`."""

    span: Span
    name: Name
    members: tuple[Name, ...]
    doc: str


@node
class Opaque:
    """`opaque O = "module:Class"`."""

    span: Span
    name: Name
    target: StrLit
    doc: str


@node
class RangeConstraint:
    """`range LO..HI`; either end may be missing."""

    span: Span
    low: Expr | None
    high: Expr | None


@node
class LengthConstraint:
    """`length LO..HI`; either end may be missing."""

    span: Span
    low: Expr | None
    high: Expr | None


@node
class PatternConstraint:
    """`pattern "RE"`."""

    span: Span
    pattern: StrLit


Constraint: TypeAlias = RangeConstraint | LengthConstraint | PatternConstraint


@node
class Merge:
    """`merge sum`, `merge custom "module:function"`; `rule` as written, checked later."""

    span: Span
    rule: Name
    target: StrLit | None


@node
class Field:
    """One field of a state."""

    span: Span
    name: Name
    type: TypeExpr
    default: Expr | None
    constraints: tuple[Constraint, ...]
    merge: Merge | None
    transient: bool
    doc: str


@node
class Param:
    """A parameter of a mutation or of a barrier's decision; `type` is None only in the short form."""

    span: Span
    name: Name
    type: TypeExpr | None


@node
class Assign:
    """`target op value`, where the target is a field, `d[k]`, or `sub.f` (any depth of `.`)."""

    span: Span
    target: Expr
    op: Literal["=", "+=", "-="]
    value: Expr


@node
class Delete:
    """`del d[k]`."""

    span: Span
    target: Expr


Statement: TypeAlias = Assign | Delete


@node
class Mutation:
    """`mutation M(params) { … }`, the short form (no body), or the escape hatch (`target` and `writes`)."""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: tuple[Statement, ...] | None
    target: StrLit | None
    writes: tuple[Name, ...]
    doc: str


@node
class State:
    """`state S { fields  mutations }`; `items` in the order written."""

    span: Span
    name: Name
    items: tuple[Field | Mutation, ...]
    doc: str


# --- nodes ------------------------------------------------------------------------------------------------


@node
class MutationCall:
    """`M(args)`, as recorded by a barrier's decision, an `out` clause or a scenario; bare `M` has no args."""

    span: Span
    name: Name
    args: tuple[Arg, ...]


@node
class Read:
    """`f`, `f!` or `*` of a `reads` clause (`*` has the name "*")."""

    span: Span
    name: Name
    required: bool


@node
class ReadsClause:
    span: Span
    fields: tuple[Read, ...]


@node
class RecordsClause:
    span: Span
    mutations: tuple[Name, ...]


@node
class EnsuresClause:
    span: Span
    fields: tuple[Name, ...]


@node
class GotoClause:
    """`goto a, b, end`."""

    span: Span
    targets: tuple[Name, ...]


@node
class RetryClause:
    """`retry N [backoff D..D] [on "module:Exc", …]`."""

    span: Span
    attempts: Expr
    backoff_low: DurationLit | None
    backoff_high: DurationLit | None
    errors: tuple[StrLit, ...]


@node
class TimeoutClause:
    """`timeout D`, for a barrier perhaps `timeout D decides NAME(args)`."""

    span: Span
    duration: DurationLit
    decides: MutationCall | None


@node
class EffectClause:
    """`effect pure|idempotent|once`; `kind` as written, checked later."""

    span: Span
    kind: Name


@node
class ParamsClause:
    """`params { k = literal }`."""

    span: Span
    params: tuple[tuple[Name, Expr], ...]


@node
class ImplClause:
    """`impl "module:function"`."""

    span: Span
    target: StrLit


@node
class ShowsClause:
    span: Span
    fields: tuple[Name, ...]


@node
class DecisionClause:
    """`decision NAME(params) [records M(args), …]` of a barrier."""

    span: Span
    name: Name
    params: tuple[Param, ...]
    records: tuple[MutationCall, ...]
    doc: str


@node
class ModifyClause:
    span: Span
    mutations: tuple[Name, ...]


@node
class RerouteClause:
    span: Span
    targets: tuple[Name, ...]


@node
class BranchClause:
    """`branch NAME = node` (`single`), or `branch NAME { edges }` (`chains`)."""

    span: Span
    name: Name
    single: Name | None
    chains: tuple[Chain, ...]
    doc: str


@node
class JoinClause:
    """`join all`, `join any`, `join first N`."""

    span: Span
    kind: Name
    count: Expr | None


@node
class OnErrorClause:
    """`on_error fail|collect`."""

    span: Span
    kind: Name


@node
class LensClause:
    """`on field` of a subgraph."""

    span: Span
    field: Name


@node
class InClause:
    """`in f = expr, …`."""

    span: Span
    values: tuple[tuple[Name, Expr], ...]


@node
class OutClause:
    """`out M(args), …`."""

    span: Span
    mutations: tuple[MutationCall, ...]


@node
class MaxStepsClause:
    """`max_steps N`, of a subgraph or of a graph."""

    span: Span
    count: Expr


@node
class OverClause:
    """`over expr as item` of a map."""

    span: Span
    value: Expr
    item: Name


@node
class ConcurrencyClause:
    """`concurrency N` of a map."""

    span: Span
    count: Expr


Clause: TypeAlias = (
    ReadsClause
    | RecordsClause
    | EnsuresClause
    | GotoClause
    | RetryClause
    | TimeoutClause
    | EffectClause
    | ParamsClause
    | ImplClause
    | ShowsClause
    | DecisionClause
    | ModifyClause
    | RerouteClause
    | BranchClause
    | JoinClause
    | OnErrorClause
    | LensClause
    | InClause
    | OutClause
    | MaxStepsClause
    | OverClause
    | ConcurrencyClause
)

NodeKind: TypeAlias = Literal["task", "decision", "barrier", "parallel", "subgraph", "map"]


@node
class Node:
    """A node of any kind with its clauses in the order written.

    The grammar takes every clause in every kind of node, and any clause twice; what does not belong is
    found later, with better words. `graph` is the graph behind `=` of a subgraph or map. `braces` tells
    `task t` from `task t {}`.
    """

    span: Span
    kind: NodeKind
    name: Name
    graph: Name | None
    clauses: tuple[Clause, ...]
    braces: bool
    doc: str


# --- edges and settings -----------------------------------------------------------------------------------


@node
class WhenTrigger:
    span: Span
    guard: Expr


@node
class ElseTrigger:
    span: Span


@node
class OnTrigger:
    """`on OUTCOME`."""

    span: Span
    outcome: Name


Trigger: TypeAlias = WhenTrigger | ElseTrigger | OnTrigger


@node
class Chain:
    """`a -> b -> c`, or `a -> b when e max_visits 3`: at least two names; a trigger only on a single arrow.

    The grammar takes a trigger behind a longer chain too; it is found later.
    """

    span: Span
    names: tuple[Name, ...]
    trigger: Trigger | None
    max_visits: Expr | None


@node
class EveryRule:
    """`every N steps` (count) or `every D` (duration)."""

    span: Span
    count: Expr | None
    duration: DurationLit | None


@node
class OnEventsRule:
    """`on barrier, decision, completion, mutation`; names as written, checked later."""

    span: Span
    events: tuple[Name, ...]


@node
class AdaptiveRule:
    """`adaptive { duration 1.0  tokens 1000.0 … }`; keys as written, checked later."""

    span: Span
    weights: tuple[tuple[Name, Expr], ...]


@node
class ManualRule:
    span: Span


@node
class KeepRule:
    """`keep N` (count), `keep D` (duration) or `keep all` (both None)."""

    span: Span
    count: Expr | None
    duration: DurationLit | None


@node
class CompactRule:
    """`compact auto` (count None) or `compact N steps`."""

    span: Span
    count: Expr | None


CheckpointRule: TypeAlias = EveryRule | OnEventsRule | AdaptiveRule | ManualRule | KeepRule | CompactRule


@node
class CheckpointSetting:
    """`checkpoint { … }` of a graph."""

    span: Span
    rules: tuple[CheckpointRule, ...]


@node
class Graph:
    """`graph g(S) { nodes  edges  settings }`; `items` in the order written."""

    span: Span
    name: Name
    state: Name
    items: tuple[Node | Chain | MaxStepsClause | CheckpointSetting, ...]
    doc: str


# --- scenarios --------------------------------------------------------------------------------------------


@node
class Given:
    """`given { f = e  … }`."""

    span: Span
    values: tuple[tuple[Name, Expr], ...]


@node
class RecordsAct:
    """`records M(args), …`: what a task's visit records."""

    span: Span
    mutations: tuple[MutationCall, ...]


@node
class FailsAct:
    """`fails "message"`."""

    span: Span
    message: StrLit


@node
class TimesOutAct:
    """`times out`."""

    span: Span


@node
class GoesToAct:
    """`goes to x`."""

    span: Span
    target: Name


@node
class DecidesAct:
    """`[modifies M(args), …] decides NAME(args)`."""

    span: Span
    modifies: tuple[MutationCall, ...]
    decision: MutationCall


@node
class ReroutesAct:
    """`[modifies M(args), …] reroutes x`."""

    span: Span
    modifies: tuple[MutationCall, ...]
    target: Name


Act: TypeAlias = RecordsAct | FailsAct | TimesOutAct | GoesToAct | DecidesAct | ReroutesAct


@node
class Visit:
    """`write records SetDraft("v1") goes to x`: one visit of a node; more than one act may be given."""

    span: Span
    name: Name
    acts: tuple[Act, ...]


@node
class ExpectPath:
    """`expect path a, b`, or of a branch `expect path check/facts: a, b` (`frame`: `check`, `facts`)."""

    span: Span
    frame: tuple[Name, ...]
    names: tuple[Name, ...]


@node
class ExpectThat:
    """`expect EXPR`."""

    span: Span
    condition: Expr


@node
class ExpectEnd:
    """`expect ends at n`."""

    span: Span
    name: Name


@node
class ExpectFailure:
    """`expect fails "text"`."""

    span: Span
    text: StrLit


ScenarioItem: TypeAlias = Given | Visit | ExpectPath | ExpectThat | ExpectEnd | ExpectFailure


@node
class Scenario:
    """`scenario "NAME" for g { … }`."""

    span: Span
    title: StrLit
    graph: Name
    items: tuple[ScenarioItem, ...]
    doc: str


# --- migrations -------------------------------------------------------------------------------------------


@node
class Rename:
    """`rename node|field|mutation A to B`; `what` as written, checked later."""

    span: Span
    what: Name
    old: Name
    new: Name


@node
class SetField:
    """`set f = expr` over the old state."""

    span: Span
    field: Name
    value: Expr


@node
class DropField:
    """`drop field f`."""

    span: Span
    field: Name


@node
class Move:
    """`move a to b`: a run parked at a node that is gone."""

    span: Span
    old: Name
    new: Name


MigrateItem: TypeAlias = Rename | SetField | DropField | Move


@node
class Migrate:
    """`migrate g from "HASH" { … }`."""

    span: Span
    graph: Name
    hash: StrLit
    items: tuple[MigrateItem, ...]
    doc: str


# --- the file ---------------------------------------------------------------------------------------------

Declaration: TypeAlias = Import | Enum | Record | Union | Opaque | State | Graph | Migrate | Scenario


@node
class File:
    """One parsed text: its declarations in order and every plain comment, by position.

    Where the text has syntax errors the tree holds the declarations, clauses and edges that could be read.
    """

    source: Source
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...]
