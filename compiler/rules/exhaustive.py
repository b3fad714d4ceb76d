"""Rules LG401, LG402, LG406: does an edge hold whatever the values are, is each edge taken for some of them?

What is decided stands in `routings`; here it is said. A guard that is never true is one finding, about its
edge (LG402). An edge that another rule reports (twice the same, a plain one beside `when`) is left to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...dsl.diagnostic import Diagnostic, Label, Severity
from .. import model
from ..graph_view import GraphView
from ..likeness import bare
from ..model import Edge
from ..rule import Rule

if TYPE_CHECKING:  # loaded for the first guard
    from ..routing.decide import Dead, Standing
    from ..routing.sources import Routed

_MOST_VALUES = 8  # that a message names
_MOST_LABELS = 4


def _check(view: GraphView) -> Iterator[Diagnostic]:
    yield from _decisions(view)
    if not any(edge.guard or edge.max_visits for part in view.graph.regions for edge in part.edges):
        return
    from ..routing.sources import routed

    for one in routed(view):
        yield from _found(one, view)


def _found(one: Routed, view: GraphView) -> Iterator[Diagnostic]:
    if not one.asked:
        yield from (_unasked(one, edge) for edge in one.edges[: one.told])
        return
    if one.routing.open:
        yield _too_large(one)
    elif one.routing.gap is not None and sum(dead.false for dead in one.routing.dead) < len(one.edges):
        yield _gap(one, one.routing.gap, view)
    elif any(at < one.told for at in one.routing.undecided):
        yield _undecided(one)
    doubles = _doubles(one.edges) if one.routing.dead else ()
    for dead in one.routing.dead:
        if dead.way < one.told and dead.way not in doubles:
            yield _dead(one, dead, view)
    for at in one.routing.constant:
        guard = one.edges[at].guard
        assert guard is not None
        help = f"write `{_arrow(one.edges[at])} else`, or a guard that can be false"
        limits = _limits(view, one.edges[at], guard, False)
        help = f"{limits}: {help}" if limits else help
        yield CONSTANT.found(f"{_written(guard)} is always true", guard.place, help=help)


# --- no edge holds ------------------------------------------------------------------------------------------


def _gap(one: Routed, gap: tuple[Standing, ...], view: GraphView) -> Diagnostic:
    from ..routing.words import stands

    sure = [stands(*standing) for standing in gap if _sure(standing)]
    unsure = [_unsure(standing) for standing in gap if not _sure(standing)]
    used = [one.edges[at] for at in one.routing.used]
    message = f"no edge holds {_when(one, view)}"
    if sure:
        message = f"`{_listed(sure)}`: {message}"
    if used:
        message += f" once {_used_up(used)}"
    if unsure:
        message += f"{', ' if used else ' '}if {_listed(unsure, ' and ')}, which is not ruled out"
    first, *rest = one.edges
    related = [Label(edge.place, _why_not(edge, used)) for edge in rest[: _MOST_LABELS - 1]]
    return EXHAUSTIVE.found(
        message, first.place, label=_why_not(first, used), help=_help(one), related=tuple(related)
    )


def _why_not(edge: Edge, used: Sequence[Edge]) -> str:
    if edge in used and edge.max_visits is not None:
        return f"taken at most {_times(edge.max_visits)}"
    return "does not hold then"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _used_up(edges: Sequence[Edge]) -> str:
    if len(edges) == 1:
        return f"`{_arrow(edges[0])}` was taken {_times(edges[0].max_visits or 0)}"
    return "the edges with `max_visits` are used up"


def _when(one: Routed, view: GraphView) -> str:
    """After which node, or for which decisions of a barrier."""
    node = view.nodes.get(one.source)
    if isinstance(node, model.Barrier):
        handled = {edge.outcome for part in view.regions for edge in part.out.get(one.source, ())}
        left = [f"`{answer.name}`" for answer in node.answers if answer.name not in handled]
        if len(left) < len(node.answers):
            return f"for {' and '.join(left)} of `{one.source}`"
    return f"after `{one.source}`"


def _sure(standing: Standing) -> bool:
    from ..routing.scales import UNNAMED

    return standing.variable.sure and standing.value is not UNNAMED


def _unsure(standing: Standing) -> str:
    from ..routing.words import stands

    variable, value = standing
    if isinstance(value, bool) and variable.values == (True, False):
        return f"`{variable.words}` is {'true' if value else 'false'}"
    return f"`{stands(variable, value)}`"


def _listed(parts: Sequence[str], between: str = ", ") -> str:
    shown = list(parts[:_MOST_VALUES])
    if len(parts) > len(shown):
        return (
            f"{between.join(shown)}{', and' if between == ', ' else ' and'} {len(parts) - len(shown):,} more"
        )
    return between.join(shown)


def _help(one: Routed) -> str:
    last = one.edges[-1]
    if last.trigger == "when":
        return f"add `{one.source} -> … else`"
    again = f"{one.source} -> … else" if last.trigger == "else" else f"{one.source} -> …"
    return f"add a second `{again}` for what comes after that"


def _too_large(one: Routed) -> Diagnostic:
    return EXHAUSTIVE.found(
        f"whether an edge always holds after `{one.source}` cannot be decided: {_why_undecided(one)}",
        one.edges[0].place,
        help=f"add `{one.source} -> … else`, or choose in several steps, with `decision` nodes between",
    )


def _undecided(one: Routed) -> Diagnostic:
    edges = [one.edges[at] for at in one.routing.undecided if at < one.told]
    more = len(edges) - 1
    which = f"`{_arrow(edges[0])}`" + (f" and {more:,} more of its edges" if more > 1 else "")
    if more == 1:
        which += f" and `{_arrow(edges[1])}`"
    return CONSTANT.found(
        f"whether {which} {'are' if more else 'is'} ever taken cannot be decided: {_why_undecided(one)}",
        edges[0].place,
        help="choose in several steps, with `decision` nodes between",
    )


def _why_undecided(one: Routed) -> str:
    cases = one.routing.cases
    if cases == 1:
        return "a guard is too long"
    count = f"{cases:,}" if cases < 10**15 else f"some 10^{len(str(cases)) - 1}"
    return f"there are {count} cases to tell apart"


def _decisions(view: GraphView) -> Iterator[Diagnostic]:
    """A barrier's decision or timeout whose own edges may all be used up."""
    for part in view.regions:
        for source, edges in part.out.items():
            node = view.nodes.get(source)
            if not isinstance(node, model.Barrier) or source in view.excused:
                continue
            outcomes = [answer.name for answer in node.answers]
            if node.timeout_decides is None:
                outcomes.append("timeout")
            for outcome in outcomes:
                own = [edge for edge in edges if edge.outcome == outcome]
                if own and all(edge.max_visits is not None for edge in own):
                    which = "the timeout" if outcome == "timeout" else f"`{outcome}`"
                    yield EXHAUSTIVE.found(
                        f"no edge holds for {which} of `{source}` once {_used_up(own)}",
                        own[-1].place,
                        label=_why_not(own[-1], own),
                        help=f"add a second `{source} -> … on {outcome}` for what comes after that",
                    )


