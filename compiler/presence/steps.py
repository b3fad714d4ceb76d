"""From one node to what it does to the optional fields that surely have a value, by how it is left.

A node is left in one of several *outcomes*: "ok" (its plain, `when` and `else` edges and its `goto`),
"failed" (`on error`, `on timeout`), "reroute", and "on NAME" for an answer. What a node that failed had
recorded is gone, so its state is as it was. What a task may record it may also leave; what an answer or an
`out` says is recorded for certain.

Some steps hang on what holds before the node: an argument may be an optional field. Such a node is asked
again when less is known there.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TypeAlias

from ...dsl.named import NamedTuple
from .. import model as m
from ..effects.merging import Merging
from ..model import Key, OptionalOf, Program
from ..narrowing import path_of
from .joins import merged_slots
from .values import ALL, EVERYTHING, SAME, Changes, Slots, Step, either, needed, then

Outcomes: TypeAlias = Mapping[str, Step]

OK = "ok"
FAILED = "failed"
REROUTE = "reroute"
UNKNOWN: Outcomes = {OK: EVERYTHING, FAILED: EVERYTHING, REROUTE: EVERYTHING}
NOTHING: Outcomes = {OK: SAME, FAILED: SAME, REROUTE: SAME}


class Asked(NamedTuple):
    """The outcomes of a node; `hangs`: they hang on what was known before it."""

    outcomes: Outcomes
    hangs: bool = False


UNTOUCHED = Asked(NOTHING)


def answered(name: str) -> str:
    """The outcome of an answer."""
    return f"on {name}"


class Steps:
    """The steps of nodes. `ends` is filled with what whole graphs do, inner graphs first."""

    __slots__ = ("changes", "ends", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.changes = Changes(program)
        self.ends: dict[Key, Step] = {}

    def of(self, graph: m.Graph, node: m.Node, base: int) -> Asked:
        """What a node does, where the slots in `base` have a value before it. Not for parallels."""
        if isinstance(node, m.Task):  # most are
            return self._task(graph.state, node)
        match node:
            case m.Barrier():
                return self._barrier(graph, node, base)
            case m.Subgraph(lens=m.InOut() as lens):
                left, hangs = self._left(graph, node.graph, lens, base)
                step = SAME
                for call, sure in zip(lens.outputs, left, strict=True):
                    step = then(step, self.changes.recorded(graph.state, call.mutation, sure))
                return Asked({OK: step, FAILED: SAME}, hangs)
            case m.Subgraph():
                return Asked({OK: self._inside(graph, node), FAILED: SAME})
            case m.MapNode(lens=lens):
                left, hangs = self._left(graph, node.graph, lens, base)
                kept = ALL
                for call, sure in zip(lens.outputs, left, strict=True):
                    step = self.changes.recorded(graph.state, call.mutation, sure)
                    # A field with a merge rule is joined as branches are: a function may give none.
                    kept &= (step.keep | step.gain) & ~self._loose(graph.state, call.mutation)
                failed = Step(kept, 0) if node.on_error == "collect" else SAME
                return Asked({OK: Step(kept, 0), FAILED: failed}, hangs)
            case _:
                return UNTOUCHED

    def _task(self, state: Key, node: m.Task) -> Asked:
        changes = self.changes
        keep, gain = ALL, 0
        for name, _ in node.records:
            keep &= changes.kept(state, name)
        bits = changes.slots(state).bits
        for read in node.reads:
            if read.required:
                gain |= bits.get((read.field,), 0) & keep
        for field, _ in node.ensures:
            gain |= bits.get((field,), 0)
        return UNTOUCHED if keep == ALL and not gain else Asked({OK: Step(keep, gain), FAILED: SAME})

    def _loose(self, state: Key, name: str) -> int:
        """The slots that a mutation writes of which a merge may give none anyhow."""
        declared = self.program.states.get(state)
        mutation = None if declared is None else declared.mutation(name)
        slots = self.changes.slots(state)
        found = 0
        for field in () if mutation is None else mutation.writes:
            found |= slots.below.get((field,), 0)
        return found & merged_slots(Merging(self.program, state), slots)[1]

    # --- barriers

    def _barrier(self, graph: m.Graph, node: m.Barrier, base: int) -> Asked:
        keep = ALL
        for name, _ in node.modify:
            keep &= self.changes.kept(graph.state, name)
        slots = self.changes.slots(graph.state)
        outcomes: dict[str, Step] = {FAILED: SAME, REROUTE: Step(keep, 0)}
        hangs = False
        for answer in node.answers:
            step = Step(keep, 0)
            for call in answer.records:
                # All arguments are evaluated before the first mutation is applied, and after `modify`.
                sure, hung = self._sure(graph.state, call, slots, base & keep)
                hangs |= hung
                step = then(step, self.changes.recorded(graph.state, call.mutation, sure))
            outcomes[answered(answer.name)] = step
        return Asked(outcomes, hangs)

    def _sure(self, state: Key, call: m.MutationCall, slots: Slots, base: int) -> tuple[frozenset[str], bool]:
        """The optional parameters of a call that surely get a value, and whether that hangs on `base`."""
        declared = self.program.states.get(state)
        mutation = None if declared is None else declared.mutation(call.mutation)
        args = dict(call.args)
        sure: set[str] = set()
        hangs = False
        for param in () if mutation is None else mutation.params:
            if not isinstance(param.type, OptionalOf) and param.type != m.Scalar("json"):
                continue
            needs = needed(args[param.name], slots) if param.name in args else 0
            if needs is not None:
                hangs |= needs != 0
                if not needs & ~base:
                    sure.add(param.name)
        return frozenset(sure), hangs

    # --- graphs inside

    def _inside(self, graph: m.Graph, node: m.Subgraph) -> Step:
        """A subgraph that works on this state, or on a field of it."""
        inner = self.program.graphs.get(node.graph)
        end = self.ends.get(node.graph)
        if inner is None or end is None:
            return EVERYTHING
        if not isinstance(node.lens, m.OnField):
            return end if inner.state == graph.state else EVERYTHING
        slots = self.changes.slots(graph.state)
        keep, gain = ~slots.below.get((node.lens.field,), 0), 0
        for path, bit in self.changes.slots(inner.state).bits.items():
            outer = slots.bits.get((node.lens.field, *path), 0)
            keep |= outer if end.keep & bit else 0
            gain |= outer if end.gain & bit else 0
        return Step(keep, gain)

    def _left(
        self, graph: m.Graph, inner: Key, lens: m.InOut, base: int
    ) -> tuple[list[frozenset[str]], bool]:
        """The optional parameters that `out` surely gives a value, for each of its calls."""
        end, state = self.ends.get(inner), self.program.graphs.get(inner)
        if not lens.outputs:
            return [], False
        if end is None or state is None:
            return [frozenset(name for name, _ in call.args) for call in lens.outputs], False
        entry, hangs = self.entry(graph, lens, state.state, base)
        there = end.gain | (entry & end.keep)
        slots = self.changes.slots(state.state)
        return [self._sure(graph.state, call, slots, there)[0] for call in lens.outputs], hangs

    def entry(self, graph: m.Graph, lens: m.InOut, inner: Key, base: int) -> tuple[int, bool]:
        """What has a value in the state that `in` makes, and whether that hangs on `base`."""
        slots, outer = self.changes.slots(inner), self.changes.slots(graph.state)
        found, hangs = slots.given, False
        for field, value in lens.inputs:
            bit = slots.bits.get((field,), 0)
            if bit:
                needs = needed(value, outer)
                hangs |= bool(needs)
                found = found | bit if needs is not None and not needs & ~base else found & ~bit
                continue
            below = slots.below.get((field,), 0)
            if below:
                hangs = True
                found = (found & ~below) | _copied(field, path_of(value), slots, outer, base)
        return found, hangs

    def seen(self, graph: m.Graph, node: m.Subgraph | m.MapNode, base: int) -> int:
        """What has a value where the graph inside a node starts."""
        inner = self.program.graphs.get(node.graph)
        if inner is None:
            return ALL
        match node.lens:
            case m.InOut() as lens:
                return self.entry(graph, lens, inner.state, base)[0]
            case m.OnField(field=field):
                slots = self.changes.slots(inner.state)
                return _copied("", (field,), slots, self.changes.slots(graph.state), base)
            case _:
                return base if inner.state == graph.state else ALL

    def ordinary(self, node: m.Barrier, outcomes: Outcomes, apart: Set[str]) -> Step:
        """What holds when a barrier's plain edges are tried: whichever answer without an edge of its own."""
        found: Step | None = None
        for answer in node.answers:
            if answer.name not in apart:
                step = outcomes[answered(answer.name)]
                found = step if found is None else either(found, step)
        return EVERYTHING if found is None else found


def _copied(field: str, source: tuple[str, ...] | None, slots: Slots, outer: Slots, base: int) -> int:
    """The slots below a field (of the whole state for "") that have a value, as those of the source have."""
    found = 0
    for path, bit in slots.bits.items():
        rest = path if not field else path[1:] if path[0] == field else None
        if source is not None and rest is not None and outer.bits.get((*source, *rest), 0) & base:
            found |= bit
    return found
