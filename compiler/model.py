"""The resolved graph: what the text means, with every name looked up and every expression typed.

`resolve` makes it; findings, canonical form, generated code, plan and picture are made from it and from
nothing else. All of it is frozen. Declarations may refer to each other in circles (a record that holds a
list of itself), so they are held by `Key` and looked up in the `Program`.

Terms:
* a *key* names one declaration of one file; two files may each declare a `Note`;
* a *region* is the graph's own edges (id "") or those of one branch (id "parallel/branch"; node names are
  unique in a graph, so no longer path is needed);
* an *edge* leaves `start` or a node and ends at a node or `end`; edges of one source keep their order;
* expressions are typed trees; names in them are already fields, parameters or items. Which state a
  `FieldRef` reads is told by where the expression stands: the graph's state in guards, `in`, `over`
  and decisions; the state itself in mutations; the inner graph's state in the arguments of `out`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from ..dsl.frozen import frozen
from ..dsl.source import Place

if TYPE_CHECKING:  # most graphs have no such constants
    from datetime import date, datetime, timedelta
    from decimal import Decimal
    from uuid import UUID

START = "start"
END = "end"


class Key(NamedTuple):
    """Which declaration: the path of its source and its name."""

    path: str
    name: str


# --- types ------------------------------------------------------------------------------------------------

ScalarName: TypeAlias = Literal[
    "str", "int", "float", "bool", "bytes", "decimal", "datetime", "date", "duration", "uuid", "json"
]


@frozen
class Scalar:
    """A built-in type without parameters."""

    name: ScalarName


@frozen
class NoneOnly:
    """The type of `none` before it meets an optional."""


@frozen
class Unknown:
    """The type of something already reported: it fits everything, so that one mistake is one finding."""


@frozen
class OptionalOf:
    """`T?`; never nested."""

    item: Type


@frozen
class ListOf:
    item: Type


@frozen
class SetOf:
    item: Type


@frozen
class DictOf:
    key: Type
    value: Type


@frozen
class EnumType:
    key: Key


@frozen
class RecordType:
    key: Key


@frozen
class UnionType:
    key: Key


@frozen
class StateType:
    """A sub-state."""

    key: Key


@frozen
class OpaqueType:
    key: Key


Type: TypeAlias = (
    Scalar
    | NoneOnly
    | Unknown
    | OptionalOf
    | ListOf
    | SetOf
    | DictOf
    | EnumType
    | RecordType
    | UnionType
    | StateType
    | OpaqueType
)

# --- expressions ------------------------------------------------------------------------------------------

ConstValue: TypeAlias = (
    "bool | int | float | str | bytes | Decimal | datetime | date | timedelta | UUID | None"
)


@frozen
class Const:
    """A literal, already a value of its type (a string literal that fits a `date` is a `date` here)."""

    value: ConstValue
    type: Type
    place: Place


@frozen
class EnumConst:
    """`E.a`."""

    enum: Key
    member: str
    type: Type
    place: Place


@frozen
class FieldRef:
    """A field of the state in scope."""

    field: str
    type: Type
    place: Place


@frozen
class ParamRef:
    """A parameter of the mutation or of the barrier's decision."""

    name: str
    type: Type
    place: Place


@frozen
class ItemRef:
    """The element of a map's `over … as item`."""

    name: str
    type: Type
    place: Place


@frozen
class Attr:
    """`x.f` of a record or a sub-state; `x?.f` where `safe` (none if x is none)."""

    base: Expr
    name: str
    safe: bool
    type: Type
    place: Place


@frozen
class Index:
    """`d[k]`, `xs[i]`; can fail."""

    base: Expr
    key: Expr
    type: Type
    place: Place


FunctionName: TypeAlias = Literal[
    "len", "abs", "min", "max", "sum", "round", "str", "int", "float", "lower", "upper", "strip",
    "startswith", "endswith", "contains", "get", "first", "last", "keys", "values", "any", "all",
]  # fmt: skip


@frozen
class Call:
    """A built-in function. `min(a, b, …)` and `min(xs)` are told apart by their number of arguments."""

    function: FunctionName
    args: tuple[Expr, ...]
    type: Type
    place: Place


@frozen
class Visits:
    """`visits(node)`: how often the node has completed in this run of its graph."""

    node: str
    type: Type
    place: Place


@frozen
class Steps:
    """`steps()`: how many nodes have completed in this run of the graph."""

    type: Type
    place: Place


