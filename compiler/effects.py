"""From nodes to what they read and write of their graph's state: of a node, of a region, of a whole graph.

A *path* is a field and what lies below it: `("score",)`, or `("review", "score")` for a field of a sub-state
or record. A *write* says how a path is changed (see `writes`), by which mutation, recorded where. A *read*
says which path is looked at, and what looks. Reads and writes of a parallel are those of all its branches;
those of a subgraph are its graph's, seen through the lens; those of a map are the `out` mutations'.

Sums hold a write once for each statement and a read once for each path, whichever node came first, so that
they stay small however many nodes they sum up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from ..dsl.frozen import frozen
from ..dsl.source import Place
from . import model as m
from .model import Expr, Key, Program
from .writes import writes_of

Path: TypeAlias = tuple[str, ...]
Looks: TypeAlias = Literal["reads", "guard", "mutation", "shows", "over", "in", "out", "decision"]


@frozen
class Write:
    """One way in which a path is changed.

    Attributes:
        path: what is changed.
        kind: `set add append union max min sub put delete`; "set" also where one mutation changes a path in
            two ways, or looks at it while it changes it.
        node: the node that records the mutation (of the graph itself, also where it is inside a branch; of
            an inner graph where a subgraph records it).
        mutation: its name.
        sees: the other paths that the value written depends on.
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


@frozen
class Read:
    """One look at a path: `looks` says by what. A mutation's own look at the path that it changes counts."""

    path: Path
    looks: Looks
    node: str
    place: Place


@frozen
class Sum:
    """What nodes do together."""

    writes: tuple[Write, ...]
    reads: tuple[Read, ...]


NOTHING = Sum((), ())


