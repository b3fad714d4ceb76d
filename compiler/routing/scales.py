"""From two ends to a value between them, on the scale of a type: numbers, texts, times.

A *scale* is the ordered set of values that a term can have. Whole numbers, dates, times and uuids are
counted, so that between two neighbours there is nothing; floats are spaced as the machine spaces them;
decimals and texts are dense. An end that is None is open: the scale's own end stands for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from ...dsl.frozen import frozen
from ..model import Bounds

Rank: TypeAlias = Any
"""What stands for a value on a scale: a number, a text or bytes; compared with its own kind only."""

UNNAMED = object()
"""Some value that exists, but for which none could be found to be shown."""

_WORDS = ("other", "another", "something", "x", "a", "")
"""Texts that are shown before others."""
_LETTERS = "xa0 \0"
_LONGEST = 1_000
_FEW = 5

_LARGEST = 1.7976931348623157e308


@frozen
class Whole:
    """Whole numbers from `low` to `high`; `steps`: by how much a shown value is off an end, best first."""

    low: int | None = None
    high: int | None = None
    steps: tuple[int, ...] = (1,)

    def between(self, low: Rank, high: Rank) -> Rank | None:
        """A value above `low` and below `high`, None if there is none."""
        least = None if low is None else math.floor(low) + 1
        most = None if high is None else math.ceil(high) - 1
        if self.low is not None and (least is None or least < self.low):
            least = self.low
        if self.high is not None and (most is None or most > self.high):
            most = self.high
        if least is not None and most is not None and least > most:
            return None
        if least is None and most is None:
            return 0
        for step in self.steps:
            found = most - (step - 1) if least is None and most is not None else (least or 0) + step - 1
            if (most is None or found <= most) and (least is None or found >= least):
                return found
        return least

    def holds(self, rank: Rank) -> bool:
        """Whether a rank is a value of the scale."""
        fits = (self.low is None or rank >= self.low) and (self.high is None or rank <= self.high)
        return bool(fits and rank == math.floor(rank))


@frozen
class Floating:
    """Floats from `low` to `high`; `endless`: the infinities too, as sums of floats can be."""

    low: float | None = None
    high: float | None = None
    endless: bool = False

    def _ends(self) -> tuple[float, float]:
        end = math.inf if self.endless else _LARGEST
        return (-end if self.low is None else self.low), (end if self.high is None else self.high)

    def between(self, low: Rank, high: Rank) -> Rank | None:
        """A value above `low` and below `high`, None if there is none."""
        first, last = self._ends()
        least = _above(first) if low is None or low < first else _next(low, math.inf)
        most = _below(last) if high is None or high > last else _next(high, -math.inf)
        if least > most:
            return None
        return next(value for value in _round(least, most, low, high) if least <= value <= most)

    def holds(self, rank: Rank) -> bool:
        """Whether a rank is a value of the scale."""
        first, last = self._ends()
        return bool(first <= rank <= last) and _as_float(rank) == rank


def _above(value: float) -> float:
    """The least float that is not below a bound, which may be any number."""
    found = _as_float(value)
    return found if found >= value else math.nextafter(found, math.inf)


def _below(value: float) -> float:
    found = _as_float(value)
    return found if found <= value else math.nextafter(found, -math.inf)


def _next(value: Rank, toward: float) -> float:
    found = _as_float(value)
    beyond = found > value if toward > 0 else found < value
    return found if beyond else math.nextafter(found, toward)


def _as_float(value: Rank) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _round(least: float, most: float, low: Rank, high: Rank) -> Iterable[float]:
    """Values for people first, then one that is surely between."""
    if low is None and high is None:
        yield 0.0
    if low is not None and least + 1.0 <= most and high is None:
        yield round(_as_float(low), 1) + 1.0
    if high is not None and low is None:
        yield round(_as_float(high), 1) - 1.0
    middle = least / 2 + most / 2
    if math.isfinite(middle):
        for digits in range(18):
            yield round(middle, digits)
    yield least


@frozen
class Decimals:
    """Decimal numbers, as dense as one likes."""

    low: Rank | None = None
    high: Rank | None = None

    def between(self, low: Rank, high: Rank) -> Rank | None:
        """A value above `low` and below `high`, None if there is none."""
        from decimal import Context, Decimal

        exact = Context(prec=4000)
        ends = [Decimal(str(e)) if isinstance(e, float) else Decimal(e) for e in (low, high) if e is not None]
        ends += [Decimal(str(e)) for e in (self.low, self.high) if e is not None]
        one = Decimal(1)
        beside = [value for end in ends for value in (exact.add(end, one), exact.subtract(end, one))]
        tries = [Decimal(0), *beside, *ends]
        tries += [exact.divide(exact.add(a, b), Decimal(2)) for a in ends for b in ends]
        for value in tries:
            if (low is None or value > low) and (high is None or value < high) and self.holds(value):
                return value
        return None

    def holds(self, rank: Rank) -> bool:
        """Whether a rank is a value of the scale."""
        return bool((self.low is None or rank >= self.low) and (self.high is None or rank <= self.high))


@frozen
class Texts:
    """Texts (or bytes) by the numbers of their characters; `length` and `pattern` as declared."""

    length: Bounds | None = None
    pattern: str | None = None
    binary: bool = False

    def _made(self, text: str) -> Rank:
        return text.encode() if self.binary else text

    def words(self) -> list[Rank]:
        """Texts of the scale that read well."""
        return [text for text in map(self._made, _WORDS) if self.holds(text)]

    def between(self, low: Rank, high: Rank) -> Rank | None:
        """A value above `low` and below `high`; UNNAMED if there may be one; None if there is none."""
        empty, zero = self._made(""), self._made("\0")
        if (high == empty) if low is None else (high is not None and low + zero >= high):
            return None
        if self.length is not None and self.length.high == 0 and low is not None:
            return None
        for text in self._tries(low, high):
            if (low is None or text > low) and (high is None or text < high) and self.holds(text):
                return text
        return UNNAMED

    def _tries(self, low: Rank, high: Rank) -> Iterable[Rank]:
        """Words first; then what is near the ends, made as long as it has to be."""
        letters = [self._made(letter) for letter in _LETTERS]
        tries: list[Rank] = []
        for text in self._near(low, high, letters):
            tries.append(text)
            yield text
        if self.length is None:
            return
        least, most = self.length
        size = min(int(least or 0), _LONGEST)
        for letter in letters:
            for text in tries:
                longer = text + letter * (size - len(text))
                yield longer if most is None else longer[: int(most)]

    def _near(self, low: Rank, high: Rank, letters: list[Rank]) -> Iterable[Rank]:
        yield from map(self._made, _WORDS)
        if low is not None:
            yield from (low + letter for letter in letters)
        if high:
            yield from (high[:-1] + letter for letter in letters)
            yield from (high[:size] for size in range(1, min(len(high), _FEW)))

    def holds(self, rank: Rank) -> bool:
        """Whether a rank is a value of the scale."""
        least, most = self.length or Bounds(None, None)
        if (least is not None and len(rank) < least) or (most is not None and len(rank) > most):
            return False
        if self.pattern is None:
            return True
        from ..patterns import found

        return found(self.pattern, rank) is not False


Scale: TypeAlias = Whole | Floating | Decimals | Texts