@frozen
class MakeRecord:
    """`R(f = e)`: the fields given, in the order written; the others take their defaults. A sub-state where
    `type` is one: only in the `given` of a scenario."""

    record: Key
    fields: tuple[tuple[str, Expr], ...]
    type: Type
    place: Place


@frozen
class MakeList:
    """`[a, b]`; a set where `type` is one."""

    items: tuple[Expr, ...]
    type: Type
    place: Place


@frozen
class MakeDict:
    """`{k: v}`; a `json` object where `type` is `json`."""

    items: tuple[tuple[Expr, Expr], ...]
    type: Type
    place: Place


@frozen
class Unary:
    op: Literal["-", "not"]
    operand: Expr
    type: Type
    place: Place


@frozen
class Binary:
    """Every binary operator; `x == none` and `x != none` are comparisons with a `Const` of `NoneOnly`."""

    op: Literal[
        "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%", "??"
    ]
    left: Expr
    right: Expr
    type: Type
    place: Place


@frozen
class IsRecord:
    """`x is R`."""

    operand: Expr
    record: Key
    type: Type
    place: Place


@frozen
class Conditional:
    """`A if C else B`."""

    then: Expr
    condition: Expr
    otherwise: Expr
    type: Type
    place: Place


@frozen
class Widen:
    """An `int` that is used where a `float` is expected: the same number as a float."""

    operand: Expr
    type: Type
    place: Place


Expr: TypeAlias = (
    Const
    | EnumConst
    | FieldRef
    | ParamRef
    | ItemRef
    | Attr
    | Index
    | Call
    | Visits
    | Steps
    | MakeRecord
    | MakeList
    | MakeDict
    | Unary
    | Binary
    | IsRecord
    | Conditional
    | Widen
)

# --- data -------------------------------------------------------------------------------------------------


@frozen
class EnumMember:
    name: str
    doc: str
    place: Place


@frozen
class Enum:
    key: Key
    members: tuple[EnumMember, ...]
    doc: str
    place: Place  # of the name, as everywhere below


@frozen
class RecordField:
    name: str
    type: Type
    default: Expr | None
    doc: str
    place: Place


@frozen
class Record:
    key: Key
    fields: tuple[RecordField, ...]
    doc: str
    place: Place


@frozen
class Union:
    key: Key
    members: tuple[Key, ...]  # of records
    doc: str
    place: Place


class PythonName(NamedTuple):
    """`module:name`, never imported by the compiler."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@frozen
class Opaque:
    key: Key
    target: PythonName
    doc: str
    place: Place


Number: TypeAlias = "int | float | Decimal"
MergeRule: TypeAlias = Literal["error", "last", "append", "sum", "max", "min", "union", "custom"]


@frozen
class Merge:
    """How branches that changed the field are joined; `target` only for `custom`."""

    rule: MergeRule
    target: PythonName | None
    place: Place


class Bounds(NamedTuple):
    """A `range` (numbers) or `length` (counts); None is open. Both ends belong to it."""

    low: Number | None
    high: Number | None


@frozen
class Field:
    """A field of a state. `default` is a constant expression, or None where none was written."""

    name: str
    type: Type
    default: Expr | None
    range: Bounds | None
    length: Bounds | None
    pattern: str | None
    merge: Merge | None
    transient: bool
    doc: str
    place: Place


@frozen
class Param:
    name: str
    type: Type
    place: Place


@frozen
class Target:
    """What a statement writes: a field, a part of one (longer `path`), or an entry of a dict (`key`)."""

    path: tuple[str, ...]
    key: Expr | None
    type: Type  # of the place written: the field, or the dict's value
    place: Place


@frozen
class Assign:
    """One update.

    `set`: the target takes the value; `add`: `+=`; `sub`: `-=`; `max`, `min`: written `f = max(f, e)`,
    where `value` is only the `e`.
    """

    target: Target
    op: Literal["set", "add", "sub", "max", "min"]
    value: Expr
    place: Place


@frozen
class Delete:
    """`del d[k]`."""

    target: Target
    place: Place


Statement: TypeAlias = Assign | Delete


@frozen
class Mutation:
    """A mutation of a state.

    The short form has its body spelled out here. The escape hatch has `external` and no body; `writes` holds,
    for every form, the names of the state's fields that it can change, in the state's order.
    """

    name: str
    params: tuple[Param, ...]
    body: tuple[Statement, ...]
    external: PythonName | None
    writes: tuple[str, ...]
    doc: str
    place: Place


class _ByName:
    """Room for a state's fields and mutations by name, once one is looked for; no part of its content."""

    __slots__ = ("_fields", "_mutations")

    _fields: dict[str, Field]
    _mutations: dict[str, Mutation]


