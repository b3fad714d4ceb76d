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

from collections.abc import Iterator, Sequence
from operator import eq, ge, gt, le, lt
from typing import NamedTuple, TypeAlias

from .. import model
from ..model import Expr
from ..types import BOOL, FLOAT, INT, JSON, base
from . import formulas
from .domains import Made, Member, TestName, Value, Variable
from .formulas import Formula, TooLarge, every, some
from .terms import Terms

_MOST_PARTS = 20_000  # of one guard
_MOST_CASES = 64  # of one value


class Test(NamedTuple):
    """A term stands in some relation to a constant, or (not `holds`) does not."""

    variable: Variable
    name: TestName
    value: Value
    holds: bool


class All(NamedTuple):
    parts: tuple[Read, ...]


class Any(NamedTuple):
    parts: tuple[Read, ...]


Read: TypeAlias = "bool | Test | All | Any"
"""A guard as read."""


class Constant(NamedTuple):
    value: Value


Case: TypeAlias = "tuple[Read, Constant | Variable]"
"""A value that an expression has, and when."""

_MIRRORED: dict[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_HELD_BY = {"<": ("<",), "<=": ("<", "=="), ">": (">",), ">=": (">", "=="), "==": ("==",)}
_OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


class Guards:
    """Reads the guards of one source."""

    __slots__ = ("_parts", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._parts = 0

    def read(self, guard: Expr, holds: bool = True) -> Read:
        """When a guard holds. Raises TooLarge."""
        self._parts = 0
        return self._truth(guard, holds)

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
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise TooLarge
        match expr:
            case model.Unary("not", operand):
                return self._truth(operand, not holds)
            case model.Binary("and" | "or", left, right):
                both = (self._truth(left, holds), self._truth(right, holds))
                return All(both) if (expr.op == "and") is holds else Any(both)
            case model.Binary("==" | "!=", left, right):
                return self._equality(expr, left, right, holds is (expr.op == "=="))
            case model.Binary("<" | "<=" | ">" | ">=" as op, left, right):
                return self._compared(expr, left, op, right, holds)
            case model.Binary("in" | "not in", left, right):
                return self._within(expr, left, right, holds is (expr.op == "in"))
            case model.Call("contains", (where, item)):
                return self._within(expr, item, where, holds)
            case model.Call("any" | "all", (model.MakeList(items),)):
                sides = tuple(self._truth(item, holds) for item in items)
                return All(sides) if (expr.function == "all") is holds else Any(sides)
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
            return self._unknown(expr, holds)
        return Any(
            tuple(
                self._both(when, self._same(leaf, Constant(True), holds)) for when, leaf in self._cases(expr)
            )
        )

    def _unknown(self, expr: Expr, holds: bool) -> Read:
        return self._test(self.terms.unknown(expr), "==", True, holds)

    def _test(self, variable: Variable, name: TestName, value: Value, holds: bool) -> Read:
        if name == "none":
            return Test(variable, name, None, holds) if variable.optional else not holds
        if name == "in":
            for one in value:
                if one is not None:
                    variable.cut(one)
        else:
            variable.cut(value)
        return Test(variable, name, value, holds)

    @staticmethod
    def _both(when: Read, then: Read) -> Read:
        return then if when is True else All((when, then))

    # --- comparisons ----------------------------------------------------------------------------------------

    def _equality(self, expr: model.Binary, left: Expr, right: Expr, holds: bool) -> Read:
        for one, other in ((left, right), (right, left)):
            if _empty(one):
                return self._is_empty(expr, other, holds)
            if isinstance(one, model.MakeList | model.MakeDict | model.MakeRecord):
                return self._unknown(_ordered(expr, left, right), holds)
        if left.type == BOOL == right.type and (_compound(left) or _compound(right)):
            same = All((self._truth(left, True), self._truth(right, holds)))
            return Any((same, All((self._truth(left, False), self._truth(right, not holds)))))
        return self._compared(expr, left, "==", right, holds)

    def _is_empty(self, expr: model.Binary, other: Expr, holds: bool) -> Read:
        """`xs == []` is a question about the length."""
        found: list[Read] = []
        for when, leaf in self._cases(other):
            match leaf:
                case Constant(None):
                    found.append(self._both(when, not holds))
                case Constant():
                    return self._unknown(_ordered(expr, expr.left, expr.right), holds)
                case _ if leaf.type == JSON:
                    return self._unknown(_ordered(expr, expr.left, expr.right), holds)
                case _:
                    there = self._test(leaf, "none", None, False)
                    empty = self._test(self.terms.length(leaf), "==", 0, holds)
                    found.append(
                        self._both(when, All((there, empty)) if holds else Any((_not(there), empty)))
                    )
        return Any(tuple(found))

    def _compared(self, expr: model.Binary, left: Expr, op: str, right: Expr, holds: bool) -> Read:
        lefts, rights = self._cases(left), self._cases(right)
        if len(lefts) * len(rights) > _MOST_CASES:
            return self._unknown(expr if op != "==" else _ordered(expr, left, right), holds)
        found: list[Read] = []
        for when, a in lefts:
            for and_when, b in rights:
                one = self._leaves(a, op, b, holds)
                if one is None:
                    one = self._unknown(expr if op != "==" else _ordered(expr, left, right), holds)
                found.append(self._both(when, self._both(and_when, one)))
        return Any(tuple(found))

    def _leaves(self, a: Constant | Variable, op: str, b: Constant | Variable, holds: bool) -> Read | None:
        """A comparison of two simple values; None where it is not understood."""
        if isinstance(a, Constant) and isinstance(b, Variable):
            a, b, op = b, a, _MIRRORED[op]
        if op == "==":
            return self._same(a, b, holds)
        if isinstance(a, Constant):
            assert isinstance(b, Constant)
            if a.value is None or b.value is None:
                return not holds  # not asked: it was tested before
            try:
                return bool(_OPERATORS[op](a.value, b.value)) is holds
            except TypeError:
                return None
        if isinstance(b, Constant):
            if b.value is None:
                return not holds
            fitting = self.terms.fitting(a, b.value)
            return None if fitting is None else self._test(fitting, _name(op), b.value, holds)
        return self._order(a, op, b, holds)

    def _same(self, a: Constant | Variable, b: Constant | Variable, holds: bool) -> Read:
        """`==` of two simple values."""
        match a, b:
            case Constant(one), Constant(other):
                return (one == other) is holds
            case (Variable() as variable, Constant(value)) | (Constant(value), Variable() as variable):
                if value is None:
                    return self._test(variable, "none", None, holds)
                fitting = self.terms.fitting(variable, value)
                if fitting is not None:
                    return self._test(fitting, "==", value, holds)
                there = self._test(variable, "none", None, False)
                equal = self._test(self.terms.equals(variable, value), "==", True, holds)
                return All((there, equal)) if holds else Any((_not(there), equal))
            case _:
                assert isinstance(a, Variable) and isinstance(b, Variable)
                return self._same_terms(a, b, holds)

    def _same_terms(self, a: Variable, b: Variable, holds: bool) -> Read:
        if a is b:
            return holds if not a.nan else self._test_nan(a, not holds)
        if a.values is not None and a.values == b.values and len(a.values) <= 12 and not _made(a):
            pairs: list[Read] = [self._both_are(a, b, value) for value in a.values]
            if a.optional and b.optional:
                pairs.append(All((self._test(a, "none", None, True), self._test(b, "none", None, True))))
            return Any(tuple(pairs)) if holds else _not(Any(tuple(pairs)))
        return self._order(a, "==", b, holds)

    def _test_nan(self, variable: Variable, holds: bool) -> Read:
        everything: Read = Any((self._test(variable, "<=", 0, True), self._test(variable, ">", 0, True)))
        return _not(everything) if holds else everything

    def _both_are(self, a: Variable, b: Variable, value: Value) -> Read:
        return All((self._test(a, "==", value, True), self._test(b, "==", value, True)))

    def _order(self, a: Variable, op: str, b: Variable, holds: bool) -> Read:
        """Two terms beside each other: which is the larger one is a term of its own."""
        if a is b:
            equal = op in ("==", "<=", ">=")
            return equal is holds if not a.nan or not equal else self._test_nan(a, not holds)
        if b.index < a.index:
            a, b, op = b, a, _MIRRORED[op]
        question = self.terms.order(a, b)
        wanted = frozenset(order for order in question.values or () if order.operator in _HELD_BY[op])
        asked = self._test(question, "in", wanted, True)
        if a.optional or b.optional:
            here = All((self._test(a, "none", None, False), self._test(b, "none", None, False)))
            asked = All((here, asked))
            if a.optional and b.optional and op == "==":
                neither = All((self._test(a, "none", None, True), self._test(b, "none", None, True)))
                asked = Any((asked, neither))
        return asked if holds else _not(asked)

    # --- membership -----------------------------------------------------------------------------------------

    def _within(self, expr: Expr, item: Expr, where: Expr, holds: bool) -> Read:
        if isinstance(where, model.MakeList) and where.type != JSON:
            among = where.items
        elif isinstance(where, model.MakeDict) and where.type != JSON:
            among = tuple(key for key, _ in where.items)
        else:
            return self._unknown(_membership(expr, item, where), holds)
        found: list[Read] = []
        floats = isinstance(where.type, model.ListOf | model.SetOf) and base(where.type.item) == FLOAT
        if floats:
            among = tuple(model.Widen(one, FLOAT, one.place) if one.type == INT else one for one in among)
        values = [leaf.value for one in among for _, leaf in self._constant(one)]
        cases = self._cases(item)
        if len(cases) * max(1, len(among) - len(values)) > _MOST_CASES:
            return self._unknown(_membership(expr, item, where), holds)
        others = [one for one in among if not self._constant(one)]
        for when, leaf in cases:
            parts = [self._one_of(leaf, values), *(self._one(leaf, one) for one in others)]
            either: Read = Any(tuple(parts))
            found.append(self._both(when, either if holds else _not(either)))
        return Any(tuple(found))

    def _one_of(self, leaf: Constant | Variable, values: Sequence[Value]) -> Read:
        if isinstance(leaf, Constant):
            return leaf.value in values
        if not values:
            return False
        if all(value is None or self.terms.fitting(leaf, value) is leaf for value in values):
            there = frozenset(value for value in values if value is not None)
            within = self._test(leaf, "in", there, True) if there else False
            return Any((within, self._test(leaf, "none", None, True))) if None in values else within
        return Any(tuple(self._same(leaf, Constant(value), True) for value in values))

    def _one(self, leaf: Constant | Variable, other: Expr) -> Read:
        cases = ((when, self._same(leaf, one, True)) for when, one in self._cases(other))
        return Any(tuple(self._both(when, same) for when, same in cases))

    def _constant(self, expr: Expr) -> list[tuple[Read, Constant]]:
        match expr:
            case model.Const(type=model.Unknown()):
                return []
            case model.Const(value, type):
                return [(True, Constant(_as_float(value) if type == FLOAT else value))]
            case model.EnumConst(enum, member):
                return [(True, Constant(Member(enum, member)))]
            case model.Widen(model.Const(value)):
                return [(True, Constant(_as_float(value)))]
            case _:
                return []

    def _is_record(self, operand: Expr, record: model.Key, holds: bool) -> Read:
        found: list[Read] = []
        for when, leaf in self._cases(operand):
            if isinstance(leaf, Constant):
                one: Read = not holds
            elif isinstance(base(leaf.type), model.UnionType):
                one = self._test(leaf, "==", record, holds)
            else:
                one = self._test(leaf, "none", None, not holds)
            found.append(self._both(when, one))
        return Any(tuple(found))

    # --- values ---------------------------------------------------------------------------------------------

    def _cases(self, expr: Expr) -> list[Case]:
        """The values that an expression can have; conditions exclude each other."""
        found = list(self._each(expr))
        return found if len(found) <= _MOST_CASES else [(True, self.terms.other(expr))]

    def _each(self, expr: Expr) -> Iterator[Case]:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise TooLarge
        match expr:
            case model.Const(type=model.Unknown()):
                yield True, self.terms.other(expr)
            case model.Const() | model.EnumConst() | model.Widen(model.Const()):
                yield from self._constant(expr)
            case model.FieldRef(field):
                yield True, self.terms.field(field)
            case model.Attr(owner, name, safe):
                yield from self._attribute(expr, owner, name, safe)
            case model.Binary("??", left, right):
                for when, leaf in self._cases(left):
                    none = (
                        leaf.value is None
                        if isinstance(leaf, Constant)
                        else self._test(leaf, "none", None, True)
                    )
                    if none is not True:
                        yield self._both(when, _not(none)), leaf
                    if none is not False:
                        yield from (
                            (self._both(self._both(when, none), also), one)
                            for also, one in self._cases(right)
                        )
            case model.Conditional(then, condition, otherwise):
                for value, holds in ((then, True), (otherwise, False)):
                    test = self._truth(condition, holds)
                    yield from ((self._both(test, when), leaf) for when, leaf in self._cases(value))
            case model.Call("len", (collection,)):
                yield from self._length(expr, collection)
            case model.Visits(node):
                yield True, self.terms.visits(node)
            case model.Steps():
                yield True, self.terms.steps()
            case _:
                yield True, self.terms.other(expr)

    def _attribute(self, expr: model.Attr, owner: Expr, name: str, safe: bool) -> Iterator[Case]:
        for when, leaf in self._cases(owner):
            if isinstance(leaf, Constant):
                if safe:  # else it was tested before
                    yield when, leaf
                continue
            part = self.terms.part(leaf, base(owner.type), name, safe)
            if part is None:
                yield when, self.terms.other(expr)
            elif safe and leaf.optional:
                yield self._both(when, self._test(leaf, "none", None, True)), Constant(None)
                yield self._both(when, self._test(leaf, "none", None, False)), part
            else:
                yield when, part

    def _length(self, expr: Expr, collection: Expr) -> Iterator[Case]:
        for when, leaf in self._cases(collection):
            match leaf:
                case Constant(str() | bytes() as text):
                    yield when, Constant(len(text))
                case Constant():
                    yield when, self.terms.other(expr)
                case _:
                    yield when, self.terms.length(leaf)


def _not(read: Read) -> Read:
    match read:
        case bool():
            return not read
        case Test():
            return read._replace(holds=not read.holds)
        case All(parts):
            return Any(tuple(map(_not, parts)))
        case Any(parts):
            return All(tuple(map(_not, parts)))


def _as_float(value: Value) -> Value:
    """A whole number as the float that it becomes, if there is one."""
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        return value


def _name(op: str) -> TestName:
    match op:
        case "<" | "<=" | ">" | ">=":
            return op
        case _:
            return "=="


def _made(variable: Variable) -> bool:
    return isinstance((variable.values or (None,))[0], Made)


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
