"""From two simple values to a test: a term beside a constant, or two terms beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq, ge, gt, le, lt

from ..model import Expr
from .domains import Made, TestName, Value, Variable
from .reads import All, Any, Constant, Read, Test, opposite
from .terms import Terms

_MIRRORED: dict[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_HELD_BY = {"<": ("<",), "<=": ("<", "=="), ">": (">",), ">=": (">", "=="), "==": ("==",)}
_OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


class Comparisons:
    """Makes tests, and notes the constants in them."""

    __slots__ = ("terms",)

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def unknown(self, expr: Expr, holds: bool) -> Read:
        """A test that is not understood."""
        return self.test(self.terms.unknown(expr), "==", True, holds)

    def test(self, variable: Variable, name: TestName, value: Value, holds: bool) -> Read:
        """A term beside a constant, which is noted; `none` of a term that is never none is decided."""
        if name == "none":
            return Test(variable, name, None, holds) if variable.optional else not holds
        if name == "in":
            for one in value:
                if one is not None:
                    variable.cut(one)
        else:
            variable.cut(value)
        return Test(variable, name, value, holds)

    def compared(self, a: Constant | Variable, op: str, b: Constant | Variable, holds: bool) -> Read | None:
        """A comparison of two simple values; None where it is not understood."""
        if isinstance(a, Constant) and isinstance(b, Variable):
            a, b, op = b, a, _MIRRORED[op]
        if op == "==":
            return self.same(a, b, holds)
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
            return None if fitting is None else self.test(fitting, _name(op), b.value, holds)
        return self._order(a, op, b, holds)

    def same(self, a: Constant | Variable, b: Constant | Variable, holds: bool) -> Read:
        """`==` of two simple values."""
        match a, b:
            case Constant(one), Constant(other):
                return (one == other) is holds
            case (Variable() as variable, Constant(value)) | (Constant(value), Variable() as variable):
                if value is None:
                    return self.test(variable, "none", None, holds)
                fitting = self.terms.fitting(variable, value)
                if fitting is not None:
                    return self.test(fitting, "==", value, holds)
                there = self.test(variable, "none", None, False)
                equal = self.test(self.terms.equals(variable, value), "==", True, holds)
                return All((there, equal)) if holds else Any((opposite(there), equal))
            case _:
                assert isinstance(a, Variable) and isinstance(b, Variable)
                return self._same_terms(a, b, holds)

    def _same_terms(self, a: Variable, b: Variable, holds: bool) -> Read:
        if a is b:
            return holds if not a.nan else self._test_nan(a, not holds)
        if a.values is not None and a.values == b.values and len(a.values) <= 12 and not _made(a):
            pairs: list[Read] = [self._both_are(a, b, value) for value in a.values]
            if a.optional and b.optional:
                pairs.append(All((self.test(a, "none", None, True), self.test(b, "none", None, True))))
            return Any(tuple(pairs)) if holds else opposite(Any(tuple(pairs)))
        return self._order(a, "==", b, holds)

    def _test_nan(self, variable: Variable, holds: bool) -> Read:
        everything: Read = Any((self.test(variable, "<=", 0, True), self.test(variable, ">", 0, True)))
        return opposite(everything) if holds else everything

    def _both_are(self, a: Variable, b: Variable, value: Value) -> Read:
        return All((self.test(a, "==", value, True), self.test(b, "==", value, True)))

    def _order(self, a: Variable, op: str, b: Variable, holds: bool) -> Read:
        """Two terms beside each other: which is the larger one is a term of its own."""
        if a is b:
            equal = op in ("==", "<=", ">=")
            return equal is holds if not a.nan or not equal else self._test_nan(a, not holds)
        if b.index < a.index:
            a, b, op = b, a, _MIRRORED[op]
        question = self.terms.order(a, b)
        wanted = frozenset(order for order in question.values or () if order.operator in _HELD_BY[op])
        asked = self.test(question, "in", wanted, True)
        if a.optional or b.optional:
            here = All((self.test(a, "none", None, False), self.test(b, "none", None, False)))
            asked = All((here, asked))
            if a.optional and b.optional and op == "==":
                neither = All((self.test(a, "none", None, True), self.test(b, "none", None, True)))
                asked = Any((asked, neither))
        return asked if holds else opposite(asked)

    def one_of(self, leaf: Constant | Variable, values: Sequence[Value]) -> Read:
        """Whether a simple value is among constants."""
        if isinstance(leaf, Constant):
            return leaf.value in values
        if not values:
            return False
        if all(value is None or self.terms.fitting(leaf, value) is leaf for value in values):
            there = frozenset(value for value in values if value is not None)
            within = self.test(leaf, "in", there, True) if there else False
            return Any((within, self.test(leaf, "none", None, True))) if None in values else within
        return Any(tuple(self.same(leaf, Constant(value), True) for value in values))


def _name(op: str) -> TestName:
    match op:
        case "<" | "<=" | ">" | ">=":
            return op
        case _:
            return "=="


def _made(variable: Variable) -> bool:
    return isinstance((variable.values or (None,))[0], Made)
