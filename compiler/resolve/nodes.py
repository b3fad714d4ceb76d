"""From written nodes to the model's: tasks, decisions, barriers, parallels (others: resolve_inner)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ...dsl import ast
from ...dsl.frozen import frozen
from ...dsl.lists import listed
from ...dsl.source import Place
from .. import model
from ..context import FieldShape, Unit, unique
from ..model import END, START, Param, Type
from ..types import JSON, STR, resolve_type
from .calls import answer_call, constant_value, mutation_call
from .clauses import Clauses
from .constants import mixed
from .constraints import count
from .data import target_name
from .expressions import Scope, Typer


@frozen
class Around:
    """What the parts of one graph see of it.

    Attributes:
        fields: the fields of its state.
        types: the types of the same.
        mutations: the mutations of its state.
        nodes: the nodes as written, by name.
        uses: collects the declarations that its expressions name.
    """

    unit: Unit
    key: model.Key
    state: model.Key | None
    fields: Mapping[str, FieldShape]
    types: Mapping[str, Type]
    mutations: Mapping[str, tuple[Param, ...]]
    nodes: Mapping[str, ast.Node]
    uses: set[model.Key]

    def scope(self, params: Mapping[str, Type], items: Mapping[str, Type]) -> Scope:
        """The state's fields with parameters or an item before them."""
        return Scope(self.unit, self.types, params, items, uses=self.uses)


Named = tuple[tuple[str, Place], ...]


def _fields(around: Around, names: tuple[ast.Name, ...]) -> Named:
    """Fields of the state, each once."""
    return _known(around, "field", names, around.fields)


def _known(around: Around, what: str, names: tuple[ast.Name, ...], known: Mapping[str, object]) -> Named:
    found: list[tuple[str, Place]] = []
    for name in unique(around.unit, what, names):
        if name.text in known:
            found.append((name.text, around.unit.place(name.span)))
        elif around.state is not None:
            near = around.unit.undefined(what, name, known)
            # The mutation that was meant is recorded: that nothing changes its fields would be said as well.
            if near is not None and what == "mutation" and all(near != other for other, _ in found):
                found.append((near, around.unit.place(name.span)))
    return tuple(found)


def _targets(around: Around, names: tuple[ast.Name, ...]) -> Named:
    """Nodes that a `goto` or `reroute` names, or `end`."""
    found: list[tuple[str, Place]] = []
    for name in unique(around.unit, "node", names):
        if name.text == START:
            around.unit.error("LG307", "nothing leads back to `start`", name.span)
        elif name.text == END or name.text in around.nodes:
            found.append((name.text, around.unit.place(name.span)))
        else:
            around.unit.undefined("node", name, around.nodes)
    return tuple(found)


def timeout_ms(unit: Unit, clause: ast.TimeoutClause | None) -> int | None:
    """The length of a timeout; reports LG603 for none at all."""
    if clause is None:
        return None
    if clause.duration.milliseconds <= 0:
        message = f"`timeout {clause.duration.text}` is over before it starts"
        unit.error("LG603", message, clause.duration.span)
    return clause.duration.milliseconds


# --- tasks --------------------------------------------------------------------------------------------------


def task(around: Around, node: ast.Node, clauses: Clauses, region: str) -> model.Task:
    """A task."""
    unit = around.unit
    reads, records = clauses.get(ast.ReadsClause), clauses.get(ast.RecordsClause)
    ensures, goto = clauses.get(ast.EnsuresClause), clauses.get(ast.GotoClause)
    timeout, impl = clauses.get(ast.TimeoutClause), clauses.get(ast.ImplClause)
    if timeout is not None and timeout.decides is not None:
        help = "a task that runs out of time takes its `on timeout` edge"
        unit.error("LG002", "`decides` belongs to the timeout of a barrier", timeout.decides.span, help=help)
    effect = _effect(unit, clauses.get(ast.EffectClause))
    return model.Task(
        node.name.text,
        region,
        () if reads is None else _reads(around, reads),
        () if records is None else _known(around, "mutation", records.mutations, around.mutations),
        () if ensures is None else _fields(around, ensures.fields),
        () if goto is None else _targets(around, goto.targets),
        _retry(unit, clauses.get(ast.RetryClause)),
        timeout_ms(unit, timeout),
        effect,
        _params(around, clauses.get(ast.ParamsClause)),
        None if impl is None else target_name(unit, impl.target, "module:function"),
        node.doc,
        unit.place(node.name.span),
    )