# --- an edge is never taken ---------------------------------------------------------------------------------


def _dead(one: Routed, dead: Dead, view: GraphView) -> Diagnostic:
    edge = one.edges[dead.way]
    arrow = _arrow(edge)
    if dead.false:
        guard = edge.guard
        assert guard is not None
        message = f"`{arrow}` is never taken: {_written(guard)} is always false"
        return DEAD.found(
            message, guard.place, label="false for all values", help=_limits(view, edge, guard, True)
        )
    earlier = [one.edges[at] for at in dead.by[:_MOST_LABELS]]
    if edge.guard is None:
        message = f"`{arrow}` is never taken: an edge before it always holds"
    else:
        message = f"`{arrow}` is never taken: where its guard holds, an edge before it does"
    text = "this is taken" if len(earlier) == 1 else "one of these is taken"
    labels = tuple(Label(other.place, text) for other in earlier)
    return DEAD.found(message, edge.place, help=_repair(edge), related=labels)


def _repair(edge: Edge) -> str:
    if edge.guard is None:
        return "remove it, or one of the guards"
    return "put it first, or narrow the guards before it"


def _limits(view: GraphView, edge: Edge, guard: model.Expr, holds: bool) -> str:
    """What makes a guard ask nothing, where that is more than the guard itself."""
    from ..routing.reasons import reasons

    return ", ".join(reasons(view, edge, guard, holds))


def _unasked(one: Routed, edge: Edge) -> Diagnostic:
    return DEAD.found(
        f"`{_arrow(edge)}` is never taken: every decision of `{one.source}` has an edge of its own",
        edge.place,
        help="remove it, or the `on` edges that it should stand for",
    )


def _doubles(edges: Sequence[Edge]) -> set[int]:
    """The edges that stand there a second time."""
    seen: dict[object, int] = {}
    keys = [(edge.target, edge.trigger, bare(edge.guard)) for edge in edges]
    return {at for at, key in enumerate(keys) if seen.setdefault(key, at) != at}


def _arrow(edge: Edge) -> str:
    return f"{edge.source} -> {edge.target}"


def _written(guard: model.Expr) -> str:
    source, span = guard.place
    text = " ".join(source.text[span.start : span.end].split())
    return f"`{text}`" if len(text) <= 60 else "its guard"


_STATE = """\
enum Verdict { accept, revise }

state Job {
  verdict: Verdict = Verdict.revise
  score:   int = 0  range 0..10

  mutation Grade(verdict, score)
}
"""
EXAMPLE_HEAD = (
    _STATE + "\ngraph work(Job) {\n  task grade { records Grade }\n  task fix { reads verdict, score }\n\n"
    "  start -> grade\n"
)
EXAMPLE_TAIL = "  fix -> end\n}\n"

EXHAUSTIVE = Rule(
    "LG401",
    "not-exhaustive",
    Severity.ERROR,
    "routing not exhaustive: there are values of the fields for which no edge holds",
    "A run that meets such values fails at that node.",
    EXAMPLE_HEAD + "  grade -> end when score > 5\n  grade -> fix when score < 5\n" + EXAMPLE_TAIL,
    EXAMPLE_HEAD + "  grade -> end when score > 5\n  grade -> fix else\n" + EXAMPLE_TAIL,
    check=_check,
    allowable=True,
)
DEAD = Rule(
    "LG402",
    "dead-edge",
    Severity.ERROR,
    "an edge that can never be taken: an earlier one always holds, or its guard is false",
    "Where it leads is then not what its writer meant.",
    EXAMPLE_HEAD
    + "  grade -> end when score > 2\n  grade -> fix when score > 5\n  grade -> fix else\n"
    + EXAMPLE_TAIL,
    EXAMPLE_HEAD
    + "  grade -> fix when score > 5\n  grade -> end when score > 2\n  grade -> fix else\n"
    + EXAMPLE_TAIL,
    allowable=True,
)
CONSTANT = Rule(
    "LG406",
    "constant-guard",
    Severity.WARNING,
    "a guard that is always true or always false",
    "It decides nothing; most often a bound or a name is wrong.",
    EXAMPLE_HEAD + "  grade -> fix when score < 3\n  grade -> end when score <= 10\n" + EXAMPLE_TAIL,
    EXAMPLE_HEAD + "  grade -> fix when score < 3\n  grade -> end else\n" + EXAMPLE_TAIL,
    allowable=True,
)
