"""From nodes to what they read and write of their graph's state: of a node, of a region, of a whole graph.

A *path* is a field and what lies below it: `("score",)`, or `("review", "score")` for a field of a sub-state
or record. A *write* says how a path is changed (see `writes`), by which mutation, recorded where. A *read*
says which path is looked at, and what looks. Reads and writes of a parallel are those of all its branches;
those of a subgraph are its graph's, seen through the lens; those of a map are the `out` mutations'.

Sums hold a write once for each statement and a read once for each path and what looks, whichever node came
first, so that they stay small however many nodes they sum up. Nothing is looked at before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from ...dsl.named import NamedTuple
from ...dsl.source import Place
from .. import model as m
from ..model import Expr, Key, Program
from .mentions import Path, mentions
from .merging import Merging
from .writes import writes_of

Looks: TypeAlias = Literal["reads", "guard", "mutation", "shows", "over", "in", "out", "decision"]


class Write(NamedTuple):
    """One way in which a path is changed.

    Attributes:
        path: what is changed.
        kind: `set add append union max min sub put delete`; "set" also where one mutation changes a path in
            two ways, or looks at it while it changes it, and where a join inside an inner graph merges it.
        node: the node that records the mutation (of the graph itself, also where it is inside a branch; of
            an inner graph where a subgraph records it).
        mutation: its name.
        sees: the paths that the value written depends on. Empty for the escape hatch: its values are
            computed once, while the other mutations are computed again at every join.
        recorded: where the node names the mutation.
        written: where the statement stands.
    """

    path: Path
    kind: str
    node: str
    mutation: str
    sees: frozenset[Path]
    recorded: Place
    written: Place


class Read(NamedTuple):
    """One look at a path: `looks` says by what. A mutation's own look at the path that it changes counts.

    The path () is the whole state: what `reads *` stands for, which would be long to spell out.
    """

    path: Path
    looks: Looks
    node: str
    place: Place


class Sum(NamedTuple):
    """What nodes do together."""

    writes: tuple[Write, ...]
    reads: tuple[Read, ...]


NOTHING = Sum((), ())


class _Known:
    """A graph with what has been found of it."""

    __slots__ = ("graph", "inner", "nodes", "region_sums", "regions", "sums")

    def __init__(self, graph: m.Graph) -> None:
        self.graph = graph
        self.inner = tuple(dict.fromkeys(_inner(graph)))
        self.nodes: dict[str, m.Node] = {node.name: node for node in graph.nodes}
        self.regions: dict[str, m.Region] = {region.id: region for region in graph.regions}
        self.sums: dict[str, Sum] = {}
        self.region_sums: dict[str, Sum] = {}


class Effects:
    """Reads and writes of every graph of a program, as far as they are asked for."""

    __slots__ = ("_by_name", "_graphs", "_known", "_merging", "_mutations", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self._mutations: dict[tuple[Key, str], tuple[tuple[Write, ...], tuple[Read, ...]]] = {}
        self._by_name: dict[Key, dict[str, m.Mutation]] = {}
        self._known: dict[Key, _Known] = {}
        self._merging: dict[Key, Merging] = {}
        self._graphs: dict[Key, Sum] = {}

    def of_graph(self, key: Key) -> Sum:
        """What a graph does to its own state."""
        self._look_inside([key])
        return self._graphs[key]

    def of_node(self, graph: Key, node: str) -> Sum:
        """What one node does, a parallel with its branches; guards of its edges not included."""
        known = self._of(graph)
        if known is None or node not in known.nodes:
            return NOTHING
        found = known.sums.get(node)
        if found is None:
            self._look_inside(known.inner)
            self._sum_up_branches(known, [known.nodes[node]])
            found = self._of_node(known, node)
        return found

    def of_region(self, graph: Key, region: str) -> Sum:
        """What the nodes and guards of one region do."""
        known = self._of(graph)
        if known is None or region not in known.regions:
            return NOTHING
        if region not in known.region_sums:
            self._look_inside(known.inner)
            self._sum_up(known, region)
        return known.region_sums[region]

    def _of(self, graph: Key) -> _Known | None:
        known = self._known.get(graph)
        if known is None and graph in self.program.graphs:
            known = self._known[graph] = _Known(self.program.graphs[graph])
        return known

    def _look_inside(self, keys: Iterable[Key]) -> None:
        """Sum up graphs, those inside others first. Graphs that contain each other see nothing there."""
        todo = [key for key in keys if key not in self._graphs]
        entered: set[Key] = set()
        while todo:
            key = todo[-1]
            known = self._of(key)
            if key in self._graphs or known is None:
                self._graphs.setdefault(key, NOTHING)
                todo.pop()
            elif key in entered:
                todo.pop()
                self._sum_up(known, "")
                self._graphs[key] = known.region_sums.get("", NOTHING)
            else:
                entered.add(key)
                todo.extend(k for k in known.inner if k not in self._graphs and k not in entered)

    def _sum_up_branches(self, known: _Known, nodes: Iterable[m.Node]) -> None:
        for node in nodes:
            if isinstance(node, m.Parallel):
                for branch in node.branches:
                    self._sum_up(known, branch.region)

    def _sum_up(self, known: _Known, region: str) -> None:
        """Sum up a region, after those of the branches inside it."""
        todo = [region]
        entered: set[str] = set()
        while todo:
            id = todo[-1]
            if id in known.region_sums or id not in known.regions:
                todo.pop()
            elif id in entered:
                todo.pop()
                known.region_sums[id] = self._of_region(known, known.regions[id])
            else:
                entered.add(id)
                for name in known.regions[id].nodes:
                    node = known.nodes[name]
                    if isinstance(node, m.Parallel):
                        todo.extend(b.region for b in node.branches if b.region not in entered)

    def _of_region(self, known: _Known, region: m.Region) -> Sum:
        sums = [self._of_node(known, name) for name in region.nodes]
        guards = tuple(
            read
            for edge in region.edges
            if edge.guard is not None
            for read in looked_at(edge.guard, "guard", edge.source)
        )
        return sums[0] if len(sums) == 1 and not guards else added([*sums, Sum((), guards)])

    def _of_node(self, known: _Known, name: str) -> Sum:
        found = known.sums.get(name)
        if found is None:
            node = known.nodes[name]
            if isinstance(node, m.Parallel):
                sums = known.region_sums
                found = self._joined(known.graph, added(sums.get(b.region, NOTHING) for b in node.branches))
            else:
                found = Sum(tuple(self._writes(known.graph, node)), tuple(self._reads(known.graph, node)))
            known.sums[name] = found
        return found

    # --- writes

    def _joined(self, graph: m.Graph, sum: Sum) -> Sum:
        """A join writes what it merges as one value, whatever the branches did to it."""
        merging = self.merging(graph.state)
        joined = ((write, merging.of(write.path)) for write in sum.writes)
        writes = tuple(w if at is None else w._replace(kind="set", path=at[0]) for w, at in joined)
        return Sum(writes, sum.reads)

    def merging(self, state: Key) -> Merging:
        """The merge rules of a state."""
        found = self._merging.get(state)
        if found is None:
            found = self._merging[state] = Merging(self.program, state)
        return found

    def _writes(self, graph: m.Graph, node: m.Node) -> Iterator[Write]:
        match node:
            case m.Task(records=records):
                for name, place in records:
                    yield from self.of_mutation(graph.state, name, node.name, place)
            case m.Barrier(answers=answers, modify=modify):
                for answer in answers:
                    for call in answer.records:
                        yield from self.of_mutation(graph.state, call.mutation, node.name, call.place)
                for name, place in modify:
                    yield from self.of_mutation(graph.state, name, node.name, place)
            case m.Subgraph(lens=m.InOut(outputs=outputs)) | m.MapNode(lens=m.InOut(outputs=outputs)):
                for call in outputs:
                    yield from self.of_mutation(graph.state, call.mutation, node.name, call.place)
            case m.Subgraph():
                for write in self._graphs.get(node.graph, NOTHING).writes:
                    yield _lensed(write, node)
            case _:
                pass

    def of_mutation(self, state: Key, name: str, node: str, place: Place) -> Iterator[Write]:
        """The writes of a mutation that a node names at a place."""
        for path, kind, _, _, sees, _, written in self._of_mutation(state, name)[0]:
            yield Write(path, kind, node, name, sees, place, written)

    def _of_mutation(self, state: Key, name: str) -> tuple[tuple[Write, ...], tuple[Read, ...]]:
        known = self._mutations.get((state, name))
        if known is None:
            declared, mutation = self.program.states.get(state), self._declared(state).get(name)
            if declared is None or mutation is None:
                known = ((), ())
            else:
                known = tuple(_written(declared, mutation)), tuple(_mutation_reads(mutation))
            self._mutations[state, name] = known
        return known

    def _declared(self, state: Key) -> dict[str, m.Mutation]:
        found = self._by_name.get(state)
        if found is None:
            declared = self.program.states.get(state)
            found = {} if declared is None else {one.name: one for one in declared.mutations}
            self._by_name[state] = found
        return found

    # --- reads

    def _reads(self, graph: m.Graph, node: m.Node) -> Iterator[Read]:
        name = node.name
        match node:
            case m.Task(reads=reads, records=records):
                if len(reads) > 1 and reads[0].place == reads[-1].place:  # `reads *`
                    yield Read((), "reads", name, reads[0].place)
                else:
                    for read in reads:
                        yield Read((read.field,), "reads", name, read.place)
                yield from self._recorded(graph, name, (mutation for mutation, _ in records))
            case m.Barrier():
                yield from self._of_barrier(graph, node)
            case m.Subgraph(lens=m.InOut() as lens):
                yield from self._through(graph, name, lens)
            case m.MapNode():
                yield from looked_at(node.over, "over", name)
                yield from self._through(graph, name, node.lens)
            case m.Subgraph():
                for inner in self._graphs.get(node.graph, NOTHING).reads:
                    yield Read(_below(node.lens, inner.path), inner.looks, name, node.place)
            case _:
                pass

    def _of_barrier(self, graph: m.Graph, node: m.Barrier) -> Iterator[Read]:
        for field, place in node.shows:
            yield Read((field,), "shows", node.name, place)
        for answer in node.answers:
            for call in answer.records:
                for _, value in call.args:
                    yield from looked_at(value, "decision", node.name)
            yield from self._recorded(graph, node.name, (call.mutation for call in answer.records))
        if node.timeout_decides is not None:
            for _, value in node.timeout_decides.args:
                yield from looked_at(value, "decision", node.name)
        yield from self._recorded(graph, node.name, (mutation for mutation, _ in node.modify))

    def _recorded(self, graph: m.Graph, node: str, mutations: Iterable[str]) -> Iterator[Read]:
        for mutation in mutations:
            for path, _, _, place in self._of_mutation(graph.state, mutation)[1]:
                yield Read(path, "mutation", node, place)

    def _through(self, graph: m.Graph, node: str, lens: m.InOut) -> Iterator[Read]:
        for _, value in lens.inputs:
            yield from looked_at(value, "in", node)
        yield from self._recorded(graph, node, (call.mutation for call in lens.outputs))


def _inner(graph: m.Graph) -> list[Key]:
    """The graphs that work on a graph's own state, or on a part of it."""
    return [n.graph for n in graph.nodes if isinstance(n, m.Subgraph) and not isinstance(n.lens, m.InOut)]


