"""From the declarations of data to enums, records, unions and opaque types of the model.

`declare` gives every name of a file its symbol; `shape` finds the types of all fields, so that expressions
can be typed; `finish` makes the model's declarations, with the defaults of records.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.source import Span
from .. import model
from ..context import FieldShape, Symbol, SymbolKind, Tables, Unit, kind_with_article, unique, without_second
from ..project import Link
from ..types import BUILT_IN, resolve_type
from .constants import python_name
from .expressions import Scope, Typer
from .functions import FUNCTIONS

_KINDS: dict[type, SymbolKind] = {
    ast.Enum: "enum",
    ast.Record: "record",
    ast.Union: "union",
    ast.Opaque: "opaque",
    ast.State: "state",
    ast.Graph: "graph",
}
DeclaredData = ast.Enum | ast.Record | ast.Union | ast.Opaque | ast.State | ast.Graph


def declarations(unit: Unit) -> Iterator[DeclaredData]:
    """The declarations of a file that have a name, without those whose name was declared before."""
    for declaration in unit.file.declarations:
        if isinstance(declaration, DeclaredData):
            symbol = unit.symbols.get(declaration.name.text)
            if symbol is not None and symbol.place.span == declaration.name.span:
                yield declaration


def declare(unit: Unit) -> None:
    """Enter the file's own names; reports LG102, and LG103 for names of built-in types and functions."""
    for declaration in unit.file.declarations:
        if not isinstance(declaration, DeclaredData):
            continue
        name, kind = declaration.name, _KINDS[type(declaration)]
        if kind != "graph" and (name.text in BUILT_IN or (kind == "record" and name.text in FUNCTIONS)):
            what = "type" if name.text in BUILT_IN else "function"
            unit.error("LG103", f"`{name.text}` is the name of a built-in {what}", name.span)
        first = unit.symbols.get(name.text)
        if first is None:
            unit.symbols[name.text] = Symbol(kind, unit.key(name.text), unit.place(name.span))
        else:
            unit.twice(kind, name, first.place)


def bind_imports(unit: Unit, links: tuple[Link, ...], own: dict[str, dict[str, Symbol]]) -> None:
    """Enter what the file imports; `own` are the names that each file declares itself."""
    places = {name: symbol.place for name, symbol in unit.symbols.items()}
    for link in links:
        if link.target is unit:  # reported as a cycle
            for name in link.written.names:
                unit.symbols.setdefault(name.text, _nothing(unit, name))
            continue
        for name in link.written.names:
            symbol = _imported(unit, link, name, own)
            first = places.get(name.text)
            if first is None:
                places[name.text] = unit.place(name.span)
                unit.symbols[name.text] = symbol
            else:
                text = "imported twice" if first.span < name.span else "imported, and declared here as well"
                label = "first here" if first.span < name.span else "declared here"
                message = f"`{name.text}` is {text}"
                same = first.span < name.span and symbol == unit.symbols[name.text]
                fix = without_second(unit, name) if same else None
                unit.error("LG102", message, name.span, related=(Label(first, label),), fix=fix)


def _nothing(unit: Unit, name: ast.Name) -> Symbol:
    return Symbol("unknown", unit.key(name.text), unit.place(name.span))


def _imported(unit: Unit, link: Link, name: ast.Name, own: dict[str, dict[str, Symbol]]) -> Symbol:
    nothing = _nothing(unit, name)
    target = link.target
    if target is None:
        return nothing
    names = own[target.path]
    found = names.get(name.text)
    if found is not None:
        return found
    if target.lost(name.text):
        return nothing
    path = link.written.path.value
    origin = target.origin(name.text)
    if origin is not None:
        message = f'"{path}" does not declare `{name.text}`, it imports it'
        unit.error("LG101", message, name.span, help=f'import it from where it is: "{origin}"')
        return nothing
    guess = unit.context.speller.guess(name, names)
    unit.error(
        "LG101",
        f'"{path}" has no declaration `{name.text}`',
        name.span,
        help=guess.help,
        fix=guess.fix,
    )
    return nothing if guess.near is None else names[guess.near]


