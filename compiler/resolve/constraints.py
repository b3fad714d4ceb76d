"""From written constraints and merge rules to checked ones (LG207): do they fit, can any value meet them?

A `pattern` is a regular expression of Python's `re` and is searched for anywhere in the text; anchor it
with `^` and `$` to describe the whole.
"""

from __future__ import annotations

import re
import warnings
from typing import cast

from ...dsl import ast
from .. import model
from ..context import Unit
from ..model import Bounds, DictOf, Expr, ListOf, SetOf, Type, Unknown
from ..types import BYTES, DECIMAL, FLOAT, INT, NUMBERS, ORDERED, STR, base, show
from .constants import fit, is_number, strip, whole
from .data import target_name

_RULES: dict[str, model.MergeRule] = {
    "error": "error",
    "last": "last",
    "append": "append",
    "sum": "sum",
    "max": "max",
    "min": "min",
    "union": "union",
    "custom": "custom",
}


class Constraints:
    """The constraints of one field, at most one of each kind."""

    __slots__ = ("length", "name", "pattern", "range", "type", "unit")

    def __init__(self, unit: Unit, written: ast.Field, type: Type) -> None:
        self.unit = unit
        self.name = written.name.text
        self.type = base(type)
        self.range: Bounds | None = None
        self.length: Bounds | None = None
        self.pattern: str | None = None
        seen: dict[str, ast.Constraint] = {}
        for constraint in written.constraints:
            first = seen.setdefault(_word(constraint), constraint)
            if first is not constraint:
                unit.twice("constraint", ast.Name(constraint.span, _word(constraint)), unit.place(first.span))
            else:
                self.add(constraint)

    def meaningless(self, message: str, written: ast.Constraint, help: str = "") -> None:
        """Report LG207."""
        self.unit.error("LG207", message, written.span, help=help)

    def add(self, written: ast.Constraint) -> None:
        """Check one constraint and keep it."""
        type = self.type
        known = not isinstance(type, Unknown)
        match written:
            case ast.RangeConstraint(low=low, high=high):
                if type in NUMBERS:
                    self.range = self.bounds(written, low, high, type)
                elif known:
                    message = f"`range` bounds numbers, but `{self.name}` is `{show(type)}`"
                    self.meaningless(message, written, "bound its size with `length`" if _sized(type) else "")
            case ast.LengthConstraint(low=low, high=high):
                if _sized(type):
                    self.length = self.bounds(written, low, high, INT)
                elif known:
                    message = (
                        f"`length` bounds str, bytes and collections, but `{self.name}` is `{show(type)}`"
                    )
                    self.meaningless(message, written, "bound it with `range`" if type in NUMBERS else "")
            case ast.PatternConstraint(pattern=pattern):
                if type == STR:
                    self.pattern = self.regex(written, pattern.value)
                elif known:
                    self.meaningless(f"`pattern` is for str, but `{self.name}` is `{show(type)}`", written)

    def bounds(
        self,
        written: ast.RangeConstraint | ast.LengthConstraint,
        low: ast.Expr | None,
        high: ast.Expr | None,
        type: Type,
    ) -> Bounds | None:
        """Both ends as numbers of the type."""
        word = _word(written)
        if low is None and high is None:
            self.meaningless(f"`{word} ..` bounds nothing", written, "give it at least one end")
            return None
        ends: list[model.Number | None] = []
        for end in (low, high):
            value = None if end is None else self.end(end, type)
            if end is not None and value is None:
                message = f"the ends of this `{word}` are `{show(type)}`"
                self.unit.error("LG207", message, end.span, help="write a number that fits the type")
                return None
            ends.append(value)
        if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
            self.meaningless(f"no value can meet `{word}`: {ends[0]} is more than {ends[1]}", written)
            return None
        if isinstance(written, ast.LengthConstraint) and any(e is not None and e < 0 for e in ends):
            self.meaningless("a length is never negative", written)
            return None
        return Bounds(ends[0], ends[1])

    def end(self, written: ast.Expr, type: Type) -> model.Number | None:
        """One end of a `range` or `length`."""
        inner, negative = strip(written), False
        while isinstance(inner, ast.Unary) and inner.op == "-":
            inner, negative = strip(inner.operand), not negative
        if not isinstance(inner, ast.IntLit | ast.FloatLit):
            return None
        found = fit(inner, type, self.unit.place(written.span), negative=negative)
        return None if found is None else cast(model.Number, found.value)

    def regex(self, written: ast.PatternConstraint, text: str) -> str | None:
        """A pattern that `re` can read."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(text)
        except (re.error, OverflowError, RecursionError, ValueError) as problem:
            self.meaningless(f"this pattern is not a regular expression: {problem}", written)
            return None
        return text

    def broken_by(self, default: Expr) -> str | None:
        """How a constant breaks a constraint, in words, or None if it breaks none."""
        return broken_by(default, self.range, self.length, self.pattern)


def broken_by(default: Expr, range: Bounds | None, length: Bounds | None, pattern: str | None) -> str | None:
    """How a constant breaks the constraints of a field, in words, or None if it breaks none."""
    size = _size(default)
    if size is not None and length is not None and not _within(size, length):
        return f"its length {size} is outside {_show_bounds(length)}"
    inner = default.operand if isinstance(default, model.Widen) else default
    if not isinstance(inner, model.Const):
        return None
    value = inner.value
    if range is not None and is_number(value) and not _within(value, range):
        return f"{value} is outside {_show_bounds(range)}"
    if pattern is not None and isinstance(value, str):
        from ..patterns import found  # few states have one

        if found(pattern, value) is False:
            return "it does not match the pattern"
    return None


def _word(constraint: ast.Constraint) -> str:
    match constraint:
        case ast.RangeConstraint():
            return "range"
        case ast.LengthConstraint():
            return "length"
        case ast.PatternConstraint():
            return "pattern"


def _sized(type: Type) -> bool:
    return type in (STR, BYTES) or isinstance(type, ListOf | SetOf | DictOf)


def _size(default: Expr) -> int | None:
    match default:
        case model.Const(value=str() | bytes() as text):
            return len(text)
        case model.MakeList(items=items) if isinstance(default.type, ListOf):
            return len(items)
        case model.MakeList(items=items):
            return len({_plain(item) for item in items})
        case model.MakeDict(items=items):
            return len({_plain(key) for key, _ in items})
        case _:
            return None


def _plain(item: Expr) -> object:
    return (item.enum, item.member) if isinstance(item, model.EnumConst) else getattr(item, "value", item)


def _within(value: model.Number, bounds: Bounds) -> bool:
    low_fits = bounds.low is None or value >= bounds.low
    return low_fits and (bounds.high is None or value <= bounds.high)


def _show_bounds(bounds: Bounds) -> str:
    low = "" if bounds.low is None else str(bounds.low)
    return f"{low}..{'' if bounds.high is None else bounds.high}"


def merge(unit: Unit, written: ast.Merge, field: str, type: Type) -> model.Merge:
    """A merge rule; reports LG207 where it does not fit the field's type, and LG002 for unknown rules.

    What was reported counts as some rule, so that no race is reported on top of it.
    """
    rule = written.rule.text
    reported = model.Merge("last", None, unit.place(written.span))
    if rule not in _RULES:
        guess = unit.context.speller.guess(written.rule, _RULES)
        help = guess.help or "write one of " + ", ".join(_RULES)
        unit.error("LG002", f"unknown merge rule `{rule}`", written.rule.span, help=help, fix=guess.fix)
        return reported
    if (rule == "custom") != (written.target is not None):
        message = '`merge custom` needs a function: `merge custom "module:function"`'
        if rule != "custom":
            message = f"`merge {rule}` takes no function"
        unit.error("LG002", message, written.span)
        return reported
    if not _merges(rule, base(type)):
        message = f"`merge {rule}` cannot join values of `{field}`, which is `{show(type)}`"
        unit.error("LG207", message, written.span, help=f"`merge {rule}` is for {_FOR[rule]}")
        return reported
    target = None if written.target is None else target_name(unit, written.target, "module:function")
    return model.Merge(_RULES[rule], target, unit.place(written.span))


_FOR = {
    "append": "lists and str",
    "sum": "numbers",
    "max": "numbers, str, dates and durations",
    "min": "numbers, str, dates and durations",
    "union": "sets and dicts",
}


def _merges(rule: str, type: Type) -> bool:
    if isinstance(type, Unknown):
        return True
    match rule:
        case "append":
            return type == STR or isinstance(type, ListOf)
        case "sum":
            return type in (INT, FLOAT, DECIMAL)
        case "max" | "min":
            return type in ORDERED
        case "union":
            return isinstance(type, SetOf | DictOf)
        case _:
            return True


def count(unit: Unit, written: ast.Expr, what: str) -> int | None:
    """A whole number of at least one; reports another kind of number (LG201) and what is less (LG603)."""
    value = whole(written)
    if value is None:
        unit.error("LG201", f"`{what}` takes a whole number", written.span)
        return None
    if value < 1:
        unit.error(
            "LG603", f"`{what} {value}` has no meaning", written.span, help=f"write `{what} 1` or more"
        )
        return None
    return value