def added(sums: Iterable[Sum]) -> Sum:
    """Several sums as one."""
    writes: dict[tuple[Path, str, Place], Write] = {}
    reads: dict[tuple[Path, str], Read] = {}
    for one in sums:
        for write in one.writes:
            writes.setdefault((write.path, write.kind, write.written), write)
        for read in one.reads:
            reads.setdefault((read.path, read.looks), read)
    return Sum(tuple(writes.values()), tuple(reads.values()))


def _written(state: m.State, mutation: m.Mutation) -> Iterator[Write]:
    for dotted, kind in writes_of(state, mutation).items():
        path = tuple(dotted.split("."))
        steps = [step for step in mutation.body if step.target.path == path]
        place = steps[-1].place if steps else mutation.place
        sees = frozenset(seen for step in steps for seen in _step_paths(step))
        yield Write(path, kind, "", mutation.name, sees, place, place)


def _step_paths(step: m.Statement) -> Iterator[Path]:
    if isinstance(step, m.Assign):
        yield from (path for path, _ in mentions(step.value))
    if step.target.key is not None:
        yield from (path for path, _ in mentions(step.target.key))


def _mutation_reads(mutation: m.Mutation) -> Iterator[Read]:
    for step in mutation.body:
        values = [step.target.key, step.value if isinstance(step, m.Assign) else None]
        for value in values:
            if value is not None:
                yield from looked_at(value, "mutation", "")


def _lensed(write: Write, node: m.Subgraph) -> Write:
    path = _below(node.lens, write.path)
    sees = frozenset(_below(node.lens, seen) for seen in write.sees)
    return Write(path, write.kind, node.name, write.mutation, sees, node.place, write.written)


def _below(lens: m.SameState | m.OnField | m.InOut, path: Path) -> Path:
    return (lens.field, *path) if isinstance(lens, m.OnField) else path


def looked_at(expr: Expr, looks: Looks, node: str) -> Iterator[Read]:
    """The reads of an expression over the graph's state."""
    for path, place in mentions(expr):
        yield Read(path, looks, node, place)
