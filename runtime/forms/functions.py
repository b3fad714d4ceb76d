"""From calls of built-in functions to Python, as in generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from ..values.arithmetic import decimal_sum, float_sum, round_digits, round_whole
from ..values.operations import (
    first,
    get_item,
    get_json,
    largest,
    last,
    smallest,
    to_float,
    to_int,
    to_text,
)
from .made import Evaluate, Made
from .operators import frozen_call
from .reading import Unfit, shown
from .types import UNKNOWN, Type, base, item_of, joined, kind_of, value_of

# How many arguments, least and most; None: any number.
_COUNTS: Mapping[str, tuple[int, int | None]] = {
    "len": (1, 1), "abs": (1, 1), "min": (1, None), "max": (1, None), "sum": (1, 1), "round": (1, 2),
    "str": (1, 1), "int": (1, 1), "float": (1, 1), "lower": (1, 1), "upper": (1, 1), "strip": (1, 1),
    "startswith": (2, 2), "endswith": (2, 2), "contains": (2, 2), "get": (3, 3), "first": (2, 2),
    "last": (2, 2), "keys": (1, 1), "values": (1, 1), "any": (1, 1), "all": (1, 1),
}  # fmt: skip


def call_of(name: Any, args: Sequence[Made], text: str) -> Made:
    """A call. Raises Unfit for a function that there is not, or a wrong number of arguments."""
    if not isinstance(name, str) or name not in _COUNTS:
        raise Unfit(f"there is no function {shown(name)}")
    least, most = _COUNTS[name]
    if len(args) < least or (most is not None and len(args) > most):
        raise Unfit(f"`{name}` with {len(args)} arguments")
    match name:
        case "contains":
            a, b = args[0].call, frozen_call(args[1])
            return Made(lambda s, p, r: _in(a(s, p, r), b(s, p, r)), "bool")
        case "get":
            return _get(args)
        case "first" | "last":
            call = _two(first if name == "first" else last, args)
            # As in generated code, only what the default is tells whether the value may be a live one.
            return Made(call, joined([args[1].type, item_of(args[0].type)]), args[1].live)
        case "min" | "max":
            return _extreme(name, args, text)
        case "sum":
            return _sum(args[0], text)
        case "round":
            return _round(args, text)
        case _:
            return _simple(name, args, text)


def _in(collection: Any, value: Any) -> bool:
    return value in collection


def _two(function: Callable[[Any, Any], Any], args: Sequence[Made]) -> Evaluate:
    a, b = args[0].call, args[1].call
    return lambda s, p, r: function(a(s, p, r), b(s, p, r))


def _get(args: Sequence[Made]) -> Made:
    owner, key, default = (arg.call for arg in args)
    kind = kind_of(base(args[0].type))
    find = _GETTERS.get(kind, _get_any)
    return Made(
        lambda s, p, r: find(owner(s, p, r), key(s, p, r), default(s, p, r)),
        "json" if kind == "json" else joined([args[2].type, value_of(args[0].type)]),
        args[2].live,
    )


def _get_entry(items: Any, key: Any, default: Any) -> Any:
    return items.get(key, default)


def _get_any(owner: Any, key: Any, default: Any) -> Any:
    if isinstance(owner, dict):
        return _get_entry(owner, key, default)
    if isinstance(owner, (list, tuple)):
        return get_item(cast("Sequence[Any]", owner), key, default)
    return get_json(owner, key, default)


_GETTERS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "list": get_item,
    "dict": _get_entry,
    "json": get_json,
}


def _extreme(name: str, args: Sequence[Made], text: str) -> Made:
    helper: Callable[[Any, str, str], Any] = smallest if name == "min" else largest
    plain: Callable[..., Any] = min if name == "min" else max
    if len(args) == 1:
        items = args[0].call
        return Made(lambda s, p, r: helper(items(s, p, r), text, ""), item_of(args[0].type))
    calls = [arg.call for arg in args]

    def extreme(s: Any, p: Any, r: Any) -> Any:
        values = tuple([call(s, p, r) for call in calls])
        return helper(values, text, "") if isinstance(values[0], datetime) else plain(*values)

    return Made(extreme, joined([base(arg.type) for arg in args]))


def _sum(items: Made, text: str) -> Made:
    call, kind = items.call, item_of(items.type)
    if kind == "float":
        return Made(lambda s, p, r: float_sum(call(s, p, r)), kind)
    if kind == "decimal":
        return Made(lambda s, p, r: decimal_sum(call(s, p, r), text, ""), kind)
    if kind != UNKNOWN:
        return Made(lambda s, p, r: sum(call(s, p, r)), kind)

    def summed(s: Any, p: Any, r: Any) -> Any:
        values = call(s, p, r)
        if any(isinstance(value, Decimal) for value in values):
            return decimal_sum([Decimal(v) if isinstance(v, int) else v for v in values], text, "")
        return float_sum(values) if any(isinstance(value, float) for value in values) else sum(values)

    return Made(summed, UNKNOWN)


def _round(args: Sequence[Made], text: str) -> Made:
    a = args[0].call
    if len(args) == 1:
        return Made(lambda s, p, r: round_whole(a(s, p, r), text, ""), "int")
    b = args[1].call
    return Made(lambda s, p, r: round_digits(a(s, p, r), b(s, p, r), text, ""), base(args[0].type))


def _abs(value: Any) -> Any:
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def _lower(value: Any) -> Any:
    return value.lower()


def _upper(value: Any) -> Any:
    return value.upper()


def _strip(value: Any) -> Any:
    return value.strip()


def _values(value: Any) -> Any:
    return tuple(value.values())


# Of functions with one argument that cannot fail: what computes them, and what they give where that is known.
_ONE: Mapping[str, tuple[Callable[[Any], Any], Type]] = {
    "len": (len, "int"), "any": (any, "bool"), "all": (all, "bool"), "abs": (_abs, UNKNOWN),
    "lower": (_lower, "str"), "upper": (_upper, "str"), "strip": (_strip, "str"),
    "keys": (tuple, UNKNOWN), "values": (_values, UNKNOWN),
}  # fmt: skip
_CONVERSIONS: Mapping[str, Callable[[Any, str, str], Any]] = {
    "str": to_text,
    "int": to_int,
    "float": to_float,
}


def _simple(name: str, args: Sequence[Made], text: str) -> Made:
    a, given = args[0].call, args[0].type
    if name in _CONVERSIONS:
        convert = _CONVERSIONS[name]
        return Made(lambda s, p, r: convert(a(s, p, r), text, ""), name)
    if name in _ONE:
        function, type_ = _ONE[name]
        if name in ("keys", "values"):
            type_ = ("list", item_of(given) if name == "keys" else value_of(given))
        return Made(lambda s, p, r: function(a(s, p, r)), base(given) if name == "abs" else type_)
    starts = name == "startswith"
    call = _two(lambda x, y: x.startswith(y) if starts else x.endswith(y), args)
    return Made(call, "bool")
