"""From a resolved graph to what rules ask of it: edges by their source, ways on, what is reached from where.

Everything is found in one pass and held in tables, so that rules stay linear in the size of the graph.
A *way on* of a node is an edge, a `goto` or a `reroute`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl.frozen import frozen
from .analyses import Analyses
from .model import END, START, Barrier, Edge, Graph, Node, Region, Task
from .resolve.graph import Gaps


@frozen
class RegionView:
    """One region with what can be reached in it.

    Attributes:
        out: the edges of each source, in their order.
        ways: where each source can lead.
        reached: what can be reached from `start`.
        stuck: reached nodes with no way on after they succeed.
        finishing: what can reach `end`, or a node of which that is not known.
    """

    region: Region
    out: dict[str, list[Edge]]
    ways: dict[str, list[str]]
    reached: set[str]
    stuck: list[str]
    finishing: set[str]


class GraphView:
    """A graph, its nodes by name, its regions, the program's analyses; `broken`, `excused`, `unclear` as in
    `Gaps`."""

    __slots__ = ("analyses", "broken", "excused", "graph", "nodes", "regions", "unclear")

    def __init__(self, graph: Graph, gaps: Gaps, analyses: Analyses) -> None:
        self.graph = graph
        self.analyses = analyses
        self.broken = gaps.broken
        self.excused = gaps.excused
        self.unclear = gaps.unclear
        self.nodes: dict[str, Node] = {node.name: node for node in graph.nodes}
        self.regions = tuple(self._view(region) for region in graph.regions)

    def _view(self, region: Region) -> RegionView:
        out: dict[str, list[Edge]] = {}
        ways: dict[str, list[str]] = {}
        for edge in region.edges:
            out.setdefault(edge.source, []).append(edge)
            ways.setdefault(edge.source, []).append(edge.target)
        for name in region.nodes:
            jumps = jump_targets(self.nodes[name])
            if jumps:
                ways.setdefault(name, []).extend(jumps)
        reached = spread([START], ways)
        stuck = [
            n for n in region.nodes if n in reached and n not in self.excused and not self._leads_on(n, out)
        ]
        back: dict[str, list[str]] = {}
        for source, targets in ways.items():
            for target in targets:
                back.setdefault(target, []).append(source)
        finishing = spread([END, *stuck, *self.excused], back)
        return RegionView(region, out, ways, reached, stuck, finishing)

    def _leads_on(self, name: str, out: dict[str, list[Edge]]) -> bool:
        node = self.nodes[name]
        if jump_targets(node):
            return True
        edges = out.get(name, [])
        if isinstance(node, Barrier):
            return bool(edges)
        return any(edge.trigger != "on" for edge in edges)


def jump_targets(node: Node) -> list[str]:
    """Where a node's `goto` or `reroute` may send the run."""
    match node:
        case Task(goto=targets) | Barrier(reroute=targets):
            return [name for name, _ in targets]
        case _:
            return []


def spread(first: Iterable[str], ways: dict[str, list[str]]) -> set[str]:
    """Everything that can be reached from some names, these included."""
    todo = list(first)
    seen = set(todo)
    while todo:
        for target in ways.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def turns_back(view: GraphView, part: RegionView) -> bool:
    """Whether some way leads to a node that was declared before; most regions have none without a limit."""
    place = {name: number for number, name in enumerate(part.region.nodes)}
    last = len(place)
    for edge in part.region.edges:
        if edge.max_visits is None and place.get(edge.target, last) <= place.get(edge.source, -1):
            return True
    nodes = view.nodes
    return any(isinstance(node := nodes[name], Task) and node.goto for name in place)
