"""From the type of a term to its regions: the parts of its domain that the guards can tell apart.

A *term* is what guards ask about: a field, a field of it, a length, a count of visits. Its domain is cut at
the constants that it is compared with: each constant is a region, and so is each gap between two neighbours
in which there is a value. Sets of regions are ints, bit by bit (a *mask*): bit 0 is `none`, bit 1 what is
not a number, the others are values in their order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from math import ceil, floor
from typing import Any, Final, Literal, TypeAlias, cast

from ...dsl.named import NamedTuple
from ..model import Bounds, EnumType, Key, Program, Scalar, Type, UnionType
from .ranks import DAY, LAST_DAY, LONGEST, TIME_STEPS, rank_of, value_of
from .scales import UNNAMED, Decimals, Floating, Rank, Scale, Texts, Whole

NONE_MASK: Final = 1
NAN_MASK: Final = 2
_FIRST: Final = 2
"""The bit of the first value."""

TestName: TypeAlias = Literal["none", "==", "in", "<", "<=", ">", ">="]


class Member(NamedTuple):
    """A member of an enum, as a constant."""

    enum: Key
    name: str


class Made(NamedTuple):
    """Any value of a type of which nothing is told apart, such as a record."""

    type: Type


class Order(NamedTuple):
    """How two terms stand to each other, as the value of the question."""

    operator: Literal["<", "==", ">", "!=", "?"]


Value: TypeAlias = Any
"""A constant as the model has it, or `Member`, `Made`, `Order`, the key of a record in a union."""


class Variable:
    """One term with its domain.

    Attributes:
        key: what makes two terms the same one.
        words: the term as the user writes it; `{}` of two terms for an `Order`.
        index: its number among those of one source, in the order met.
        sure: whether each of its values can be met, whatever the other terms are.
        optional: whether it may be none.
        nan: whether it may be not a number.
        values: all its values, where they can be counted; None where it has a scale.
        path: the field and the fields behind it, () for other terms.
        zoned: whether the datetimes that it is compared with have a time zone.
    """

    __slots__ = (
        "_at", "_whole", "full", "index", "key", "nan", "optional", "path", "points", "ranks", "scale",
        "sure", "type", "values", "words", "zoned",
    )  # fmt: skip

    def __init__(
        self,
        key: object,
        words: str,
        type: Type,
        *,
        values: tuple[Value, ...] | None = None,
        scale: Scale | None = None,
        optional: bool = False,
        nan: bool = False,
        sure: bool = True,
        path: tuple[str, ...] = (),
        zoned: bool = True,
    ) -> None:
        self.key = key
        self.words = words
        self.type = type
        self.values = values
        self.scale = scale
        self.optional = optional
        self.nan = nan
        self.sure = sure
        self.path = path
        self.zoned = zoned
        self.index = 0
        self.ranks: set[Rank] = set()
        self.points: list[Rank] = []
        self.full = 0
        self._whole = 0
        self._at: dict[Value, int] = {}

    # --- cutting --------------------------------------------------------------------------------------------

    def cut(self, value: Value) -> None:
        """Note a constant that the term is compared with."""
        if self.scale is not None:
            self.ranks.add(rank_of(value))

    def settle(self) -> None:
        """Cut the domain at the constants noted."""
        if self.values is not None:
            self._at = {value: _FIRST + i for i, value in enumerate(self.values)}
            self._whole = self.full = ((1 << len(self.values)) - 1) << _FIRST
        else:
            self.points = sorted(self.ranks)
            self._whole = ((1 << (2 * len(self.points) + 1)) - 1) << _FIRST
            self.full = sum(1 << bit for bit in self._real())
        self.full |= (NONE_MASK if self.optional else 0) | (NAN_MASK if self.nan else 0)

    def _real(self) -> Iterator[int]:
        """The bits of the regions in which there is a value."""
        scale, points = self.scale, self.points
        assert scale is not None
        ends = [None, *points, None]
        for i in range(len(points) + 1):
            if scale.between(ends[i], ends[i + 1]) is not None:
                yield _FIRST + 2 * i
            if i < len(points) and scale.holds(points[i]):
                yield _FIRST + 2 * i + 1

    # --- asking ---------------------------------------------------------------------------------------------

    def mask(self, test: TestName, value: Value) -> int:
        """The regions where a test holds."""
        return self._mask(test, value) & self.full

    def _mask(self, test: TestName, value: Value) -> int:
        match test:
            case "none":
                return NONE_MASK
            case "in":
                found = 0
                for one in value:
                    found |= NONE_MASK if one is None else self._point(one)
                return found
            case "==":
                return self._point(value)
            case "<":
                return self._below(value)
            case "<=":
                return self._below(value) | self._point(value)
            case ">":
                return self._whole & ~(self._below(value) | self._point(value))
            case ">=":
                return self._whole & ~self._below(value)

    def _point(self, value: Value) -> int:
        if self.values is not None:
            at = self._at.get(value)
            return 0 if at is None else 1 << at
        return 1 << (_FIRST + 2 * bisect_left(self.points, rank_of(value)) + 1)

    def _below(self, value: Value) -> int:
        at = _FIRST + 2 * bisect_left(self.points, rank_of(value)) + 1
        return (1 << at) - 1 & ~(NONE_MASK | NAN_MASK)

    # --- showing --------------------------------------------------------------------------------------------

    def choose(self, mask: int) -> Value:
        """A value of the regions of a mask that a person would take: none, a constant, what is near one.

        UNNAMED where there is one that could not be found.
        """
        if mask & NONE_MASK:
            return None
        rest = mask & self._whole
        if not rest:
            return float("nan")
        if self.values is not None:
            return self.values[_lowest(rest) - _FIRST]
        constants = rest & (((1 << 2 * len(self.points)) - 1) // 3 << _FIRST + 1)
        if constants:
            return self._value(self.points[(_lowest(constants) - _FIRST) // 2])
        return self._between(rest)

    def _between(self, mask: int) -> Value:
        """A value of a gap."""
        assert self.scale is not None
        ends = [None, *self.points, None]
        for word in self.scale.words() if isinstance(self.scale, Texts) else ():
            at = bisect_left(self.points, word)
            if mask >> (_FIRST + 2 * at) & 1 and word not in self.points[at : at + 1]:
                return word
        for at in (at for at in range(len(self.points) + 1) if mask >> (_FIRST + 2 * at) & 1):
            found = self.scale.between(ends[at], ends[at + 1])
            if found is not UNNAMED:
                return self._value(found)
        return UNNAMED

    def _value(self, rank: Rank) -> Value:
        return value_of(rank, self.type, self.zoned)


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


# --- types --------------------------------------------------------------------------------------------------


def scale_of(type: Type, range: Bounds | None, length: Bounds | None, pattern: str | None) -> Scale | None:
    """The scale of a type within a field's constraints; None for types without one."""
    low, high = range or (None, None)
    match type:
        case Scalar("int"):
            least = None if low is None else ceil(low)
            return Whole(least, None if high is None else floor(high))
        case Scalar("float"):
            return Floating(cast("float | None", low), cast("float | None", high))
        case Scalar("decimal"):
            return Decimals(low, high)
        case Scalar("str"):
            return Texts(length, pattern)
        case Scalar("bytes"):
            return Texts(length, None, binary=True)
        case Scalar("duration"):
            return Whole(-LONGEST, LONGEST + DAY - 1, TIME_STEPS)
        case Scalar("date"):
            return Whole(1, LAST_DAY)
        case Scalar("datetime"):
            return Whole(0, LAST_DAY * DAY - 1, TIME_STEPS)
        case Scalar("uuid"):
            return Whole(0, (1 << 128) - 1)
        case _:
            return None


def values_of(program: Program, type: Type) -> tuple[Value, ...]:
    """All values of a type without a scale; where nothing is told apart, one that stands for them."""
    match type:
        case Scalar("bool"):
            return (True, False)
        case EnumType(key):
            return tuple(Member(key, member.name) for member in program.enums[key].members)
        case UnionType(key):
            return program.unions[key].members
        case _:
            return (Made(type),)
