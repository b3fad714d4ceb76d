"""From a field that may be none at a node to a shortest way on which it does: what a finding shows.

A way begins where a graph starts, at a node that may set the field to none, or where an `in` may give none.
It leads into branches and into graphs that work on the same state: `start -> check/style: start -> soften`.
Long ways are shortened in the middle, also while they are put together.
"""

from __future__ import annotations

from collections import deque

from ...dsl.diagnostic import Label
from ...dsl.named import NamedTuple
from .. import model as m
from ..model import START, Key
from ..narrowing import path_of
from . import GraphFlow, Presence
from .flow import Flow
from .steps import OK
from .values import Changes

FIRST, LAST = 3, 5
CUT = "…"
# A search for a field visits the nodes of a region. Some fields of each are always looked for; of the others
# only so many that all searches together visit this many nodes.
FREE = 10
BUDGET = 50_000


class Writer(NamedTuple):
    """A task on a way that may record a mutation which gives the field a value.

    `fails`: it ensures the field, but fails on this way.
    """

    task: m.Task
    mutation: str
    fails: bool = False


class Way(NamedTuple):
    """A way.

    Attributes:
        names: where it leads along, `…` for what is left out.
        clears: the node that may set the field to none, where it begins at one.
        begins: what is to be said of its beginning, with its place.
        writers: tasks on it that may give the field a value; no more than two.
        outer: the graph where it begins, if it leads from there into another.
    """

    names: tuple[str, ...]
    clears: str = ""
    begins: Label | None = None
    writers: tuple[Writer, ...] = ()
    outer: str = ""

    def __str__(self) -> str:
        return (f"{self.outer}: " if self.outer else "") + " -> ".join(self.names)


class Target(NamedTuple):
    """A node before which a slot may be none; `given`: where an `in` hands it on."""

    graph: Key
    node: str
    bit: int
    given: Label | None = None


class Reached(NamedTuple):
    """How a node is reached on a shortest way inside its region.

    Attributes:
        before: the rank of the node before it.
        origin: the rank of the node where the way begins: one that may set the slot to none, or `start`.
        first: whether it is the first node behind it.
        head: the first names behind the beginning.
        length: how many names there are.
        writers: see `Way`.
    """

    before: int
    origin: int
    first: bool
    head: tuple[str, ...]
    length: int
    writers: tuple[Writer, ...]


class Ways:
    """Shortest ways in the graphs of one program."""

    __slots__ = ("_budget", "_clearing", "_reached", "_searched", "_starts", "presence")

    def __init__(self, presence: Presence) -> None:
        self.presence = presence
        self._budget = BUDGET
        self._searched: dict[tuple[Key, str], int] = {}
        self._reached: dict[tuple[Key, str, int], dict[int, Reached]] = {}
        self._clearing: dict[tuple[Key, str, int], Way] = {}
        self._starts: dict[tuple[Key, str, int], Way] = {}

    def to(self, graph: Key, node: str, field: str) -> Way | None:
        """A shortest way on which a field of the graph's state may be none at a node, where it may be.

        None where so many fields were looked for already that it would take too long.
        """
        at = Target(graph, node, self._solved(graph).slots.bits[(field,)])
        legs: list[tuple[Target, tuple[str, ...], tuple[Writer, ...]]] = []  # the innermost first
        while True:
            leg = self._leg(at)
            if leg is None:
                return None
            names, writers, clears = leg
            legs.append((at, names, writers))
            if clears:
                way = self._cleared(at, clears)
                break
            start = (at.graph, self._region(at), at.bit)
            known = self._starts.get(start) or self._outer(*start)
            if isinstance(known, Way):
                way = self._starts[start] = known
                break
            at = known
        while True:
            at, names, writers = legs.pop()
            names, writers = _shortened((*way.names, *names)), (*way.writers, *writers)[:2]
            way = Way(names, way.clears, way.begins, writers, way.outer)
            if not legs:
                return way
            inner = legs[-1][0]
            way = _entered(way, at, inner, self._region(inner))
            self._starts[inner.graph, self._region(inner), inner.bit] = way

    def _solved(self, graph: Key) -> GraphFlow:
        flow = self.presence.flow(graph)
        assert flow is not None
        return flow

    def _region(self, at: Target) -> str:
        return self._solved(at.graph).nodes[at.node].region

    # --- in one region

    def _leg(self, at: Target) -> tuple[tuple[str, ...], tuple[Writer, ...], str] | None:
        """The names on the way through the target's own region, the writers on it, and the node that clears
        the slot, if one does; without it the way begins at the region's start. None: it would take too
        long."""
        graph = self._solved(at.graph)
        flow = graph.regions[self._region(at)]
        key = (at.graph, self._region(at), at.bit)
        reached = self._reached.get(key)
        if reached is None:
            if self._budget < 0:
                return None
            self._searched[key[:2]] = self._searched.get(key[:2], 0) + 1
            if self._searched[key[:2]] > FREE:
                self._budget -= len(flow.names)
            reached = self._reached[key] = _Spread(self.presence.steps.changes, graph, flow, at.bit).reached
        place = flow.rank[at.node]
        found = reached[place]
        tail: list[str] = []
        step = found
        while True:
            tail.append(flow.names[place])
            place = step.before
            if step.first or len(tail) > LAST:
                break
            step = reached[place]
        tail.reverse()
        names = tuple(tail) if len(tail) == found.length else (*found.head, CUT, *tail)
        return _shortened(names), found.writers, flow.names[found.origin] if found.origin else ""

    def _cleared(self, at: Target, clears: str) -> Way:
        """The beginning at a node that may set the slot to none, with the statement that does."""
        key = (at.graph, clears, at.bit)
        if key not in self._clearing:
            self._clearing[key] = self._clear(at, clears)
        return self._clearing[key]

    def _clear(self, at: Target, clears: str) -> Way:
        flow = self._solved(at.graph)
        path = flow.slots.paths[at.bit.bit_length() - 1]
        clearing = self.presence.steps.changes.clearing()
        for write in self.presence.analyses.effects.of_node(at.graph, clears).writes:
            if write.path == path[: len(write.path)] and write.written in clearing:
                label = Label(write.written, f"`{write.mutation}` may set it to none here")
                return Way((clears,), clears, label)
        found = self.presence.analyses.effects.merging(flow.graph.state).of(path)
        if found is not None and found[1].merge is not None:
            return Way((clears,), clears, Label(found[1].merge.place, "this may join branches to none"))
        return Way((clears,), clears)

    # --- from one region to the one around it

    def _outer(self, graph: Key, region: str, bit: int) -> Way | Target:
        """What leads to the start of a region, where a slot may be none there."""
        if region:
            return Target(graph, region.partition("/")[0], bit)
        path = self._solved(graph).slots.paths[bit.bit_length() - 1]
        for outer, node in self.presence.sites.get(graph, ()):
            flow = self.presence.flow(outer)
            base = None if flow is None else flow.at(node.name) if flow.slots.size else 0
            if flow is None or base is None or self.presence.steps.seen(flow.graph, node, base) & bit:
                continue
            source, label = _given(node, path)
            there = 0 if source is None else flow.slots.bits.get(source, 0)
            if there and not base & there:
                return Target(outer, node.name, there, label)
            return Way((f"{node.name}: {START}",), "", label)
        return Way((START,))


