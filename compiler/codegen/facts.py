"""From a condition to what type checkers know where it holds.

The checker of the language narrows more than Python's type checkers do. A *fact* is the text of a reference
(`state.draft`) of which they know that it is not none, or, with the name of a record, that it is one. Where
the language has narrowed a reference and no fact says so, generated code asks the runtime (`lg.require`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...dsl.named import NamedTuple
from .. import model as m


class Fact(NamedTuple):
    """`text` is not none; with `record`, it is one of those."""

    text: str
    record: m.Key | None = None


Facts: TypeAlias = frozenset[Fact]
NOTHING: Facts = frozenset()


def facts_of(
    condition: m.Expr,
    holds: bool,
    text_of: Callable[[m.Expr], str | None],
    members: Callable[[m.Type], tuple[m.Key, ...]],
) -> Facts:
    """What is known where a condition holds (or does not).

    Args:
        condition: a typed condition.
        holds: whether it holds.
        text_of: the text of a reference, None for what is not one.
        members: the records of a union.
    """
    match condition:
        case m.Unary("not", operand):
            return facts_of(operand, not holds, text_of, members)
        case m.Binary("and" | "or" as op, left, right) if (op == "and") is holds:
            return facts_of(left, holds, text_of, members) | facts_of(right, holds, text_of, members)
        case m.Binary("==" | "!=" as op, left, right) if (op == "!=") is holds:
            one = left if is_none(right) else right if is_none(left) else None
            text = None if one is None else text_of(one)
            return NOTHING if text is None else frozenset({Fact(text)})
        case m.IsRecord(operand, record):
            text = text_of(operand)
            if text is None:
                return NOTHING
            if holds:
                return frozenset({Fact(text), Fact(text, record)})
            left_over = [key for key in members(operand.type) if key != record]
            return frozenset({Fact(text, left_over[0])}) if len(left_over) == 1 else NOTHING
        case _:
            return NOTHING


def is_none(expr: m.Expr) -> bool:
    """Whether an expression is `none`."""
    return isinstance(expr, m.Const) and expr.value is None
