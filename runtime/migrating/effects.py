"""From the changes that a branch keeps for its join to the same changes in the new version.

A kept mutation is applied again at the join, by the new version's class: it must be there, with parameters
to which the stored values belong. A kept value of a field must belong to the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..changes.unparse import type_text
from ..forms.version import Version
from .data import States
from .links import Flaw
from .naming import Names
from .values import Misfit, base_name, fields_at, head_of

_NONE: Mapping[str, Any] = {}


class Scope(NamedTuple):
    """The state that an effect changes, in both versions.

    `old` and `new` have its mutations as `state/mutation/…`; `prefixes`: its fields, in the forms of the
    graphs that the effect is kept in.
    """

    old: Version
    new: Version
    states: States
    prefixes: tuple[str, str]
    names: Names


class Effects:
    """Carries the effects of the frames of one graph."""

    def __init__(self, old: Version, new: Version, states: States, names: Names) -> None:
        self._old, self._new, self._states, self._names = old, new, states, names

    def carry(self, data: Mapping[str, Any], inner: Sequence[Scope]) -> dict[str, Any]:
        """An effect of the new version.

        Args:
            inner: the graphs that are run on a field of the state, whose mutations a sub-state has.

        Raises Unreadable, KeyError.
        """
        lens: list[str] = data["lens"]
        scope = Scope(self._old, self._new, self._states, ("state", "state"), self._names)
        found: dict[str, Any] = {"lens": self._lens(lens)}
        if lens:
            scope = self._scope(lens, inner)
        if "apply" in data:
            found["apply"] = [_mutation(one, scope) for one in data["apply"]]
        else:
            found["field"], found["value"] = _value(data["field"], data["value"], scope)
        return found

    def _lens(self, lens: Sequence[str]) -> list[str]:
        """Attributes down to a sub-state; the first is one of the graph's own state."""
        return [self._names.field(part) if at == 0 else part for at, part in enumerate(lens)]

    def _scope(self, lens: Sequence[str], inner: Sequence[Scope]) -> Scope:
        labels = _label(self._old, lens), _label(self._new, self._lens(lens))
        if labels[0] is None:
            raise ValueError(f"there is no state at `{'.'.join(lens)}`")
        if labels[1] is None:
            text = f"`{'.'.join(lens)}` is no state any more, and a branch has changed it"
            raise Unreadable(Flaw("effect-unreadable", f"state/field/{lens[0]}", text))
        for scope in inner:
            states = [str(side.elements["graph"]["state"]) for side in (scope.old, scope.new)]
            if [*map(base_name, states)] == [base_name(labels[0]), base_name(labels[1])]:
                return scope
        prefixes = tuple(f"substate/{label}" for label in labels)
        return Scope(self._old, self._new, self._states, prefixes, Names(()))  # type: ignore[arg-type]


class Unreadable(Exception):
    """An effect that the new version cannot apply."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


def _label(version: Version, lens: Sequence[str]) -> str | None:
    """The label of the sub-state that attributes lead to."""
    prefix, label = "state", None
    for part in lens:
        there = fields_at(version, prefix)
        # An attribute is the field's name, with an underscore behind where Python needs one.
        field = there.get(part) or there.get(part.rstrip("_")) or there.get(f"_{part.rstrip('_')}")
        match field:
            case {"type": ["state", str() as found]}:
                prefix, label = f"substate/{found}", found
            case _:
                return None
    return label


def _mutation(data: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """One kept mutation: its name, its parameters, and what a function has computed."""
    name = scope.names.mutation(data["m"])
    id_ = f"state/mutation/{name}"
    before, there = scope.old.elements[f"state/mutation/{data['m']}"], scope.new.elements.get(id_)
    if there is None:
        text = f"a branch has recorded `{data['m']}`, and there is no mutation `{name}`"
        raise Unreadable(Flaw("effect-unreadable", id_.replace(name, data["m"]), text))
    found: dict[str, Any] = {"m": name, "p": _parameters(name, data["p"], before, there, scope)}
    if ("external" in before) != ("external" in there):
        text = f"a branch has recorded `{name}`, which is computed in another way now"
        raise Unreadable(Flaw("effect-unreadable", id_, text))
    if "w" in data:
        written = dict(_value(field, value, scope) for field, value in data["w"].items())
        if written.keys() != {*there["writes"]}:
            text = f"a branch has recorded `{name}`, which writes other fields now"
            raise Unreadable(Flaw("effect-unreadable", id_, text))
        found["w"] = written
    return found


def _parameters(
    mutation: str, data: Mapping[str, Any], before: Mapping[str, Any], there: Mapping[str, Any], scope: Scope
) -> dict[str, Any]:
    old = dict(before["params"])
    new = dict(there["params"])
    id_ = f"state/mutation/{mutation}"
    found: dict[str, Any] = {}
    for name, value in data.items():
        # A parameter that is assigned to the field of its name goes by the field's new name.
        target = name if name in new else scope.names.field(name)
        if target not in new:
            text = f"a branch has recorded `{mutation}` with `{name}`, which it no longer takes"
            raise Unreadable(Flaw("effect-unreadable", id_, text))
        try:
            found[target] = scope.states.values.carry(value, old[name], new[target])
        except Misfit as misfit:
            text = f"a branch has recorded `{mutation}`: `{name}` {misfit}"
            raise Unreadable(Flaw("effect-unreadable", id_, text)) from None
    for name, type_ in new.items():
        if name in found:
            continue
        if head_of(type_) != "optional":
            text = f"a branch has recorded `{mutation}`, which takes `{name}: {type_text(type_)}` now"
            raise Unreadable(Flaw("effect-unreadable", id_, text))
        found[name] = None
    return found


def _value(field: str, value: Any, scope: Scope) -> tuple[str, Any]:
    """A field's value that is kept as it is."""
    name = scope.names.field(field)
    before = fields_at(scope.old, scope.prefixes[0])[field]
    there = fields_at(scope.new, scope.prefixes[1]).get(name)
    if there is None:
        id_ = f"{scope.prefixes[0]}/field/{field}"
        raise Unreadable(
            Flaw("effect-unreadable", id_, f"a branch keeps a value for field `{name}`, which is not there")
        )
    try:
        return name, scope.states.values.carry(value, before["type"], there["type"])
    except Misfit as misfit:
        text = f"the value that a branch keeps for field `{name}` {misfit}"
        raise Unreadable(Flaw("effect-unreadable", f"{scope.prefixes[1]}/field/{name}", text)) from None
