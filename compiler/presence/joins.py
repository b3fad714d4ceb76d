"""From what the branches of a parallel surely give to what their join does, for each way to join and merge.

A branch's step says what holds at its end, given what held at the fork: it *gains* a field that has a value
there anyhow, and *keeps* one that has a value there if it had one at the fork. Without a merge rule a joined
field is the fork's value, or what one branch wrote (two that write it conflict); so it has a value if no
winner may leave it none, and it had one at the fork or some winner surely gained it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .. import model as m
from ..effects.merging import Merging
from .values import ALL, SAME, Slots, Step

# Their result has a value if any of the values that go in has: the fork's is always among them.
_FORGIVING = frozenset({"append", "sum", "max", "min", "union"})


def merged_slots(merging: Merging, slots: Slots) -> tuple[int, int]:
    """The slots whose merge gives a value if any branch did, and those of which it may give none anyhow."""
    forgiving = loose = 0
    for path, bit in slots.bits.items():
        found = merging.of(path)
        if found is None or found[1].merge is None:
            continue
        rule = found[1].merge.rule
        if rule == "custom" or found[0] != path:
            loose |= bit
        elif rule in _FORGIVING:
            forgiving |= bit
    return forgiving, loose


def joined(
    node: m.Parallel, ends: Sequence[Step], slots: Slots, merged: tuple[int, int], written: int
) -> tuple[Step, Step]:
    """What a parallel does to its state: when it is joined, and when its error edge is taken.

    Args:
        ends: the step of each branch.
        merged: the state's `merged_slots`.
        written: the slots that some branch may write.
    """
    forgiving, loose = merged
    kept = ALL
    for end in ends:
        kept &= end.keep | end.gain
    keep = (kept & ~loose) | forgiving | (loose & ~written)
    least = len(ends) - node.join_count + 1
    gain = _at_least(least, [end.gain for end in ends], slots.size)
    # Of those that succeeded any may be kept, or none; but never as many as the join asks for.
    partly = node.on_error == "collect" and node.join_count > 1
    return Step(keep, gain & keep), Step(keep, 0) if partly else SAME


def _at_least(least: int, sets: Sequence[int], size: int) -> int:
    """The bits that so many of the sets have."""
    if least <= 1:
        return _any(sets)
    if least >= len(sets):
        common = ALL
        for one in sets:
            common &= one
        return common
    found = 0
    for place in range(size):
        if sum(one >> place & 1 for one in sets) >= least:
            found |= 1 << place
    return found


def _any(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found