@frozen
class State(_ByName):
    key: Key
    fields: tuple[Field, ...]
    mutations: tuple[Mutation, ...]
    doc: str
    place: Place

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        try:
            return self._fields.get(name)
        except AttributeError:
            object.__setattr__(self, "_fields", {field.name: field for field in reversed(self.fields)})
            return self._fields.get(name)

    def mutation(self, name: str) -> Mutation | None:
        """The mutation of that name."""
        try:
            return self._mutations.get(name)
        except AttributeError:
            object.__setattr__(self, "_mutations", {one.name: one for one in reversed(self.mutations)})
            return self._mutations.get(name)


# --- nodes ------------------------------------------------------------------------------------------------


@frozen
class MutationCall:
    """A mutation with its arguments, in the order of its parameters."""

    mutation: str
    args: tuple[tuple[str, Expr], ...]
    place: Place


@frozen
class Read:
    """A field that a task sees; `required`: it must have a value (`f!`)."""

    field: str
    required: bool
    place: Place


@frozen
class Retry:
    """`attempts` more attempts; the pauses between them in milliseconds; exceptions as `module:Name`."""

    attempts: int
    backoff_low_ms: int
    backoff_high_ms: int
    errors: tuple[PythonName, ...]
    place: Place


@frozen
class Task:
    """`reads *` is spelled out as every field; `params` are constants."""

    name: str
    region: str
    reads: tuple[Read, ...]
    records: tuple[tuple[str, Place], ...]
    ensures: tuple[tuple[str, Place], ...]
    goto: tuple[tuple[str, Place], ...]
    retry: Retry | None
    timeout_ms: int | None
    effect: Literal["pure", "idempotent", "once"]
    params: tuple[tuple[str, Expr], ...]
    impl: PythonName | None
    doc: str
    place: Place


@frozen
class Decision:
    name: str
    region: str
    doc: str
    place: Place


@frozen
class Answer:
    """One decision that a barrier offers, with its parameters and what taking it records."""

    name: str
    params: tuple[Param, ...]
    records: tuple[MutationCall, ...]
    doc: str
    place: Place


@frozen
class AnswerCall:
    """A decision taken, with its arguments in the order of its parameters."""

    answer: str
    args: tuple[tuple[str, Expr], ...]
    place: Place


@frozen
class Barrier:
    """`answers` holds `approve` and `reject(reason: str)` where none were declared (`declared` is False)."""

    name: str
    region: str
    shows: tuple[tuple[str, Place], ...]
    timeout_ms: int | None
    timeout_decides: AnswerCall | None
    answers: tuple[Answer, ...]
    declared: bool
    modify: tuple[tuple[str, Place], ...]
    reroute: tuple[tuple[str, Place], ...]
    doc: str
    place: Place


@frozen
class Branch:
    """One branch; its edges are those of the region `"parallel/branch"`."""

    name: str
    region: str
    doc: str
    place: Place


@frozen
class Parallel:
    """`join_count` is the N of `join first N`, 1 for `any`, the number of branches for `all`."""

    name: str
    region: str
    branches: tuple[Branch, ...]
    join: Literal["all", "any", "first"]
    join_count: int
    on_error: Literal["fail", "collect"]
    doc: str
    place: Place


@frozen
class SameState:
    """The subgraph works on the outer state itself."""


@frozen
class OnField:
    """The subgraph works on a field of the outer state."""

    field: str
    place: Place


@frozen
class InOut:
    """A fresh inner state from `inputs` (over the outer state, and the item of a map); at its end the outer
    mutations in `outputs` are recorded, their arguments over the inner state (and the item)."""

    inputs: tuple[tuple[str, Expr], ...]
    outputs: tuple[MutationCall, ...]


@frozen
class Subgraph:
    name: str
    region: str
    graph: Key
    lens: SameState | OnField | InOut
    max_steps: int | None
    doc: str
    place: Place


@frozen
class MapNode:
    """`concurrency` None is unbounded."""

    name: str
    region: str
    graph: Key
    over: Expr
    item: str
    lens: InOut
    concurrency: int | None
    on_error: Literal["fail", "collect"]
    max_steps: int | None
    doc: str
    place: Place


Node: TypeAlias = Task | Decision | Barrier | Parallel | Subgraph | MapNode

