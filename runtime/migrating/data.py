"""From the stored values of a state to those of the new version's, through a chain of migrations.

At the end every value needs a field to whose type and constraints it belongs, and every field a value, a
default, or `none`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from .. import plan
from ..changes.unparse import type_text
from ..forms.version import Version
from .chain import chain_from
from .computed import Computed
from .constraints import broken
from .links import Flaw, Held, Links, Made, Values
from .values import Carrier, Misfit, base_name, fields_at, fields_of, prefix_of

Element: TypeAlias = Mapping[str, Any]
Relatives: TypeAlias = Sequence[tuple[Version, Version]]


class Refused(Exception):
    """A state that cannot be carried, with every flaw of it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(flaws)
        self.flaws = tuple(flaws)


class States:
    """Carries states of two versions: the graph's own, and sub-states.

    Attributes:
        migrated: whether a declared migration was looked at for a value.

    Args:
        chain: the migrations of the graph's own state.
        between: the versions that later links of chains start from, as far as they are known.
        relatives: the graphs whose migrations sub-states go by, in both versions; None: those that this one
            runs, and itself.
        earlier: these are states of a run's past. A field that was none then, where none is no value of it
            any more, begins at its default: so a run of the new graph would have begun.
    """

    def __init__(
        self,
        old: Version,
        new: Version,
        chain: Sequence[plan.Migration] = (),
        between: Sequence[Version] = (),
        relatives: Relatives | None = None,
        *,
        earlier: bool = False,
    ) -> None:
        self._old, self._new, self._between = old, new, tuple(between)
        self._earlier = earlier
        self._relatives = relatives
        self._links = Links(chain, old, new, between)
        self.migrated = bool(chain)
        self._inner: dict[str, Links] = {}
        self.values = Carrier(old, new, self._substate)

    def carry(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The stored values of the graph's own state; fields at their defaults may be missing.

        Raises Refused; ValueError where they are none of the old version.
        """
        return self._carry(data, "state", "state", self._links)

    def through(self, data: Mapping[str, Any]) -> Values:
        """The values behind the chain, before they are fitted to the new version. Raises as `carry`."""
        flaws: list[Flaw] = []
        found = self._links.through(self._held(data, "state"), flaws)
        if flaws:
            raise Refused(flaws)
        return found

    def _substate(self, data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
        try:
            return self._carry(
                data, prefix_of(self._old, old), prefix_of(self._new, new), self._links_of(old)
            )
        except Refused as refused:
            raise Misfit(f"does not fit: {refused.flaws[0].text}") from None

    def _links_of(self, label: str) -> Links:
        """The migrations of a sub-state: those of a graph that is run on it."""
        found = self._inner.get(label)
        if found is None:
            found = Links((), self._old, self._new)
            if self._relatives is None:
                self._relatives = relatives_of(self._old, self._new)
            for inner, there in self._relatives:
                if base_name(str(inner.elements["graph"]["state"])) == base_name(label):
                    chain = chain_from(there, inner.hash)
                    if chain:
                        found, self.migrated = Links(chain, inner, there, self._between), True
                        break
            self._inner[label] = found
        return found

    def _held(self, data: Mapping[str, Any], prefix: str) -> Values:
        before = fields_at(self._old, prefix)
        if before.keys() != data.keys():
            names = ", ".join(f"`{name}`" for name in sorted(before.keys() ^ data.keys()))
            raise ValueError(f"the stored state and its form differ in {names}")
        return {name: Held(value, before[name]["type"], name) for name, value in data.items()}

    def _carry(self, data: Mapping[str, Any], old: str, new: str, links: Links) -> dict[str, Any]:
        flaws: list[Flaw] = []
        values = links.through(self._held(data, old), flaws)
        there = fields_at(self._new, new)
        carried: dict[str, Any] = {}
        for name, value in values.items():
            id_ = f"{new}/field/{name}"
            if name in there:
                try:
                    carried[name] = self._fitted(value, there[name])
                except Misfit as misfit:
                    if self._earlier and self._unset(value) and self._has_default(there[name]):
                        continue
                    flaws.append(_flaw("value-misfit", id_, f"field `{name}` {misfit}", value))
                    continue
                if (what := broken(carried[name], there[name])) is not None:
                    flaws.append(_flaw("constraint-broken", id_, f"field `{name}` {what}", value))
            elif isinstance(value, Held):
                text = f"field `{name}` has a value and is not there"
                flaws.append(Flaw("field-gone", f"{old}/field/{value.name}", text))
        flaws.extend(self._without_value(values, there, new))
        if flaws:
            raise Refused(sorted(flaws, key=lambda flaw: flaw.element))
        return carried

    def _fitted(self, value: Held | Made, field: Element) -> Any:
        match value:
            case Held(data=data, type=type_):
                return self.values.carry(data, type_, field["type"])
            case Made(value=made):
                return self._computed.write(made, field["type"])

    @staticmethod
    def _unset(value: Held | Made) -> bool:
        return isinstance(value, Held) and value.data is None

    @cached_property
    def _computed(self) -> Computed:
        return Computed(self._new)

    def _without_value(self, values: Values, there: Mapping[str, Element], prefix: str) -> list[Flaw]:
        return [
            Flaw(
                "field-without-value",
                f"{prefix}/field/{name}",
                f"field `{name}` (`{type_text(field['type'])}`) is new, and has neither value nor default",
            )
            for name, field in there.items()
            if name not in values and not self._has_default(field)
        ]

    def _has_default(self, field: Element) -> bool:
        """Whether a field begins with a value of its own."""
        match field["type"]:
            case ["optional", _]:
                return True
            case ["state", label] if "default" not in field:
                return all(map(self._has_default, fields_of(self._new, label).values()))
            case _:
                return "default" in field


def relatives_of(old: Version, new: Version) -> Relatives:
    """A graph and all that it runs, however deep, in both versions; inner ones by their names."""
    found = {(old.hash, new.hash): (old, new)}
    waiting = [(old, new)]
    while waiting:
        before, after = waiting.pop()
        for inner in before.inner.values():
            for there in after.inner.values():
                if inner.name == there.name and (inner.hash, there.hash) not in found:
                    found[inner.hash, there.hash] = (inner, there)
                    waiting.append((inner, there))
    return tuple(found.values())


def _flaw(kind: str, element: str, text: str, value: Held | Made) -> Flaw:
    """A flaw of a value; where a migration has computed it, that is where to look."""
    if value.text:
        return Flaw(kind, element, f"{text} (`{value.text}`)", value.place)
    return Flaw(kind, element, text)
