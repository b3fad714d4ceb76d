"""From a value that a migration computed to a stored value of the type that its field has.

A literal is of the type that it fits: `1` of a `float` or a `decimal`, text of a `date` that it spells, a
list of a set. Apart from that a value belongs to the type or it does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from math import inf, isfinite
from typing import Any
from uuid import UUID

from pydantic import BaseModel, create_model

from ..changes.unparse import as_list, as_object, type_text
from ..forms.version import Version
from ..values.state import Checkpoint, Record, State
from ..values.views import ListView
from .values import Misfit, base_name, exact_float, fields_of, free_tag, head_of

_PLAIN = frozenset({"bool", "int", "str"})
_SCALARS: Mapping[str, type] = {
    "bool": bool, "int": int, "float": float, "str": str,
    "bytes": bytes, "decimal": Decimal, "datetime": datetime, "date": date, "duration": timedelta,
    "uuid": UUID,
}  # fmt: skip


class Computed:
    """Writes values of Python as the new version stores them."""

    def __init__(self, new: Version) -> None:
        self._new, self._elements = new, new.elements

    def write(self, given: Any, type_: Any) -> Any:
        """The stored value. Raises Misfit."""
        value: Any = given.snapshot() if isinstance(given, State) else given
        parts: Any = value
        match type_:
            case ["optional", item]:
                return None if value is None else self.write(value, item)
            case str():
                return _scalar(value, type_)
            case ["list", item] if _is_list(value):
                return self._items(list[Any](parts), item)
            case ["set", item] if _is_list(value) or isinstance(value, Set):
                return _sorted(self._items(list[Any](parts), item))
            case ["dict", key, item] if isinstance(value, Mapping):
                return self._entries(value, key, item)
            case ["enum", label] if isinstance(value, StrEnum):
                if str(value) not in self._elements[f"enum/{label}"]["members"]:
                    raise Misfit(f"would be `{value}`, which `{base_name(label)}` does not have")
                return str(value)
            case ["record", label] if isinstance(value, Record):
                if type(value).__name__ == base_name(label):
                    return self._record(value, label, self._elements[f"record/{label}"]["fields"])
            case ["union", label] if isinstance(value, Record):
                for member in self._elements[f"union/{label}"]["members"]:
                    if type(value).__name__ == base_name(member):
                        tag = free_tag(self._elements, label)
                        fields = self._elements[f"record/{member}"]["fields"]
                        return {tag: base_name(member), **self._record(value, member, fields)}
            case ["state", label] if isinstance(value, Checkpoint):
                return self._record(value, label, fields_of(self._new, label))
            case _:
                pass
        raise _unlike(value, type_)

    def _items(self, values: list[Any], item: Any) -> list[Any]:
        found: list[Any] = []
        for at, value in enumerate(values):
            try:
                found.append(self.write(value, item))
            except Misfit as misfit:
                raise misfit.inside(f"[{at}]") from None
        return found

    def _entries(self, value: Any, key: Any, item: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, part in value.items():
            try:
                found[str(self.write(name, key))] = self.write(part, item)
            except Misfit as misfit:
                raise misfit.inside(f"[{name!r}]") from None
        return found

    def _record(self, value: BaseModel, label: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attribute, declared in type(value).model_fields.items():
            name = declared.alias or attribute
            if declared.exclude:
                continue
            if name not in fields:
                raise Misfit(f"has a value, and `{base_name(label)}` has no field `{name}`", name)
            try:
                found[name] = self.write(getattr(value, attribute), fields[name]["type"])
            except Misfit as misfit:
                raise misfit.inside(name) from None
        for name, field in fields.items():
            if name not in found and "default" not in field and head_of(field["type"]) != "optional":
                raise Misfit(f"is not there, and `{base_name(label)}` has no default for `{name}`", name)
        return found


def _scalar(value: Any, type_: str) -> Any:
    if type_ == "json":
        return _json(value)
    if type_ == "float" and _is_number(value):
        return exact_float(value)
    wanted = _SCALARS[type_]
    made: Any = value if type(value) is wanted else _spelt(value, type_)
    if type(made) is not wanted:
        raise _unlike(value, type_)
    return made if type_ in _PLAIN else json.loads(_holder(type_)(value=made).model_dump_json())["value"]


def _spelt(value: Any, type_: str) -> Any:
    """What a literal means where a type is wanted; itself where it means nothing else."""
    if type_ == "decimal" and _is_number(value) and -inf < value < inf:
        return Decimal(value if isinstance(value, int) else str(value))
    if type(value) is not str:
        return value
    try:
        match type_:
            case "date":
                return date.fromisoformat(value)
            case "datetime":
                return datetime.fromisoformat(value.upper())
            case "uuid":
                return UUID(value)
            case "bytes":
                return value.encode()
            case _:
                return value
    except ValueError:
        raise Misfit(f"would be {value!r}, which is no `{type_}`") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@cache
def _holder(type_: str) -> Any:
    return create_model("Holder", __base__=Checkpoint, value=(_SCALARS[type_], ...))


def _json(given: Any) -> Any:
    value: Any = list(given) if _is_list(given) else given
    if value is None or type(value) in (str, bool, int):
        return value
    if type(value) is float and isfinite(value):
        return value
    if _is_list(given):
        return list(map(_json, as_list(value)))
    found = as_object(value)
    if found is not None and all(type(key) is str for key in found):
        return {key: _json(item) for key, item in found.items()}
    raise _unlike(value, "json")


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple, ListView))


def _sorted(items: list[Any]) -> list[Any]:
    """Each once, in the order in which sets are stored."""
    distinct = list(dict.fromkeys(items))
    return sorted(distinct, key=lambda item: f"{item:+020d}" if isinstance(item, int) else str(item))


def _unlike(value: Any, type_: Any) -> Misfit:
    name = {"NoneType": "none", "Decimal": "decimal", "timedelta": "duration", "UUID": "uuid"}
    kind = type(value).__name__
    if _is_list(value):
        kind = "list"
    elif isinstance(value, Mapping):
        kind = "dict"
    elif isinstance(value, Set):
        kind = "set"
    return Misfit(f"would be `{name.get(kind, kind)}`, and the new type is `{type_text(type_)}`")
