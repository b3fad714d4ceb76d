"""From a written `R(f = e)` to a typed one: records, and in the `given` of a scenario also states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...dsl import ast
from ...dsl.source import Place
from .. import model
from ..model import Expr, OptionalOf
from ..narrowing import Facts
from .inputs import inputs_of

if TYPE_CHECKING:
    from .expressions import Typer


def make_record(typer: Typer, written: ast.Call, key: model.Key, place: Place, facts: Facts) -> Expr:
    """A record; what is not given has its default. Reports LG202 and LG203 as `_fields` does."""
    shapes = typer.tables.records.get(key, {})
    needed = [n for n, s in shapes.items() if not s.has_default and not isinstance(s.type, OptionalOf)]
    given = _fields(typer, written, model.RecordType(key), needed, facts)
    return model.MakeRecord(key, given, model.RecordType(key), place)


def make_state(
    typer: Typer, written: ast.Call, key: model.Key, place: Place, facts: Facts, wanted: model.Type | None
) -> Expr:
    """A sub-state; its inputs have to be given. Reports LG202 and LG203 as `_fields` does."""
    # Where another type is wanted, what is missing in this one does not matter.
    fits = wanted is None or wanted == model.StateType(key)
    needed = inputs_of(key, typer.tables) if fits else []
    given = _fields(typer, written, model.StateType(key), needed, facts)
    return model.MakeRecord(key, given, model.StateType(key), place)


def _fields(
    typer: Typer,
    written: ast.Call,
    made: model.RecordType | model.StateType,
    needed: list[str],
    facts: Facts,
) -> tuple[tuple[str, Expr], ...]:
    """The fields; reports LG202 for unknown ones, LG203 for positional, doubled and missing ones."""
    key = made.key
    kind = "record" if isinstance(made, model.RecordType) else "state"
    shapes = (typer.tables.records if kind == "record" else typer.tables.states).get(key, {})
    usage = ", ".join(f"{n} = …" for n in needed)
    given: dict[str, Expr] = {}
    whole = True
    for arg in written.args:
        if arg.name is None and not whole:
            typer.infer(arg.value, facts)
        elif arg.name is None:
            message = f"the fields of {kind} `{key.name}` are given by name"
            typer.error("LG203", message, arg.span, f"write {key.name}({usage})")
            typer.infer(arg.value, facts)
            whole = False
        elif arg.name.text in given:
            typer.error("LG203", f"field `{arg.name.text}` is given twice", arg.name.span)
        elif arg.name.text not in shapes:
            taken = {other.name.text for other in written.args if other.name is not None}
            free = [name for name in shapes if name not in taken]
            typer.unit.undefined(f"{kind} `{key.name}` has no field", arg.name, free, code="LG202")
            typer.infer(arg.value, facts)
            whole = False
        elif shapes[arg.name.text].transient:
            not_given(typer, arg.name)
        else:
            name = arg.name.text
            what = f"field `{name}` of `{key.name}`"
            given[name] = typer.check(arg.value, shapes[name].type, what, facts)
    missing = [f"`{n}`" for n in needed if n not in given]
    if missing and whole:
        plural = "fields" if len(missing) > 1 else "field"
        message = f"{kind} `{key.name}` needs {plural} {', '.join(missing)}"
        typer.error("LG203", message, written.span, f"write {key.name}({usage})")
    return tuple(given.items())


def not_given(typer: Typer, name: ast.Name) -> None:
    """A scenario that gives a transient field: no Python runs in it that could look at the value."""
    message = f"field `{name.text}` is transient, so a scenario cannot give it"
    typer.error("LG203", message, name.span, "leave it out: the nodes of a scenario run no Python")