# --- graphs -----------------------------------------------------------------------------------------------


@frozen
class Edge:
    """One arrow. `trigger` "plain" has none; `guard` only with "when"; `outcome` only with "on"."""

    source: str
    target: str
    trigger: Literal["plain", "when", "else", "on"]
    guard: Expr | None
    outcome: str | None
    max_visits: int | None
    region: str
    place: Place


@frozen
class Region:
    """The graph's own edges (`id` "", `parallel` None), or those of one branch.

    `edges` holds every edge of the region in the order written; `nodes` every node that belongs to it.
    """

    id: str
    parallel: str | None
    branch: str | None
    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    place: Place


@frozen
class Adaptive:
    duration: float
    tokens: float
    effects: float
    threshold: float


@frozen
class Checkpointing:
    """When a checkpoint is made, how many stay, when a state is written whole. Lengths in milliseconds."""

    every_steps: int | None = 1
    every_ms: int | None = None
    events: tuple[Literal["barrier", "decision", "completion", "mutation"], ...] = ()
    adaptive: Adaptive | None = None
    manual: bool = False
    keep_count: int | None = None
    keep_ms: int | None = None
    compact_steps: int | None = None  # None is `auto`


@frozen
class Graph:
    key: Key
    state: Key
    nodes: tuple[Node, ...]
    regions: tuple[Region, ...]  # the graph's own first, then in the order of the branches
    max_steps: int
    checkpointing: Checkpointing
    doc: str
    place: Place

    def node(self, name: str) -> Node | None:
        """The node of that name."""
        return next((n for n in self.nodes if n.name == name), None)

    def region(self, id: str) -> Region:
        """The region of that id."""
        return next(r for r in self.regions if r.id == id)


# --- scenarios and migrations -----------------------------------------------------------------------------


@frozen
class ScriptedVisit:
    """What one visit of a node does. Mutations and arguments are constants over the scenario."""

    node: str
    records: tuple[MutationCall, ...]
    fails: str | None
    times_out: bool
    goes_to: str | None
    modifies: tuple[MutationCall, ...]
    decides: AnswerCall | None
    reroutes: str | None
    place: Place


@frozen
class ExpectedPath:
    """`frame` is () for the graph's region, (`check`, `facts`) for a branch."""

    frame: tuple[str, ...]
    nodes: tuple[str, ...]
    place: Place


@frozen
class ExpectedTruth:
    condition: Expr
    place: Place


@frozen
class ExpectedEnd:
    node: str
    place: Place


@frozen
class ExpectedFailure:
    text: str
    place: Place


Expectation: TypeAlias = ExpectedPath | ExpectedTruth | ExpectedEnd | ExpectedFailure


@frozen
class Scenario:
    title: str
    graph: Key
    given: tuple[tuple[str, Expr], ...]
    visits: tuple[ScriptedVisit, ...]
    expectations: tuple[Expectation, ...]
    place: Place


@frozen
class RenameStep:
    what: Literal["node", "field", "mutation"]
    old: str
    new: str
    place: Place


@frozen
class SetStep:
    """`set f = expr`: the expression as written and, in JSON, its loose form (`migrations.loose`). It is over
    the old state, which only the stored canonical form of the old graph can type."""

    field: str
    text: str
    form: str
    place: Place


@frozen
class DropStep:
    field: str
    place: Place


@frozen
class MoveStep:
    old: str
    new: str
    place: Place


MigrationStep: TypeAlias = RenameStep | SetStep | DropStep | MoveStep


@frozen
class Migration:
    """`hash` as written; `place` is that of the graph's name, `source` that of the hash."""

    graph: Key
    hash: str
    steps: tuple[MigrationStep, ...]
    place: Place
    source: Place


# --- everything -------------------------------------------------------------------------------------------


@frozen
class Module:
    """What one file declares, in the order written, and what it imports."""

    path: str
    declares: tuple[Key, ...]
    imports: tuple[Key, ...]
    scenarios: tuple[Scenario, ...]
    migrations: tuple[Migration, ...]


@frozen
class Program:
    """All that was given to the compiler and all that it imports. Modules are sorted by path."""

    modules: tuple[Module, ...]
    enums: Mapping[Key, Enum]
    records: Mapping[Key, Record]
    unions: Mapping[Key, Union]
    opaques: Mapping[Key, Opaque]
    states: Mapping[Key, State]
    graphs: Mapping[Key, Graph]
