"""From the edges of a region to the optional fields that surely have a value at each of its nodes.

A definite-assignment analysis: forward, over all ways at once, each node with the intersection of what its
ways give. It is run twice in one: for nothing known at `start`, and for everything known there; so that what
holds for a given start is known without another run: `sure | (start & kept)`. Both sets are one int.

Nodes are visited in reverse postorder, so that one visit is enough where there is no circle.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeAlias

from .. import model as m
from ..model import END, START, Edge
from ..narrowing import narrow
from ..types import TypeRules
from .steps import FAILED, NOTHING, OK, REROUTE, UNKNOWN, UNTOUCHED, Asked, answered
from .values import ALL, Slots, Step

Arc: TypeAlias = tuple[str, str, int]  # where to, after which outcome, what its guard makes known
Moves: TypeAlias = list[tuple[int, int, int]]  # where to (its rank), what is kept, what is gained
Ask: TypeAlias = Callable[[m.Node, int], Asked]

_ORDERS = frozenset({"<", "<=", ">", ">="})


class Flow:
    """One region, solved.

    Attributes:
        names: what is reached, in reverse postorder; `start` is the first.
        rank: the place of each of them there.
        values: for each of them, both sets.
        start: what is known at the region's start.
    """

    __slots__ = (
        "_arcs",
        "_ask",
        "_both",
        "_every",
        "_moves",
        "_nodes",
        "hangs",
        "names",
        "rank",
        "slots",
        "start",
        "values",
    )

    def __init__(self, arcs: dict[str, list[Arc]], nodes: dict[str, m.Node], slots: Slots, ask: Ask) -> None:
        self._arcs, self._nodes, self._ask = arcs, nodes, ask
        self.slots = slots
        self._both = 1 | 1 << slots.size
        self.names = _reverse_postorder(arcs)
        self.rank = {name: place for place, name in enumerate(self.names)}
        self._moves: list[Moves | None] = [None] * len(self.names)
        self._every: list[Moves] | None = None
        self.hangs = False
        self.start = 0
        self.values = self._solve(slots.all << slots.size)

    @property
    def end(self) -> Step:
        """What the region does to the fields that have a value at its start."""
        place = self.rank.get(END)
        if place is None:
            return Step(ALL, ALL)
        value = self.values[place]
        return Step(~self.slots.all | value >> self.slots.size, value & self.slots.all)

    def begin(self, start: int) -> None:
        """Say what is known at the start."""
        self.start = start & self.slots.all
        self._every = None
        if self.hangs and self.start:
            self.values = self._solve(self.start * self._both)

    def at(self, name: str) -> int | None:
        """What surely has a value before a node (or `start`, `end`); None where it is not reached."""
        place = self.rank.get(name)
        if place is None:
            return None
        value = self.values[place]
        return (value & self.slots.all) | (self.start & value >> self.slots.size)

    def moves(self, place: int, base: int) -> Moves:
        """The ways on from a node, of that rank, where `base` is known."""
        known = self._moves[place]
        if known is not None:
            return known
        name = self.names[place]
        arcs = self._arcs.get(name)
        node = self._nodes.get(name)
        if arcs is None:
            arcs = []
        outcomes, hangs = UNTOUCHED if node is None else self._ask(node, base)
        found: Moves
        both, every, rank = self._both, self.slots.all, self.rank
        if outcomes is NOTHING:
            through = every * both
            found = [(rank[target], through, learned * both) for target, _, learned in arcs]
        elif outcomes is UNKNOWN:
            found = [(rank[target], 0, every * both) for target, _, _ in arcs]
        else:
            found = []
            for target, outcome, learned in arcs:
                keep, gain = outcomes[outcome]
                found.append((rank[target], (keep & every) * both, ((gain | learned) & every) * both))
        if hangs:
            self.hangs = True
        else:
            self._moves[place] = found
        return found

    def all_moves(self) -> list[Moves]:
        """The ways on from all nodes, by rank, where what is known at each is; once the start is."""
        if self._every is None:
            self._every = [self.moves(place, self.at(name) or 0) for place, name in enumerate(self.names)]
        return self._every

    def leads(self, source: str, target: str, outcome: str, bit: int) -> bool:
        """Whether a node leads on to another after that outcome, by an edge that does not ask for a slot."""
        ways = self._arcs.get(source, ())
        return any(to == target and by == outcome and not learned & bit for to, by, learned in ways)

    def _solve(self, start: int) -> list[int]:
        values = [-1] * len(self.names)  # -1: not reached yet
        values[0] = start
        every, moves_of, known = self.slots.all, self.moves, self._moves
        # One after the other; what must be looked at again, because a circle leads back to it, from a heap.
        again: list[int] = []
        queued = bytearray(len(self.names))
        following = 0
        while again or following < len(self.names):
            if again and again[0] < following:
                place = heappop(again)
                queued[place] = 0
            else:
                place = following
                following += 1
            value = values[place]
            for target, keep, gain in known[place] or moves_of(place, value & every):
                new = value & keep | gain
                old = values[target]
                if old >= 0:
                    new &= old
                    if new == old:
                        continue
                values[target] = new
                if target < following and not queued[target]:
                    queued[target] = 1
                    heappush(again, target)
        return values


def _reverse_postorder(arcs: dict[str, list[Arc]]) -> list[str]:
    chain = [START]
    seen = {START}
    while True:
        ways = arcs.get(chain[-1], ())
        if not ways:
            return chain
        target = ways[0][0]
        if len(ways) > 1 or target in seen:
            break
        chain.append(target)
        seen.add(target)
    order: list[str] = []
    todo = [(chain[-1], iter(ways))]
    while todo:
        name, left = todo[-1]
        for target, _, _ in left:
            if target not in seen:
                seen.add(target)
                todo.append((target, iter(arcs.get(target, ()))))
                break
        else:
            order.append(name)
            todo.pop()
    order.reverse()
    return [*chain[:-1], *order]


def arcs_of(
    region: m.Region, nodes: dict[str, m.Node], slots: Slots, rules: TypeRules
) -> dict[str, list[Arc]]:
    """The ways on from each source of a region, with what their guards make known."""
    out: dict[str, list[Edge]] = {}
    for edge in region.edges:
        out.setdefault(edge.source, []).append(edge)
    found: dict[str, list[Arc]] = {}
    for source, edges in out.items():
        node = nodes.get(source)
        first = edges[0]
        if len(edges) == 1 and first.trigger == "plain" and not isinstance(node, m.Barrier):
            found[source] = [(first.target, OK, 0)]
        else:
            found[source] = _from(edges, node, slots, rules)
    for name in region.nodes:
        node = nodes[name]
        if isinstance(node, m.Task):
            if node.goto:
                found.setdefault(name, []).extend((target, OK, 0) for target, _ in node.goto)
        elif isinstance(node, m.Barrier) and node.reroute:
            found.setdefault(name, []).extend((target, REROUTE, 0) for target, _ in node.reroute)
    return found


def _from(edges: list[Edge], node: m.Node | None, slots: Slots, rules: TypeRules) -> list[Arc]:
    found: list[Arc] = []
    apart = frozenset(edge.outcome for edge in edges if edge.outcome is not None)
    ordinary = (
        [answered(a.name) for a in node.answers if a.name not in apart]
        if isinstance(node, m.Barrier)
        else [OK]
    )
    past = 0  # what is known because earlier `when` edges did not hold
    last: list[Edge] = []
    for edge in edges:
        if edge.trigger == "on":
            outcome = FAILED if edge.outcome in ("error", "timeout") else answered(edge.outcome or "")
            if outcome == FAILED or (isinstance(node, m.Barrier) and _offers(node, edge.outcome)):
                found.append((edge.target, outcome, 0))
        elif edge.guard is None:
            last.append(edge)
        else:
            learned = past | _learned(edge.guard, True, slots, rules)
            found.extend((edge.target, outcome, learned) for outcome in ordinary)
            if edge.max_visits is None:
                past |= _learned(edge.guard, False, slots, rules)
    found.extend((edge.target, outcome, past) for edge in last for outcome in ordinary)
    return found


def _offers(node: m.Barrier, answer: str | None) -> bool:
    return any(one.name == answer for one in node.answers)


def _learned(guard: m.Expr, holds: bool, slots: Slots, rules: TypeRules) -> int:
    """The slots that surely have a value where a guard holds, or does not."""
    if isinstance(guard, m.Binary) and (guard.op in _ORDERS or (guard.op == "and" and not holds)):
        return 0  # most guards, and nothing to learn
    found = 0
    for path in narrow(guard, holds, rules):
        found |= slots.bits.get(path, 0)
    return found
