"""From typed expressions to their canonical JSON: what they mean, without how they were spelled.

Constants are written as `canonical_values` says; everything else is a list that begins with its operator:

    ["field", f]  ["param", p]  ["item", x]  ["visits", node]  ["steps"]
    ["attr", x, f]  ["attr?", x, f]  ["index", x, k]  ["call", FUNCTION, args…]
    ["record", NAME, {field: e}]  ["list", …]  ["set", …]  ["dict", [k, v], …]
    ["not", x]  ["neg", x]  ["widen", x]  ["is", x, NAME]  ["if", condition, then, otherwise]
    ["or", …]  ["and", …]  ["??", …]     any number of operands: these group either way with one meaning
    ["left", a, "+", b, "-", c, …]       arithmetic, done from left to right; another grouping is nested
    ["==", a, b]  "!="  "<"  "<="  "in"  "not in"

What is normalised, and nothing else: `a > b` is `b < a`, `a >= b` is `b <= a`; a minus before a literal
belongs to it; an integer literal where a float is wanted is that float; the constant items of a set are
sorted. A dict's entries keep their order: `keys(d)` shows it.

The conversion keeps its own stack: depth of nesting is no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import assert_never

from .. import model as m
from . import jcs
from .jcs import Json
from .values import Labels, constant_form, float_form

_MIRRORED = {">": "<", ">=": "<="}


def expression_form(root: m.Expr, labels: Labels) -> Json:
    """The canonical JSON of an expression."""
    parts = _parts(root)
    if not any(map(_parts, parts)):  # most guards compare a field with a constant
        return _build(root, [_build(part, (), labels) for part in reversed(parts)], labels)
    order: list[tuple[m.Expr, int]] = []
    stack = [root]
    while stack:
        expr = stack.pop()
        parts = _parts(expr)
        order.append((expr, len(parts)))
        stack.extend(parts)
    values: list[Json] = []  # of what stands behind in `order`; the first part of an expression is on top
    for expr, count in reversed(order):
        if count:
            taken = values[: -count - 1 : -1]
            del values[-count:]
            values.append(_build(expr, taken, labels))
        else:
            values.append(_build(expr, (), labels))
    return values[0]


def _parts(expr: m.Expr) -> Sequence[m.Expr]:
    """The expressions inside, in reverse canonical order."""
    match expr:
        case m.Const() | m.EnumConst() | m.FieldRef() | m.ParamRef() | m.ItemRef() | m.Visits() | m.Steps():
            return ()
        case m.Binary(op, left, right):
            return (left, right) if op in _MIRRORED else (right, left)
        case m.Unary(_, operand) | m.IsRecord(operand) | m.Widen(operand):
            return (operand,)
        case m.Attr(base):
            return (base,)
        case m.Index(base, key):
            return (key, base)
        case m.Call(_, args):
            return args[::-1]
        case m.MakeRecord(_, fields):
            return [value for _, value in sorted(fields, key=_first, reverse=True)]
        case m.MakeList(items):
            return items[::-1]
        case m.MakeDict(entries):
            return [part for key, value in reversed(entries) for part in (value, key)]
        case m.Conditional(then, condition, otherwise):
            return (otherwise, then, condition)
        case _:
            assert_never(expr)


def _first(pair: tuple[str, object]) -> str:
    return pair[0]


def _build(expr: m.Expr, parts: Sequence[Json], labels: Labels) -> Json:
    """The form of one expression from the forms of its parts, which are in canonical order."""
    match expr:
        case m.FieldRef(name):
            return ["field", name]
        case m.Const(value, type_):
            return constant_form(value, type_)
        case m.EnumConst(enum, member):
            return ["enum", labels(enum), member]
        case m.ParamRef(name):
            return ["param", name]
        case m.ItemRef(name):
            return ["item", name]
        case m.Visits(node):
            return ["visits", node]
        case m.Steps():
            return ["steps"]
        case m.Binary(op):
            return binary_form(op, parts[0], parts[1])
        case m.Unary(op, operand):
            return _negative(operand, parts[0]) if op == "-" else ["not", parts[0]]
        case m.Widen():
            return _widened(parts[0])
        case m.IsRecord(_, record):
            return ["is", parts[0], labels(record)]
        case m.Attr(_, name, safe):
            return ["attr?" if safe else "attr", parts[0], name]
        case m.Index():
            return ["index", *parts]
        case m.Call(function):
            return ["call", function, *parts]
        case m.MakeRecord(record, fields):
            names = sorted(name for name, _ in fields)
            return ["record", labels(record), dict(zip(names, parts, strict=True))]
        case m.MakeList(items, type_):
            return _collection(items, type_, parts)
        case m.MakeDict():
            return ["dict", *([parts[i], parts[i + 1]] for i in range(0, len(parts), 2))]
        case m.Conditional():
            return ["if", *parts]
        case _:
            assert_never(expr)


def binary_form(op: str, left: Json, right: Json) -> Json:
    """The form of an operator between two operands."""
    match op:
        case "and" | "or" | "??":
            return [op, *_operands(op, left), *_operands(op, right)]
        case "+" | "-" | "*" | "/" | "//" | "%":
            return ["left", *_operands("left", left), op, right]
        case _:
            return [_MIRRORED.get(op, op), left, right]


def _operands(op: str, value: Json) -> Sequence[Json]:
    """What an operand adds to a longer operation: its own operands where it is of the same kind."""
    if isinstance(value, list) and value and value[0] == op:
        return value[1:]
    return (value,)


def _negative(operand: m.Expr, form: Json) -> Json:
    """A minus sign; before a literal it is a part of the literal."""
    if isinstance(operand, m.Const):
        match operand.value:
            case bool():
                pass
            case Decimal() as value:
                return constant_form(value.copy_negate(), operand.type)
            case int() | float() | timedelta() as value:
                return constant_form(-value, operand.type)
            case _:
                pass
    return ["neg", form]


def _widened(form: Json) -> Json:
    """An `int` as a float: a literal becomes the float itself."""
    if isinstance(form, int) and not isinstance(form, bool):
        return float_form(float(form))
    return ["widen", form]


def _collection(items: Sequence[m.Expr], type_: m.Type, parts: Sequence[Json]) -> Json:
    bare = type_.item if isinstance(type_, m.OptionalOf) else type_
    if not isinstance(bare, m.SetOf):
        return ["list", *parts]
    if all(_is_constant(item) for item in items):
        distinct = {jcs.write(part): part for part in parts}
        return ["set", *(distinct[text] for text in sorted(distinct))]
    return ["set", *parts]


def _is_constant(expr: m.Expr) -> bool:
    while isinstance(expr, m.Unary | m.Widen):
        expr = expr.operand
    return isinstance(expr, m.Const | m.EnumConst)
