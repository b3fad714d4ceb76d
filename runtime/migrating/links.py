"""From the values of a state before a chain of migrations to those behind it.

The steps of one link are done at once: names are changed, fields dropped, and what is set is computed from
the values before the link. A value is carried as it is stored until something has to be computed from it, so
the types of the versions between are not needed. Their defaults are, where they are known: a field that a
version between has brought has its default there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .. import plan
from ..errors import LgcError
from ..forms.loose import evaluate_loose
from ..forms.version import Version
from ..values.typed_json import decode_field
from .naming import renamed


class Flaw(NamedTuple):
    """Why a state cannot be carried: kind and element of the reason, a sentence, and where the step that
    fails stands in the source ("": none does)."""

    kind: str
    element: str
    text: str
    place: str = ""


class Held(NamedTuple):
    """A stored value: under which name, and with which type, it stands in the old version.

    `text` and `place` are those of the step that copied it, "" where it only goes by another name.
    """

    data: Any
    type: Any
    name: str
    text: str = ""
    place: str = ""


class Made(NamedTuple):
    """A value of Python that a migration computed, or that is the default of a version between.

    `text` and `place` are those of the step, "" for a default.
    """

    value: Any
    text: str = ""
    place: str = ""


Values: TypeAlias = dict[str, Held | Made]


class Links:
    """A chain of migrations of one state.

    Args:
        old: the version that the first link starts from.
        new: the version that the last one leads to.
        between: the versions that the others start from, as far as they are known.
    """

    def __init__(
        self, chain: Sequence[plan.Migration], old: Version, new: Version, between: Sequence[Version] = ()
    ) -> None:
        self._chain, self._old, self._new = tuple(chain), old, new
        self._between = [_from(link, between) for link in chain]

    def through(self, values: Values, flaws: list[Flaw]) -> Values:
        """The values behind the last link; `flaws` takes up what fails."""
        for at, link in enumerate(self._chain):
            version = self._old
            if at:
                known = self._between[at]
                if known is not None:
                    version, values = known, {**dict(_defaults(known)), **values}
                else:
                    flaws.extend(_unfit(link, values))
            values = self._linked(values, link, version, flaws)
        return values

    def _linked(self, values: Values, link: plan.Migration, version: Version, flaws: list[Flaw]) -> Values:
        dropped = {step.field for step in link.steps if isinstance(step, plan.DropStep)}
        sets = {step.field: step for step in link.steps if isinstance(step, plan.SetStep)}
        names = renamed(link, "field")
        found: Values = {}
        for name, value in values.items():
            target = names.get(name, name)
            if name in dropped or target in sets:
                continue
            if target in found:
                text = f"two values of the old state would both be field `{target}`"
                flaws.append(Flaw("values-collide", f"state/field/{target}", text, link.place))
            found[target] = value
        if sets:
            known = _Known(values, self._old)
            for step in sets.values():
                self._set(step, known, found, version, flaws)
        return found

    def _set(
        self, step: plan.SetStep, known: _Known, found: Values, version: Version, flaws: list[Flaw]
    ) -> None:
        values = known.held
        if (copied := _name(step)) in values:
            found[step.field] = values[copied]._replace(text=_written(step), place=step.place)
            return
        try:
            made = evaluate_loose(step.expression, known, version, (self._new,))
        except (LgcError, ValueError) as error:
            text = f"`{_written(step)}` cannot be computed: {error}"
            flaws.append(Flaw("migration-fails", f"state/field/{step.field}", text, step.place))
        else:
            found[step.field] = Made(made, _written(step), step.place)


def _written(step: plan.SetStep) -> str:
    return f"set {step.field} = {step.text}"


def _name(step: plan.SetStep) -> str:
    """The field that is copied by `set f = g`; "" for other expressions."""
    match json.loads(step.expression):
        case ["name", str() as name]:
            return name
        case _:
            return ""


class _Known(Mapping[str, object]):
    """The values of a state as those of Python, each read when it is asked for."""

    def __init__(self, values: Values, old: Version) -> None:
        self.held = values
        self._old = old

    def __getitem__(self, name: str) -> object:
        match self.held[name]:
            case Held(data=data, name=original):
                return decode_field(self._old.graph.plan.state, original, data)
            case Made(value=value):
                return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


def _from(link: plan.Migration, between: Sequence[Version]) -> Version | None:
    """The version that a link starts from."""
    return next((version for version in between if version.hash.startswith(link.source)), None)


def _defaults(version: Version) -> Iterator[tuple[str, Made]]:
    """The fields of a version that begin with a value of their own."""
    state = version.graph.plan.state
    fields = state.__lg_checkpoint__.model_fields
    for name in state.__lg_fields__:
        field = next(field for stored, field in fields.items() if (field.alias or stored) == name)
        if not field.is_required():
            yield name, Made(field.get_default(call_default_factory=True))


def _unfit(link: plan.Migration, values: Values) -> Iterator[Flaw]:
    """Steps of a link that take a field which is not there, and nobody knows what it would hold."""
    for step in link.steps:
        if isinstance(step, plan.RenameStep) and step.what == "field" and step.old not in values:
            text = (
                f"`rename field {step.old} to {step.new}`: the run has no value for `{step.old}`, and the"
                f" version {link.source[:20]} that would say its default is not known"
            )
            yield Flaw("step-unfit", f"state/field/{step.new}", text, step.place)
