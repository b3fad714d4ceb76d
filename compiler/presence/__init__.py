"""From the edges and clauses of graphs to the optional fields that surely have a value at each node.

Regions are solved one by one (see `presence_flow`), those inside before those around them: a branch, or a
graph that works on the state of another, is then one step for the region that holds it. Afterwards, from
outside to inside, each learns what is known where it starts. Nothing is known where a graph starts by
itself: whoever starts it may give no value, also where there is a default. A graph that others run inside
knows what holds wherever they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial
from typing import TYPE_CHECKING

from .. import model as m
from ..effects.merging import Merging
from ..model import START, Key
from ..types import TypeRules
from .flow import Flow, arcs_of
from .joins import joined, merged_slots
from .steps import FAILED, OK, UNKNOWN, UNTOUCHED, Asked, Steps
from .values import ALL, EVERYTHING, Slots

if TYPE_CHECKING:
    from ..analyses import Analyses


class GraphFlow:
    """One graph, solved.

    Attributes:
        regions: its regions, by id; those around others come first.
        start: what has a value wherever the graph starts.
    """

    __slots__ = ("_apart", "excused", "graph", "merged", "nodes", "regions", "slots", "start")

    def __init__(self, graph: m.Graph, merging: Merging, slots: Slots, excused: frozenset[str]) -> None:
        self.graph = graph
        self.slots = slots
        self.excused = excused
        self.nodes: dict[str, m.Node] = {node.name: node for node in graph.nodes}
        self.merged = merged_slots(merging, slots)
        self.regions: dict[str, Flow] = {}
        self.start = ALL  # narrowed by each place where the graph is run
        self._apart: dict[str, set[str]] | None = None

    def at(self, name: str) -> int | None:
        """What surely has a value before a node; None where it is not reached."""
        node = self.nodes.get(name)
        flow = None if node is None else self.regions.get(node.region)
        return None if flow is None else flow.at(name)

    def apart(self, source: str) -> set[str]:
        """The outcomes for which a node has edges of their own."""
        if self._apart is None:
            self._apart = {}
            for edge in (edge for region in self.graph.regions for edge in region.edges):
                if edge.outcome is not None:
                    self._apart.setdefault(edge.source, set()).add(edge.outcome)
        return self._apart.get(source, set())


class Presence:
    """Which fields surely have a value, by node."""

    __slots__ = ("_flows", "_solved", "analyses", "sites", "steps")

    def __init__(self, analyses: Analyses) -> None:
        self.analyses = analyses
        self.steps = Steps(analyses.program)
        self.sites: dict[Key, list[tuple[Key, m.Subgraph | m.MapNode]]] = {}
        self._flows: dict[Key, GraphFlow] = {}
        self._solved = False

    def after(self, graph: Key, source: str, region: str = "") -> Set[str]:
        """The optional fields of the graph's state that surely have a value when the plain, `when` and `else`
        edges of a node (or of the `start` of a region) are tried."""
        flow = self.flow(graph)
        if flow is None or not flow.slots.size:
            return frozenset()
        if source == START:
            part = flow.regions.get(region)
            return frozenset() if part is None else flow.slots.names(part.start)
        node, base = flow.nodes.get(source), flow.at(source)
        if node is None or base is None or source in flow.excused:
            return frozenset()
        outcomes = self._ask(flow, node, base).outcomes
        if isinstance(node, m.Barrier):
            step = self.steps.ordinary(node, outcomes, flow.apart(source))
        else:
            step = outcomes[OK]
        return flow.slots.names((base & step.keep) | step.gain)

    def before(self, graph: Key, node: str) -> Set[str]:
        """The optional fields of the graph's state that surely have a value when a node begins."""
        flow = self.flow(graph)
        known = None if flow is None else flow.at(node)
        return frozenset() if flow is None or known is None else flow.slots.names(known)

    def lacking(self, graph: Key) -> Iterator[tuple[m.Task, m.Read]]:
        """The tasks that require a field which may be none when they begin, in the order written."""
        tasks = [
            (node, read)
            for node in self.analyses.program.graphs[graph].nodes
            if isinstance(node, m.Task)
            for read in node.reads
            if read.required
        ]
        flow = self.flow(graph) if tasks else None
        if flow is None:
            return
        for node, read in tasks:
            bit = flow.slots.bits.get((read.field,))
            known = flow.at(node.name) if bit and node.name not in flow.excused else None
            if bit and known is not None and not known & bit:
                yield node, read

    def flow(self, graph: Key) -> GraphFlow | None:
        """A graph, solved; None where its text could not be read whole."""
        if not self._solved:
            self._solved = True
            self._solve()
        return self._flows.get(graph)

    # --- inside before outside

    def _solve(self) -> None:
        order = self._inner_first()
        for key in order:
            gaps = self.analyses.gaps.get(key)
            if gaps is not None and gaps.broken:
                self.steps.ends[key] = EVERYTHING
                continue
            reported = gaps.excused.union(name for name, _ in gaps.unclear) if gaps else frozenset[str]()
            self._solve_graph(self.analyses.program.graphs[key], reported)
        for key in reversed(order):
            if key in self._flows:
                self._begin(self._flows[key])

    def _inner_first(self) -> list[Key]:
        """The graphs, each after those that run inside it."""
        graphs = self.analyses.program.graphs
        inner: dict[Key, list[Key]] = {}
        for key, graph in graphs.items():
            inner[key] = []
            for node in graph.nodes:
                if isinstance(node, m.Subgraph | m.MapNode) and node.graph in graphs:
                    inner[key].append(node.graph)
                    self.sites.setdefault(node.graph, []).append((key, node))
        order: list[Key] = []
        seen: set[Key] = set()
        for first in graphs:
            todo = [] if first in seen else [(first, iter(inner[first]))]
            seen.add(first)
            while todo:
                key, left = todo[-1]
                following = next((k for k in left if k not in seen), None)
                if following is None:
                    order.append(key)
                    todo.pop()
                else:
                    seen.add(following)
                    todo.append((following, iter(inner[following])))
        return order

    def _solve_graph(self, graph: m.Graph, excused: frozenset[str]) -> None:
        program = self.analyses.program
        slots = self.steps.changes.slots(graph.state)
        flow = GraphFlow(graph, self.analyses.effects.merging(graph.state), slots, excused)
        if slots.size:
            rules = TypeRules({key: union.members for key, union in program.unions.items()})
            regions = {region.id: region for region in graph.regions}
            order = _outer_first(flow, regions)
            for id in reversed(order):
                arcs = arcs_of(regions[id], flow.nodes, slots, rules)
                flow.regions[id] = Flow(arcs, flow.nodes, slots, partial(self._ask, flow))
            flow.regions = {id: flow.regions[id] for id in order}
            self.steps.ends[graph.key] = flow.regions[""].end
        self._flows[graph.key] = flow
        self.steps.ends.setdefault(graph.key, EVERYTHING)

    def _ask(self, flow: GraphFlow, node: m.Node, base: int) -> Asked:
        if flow.excused and node.name in flow.excused:
            return Asked(UNKNOWN)
        if not isinstance(node, m.Parallel):
            return self.steps.of(flow.graph, node, base)
        ends = [flow.regions[branch.region].end for branch in node.branches if branch.region in flow.regions]
        if len(ends) < len(node.branches) or not ends:
            return Asked(UNKNOWN)
        ok, failed = joined(node, ends, flow.slots, flow.merged, self._written(flow, node))
        return UNTOUCHED if ok == (ALL, 0) == failed else Asked({OK: ok, FAILED: failed})

    def _written(self, flow: GraphFlow, node: m.Parallel) -> int:
        """Of the slots whose merge may give none anyhow, those that a branch may write."""
        if not flow.merged[1]:
            return 0
        found = 0
        for write in self.analyses.effects.of_node(flow.graph.key, node.name).writes:
            found |= flow.slots.below.get(write.path, 0)
        return found

    # --- outside before inside

    def _begin(self, flow: GraphFlow) -> None:
        """Tell the regions of a graph, and the graphs that it runs inside, what is known where they start."""
        key = flow.graph.key
        flow.start = flow.start if key in self.sites else 0
        if "" in flow.regions:
            flow.regions[""].begin(flow.start)
        for node in _outer_nodes(flow):
            base = flow.at(node.name) if flow.slots.size else 0
            if isinstance(node, m.Parallel):
                for branch in node.branches:
                    if base is None:
                        flow.regions.pop(branch.region, None)  # nothing inside is reached either
                    elif branch.region in flow.regions:
                        flow.regions[branch.region].begin(base)
            elif base is None:
                continue
            elif isinstance(node, m.Subgraph | m.MapNode) and node.graph in self._flows:
                self._flows[node.graph].start &= self.steps.seen(flow.graph, node, base)


def _outer_first(flow: GraphFlow, regions: dict[str, m.Region]) -> list[str]:
    """The ids of a graph's regions, each after the one that holds its parallel."""
    order, seen = [""], {""}
    for id in order:
        for name in regions[id].nodes:
            node = flow.nodes[name]
            if isinstance(node, m.Parallel):
                for branch in node.branches:
                    if branch.region in regions and branch.region not in seen:
                        seen.add(branch.region)
                        order.append(branch.region)
    return order


def _outer_nodes(flow: GraphFlow) -> Iterator[m.Node]:
    """The nodes that run others, those of outer regions first."""
    holders = [n for n in flow.graph.nodes if isinstance(n, m.Parallel | m.Subgraph | m.MapNode)]
    place = {id: number for number, id in enumerate(flow.regions)}
    yield from sorted(holders, key=lambda node: place.get(node.region, 0))