# --- types first --------------------------------------------------------------------------------------------


def shape(unit: Unit, declaration: DeclaredData, tables: Tables) -> None:
    """Enter the members of an enum or union and the types of a record's fields."""
    key = unit.key(declaration.name.text)
    match declaration:
        case ast.Enum():
            members = unique(unit, "member", (m.name for m in declaration.members))
            tables.enums[key] = {m.text: unit.place(m.span) for m in members}
        case ast.Record():
            shapes: dict[str, FieldShape] = {}
            for f in declaration.fields:
                first = shapes.get(f.name.text)
                type = resolve_type(unit, f.type)
                if first is not None:
                    unit.twice("field", f.name, first.place)
                    continue
                shapes[f.name.text] = FieldShape(type, f.default is not None, False, unit.place(f.name.span))
            tables.records[key] = shapes
        case ast.Union():
            tables.unions[key] = tuple(_members(unit, declaration))
        case _:
            pass


def _members(unit: Unit, declaration: ast.Union) -> Iterator[model.Key]:
    for member in unique(unit, "member", declaration.members):
        symbol = unit.symbol(member.text)
        if symbol is None and member.text in BUILT_IN:
            message = f"the members of a union are records, but `{member.text}` is a built-in type"
            help = "put the value into a record"
            unit.error("LG201", message, member.span, help=help)
        elif symbol is None:
            records = (n for n, s in unit.symbols.items() if s.kind == "record")
            unit.undefined("record", member, records)
        elif symbol.kind == "record":
            yield symbol.key
        elif symbol.kind != "unknown":
            message = f"the members of a union are records, but `{member.text}` is "
            unit.error("LG201", message + kind_with_article(symbol.kind), member.span)


# --- then the whole -----------------------------------------------------------------------------------------


def enum(unit: Unit, written: ast.Enum) -> model.Enum:
    """The enum of the model."""
    key = unit.key(written.name.text)
    kept = unit.context.tables.enums[key]
    if not written.members and not unit.has_errors(written.span):
        message = f"enum `{key.name}` has no members, expected one or more"
        unit.error("LG002", message, written.name.span, help="a value of it could not be written")
    members = tuple(
        model.EnumMember(m.name.text, m.doc, unit.place(m.name.span))
        for m in written.members
        if kept[m.name.text].span == m.name.span
    )
    return model.Enum(key, members, written.doc, unit.place(written.name.span))


def record(unit: Unit, written: ast.Record, uses: set[model.Key]) -> model.Record:
    """The record of the model, with its defaults; an optional field without one defaults to none.

    `uses` collects the declarations that the defaults name.
    """
    key = unit.key(written.name.text)
    shapes = unit.context.tables.records[key]
    typer = Typer(Scope(unit, constant=shapes, uses=uses), mismatch="LG206")
    fields: list[model.RecordField] = []
    for f in written.fields:
        name, place = f.name.text, unit.place(f.name.span)
        found = shapes[name]
        if found.place.span != f.name.span:
            continue
        default = None if f.default is None else constant(typer, f.default, found.type, name)
        if default is None and isinstance(found.type, model.OptionalOf):
            default = model.Const(None, model.NoneOnly(), place)
        fields.append(model.RecordField(name, found.type, default, f.doc, place))
    return model.Record(key, tuple(fields), written.doc, unit.place(written.name.span))


def union(unit: Unit, written: ast.Union) -> model.Union:
    """The union of the model."""
    key = unit.key(written.name.text)
    members = unit.context.tables.unions[key]
    return model.Union(key, members, written.doc, unit.place(written.name.span))


def opaque(unit: Unit, written: ast.Opaque) -> model.Opaque:
    """The opaque type of the model."""
    key = unit.key(written.name.text)
    target = target_name(unit, written.target, "module:Class")
    return model.Opaque(key, target, written.doc, unit.place(written.name.span))


