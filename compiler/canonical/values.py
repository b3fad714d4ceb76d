"""From types and constants to their canonical JSON, and the names that declarations go by in it.

Types: a scalar is its name (`"int"`); the others are lists: `["list", T]`, `["set", T]`, `["dict", K, V]`,
`["optional", T]`, `["enum", NAME]`, `["record", NAME]`, `["union", NAME]`, `["state", NAME]`.

Constants: `null`, `true`, `false`, strings as they are; integers as JSON numbers, or `["int", "DIGITS"]`
beyond 2**53 - 1; everything else tagged: `["float", "0.5"]` (ECMAScript's form, but `-0` keeps its sign: a
run can see it), `["decimal", "1.50"]`, `["bytes", HEX]`, `["datetime", ISO]`, `["date", ISO]`,
`["duration", MICROSECONDS]`, `["uuid", TEXT]`, `["enum", NAME, MEMBER]`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import assert_never
from uuid import UUID

from .. import model as m
from . import jcs
from .jcs import Json

_MICROSECOND = timedelta(microseconds=1)


class Labels:
    """Names of declarations without their files, handed out in the order of first mention.

    Two declarations of one name (from two files) become `Note` and `Note#2`. The form is walked in an order
    that depends on names and meaning only, and so do the labels: where a declaration stands changes nothing.
    """

    def __init__(self) -> None:
        self._labels: dict[m.Key, str] = {}
        self._counts: dict[str, int] = {}
        self.mentioned: list[m.Key] = []

    def __call__(self, key: m.Key) -> str:
        label = self._labels.get(key)
        if label is None:
            count = self._counts.get(key.name, 0) + 1
            self._counts[key.name] = count
            label = key.name if count == 1 else f"{key.name}#{count}"
            self._labels[key] = label
            self.mentioned.append(key)
        return label


def type_form(type_: m.Type, labels: Labels) -> Json:
    """The canonical JSON of a type."""
    match type_:
        case m.Scalar(name):
            return name
        case m.OptionalOf(item):
            return ["optional", type_form(item, labels)]
        case m.ListOf(item):
            return ["list", type_form(item, labels)]
        case m.SetOf(item):
            return ["set", type_form(item, labels)]
        case m.DictOf(key, value):
            return ["dict", type_form(key, labels), type_form(value, labels)]
        case m.EnumType(name):
            return ["enum", labels(name)]
        case m.RecordType(name):
            return ["record", labels(name)]
        case m.UnionType(name):
            return ["union", labels(name)]
        case m.StateType(name):
            return ["state", labels(name)]
        case m.OpaqueType(name):
            return ["opaque", name.name]
        case m.NoneOnly():
            return "none"
        case m.Unknown():
            return "unknown"
        case _:
            assert_never(type_)


# --- constants --------------------------------------------------------------------------------------------


def integer_form(value: int) -> Json:
    """An integer: a JSON number as far as every reader keeps it exactly."""
    if -jcs.LARGEST_INTEGER <= value <= jcs.LARGEST_INTEGER:
        return value
    return ["int", _digits(value)]


def _digits(value: int) -> str:
    """The decimal digits, also of numbers for which Python refuses `str`."""
    try:
        return str(value)
    except ValueError:
        return f"{'-' if value < 0 else ''}0x{abs(value):x}"


def float_form(value: float) -> Json:
    """A float, told apart from an integer and with the sign of a zero."""
    if value == 0:
        return ["float", "-0" if str(value)[0] == "-" else "0"]
    return ["float", jcs.number(value) if isfinite(value) else str(value)]


def bound_form(value: m.Number | None) -> Json:
    """One end of a constraint: a number to compare with, so that `1`, `1.0` and `1.00` are the same."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return _exact(value)
    if isfinite(value) and (whole := int(value)) == value:
        return integer_form(whole)
    return float_form(value)


def _exact(value: Decimal) -> Json:
    """A decimal without trailing zeros; an integer where it is one of less than 400 digits."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return ["decimal", str(value)]
    kept = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(kept)
    minus = "-" if sign and kept else ""
    if not kept:
        return 0
    if exponent >= 0 and exponent + len(kept) < 400:
        return integer_form(int(minus + kept + "0" * exponent))
    if -400 < exponent < 0:
        padded = kept.rjust(1 - exponent, "0")
        return ["decimal", f"{minus}{padded[:exponent]}.{padded[exponent:]}"]
    return ["decimal", f"{minus}{kept}e{exponent}"]


def constant_form(value: m.ConstValue, type_: m.Type) -> Json:
    """The canonical JSON of a literal's value; an integer takes the number type that it is used as."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return _whole_number(value, type_)
        case float():
            return float_form(value)
        case bytes():
            return ["bytes", value.hex()]
        case Decimal():
            return ["decimal", str(value)]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case timedelta():
            return ["duration", integer_form(value // _MICROSECOND)]
        case UUID():
            return ["uuid", str(value)]
        case _:
            assert_never(value)


def _whole_number(value: int, type_: m.Type) -> Json:
    bare = type_.item if isinstance(type_, m.OptionalOf) else type_
    if bare == m.Scalar("decimal"):
        return ["decimal", _digits(value)]
    if bare == m.Scalar("float"):
        try:
            return float_form(float(value))
        except OverflowError:
            return ["widen", integer_form(value)]
    return integer_form(value)
