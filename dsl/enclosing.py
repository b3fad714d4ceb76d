"""From an offset to the declaration and the item of it that hold it: `graph article/task grade`.

This is what a finding is *within*. It changes neither with the lines above nor with the layout, so that a
finding can be known again by it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

from . import ast
from .diagnostic import Diagnostic
from .named import NamedTuple
from .source import Span

_WORDS: dict[type, str] = {
    ast.Enum: "enum",
    ast.Record: "record",
    ast.Union: "union",
    ast.Opaque: "opaque",
    ast.State: "state",
    ast.Graph: "graph",
    ast.Field: "field",
    ast.RecordField: "field",
    ast.Mutation: "mutation",
}
_Item: TypeAlias = (
    ast.Declaration
    | ast.Field
    | ast.RecordField
    | ast.Mutation
    | ast.Node
    | ast.Chain
    | ast.MaxStepsClause
    | ast.CheckpointSetting
)


class _Row(NamedTuple):
    """One named declaration or item, and what stands in it."""

    span: Span
    name: str
    items: tuple[_Item, ...]


class Enclosing:
    """The declarations and items of one file, ready to be asked."""

    def __init__(self, file: ast.File) -> None:
        self._rows = _rows(file.declarations)
        self._inner: dict[int, list[_Row]] = {}

    def within(self, offset: int) -> str:
        """The names around an offset, the outer one first; "" outside of all."""
        at = _row_at(self._rows, offset)
        if at < 0:
            return ""
        outer = self._rows[at]
        inner = self._inner.get(at)
        if inner is None:
            inner = self._inner[at] = _rows(outer.items)
        item = _row_at(inner, offset)
        return outer.name if item < 0 else f"{outer.name}/{inner[item].name}"


def located(findings: Iterable[Diagnostic], files: Iterable[ast.File]) -> list[Diagnostic]:
    """The findings, each with what it is within."""
    by_path = {file.source.path: file for file in files}
    known: dict[str, Enclosing] = {}
    out: list[Diagnostic] = []
    for one in findings:
        path = one.place.source.path
        if path in by_path and not one.within:
            if path not in known:
                known[path] = Enclosing(by_path[path])
            within = known[path].within(one.place.span.start)
            text = (one.label, one.help, one.related, one.fix, within)
            one = Diagnostic(one.code, one.severity, one.message, one.place, *text)
        out.append(one)
    return out


def _rows(items: Iterable[_Item]) -> list[_Row]:
    """Those of the items that have a name, by position."""
    named = (_Row(item.span, _name(item), _items(item)) for item in items)
    return sorted((row for row in named if row.name), key=lambda row: row.span)


def _row_at(rows: list[_Row], offset: int) -> int:
    at = bisect_right(rows, offset, key=lambda row: row.span.start) - 1
    return at if at >= 0 and offset < rows[at].span.end else -1


def _name(item: _Item) -> str:
    match item:
        case ast.Node():
            return f"{item.kind} {item.name.text}"
        case ast.Scenario():
            return f"scenario {item.title.value}"
        case ast.Migrate():
            return f"migrate {item.graph.text}"
        case (
            ast.Enum()
            | ast.Record()
            | ast.Union()
            | ast.Opaque()
            | ast.State()
            | ast.Graph()
            | ast.Field()
            | ast.RecordField()
            | ast.Mutation()
        ):
            return f"{_WORDS[type(item)]} {item.name.text}"
        case _:
            return ""


def _items(item: _Item) -> tuple[_Item, ...]:
    match item:
        case ast.Graph() | ast.State():
            return item.items
        case ast.Record():
            return item.fields
        case _:
            return ()
