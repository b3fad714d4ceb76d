"""From a stored value of one version's type to the stored value of another's, where it belongs to both.

Values are JSON as states store them; types are forms (`["list", "int"]`), each with the declarations of its
own version. What belongs to the new type is decided by the value: a value is kept, an `int` becomes the
`float` that is the same number, and nothing else is converted. A value that would be rounded, cut or read in
another way does not belong.

Records, enums and members of unions are told apart by their names. One that was renamed (the old name is
gone, the new one was not there before) is the same as long as its content fits; stored values do not hold
the name, except in unions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..changes.unparse import type_text
from ..forms.version import Version

_TAG = re.compile(r"kind_*")


class Misfit(Exception):
    """A value that does not belong to a type. `path`: where inside the value; `text`: why, for people."""

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.path = path

    def inside(self, part: str) -> Misfit:
        """The same, seen from one level further out."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Misfit(self.text, f"{part}{joint}{self.path}")

    def __str__(self) -> str:
        return f"at `{self.path}` {self.text}" if self.path else self.text


StateCarrier = Callable[[Any, str, str], Any]


class Carrier:
    """Carries values from the types of one version to those of another.

    Args:
        states: carries the value of a sub-state, from the old label to the new one.
    """

    def __init__(self, old: Version, new: Version, states: StateCarrier) -> None:
        self._old, self._new, self._states = old, new, states
        self._same: dict[tuple[str, str], bool] = {}

    def carry(self, data: Any, old: Any, new: Any) -> Any:
        """The value as one of the new type. Raises Misfit."""
        if old == new and self.unchanged(new) and not self._tagged_inside(new):
            return data
        if head_of(new) == "optional":
            if data is None and head_of(old) == "optional":
                return None
            new = new[1]
        elif head_of(old) == "optional" and data is None:
            raise Misfit(f"is none, and the new type is `{type_text(new)}`")
        if head_of(old) == "optional":
            old = old[1]
        return self._carry(data, old, new)

    def unchanged(self, type_: Any) -> bool:
        """Whether a type and all that it mentions is the same in both versions."""
        match type_:
            case str():
                return True
            case ["optional" | "list" | "set", item]:
                return self.unchanged(item)
            case ["dict", key, value]:
                return self.unchanged(key) and self.unchanged(value)
            case [str() as family, str() as label]:
                return self._declared_alike(family, label)
            case _:
                return False

    def _tagged_inside(self, type_: Any) -> bool:
        """Whether values may hold records: where these carry a tag depends on the file that they are from."""
        match type_:
            case ["optional" | "list" | "set", item]:
                return self._tagged_inside(item)
            case ["dict", _, value]:
                return self._tagged_inside(value)
            case [str() as family, _]:
                return family != "enum"
            case _:
                return False

    def covers(self, type_: Any) -> bool:
        """Whether every value that a type had in the old version still belongs to it."""
        return self._covers(type_, set())

    def _covers(self, type_: Any, seen: set[str]) -> bool:
        match type_:
            case ["optional" | "list" | "set", item]:
                return self._covers(item, seen)
            case ["dict", key, value]:
                return self._covers(key, seen) and self._covers(value, seen)
            case ["enum" | "record" | "union" as family, str() as label]:
                id_ = f"{family}/{label}"
                if id_ in seen or self.unchanged(type_):
                    return True
                seen.add(id_)
                old, new = self._old.elements.get(id_), self._new.elements.get(id_)
                if old is None or new is None:
                    return False
                if family != "record":
                    inside = [] if family == "enum" else [["record", one] for one in old["members"]]
                    return {*old["members"]} <= {*new["members"]} and all(
                        self._covers(one, seen) for one in inside
                    )
                return self._covers_fields(old["fields"], new["fields"], seen)
            case _:
                return True

    def _covers_fields(self, old: Mapping[str, Any], new: Mapping[str, Any], seen: set[str]) -> bool:
        for name, field in new.items():
            if name in old:
                if old[name]["type"] != field["type"] or not self._covers(field["type"], seen):
                    return False
            elif "default" not in field and head_of(field["type"]) != "optional":
                return False
        return old.keys() <= new.keys()

    def _declared_alike(self, family: str, label: str) -> bool:
        key = (family, label)
        found = self._same.get(key)
        if found is None:
            self._same[key] = True  # a record may mention itself
            found = self._same[key] = self._compare(family, label)
            if not found:  # what was compared meanwhile may have relied on this one
                self._same = {key: alike for key, alike in self._same.items() if not alike}
        return found

    def _compare(self, family: str, label: str) -> bool:
        if family == "state":
            return False  # its fields are elements of their own, and may be migrated
        id_ = f"{family}/{label}"
        if id_ not in self._old.texts or self._old.texts[id_] != self._new.texts.get(id_):
            return False
        element = self._new.elements[id_]
        if family == "record":
            return all(self.unchanged(field["type"]) for field in element["fields"].values())
        return family == "enum" or all(self.unchanged(["record", one]) for one in element["members"])

    def _carry(self, data: Any, old: Any, new: Any) -> Any:
        match old, new:
            case str(), str() if old == new:
                return data
            case "int", "float":
                return exact_float(data)
            case ["list", before], ["list", after]:
                return self._items(data, before, after)
            case ["set", before], ["set", after]:
                return self._items(data, before, after)
            case ["dict", *before], ["dict", *after]:
                return self._entries(data, before, after)
            case ["enum", before], ["enum", after] if self._same_name("enum", before, after):
                return self._member(data, after)
            case ["record", before], ["record", after] if self._same_name("record", before, after):
                return self._record(data, before, after)
            case ["record", before], ["union", after]:
                label = self._member_of(after, before)
                return {
                    free_tag(self._new.elements, after): base_name(label),
                    **self._record(data, before, label),
                }
            case ["union", before], ["record", after]:
                _, label = self._tagged(data, before)
                if base_name(label) == base_name(after):
                    return self._record(data, label, after)
                raise Misfit(f"is a `{label}`, and the new type is `{after}`")
            case ["union", before], ["union", after]:
                tag, label = self._tagged(data, before)
                member = self._member_of(after, label)
                inner = self._record(data, label, member)
                return {
                    tag if tag not in inner else free_tag(self._new.elements, after): base_name(member),
                    **inner,
                }
            case ["state", before], ["state", after]:
                return self._states(data, before, after)
            case _:
                raise Misfit(f"is `{type_text(old)}`, and the new type is `{type_text(new)}`")

    # --- collections ----------------------------------------------------------------------------------------

    def _items(self, data: list[Any], old: Any, new: Any) -> list[Any]:
        found: list[Any] = []
        for at, item in enumerate(data):
            try:
                found.append(self.carry(item, old, new))
            except Misfit as misfit:
                raise misfit.inside(f"[{at}]") from None
        return found

    def _entries(self, data: Mapping[str, Any], old: list[Any], new: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in data.items():
            try:
                # Keys are text in JSON, whatever their type: an `int` that becomes a `str` would go unseen.
                found[self.carry(key, old[0], new[0])] = self.carry(value, old[1], new[1])
            except Misfit as misfit:
                raise misfit.inside(f"[{key!r}]") from None
        return found

    # --- declared types -------------------------------------------------------------------------------------

    def _same_name(self, family: str, old: str, new: str) -> bool:
        """Whether two labels mean one declaration: the same name, or one that took the other's place."""
        if base_name(old) == base_name(new):
            return True
        return f"{family}/{old}" not in self._new.elements and f"{family}/{new}" not in self._old.elements

    def _member(self, data: Any, label: str) -> Any:
        if data in self._new.elements[f"enum/{label}"]["members"]:
            return data
        raise Misfit(f"is `{data}`, which `{base_name(label)}` no longer has")

    def _member_of(self, union: str, record: str) -> str:
        for label in self._new.elements[f"union/{union}"]["members"]:
            if base_name(label) == base_name(record):
                return str(label)
        raise Misfit(f"is a `{base_name(record)}`, which `{base_name(union)}` no longer has")

    def _record(self, data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
        before: Mapping[str, Any] = self._old.elements[f"record/{old}"]["fields"]
        after: Mapping[str, Any] = self._new.elements[f"record/{new}"]["fields"]
        found: dict[str, Any] = {}
        for name, field in before.items():
            if name not in data:
                continue
            if name not in after:
                raise Misfit(f"has a value, and `{base_name(new)}` has no field `{name}`", name)
            try:
                found[name] = self.carry(data[name], field["type"], after[name]["type"])
            except Misfit as misfit:
                raise misfit.inside(name) from None
        for name, field in after.items():
            if name not in found and "default" not in field and head_of(field["type"]) != "optional":
                raise Misfit(f"is not there, and `{base_name(new)}` has no default for `{name}`", name)
        return found

    def _tagged(self, data: Mapping[str, Any], union: str) -> tuple[str, str]:
        """The tag of a stored member of a union, and the label of the record that it names."""
        for tag in sorted(filter(_TAG.fullmatch, data), reverse=True):
            for label in self._old.elements[f"union/{union}"]["members"]:
                fields: Mapping[str, Any] = self._old.elements[f"record/{label}"]["fields"]
                if base_name(label) == data[tag] and tag not in fields:
                    return tag, str(label)
        raise ValueError(f"a value of union `{union}` does not say which record it is")


def prefix_of(version: Version, label: str) -> str:
    """What the ids of the fields of a state begin with."""
    return "state" if version.elements["graph"]["state"] == label else f"substate/{label}"


def fields_of(version: Version, label: str) -> dict[str, Mapping[str, Any]]:
    """The durable fields of a state by name."""
    return fields_at(version, prefix_of(version, label))


def fields_at(version: Version, prefix: str) -> dict[str, Mapping[str, Any]]:
    """The durable fields whose ids begin so, by name."""
    start = f"{prefix}/field/"
    return {
        id_.removeprefix(start): element for id_, element in version.elements.items() if id_.startswith(start)
    }


def free_tag(elements: Mapping[str, Any], union: str) -> str:
    """The tag that the members of a union carry."""
    fields: set[str] = set()
    for label in elements[f"union/{union}"]["members"]:
        fields.update(elements[f"record/{label}"]["fields"])
    tag = "kind"
    while tag in fields:
        tag += "_"
    return tag


def exact_float(data: Any) -> float:
    """The `float` that a number is equal to. Raises Misfit."""
    try:
        # Not a number is no number's equal, not even its own.
        if (number := float(data)) == data or isinstance(data, float):
            return number
    except OverflowError:
        pass
    raise Misfit("is an `int` that no `float` is equal to, and the new type is `float`")


def head_of(type_: Any) -> str:
    """What a type is: the name of a scalar, `optional`, `list`, `record` …"""
    return type_ if isinstance(type_, str) else str(cast("list[Any]", type_)[0])


def base_name(label: str) -> str:
    """The name that was declared: two declarations of one name are told apart by a number."""
    return label.partition("#")[0]
