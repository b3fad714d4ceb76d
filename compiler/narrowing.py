"""From a condition to what is known once it holds, or once it does not.

A *path* is a name and the fields behind it: `x`, `x.f.g`. A *fact* says which type the value at a path
has here: an optional that is not none, a union that is one record. Facts come from `x != none`, `x == v`,
`x in xs`, `x is R` and what `and`, `or`, `not` make of them.
"""

from __future__ import annotations

from typing import TypeAlias

from . import model
from .model import Expr, OptionalOf, Type
from .types import TypeRules, base, may_be_none

Path: TypeAlias = tuple[str, ...]
Facts: TypeAlias = dict[Path, Type]


def path_of(expr: Expr) -> Path | None:
    """The path that an expression names, or None if it is not one."""
    names: list[str] = []
    while isinstance(expr, model.Attr):
        names.append(expr.name)
        expr = expr.base
    match expr:
        case model.FieldRef(field=name) | model.ParamRef(name=name) | model.ItemRef(name=name):
            names.append(name)
        case _:
            return None
    return tuple(reversed(names))


def narrow(condition: Expr, holds: bool, rules: TypeRules) -> Facts:
    """The facts that follow from a condition that holds (or does not)."""
    facts: Facts = {}
    _collect(condition, holds, rules, facts)
    return facts


class Row:
    """The facts along a row of `and`, or of `or`: those of its first part are not gathered for each again."""

    __slots__ = ("facts", "holds", "part")

    def __init__(self) -> None:
        self.part: Expr | None = None
        self.holds = False
        self.facts: Facts = {}

    def narrow(self, condition: Expr, holds: bool, rules: TypeRules) -> Facts:
        """As `narrow`, for the left side of an `and` that holds or of an `or` that does not."""
        match condition:
            case model.Binary(op="and" | "or", left=left, right=right) if (
                left is self.part and holds is self.holds and (condition.op == "and") is holds
            ):
                facts = dict(self.facts)
                _collect(right, holds, rules, facts)
            case _:
                facts = narrow(condition, holds, rules)
        self.keep(condition, holds, facts)
        return facts

    def keep(self, part: Expr, holds: bool, facts: Facts) -> None:
        """Go on from here: the right side had rows of its own."""
        self.part, self.holds, self.facts = part, holds, facts


def _collect(condition: Expr, holds: bool, rules: TypeRules, facts: Facts) -> None:
    match condition:
        case model.Unary(op="not", operand=operand):
            _collect(operand, not holds, rules, facts)
        case model.Binary(op="and" | "or", left=left, right=right):
            if (condition.op == "and") is holds:
                _collect(left, holds, rules, facts)
                _collect(right, holds, rules, facts)
        case model.Binary(op="==" | "!=", left=left, right=right):
            if _is_none(right):
                _no_none(left, (condition.op == "!=") is holds, facts)
            elif _is_none(left):
                _no_none(right, (condition.op == "!=") is holds, facts)
            elif (condition.op == "==") is holds:
                _no_none(left, not may_be_none(right.type), facts)
                _no_none(right, not may_be_none(left.type), facts)
        case model.Binary(op="in" | "not in", left=left, right=right):
            if (condition.op == "in") is holds:
                _no_none(left, not _may_hold_none(right.type), facts)
        case model.IsRecord(operand=operand, record=record):
            _record(operand, record, holds, rules, facts)
        case _:
            pass


def _is_none(expr: Expr) -> bool:
    return isinstance(expr, model.Const) and expr.value is None


def _may_hold_none(type: Type) -> bool:
    match type:
        case model.ListOf(item) | model.SetOf(item) | model.DictOf(item, _):
            return may_be_none(item)
        case _:
            return True


def _no_none(expr: Expr, sure: bool, facts: Facts) -> None:
    """`expr` is not none: neither is what it was reached through by `?.`."""
    if not sure:
        return
    at: Expr = expr
    while True:
        path = path_of(at)
        if path is not None and isinstance(at.type, OptionalOf):
            facts.setdefault(path, _plain(at))
        if not isinstance(at, model.Attr):
            return
        at = at.base


def _plain(expr: Expr) -> Type:
    return base(expr.type)


def _record(operand: Expr, record: model.Key, holds: bool, rules: TypeRules, facts: Facts) -> None:
    path = path_of(operand)
    if path is None:
        return
    if holds:
        _no_none(operand, True, facts)
        facts[path] = model.RecordType(record)
    elif isinstance(operand.type, model.UnionType):
        left = [member for member in rules.members(operand.type.key) if member != record]
        if len(left) == 1:
            facts[path] = model.RecordType(left[0])
