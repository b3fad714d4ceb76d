"""From the states of two versions to which fields of a parked run surely, or possibly, have no place now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .. import plan
from ..changes.details import field_text
from ..changes.unparse import as_object, type_text
from ..forms.version import Version
from ..migrating.naming import renamed
from .fitting import Fit, Fitting, constraints_hold


class Flaw(NamedTuple):
    """What is wrong with a field: kind of reason, element, sentence, and whether every run has it."""

    kind: str
    element: str
    text: str
    sure: bool


_PREFIX = "state/field/"


def flaws(
    old: Version, new: Version, fitting: Fitting, chain: Sequence[plan.Migration] = ()
) -> Iterator[Flaw]:
    """Everything about the graph's own state that can keep a run from being carried over, through a chain."""
    held, made = _after(_fields(old), chain)
    there = _fields(new)
    for name, (before, field) in held.items():
        if name not in there:
            yield Flaw(
                "field-gone", f"{_PREFIX}{before}", f"field `{name}` has a value and is not there", True
            )
            continue
        yield from _misfits(name, field, there[name], fitting)
    for name, field in there.items():
        if name not in held and name not in made and not fitting.begins(field):
            type_ = type_text(field.get("type"))
            text = f"field `{name}` (`{type_}`) is new, and has neither a value nor a default"
            yield Flaw("field-without-value", f"{_PREFIX}{name}", text, True)


def _misfits(name: str, old: Mapping[str, Any], new: Mapping[str, Any], fitting: Fitting) -> Iterator[Flaw]:
    fit = fitting.type(old.get("type"), new.get("type"))
    if fit >= Fit.SOME:
        types = type_text(old.get("type")), type_text(new.get("type"))
        if types[0] == types[1]:
            text = f"not every `{types[0]}` that field `{name}` could have is one now"
        elif fit is Fit.NONE:
            text = f"field `{name}` is `{types[1]}` now, it was `{types[0]}`"
        else:
            text = f"field `{name}` is `{types[1]}` now, which not every `{types[0]}` is"
        yield Flaw("value-misfit", f"{_PREFIX}{name}", text, fit is Fit.NONE)
    elif not constraints_hold(old, new):
        text = f"field `{name}` is `{field_text(new)}` now, which not every value keeps to"
        yield Flaw("constraint-broken", f"{_PREFIX}{name}", text, False)


def _after(
    fields: Mapping[str, Mapping[str, Any]], chain: Sequence[plan.Migration]
) -> tuple[dict[str, tuple[str, Mapping[str, Any]]], set[str]]:
    """The fields that hold a value behind a chain, each with what it was, and those that were set."""
    held = {name: (name, field) for name, field in fields.items()}
    made: set[str] = set()
    for link in chain:
        names = renamed(link, "field")
        gone = {step.field for step in link.steps if isinstance(step, plan.DropStep)}
        made = {names.get(name, name) for name in made if name not in gone}
        held = {names.get(name, name): value for name, value in held.items() if name not in gone}
        for step in link.steps:
            if isinstance(step, plan.SetStep):
                made.add(step.field)
                held.pop(step.field, None)
    return held, made


def _fields(version: Version) -> dict[str, Mapping[str, Any]]:
    return {
        id_.removeprefix(_PREFIX): as_object(element) or {}
        for id_, element in version.elements.items()
        if id_.startswith(_PREFIX)
    }
