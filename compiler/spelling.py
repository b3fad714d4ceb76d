"""From a misspelt name to the nearest known one, if it is near enough to be meant.

Two names are near when few letters must be put in, left out, changed or swapped with their neighbour to
get from one to the other: at most one for every three letters, and never more than three. The search has
a budget, so that a file with thousands of unknown names over thousands of known ones still answers at
once.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl import ast
from ..dsl.diagnostic import Fix
from ..dsl.named import NamedTuple

FARTHEST = 3
SHORTEST = 3  # letters of a name that a machine may correct
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


class Guess(NamedTuple):
    """What was probably meant by a name: the nearest one, the question to ask, the repair if certain."""

    near: str | None
    help: str
    fix: Fix | None


class Speller:
    """Finds nearest names until its budget is used up."""

    __slots__ = ("_left",)

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def nearest(self, name: str, known: Iterable[str]) -> str | None:
        """The one of `known` that was probably meant, or None. Ties go to the alphabetically first."""
        near = self._near(name, known)
        return near[0] if near else None

    def guess(self, name: ast.Name, known: Iterable[str]) -> Guess:
        """The nearest name, and its repair where no other one is near."""
        found = self._near(name.text, known)
        if not found:
            return Guess(None, "", None)
        near = found[0]
        sure = len(found) == 1 and self._left >= 0 and _typo(name.text, near)
        return Guess(
            near, f"did you mean `{near}`?", Fix(name.span, near, f"write `{near}`") if sure else None
        )

    def _near(self, name: str, known: Iterable[str]) -> list[str]:
        """The names that are near enough, the nearest first."""
        limit = min(FARTHEST, max(1, len(name) // 3))
        lower = name.lower()
        found: set[tuple[int, str]] = set()
        for other in known:
            self._left -= 1
            if self._left < 0:
                break
            if abs(len(other) - len(name)) > limit or other == name:
                continue
            self._left -= COST
            away = distance(lower, other.lower(), limit)
            if away <= limit and away < max(len(name), len(other)):
                found.add((away, other))
        return [other for _, other in sorted(found)]


def _typo(name: str, near: str) -> bool:
    """Whether a name is a slip of the pen for another: long enough to tell, and no other number."""
    digits = [[char for char in one if char.isdigit()] for one in (name, near)]
    return len(name) >= SHORTEST and digits[0] == digits[1]
