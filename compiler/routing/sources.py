"""From the edges of a graph to what is decided about each source; sources with the same guards share it."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ...dsl.frozen import frozen
from ..graph_view import GraphView, RegionView
from ..model import START, Barrier, Edge
from .decide import Routing, Way, decide
from .formulas import Budget
from .terms import Terms


@frozen
class Routed:
    """One source with its edges in the order in which they are tried, and what is decided about them.

    Attributes:
        edges: the `when` edges as written, then the one that has no guard, if there is one.
        told: how many of them findings may be about: a plain edge beside `when` edges is another finding.
        asked: whether an edge has to hold: not where each decision of a barrier has an edge of its own.
    """

    source: str
    edges: tuple[Edge, ...]
    told: int
    asked: bool
    routing: Routing


def routed(view: GraphView) -> Iterator[Routed]:
    """Every source whose edges have a guard or may be used up, unless it cannot be reached."""
    if view.graph.state not in view.analyses.program.states:
        return  # reported; what the guards ask is not known
    known: dict[object, Routing] = {}
    whole = view.analyses.guesswork
    for part in view.regions:
        for source, edges in part.out.items():
            simple = all(edge.guard is None and edge.max_visits is None for edge in edges)
            if not simple and _judged(view, part, source):
                found = _one(view, part, source, edges, known, whole)
                if found is not None:
                    yield found


def _judged(view: GraphView, part: RegionView, source: str) -> bool:
    if (source, part.region.id) in view.unclear:
        return False
    if source == START:
        return True
    return source in view.nodes and source in part.reached and source not in view.excused


def _one(
    view: GraphView,
    part: RegionView,
    source: str,
    edges: list[Edge],
    known: dict[object, Routing],
    whole: Budget,
) -> Routed | None:
    whens = [edge for edge in edges if edge.trigger == "when"]
    tried = tuple(whens + _unguarded(edges))
    if not tried:
        return None
    told = len(whens) if whens and tried[-1].trigger == "plain" else len(tried)
    ways = tuple(Way(edge.guard, edge.max_visits is not None) for edge in tried)
    key = _key(view, part, source, tried)
    routing = known.get(key)
    if routing is None:
        routing = known[key] = decide(ways, terms_of(view, source, part.region.id), whole)
    return Routed(source, tried, told, _asked(view, source, edges), routing)


def _unguarded(edges: list[Edge]) -> list[Edge]:
    """The plain and `else` edges up to the one that is always taken; those behind are another finding."""
    found: list[Edge] = []
    for edge in edges:
        if edge.trigger in ("plain", "else"):
            found.append(edge)
            if edge.max_visits is None:
                break
    return found


def _present(view: GraphView, source: str, region: str) -> Set[str]:
    if not view.analyses.may_be_none(view.graph.state):
        return frozenset()
    return view.analyses.presence.after(view.graph.key, source, region)


def terms_of(view: GraphView, source: str, region: str, free: frozenset[str] = frozenset()) -> Terms:
    """The terms of a source, none met yet; the limits `free` do not count."""
    program = view.analyses.program
    present = _present(view, source, region)
    fresh = source == START and not region
    return Terms(program, program.states[view.graph.state], source, present, fresh, free)


def _key(view: GraphView, part: RegionView, source: str, tried: tuple[Edge, ...]) -> object:
    """The same for sources of a graph about which the same is decided: guards written alike."""
    texts: list[tuple[str, bool]] = []
    counting = False
    for edge in tried:
        text = ""
        if edge.guard is not None:
            text_of, (start, end) = edge.guard.place
            text = text_of.text[start:end]
            counting = counting or "visits" in text or "steps" in text
        texts.append((text, edge.max_visits is None))
    where = (source, part.region.id) if counting else ""
    return tuple(texts), _present(view, source, part.region.id), where


def _asked(view: GraphView, source: str, edges: list[Edge]) -> bool:
    node = view.nodes.get(source)
    if not isinstance(node, Barrier):
        return True
    handled = {edge.outcome for edge in edges}
    return any(answer.name not in handled for answer in node.answers)
