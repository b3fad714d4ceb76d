"""From operators to functions: Python's own where that is total, else the runtime's, as in generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add, mul, sub
from typing import Any

from ..values.arithmetic import (
    decimal_add,
    decimal_multiply,
    decimal_subtract,
    divide,
    floor_divide,
    modulo,
    time_add,
    time_divide,
    time_order,
    time_scale,
    time_subtract,
)
from ..values.operations import frozen
from .made import Evaluate, Made
from .reading import Unfit, shown
from .types import NUMBERS, TIMES, UNKNOWN, Type, base, joined, kind_of

Told = Callable[[Any, Any, str, str], Any]

_DECIMALS: Mapping[str, Told] = {"+": decimal_add, "-": decimal_subtract, "*": decimal_multiply}
_TIMES: Mapping[str, Told] = {"+": time_add, "-": time_subtract, "*": time_scale, "/": time_divide}
_FALLIBLE: Mapping[str, Told] = {"/": divide, "//": floor_divide, "%": modulo}
_PLAIN: Mapping[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul}
ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%"})


# --- comparisons ------------------------------------------------------------------------------------------


def binary_of(op: str, left: Made, right: Made, text: str) -> Made:
    """`==`, `!=`, `<`, `<=`, `in`, `not in`."""
    match op:
        case "==" | "!=":
            return Made(_equality(op == "==", left, right), "bool")
        case "<" | "<=":
            return Made(_order(op == "<", left, right, text), "bool")
        case _:
            return Made(_membership(op == "in", left, right), "bool")


def _equality(same: bool, left: Made, right: Made) -> Evaluate:
    for one, other in ((left, right), (right, left)):
        # `1 == true` holds in Python; `none` and bools are told by what they are.
        if one.constant and (one.value is None or isinstance(one.value, bool)):
            return _identity(same, other.call, one.value)
    a, b = left.call, right.call
    if any(made.live and kind_of(base(made.type)) in ("list", UNKNOWN) for made in (left, right)):
        a, b = frozen_call(left), frozen_call(right)
    elif right.constant:
        value = right.value
        return (lambda s, p, r: a(s, p, r) == value) if same else (lambda s, p, r: a(s, p, r) != value)
    if same:
        return lambda s, p, r: a(s, p, r) == b(s, p, r)
    return lambda s, p, r: a(s, p, r) != b(s, p, r)


def _identity(same: bool, call: Evaluate, value: bool | None) -> Evaluate:
    if same:
        return lambda s, p, r: call(s, p, r) is value
    return lambda s, p, r: call(s, p, r) is not value


def _order(strict: bool, left: Made, right: Made, text: str) -> Evaluate:
    a, b = left.call, right.call
    kinds = {kind_of(base(left.type)), kind_of(base(right.type))}
    if "datetime" in kinds or kinds == {UNKNOWN}:
        limit = 0 if strict else 1

        def ordered(s: Any, p: Any, r: Any) -> bool:
            x, y = a(s, p, r), b(s, p, r)
            if isinstance(x, datetime) and isinstance(y, datetime):
                return time_order(x, y, text, "") < limit
            return bool(x < y) if strict else bool(x <= y)

        return ordered
    if strict:
        return lambda s, p, r: a(s, p, r) < b(s, p, r)
    return lambda s, p, r: a(s, p, r) <= b(s, p, r)


def _membership(inside: bool, left: Made, right: Made) -> Evaluate:
    a, b = frozen_call(left), right.call
    if inside:
        return lambda s, p, r: a(s, p, r) in b(s, p, r)
    return lambda s, p, r: a(s, p, r) not in b(s, p, r)


def frozen_call(made: Made) -> Evaluate:
    """The value as one that nothing changes any more."""
    call = made.call
    return (lambda s, p, r: frozen(call(s, p, r))) if made.live else call


# --- arithmetic -------------------------------------------------------------------------------------------


def chain_of(parts: Sequence[Made], operators: Sequence[str], text: str) -> Made:
    """`a + b - c`, done from left to right. Raises Unfit for operators that are none."""
    if any(op not in ARITHMETIC for op in operators):
        raise Unfit(f"{shown(list(operators))} are no operators of arithmetic")
    type_ = parts[0].type
    steps: list[tuple[Evaluate, Callable[[Any, Any], Any]]] = []
    for op, part in zip(operators, parts[1:], strict=True):
        if kind_of(base(type_)) == "list" or kind_of(base(part.type)) == "list":
            if op != "+":
                raise Unfit(f"`{op}` of lists")
            type_ = joined([type_, part.type])
            steps.append((part.call, _concatenated))
            continue
        steps.append((part.call, _step(op, base(type_), base(part.type), text)))
        type_ = result_of(op, base(type_), base(part.type))
    head = parts[0].call
    if len(steps) == 1:
        tail, step = steps[0]
        return Made(lambda s, p, r: step(head(s, p, r), tail(s, p, r)), type_)

    def chained(s: Any, p: Any, r: Any) -> Any:
        value = head(s, p, r)
        for call, step in steps:
            value = step(value, call(s, p, r))
        return value

    return Made(chained, type_)


def _concatenated(left: Any, right: Any) -> Any:
    return (*left, *right)


def result_of(op: str, a: Type, b: Type) -> Type:
    """The type of `a op b` for an arithmetic operator; unknown where there is none."""
    if a in NUMBERS and b in NUMBERS:
        if a == b == "int":
            return "float" if op == "/" else "int"
        return "decimal" if "decimal" in (a, b) else "float"
    match op, a, b:
        case "+", ("str" | "bytes"), _ if a == b:
            return a
        case (("+" | "-"), "duration", "duration"):
            return "duration"
        case ("+", "datetime", "duration") | ("+", "duration", "datetime") | ("-", "datetime", "duration"):
            return "datetime"
        case ("-", "datetime", "datetime") | ("-", "date", "date"):
            return "duration"
        case "/", "duration", "duration":
            return "float"
        case (("*" | "/"), _, _) if "duration" in (a, b):
            return "duration"
        case _:
            return UNKNOWN


def _step(op: str, a: Type, b: Type, text: str) -> Callable[[Any, Any], Any]:
    """One operation on two values."""
    if a in TIMES or b in TIMES:
        return _told(_time_of(op), text)
    if UNKNOWN in (a, b) or kind_of(a) == "json" or kind_of(b) == "json":
        return lambda x, y: combined(op, x, y, text)
    if "decimal" in (a, b):
        return _of_decimals(op, text)
    if op in _FALLIBLE:
        return _told(_FALLIBLE[op], text)
    if op == "*" and not {a, b} <= NUMBERS:
        raise Unfit("`*` of what are no numbers")
    return _PLAIN[op]


def _time_of(op: str) -> Told:
    if op not in _TIMES:
        raise Unfit(f"`{op}` of times")
    return _TIMES[op]


def _told(function: Told, text: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: function(x, y, text, "")


def _of_decimals(op: str, text: str) -> Callable[[Any, Any], Any]:
    function = _DECIMALS.get(op) or _FALLIBLE[op]

    def step(x: Any, y: Any) -> Any:
        return function(
            Decimal(x) if isinstance(x, int) else x, Decimal(y) if isinstance(y, int) else y, text, ""
        )

    return step


def combined(op: str, x: Any, y: Any, text: str) -> Any:
    """`x op y` where only the values tell what is meant. Raises EvaluationError, TypeError."""
    if isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)) and op == "+":
        return _concatenated(x, y)
    if isinstance(x, (timedelta, date)) or isinstance(y, (timedelta, date)):
        return _time_of(op)(x, y, text, "")
    if isinstance(x, Decimal) or isinstance(y, Decimal):
        return _of_decimals(op, text)(x, y)
    if op in _FALLIBLE:
        return _FALLIBLE[op](x, y, text, "")
    if op == "*" and not (isinstance(x, (int, float)) and isinstance(y, (int, float))):
        raise TypeError("`*` of what are no numbers")
    return _PLAIN[op](x, y)


def negative_of(part: Made, text: str) -> Made:
    """`-x`."""
    call = part.call

    def negative(s: Any, p: Any, r: Any) -> Any:
        value = call(s, p, r)
        if isinstance(value, Decimal):
            return value.copy_negate()
        if isinstance(value, timedelta):
            return time_scale(value, -1, text, "")
        return -value

    return Made(negative, base(part.type))
