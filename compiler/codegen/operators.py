"""From operators and built-in functions to Python: its own where that is total, else the runtime's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import model as m
from .constants import constant
from .facts import Facts, is_none
from .layout import Bracket, Chain, Piece, Prefixed, Suffixed, call, flat, parens
from .types import base

if TYPE_CHECKING:
    from .expressions import Writer

_INT, _FLOAT, _DECIMAL = m.Scalar("int"), m.Scalar("float"), m.Scalar("decimal")
_TIMES = frozenset({m.Scalar("datetime"), m.Scalar("date"), m.Scalar("duration")})
_SUMS, _PRODUCTS = ("+", "-"), ("*",)
_DECIMAL_NAMES = {"+": "decimal_add", "-": "decimal_subtract", "*": "decimal_multiply"}
_TIME_NAMES = {"+": "time_add", "-": "time_subtract", "*": "time_scale", "/": "time_divide"}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"})
_NARROW = 60  # columns of a comparison that needs no parentheses beside `and` and `or`


def binary(writer: Writer, expr: m.Binary, facts: Facts) -> Piece:
    """A binary operator."""
    match expr.op:
        case "and" | "or":
            operands = _operands(writer, expr, facts)
            return Chain(tuple(operands), (expr.op,) * (len(operands) - 1))
        case "==" | "!=":
            return _equality(writer, expr, facts)
        case "<" | "<=" | ">" | ">=":
            left, right = writer.write(expr.left, facts), writer.write(expr.right, facts)
            if base(expr.left.type) == m.Scalar("datetime"):
                return Chain((writer.helper("time_order", expr, left, right), "0"), (expr.op,))
            return Chain((parens(left), parens(right)), (expr.op,))
        case "in" | "not in":
            left, right = writer.frozen(expr.left, facts), writer.write(expr.right, facts)
            return Chain((parens(left), parens(right)), (expr.op,))
        case "??":
            return _otherwise(writer, expr, facts)
        case _:
            return _arithmetic(writer, expr, facts)


def _operands(writer: Writer, expr: m.Binary, facts: Facts) -> list[Piece]:
    """The operands of `a and b and c`, each with what those before it make known."""
    found: list[Piece] = []
    for side in (expr.left, expr.right):
        if isinstance(side, m.Binary) and side.op == expr.op:
            found += _operands(writer, side, facts)
        else:
            piece = writer.write(side, facts)
            found.append(piece if compares(piece) and len(flat(piece)) <= _NARROW else parens(piece))
        if side is expr.left:
            facts = facts | writer.facts(expr.left, expr.op == "and")
    return found


def compares(piece: Piece) -> bool:
    """Whether a piece needs no parentheses beside `and`, `or`, `if`: a comparison, or `not …`."""
    match piece:
        case Chain(_, operators):
            return set(operators) <= _COMPARISONS
        case Prefixed(text):
            return text == "not "
        case _:
            return True


def _equality(writer: Writer, expr: m.Binary, facts: Facts) -> Piece:
    same = expr.op == "=="
    for one, other in ((expr.left, expr.right), (expr.right, expr.left)):
        if is_none(one):
            return Chain((parens(writer.write(other, facts)), "None"), ("is" if same else "is not",))
    for one, other in ((expr.left, expr.right), (expr.right, expr.left)):
        if isinstance(one, m.Const) and isinstance(one.value, bool):
            piece = parens(writer.write(other, facts))
            if other.type == m.Scalar("bool"):
                return piece if one.value is same else Prefixed("not ", piece)
            return Chain((piece, repr(one.value)), ("is" if same else "is not",))
    left, right = expr.left, expr.right
    if isinstance(base(left.type), m.ListOf):
        pieces = writer.frozen(left, facts), writer.frozen(right, facts)
    else:
        pieces = writer.write(left, facts), writer.write(right, facts)
    return Chain((parens(pieces[0]), parens(pieces[1])), (expr.op,))


def _otherwise(writer: Writer, expr: m.Binary, facts: Facts) -> Piece:
    if is_none(expr.left):
        return writer.write(expr.right, facts)
    left = writer.write(expr.left, facts)
    if not isinstance(expr.left.type, m.OptionalOf) and expr.left.type != m.Scalar("json"):
        return left
    right = writer.write(expr.right, facts)
    return writer.once(left, lambda name: (name, parens(right)))


# --- arithmetic -------------------------------------------------------------------------------------------


def _arithmetic(writer: Writer, expr: m.Binary, facts: Facts) -> Piece:
    kind, op = base(expr.type), expr.op
    if isinstance(kind, m.ListOf):
        return Bracket("(", tuple(joined(writer, expr, facts)), ")")
    left, right = writer.write(expr.left, facts), writer.write(expr.right, facts)
    types = {base(expr.left.type), base(expr.right.type)}
    if types & _TIMES:
        return writer.helper(_TIME_NAMES[op], expr, left, right)
    if kind == _DECIMAL:
        left, right = _as_decimal(writer, expr.left, left), _as_decimal(writer, expr.right, right)
    match op:
        case "/":
            return writer.helper("divide", expr, left, right)
        case "//":
            return writer.helper("floor_divide", expr, left, right)
        case "%":
            return writer.helper("modulo", expr, left, right)
        case _ if kind == _DECIMAL:
            return writer.helper(_DECIMAL_NAMES[op], expr, left, right)
        case _:
            return _chained(left, op, right)


def _chained(left: Piece, op: str, right: Piece) -> Piece:
    """`a + b`, or `a - b + c` where the left one is of the same rank."""
    rank = _SUMS if op in _SUMS else _PRODUCTS
    if isinstance(left, Chain) and set(left.operators) <= set(rank):
        return Chain((*left.operands, parens(right)), (*left.operators, op))
    return Chain((parens(left), parens(right)), (op,))


def _as_decimal(writer: Writer, expr: m.Expr, piece: Piece) -> Piece:
    if base(expr.type) != _INT:
        return piece
    if isinstance(expr, m.Const):
        return constant(writer.unit, expr.value, _DECIMAL)
    return call(writer.unit.std("decimal", "Decimal"), piece)


def joined(writer: Writer, expr: m.Expr, facts: Facts) -> list[Piece]:
    """The items of a list, those of lists in it with a star."""
    match expr:
        case m.Binary("+", left, right) if isinstance(base(expr.type), m.ListOf):
            return [*joined(writer, left, facts), *joined(writer, right, facts)]
        case m.MakeList() if isinstance(base(expr.type), m.ListOf):
            return writer.items(expr, facts)
        case _:
            return [Prefixed("*", parens(writer.write(expr, facts)))]


# --- functions --------------------------------------------------------------------------------------------


def function(writer: Writer, expr: m.Call, facts: Facts) -> Piece:
    """A built-in function."""
    name, args = expr.function, expr.args
    unit, lg = writer.unit, writer.unit.lg
    match name:
        case "contains":
            swapped = m.Binary("in", args[1], args[0], expr.type, expr.place)
            return binary(writer, swapped, facts)
        case "lower" | "upper" | "strip":
            return Suffixed(parens(writer.write(args[0], facts)), f".{name}()")
        case "startswith" | "endswith":
            argument = flat(writer.write(args[1], facts))
            return Suffixed(parens(writer.write(args[0], facts)), f".{name}({argument})")
        case "first" | "last":
            return call(f"{lg}.{name}", writer.write(args[0], facts), writer.write(args[1], facts))
        case "get":
            kind = base(args[0].type)
            suffix = "_item" if isinstance(kind, m.ListOf) else "" if isinstance(kind, m.DictOf) else "_json"
            return call(f"{lg}.get{suffix}", *(writer.write(arg, facts) for arg in args))
        case "min" | "max":
            return _extreme(writer, expr, facts)
        case _:
            pass
    first = writer.write(args[0], facts)
    match name:
        case "len" | "any" | "all":
            return call(unit.builtin(name), first)
        case "abs":
            if base(expr.type) == _DECIMAL:
                return Suffixed(parens(first), ".copy_abs()")
            return call(unit.builtin("abs"), first)
        case "sum":
            return _sum(writer, expr, first)
        case "round":
            if len(args) == 1:
                return writer.helper("round_whole", expr, first)
            return writer.helper("round_digits", expr, first, writer.write(args[1], facts))
        case "str":
            return first if base(args[0].type) == m.Scalar("str") else writer.helper("to_text", expr, first)
        case "int" | "float":
            return writer.helper(f"to_{name}", expr, first)
        case "keys":
            return call(unit.builtin("tuple"), first)
        case _:  # values
            return call(unit.builtin("tuple"), Suffixed(parens(first), ".values()"))


def _extreme(writer: Writer, expr: m.Call, facts: Facts) -> Piece:
    helper = "smallest" if expr.function == "min" else "largest"
    pieces = [writer.write(arg, facts) for arg in expr.args]
    if len(pieces) == 1:
        return writer.helper(helper, expr, pieces[0])
    if base(expr.type) == m.Scalar("datetime"):
        return writer.helper(helper, expr, Bracket("(", tuple(pieces), ")"))
    return call(writer.unit.builtin(expr.function), *pieces)


def _sum(writer: Writer, expr: m.Call, items: Piece) -> Piece:
    kind = base(expr.type)
    if kind == _FLOAT:
        return call(f"{writer.unit.lg}.float_sum", items)
    if kind == _DECIMAL:
        return writer.helper("decimal_sum", expr, items)
    return call(writer.unit.builtin("sum"), items)
