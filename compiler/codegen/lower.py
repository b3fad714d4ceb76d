"""From a resolved graph to what a plan is made of: routes out of every source, with the keys of their edges.

Guards stay expressions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import model as m
from ..edge_keys import by_source, keyed


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
        for source, edges in by_source(region).items():
            id = f"{m.START}:{region.id}" if source == m.START and region.id else source
            found[id] = _route(edges)
    return found


def _route(edges: list[m.Edge]) -> LoweredRoute:
    lowered = [
        (edge, LoweredEdge(key, edge.target, edge.guard, edge.max_visits)) for edge, key in keyed(edges)
    ]
    whens = [one for edge, one in lowered if edge.trigger == "when"]
    rest = [one for edge, one in lowered if edge.trigger in ("plain", "else")]
    on: dict[str, tuple[LoweredEdge, ...]] = {}
    for edge, one in lowered:
        if edge.trigger == "on" and edge.outcome is not None:
            on[edge.outcome] = (*on.get(edge.outcome, ()), one)
    return LoweredRoute((*whens, *rest), on)


def seconds(milliseconds: int) -> float:
    """A length of time as plans hold it."""
    return milliseconds / 1000
