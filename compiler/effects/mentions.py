"""From an expression to the paths of the state that it looks at.

A *path* is a field and what lies below it: `("review", "score")` for `review.score`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ...dsl.source import Place
from .. import model as m
from ..model import Expr

Path: TypeAlias = tuple[str, ...]


def mentions(expr: Expr) -> Iterator[tuple[Path, Place]]:
    """The paths that an expression looks at, from left to right, each with where it does."""
    todo = [expr]
    while todo:
        at = whole = todo.pop()
        below: list[str] = []
        while isinstance(at, m.Attr):
            below.append(at.name)
            at = at.base
        if isinstance(at, m.FieldRef):
            yield (at.field, *reversed(below)), whole.place
        else:
            todo.extend(reversed(parts(at)))


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions right inside an expression."""
    match expr:  # what is most frequent comes first
        case m.Binary(left=left, right=right):
            return (left, right)
        case m.Const() | m.FieldRef() | m.ParamRef() | m.EnumConst() | m.ItemRef() | m.Visits() | m.Steps():
            return ()
        case m.Attr(base=inner) | m.Unary(operand=inner) | m.IsRecord(operand=inner) | m.Widen(operand=inner):
            return (inner,)
        case m.Index(base=owner, key=key):
            return (owner, key)
        case m.Call(args=items) | m.MakeList(items=items):
            return items
        case m.MakeRecord(fields=fields):
            return tuple(value for _, value in fields)
        case m.MakeDict(items=pairs):
            return tuple(part for pair in pairs for part in pair)
        case m.Conditional(then=then, condition=condition, otherwise=otherwise):
            return (then, condition, otherwise)
