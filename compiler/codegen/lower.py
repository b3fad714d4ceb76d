"""From a resolved graph to what a plan is made of: routes out of every source, with the keys of their edges.

Keys and their meaning are defined in `runtime/plan.py`. Guards stay expressions here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .. import model as m


@dataclass(frozen=True, slots=True)
class LoweredEdge:
    """One arrow with its key."""

    key: str
    target: str
    guard: m.Expr | None = None
    max_visits: int | None = None


@dataclass(frozen=True, slots=True)
class LoweredRoute:
    """Everything that leaves one source: `edges` as they are tried, `on` by outcome."""

    edges: tuple[LoweredEdge, ...] = ()
    on: Mapping[str, tuple[LoweredEdge, ...]] = field(default_factory=dict[str, tuple[LoweredEdge, ...]])


def routes(graph: m.Graph) -> dict[str, LoweredRoute]:
    """The route of each source that edges leave: `start`, `start:REGION` for a branch, the nodes."""
    found: dict[str, LoweredRoute] = {}
    for region in graph.regions:
        by_source: dict[str, list[m.Edge]] = {}
        for edge in region.edges:
            by_source.setdefault(edge.source, []).append(edge)
        for source, edges in by_source.items():
            id = f"{m.START}:{region.id}" if source == m.START and region.id else source
            found[id] = _route(edges)
    return found


def _route(edges: list[m.Edge]) -> LoweredRoute:
    keyed = list(_keyed(edges))
    whens = [lowered for edge, lowered in keyed if edge.trigger == "when"]
    rest = [lowered for edge, lowered in keyed if edge.trigger in ("plain", "else")]
    on: dict[str, tuple[LoweredEdge, ...]] = {}
    for edge, lowered in keyed:
        if edge.trigger == "on" and edge.outcome is not None:
            on[edge.outcome] = (*on.get(edge.outcome, ()), lowered)
    return LoweredRoute((*whens, *rest), on)


def _keyed(edges: list[m.Edge]) -> Iterator[tuple[m.Edge, LoweredEdge]]:
    whens = 0
    seen: dict[str, int] = {}
    for edge in edges:
        arrow = f"{edge.source}->{edge.target}"
        match edge.trigger:
            case "when":
                whens += 1
                key = f"{arrow} when {whens}"
            case "else":
                key = f"{arrow} else"
            case "on":
                key = f"{arrow} on {edge.outcome}"
            case "plain":
                key = arrow
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:  # one arrow and outcome, bounded twice
            key = f"{key} {seen[key]}"
        yield edge, LoweredEdge(key, edge.target, edge.guard, edge.max_visits)


def seconds(milliseconds: int) -> float:
    """A length of time as plans hold it."""
    return milliseconds / 1000
