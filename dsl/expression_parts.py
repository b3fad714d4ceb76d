"""From types and expressions of the tree to parts for the layout.

Expressions are walked with an own stack, so that no nesting is too deep.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import ast
from .layout import BREAK, CHAIN, CLOSE, COMMA, LIST

Parts = list[str]
FLOOR = "// "
"""The part that is the sign of an integer division (a comment is never a part of an expression)."""

# --- types ----------------------------------------------------------------------------------------------


def type_text(type_: ast.TypeExpr) -> str:
    """A type in one piece: types are never broken."""
    if type(type_) is ast.NamedType:
        return type_.name
    out: list[str] = []
    stack: list[str | ast.TypeExpr] = [type_]
    while stack:
        match stack.pop():
            case str() as word:
                out.append(word)
            case ast.NamedType(name=name):
                out.append(name)
            case ast.OptionalType(item=item):
                stack += ("?", item)
            case ast.ListType(item=item):
                stack += ("]", item, "list[")
            case ast.SetType(item=item):
                stack += ("]", item, "set[")
            case ast.DictType(key=key, value=value):
                stack += ("]", value, ", ", key, "dict[")
    return "".join(out)


# --- expressions ----------------------------------------------------------------------------------------

Piece = str | ast.Expr
_PRECEDENCE = {"or": 1, "and": 2, "??": 4, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6}


def expression(expr: ast.Expr) -> Parts:
    """The parts of an expression, with the parentheses that were written and no others."""
    out: Parts = []
    stack: list[Piece] = [expr]
    while stack:
        piece = stack.pop()
        if isinstance(piece, str):
            out.append(piece)
        elif type(piece) is ast.Ref:
            out.append(piece.name)
        else:
            stack.extend(reversed(_pieces(piece)))
    return out


def _pieces(expr: ast.Expr) -> Sequence[Piece]:
    match expr:
        case ast.Ref(name=name):
            return (name,)
        case ast.IntLit(text=text) | ast.FloatLit(text=text) | ast.DurationLit(text=text):
            return (text,)
        case ast.StrLit(text=text):
            return (text,)
        case ast.NoneLit():
            return ("none",)
        case ast.BoolLit(value=value):
            return ("true" if value else "false",)
        case ast.Attr(base=base, name=name, safe=safe):
            dot = "?." if safe else "."
            number = isinstance(base, (ast.IntLit, ast.FloatLit, ast.DurationLit))
            return (base, " " + dot if number else dot, name.text)
        case ast.Index(base=base, key=key):
            return (base, "[", LIST, key, CLOSE, "]")
        case ast.Call(name=name, args=args):
            return (name.text, *_bracketed("(", [_argument(arg) for arg in args], ")"))
        case ast.ListExpr(items=items):
            return _bracketed("[", [(item,) for item in items], "]")
        case ast.DictExpr(items=items):
            return _bracketed("{", [(key, ": ", value) for key, value in items], "}")
        case ast.Paren(inner=inner):
            return ("(", LIST, inner, CLOSE, ")")
        case ast.Unary(op=op, operand=operand):
            return ("-" if op == "-" else "not ", operand)
        case ast.Is(operand=operand, record=record):
            return (operand, " is ", record.text)
        case ast.Conditional(then=then, condition=condition, otherwise=otherwise):
            return (CHAIN, then, BREAK, "if ", condition, BREAK, "else ", otherwise, CLOSE)
        case ast.Binary():
            return _chain(expr)


def _argument(arg: ast.Arg) -> Sequence[Piece]:
    return (arg.value,) if arg.name is None else (arg.name.text, " = ", arg.value)


def _bracketed(left: str, items: Sequence[Sequence[Piece]], right: str) -> Sequence[Piece]:
    if not items:
        return (left + right,)
    out: list[Piece] = [left, LIST]
    for number, item in enumerate(items):
        if number:
            out += (",", BREAK)
        out += item
    out += (COMMA, CLOSE, right)
    return out


def _chain(expr: ast.Binary) -> Sequence[Piece]:
    """Operands of one precedence as one chain, comparisons as plain words."""
    level = _PRECEDENCE.get(expr.op)
    if level is None:
        return (expr.left, f" {expr.op} ", expr.right)
    links: list[tuple[str, ast.Expr]] = []
    first: ast.Expr = expr
    while isinstance(first, ast.Binary) and _PRECEDENCE.get(first.op) == level:
        links.append((first.op, first.right))
        first = first.left
    out: list[Piece] = [CHAIN, first]
    for op, right in reversed(links):
        out += (BREAK, f"{op} ", right)
    out.append(CLOSE)
    return out
