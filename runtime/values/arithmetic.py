"""Arithmetic of expressions where Python's own differs, can fail, or depends on settings or versions.

Every function takes the expression's text and place (`file:line:column`) last and raises EvaluationError with
the operands where there is no result.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any, TypeVar, overload

from ..errors import EvaluationError

N = TypeVar("N", int, float, Decimal)

# Decimals are computed in one fixed way, whatever the program around has set.
_DECIMALS = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])


@overload
def divide(left: Decimal, right: Decimal, text: str, place: str) -> Decimal: ...
@overload
def divide(left: float, right: float, text: str, place: str) -> float: ...
def divide(left: Any, right: Any, text: str, place: str) -> Any:
    """`a / b`."""
    try:
        return _DECIMALS.divide(left, right) if isinstance(left, Decimal) else left / right
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def floor_divide(left: N, right: N, text: str, place: str) -> N:
    """`a // b`, rounded down."""
    try:
        if isinstance(left, Decimal):
            return _divmod(left, right)[0]  # pyright: ignore[reportArgumentType]
        return left // right
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def modulo(left: N, right: N, text: str, place: str) -> N:
    """`a % b`, with the sign of b."""
    try:
        if isinstance(left, Decimal):
            return _divmod(left, right)[1]  # pyright: ignore[reportArgumentType]
        return left % right
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def _divmod(left: Decimal, right: Decimal) -> tuple[Decimal, Decimal]:
    # Python cuts decimals toward zero, but rounds ints and floats down: here all of them are rounded down.
    whole, rest = _DECIMALS.divmod(left, right)
    if rest and (rest < 0) is not (right < 0):
        return _DECIMALS.subtract(whole, Decimal(1)), _DECIMALS.add(rest, right)
    return whole, rest


def decimal_add(left: Decimal, right: Decimal, text: str, place: str) -> Decimal:
    """`a + b` of decimals."""
    try:
        return _DECIMALS.add(left, right)
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def decimal_subtract(left: Decimal, right: Decimal, text: str, place: str) -> Decimal:
    """`a - b` of decimals."""
    try:
        return _DECIMALS.subtract(left, right)
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def decimal_multiply(left: Decimal, right: Decimal, text: str, place: str) -> Decimal:
    """`a * b` of decimals."""
    try:
        return _DECIMALS.multiply(left, right)
    except ArithmeticError:
        raise _arithmetic(left, right, text, place) from None


def decimal_sum(items: Collection[Decimal], text: str, place: str) -> Decimal:
    """`sum(xs)` of decimals."""
    total = Decimal(0)
    for value in items:
        total = decimal_add(total, value, text, place)
    return total


def float_sum(items: Collection[float]) -> float:
    """`sum(xs)` of floats, from left to right (newer Pythons' own `sum` corrects rounding errors)."""
    total = 0.0
    for value in items:
        total += value
    return total


def round_whole(value: float | Decimal, text: str, place: str) -> int:
    """`round(x)`: the nearest whole number, of two the even one."""
    try:
        return round(value)
    except (ValueError, ArithmeticError):
        raise EvaluationError("not a finite number", expression=text, place=place, values=(value,)) from None


def round_digits(value: N, digits: int, text: str, place: str) -> N:
    """`round(x, digits)`."""
    try:
        if isinstance(value, Decimal):
            return value.quantize(Decimal((0, (1,), -digits)), context=_DECIMALS)
        # Far beyond the digits that there are, Python would compute a power of ten for ever.
        most = value.bit_length() if isinstance(value, int) else 400
        return type(value)(round(value, max(-most - 1, min(digits, most))))
    except (ValueError, ArithmeticError, MemoryError):
        raise EvaluationError(
            "cannot be rounded so", expression=text, place=place, values=(value, digits)
        ) from None


@overload
def time_add(left: timedelta, right: timedelta, text: str, place: str) -> timedelta: ...
@overload
def time_add(left: datetime, right: timedelta, text: str, place: str) -> datetime: ...
@overload
def time_add(left: timedelta, right: datetime, text: str, place: str) -> datetime: ...
def time_add(left: Any, right: Any, text: str, place: str) -> Any:
    """`a + b` where one is a duration."""
    try:
        return left + right
    except OverflowError:
        raise _arithmetic(left, right, text, place) from None


@overload
def time_subtract(left: timedelta, right: timedelta, text: str, place: str) -> timedelta: ...
@overload
def time_subtract(left: datetime, right: timedelta, text: str, place: str) -> datetime: ...
@overload
def time_subtract(left: date, right: date, text: str, place: str) -> timedelta: ...
def time_subtract(left: Any, right: Any, text: str, place: str) -> Any:
    """`a - b` of times and durations."""
    try:
        return left - right
    except OverflowError:
        raise _arithmetic(left, right, text, place) from None
    except TypeError:
        raise zones(left, right, text, place) from None


def time_scale(left: timedelta | float, right: timedelta | float, text: str, place: str) -> timedelta:
    """`a * b` of a duration and a number."""
    try:
        return left * right  # type: ignore[operator, return-value]  # pyright: ignore
    except (OverflowError, ValueError):
        raise _arithmetic(left, right, text, place) from None


@overload
def time_divide(left: timedelta, right: timedelta, text: str, place: str) -> float: ...
@overload
def time_divide(left: timedelta, right: float, text: str, place: str) -> timedelta: ...
def time_divide(left: timedelta, right: Any, text: str, place: str) -> Any:
    """`a / b` of a duration and a number or a duration."""
    try:
        return left / right
    except (ArithmeticError, ValueError):
        raise _arithmetic(left, right, text, place) from None


def time_order(left: datetime, right: datetime, text: str, place: str) -> int:
    """Less than 0 where `left` is the earlier one, more than 0 where it is the later one."""
    try:
        return (left > right) - (left < right)
    except TypeError:
        raise zones(left, right, text, place) from None


def zones(left: object, right: object, text: str, place: str) -> EvaluationError:
    """The error of two times that cannot be compared."""
    what = "one of the times has a time zone, the other has none"
    return EvaluationError(what, expression=text, place=place, values=(left, right))


def _arithmetic(left: object, right: object, text: str, place: str) -> EvaluationError:
    what = "division by zero" if not right else "the result is out of range"
    return EvaluationError(what, expression=text, place=place, values=(left, right))
