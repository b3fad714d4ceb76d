"""From terms that have to do with each other to formulas that always hold.

The order of two terms follows from their values where a constant lies between them; the length of a text
from the text. Without this, values would be shown that cannot come together.
"""

from __future__ import annotations

from typing import TypeAlias

from ..model import Scalar
from .domains import NONE_MASK, Order, Variable
from .formulas import Formula, Lit, some
from .scales import Texts

Ordered: TypeAlias = tuple[Variable, Variable, Variable]

_MOST = 16
"""Constants of some terms up to which they are linked: each gives some formulas."""
_MOST_FORMULAS = 3_000
"""Of all links of one source; without those behind, values may be shown that cannot come together."""
_A_RANK = 5
"""Formulas for one constant of two terms."""


class Links:
    """Pairs of terms.

    Attributes:
        orders: two terms and the question how they stand to each other.
        lengths: a text and its length.
    """

    __slots__ = ("lengths", "orders")

    def __init__(self) -> None:
        self.orders: list[Ordered] = []
        self.lengths: list[tuple[Variable, Variable]] = []

    def cut(self) -> None:
        """Cut the domains of linked terms at each other's constants; drop what is not linked.

        Linked terms must be cut at the same constants: hence texts first, then lengths, which get constants
        from texts, then what may be compared with a length.
        """
        orders = list({order.key: (a, b, order) for a, b, order in self.orders}.values())
        ordered = {id(one) for a, b, _ in orders for one in (a, b)}
        for text, _ in self.lengths:
            if text.ranks or id(text) in ordered:
                text.cut("")
        texts = [one for one in orders if isinstance(one[0].scale, Texts)]
        self.orders = _joined(texts, _MOST_FORMULAS)
        pairs = {length.key: (text, length) for text, length in self.lengths if 0 < len(text.ranks) <= _MOST}
        self.lengths = list(pairs.values())[: _MOST_FORMULAS // _MOST]
        for text, length in self.lengths:
            for rank in text.ranks:
                length.cut(len(rank))
        others = [one for one in orders if not isinstance(one[0].scale, Texts)]
        self.orders += _joined(others, _MOST_FORMULAS)

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


def _joined(orders: list[Ordered], most: int) -> list[Ordered]:
    """Those of some orders whose terms can be linked. Terms linked by any way round share their constants."""
    found: list[Ordered] = []
    group: dict[int, list[Variable]] = {}
    for a, b, order in orders:
        ours, theirs = group.get(id(a), [a]), group.get(id(b), [b])
        ranks = a.ranks | b.ranks
        if not _comparable(a, b) or not 0 < len(ranks) <= _MOST or most < _A_RANK * len(ranks):
            continue
        most -= _A_RANK * len(ranks)
        found.append((a, b, order))
        if ours is not theirs:
            ours, theirs = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
            ours.extend(theirs)
            group.update((id(one), ours) for one in ours)
        for one in ours:
            one.ranks |= ranks
    return found


def _comparable(a: Variable, b: Variable) -> bool:
    return a.scale is not None and b.scale is not None and Scalar("datetime") not in (a.type, b.type)


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
