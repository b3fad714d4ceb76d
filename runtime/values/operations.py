"""What expressions are made of where Python's own operator would differ or could fail.

Functions that can fail take the expression's text and place (`file:line:column`) last and raise
EvaluationError with the operands. The compiler emits plain Python for everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, TypeVar

from ..errors import EvaluationError
from .arithmetic import zones
from .state import FrozenDict

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
_ABSENT: Any = object()


def item(items: Sequence[T], index: int, text: str, place: str) -> T:
    """`xs[i]`; negative indices count from the end, as in Python."""
    try:
        return items[index]
    except IndexError:
        raise EvaluationError(
            f"index {index} is outside a list of {len(items)}", expression=text, place=place, values=(index,)
        ) from None


def entry(items: Mapping[K, V], key: K, text: str, place: str) -> V:
    """`d[k]`."""
    try:
        return items[key]
    except KeyError:
        raise EvaluationError("no such key", expression=text, place=place, values=(key,)) from None


def json_item(value: Any, key: str | int, text: str, place: str) -> Any:
    """`j[k]` of a json value: an object's entry or an array's element."""
    found = get_json(value, key, _ABSENT)
    if found is _ABSENT:
        raise EvaluationError("no such entry", expression=text, place=place, values=(value, key))
    return found


def to_int(value: str | float | bool | Decimal, text: str, place: str) -> int:
    """`int(x)`: of text in decimal digits, or of a number, cut toward zero."""
    try:
        return int(value)
    except (ValueError, OverflowError, ArithmeticError):
        raise EvaluationError("not a whole number", expression=text, place=place, values=(value,)) from None


def to_float(value: str | float | bool | Decimal, text: str, place: str) -> float:
    """`float(x)`: a finite number."""
    try:
        result = float(value)
    except (ValueError, OverflowError):
        result = float("nan")
    if not isfinite(result):
        raise EvaluationError("not a finite number", expression=text, place=place, values=(value,))
    return result


def to_text(value: object, text: str = "", place: str = "") -> str:
    """`str(x)`: as the language writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g}s"
        case _:
            try:
                return str(value)
            except ValueError:  # Python's limit on the digits of an int
                raise EvaluationError("too many digits", expression=text, place=place) from None


def _zoned(time: Any) -> bool:
    return time.tzinfo is not None


def smallest(items: Collection[T], text: str, place: str) -> T:
    """`min(xs)`."""
    if not items:
        raise EvaluationError("min of nothing", expression=text, place=place)
    try:
        return min(items)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    except TypeError:
        raise zones(min(items, key=_zoned), max(items, key=_zoned), text, place) from None


def largest(items: Collection[T], text: str, place: str) -> T:
    """`max(xs)`."""
    if not items:
        raise EvaluationError("max of nothing", expression=text, place=place)
    try:
        return max(items)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    except TypeError:
        raise zones(min(items, key=_zoned), max(items, key=_zoned), text, place) from None


def get(items: Mapping[K, V], key: K, default: V) -> V:
    """`get(d, k, default)`."""
    return items.get(key, default)


def get_item(items: Sequence[T], index: int, default: T) -> T:
    """`get(xs, i, default)`."""
    return items[index] if -len(items) <= index < len(items) else default


def get_json(value: Any, key: str | int, default: Any) -> Any:
    """`get(j, k, default)` of a json value: of an object with a str, of an array with an int."""
    if isinstance(value, Mapping) if isinstance(key, str) else isinstance(value, (list, tuple)):
        try:
            return value[key]
        except (KeyError, IndexError):
            pass
    return default


def frozen(value: Any) -> Any:
    """A collection of a state as a value that nothing changes any more; none stays none."""
    items: Any = value
    match value:
        case list():
            return tuple(items)
        case set():
            return frozenset(items)
        case dict():
            return FrozenDict(items)
        case _:
            return items


def ordered(items: Collection[T]) -> list[T]:
    """The items of a set in an order that does not depend on the hash seed."""
    return sorted(items, key=lambda item: (item, "") if isinstance(item, int) else (0, str(item)))


def first(items: Sequence[T], default: T) -> T:
    """`first(xs, default)`."""
    return items[0] if items else default


def last(items: Sequence[T], default: T) -> T:
    """`last(xs, default)`."""
    return items[-1] if items else default


def require(value: T | None, text: str, place: str) -> T:
    """A value where the checker has proved that it is not none."""
    if value is None:
        raise EvaluationError("the value is none", expression=text, place=place)
    return value


def as_record(value: object, kind: type[T], text: str, place: str) -> T:
    """A member of a union where the checker has proved which one it is."""
    if not isinstance(value, kind):
        what = f"the value is not a `{kind.__name__}`"
        raise EvaluationError(what, expression=text, place=place, values=(value,))
    return value


def required(value: T | None, field: str) -> T:
    """The value of a field that a task reads as `f!`."""
    if value is None:
        raise EvaluationError(f"`{field}` is none, but the node reads `{field}!`")
    return value


def finite(value: float, text: str, place: str) -> float:
    """A float that is a number."""
    if not isfinite(value):
        raise EvaluationError("not a finite number", expression=text, place=place, values=(value,))
    return value
