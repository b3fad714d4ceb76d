"""From an expression to what its value can be, beside its type: finite, within bounds."""

from __future__ import annotations

from .. import model
from ..model import Expr
from ..types import FLOAT, INT, base
from .scales import Scale, Whole

FINITE, ENDLESS, ANY = range(3)
"""What a float can be: finite; infinite too; not a number too."""


def finite(expr: Expr) -> int:
    """What a float expression can be; the values of states and what `float` gives are finite."""
    if base(expr.type) != FLOAT:
        return FINITE
    match expr:
        case model.Unary(_, operand):
            return finite(operand)
        case model.Binary(op, left, right):
            return _of_two(op, finite(left), finite(right))
        case model.Conditional(then, _, otherwise):
            return max(finite(then), finite(otherwise))
        case model.Call("abs" | "round" | "min" | "max" | "get" | "first" | "last", args):
            return max(map(finite, args))
        case model.Call("sum", (model.FieldRef() | model.Attr(),)):
            return ENDLESS
        case model.Call("float") | model.Widen() | model.Const() | model.FieldRef() | model.Attr():
            return FINITE
        case model.ParamRef() | model.ItemRef():
            return FINITE
        case model.Index(owner):
            return FINITE if isinstance(owner, model.FieldRef | model.Attr) else ANY
        case _:
            return ANY


def bounded(expr: Expr) -> Scale | None:
    """The scale of what a function or an operator can give, where that is less than its type."""
    match expr:
        case model.Call("len"):
            return Whole(0)
        case model.Call("abs", type=type) if type == INT:
            return Whole(0)
        case model.Binary("%", _, model.Const(int() as by), type) if type == INT and by > 0:
            return Whole(0, by - 1)
        case _:
            return None


def _of_two(op: str, left: int, right: int) -> int:
    if op == "??":
        return max(left, right)
    if ANY in (left, right) or left == right == ENDLESS:
        return ANY
    if op in ("*", "//", "%") and ENDLESS in (left, right):
        return ANY  # nothing times infinity
    return FINITE if op == "%" else ENDLESS
