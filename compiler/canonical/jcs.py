"""From JSON values to the one text that RFC 8785 gives them.

The canonical text has no spaces, sorts the keys of every object by their UTF-16 code units, escapes only what
must be escaped, and writes numbers as ECMAScript does. Integers beyond 2**53 - 1 have no exact form there:
they are refused, so a writer of large integers has to spell them as strings. So are NaN, the infinities and
strings with half a surrogate pair, which have no UTF-8 form.

`write` keeps its own stack, so that depth of nesting is no limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from math import isfinite
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

LARGEST_INTEGER = 2**53 - 1


class _Written(str):
    """Text that is already JSON: brackets, commas and keys on the writer's stack."""

    __slots__ = ()


_COMMA, _CLOSE_LIST, _CLOSE_OBJECT = _Written(","), _Written("]"), _Written("}")


def write(value: Json) -> str:
    """The RFC 8785 text of a JSON value.

    Raises:
        ValueError: the value has no canonical form (NaN, infinity, integer too large, lone surrogate).
        TypeError: something in it is not JSON.
    """
    out: list[str] = []
    stack: list[Json] = [value]
    while stack:
        item = stack.pop()
        match item:
            case _Written():
                out.append(item)
            case None:
                out.append("null")
            case bool():
                out.append("true" if item else "false")
            case str():
                out.append(string(item))
            case int():
                out.append(integer(item))
            case float():
                out.append(number(item))
            case Mapping():
                out.append("{")
                _push_object(stack, item)
            case Sequence():
                out.append("[")
                _push_list(stack, item)
            case _:
                raise TypeError(f"not a JSON value: {type(item).__name__}")
    return "".join(out)


def _push_list(stack: list[Json], items: Sequence[Json]) -> None:
    stack.append(_CLOSE_LIST)
    for index in range(len(items) - 1, -1, -1):
        stack.append(items[index])
        if index:
            stack.append(_COMMA)


def _push_object(stack: list[Json], items: Mapping[str, Json]) -> None:
    stack.append(_CLOSE_OBJECT)
    keys = sorted(items, key=_utf16)
    for index in range(len(keys) - 1, -1, -1):
        stack.append(items[keys[index]])
        stack.append(_Written(("," if index else "") + string(keys[index]) + ":"))


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"not a JSON key: {type(key).__name__}")
    return key.encode("utf-16-be", "surrogatepass")


def string(value: str) -> str:
    """A JSON string with the escapes of RFC 8785, quotes included.

    Raises:
        ValueError: the text holds half of a surrogate pair.
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a string with half of a surrogate pair has no canonical form") from error
    return encode_basestring(value)


def integer(value: int) -> str:
    """An integer as a JSON number.

    Raises:
        ValueError: it is larger than what every reader of JSON keeps exactly.
    """
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise ValueError("an integer beyond 2**53 - 1 has no exact canonical form")
    return str(value)


@lru_cache(maxsize=1_024)
def number(value: float) -> str:
    """A float as ECMAScript's `Number::toString` writes it (so `-0.0` is `0`).

    Raises:
        ValueError: NaN or an infinity.
    """
    if not isfinite(value):
        raise ValueError("NaN and the infinities have no canonical form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = whole + fraction
    point = len(whole) + int(exponent or "0")  # the decimal point stands behind so many digits
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return sign + _place(stripped.rstrip("0"), point)


def _place(digits: str, point: int) -> str:
    """Put the point into (or zeros around) the shortest digits, or write an exponent."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = point - 1
    tail = ("." + digits[1:]) if count > 1 else ""
    return f"{digits[0]}{tail}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
