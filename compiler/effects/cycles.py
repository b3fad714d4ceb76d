"""From the ways of a region to the cycles in it that nothing limits (LG310).

What limits a cycle: a way round with `max_visits`; a barrier, at which somebody decides; a node that can
leave it by an edge whose choice depends on what the cycle changes, on `visits()` or `steps()`, or by a
`goto` of its code. A *cycle* is here every set of nodes that a run can go round in, visiting all of them:
a strongly connected part, of which each edge out of the part is looked at.

To look at every such part would take exponential time. Parts are found by taking nodes away, as emptiness
of Streett automata is decided: a component without a deciding way out is a cycle that nothing limits; of
others, a cycle that nothing limits must do without the nodes that decide, or without those that change what
is decided on. The search has a budget. So what is found is surely unlimited, and in large graphs of many
loops something may be missed. `on error` and `on timeout` do not decide: the run goes round as long as its
nodes succeed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ...dsl.named import NamedTuple
from .. import model
from ..graph_view import GraphView, RegionView, turns_back
from ..model import END, Edge, Expr, Key
from .components import components
from .mentions import parts

BUDGET = 20_000  # nodes and ways looked at, and FACTOR for each that the region has
FACTOR = 4
MOST_GROUPS = 16


class Exit(NamedTuple):
    """A way from a node that may leave a cycle.

    Attributes:
        target: where to.
        fields: what the choice of this way depends on.
        free: whether it depends on something that always changes.
        edge: the edge; None for a `goto`.
    """

    target: str
    fields: frozenset[str]
    free: bool
    edge: Edge | None


Exits: TypeAlias = Callable[[str], tuple[Exit, ...]]


class Circle(NamedTuple):
    """A cycle without a limit.

    Attributes:
        nodes: all nodes in which a run can go round.
        round: a short way round, its first node also the last.
        back: the edge that closes it; None for a `goto`.
    """

    nodes: tuple[str, ...]
    round: tuple[str, ...]
    back: Edge | None


def circles(view: GraphView) -> Iterator[tuple[RegionView, list[Circle], Exits]]:
    """The cycles of a graph that nothing limits, by region, with what its nodes choose between."""
    waiting: set[str] | None = None
    for part in view.regions:
        if END not in part.reached or not turns_back(view, part):
            continue
        waiting = _waiting(view) if waiting is None else waiting
        search = _Search(view, part, waiting)
        found = [search.circle(nodes) for nodes in search.unlimited()]
        if found:
            yield part, found, search.exits


class _Search:
    def __init__(self, view: GraphView, part: RegionView, waiting: set[str]) -> None:
        self.view = view
        self.part = part
        self._changes: dict[str, frozenset[str]] = {}
        self._exits: dict[str, tuple[Exit, ...]] = {}
        self.nodes = [
            name
            for name in part.region.nodes
            if name in part.reached and name in part.finishing
            if name not in view.excused and name not in waiting
        ]
        self.ways: dict[str, list[str]] = {}
        for name in self.nodes:
            found = [edge.target for edge in part.out.get(name, ()) if edge.max_visits is None]
            node = view.nodes[name]
            if isinstance(node, model.Task):
                found.extend(target for target, _ in node.goto)
            self.ways[name] = found

    def unlimited(self) -> list[list[str]]:
        """Sets of nodes in which a run can go round for ever."""
        todo = deque([self.nodes])
        left = BUDGET + FACTOR * self._size(self.nodes)
        found: list[list[str]] = []
        taken: set[str] = set()
        seen: set[tuple[str, ...]] = set()
        while todo:
            nodes = todo.popleft()
            left -= self._size(nodes)
            if left < 0:
                break
            for component in components(nodes, self.ways):
                if tuple(component) in seen or not taken.isdisjoint(component):
                    continue
                seen.add(tuple(component))
                smaller = self._smaller(component)
                if smaller is None:
                    found.append(component)
                    taken.update(component)
                else:
                    todo.extend(nodes for nodes in smaller if nodes)
        return found

    def _size(self, nodes: Iterable[str]) -> int:
        return sum(1 + len(self.ways[name]) for name in nodes)

    def _smaller(self, component: list[str]) -> list[list[str]] | None:
        """Where a cycle without a limit could be inside a component; None: the component is one."""
        inside = set(component)
        changed = frozenset[str]().union(*(self.changes(name) for name in component))
        deciding: set[str] = set()  # by a way out of the component
        choosing: set[str] = set()  # by any way
        groups: dict[frozenset[str], None] = {}
        for name in component:
            for way in self.exits(name):
                if not (way.free or not changed.isdisjoint(way.fields)):
                    continue
                choosing.add(name)
                if way.target not in inside:
                    deciding.add(name)
                if not way.free and self.changes(name).isdisjoint(way.fields):
                    groups.setdefault(way.fields)
        if not deciding:
            return None
        smaller = [[name for name in component if name not in choosing]]
        for fields in list(groups)[:MOST_GROUPS]:
            smaller.append([name for name in component if self.changes(name).isdisjoint(fields)])
        smaller.append([name for name in component if name not in deciding])
        return smaller

    def changes(self, name: str) -> frozenset[str]:
        """The fields that a node can change."""
        found = self._changes.get(name)
        if found is None:
            writes = self.view.analyses.effects.of_node(self.view.graph.key, name).writes
            found = self._changes[name] = frozenset(write.path[0] for write in writes)
        return found

    def exits(self, name: str) -> tuple[Exit, ...]:
        """The ways that a node chooses between by itself: not those of an outcome."""
        found = self._exits.get(name)
        if found is None:
            found = self._exits[name] = tuple(self._exits_of(name))
        return found

    def _exits_of(self, name: str) -> Iterable[Exit]:
        node = self.view.nodes[name]
        jumps = node.goto if isinstance(node, model.Task) else ()
        for target, _ in jumps:
            yield Exit(target, frozenset(), True, None)
        fields: frozenset[str] = frozenset()
        # An edge is taken where the code does not jump, its guard holds and none before it does.
        free = guarded = bool(jumps)
        for edge in self.part.out.get(name, ()):
            if edge.trigger == "on":
                continue
            if edge.guard is not None:
                guarded = True
                asked, counts = _asked(edge.guard)
                free = free or counts
                fields = fields if fields.issuperset(asked) else fields | asked
            if guarded:
                yield Exit(edge.target, fields, free, edge)

    # --- showing one

    def circle(self, nodes: Sequence[str]) -> Circle:
        """A short way round in a set of nodes."""
        inside = set(nodes)
        start = next((name for name in nodes if name in self.ways[name]), nodes[0])
        before: dict[str, str] = {}
        todo = deque([start])
        while start not in before:
            name = todo.popleft()
            for target in self.ways[name]:
                if target in inside and target not in before:
                    before[target] = name
                    todo.append(target)
        trail = [start, before[start]]
        while trail[-1] != start:
            trail.append(before[trail[-1]])
        edges = self.part.out.get(before[start], ())
        back = next((e for e in edges if e.target == start and e.max_visits is None), None)
        return Circle(tuple(nodes), tuple(reversed(trail)), back)


def _asked(guard: Expr) -> tuple[set[str], bool]:
    """The fields that a guard asks for, and whether it asks for what changes with every step.

    What is not known, because it was reported, may be anything.
    """
    fields: set[str] = set()
    counts = False
    todo = [guard]
    while todo:
        expr = todo.pop()
        if isinstance(expr, model.FieldRef):
            fields.add(expr.field)
            continue
        if isinstance(expr, model.Visits | model.Steps) or isinstance(expr.type, model.Unknown):
            counts = True
        todo.extend(parts(expr))
    return fields, counts


# --- barriers ---------------------------------------------------------------------------------------------


def _waiting(view: GraphView) -> set[str]:
    """The nodes that are barriers or hold one, in a branch or in an inner graph."""
    found: set[str] = set()
    for node in view.graph.nodes:
        match node:
            case model.Barrier():
                pass
            case model.Subgraph(graph=key) | model.MapNode(graph=key):
                if not _graph_waits(view.analyses.program.graphs, view.analyses.waiting, key):
                    continue
            case _:
                continue
        name, region = node.name, node.region
        while name not in found:
            found.add(name)
            if region:
                name = region.partition("/")[0]
                region = view.nodes[name].region
    return found


def _graph_waits(graphs: Mapping[Key, model.Graph], known: dict[Key, bool], key: Key) -> bool:
    """Whether a graph holds a barrier; `known` remembers it."""
    todo = [key]
    entered: set[Key] = set()
    while todo:
        at = todo[-1]
        graph = graphs.get(at)
        if at in known or graph is None:
            todo.pop()
            continue
        inner = [node.graph for node in graph.nodes if isinstance(node, model.Subgraph | model.MapNode)]
        if at in entered:
            todo.pop()
            own = any(isinstance(node, model.Barrier) for node in graph.nodes)
            known[at] = own or any(known.get(one, False) for one in inner)
        else:
            entered.add(at)
            todo.extend(one for one in inner if one not in entered)
    return known.get(key, False)
