"""From enums, records and unions to their Python classes."""

from __future__ import annotations

from collections.abc import Sequence

from .. import model as m
from .expressions import Scope, Writer
from .layout import Bracket, Piece, Prefixed, call, flat, statement, subscript, union_of
from .layout import render as lay_out
from .names import MODEL_ATTRIBUTES, attributes
from .templating import render
from .text import docstring, literal
from .types import annotation
from .unit import Unit

TAG = "kind"


def enum(unit: Unit, declared: m.Enum) -> str:
    """`class E(StrEnum)`."""
    python = unit.names.of_enum(declared)
    lines: list[str] = []
    for member in declared.members:
        lines.append(f"    {python[member.name]} = {literal(member.name)}")
        if member.doc:
            lines.append(docstring(member.doc, 4))
    base = unit.std("enum", "StrEnum")
    parts = [docstring(declared.doc, 4)] if declared.doc else []
    return class_(declared.key.name, base, [*parts, "\n".join(lines)])


def class_(name: str, base: Piece, parts: Sequence[str]) -> str:
    """A class of parts with a blank line between each two."""
    head = lay_out(Bracket(f"class {name}(", (base,), "):", comma=False), 0, 0, 0)
    return render("class", head=head, parts=parts or ["    pass"])


def model_field(
    unit: Unit, name: str, attribute: str, type_: Piece, default: Piece | None, *, lazy: bool
) -> str:
    """One field of a pydantic class, as a line or more.

    `lazy`: the default is made when it is needed, since it names classes that may not be complete yet.
    """
    prefix = f"{attribute}: {flat(type_)}"
    named: list[Piece] = []
    if default is not None and lazy:
        named.append(Prefixed("default_factory=", Prefixed("lambda: ", default)))
    elif default is not None and attribute != name:
        named.append(Prefixed("default=", default))
    if attribute != name:
        named.append(Prefixed("alias=", literal(name)))
    if named:
        return statement(f"{prefix} = ", Bracket(f"{unit.lg}.Field(", tuple(named), ")"), 4)
    if default is None:
        return statement(f"{attribute}: ", type_, 4)
    return statement(f"{prefix} = ", default, 4)


def record(unit: Unit, declared: m.Record, tag: str | None) -> str:
    """A frozen pydantic model; `tag` is the name of the literal field that unions need."""
    python = unit.names.of_record(declared)
    writer = Writer(unit, Scope())
    lines: list[str] = []
    if tag is not None:
        kind = flat(subscript(unit.std("typing", "Literal"), literal(declared.key.name)))
        lines.append(f"    {tag}: {kind} = {literal(declared.key.name)}")
    for field in declared.fields:
        default = None if field.default is None else writer.argument(field.default)
        if default is None and isinstance(field.type, m.OptionalOf):
            default = "None"
        lazy = field.default is not None and makes_record(field.default)
        type_ = annotation(unit, field.type, "model")
        lines.append(model_field(unit, field.name, python[field.name], type_, default, lazy=lazy))
        if field.doc:
            lines.append(docstring(field.doc, 4))
    parts = [docstring(declared.doc, 4)] if declared.doc else []
    if lines:
        parts.append("\n".join(lines))
    return class_(declared.key.name, f"{unit.lg}.Record", parts)


def makes_record(expr: m.Expr) -> bool:
    """Whether a constant holds a record."""
    match expr:
        case m.MakeRecord():
            return True
        case m.MakeList(items):
            return any(makes_record(item) for item in items)
        case m.MakeDict(entries):
            named = isinstance(expr.type, m.DictOf) and bool(_names(expr.type))
            return named or any(makes_record(part) for entry in entries for part in entry)
        case m.Widen(operand) | m.Unary(_, operand):
            return makes_record(operand)
        case _:
            return False


# --- unions -----------------------------------------------------------------------------------------------


def tags(program: m.Program, module: m.Module) -> dict[m.Key, str]:
    """The tag of each record that a union of records of its own file names.

    It is `kind`, with underscores behind where a record that takes part has a field of that name. A record
    of another file cannot know of the union; such a union adds the tag itself (`lg.Tagged`).
    """
    groups: dict[m.Key, set[m.Key]] = {}
    for key in module.declares:
        union = program.unions.get(key)
        if union is None or any(member.path != module.path for member in union.members):
            continue
        joined = set(union.members)
        for member in list(joined):
            joined |= groups.get(member, set())
        for member in joined:
            groups[member] = joined
    return {key: _free(program, sorted(members)) for key, members in groups.items()}


def _free(program: m.Program, members: Sequence[m.Key]) -> str:
    fields = {field.name for key in members for field in program.records[key].fields}
    fields |= set(attributes(fields, MODEL_ATTRIBUTES).values())
    tag = TAG
    while tag in fields:
        tag += "_"
    return tag


def union(unit: Unit, declared: m.Union, own_tags: dict[m.Key, str]) -> str:
    """`U: TypeAlias = Annotated[A | B, …]`."""
    name = declared.key.name
    members: list[Piece] = [unit.declared(key) for key in declared.members]
    prefix = f"{name}: {unit.std('typing', 'TypeAlias')} = "
    held = {own_tags.get(key) for key in declared.members}
    if len(members) == 1:
        text = statement(prefix, members[0], 0)
    elif len(held) == 1 and None not in held:
        test = call(f"{unit.lg}.Field", discriminator=literal(str(held.pop())))
        text = statement(prefix, subscript(unit.std("typing", "Annotated"), union_of(members), test), 0)
    else:
        tag = _free(unit.program, declared.members)
        named = (
            Prefixed(f"{key.name}=", member) for key, member in zip(declared.members, members, strict=True)
        )
        test = Bracket(f"{unit.lg}.Tagged(", (literal(tag), *named), ")")
        text = statement(prefix, subscript(unit.std("typing", "Annotated"), union_of(members), test), 0)
    return f"{text}\n{docstring(declared.doc, 0)}" if declared.doc else text


def rebuilds(unit: Unit, declares: Sequence[m.Key]) -> list[str]:
    """Statements that complete records which name what stands further down."""
    seen: set[m.Key] = set()
    lines: list[str] = []
    for key in declares:
        fields = unit.program.records[key].fields
        if any(late not in seen for field in fields for late in _names(field.type) if late.path == key.path):
            lines.append(f"{key.name}.model_rebuild()")
        seen.add(key)
    return lines


def _names(type_: m.Type) -> list[m.Key]:
    match type_:
        case m.OptionalOf(item) | m.ListOf(item) | m.SetOf(item):
            return _names(item)
        case m.DictOf(_, value):
            return _names(value)
        case m.RecordType(key) | m.UnionType(key):
            return [key]
        case _:
            return []
