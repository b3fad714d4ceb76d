"""From guards to formulas over the terms that they ask about.

What is understood: comparisons of terms with constants and with each other, tests of bools, enums, `none`
and union members, `in` a written collection, `??`, `?.`, `if`, `and or not`. The value of any other
expression is a term of its own, named by the expression, so that the same one is the same everywhere; a
test that is not understood is such a term too, true or false. An expression that fails decides nothing:
the run goes another way then, by no edge of these.

Two passes: the guards are read, and every constant is noted with its term; then domains are cut, and tests
become sets of regions.
"""

from __future__ import annotations

from .. import model
from ..model import Expr
from ..types import BOOL, FLOAT, INT, JSON, base
from . import formulas
from .comparisons import Comparisons
from .domains import Variable
from .formulas import Formula, TooLarge, every, some
from .reads import All, Any, Constant, Read, Test, both, opposite
from .terms import Terms
from .values import MOST_CASES, Values, constant

_MOST_PARTS = 20_000  # of one guard


class Guards:
    """Reads the guards of one source; `size`: how many parts were looked at, of all guards together."""

    __slots__ = ("_most", "size", "terms", "tests", "values")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.tests = Comparisons(terms)
        self.values = Values(self.tests, self._truth, self._spend)
        self.size = 0
        self._most = 0

    def read(self, guard: Expr, holds: bool = True) -> Read:
        """When a guard holds. Raises TooLarge."""
        self._most = self.size + _MOST_PARTS
        return self._truth(guard, holds)

    def _spend(self) -> None:
        self.size += 1
        if self.size > self._most:
            raise TooLarge

    def settle(self, read: Read) -> Formula:
        """The formula, once all guards are read and the domains are cut."""
        full = self.terms.full
        match read:
            case bool():
                return read
            case Test(variable, name, value, holds):
                mask = variable.mask(name, value)
                if not holds:
                    mask = variable.full & ~mask
                return formulas.Lit(variable.index, mask) if 0 != mask != variable.full else bool(mask)
            case All(parts):
                return every((self.settle(part) for part in parts), full)
            case Any(parts):
                return some((self.settle(part) for part in parts), full)

    # --- conditions -----------------------------------------------------------------------------------------

    def _truth(self, expr: Expr, holds: bool) -> Read:
        self._spend()
        match expr:
            case model.Unary("not", operand):
                return self._truth(operand, not holds)
            case model.Binary("and" | "or", left, right):
                sides = (self._truth(left, holds), self._truth(right, holds))
                return All(sides) if (expr.op == "and") is holds else Any(sides)
            case model.Binary("==" | "!=", left, right):
                return self._equality(expr, left, right, holds is (expr.op == "=="))
            case model.Binary("<" | "<=" | ">" | ">=" as op, left, right):
                return self._compared(expr, left, op, right, holds)
            case model.Binary("in" | "not in", left, right):
                return self._within(expr, left, right, holds is (expr.op == "in"))
            case model.Call("contains", (where, item)):
                return self._within(expr, item, where, holds)
            case model.Call("any" | "all", (model.MakeList(items),)):
                each = tuple(self._truth(item, holds) for item in items)
                return All(each) if (expr.function == "all") is holds else Any(each)
            case model.IsRecord(operand, record):
                return self._is_record(operand, record, holds)
            case model.Conditional(then, condition, otherwise):
                yes = All((self._truth(condition, True), self._truth(then, holds)))
                return Any((yes, All((self._truth(condition, False), self._truth(otherwise, holds)))))
            case _:
                return self._plain(expr, holds)

    def _plain(self, expr: Expr, holds: bool) -> Read:
        """A value that is true or false."""
        if expr.type != BOOL:
            return self.tests.unknown(expr, holds)
        return Any(
            tuple(
                both(when, self.tests.same(leaf, Constant(True), holds))
                for when, leaf in self.values.cases(expr)
            )
        )

    # --- comparisons ----------------------------------------------------------------------------------------

    def _equality(self, expr: model.Binary, left: Expr, right: Expr, holds: bool) -> Read:
        for one, other in ((left, right), (right, left)):
            if _empty(one):
                return self._is_empty(expr, other, holds)
            if isinstance(one, model.MakeList | model.MakeDict | model.MakeRecord):
                return self.tests.unknown(_ordered(expr, left, right), holds)
        if left.type == BOOL == right.type and (_compound(left) or _compound(right)):
            same = All((self._truth(left, True), self._truth(right, holds)))
            return Any((same, All((self._truth(left, False), self._truth(right, not holds)))))
        return self._compared(expr, left, "==", right, holds)

    def _is_empty(self, expr: model.Binary, other: Expr, holds: bool) -> Read:
        """`xs == []` is a question about the length."""
        found: list[Read] = []
        for when, leaf in self.values.cases(other):
            match leaf:
                case Constant(None):
                    found.append(both(when, not holds))
                case Constant():
                    return self.tests.unknown(_ordered(expr, expr.left, expr.right), holds)
                case _ if leaf.type == JSON:
                    return self.tests.unknown(_ordered(expr, expr.left, expr.right), holds)
                case _:
                    there = self.tests.test(leaf, "none", None, False)
                    empty = self.tests.test(self.terms.length(leaf), "==", 0, holds)
                    found.append(both(when, All((there, empty)) if holds else Any((opposite(there), empty))))
        return Any(tuple(found))

    def _compared(self, expr: model.Binary, left: Expr, op: str, right: Expr, holds: bool) -> Read:
        lefts, rights = self.values.cases(left), self.values.cases(right)
        if len(lefts) * len(rights) > MOST_CASES:
            return self.tests.unknown(expr if op != "==" else _ordered(expr, left, right), holds)
        found: list[Read] = []
        for when, a in lefts:
            for and_when, b in rights:
                one = self.tests.compared(a, op, b, holds)
                if one is None:
                    one = self.tests.unknown(expr if op != "==" else _ordered(expr, left, right), holds)
                found.append(both(when, both(and_when, one)))
        return Any(tuple(found))

    # --- membership -----------------------------------------------------------------------------------------

    def _within(self, expr: Expr, item: Expr, where: Expr, holds: bool) -> Read:
        if isinstance(where, model.MakeList) and where.type != JSON:
            among = where.items
        elif isinstance(where, model.MakeDict) and where.type != JSON:
            among = tuple(key for key, _ in where.items)
        else:
            return self.tests.unknown(_membership(expr, item, where), holds)
        found: list[Read] = []
        floats = isinstance(where.type, model.ListOf | model.SetOf) and base(where.type.item) == FLOAT
        if floats:
            among = tuple(model.Widen(one, FLOAT, one.place) if one.type == INT else one for one in among)
        values = [leaf.value for one in among for _, leaf in constant(one)]
        cases = self.values.cases(item)
        if len(cases) * max(1, len(among) - len(values)) > MOST_CASES:
            return self.tests.unknown(_membership(expr, item, where), holds)
        others = [one for one in among if not constant(one)]
        for when, leaf in cases:
            parts = [self.tests.one_of(leaf, values), *(self._one(leaf, one) for one in others)]
            either: Read = Any(tuple(parts))
            found.append(both(when, either if holds else opposite(either)))
        return Any(tuple(found))

    def _one(self, leaf: Constant | Variable, other: Expr) -> Read:
        cases = ((when, self.tests.same(leaf, one, True)) for when, one in self.values.cases(other))
        return Any(tuple(both(when, same) for when, same in cases))

    def _is_record(self, operand: Expr, record: model.Key, holds: bool) -> Read:
        found: list[Read] = []
        for when, leaf in self.values.cases(operand):
            if isinstance(leaf, Constant):
                one: Read = not holds
            elif isinstance(base(leaf.type), model.UnionType):
                one = self.tests.test(leaf, "==", record, holds)
            else:
                one = self.tests.test(leaf, "none", None, not holds)
            found.append(both(when, one))
        return Any(tuple(found))


def _empty(expr: Expr) -> bool:
    return isinstance(expr, model.MakeList | model.MakeDict) and not expr.items and expr.type != JSON


def _compound(expr: Expr) -> bool:
    """Whether a bool is made by an operator."""
    match expr:
        case model.Binary(op):
            return op != "??"
        case model.Unary() | model.IsRecord() | model.Call():
            return True
        case _:
            return False


def _ordered(expr: Expr, left: Expr, right: Expr) -> Expr:
    """`a == b`, the same for `b == a` and `a != b`."""
    first, second = sorted(
        (left, right), key=lambda e: e.place.source.text[e.place.span.start : e.place.span.end]
    )
    return model.Binary("==", first, second, BOOL, expr.place)


def _membership(expr: Expr, item: Expr, where: Expr) -> Expr:
    """`x in xs`, the same for `contains(xs, x)` and `x not in xs`."""
    return model.Binary("in", item, where, BOOL, expr.place)
