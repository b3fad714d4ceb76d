"""From what each node of a region stands for to what a run that is parked at a node can have come past.

A run counts as its path without finished passes of loops: no node twice, and not the one where it is parked.
So only what lies on a way from `start` to a node without coming through it first is behind that node. Within
a component that are the nodes which it does not dominate.
"""

from __future__ import annotations

from collections.abc import Sequence

from .flow import Region
from .reach import components, dominator_spans, gathered, turned


def come_past(region: Region, step: Sequence[int], start: int) -> list[int]:
    """For each node the bits of all steps on a way to it that counts.

    Args:
        step: for each node the bits of a step of it.
        start: the bits of how the region begins.
    """
    before = turned(region.follows)
    order = components(before)  # each behind all that lies before it
    whole = gathered(before, step)
    found = [start] * len(region.nodes)
    spans: list[tuple[int, int]] | None = None
    for members in order:
        inside = set(members)
        outer = 0
        for member in members:
            for at in before[member]:
                if at not in inside:
                    outer |= whole[at]
        for member in members:
            found[member] |= outer
        if len(members) > 1 and any(step[member] for member in members):
            if spans is None:
                spans = dominator_spans([*region.follows, region.first], len(region.nodes))
            for member, bits in _not_dominated(members, spans, step):
                found[member] |= bits
    return found


def ever_past(region: Region, step: Sequence[int], start: int) -> list[int]:
    """The same for every step that a run can have made, finished passes of loops included."""
    before = turned(region.follows)
    whole = gathered(before, step)
    found = [start] * len(region.nodes)
    for at, preceding in enumerate(before):
        for one in preceding:
            found[at] |= whole[one]
    return found


def _not_dominated(
    members: Sequence[int], spans: Sequence[tuple[int, int]], step: Sequence[int]
) -> list[tuple[int, int]]:
    """For each member the bits of those of its component that it does not dominate."""
    ordered = sorted(members, key=lambda member: spans[member][0])
    firsts = [spans[member][0] for member in ordered]
    before, after = [0], [0]
    for member in ordered:
        before.append(before[-1] | step[member])
    for member in reversed(ordered):
        after.append(after[-1] | step[member])
    after.reverse()  # after[n]: the bits of all from the n-th on
    found: list[tuple[int, int]] = []
    for at, member in enumerate(ordered):
        low, high = spans[member]
        if not low:  # not reachable from `start`: nothing is known to come first
            found.append((member, before[-1]))
            continue
        end = _first_at_least(firsts, high, at)
        found.append((member, before[at] | after[end]))
    return found


def _first_at_least(numbers: Sequence[int], wanted: int, low: int) -> int:
    high = len(numbers)
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