class Effects:
    """Reads and writes of every graph of a program, as far as they are asked for."""

    __slots__ = ("_graphs", "_mutations", "_nodes", "_regions", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self._mutations: dict[tuple[Key, str], tuple[tuple[Write, ...], tuple[Read, ...]]] = {}
        self._nodes: dict[Key, dict[str, Sum]] = {}
        self._regions: dict[Key, dict[str, Sum]] = {}
        self._graphs: dict[Key, Sum] = {}

    def of_graph(self, key: Key) -> Sum:
        """What a graph does to its own state."""
        self._need(key)
        return self._graphs[key]

    def of_node(self, graph: Key, node: str) -> Sum:
        """What one node does, a parallel with its branches; guards of its edges not included."""
        self._need(graph)
        return self._nodes[graph].get(node, NOTHING)

    def of_region(self, graph: Key, region: str) -> Sum:
        """What the nodes and guards of one region do."""
        self._need(graph)
        return self._regions[graph].get(region, NOTHING)

    def _need(self, graph: Key) -> None:
        """Look at a graph, after the graphs inside it. Graphs that contain each other see nothing there."""
        todo = [graph]
        entered: set[Key] = set()
        while todo:
            key = todo[-1]
            if key in self._graphs or key not in self.program.graphs:
                self._graphs.setdefault(key, NOTHING)
                todo.pop()
            elif key in entered:
                todo.pop()
                self._look(self.program.graphs[key])
            else:
                entered.add(key)
                nodes = self.program.graphs[key].nodes
                inner = (node.graph for node in nodes if isinstance(node, m.Subgraph | m.MapNode))
                todo.extend(k for k in inner if k not in self._graphs and k not in entered)

    def _look(self, graph: m.Graph) -> None:
        nodes: dict[str, Sum] = {}
        regions: dict[str, Sum] = {}
        by_name = {node.name: node for node in graph.nodes}
        for region in _inner_first(graph, by_name):
            for name in region.nodes:
                node = by_name[name]
                if isinstance(node, m.Parallel):
                    nodes[name] = added(regions.get(branch.region, NOTHING) for branch in node.branches)
                else:
                    nodes[name] = Sum(tuple(self._writes(graph, node)), tuple(self._reads(graph, node)))
            guards = tuple(
                read
                for edge in region.edges
                if edge.guard is not None
                for read in looked_at(edge.guard, "guard", edge.source)
            )
            regions[region.id] = added([*(nodes[name] for name in region.nodes), Sum((), guards)])
        self._nodes[graph.key] = nodes
        self._regions[graph.key] = regions
        self._graphs[graph.key] = regions.get("", NOTHING)

    # --- writes

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
        for write in self._of_mutation(state, name)[0]:
            yield Write(write.path, write.kind, node, name, write.sees, place, write.written)

    def _of_mutation(self, state: Key, name: str) -> tuple[tuple[Write, ...], tuple[Read, ...]]:
        known = self._mutations.get((state, name))
        if known is None:
            declared = self.program.states.get(state)
            mutation = None if declared is None else declared.mutation(name)
            if declared is None or mutation is None:
                known = ((), ())
            else:
                known = tuple(_written(declared, mutation)), tuple(_mutation_reads(mutation))
            self._mutations[state, name] = known
        return known

    # --- reads

    def _reads(self, graph: m.Graph, node: m.Node) -> Iterator[Read]:
        name = node.name
        match node:
            case m.Task(reads=reads, records=records):
                for read in reads:
                    yield Read((read.field,), "reads", name, read.place)
                yield from self._recorded(graph, name, (mutation for mutation, _ in records))
            case m.Barrier():
                for field, place in node.shows:
                    yield Read((field,), "shows", name, place)
                for answer in node.answers:
                    for call in answer.records:
                        for _, value in call.args:
                            yield from looked_at(value, "decision", name)
                    yield from self._recorded(graph, name, (call.mutation for call in answer.records))
                if node.timeout_decides is not None:
                    for _, value in node.timeout_decides.args:
                        yield from looked_at(value, "decision", name)
                yield from self._recorded(graph, name, (mutation for mutation, _ in node.modify))
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

    def _recorded(self, graph: m.Graph, node: str, mutations: Iterable[str]) -> Iterator[Read]:
        for mutation in mutations:
            for read in self._of_mutation(graph.state, mutation)[1]:
                yield Read(read.path, "mutation", node, read.place)

    def _through(self, graph: m.Graph, node: str, lens: m.InOut) -> Iterator[Read]:
        for _, value in lens.inputs:
            yield from looked_at(value, "in", node)
        yield from self._recorded(graph, node, (call.mutation for call in lens.outputs))


def _inner_first(graph: m.Graph, by_name: dict[str, m.Node]) -> Iterator[m.Region]:
    """The regions of a graph, those of branches before those that hold their parallels."""
    regions = {region.id: region for region in graph.regions}
    done: set[str] = set()
    entered: set[str] = set()
    for start in graph.regions:
        todo = [start.id]
        while todo:
            id = todo[-1]
            if id in done or id not in regions:
                todo.pop()
            elif id in entered:
                todo.pop()
                done.add(id)
                yield regions[id]
            else:
                entered.add(id)
                for name in regions[id].nodes:
                    node = by_name[name]
                    if isinstance(node, m.Parallel):
                        todo.extend(b.region for b in node.branches if b.region not in entered)


def added(sums: Iterable[Sum]) -> Sum:
    """Several sums as one."""
    writes: dict[tuple[Path, str, Place], Write] = {}
    reads: dict[Path, Read] = {}
    for one in sums:
        for write in one.writes:
            writes.setdefault((write.path, write.kind, write.written), write)
        for read in one.reads:
            reads.setdefault(read.path, read)
    return Sum(tuple(writes.values()), tuple(reads.values()))


def _written(state: m.State, mutation: m.Mutation) -> Iterator[Write]:
    for dotted, kind in writes_of(state, mutation).items():
        path = tuple(dotted.split("."))
        steps = [step for step in mutation.body if step.target.path == path]
        place = steps[-1].place if steps else mutation.place
        sees = frozenset(
            seen for step in steps for seen in _step_paths(step) if seen[0] != path[0]
        )  # its own field makes it a "set"
        yield Write(path, kind, "", mutation.name, sees, place, place)


def _step_paths(step: m.Statement) -> Iterator[Path]:
    if isinstance(step, m.Assign):
        yield from paths(step.value)
    if step.target.key is not None:
        yield from paths(step.target.key)


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


# --- expressions ------------------------------------------------------------------------------------------


def looked_at(expr: Expr, looks: Looks, node: str) -> Iterator[Read]:
    """The reads of an expression over the graph's state."""
    for path in paths(expr):
        yield Read(path, looks, node, expr.place)


def paths(expr: Expr) -> Iterator[Path]:
    """The paths of the state that an expression looks at."""
    todo = [expr]
    while todo:
        at = todo.pop()
        below: list[str] = []
        while isinstance(at, m.Attr):
            below.append(at.name)
            at = at.base
        if isinstance(at, m.FieldRef):
            yield (at.field, *reversed(below))
        else:
            todo.extend(parts(at))


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions right inside an expression."""
    match expr:
        case m.Const() | m.EnumConst() | m.FieldRef() | m.ParamRef() | m.ItemRef() | m.Visits() | m.Steps():
            return ()
        case m.Attr(base=inner) | m.Unary(operand=inner) | m.IsRecord(operand=inner) | m.Widen(operand=inner):
            return (inner,)
        case m.Index(base=owner, key=key):
            return (owner, key)
        case m.Call(args=items) | m.MakeList(items=items):
            return items
        case m.MakeRecord(fields=fields):
            return tuple(value for _, value in fields)
        case m.MakeDict(items=pairs):
            return tuple(part for pair in pairs for part in pair)
        case m.Binary(left=left, right=right):
            return (left, right)
        case m.Conditional(then=then, condition=condition, otherwise=otherwise):
            return (then, condition, otherwise)