def _reads(around: Around, clause: ast.ReadsClause) -> tuple[model.Read, ...]:
    unit = around.unit
    required = {r.name.text for r in clause.fields if r.required}
    found: dict[str, model.Read] = {}
    for name in unique(unit, "field", (r.name for r in clause.fields)):
        place = unit.place(name.span)
        if name.text == "*":
            for field in around.fields:
                found.setdefault(field, model.Read(field, field in required, place))
        elif name.text in around.fields:
            found[name.text] = model.Read(name.text, name.text in required, place)
        elif around.state is not None:
            unit.undefined("field", name, around.fields)
    if any(r.name.text == "*" for r in clause.fields):
        return tuple(found[name] for name in around.fields)
    return tuple(found.values())


def _retry(unit: Unit, clause: ast.RetryClause | None) -> model.Retry | None:
    if clause is None:
        return None
    attempts = count(unit, clause.attempts, "retry")
    low, high = clause.backoff_low, clause.backoff_high
    low_ms = 0 if low is None else low.milliseconds
    high_ms = low_ms if high is None else high.milliseconds
    if low is not None and high is not None and low_ms > high_ms:
        message = f"`backoff {low.text}..{high.text}` ends before it begins"
        help = f"write the shorter pause first: `backoff {high.text}..{low.text}`"
        unit.error("LG603", message, low.span.to(high.span), help=help)
    errors = tuple(target_name(unit, e, "module:Exception") for e in clause.errors)
    place = unit.place(clause.span)
    return model.Retry(1 if attempts is None else attempts, low_ms, high_ms, errors, place)


def _effect(unit: Unit, clause: ast.EffectClause | None) -> Literal["pure", "idempotent", "once"]:
    if clause is None or not choice(unit, "effect", clause.kind, ("pure", "idempotent", "once")):
        return "idempotent"
    match clause.kind.text:
        case "pure":
            return "pure"
        case "once":
            return "once"
        case _:
            return "idempotent"


def choice(unit: Unit, what: str, name: ast.Name, choices: tuple[str, ...]) -> bool:
    """Whether a word is one of the choices; reports LG002."""
    if name.text in choices:
        return True
    guess = unit.context.speller.guess(name, choices)
    help = guess.help or "write " + listed(choices, "or")
    unit.error("LG002", f"unknown {what} `{name.text}`", name.span, help=help, fix=guess.fix)
    return False


def _params(around: Around, clause: ast.ParamsClause | None) -> tuple[tuple[str, model.Expr], ...]:
    if clause is None:
        return ()
    unit = around.unit
    typer = Typer(Scope(unit, constant=around.fields, uses=around.uses), mismatch="LG206")
    names = {name.span for name in unique(unit, "parameter", (n for n, _ in clause.params))}
    return tuple(
        (name.text, constant_value(typer, value, JSON if mixed(value) else None, f"parameter `{name.text}`"))
        for name, value in clause.params
        if name.span in names
    )


# --- decisions and barriers ---------------------------------------------------------------------------------


def decision(around: Around, node: ast.Node, region: str) -> model.Decision:
    """A decision."""
    return model.Decision(node.name.text, region, node.doc, around.unit.place(node.name.span))


def answer_params(unit: Unit, clause: ast.DecisionClause) -> tuple[Param, ...]:
    """The parameters of a declared decision."""
    params: list[Param] = []
    names = {name.span for name in unique(unit, "parameter", (p.name for p in clause.params))}
    for param in clause.params:
        if param.name.span not in names:
            continue
        if param.type is None:
            unit.error("LG002", f"parameter `{param.name.text}` has no type", param.name.span)
        type = model.Unknown() if param.type is None else resolve_type(unit, param.type)
        params.append(Param(param.name.text, type, unit.place(param.name.span)))
    return tuple(params)


