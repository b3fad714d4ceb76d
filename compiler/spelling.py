"""From a misspelt name to the nearest known one, if it is near enough to be meant.

Two names are near when few letters must be put in, left out, changed or swapped with their neighbour to
get from one to the other: at most one for every three letters, and never more than three. The search has
a budget, so that a file with thousands of unknown names over thousands of known ones still answers at
once.
"""

from __future__ import annotations

from collections.abc import Iterable

FARTHEST = 3
BUDGET = 600_000  # one to look at a name, and COST to compare it letter by letter
COST = 20


def distance(a: str, b: str, limit: int) -> int:
    """The number of edits (swaps of neighbours count one) from `a` to `b`, or `limit + 1` if it is more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, above = above, row
    return above[-1]


class Speller:
    """Finds nearest names until its budget is used up."""

    __slots__ = ("_left",)

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def nearest(self, name: str, known: Iterable[str]) -> str | None:
        """The one of `known` that was probably meant, or None. Ties go to the alphabetically first."""
        limit = min(FARTHEST, max(1, len(name) // 3))
        lower = name.lower()
        best: tuple[int, str] | None = None
        for other in known:
            self._left -= 1
            if self._left < 0:
                break
            if abs(len(other) - len(name)) > limit or other == name:
                continue
            self._left -= COST
            away = distance(lower, other.lower(), limit)
            if away <= limit and away < max(len(name), len(other)) and (best is None or (away, other) < best):
                best = (away, other)
        return None if best is None else best[1]
