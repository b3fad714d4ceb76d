"""From written arguments to the parameters that they are for: mutations and a barrier's decisions."""

from __future__ import annotations

from collections.abc import Mapping

from ...dsl import ast
from .. import model
from ..model import Expr, Param
from .data import not_constant
from .expressions import Typer


def arguments(
    typer: Typer, what: str, name: ast.Name, params: tuple[Param, ...], args: tuple[ast.Arg, ...]
) -> tuple[tuple[str, Expr], ...]:
    """The arguments in the order of the parameters; reports LG203 and, for their types, LG201."""
    shown = f"{what} `{name.text}`"
    known = {p.name: p for p in params}
    given: dict[str, Expr] = {}
    whole = True
    for position, arg in enumerate(args):
        param = _param(typer, shown, arg, position, params, known)
        if param is None:
            typer.infer(arg.value, {})
            whole = False
        elif param.name in given:
            typer.error("LG203", f"`{param.name}` of {shown} is given twice", arg.span)
            whole = False
        else:
            label = f"`{param.name}` of {shown}"
            given[param.name] = typer.check(arg.value, param.type, label, {})
    missing = [f"`{p.name}`" for p in params if p.name not in given]
    if missing and whole:
        usage = ", ".join(p.name for p in params)
        message = f"{shown} needs {', '.join(missing)}"
        typer.error("LG203", message, name.span, f"write {name.text}({usage})")
    return tuple((p.name, given[p.name]) for p in params if p.name in given)


def _param(
    typer: Typer, shown: str, arg: ast.Arg, position: int, params: tuple[Param, ...], known: dict[str, Param]
) -> Param | None:
    if arg.name is not None:
        found = known.get(arg.name.text)
        if found is None:
            typer.unit.undefined(f"{shown} has no parameter", arg.name, known, code="LG203")
        return found
    if position < len(params):
        return params[position]
    count = f"{len(params)} argument{'' if len(params) == 1 else 's'}" if params else "no arguments"
    typer.error("LG203", f"{shown} takes {count}", arg.span)
    return None


def mutation_call(
    typer: Typer, written: ast.MutationCall, mutations: Mapping[str, tuple[Param, ...]]
) -> model.MutationCall | None:
    """A mutation with its arguments, or None if there is no such mutation (LG101)."""
    params = mutations.get(written.name.text)
    if params is None:
        typer.unit.undefined("mutation", written.name, mutations)
        for arg in written.args:
            typer.infer(arg.value, {})
        return None
    args = arguments(typer, "mutation", written.name, params, written.args)
    return model.MutationCall(written.name.text, args, typer.unit.place(written.span))


def answer_call(
    typer: Typer, written: ast.MutationCall, answers: Mapping[str, tuple[Param, ...]], barrier: str
) -> model.AnswerCall | None:
    """A decision with its arguments, or None if the barrier does not offer it (LG101)."""
    params = answers.get(written.name.text)
    if params is None:
        typer.unit.undefined("decision", written.name, answers, where=f" of barrier `{barrier}`")
        for arg in written.args:
            typer.infer(arg.value, {})
        return None
    args = arguments(typer, "decision", written.name, params, written.args)
    return model.AnswerCall(written.name.text, args, typer.unit.place(written.span))


def constant_value(typer: Typer, written: ast.Expr, wanted: model.Type | None, what: str) -> Expr:
    """A constant, of the wanted type if there is one; reports LG206."""
    found = typer.infer(written, {}) if wanted is None else typer.check(written, wanted, what, {})
    part = not_constant(found)
    if part is not None:
        typer.error("LG206", f"{what} takes a constant", written.span)
        return typer.hole(found.place)
    return found