def barrier(around: Around, node: ast.Node, clauses: Clauses, region: str) -> model.Barrier:
    """A barrier, with `approve` and `reject(reason: str)` where it declares no decisions."""
    unit = around.unit
    place = unit.place(node.name.span)
    answers: dict[str, model.Answer] = {}
    for clause in clauses.decisions:
        name = clause.name
        if name.text in answers:
            unit.twice("decision", name, answers[name.text].place)
            continue
        if name.text == "timeout":
            message = "a decision cannot be called `timeout`: that is the outcome of waiting too long"
            unit.error("LG103", message, name.span)
        params = answer_params(unit, clause)
        typer = Typer(around.scope({p.name: p.type for p in params}, {}))
        calls = [mutation_call(typer, call, around.mutations) for call in clause.records]
        records = tuple(call for call in calls if call is not None)
        answers[name.text] = model.Answer(name.text, params, records, clause.doc, unit.place(name.span))
    declared = bool(answers)
    if not declared:
        reason = Param("reason", STR, place)
        answers["approve"] = model.Answer("approve", (), (), "", place)
        answers["reject"] = model.Answer("reject", (reason,), (), "", place)
    timeout = clauses.get(ast.TimeoutClause)
    decides: model.AnswerCall | None = None
    if timeout is not None and timeout.decides is not None:
        typer = Typer(around.scope({}, {}))
        offered = {name: answer.params for name, answer in answers.items()}
        decides = answer_call(typer, timeout.decides, offered, node.name.text)
        decides = decides or model.AnswerCall(next(iter(answers)), (), place)
    shows, modify = clauses.get(ast.ShowsClause), clauses.get(ast.ModifyClause)
    reroute = clauses.get(ast.RerouteClause)
    return model.Barrier(
        node.name.text,
        region,
        () if shows is None else _fields(around, shows.fields),
        timeout_ms(unit, timeout),
        decides,
        tuple(answers.values()),
        declared,
        () if modify is None else _known(around, "mutation", modify.mutations, around.mutations),
        () if reroute is None else _targets(around, reroute.targets),
        node.doc,
        place,
    )


# --- parallels ----------------------------------------------------------------------------------------------


def parallel(around: Around, node: ast.Node, clauses: Clauses, region: str) -> model.Parallel:
    """A parallel; its branches' edges are in their regions."""
    unit, name = around.unit, node.name
    branches: dict[str, model.Branch] = {}
    for clause in clauses.branches:
        text = clause.name.text
        place = unit.place(clause.name.span)
        branches.setdefault(text, model.Branch(text, f"{name.text}/{text}", clause.doc, place))
    if len(clauses.branches) < 2 and not unit.has_errors(node.span):
        message = (
            f"parallel `{name.text}` has {'one branch' if branches else 'no branches'}, expected two or more"
        )
        unit.error("LG002", message, name.span, help="write `branch NAME = node`")
    join, joined = _join(unit, clauses.get(ast.JoinClause), len(branches))
    return model.Parallel(
        name.text,
        region,
        tuple(branches.values()),
        join,
        joined,
        on_error(unit, clauses.get(ast.OnErrorClause)),
        node.doc,
        unit.place(name.span),
    )


def _join(
    unit: Unit, clause: ast.JoinClause | None, branches: int
) -> tuple[Literal["all", "any", "first"], int]:
    if clause is None or not choice(unit, "join", clause.kind, ("all", "any", "first")):
        return "all", branches
    kind, written = clause.kind.text, clause.count
    if kind != "first":
        if written is not None:
            help = f"write `join first N` or `join {kind}`"
            unit.error("LG002", f"`join {kind}` takes no number", written.span, help=help)
        return ("any", 1) if kind == "any" else ("all", branches)
    if written is None:
        unit.error("LG002", "`join first` needs a number", clause.span, help="write `join first N`")
        return "first", 1
    needed = count(unit, written, "join first")
    if needed is not None and needed > branches:
        message = f"`join first {needed}` waits for more branches than there are: {branches}"
        unit.error("LG603", message, written.span)
    return "first", needed or 1


def on_error(unit: Unit, clause: ast.OnErrorClause | None) -> Literal["fail", "collect"]:
    """`on_error fail` or `collect`."""
    if clause is not None and choice(unit, "on_error", clause.kind, ("fail", "collect")):
        return "collect" if clause.kind.text == "collect" else "fail"
    return "fail"
