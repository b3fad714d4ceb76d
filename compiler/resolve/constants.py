"""From a literal to a value of the type that is wanted.

A number without a fraction fits `int`, `float` and `decimal`, one with a fraction `float` and `decimal`;
a string fits `str`, and `date`, `datetime`, `uuid` where it is one in ISO form, and `bytes` (as UTF-8);
every literal but a duration fits `json`. `none` fits optionals and `json`.
"""

from __future__ import annotations

import re
from keyword import iskeyword
from math import isinf
from typing import TYPE_CHECKING, TypeGuard

from ...dsl import ast
from ...dsl.source import Place
from .. import model
from ..model import Const, ConstValue, OptionalOf, Scalar, Type
from ..types import BOOL, DURATION, FLOAT, INT, JSON, NONE, STR, base

if TYPE_CHECKING:  # loaded for the first constant of such a type
    from datetime import timedelta

# Compiled when one is first needed, which is seldom.
_DATE = r"(?a:\d{4}-\d\d-\d\d)\Z"
_DATETIME = r"(?a:\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?)\Z"
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
_PYTHON_NAME = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*\Z"

Literal = ast.NoneLit | ast.BoolLit | ast.IntLit | ast.FloatLit | ast.StrLit | ast.DurationLit
LITERALS = (ast.NoneLit, ast.BoolLit, ast.IntLit, ast.FloatLit, ast.StrLit, ast.DurationLit)


def natural(literal: Literal, place: Place) -> Const:
    """The value of a literal of which nothing particular is wanted."""
    match literal:
        case ast.NoneLit():
            return Const(None, NONE, place)
        case ast.BoolLit(value=value):
            return Const(value, BOOL, place)
        case ast.IntLit(value=value):
            return Const(value, INT, place)
        case ast.FloatLit(value=value):
            return Const(value, FLOAT, place)
        case ast.StrLit(value=value):
            return Const(value, STR, place)
        case ast.DurationLit():
            return Const(length(literal), DURATION, place)


def length(literal: ast.DurationLit) -> timedelta:
    """A duration; what is longer than Python can hold becomes the longest."""
    from datetime import timedelta

    try:
        return timedelta(milliseconds=literal.milliseconds)
    except OverflowError:
        return timedelta.max


def fit(literal: Literal, wanted: Type, place: Place, *, negative: bool = False) -> Const | None:
    """The literal as a value of the wanted type, or None if it is not one.

    `negative`: a minus sign stands before it.
    """
    if isinstance(literal, ast.NoneLit):
        fits = isinstance(wanted, OptionalOf) or wanted == JSON
        return Const(None, NONE if wanted != JSON else JSON, place) if fits else None
    wanted = base(wanted)
    if not isinstance(wanted, Scalar):
        return None
    value = _value(literal, wanted.name, negative)
    return None if value is None else Const(value, wanted, place)


def _value(literal: Literal, name: model.ScalarName, negative: bool) -> ConstValue:
    match literal:
        case ast.IntLit(value=number):
            return _from_int(-number if negative else number, name)
        case ast.FloatLit(value=number, text=text):
            if name in ("float", "json"):
                return -number if negative else number
            if name == "decimal":
                from decimal import Decimal

                exact = Decimal(text.replace("_", ""))
                return exact.copy_negate() if negative else exact
        case ast.DurationLit():
            if name == "duration":
                return -length(literal) if negative else length(literal)
        case ast.BoolLit(value=truth):
            return truth if not negative and name in ("bool", "json") else None
        case ast.StrLit(value=text):
            return None if negative else _from_text(text, name)
        case ast.NoneLit():
            pass
    return None


def _from_int(number: int, name: model.ScalarName) -> ConstValue:
    if name in ("int", "json"):
        return number
    if name == "decimal":
        from decimal import Decimal

        return Decimal(number)
    if name == "float":
        try:
            return float(number)
        except OverflowError:
            return None
    return None


