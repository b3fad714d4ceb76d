"""From the edges of one source to what is decided about them: is one always taken, which never, which guards
ask nothing?

The edges are looked at in the order in which they are tried. Beside each stands what must be so for it to be
tried: no edge before it holds, those apart that may be used up. Values are then looked for with which it
is taken; at the end, values with which none is.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...dsl.frozen import frozen
from ...dsl.named import NamedTuple
from ..model import Expr
from .domains import Value, Variable
from .formulas import Budget, Formula, Search, TooLarge, negated, under, variables_of
from .guards import Guards
from .terms import Terms

_WORK = 200_000
"""Formulas that may be looked at for one source: some tenths of a second."""
_LEAST = 2_000
"""What may be looked at for a source, beside once what its guards have, when all else is used up."""
_BITS = 1_000_000_000
"""Bits of all sets of regions of one source together: some 22,000 guards that compare one field."""
_MOST_CASES = 10**4_000
"""What is more is not counted; Python writes no larger number."""
_SHOWN = 4
"""Edges that are named as those that take another one's place."""
_DETAILED = 20
"""Dead edges of one source for which it is found out what takes their place."""


class Way(NamedTuple):
    """An edge as it is tried: its guard, None if it has none; whether it may be used up."""

    guard: Expr | None
    closable: bool


class Standing(NamedTuple):
    """A term and a value of it."""

    variable: Variable
    value: Value


@frozen
class Dead:
    """An edge that is never taken: `by` those before it, () where that is not known; or its guard is never
    true (`false`)."""

    way: int
    false: bool
    by: tuple[int, ...] = ()


@frozen
class Routing:
    """What is decided.

    Attributes:
        gap: values with which no edge holds, None where one always does; terms that do not matter left out.
        dead: edges that are never taken.
        constant: edges whose guard is true for all values.
        used: edges that leave that gap only once they are used up.
        cases: how many cases there are to tell apart; 0 where everything was decided, 1 where a guard is
            too long to be read.
        open: whether it could not be decided that an edge always holds.
        undecided: edges of which it could not be decided whether they are ever taken.
    """

    gap: tuple[Standing, ...] | None
    dead: tuple[Dead, ...]
    constant: tuple[int, ...]
    used: tuple[int, ...] = ()
    cases: int = 0
    open: bool = False
    undecided: tuple[int, ...] = ()


def allowance() -> Budget:
    """The work that may be done for all sources of a program; once it is used up, little is left for each."""
    return Budget(10 * _WORK)


def decide(ways: Sequence[Way], terms: Terms, whole: Budget) -> Routing:
    """Decide about the edges of one source, in the order in which they are tried.

    `whole`: what is left for the program; it is diminished by what was done.
    """
    reader = Guards(terms)
    try:
        read = [True if way.guard is None else reader.read(way.guard) for way in ways]
    except TooLarge:
        return _given_up(ways, 1)
    if terms.unclear:
        return Routing(None, (), ())
    terms.settle()
    if len(ways) * sum(mask.bit_length() for mask in terms.full) > _BITS:
        return _given_up(ways, _cases(terms.full))
    least = _LEAST + reader.size
    work = max(least, min(_WORK, whole.left))
    decision = _Decision(ways, [reader.settle(one) for one in read], terms, work)
    found = decision.run()
    whole.left -= max(0, decision.spent() - least)
    return found


def _given_up(
    ways: Sequence[Way], cases: int, dead: Sequence[Dead] = (), constant: Sequence[int] = (), after: int = 0
) -> Routing:
    """Nothing is known of the edges from a number on."""
    certain = any(way.guard is None and not way.closable for way in ways)
    undecided = tuple(range(after, len(ways)))
    return Routing(None, tuple(dead), tuple(constant), cases=cases, open=not certain, undecided=undecided)


def _cases(full: Sequence[int]) -> int:
    """How many cases there are."""
    cases = 1
    for mask in full:
        cases = min(cases * mask.bit_count(), _MOST_CASES)
    return cases


