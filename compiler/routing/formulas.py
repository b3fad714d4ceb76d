"""From conditions over terms to formulas over regions, and to whether some values make them true.

A formula is `True`, `False`, a `Lit` (the term is in one of these regions), all of several or one of
several. There is no negation: the complement of a set of regions is a set of regions. The search is that of
Davis, Putnam, Logemann and Loveland (1962): what follows is drawn first, then a choice is tried both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ...dsl.named import NamedTuple


class Lit(NamedTuple):
    """The variable of an index is in one of the regions of a mask."""

    variable: int
    mask: int


class Every(NamedTuple):
    """All of these; at least two."""

    parts: tuple[Formula, ...]


class Some(NamedTuple):
    """One of these at least; at least two."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = "bool | Lit | Every | Some"


class TooLarge(Exception):
    """A search was given up: it would take too long."""


class Budget:
    """How much work may still be done: formulas looked at."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, amount: int = 1) -> None:
        """Raises TooLarge where nothing is left."""
        self.left -= amount
        if self.left < 0:
            raise TooLarge


def every(parts: Iterable[Formula], full: Sequence[int]) -> Formula:
    """All of some formulas; those of one variable become one."""
    masks: dict[int, int] = {}
    rest: list[Formula] = []
    for part in _flat(parts, Every):
        if part is False:
            return False
        if isinstance(part, Lit):
            masks[part.variable] = masks.get(part.variable, full[part.variable]) & part.mask
            if not masks[part.variable]:
                return False
        elif part is not True:
            rest.append(part)
    found = [Lit(v, masks[v]) for v in sorted(masks) if masks[v] != full[v]] + rest
    return Every(tuple(found)) if len(found) > 1 else found[0] if found else True


def some(parts: Iterable[Formula], full: Sequence[int]) -> Formula:
    """One of some formulas; those of one variable become one."""
    masks: dict[int, int] = {}
    rest: list[Formula] = []
    for part in _flat(parts, Some):
        if part is True:
            return True
        if isinstance(part, Lit):
            masks[part.variable] = masks.get(part.variable, 0) | part.mask
            if masks[part.variable] == full[part.variable]:
                return True
        elif part is not False:
            rest.append(part)
    found = [Lit(v, masks[v]) for v in sorted(masks) if masks[v]] + rest
    return Some(tuple(found)) if len(found) > 1 else found[0] if found else False


def negated(formula: Formula, full: Sequence[int]) -> Formula:
    """What holds where a formula does not."""
    match formula:
        case bool():
            return not formula
        case Lit(variable, mask):
            return Lit(variable, full[variable] & ~mask)
        case Every(parts):
            return Some(tuple(negated(part, full) for part in parts))
        case Some(parts):
            return Every(tuple(negated(part, full) for part in parts))


def _flat(parts: Iterable[Formula], kind: type[Every] | type[Some]) -> Iterable[Formula]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts  # made by `every` or `some`, hence flat
        else:
            yield part


def under(formula: Formula, regions: Sequence[int], budget: Budget) -> Formula:
    """A formula where each variable is in the regions given: decided, or what is left of it."""
    budget.spend()
    match formula:
        case bool():
            return formula
        case Lit(variable, mask):
            now = regions[variable]
            both = now & mask
            return True if both == now else formula if both else False
        case Every(parts):
            left: list[Formula] = []
            for part in parts:
                found = under(part, regions, budget)
                if found is False:
                    return False
                if found is not True:
                    left.append(found)
            return Every(tuple(left)) if len(left) > 1 else left[0] if left else True
        case Some(parts):
            left = []
            for part in parts:
                found = under(part, regions, budget)
                if found is True:
                    return True
                if found is not False:
                    left.append(found)
            return Some(tuple(left)) if len(left) > 1 else left[0] if left else False


def variables_of(formula: Formula) -> set[int]:
    """The indexes of the variables in a formula."""
    match formula:
        case bool():
            return set()
        case Lit(variable):
            return {variable}
        case Every(parts) | Some(parts):
            found: set[int] = set()
            for part in parts:
                found |= variables_of(part)
            return found


class Search:
    """Formulas that must all hold, with values for which they do.

    Attributes:
        full: each variable's domain.
        regions: what each variable may be, by the formulas of one variable.
        model: regions in which all formulas hold, whichever value is taken; meaningless once `open` is False.
        open: whether there are such values.
    """

    __slots__ = ("_clauses", "_occurs", "full", "model", "open", "regions")

    def __init__(self, full: Sequence[int]) -> None:
        self.full = full
        self.regions = list(full)
        self.model = list(full)
        self.open = all(full)
        self._clauses: list[Formula] = []
        self._occurs: dict[int, list[int]] = {}

    def add(self, formula: Formula, budget: Budget) -> None:
        """One more formula that must hold. Raises TooLarge."""
        if not self.open or formula is True:
            return
        if not _narrowed(formula, self.model, budget):
            found = self._search(formula, budget)
            if found is None:
                self.open = False
                return
            for variable, mask in found.items():
                self.model[variable] = mask
        for part in formula.parts if isinstance(formula, Every) else (formula,):
            if isinstance(part, Lit):
                self.regions[part.variable] &= part.mask
                continue
            for variable in variables_of(part):
                self._occurs.setdefault(variable, []).append(len(self._clauses))
            self._clauses.append(part)

    def allows(self, formula: Formula, budget: Budget) -> bool:
        """Whether a formula can hold beside the others. Raises TooLarge."""
        if not self.open:
            return False
        before = list(self.model)
        if _narrowed(formula, self.model, budget):
            self.model = before
            return True
        return self._search(formula, budget) is not None

    def _search(self, formula: Formula, budget: Budget) -> dict[int, int] | None:
        attempt = _Attempt(self._clauses, self._occurs, list(self.regions), budget)
        return attempt.run(formula)


def _narrowed(formula: Formula, model: list[int], budget: Budget) -> bool:
    """Make a formula true by taking fewer of a model's regions, as far as that is seen at once.

    What held in all of them holds in fewer too. False: nothing was changed.
    """
    changed: list[tuple[int, int]] = []
    todo = [formula]
    while todo:
        left = under(todo.pop(), model, budget)
        while isinstance(left, Some):
            left = left.parts[0]
        if isinstance(left, Lit):
            changed.append((left.variable, model[left.variable]))
            model[left.variable] &= left.mask
        elif isinstance(left, Every):
            todo.extend(left.parts)
        elif left is False:
            for variable, mask in reversed(changed):
                model[variable] = mask
            return False
    return True


class _Attempt:
    """One search. Formulas of which no variable is touched are left to the values known before."""

    __slots__ = ("budget", "clauses", "occurs", "regions", "todo", "trail")

    def __init__(
        self, clauses: list[Formula], occurs: dict[int, list[int]], regions: list[int], budget: Budget
    ) -> None:
        self.clauses = clauses
        self.occurs = occurs
        self.regions = regions
        self.budget = budget
        self.trail: list[tuple[int, int]] = []
        self.todo: list[Formula] = []

    def run(self, formula: Formula) -> dict[int, int] | None:
        """Regions of the variables touched, or None."""
        choices: list[tuple[int, list[Formula], Lit]] = []
        fresh: list[Formula] = [formula]
        while True:
            choice = self._propagate(fresh)
            if choice is True:
                return {variable: self.regions[variable] for variable, _ in self.trail}
            if choice is False:
                if not choices:
                    return None
                length, todo, literal = choices.pop()
                while len(self.trail) > length:
                    variable, mask = self.trail.pop()
                    self.regions[variable] = mask
                self.todo = todo
                fresh = [Lit(literal.variable, self.regions[literal.variable] & ~literal.mask)]
            else:
                choices.append((len(self.trail), list(self.todo), choice))
                fresh = [choice]

    def _propagate(self, fresh: list[Formula]) -> bool | Lit:
        """Draw what follows. False: nothing is left; True: all hold; else what to try next."""
        queue = fresh
        while queue:
            formula = under(queue.pop(), self.regions, self.budget)
            if formula is False:
                return False
            for part in formula.parts if isinstance(formula, Every) else (formula,):
                if isinstance(part, Lit):
                    if not self._narrow(part, queue):
                        return False
                elif part is not True:
                    self.todo.append(part)
        return self._next()

    def _narrow(self, literal: Lit, queue: list[Formula]) -> bool:
        variable = literal.variable
        before = self.regions[variable]
        after = before & literal.mask
        if not after:
            return False
        self.trail.append((variable, before))
        if after != before:
            self.regions[variable] = after
        queue.extend(self.clauses[at] for at in self.occurs.get(variable, ()))
        return True

    def _next(self) -> bool | Lit:
        while self.todo:
            left = under(self.todo[-1], self.regions, self.budget)
            if left is False:
                return False
            if left is True:
                self.todo.pop()
                continue
            while not isinstance(left, Lit):
                assert not isinstance(left, bool)
                left = left.parts[0]
            return left
        return True
