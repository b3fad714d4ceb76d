"""From an old and a new type to how many of the old one's values belong to the new one.

The answer holds for every value at once. It agrees with what is done to a single stored value when it is
carried over (`lgc.runtime.migrating.values`): a value is kept, an `int` becomes a `float`, nothing else is
converted. Declarations are told apart by their names; records and states may mention themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Any

from ..changes.classify import has_value
from ..changes.unparse import as_list, as_object, same
from ..forms.version import Version


class Fit(IntEnum):
    """From the best to the worst."""

    SAME = 0  # each value belongs to the new type as it is
    WIDER = 1  # each value has one in the new type that is equal to it
    SOME = 2  # the value decides
    NONE = 3  # no value belongs to the new type


Pair = tuple[str, str, str]  # family and both labels


class Fitting:
    """How the types of one version fit those of another."""

    def __init__(self, old: Version, new: Version) -> None:
        self._old, self._new = old, new
        self._known: dict[Pair, Fit] = {}
        self._open: dict[Pair, Fit] = {}
        self._substates = [_substates(old), _substates(new)]

    def field(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Fit:
        """How the values of a field fit another: its type and its constraints."""
        found = self.type(old.get("type"), new.get("type"))
        if found < Fit.SOME and not constraints_hold(old, new):
            return Fit.SOME
        return found

    def type(self, old: Any, new: Any) -> Fit:
        """How the values of a type fit another."""
        try:
            found = self._type(old, new)
            while not self._settled():  # what was taken for granted of a type inside itself turned out worse
                found = self._type(old, new)
        except RecursionError:  # declarations nested beyond all measure: let the value decide
            self._open.clear()
            return Fit.SOME
        self._known.update(self._open)
        self._open.clear()
        return found

    def _settled(self) -> bool:
        before = dict(self._open)
        for pair in before:
            self._open[pair] = max(self._open[pair], self._declared(pair))
        return before == self._open

    def _type(self, old: Any, new: Any) -> Fit:
        match old, new:
            case str(), str():
                if old == new:
                    return Fit.SAME
                return Fit.WIDER if (old, new) == ("int", "float") else Fit.NONE
            case ["optional", before], ["optional", after]:
                return min(self._type(before, after), Fit.SOME)  # `none` always fits
            case _, ["optional", after]:
                return self._type(old, after)
            case ["optional", before], _:
                return max(self._type(before, new), Fit.SOME)  # `none` never does
            case ["list", before], ["list", after]:
                return min(self._type(before, after), Fit.SOME)  # an empty one fits
            case ["set", before], ["set", after]:
                return min(self._type(before, after), Fit.SOME)
            case ["dict", before, values], ["dict", after, others]:
                return min(max(self._type(before, after), self._type(values, others)), Fit.SOME)
            case [str() as family, str() as before], [str() as other, str() as after]:
                return self._labels(family, before, other, after)
            case _:
                return Fit.NONE

    def _labels(self, family: str, before: str, other: str, after: str) -> Fit:
        match family, other:
            case (("enum" | "record" | "state"), _) if family == other:
                if family != "state" and not self._one_declaration(family, before, after):
                    return Fit.NONE
                return self._pair((family, before, after))
            case "union", "union":
                return self._pair((family, before, after))
            case "record", "union":
                return self._member(before, after)
            case "union", "record":
                members = self._members(self._old, before)
                fits = [
                    self._pair(("record", one, after)) if _base(one) == _base(after) else Fit.NONE
                    for one in members
                ]
                return _any_of(fits)
            case _:
                return Fit.NONE

    def _pair(self, pair: Pair) -> Fit:
        known = self._known.get(pair)
        if known is None:
            known = self._open.get(pair)
        if known is None:
            self._open[pair] = Fit.SAME  # taken for granted until it is settled
            known = self._open[pair] = self._declared(pair)
        return known

    def _declared(self, pair: Pair) -> Fit:
        family, before, after = pair
        match family:
            case "enum":
                old, new = ({*self._members(of, name, "enum")} for of, name in self._sides(before, after))
                if old <= new:
                    return Fit.SAME
                return Fit.SOME if old & new else Fit.NONE
            case "union":
                return _any_of([self._member(one, after) for one in self._members(self._old, before)])
            case "record":
                fields = [
                    as_object((of.elements.get(f"record/{name}") or {}).get("fields")) or {}
                    for of, name in self._sides(before, after)
                ]
                return self._fields(fields[0], fields[1], _has_value)
            case _:
                return self._fields(self._state(0, before), self._state(1, after), self.begins)

    def _fields(self, old: Mapping[str, Any], new: Mapping[str, Any], begins: Any) -> Fit:
        """Fields that all have to fit; new ones need a value of their own."""
        if any(name not in new for name in old):
            return Fit.NONE
        worst = Fit.SAME
        for name, field in new.items():
            if name not in old:
                fit = Fit.SAME if begins(field) else Fit.NONE
            else:
                before, after = as_object(old[name]) or {}, as_object(field) or {}
                fit = self._type(before.get("type"), after.get("type"))
                if fit < Fit.SOME and not constraints_hold(before, after):
                    fit = Fit.SOME
            worst = max(worst, fit)
        return worst

    def begins(self, field: Any) -> bool:
        """Whether a field of the new version has a value of its own where none is given."""
        match (as_object(field) or {}).get("type"):
            case ["state", str() as label] if "default" not in field:
                return all(map(self.begins, self._state(1, label).values()))
            case _:
                return has_value(field)

    def _state(self, side: int, label: str) -> Mapping[str, Any]:
        return self._substates[side].get(label, {})

    def _member(self, record: str, union: str) -> Fit:
        for one in self._members(self._new, union):
            if _base(one) == _base(record):
                return self._pair(("record", record, one))
        return Fit.NONE

    def _sides(self, before: str, after: str) -> tuple[tuple[Version, str], tuple[Version, str]]:
        return (self._old, before), (self._new, after)

    def _members(self, version: Version, label: str, family: str = "union") -> list[str]:
        element = version.elements.get(f"{family}/{label}") or {}
        return [str(name) for name in as_list(element.get("members"))]

    def _one_declaration(self, family: str, old: str, new: str) -> bool:
        """The same name, or one that took the other's place."""
        if _base(old) == _base(new):
            return True
        return f"{family}/{old}" not in self._new.elements and f"{family}/{new}" not in self._old.elements


