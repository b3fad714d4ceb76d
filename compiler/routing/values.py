"""From expressions to the simple values that they can have, each with when it has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .. import model
from ..model import Expr
from ..types import FLOAT, base
from .comparisons import Comparisons
from .domains import Member, Value
from .reads import Case, Constant, Read, both, opposite

MOST_CASES = 64  # of one value


class Values:
    """The values of expressions; `truth` reads a condition, `spend` counts what was looked at."""

    __slots__ = ("spend", "terms", "tests", "truth")

    def __init__(
        self, tests: Comparisons, truth: Callable[[Expr, bool], Read], spend: Callable[[], None]
    ) -> None:
        self.terms = tests.terms
        self.tests = tests
        self.truth = truth
        self.spend = spend

    def cases(self, expr: Expr) -> list[Case]:
        """The values that an expression can have; conditions exclude each other."""
        found = list(self._each(expr))
        return found if len(found) <= MOST_CASES else [(True, self.terms.other(expr))]

    def _each(self, expr: Expr) -> Iterator[Case]:
        self.spend()
        match expr:
            case model.Const(type=model.Unknown()):
                yield True, self.terms.other(expr)
            case model.Const() | model.EnumConst() | model.Widen(model.Const()):
                yield from constant(expr)
            case model.FieldRef(field):
                yield True, self.terms.field(field)
            case model.Attr(owner, name, safe):
                yield from self._attribute(expr, owner, name, safe)
            case model.Binary("??", left, right):
                for when, leaf in self.cases(left):
                    none = (
                        leaf.value is None
                        if isinstance(leaf, Constant)
                        else self.tests.test(leaf, "none", None, True)
                    )
                    if none is not True:
                        yield both(when, opposite(none)), leaf
                    if none is not False:
                        yield from ((both(both(when, none), also), one) for also, one in self.cases(right))
            case model.Conditional(then, condition, otherwise):
                for value, holds in ((then, True), (otherwise, False)):
                    test = self.truth(condition, holds)
                    yield from ((both(test, when), leaf) for when, leaf in self.cases(value))
            case model.Call("len", (collection,)):
                yield from self._length(expr, collection)
            case model.Visits(node):
                yield True, self.terms.visits(node)
            case model.Steps():
                yield True, self.terms.steps()
            case _:
                yield True, self.terms.other(expr)

    def _attribute(self, expr: model.Attr, owner: Expr, name: str, safe: bool) -> Iterator[Case]:
        for when, leaf in self.cases(owner):
            if isinstance(leaf, Constant):
                if safe:  # else it was tested before
                    yield when, leaf
                continue
            part = self.terms.part(leaf, base(owner.type), name, safe)
            if part is None:
                yield when, self.terms.other(expr)
            elif safe and leaf.optional:
                yield both(when, self.tests.test(leaf, "none", None, True)), Constant(None)
                yield both(when, self.tests.test(leaf, "none", None, False)), part
            else:
                yield when, part

    def _length(self, expr: Expr, collection: Expr) -> Iterator[Case]:
        for when, leaf in self.cases(collection):
            match leaf:
                case Constant(str() | bytes() as text):
                    yield when, Constant(len(text))
                case Constant():
                    yield when, self.terms.other(expr)
                case _:
                    yield when, self.terms.length(leaf)


def constant(expr: Expr) -> list[tuple[Read, Constant]]:
    """A constant as the only value that it can have; nothing for other expressions."""
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


def _as_float(value: Value) -> Value:
    """A whole number as the float that it becomes, if there is one."""
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        return value
