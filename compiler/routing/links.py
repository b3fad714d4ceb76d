"""From terms that have to do with each other to formulas that always hold.

The order of two terms follows from their values where a constant lies between them; the length of a text
from the text. Without this, values would be shown that cannot come together.
"""

from __future__ import annotations

from ..model import Scalar
from .domains import NONE_MASK, Order, Variable
from .formulas import Formula, Lit, some

_MOST = 16
"""Constants of two terms up to which they are linked: each gives some formulas."""


class Links:
    """Pairs of terms.

    Attributes:
        orders: two terms and the question how they stand to each other.
        lengths: a text and its length.
    """

    __slots__ = ("lengths", "orders")

    def __init__(self) -> None:
        self.orders: list[tuple[Variable, Variable, Variable]] = []
        self.lengths: list[tuple[Variable, Variable]] = []

    def cut(self) -> None:
        """Cut the domains of linked terms at each other's constants; drop what is not linked."""
        self.orders = list(
            {order.key: (a, b, order) for a, b, order in self.orders if _linked(a, b)}.values()
        )
        for a, b, _ in self.orders:
            a.ranks |= b.ranks
            b.ranks |= a.ranks
        pairs = {length.key: (text, length) for text, length in self.lengths if 0 < len(text.ranks) <= _MOST}
        self.lengths = list(pairs.values())
        for text, length in self.lengths:
            text.cut("")
            for rank in text.ranks:
                length.cut(len(rank))

    def formulas(self, full: list[int]) -> list[Formula]:
        """What always holds, once the domains are cut."""
        found: list[Formula] = []
        for a, b, order in self.orders:
            less, more = _order(order, "<"), _order(order, ">")
            for rank in a.points:
                below, above = a.mask("<", rank), a.mask(">", rank)
                other_below, other_above = b.mask("<", rank), b.mask(">", rank)
                here, other_here = a.mask("==", rank), b.mask("==", rank)
                found += [
                    _implies(a, below, b, other_above | other_here, order, less, full),
                    _implies(a, below | here, b, other_above, order, less, full),
                    _implies(a, above | here, b, other_below, order, more, full),
                    _implies(a, above, b, other_below | other_here, order, more, full),
                    _implies(a, here, b, other_here, order, _order(order, "=="), full),
                ]
        for text, length in self.lengths:
            for rank in text.points:
                no = Lit(text.index, text.full & ~text.mask("==", rank))
                found.append(some((no, Lit(length.index, length.mask("==", len(rank)))), full))
            empty = Lit(text.index, text.mask("==", "") | text.full & NONE_MASK)
            found.append(some((Lit(length.index, length.mask(">", 0)), empty), full))
        return found


def _linked(a: Variable, b: Variable) -> bool:
    if a.scale is None or b.scale is None or Scalar("datetime") in (a.type, b.type):
        return False
    return 0 < len(a.ranks | b.ranks) <= _MOST


def _order(order: Variable, operator: str) -> int:
    """The regions of an order; where only equality is asked, `<` and `>` are `!=`."""
    known = {one.operator: one for one in order.values or ()}
    found: Order | None = known.get(operator, known.get("!="))
    return 0 if found is None else order.mask("==", found)


def _implies(
    a: Variable, if_a: int, b: Variable, if_b: int, order: Variable, then: int, full: list[int]
) -> Formula:
    parts = (
        Lit(a.index, a.full & ~if_a),
        Lit(b.index, b.full & ~if_b),
        Lit(order.index, then),
    )
    return some(parts, full)