def constraints_hold(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether every value under the old constraints of a field is one under the new ones."""
    if "pattern" in new and not same(new["pattern"], old.get("pattern")):
        return False
    return all(_within(old.get(key), new.get(key)) for key in ("range", "length"))


def _within(old: Any, new: Any) -> bool:
    if new is None or same(old, new):
        return True
    outer, inner = as_list(new), as_list(old) or (None, None)
    if len(outer) != 2 or len(inner) != 2:
        return False
    for at, sign in ((0, 1), (1, -1)):
        if outer[at] is not None:
            bounds = _number(inner[at]), _number(outer[at])
            if bounds[0] is None or bounds[1] is None or sign * (bounds[0] - bounds[1]) < 0:
                return False
    return True


def _number(form: Any) -> Decimal | None:
    match form:
        case bool():
            return None
        case int():
            return Decimal(form)
        case ["int" | "float" | "decimal", str() as text]:
            try:
                return Decimal(int(text, 16) if text.startswith(("0x", "-0x")) else text)
            except (InvalidOperation, ValueError):
                return None
        case _:
            return None


def _any_of(fits: Iterable[Fit]) -> Fit:
    """How a value fits of which it is not known which of several it is."""
    each = [*fits]
    if not each or all(fit is Fit.NONE for fit in each):
        return Fit.NONE
    return max(min(fit, Fit.SOME) for fit in each)


def _substates(version: Version) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for id_, element in version.elements.items():
        match id_.split("/"):
            case ["substate", label, "field", name]:
                found.setdefault(label, {})[name] = element
            case ["state", "field", name]:
                found.setdefault(str(version.elements["graph"].get("state")), {})[name] = element
            case _:
                pass
    return found


def _has_value(field: Any) -> bool:
    return has_value(field)


def _base(label: str) -> str:
    """The name that was declared: two declarations of one name are told apart by a number."""
    return label.partition("#")[0]
