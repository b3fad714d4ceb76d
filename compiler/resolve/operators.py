"""From two typed operands to the type of what an operator makes of them.

Arithmetic: numbers of one kind; an `int` beside a `float` becomes one, beside a `decimal` it counts as
one; `float` and `decimal` do not mix. `+` also joins two str, two bytes, two lists. Durations add,
subtract, divide, and multiply by numbers; `datetime ± duration` is a datetime, `datetime - datetime` and
`date - date` are durations. `==` and `!=` take two values of which one could be the other, and optionals;
`<` … two numbers, str, dates, datetimes or durations. `in` takes an item and a list or set, a key and a
dict, or two str.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...dsl import ast
from ...dsl.source import Place
from .. import model
from ..model import Const, DictOf, Expr, ListOf, NoneOnly, OptionalOf, Scalar, SetOf, Type, Unknown
from ..narrowing import Facts, path_of
from ..types import (
    BOOL,
    BYTES,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    FLOAT,
    INT,
    NUMBERS,
    ORDERED,
    STR,
    UNKNOWN,
    base,
    may_be_none,
    optional,
    show,
)
from .constants import bends, fit, negated, strip

if TYPE_CHECKING:
    from .expressions import Typer

_MIXED: dict[tuple[str, Type, Type], Type] = {
    ("+", STR, STR): STR,
    ("+", BYTES, BYTES): BYTES,
    ("+", DURATION, DURATION): DURATION,
    ("+", DATETIME, DURATION): DATETIME,
    ("+", DURATION, DATETIME): DATETIME,
    ("-", DURATION, DURATION): DURATION,
    ("-", DATETIME, DURATION): DATETIME,
    ("-", DATETIME, DATETIME): DURATION,
    ("-", DATE, DATE): DURATION,
    ("*", DURATION, INT): DURATION,
    ("*", INT, DURATION): DURATION,
    ("*", DURATION, FLOAT): DURATION,
    ("*", FLOAT, DURATION): DURATION,
    ("/", DURATION, INT): DURATION,
    ("/", DURATION, FLOAT): DURATION,
    ("/", DURATION, DURATION): FLOAT,
}

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})


def unary(typer: Typer, written: ast.Unary, place: Place, facts: Facts, wanted: Type | None) -> Expr:
    """`-x`, `not x`."""
    if written.op == "not":
        operand = typer.condition(written.operand, "`not`", facts)
        return model.Unary("not", operand, BOOL, place)
    inner = strip(written.operand)
    if isinstance(inner, ast.IntLit | ast.FloatLit | ast.DurationLit):
        natural: Type = INT if isinstance(inner, ast.IntLit) else FLOAT
        if isinstance(inner, ast.DurationLit):
            natural = DURATION
        fitted = fit(inner, wanted, place, negative=True) if wanted is not None else None
        return fitted or fit(inner, natural, place, negative=True) or typer.hole(place)
    operand = typer.infer(written.operand, facts, wanted)
    type = typer.solid(operand)
    if type not in NUMBERS and type != DURATION and not isinstance(type, Unknown):
        message = f"`-` takes a number or a `duration`, but {typer.text(operand.place)} is `{show(type)}`"
        typer.error(typer.mismatch, message, operand.place.span)
        return typer.hole(place)
    if isinstance(operand, Const):
        value = negated(operand.value)
        if value is not None:
            return Const(value, type, place)
    return model.Unary("-", operand, type, place)


def binary(typer: Typer, written: ast.Binary, place: Place, facts: Facts, wanted: Type | None) -> Expr:
    """Two operands and the operator between them."""
    if (
        written.op in _COMPARISONS
        and isinstance(written.left, ast.Binary)
        and written.left.op in _COMPARISONS
    ):
        typer.infer(written.left, facts)  # a chain of comparisons: the parser reports it
        typer.infer(written.right, facts)
        return typer.hole(place)
    match written.op:
        case "and" | "or":
            left = typer.condition(written.left, f"`{written.op}`", facts)
            holds = written.op == "and"
            known = typer.row.narrow(left, holds, typer.rules)
            right = typer.condition(written.right, f"`{written.op}`", facts | known if known else facts)
            typer.row.keep(left, holds, known)
            return model.Binary(written.op, left, right, BOOL, place)
        case "==" | "!=":
            left, right = _pair(typer, written, facts)
            _equality(typer, written, left, right, facts)
            return model.Binary(written.op, left, right, BOOL, place)
        case "<" | "<=" | ">" | ">=":
            left, right = _pair(typer, written, facts)
            _order(typer, written, left, right)
            return model.Binary(written.op, left, right, BOOL, place)
        case "in" | "not in":
            return _membership(typer, written, place, facts)
        case "??":
            return _otherwise(typer, written, place, facts, wanted)
        case _:
            return _arithmetic(typer, written, place, facts)


def _pair(typer: Typer, written: ast.Binary, facts: Facts) -> tuple[Expr, Expr]:
    """Both operands, where a literal takes its type from the other side."""
    left_bends, right_bends = bends(strip(written.left)), bends(strip(written.right))
    if left_bends and not right_bends:
        right = typer.infer(written.right, facts)
        return typer.infer(written.left, facts, _hint(right.type)), right
    left = typer.infer(written.left, facts)
    return left, typer.infer(written.right, facts, _hint(left.type) if right_bends else None)


def _hint(type: Type) -> Type | None:
    type = base(type)
    return None if isinstance(type, Unknown | NoneOnly) else type


def _equality(typer: Typer, written: ast.Binary, left: Expr, right: Expr, facts: Facts) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and isinstance(one.type, NoneOnly):
            if not _can_be_none(other, facts):
                message = f"{typer.text(other.place)} is `{show(other.type)}`, which is never none"
                typer.error("LG201", message, written.span)
            return
    if not typer.rules.comparable(left.type, right.type):
        _differ(typer, written, left, right)


def _can_be_none(expr: Expr, facts: Facts) -> bool:
    return may_be_none(expr.type) or path_of(expr) in facts  # it could be before it was narrowed


def _differ(typer: Typer, written: ast.Binary, left: Expr, right: Expr) -> None:
    message = f"`{written.op}` cannot compare `{show(left.type)}` with `{show(right.type)}`"
    help = ""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const):
            help = help or typer.member_help(one, other.type)
    typer.error("LG201", message, written.span, help)


def _order(typer: Typer, written: ast.Binary, left: Expr, right: Expr) -> None:
    a, b = typer.solid(left), typer.solid(right)
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return
    for operand, type in ((left, a), (right, b)):
        if type not in ORDERED:
            message = f"{typer.text(operand.place)} is `{show(type)}`, which has no order for `{written.op}`"
            typer.error("LG201", message, written.span)
            return
    if not typer.rules.comparable(a, b):
        _differ(typer, written, left, right)


def _membership(typer: Typer, written: ast.Binary, place: Place, facts: Facts) -> Expr:
    collection = strip(written.right)
    if isinstance(collection, ast.ListExpr):
        left = typer.infer(written.left, facts)
        hint = _hint(left.type)
        right = typer.infer(collection, facts, None if hint is None else ListOf(hint))
    else:
        right = typer.infer(written.right, facts)
        hint = _item(right.type) if bends(strip(written.left)) else None
        left = typer.infer(written.left, facts, hint)
    type = typer.solid(right)
    item = _item(type)
    if item is None:
        message = f"`{written.op}` looks into a list, set, dict or str, but {typer.text(right.place)} is "
        typer.error("LG201", message + f"`{show(type)}`", right.place.span)
    elif type == STR and typer.solid(left) not in (STR, UNKNOWN):
        _differ(typer, written, left, right)
    elif isinstance(left.type, NoneOnly):
        if not isinstance(item, OptionalOf | Unknown):
            typer.error("LG201", f"the items are `{show(item)}`, which is never none", written.span)
    elif not typer.rules.comparable(left.type, item):
        message = f"{typer.text(left.place)} is `{show(left.type)}`, but the items are `{show(item)}`"
        typer.error("LG201", message, written.span)
    return model.Binary(written.op, left, right, BOOL, place)


def _item(type: Type) -> Type | None:
    match base(type):
        case ListOf(item) | SetOf(item) | DictOf(item, _):
            return item
        case Scalar("str"):
            return STR
        case Unknown():
            return UNKNOWN
        case _:
            return None


def _otherwise(typer: Typer, written: ast.Binary, place: Place, facts: Facts, wanted: Type | None) -> Expr:
    """`X ?? Y`."""
    left = typer.infer(written.left, facts, None if wanted is None else optional(wanted))
    inner = base(left.type)
    if not _can_be_none(left, facts):
        message = f"{typer.text(left.place)} is `{show(left.type)}`, which is never none"
        typer.error("LG201", message, written.span, "leave out `??` and what follows")
    right = typer.infer(written.right, facts, wanted if isinstance(inner, NoneOnly | Unknown) else inner)
    if isinstance(inner, NoneOnly):
        return model.Binary("??", left, right, right.type, place)
    if typer.rules.assignable(base(right.type), inner):
        type = optional(inner) if isinstance(right.type, OptionalOf | NoneOnly) else inner
        return model.Binary("??", left, typer.widened(right, inner), type, place)
    if typer.rules.assignable(inner, base(right.type)) and inner != INT:
        return model.Binary("??", left, right, right.type, place)
    typer.mismatched(right, inner, f"`??` after {typer.text(left.place)}")
    return model.Binary("??", left, right, UNKNOWN, place)


def _arithmetic(typer: Typer, written: ast.Binary, place: Place, facts: Facts) -> Expr:
    left, right = _pair(typer, written, facts)
    a, b = typer.solid(left), typer.solid(right)
    type = result(written.op, a, b)
    if type is None and written.op == "+" and isinstance(a, ListOf) and isinstance(b, ListOf):
        type = typer.rules.join(a, b)
    if type is None:
        message = f"`{written.op}` cannot combine `{show(a)}` with `{show(b)}`"
        help = ""
        if STR in (a, b) and written.op == "+" and {a, b} & NUMBERS:
            help = "make the number text: `str(…)`"
        elif {a, b} == {FLOAT, DECIMAL}:
            help = "`float` and `decimal` do not mix"
        elif isinstance(a, SetOf | DictOf) and written.op in ("+", "-"):
            help = "write it as an update: `f += …`, `f -= …`"
        typer.error(typer.mismatch, message, written.span, help)
        return typer.hole(place)
    if type == FLOAT and {a, b} == {INT, FLOAT}:
        left, right = typer.widened(left, FLOAT), typer.widened(right, FLOAT)
    return model.Binary(written.op, left, right, type, place)


def result(op: str, a: Type, b: Type) -> Type | None:
    """The type of `a op b` for an arithmetic operator, None if there is none (lists apart)."""
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return UNKNOWN
    if a in NUMBERS and b in NUMBERS:
        if {a, b} == {FLOAT, DECIMAL}:
            return None
        if a == b == INT:
            return FLOAT if op == "/" else INT
        return DECIMAL if DECIMAL in (a, b) else FLOAT
    return _MIXED.get((op, a, b))
