"""From a guard that asks nothing to what makes it so: a range, a length, a value that is surely there."""

from __future__ import annotations

from ..graph_view import GraphView
from ..model import Edge, Expr
from .formulas import Budget, Search, TooLarge
from .guards import Guards
from .sources import terms_of
from .terms import Terms

_WORK = 4_000
_MOST = 8
"""Limits that are tried."""


def reasons(view: GraphView, edge: Edge, guard: Expr, holds: bool) -> list[str]:
    """The limits of terms without which the guard of an edge could hold (or not hold)."""

    def terms(*free: str) -> Terms:
        return terms_of(view, edge.source, edge.region, frozenset(free))

    limited = terms()
    try:
        Guards(limited).read(guard)
    except TooLarge:
        return []
    known = list(limited.limits)[:_MOST]
    found = [limit for limit in known if _possible(terms(limit), guard, holds)]
    if not found and len(known) > 1 and _possible(terms(*known), guard, holds):
        return known
    return found


def _possible(terms: Terms, guard: Expr, holds: bool) -> bool:
    reader = Guards(terms)
    budget = Budget(_WORK)
    try:
        read = reader.read(guard, holds)
        terms.settle()
        search = Search(terms.full)
        for formula in terms.links.formulas(terms.full):
            search.add(formula, budget)
        search.add(reader.settle(read), budget)
    except TooLarge:
        return False
    return search.open
