"""From the expression of a `set` step to what is wrong with it: typed over the old state, for the new field.

Names of the old graph and of the new one meet in such an expression. A declaration that both have, with the
same values, is one type; an enum that has changed is one with the members of both while it is typed, and what
can reach the field is looked at after that. Records that have changed are two types of one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...dsl import ast
from ...dsl.diagnostic import Diagnostic, Severity
from ...dsl.source import Place
from .. import model as m
from ..context import Context, FieldShape, Symbol, SymbolKind, Tables, Unit
from ..effects.mentions import mentions
from ..resolve.constraints import broken_by
from ..resolve.expressions import Scope, Typer
from ..types import base
from .fitting import Fitting, bare
from .shape import Held, Shape

_NAMED: Mapping[str, str] = {"LG201": "LG703", "LG204": "LG703", "LG206": "LG703"}


class Setting:
    """Types the `set` steps of one block."""

    def __init__(self, unit: Unit, old: Shape, new: Shape, place: Place) -> None:
        """`place` stands for that of what only a stored form declares."""
        self._unit, self._old, self._new, self._place = unit, old, new, place
        self._fitting = Fitting(old, new)
        self._one: dict[m.Key, m.Key] = {}  # what of the old graph is the same in the new one
        self._tables = Tables()
        self._symbols: dict[str, Symbol] = {}
        self._meet()
        self._fields = {name: self._type(held.type) for name, held in old.fields.items()}

    def findings(self, field: str, wanted: Held, written: ast.Expr) -> Iterator[Diagnostic]:
        """What is wrong with one expression."""
        context = Context()
        context.tables = self._tables
        unit = Unit(context, self._unit.path, self._unit.file, self._unit.broken, self._unit.misspelt)
        unit.symbols = dict(self._symbols)
        typer = Typer(Scope(unit, self._fields), mismatch="LG703")
        found = typer.check(written, wanted.type, f"field `{field}`", {})
        if context.findings:
            yield from map(self._said, context.findings)
            return
        for part in _results(found, frozenset()):
            limits = (wanted.range, wanted.length, wanted.pattern)
            if (why := self._lost(part, wanted) or broken_by(part, *limits)) is not None:
                yield self._error(f"field `{field}` cannot take this: {why}", part.place)

    def _said(self, found: Diagnostic) -> Diagnostic:
        """A finding of the checker of expressions in the words of migrations."""
        code, message = _NAMED.get(found.code, found.code), found.message
        if found.message.startswith("undefined name"):
            name = self._text(found.place)
            code, message = "LG705", f"graph `{self._old.name}` had no field `{name}`"
        help = found.help
        if self._old.hash in help:  # two records of one name, in other words than those of two files
            help = "it has changed since: make a new one of the old one's fields"
        return Diagnostic(
            code, found.severity, message, found.place, found.label, help, found.related, found.fix
        )

    @staticmethod
    def _text(place: Place) -> str:
        return place.source.text[place.span.start : place.span.end]

    @staticmethod
    def _error(message: str, place: Place) -> Diagnostic:
        return Diagnostic("LG703", Severity.ERROR, message, place)

    def _lost(self, part: m.Expr, wanted: Held) -> str | None:
        """Why a value that can be the result is none of the new field's type after all."""
        match part:
            case m.EnumConst(enum, member):
                if member not in self._new.enums.get(enum, (member,)):
                    return f"`{bare(enum)}` has no `{member}`"
                return None
            case m.FieldRef(name) if name in self._old.fields:
                return self._fitting.why_not(base(self._old.fields[name].type), base(wanted.type))
            case _:
                return None

    # --- where the names of both graphs meet ----------------------------------------------------------------

    def _meet(self) -> None:
        old, new, tables = self._old, self._new, self._tables
        if new.hash:
            self._declare(new)
        else:
            shared = self._unit.context.tables
            tables.enums.update(shared.enums)
            tables.records.update(shared.records)
            tables.unions.update(shared.unions)
            tables.states.update(shared.states)
            self._symbols.update(self._unit.symbols)
        self._pair(old.enums, new.enums, m.EnumType)
        self._pair(old.records, new.records, m.RecordType)
        self._pair(old.unions, new.unions, m.UnionType)
        self._pair(old.states, new.states, m.StateType)
        self._declare(old)

    def _pair(self, old: Iterable[m.Key], new: Iterable[m.Key], type: type[_Declared]) -> None:
        names = {bare(key): key for key in new if key in self._visible(key)}
        for key in old:
            there = names.get(bare(key))
            if there is None or "#" in key.name:
                continue
            if type is m.EnumType or self._fitting.alike(type(key), type(there)):
                self._one[key] = there

    def _visible(self, key: m.Key) -> tuple[m.Key, ...]:
        """The key, if its name stands for it: two files may declare one name."""
        symbol = self._symbols.get(bare(key))
        return (key,) if symbol is None or symbol.key == key else ()

    def _declare(self, shape: Shape) -> None:
        """Add what a stored form declares, and its names where they are free."""
        tables, own = self._tables, self._one
        for key, members in shape.enums.items():
            there = own.get(key, key)
            both = dict(tables.enums.get(there, {}))
            tables.enums[there] = {**dict.fromkeys(members, self._place), **both}
            self._name("enum", there)
        for key, fields in shape.records.items():
            if key not in own:
                tables.records[key] = self._shapes(fields)
            self._name("record", own.get(key, key))
        for key, records in shape.unions.items():
            if key not in own:
                tables.unions[key] = tuple(own.get(one, one) for one in records)
            self._name("union", own.get(key, key))
        for key, fields in shape.states.items():
            if key not in own:
                tables.states[key] = self._shapes(fields)

    def _name(self, kind: SymbolKind, key: m.Key) -> None:
        self._symbols.setdefault(bare(key), Symbol(kind, key, self._place))

    def _shapes(self, fields: Mapping[str, Held]) -> dict[str, FieldShape]:
        return {
            name: FieldShape(self._type(held.type), held.has_default, False, self._place)
            for name, held in fields.items()
        }

    def _type(self, type: m.Type) -> m.Type:
        """A type of the old graph where the declarations of both are known."""
        own = self._one
        match type:
            case m.OptionalOf(item):
                return m.OptionalOf(self._type(item))
            case m.ListOf(item):
                return m.ListOf(self._type(item))
            case m.SetOf(item):
                return m.SetOf(self._type(item))
            case m.DictOf(key, value):
                return m.DictOf(self._type(key), self._type(value))
            case m.EnumType(key):
                return m.EnumType(own.get(key, key))
            case m.RecordType(key):
                return m.RecordType(own.get(key, key))
            case m.UnionType(key):
                return m.UnionType(own.get(key, key))
            case m.StateType(key):
                return m.StateType(own.get(key, key))
            case _:
                return type


_Declared = m.EnumType | m.RecordType | m.UnionType | m.StateType


def _results(expr: m.Expr, tested: frozenset[str]) -> Iterator[m.Expr]:
    """The expressions whose values can be that of the whole; a field that a condition has tested is left out,
    as it may be known there not to be what it must not be."""
    match expr:
        case m.Conditional(then, condition, otherwise):
            inside = tested | {path[0] for path, _ in mentions(condition)}
            yield from _results(then, inside)
            yield from _results(otherwise, inside)
        case m.Binary("??", left, right):
            yield from _results(left, tested)
            yield from _results(right, tested)
        case m.FieldRef(name) if name in tested:
            return
        case _:
            yield expr