def target_name(unit: Unit, written: ast.StrLit, form: str) -> model.PythonName:
    """A `module:name` text taken apart; reports another form (LG002)."""
    found = python_name(written.value)
    if found is None:
        shown = written.value if len(written.value) <= 60 else written.value[:57] + "..."
        help = f'write "{form}"'
        unit.error("LG002", f'expected "{form}", found "{shown}"', written.span, help=help)
        return model.PythonName("lost", "lost")
    return found


# --- constants ----------------------------------------------------------------------------------------------


def constant(typer: Typer, written: ast.Expr, wanted: model.Type, name: str) -> model.Expr:
    """The default of the field `name`: a constant of the wanted type; reports LG206."""
    found = typer.check(written, wanted, f"the default of `{name}`", {})
    part = not_constant(found)
    if part is not None:
        typer.error("LG206", f"the default of `{name}` is not a constant", _at(part, written))
        return typer.hole(found.place)
    return found


def _at(part: model.Expr, written: ast.Expr) -> Span:
    return part.place.span if written.span.start <= part.place.span.start else written.span


def not_constant(expr: model.Expr) -> model.Expr | None:
    """The first part of an expression that has to be computed, or None if all of it is constant."""
    match expr:
        case model.Const() | model.EnumConst():
            return None
        case model.Widen(operand=operand):
            return not_constant(operand)
        case model.MakeList(items=items):
            return next((p for p in map(not_constant, items) if p is not None), None)
        case model.MakeDict(items=items):
            parts = (part for pair in items for part in pair)
            return next((p for p in map(not_constant, parts) if p is not None), None)
        case model.MakeRecord(fields=fields):
            return next((p for p in (not_constant(value) for _, value in fields) if p is not None), None)
        case _:
            return expr


# --- records in themselves ----------------------------------------------------------------------------------


def report_endless(units: tuple[Unit, ...], tables: Tables) -> None:
    """LG208 for records and states that hold themselves with no `?`, list, set or dict between."""
    owners = {unit.path: unit for unit in units}
    done: set[model.Key] = set()
    for start in [*tables.records, *tables.states]:
        if start in done:
            continue
        trail: list[tuple[model.Key, list[tuple[str, model.Key]]]] = [(start, _held(start, tables))]
        steps: list[str] = []
        on_trail = {start}
        while trail:
            key, held = trail[-1]
            if not held:
                trail.pop()
                on_trail.discard(key)
                done.add(key)
                if steps:
                    steps.pop()
                continue
            name, inner = held.pop()
            if inner in on_trail:
                at = next(i for i, (k, _) in enumerate(trail) if k == inner)
                path = [*(f"{k.name}.{s}" for (k, _), s in zip(trail[at:], [*steps[at:], name], strict=True))]
                _report_endless(owners[key.path], key, name, inner, path, tables)
            elif inner not in done:
                trail.append((inner, _held(inner, tables)))
                steps.append(name)
                on_trail.add(inner)


def _held(key: model.Key, tables: Tables) -> list[tuple[str, model.Key]]:
    """The records and states that a value must hold, with the field; last field first."""
    shapes = tables.records.get(key) or tables.states.get(key) or {}
    found: list[tuple[str, model.Key]] = []
    for name, field in shapes.items():
        if field.transient:
            continue
        match field.type:
            case model.RecordType(inner) | model.StateType(inner):
                found.append((name, inner))
            case model.UnionType(union) if len(tables.unions.get(union, ())) == 1:
                found.append((name, tables.unions[union][0]))
            case _:
                pass
    found.reverse()
    return found


def _report_endless(
    unit: Unit, key: model.Key, name: str, inner: model.Key, path: list[str], tables: Tables
) -> None:
    place = (tables.records.get(key) or tables.states[key])[name].place
    kind = "record" if inner in tables.records else "state"
    message = f"{kind} `{inner.name}` contains itself"
    if len(path) > 1:
        message += ": " + " -> ".join([*path, inner.name])
    type = tables.records.get(key, {}).get(name)
    help = f"make the field optional: `{name}: {inner.name}?`" if type is not None else ""
    unit.error("LG208", message, place.span, help=help)
