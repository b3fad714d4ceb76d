"""From the stored values of a state to those of the new version's, through a chain of migrations.

Each link renames, drops and sets at once: what is set is computed from the state before the link. At the end
every value needs a field to whose type and constraints it belongs, and every field a value, a default, or
`none`. A value is carried as it is stored until the end, so that the links between need no types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .. import plan
from ..changes.unparse import type_text
from ..forms.version import Version
from .constraints import broken
from .naming import renamed
from .values import Misfit, Values

Element: TypeAlias = Mapping[str, Any]


class Flaw(NamedTuple):
    """Why a state cannot be carried: kind and element of the reason, and a sentence."""

    kind: str
    element: str
    text: str


class Held(NamedTuple):
    """A stored value with the type that it has in the old version."""

    data: Any
    type: Any


class Refused(Exception):
    """A state that cannot be carried, with every flaw of it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(flaws)
        self.flaws = tuple(flaws)


class States:
    """Carries states of two versions: the graph's own, and sub-states."""

    def __init__(self, old: Version, new: Version, chain: Sequence[plan.Migration]) -> None:
        self._old, self._new, self._chain = old, new, tuple(chain)
        self.values = Values(old, new, self._substate)

    def carry(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The stored values of the graph's own state. Raises Refused, ValueError."""
        return self._carry(data, "state", "state", self._chain)

    def _substate(self, data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
        try:
            return self._carry(data, self.prefix(self._old, old), self.prefix(self._new, new), ())
        except Refused as refused:
            raise Misfit(refused.flaws[0].text) from None

    @staticmethod
    def prefix(version: Version, label: str) -> str:
        """What the ids of the fields of a state begin with."""
        return "state" if version.elements["graph"]["state"] == label else f"substate/{label}"

    def _carry(
        self, data: Mapping[str, Any], old: str, new: str, chain: Sequence[plan.Migration]
    ) -> dict[str, Any]:
        before, there = fields(self._old, old), fields(self._new, new)
        if before.keys() != data.keys():
            names = ", ".join(f"`{name}`" for name in sorted(before.keys() ^ data.keys()))
            raise ValueError(f"the stored state and its form differ in {names}")
        held = {name: Held(value, before[name]["type"]) for name, value in data.items()}
        flaws: list[Flaw] = []
        for link in chain:
            held = self._linked(held, link, flaws)
        carried: dict[str, Any] = {}
        for name, value in held.items():
            id_ = f"{new}/field/{name}"
            if name not in there:
                id_ = f"{old}/field/{name}"
                flaws.append(Flaw("field-gone", id_, f"field `{name}` has a value and is not there"))
                continue
            try:
                carried[name] = self.values.carry(value.data, value.type, there[name]["type"])
            except Misfit as misfit:
                flaws.append(Flaw("value-misfit", id_, f"field `{name}` {misfit}"))
                continue
            if (what := broken(carried[name], there[name])) is not None:
                flaws.append(Flaw("constraint-broken", id_, f"field `{name}` {what}"))
        for name in there.keys() - held.keys():
            if not self._has_default(there[name]):
                type_ = type_text(there[name]["type"])
                text = f"field `{name}` (`{type_}`) is new, and has neither a value nor a default"
                flaws.append(Flaw("field-without-value", f"{new}/field/{name}", text))
        if flaws:
            raise Refused(sorted(flaws, key=lambda flaw: flaw.element))
        return carried

    def _linked(self, held: dict[str, Held], link: plan.Migration, flaws: list[Flaw]) -> dict[str, Held]:
        dropped = {step.field for step in link.steps if isinstance(step, plan.DropStep)}
        names = renamed(link, "field")
        found: dict[str, Held] = {}
        for name, value in held.items():
            if name in dropped:
                continue
            target = names.get(name, name)
            if target in found:
                text = f"two values of the old state would both be field `{target}`"
                flaws.append(Flaw("values-collide", f"state/field/{target}", text))
            found[target] = value
        return found

    def _has_default(self, field: Element) -> bool:
        """Whether a field begins with a value of its own."""
        match field["type"]:
            case ["optional", _]:
                return True
            case ["state", label] if "default" not in field:
                inner = fields(self._new, self.prefix(self._new, label))
                return all(self._has_default(one) for one in inner.values())
            case _:
                return "default" in field


def fields(version: Version, prefix: str) -> dict[str, Element]:
    """The durable fields of a state by name."""
    return dict(_fields(version, f"{prefix}/field/"))


def _fields(version: Version, prefix: str) -> Iterator[tuple[str, Element]]:
    for id_, element in version.elements.items():
        if id_.startswith(prefix):
            yield id_.removeprefix(prefix), element
