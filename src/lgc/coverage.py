"""From runs of scenarios to the edges of a graph that none of them took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler import model as m


class Coverage:
    """The edges of one graph, and which were taken.

    An edge with a guard is taken when its guard was tried and held: edges are tried in order until one
    holds. Every other edge is known by its source, outcome and target.
    """

    def __init__(self, graph: m.Graph) -> None:
        self.graph = graph
        self._taken: set[int] = set()  # positions among `edges`
        self.edges = [edge for region in graph.regions for edge in region.edges]
        self._at = {id(edge): at for at, edge in enumerate(self.edges)}

    def untaken(self) -> list[m.Edge]:
        """The edges that no run took, in the order written."""
        return [edge for at, edge in enumerate(self.edges) if at not in self._taken]

    @property
    def total(self) -> int:
        """How many edges there are."""
        return len(self.edges)

    # --- noting ---------------------------------------------------------------------------------------------

    def watched(self, plan: Any) -> Any:
        """The plan with guards that note when they hold."""
        routes: dict[str, Any] = {}
        for source, route in plan.routes.items():
            name, _, region = source.partition(":")
            guarded = [
                edge
                for edge in self.edges
                if edge.trigger == "when"
                and edge.source == name
                and (name != "start" or edge.region == region)
            ]
            edges: list[Any] = []
            for edge in route.edges:
                if edge.guard is None or not guarded:
                    edges.append(edge)
                    continue
                at = self._at[id(guarded.pop(0))]
                edges.append(replace(edge, guard=replace(edge.guard, test=self._noting(edge.guard.test, at))))
            routes[source] = replace(route, edges=tuple(edges))
        return replace(plan, routes=routes)

    def _noting(self, test: Any, at: int) -> Any:
        def noting(state: Any, counters: Any) -> bool:
            held = bool(test(state, counters))
            if held:
                self._taken.add(at)
            return held

        return noting

    def took(self, frame: str, node: str, outcome: str, target: str) -> None:
        """A node completed, and its frame went on to `target`."""
        own = self.graph.node(node)
        if own is None or own.region != region_of(frame):
            return
        for at, edge in enumerate(self.edges):
            if edge.source != node or edge.target != target or edge.trigger == "when":
                continue
            if edge.trigger == "on" and edge.outcome != outcome:
                continue
            if edge.trigger == "else" and outcome in ("error", "timeout"):
                continue
            self._taken.add(at)

    def entered(self, visited: Mapping[str, Any]) -> None:
        """Which regions were entered, and where: the first node of each frame came behind `start`."""
        for frame, nodes in visited.items():
            if not nodes:
                continue
            for at, edge in enumerate(self.edges):
                first = edge.source == "start" and edge.target == nodes[0] and edge.trigger != "when"
                if first and edge.region == region_of(frame):
                    self._taken.add(at)


def region_of(frame: str) -> str:
    """The region that a frame of the graph's own runs: that of its innermost parallel and branch."""
    return "/".join(frame.split("/")[-2:]) if frame else ""
