"""From what guards ask about to variables with domains, each of them once for all guards of a source.

A field that is optional has `none` in its domain unless it surely has a value where the guards are tried.
`x.f` and `x?.f` are one term; so are two expressions that are written alike.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from .. import model
from ..likeness import bare
from ..model import Expr, Program, Scalar, State, Type
from ..types import BOOL, FLOAT, INT, JSON, NUMBERS, ORDERED, base
from .domains import Member, Order, Value, Variable, scale_of, values_of
from .extents import ANY, FINITE, bounded, finite
from .links import Links
from .scales import Floating, Whole

_LONGEST_WORDS = 60


class Terms:
    """The terms of the guards of one source.

    Attributes:
        present: fields of the state that are not none here.
        source: the node whose edges these are, or `start`.
        fresh: whether no node has completed here (the graph's own `start`).
        variables: the terms met so far; `full`: their domains, once cut.
        links: what terms have to do with each other.
        unclear: whether the type of one is not known, because it was reported.
        limits: what is known of the terms met beside their types, in words.
        free: limits that are not to count.
    """

    __slots__ = (
        "_made",
        "_program",
        "free",
        "fresh",
        "full",
        "limits",
        "links",
        "present",
        "source",
        "state",
        "unclear",
        "variables",
    )

    def __init__(
        self,
        program: Program,
        state: State,
        source: str,
        present: Set[str],
        fresh: bool,
        free: frozenset[str] = frozenset(),
    ) -> None:
        self._program = program
        self.state = state
        self.source = source
        self.present = present
        self.fresh = fresh
        self.free = free
        self.limits: dict[str, None] = {}
        self.variables: list[Variable] = []
        self.unclear = False
        self.full: list[int] = []
        self.links = Links()
        self._made: dict[object, Variable] = {}

    def settle(self) -> None:
        """Cut the domains, and number the terms anew: fields in their order, unsure terms last.

        Nothing may be added any more.
        """
        self.links.cut()
        self.variables.sort(key=self._rank)
        for at, variable in enumerate(self.variables):
            variable.index = at
            variable.settle()
        self.full = [variable.full for variable in self.variables]

    def _rank(self, variable: Variable) -> tuple[bool, bool, int]:
        # The place of a field is asked for, not its number: a state may have thousands, a guard names few.
        field = self.state.field(variable.path[0]) if variable.path else None
        return not variable.sure, field is None, 0 if field is None else field.place.span.start

    def _variable(self, key: object, make: Callable[[], Variable]) -> Variable:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = make()
            found.index = len(self.variables)
            self.variables.append(found)
        return found

    def _of_type(
        self, key: object, words: str, type: Type, limits: model.Field | None = None, *,
        present: bool = False, sure: bool = True, path: tuple[str, ...] = (),
    ) -> Variable:  # fmt: skip
        def make() -> Variable:
            inner = base(type)
            self.unclear |= isinstance(inner, model.Unknown)
            optional = isinstance(type, model.OptionalOf) or inner == JSON
            if optional and present:
                optional = not self._limited(f"`{words}` surely has a value here")
            scale = scale_of(inner, *self._limits(words, limits))
            return Variable(
                key, words, inner, scale=scale, path=path, sure=sure, optional=optional,
                values=values_of(self._program, inner) if scale is None else None,
            )  # fmt: skip

        return self._variable(key, make)

    def _limited(self, limit: str) -> bool:
        """Whether a limit counts; it is noted."""
        self.limits[limit] = None
        return limit not in self.free

    def _limits(
        self, words: str, field: model.Field | None
    ) -> tuple[model.Bounds | None, model.Bounds | None, str | None]:
        """The range, length and pattern of a field that count."""
        if field is None:
            return None, None, None
        range, pattern = field.range, field.pattern
        if range is not None and not self._limited(f"the range of `{words}` is {_bounds(range)}"):
            range = None
        if pattern is not None and not self._limited(f"the pattern of `{words}` is `{pattern}`"):
            pattern = None
        return range, self._lengths(words, field), pattern

    def _lengths(self, words: str, field: model.Field) -> model.Bounds | None:
        length = field.length
        if length is not None and not self._limited(f"the length of `{words}` is {_bounds(length)}"):
            return None
        return length

    # --- the terms ------------------------------------------------------------------------------------------

    def field(self, name: str) -> Variable:
        """A field of the state."""
        found = self._made.get(name)
        if found is not None:
            return found
        field = self.state.field(name)
        assert field is not None
        return self._of_type(name, name, field.type, field, present=name in self.present, path=(name,))

    def part(self, owner: Variable, type: Type, name: str, safe: bool) -> Variable | None:
        """A field of a record or of a sub-state; None where there is none."""
        limits: model.Field | None = None
        match type:
            case model.RecordType(key) if key in self._program.records:
                fields = self._program.records[key].fields
                found = next((field.type for field in fields if field.name == name), None)
            case model.StateType(key) if key in self._program.states:
                limits = self._program.states[key].field(name)
                found = None if limits is None else limits.type
            case _:
                return None
        if found is None:
            return None
        words = f"{owner.words}{'?.' if safe else '.'}{name}"
        path = (*owner.path, name) if owner.path else ()
        return self._of_type((owner.key, key, name), words, found, limits, sure=owner.sure, path=path)

    def length(self, of: Variable) -> Variable:
        """`len(x)`."""

        def make() -> Variable:
            field = self.state.field(of.words) if len(of.path) == 1 else None
            low, high = (field and self._lengths(of.words, field)) or (None, None)
            scale = Whole(max(0, int(low or 0)), None if high is None else int(high))
            words = f"len({of.words})"
            return Variable(("len", of.key), words, INT, scale=scale, sure=of.sure, path=of.path)

        found = self._variable(("len", of.key), make)
        if of.type == Scalar("str"):
            self.links.lengths.append((of, found))
        return found

    def visits(self, node: str) -> Variable:
        """`visits(node)`: a node's own edges are tried after it has completed."""
        least = node == self.source and self._limited(f"`{node}` has completed when its edges are tried")
        scale = Whole(int(least), 0 if self._nothing_done() else None)
        words = f"visits({node})"
        return self._variable(words, lambda: Variable(words, words, INT, scale=scale))

    def steps(self) -> Variable:
        """`steps()`."""
        least = self.source != model.START and self._limited(
            f"`{self.source}` has completed when its edges are tried"
        )
        scale = Whole(int(least), 0 if self._nothing_done() else None)
        return self._variable("steps()", lambda: Variable("steps()", "steps()", INT, scale=scale))

    def _nothing_done(self) -> bool:
        return self.fresh and self._limited("nothing has completed at `start`")

    def unknown(self, expr: Expr) -> Variable:
        """A test that is true or false."""
        self.unclear |= isinstance(expr.type, model.Unknown)
        key = ("test", bare(expr))
        return self._variable(
            key, lambda: Variable(key, _words(expr), BOOL, values=(True, False), sure=False)
        )

    def other(self, expr: Expr) -> Variable:
        """The value of any other expression."""
        if expr.type == BOOL:
            return self.unknown(expr)
        key = ("value", bare(expr))
        found = self._of_type(key, _words(expr), expr.type, sure=False)
        if found.type == FLOAT and found.scale == Floating():
            level = finite(expr)
            found.scale = Floating(endless=level != FINITE)
            found.nan = level == ANY
        found.scale = bounded(expr) or found.scale
        return found

    def equals(self, variable: Variable, value: Value) -> Variable:
        """Whether a term equals a constant, where its type has no order of values."""
        from .words import literal

        key = ("equals", variable.key, type(value).__name__, value)
        words = f"{variable.words} == {literal(value)}"
        return self._variable(key, lambda: Variable(key, words, BOOL, values=(True, False), sure=False))

    def order(self, a: Variable, b: Variable) -> Variable:
        """How two terms stand to each other."""
        ordered = a.type in ORDERED and b.type in ORDERED
        names: tuple[str, ...] = ("==", "<", ">") if ordered else ("==", "!=")
        if a.nan or b.nan:
            names = (*names, "?")
        key = ("order", a.key, b.key)
        orders = tuple(_ORDERS[name] for name in names)
        words = f"{a.words} {{}} {b.words}"
        found = self._variable(key, lambda: Variable(key, words, BOOL, values=orders, sure=False))
        self.links.orders.append((a, b, found))
        return found

    def fitting(self, variable: Variable, value: Value) -> Variable | None:
        """The term to compare with a constant: itself, or for a time with a time zone (or without) that of
        such times; None where the constant is not on its scale."""
        if variable.values is not None:
            return variable if isinstance(value, Member | bool) and value in variable.values else None
        if variable.type == Scalar("datetime"):
            return self._zoned(variable, value.tzinfo is not None)
        if variable.type in NUMBERS:
            return variable if not isinstance(value, bool | str | bytes) else None
        return variable

    def _zoned(self, variable: Variable, zoned: bool) -> Variable:
        """Times with a time zone are not compared with times without: those fail, or are not equal."""
        if not variable.ranks:
            variable.zoned = zoned
        if variable.zoned is zoned:
            return variable
        key = ("zoned", variable.key)

        def make() -> Variable:
            return Variable(
                key, variable.words, variable.type, scale=variable.scale, optional=variable.optional,
                sure=False, zoned=zoned,
            )  # fmt: skip

        return self._variable(key, make)


def _bounds(bounds: model.Bounds) -> str:
    low, high = ("" if end is None else str(end) for end in bounds)
    return f"{low}..{high}"


_ORDERS = {
    "<": Order("<"),
    "==": Order("=="),
    ">": Order(">"),
    "!=": Order("!="),
    "?": Order("?"),
}


def _words(expr: Expr) -> str:
    """The expression as written, on one line."""
    source, span = expr.place
    text = " ".join(source.text[span.start : span.end].split())
    return text if len(text) <= _LONGEST_WORDS else text[: _LONGEST_WORDS - 1] + "…"