class _Decision:
    """The work on one source."""

    __slots__ = ("alone", "budget", "formulas", "full", "linked", "others", "shown", "terms", "ways", "work")

    def __init__(self, ways: Sequence[Way], formulas: list[Formula], terms: Terms, work: int) -> None:
        self.ways = ways
        self.formulas = formulas
        self.terms = terms
        self.full = terms.full
        self.others = [negated(formula, self.full) for formula in formulas]
        self.work = work
        self.alone = Budget(work)
        self.budget = Budget(work)
        self.shown = Budget(work)
        self.linked = terms.links.formulas(self.full)

    def spent(self) -> int:
        """What was looked at."""
        return 3 * self.work - self.alone.left - self.budget.left - self.shown.left

    def _search(self, budget: Budget) -> Search:
        """A search in which nothing is asked yet. Raises TooLarge."""
        found = Search(self.full)
        for formula in self.linked:
            found.add(formula, budget)
        return found

    def run(self) -> Routing:
        budget = self.budget
        try:
            search = self._search(budget)
        except TooLarge:
            return _given_up(self.ways, _cases(self.full))
        dead: list[Dead] = []
        constant: list[int] = []
        undecided: list[int] = []
        for at, way in enumerate(self.ways):
            try:
                found = self._dead(at, search, len(dead) < _DETAILED)
                if found is not None:
                    dead.append(found)
                elif way.guard is not None and not self._possible(self.others[at]):
                    constant.append(at)
            except TooLarge:
                undecided.append(at)
            if not way.closable:
                try:
                    search.add(self.others[at], budget)
                except TooLarge:
                    return _given_up(self.ways, _cases(self.full), dead, constant, at + 1)
        cases = _cases(self.full) if undecided else 0
        if not search.open:
            return Routing(None, tuple(dead), tuple(constant), cases=cases, undecided=tuple(undecided))
        closed = self._with_closable(search, budget)
        gap, regions = self._gap(search.model, closed)
        used = tuple(at for at in closed if self._may_hold(at, regions))
        return Routing(gap, tuple(dead), tuple(constant), used, cases, undecided=tuple(undecided))

    def _may_hold(self, at: int, regions: list[int]) -> bool:
        try:
            return under(self.formulas[at], regions, self.shown) is not False
        except TooLarge:
            return True

    def _with_closable(self, search: Search, budget: Budget) -> list[int]:
        """Look for values with which no edge holds even if none is used up; the edges that have to be used
        up if there are no such values."""
        closable = [at for at, way in enumerate(self.ways) if way.closable]
        before = list(search.model)
        try:
            for at in closable:
                search.add(self.others[at], budget)
        except TooLarge:
            search.open = False
        if search.open:
            return []
        search.model = before
        return closable

    def _possible(self, formula: Formula) -> bool:
        """Whether a formula alone can hold."""
        if isinstance(formula, bool):
            return formula
        return self._search(self.alone).allows(formula, self.alone)

    def _dead(self, at: int, search: Search, detailed: bool) -> Dead | None:
        formula = self.formulas[at]
        if search.allows(formula, self.alone):
            return None
        if not self._possible(formula):
            return Dead(at, True)
        return Dead(at, False, self._takers(at) if detailed else ())

    def _takers(self, at: int) -> tuple[int, ...]:
        """Edges before one that are taken wherever its own guard holds."""
        found: list[int] = []
        try:
            search = self._search(self.alone)
            search.add(self.formulas[at], self.alone)
            while search.open and len(found) <= _SHOWN:
                taker = self._taker(at, search.model)
                if taker is None:
                    return ()
                found.append(taker)
                search.add(self.others[taker], self.alone)
        except TooLarge:
            return ()
        return tuple(sorted(found)) if not search.open else ()

    def _taker(self, at: int, model: list[int]) -> int | None:
        """The first edge that is taken with some values of a model."""
        point = [mask & -mask for mask in model]
        for earlier in range(at):
            holds = under(self.formulas[earlier], point, self.alone) is True
            if holds and not self.ways[earlier].closable:
                return earlier
        return None

    def _gap(self, model: list[int], closed: list[int]) -> tuple[tuple[Standing, ...], list[int]]:
        """The values of a model that are needed for no edge to hold, and all regions with them."""
        unmet = [other for at, other in enumerate(self.others) if at not in closed]
        occurs: dict[int, list[Formula]] = {}
        for formula in unmet:
            for variable in variables_of(formula):
                occurs.setdefault(variable, []).append(formula)
        regions = [mask if at in occurs else self.full[at] for at, mask in enumerate(model)]
        kept: list[int] = []
        for at in sorted(occurs, reverse=True):
            narrow, regions[at] = regions[at], self.full[at]
            try:
                needed = any(under(formula, regions, self.shown) is not True for formula in occurs[at])
            except TooLarge:
                needed = True
            if needed:
                regions[at] = narrow
                kept.append(at)
        variables = self.terms.variables
        values = (Standing(variables[at], variables[at].choose(regions[at])) for at in reversed(kept))
        return tuple(values), regions
