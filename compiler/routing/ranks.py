"""From constants to what stands for them on a scale, and back: times become whole numbers."""

from __future__ import annotations

from ..model import Scalar, Type
from .scales import Rank

SECOND = 1_000_000
DAY = 86_400 * SECOND
TIME_STEPS = (SECOND, 1_000, 1)
LAST_DAY = 3_652_059  # of the calendar
LONGEST = 999_999_999 * DAY


def rank_of(value: Rank) -> Rank:
    """What stands for a constant on its scale."""
    if isinstance(value, int | float | str | bytes):
        return value
    from datetime import UTC, date, datetime, timedelta
    from uuid import UUID

    microsecond = timedelta(microseconds=1)
    match value:
        case datetime():
            zone = None if value.tzinfo is None else UTC
            return (value - datetime(1, 1, 1, tzinfo=zone)) // microsecond
        case date():
            return value.toordinal()
        case timedelta():
            return value // microsecond
        case UUID():
            return value.int
        case _:
            return value


def value_of(rank: Rank, type: Type, zoned: bool = True) -> Rank:
    """The value of a type that a rank stands for."""
    match type:
        case Scalar("int"):
            return int(rank)
        case Scalar("float"):
            return float(rank)
        case Scalar("decimal"):
            from decimal import Decimal

            return Decimal(rank)
        case Scalar("duration"):
            from datetime import timedelta

            return timedelta(microseconds=rank)
        case Scalar("date"):
            from datetime import date

            return date.fromordinal(rank)
        case Scalar("datetime"):
            from datetime import UTC, datetime, timedelta

            return datetime(1, 1, 1, tzinfo=UTC if zoned else None) + timedelta(microseconds=rank)
        case Scalar("uuid"):
            from uuid import UUID

            return UUID(int=rank)
        case _:
            return rank
