"""From what a scenario expects and what its run did to findings (LG801): step, expected, actual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from .compiler import model as m
from .dsl.diagnostic import Diagnostic, error

if TYPE_CHECKING:
    from .runtime.errors import LgcError
    from .scenario_values import Values

CODE = "LG801"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario's run ended.

    Attributes:
        state: the final state.
        visited: the nodes by frame path, in order.
        failure: why the run failed, None where it did not.
        waiting: the barriers that nobody answered.
    """

    state: Any
    visited: Mapping[str, Sequence[str]]
    failure: LgcError | None
    waiting: tuple[str, ...]

    def path(self, frame: Sequence[str]) -> Sequence[str]:
        """The nodes that were visited in a frame; a branch may be written without what it is nested in."""
        wanted = "/".join(frame)
        if not wanted or wanted in self.visited:
            return self.visited.get(wanted, ())
        return next((nodes for name, nodes in self.visited.items() if name.endswith(f"/{wanted}")), ())

    def path_text(self, frame: Sequence[str]) -> str:
        """The same as the language writes a path."""
        return ", ".join(self.path(frame)) or "nowhere"


def judge(scenario: m.Scenario, graph: m.Graph, values: Values, outcome: Outcome) -> Iterator[Diagnostic]:
    """One finding for each expectation that does not hold, and one for an end that nothing expects."""
    expected_failure = any(isinstance(one, m.ExpectedFailure) for one in scenario.expectations)
    own = {node.name for node in graph.nodes}
    if outcome.failure is not None and not expected_failure:
        yield _failed(scenario, own, outcome.failure)
    ends = {one.node for one in scenario.expectations if isinstance(one, m.ExpectedEnd)}
    for place in outcome.waiting:
        if place.rpartition("/")[2] not in ends:
            yield _waits(scenario, own, place)
    for at, one in enumerate(scenario.expectations):
        finding = _expectation(one, values.conditions.get(at), outcome)
        if finding is not None:
            yield finding


def _failed(scenario: m.Scenario, own: set[str], failure: LgcError) -> Diagnostic:
    node = (failure.node or "").rpartition("/")[2]
    line = next((visit.place for visit in reversed(scenario.visits) if visit.node == node), scenario.place)
    where = f" at `{failure.node}`" if failure.node else ""
    message = f"the run failed{where}: {' '.join(failure.message.split())}"
    help = 'say so if it should: `expect fails "…"`'
    if failure.node and node not in own:
        help = _whole(own, failure.node)
    return error(CODE, message, line, help=help)


def _whole(own: set[str], place: str) -> str:
    """What helps where an inner graph cannot go on: in a scenario its tasks record nothing."""
    parts = place.split("/")
    around = next((name for name in reversed(parts) if name in own), parts[-1])
    return f"it is in another graph: say what `{around}` does as a whole, such as `{around} records …`"


def _waits(scenario: m.Scenario, own: set[str], place: str) -> Diagnostic:
    node = place.rpartition("/")[2]
    help = f"add a line: `{node} decides …`, `{node} times out`"
    if node not in own:
        help = _whole(own, place)
    message = f"the run waits at `{place}`: no line says what is decided there"
    return error(CODE, message, scenario.place, help=help)


def _expectation(one: m.Expectation, condition: Any, outcome: Outcome) -> Diagnostic | None:
    match one:
        case m.ExpectedPath(frame=frame, nodes=nodes):
            return None if list(outcome.path(frame)) == list(nodes) else _path(one, outcome)
        case m.ExpectedTruth():
            return _truth(one, condition, outcome)
        case m.ExpectedEnd(node=node):
            path = outcome.path(())
            if path and path[-1] == node:
                return None
            last = f"`{path[-1]}`" if path else "no node"
            return error(CODE, f"the run was expected to end at `{node}`, but it ended at {last}", one.place)
        case m.ExpectedFailure(text=text):
            if outcome.failure is None:
                return error(
                    CODE, f'the run was expected to fail with "{text}", but it did not fail', one.place
                )
            message = " ".join(outcome.failure.message.split())
            if text in outcome.failure.message or text in message:
                return None
            return error(
                CODE, f'the run was expected to fail with "{text}", but it failed with: {message}', one.place
            )


def _path(one: m.ExpectedPath, outcome: Outcome) -> Diagnostic:
    actual = outcome.path(one.frame)
    step = next(n for n, (a, b) in enumerate(zip_longest(one.nodes, actual), 1) if a != b)
    wanted = f"`{one.nodes[step - 1]}`" if step <= len(one.nodes) else "the end"
    came = f"`{actual[step - 1]}`" if step <= len(actual) else "the end"
    where = f" of {'/'.join(one.frame)}" if one.frame else ""
    return error(
        CODE,
        f"step {step}{where} was expected to be {wanted}, but was {came}",
        one.place,
        help=f"expected {', '.join(one.nodes) or 'nowhere'}\nactual   {outcome.path_text(one.frame)}",
    )


def _truth(one: m.ExpectedTruth, condition: Any, outcome: Outcome) -> Diagnostic | None:
    text = _written(one.condition)
    try:
        holds = condition(outcome.state)
    except Exception as problem:
        message = getattr(problem, "message", None) or str(problem)
        return error(CODE, f"`{text}` cannot be evaluated: {message}", one.place)
    if holds:
        return None
    fields = "\n".join(
        f"{name} is {_spelt(getattr(outcome.state, outcome.state.__lg_fields__[name]))}"
        for name in dict.fromkeys(_fields(one.condition))
    )
    return error(CODE, f"expected `{text}`, but it does not hold", one.place, help=fields)


def _written(expr: m.Expr) -> str:
    source, span = expr.place
    return " ".join(source.text[span.start : span.end].split())


def _fields(expr: Any) -> Iterator[str]:
    """The names of the fields that an expression looks at, in order."""
    if isinstance(expr, m.FieldRef):
        yield expr.field
    elif isinstance(expr, tuple):
        for part in expr:  # pyright: ignore[reportUnknownVariableType]
            yield from _fields(part)
    elif type(expr).__module__ == m.__name__ and hasattr(expr, "place"):
        names: tuple[str, ...] = expr.__match_args__
        for name in names:
            if name not in ("type", "place"):
                yield from _fields(getattr(expr, name))


def _spelt(value: Any) -> str:
    import json
    from enum import Enum

    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.value}"
    if value is None or isinstance(value, (bool, str)):
        return "none" if value is None else json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_spelt(item) for item in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