def _from_text(text: str, name: model.ScalarName) -> ConstValue:
    if name in ("str", "json"):
        return text
    try:
        if name == "date" and re.match(_DATE, text):
            from datetime import date

            return date.fromisoformat(text)
        if name == "datetime" and re.match(_DATETIME, text):
            from datetime import datetime

            return datetime.fromisoformat(text.upper())
        if name == "uuid" and re.match(_UUID, text):
            from uuid import UUID

            return UUID(text)
        if name == "bytes":
            return text.encode("utf-8")
    except ValueError:
        return None
    return None


def is_number(value: ConstValue) -> TypeGuard[model.Number]:
    """Whether a value is a number (or a truth, which Python counts among them)."""
    if isinstance(value, int | float):
        return True
    if value is None or isinstance(value, str | bytes):
        return False
    from decimal import Decimal

    return isinstance(value, Decimal)


def negated(value: ConstValue) -> ConstValue:
    """The value with the other sign; None for what has no sign."""
    if isinstance(value, int | float):
        return -value
    if value is None or isinstance(value, str | bytes):
        return None
    from datetime import timedelta
    from decimal import Decimal

    if isinstance(value, Decimal):
        return value.copy_negate()
    return -value if isinstance(value, timedelta) else None


def mixed(written: ast.Expr) -> bool:
    """Whether a literal holds values of several types side by side, so that only `json` fits it."""
    return _kind(written) is None


def _kind(written: ast.Expr) -> str | None:
    """A name for the type of a literal, "" if any fits, None if only `json` does."""
    written = strip(written)
    match written:
        case ast.NoneLit():
            return ""
        case ast.Unary(op="-", operand=operand):
            return _kind(operand)
        case ast.ListExpr(items=items):
            inside = _joined([_kind(item) for item in items])
            return None if inside is None else f"[{inside}]"
        case ast.DictExpr(items=items):
            inside = _joined([_kind(value) for _, value in items])
            return None if inside is None else f"{{{inside}}}"
        case _:
            return type(written).__name__


def _joined(kinds: list[str | None]) -> str | None:
    if None in kinds:
        return None
    different = {kind for kind in kinds if kind}
    if different == {"IntLit", "FloatLit"}:
        return "FloatLit"
    return None if len(different) > 1 else next(iter(different), "")


def strip(written: ast.Expr) -> ast.Expr:
    """The expression without the parentheses around it."""
    while isinstance(written, ast.Paren):
        written = written.inner
    return written


def bends(written: ast.Expr) -> bool:
    """Whether an expression takes its type from where it stands: literals, lists, dicts."""
    if isinstance(written, ast.Unary) and written.op == "-":
        return isinstance(strip(written.operand), ast.IntLit | ast.FloatLit)
    return isinstance(written, (*LITERALS, ast.ListExpr, ast.DictExpr)) and not isinstance(
        written, ast.NoneLit
    )


def whole(written: ast.Expr) -> int | None:
    """The value of a whole number, perhaps with a minus sign; None for anything else."""
    match written:
        case ast.IntLit(value=value):
            return value
        case ast.Unary(op="-", operand=ast.IntLit(value=value)):
            return -value
        case ast.Paren(inner=inner):
            return whole(inner)
        case _:
            return None


def number(written: ast.Expr) -> float | None:
    """The value of a number literal as a float; None for anything else, or if it is too large."""
    match written:
        case ast.IntLit(value=value) | ast.FloatLit(value=value):
            try:
                result = float(value)
            except OverflowError:
                return None
            return None if isinf(result) else result
        case ast.Unary(op="-", operand=operand):
            inner = number(operand)
            return None if inner is None else -inner
        case ast.Paren(inner=inner):
            return number(inner)
        case _:
            return None


def python_name(text: str) -> model.PythonName | None:
    """`module:name` taken apart, or None if it is not of that form."""
    if re.match(_PYTHON_NAME, text) is None or any(map(iskeyword, re.split(r"[.:]", text))):
        return None
    module, name = text.split(":")
    return model.PythonName(module, name)
