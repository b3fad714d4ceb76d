"""From a literal's value to Python, and the words by which an expression is known in messages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from .. import model as m
from .layout import Piece, call
from .text import bytes_literal, literal
from .unit import Unit

_LONGEST = 200  # characters of an expression that a message shows


def constant(unit: Unit, value: m.ConstValue, type_: m.Type) -> Piece:
    """A literal as Python; a whole number takes the number type that it is used as."""
    match value:
        case None | bool():
            return repr(value)
        case str():
            return literal(value)
        case bytes():
            return bytes_literal(value)
        case int():
            return _whole(unit, value, type_)
        case float():
            return number(value)
        case Decimal():
            return decimal(unit, value)
        case datetime():
            return call(f"{unit.std('datetime', 'datetime')}.fromisoformat", literal(value.isoformat()))
        case date():
            return call(unit.std("datetime", "date"), str(value.year), str(value.month), str(value.day))
        case timedelta():
            parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
            shown: dict[str, Piece] = {name: str(number) for name, number in parts.items() if number}
            return call(unit.std("datetime", "timedelta"), **shown)
        case UUID():
            return call(unit.std("uuid", "UUID"), literal(str(value)))
        case _:
            assert_never(value)


def _whole(unit: Unit, value: int, type_: m.Type) -> Piece:
    bare = type_.item if isinstance(type_, m.OptionalOf) else type_
    if bare == m.Scalar("float"):
        return number(float(value))
    if bare == m.Scalar("decimal"):
        return decimal(unit, Decimal(value))
    return str(value) if abs(value) < 10**4000 else hex(value)  # Python reads no longer decimal literals


def number(value: float) -> str:
    """A float literal, spelled as formatters leave it."""
    return repr(value).replace("e+", "e")


def decimal(unit: Unit, value: Decimal) -> Piece:
    """`Decimal(…)`, exact."""
    text = str(value)
    whole = text.removeprefix("-")
    plain = whole.isdecimal() and not (text[0] == "-" and not value) and len(whole) < 4000
    return call(unit.std("decimal", "Decimal"), text if plain else literal(text))


def text_of(expr: m.Expr) -> str:
    """The expression as written, on one line."""
    source, span = expr.place
    text = " ".join(source.text[span.start : span.end].split("\n"))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def place_of(expr: m.Expr) -> str:
    """`file:line:column`."""
    return str(expr.place)