class _Spread:
    """The shortest ways inside one region from where a slot may be none."""

    def __init__(self, changes: Changes, graph: GraphFlow, flow: Flow, bit: int) -> None:
        self.changes, self.graph, self.flow, self.bit = changes, graph, flow, bit
        self.reached: dict[int, Reached] = {}
        self._setting: dict[str, bool] = {}
        moves = flow.all_moves()
        if not flow.start & bit:
            for target, _, gain in moves[0]:
                if not gain & bit:
                    self._reach(0, target)
        for place, ways in enumerate(moves):
            for target, keep, gain in ways:
                if not (keep | gain) & bit:
                    self._reach(place, target)
        todo = deque(self.reached)
        while todo:
            place = todo.popleft()
            for target, _, gain in moves[place]:
                if not gain & bit and target not in self.reached:
                    self._reach(place, target, self.reached[place])
                    todo.append(target)

    def _reach(self, before: int, place: int, led: Reached | None = None) -> None:
        if place in self.reached:
            return
        name = self.flow.names[place]
        writers = () if led is None else led.writers
        if len(writers) < 2:
            writers = (*writers, *self._writer(self.flow.names[before], name))
        if led is None:
            self.reached[place] = Reached(before, before, True, (name,), 1, writers)
            return
        head = (*led.head, name) if len(led.head) < FIRST else led.head
        self.reached[place] = Reached(before, led.origin, False, head, led.length + 1, writers)

    def _writer(self, name: str, following: str) -> tuple[Writer, ...]:
        node = self.graph.nodes.get(name)
        if not isinstance(node, m.Task):
            return ()
        mutation = next((name for name, _ in node.records if self._sets(name)), "")
        if not mutation:
            return ()
        if self.flow.leads(name, following, OK, self.bit):
            return (Writer(node, mutation),)
        bits = self.flow.slots.bits
        ensures = any(bits.get((field,)) == self.bit for field, _ in node.ensures)
        return (Writer(node, mutation, True),) if ensures else ()

    def _sets(self, mutation: str) -> bool:
        known = self._setting.get(mutation)
        if known is None:
            known = self.changes.sets(self.graph.graph.state, mutation, self.bit)
            self._setting[mutation] = known
        return known


def _entered(way: Way, at: Target, inner: Target, region: str) -> Way:
    """A way to a node that runs others, led on to the start of what runs inside."""
    branch = region.partition("/")[1] + region.partition("/")[2]
    names = (*way.names[:-1], f"{way.names[-1]}{branch}: {START}")
    outer = way.outer if inner.graph == at.graph else way.outer or at.graph.name
    return Way(names, way.clears, way.begins or at.given, way.writers, outer)


def _given(
    node: m.Subgraph | m.MapNode, path: tuple[str, ...]
) -> tuple[tuple[str, ...] | None, Label | None]:
    """Which path of the outer state an inner one is made from, or why it may be none at the inner start."""
    match node.lens:
        case m.SameState():
            return path, None
        case m.OnField(field=field):
            return (field, *path), None
        case m.InOut(inputs=inputs):
            value = dict(inputs).get(path[0])
            if value is None:
                return None, Label(node.place, f"gives `{path[0]}` no value")
            source = path_of(value)
            if isinstance(value, m.FieldRef | m.Attr) and source is not None:
                return (*source, *path[1:]), Label(value.place, "this may be none")
            return None, Label(value.place, "this may be none")


def _shortened(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) <= FIRST + 1 + LAST:
        return names
    return (*names[:FIRST], CUT, *names[-LAST:])
