"""From `x.f`, `x?.f`, `d[k]`, `xs[i]` to functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel

from ..values.operations import entry, item, json_item
from ..values.state import State
from .data import Data
from .made import Made
from .reading import Unfit
from .types import UNKNOWN, Type, base, kind_of, optional, value_of


def attribute_of(owner: Made, name: str, data: Data, *, safe: bool) -> Made:
    call, kind = owner.call, base(owner.type)
    live = False
    match kind:
        case ("record", label):
            fields, attributes = data.records[label], data.record_attributes(label)
        case ("state", label):
            fields, attributes = data.states[label], data.state_attributes(label)
            live = True
        case ("union", _) | "unknown" | "json":
            return _looked_up(owner, name, data, safe=safe)
        case _:
            raise Unfit(f"`.{name}` of a {kind_of(kind)}")
    if name not in fields:
        raise Unfit(f"`{label}` has no field `{name}`")
    attribute, type_ = attributes[name], fields[name]
    if safe:
        type_ = optional(type_)

        def careful(s: Any, p: Any, r: Any) -> Any:
            value = call(s, p, r)
            return None if value is None else getattr(value, attribute)

        return Made(careful, type_, live and kind_of(base(type_)) in ("list", "set", "dict"))
    return Made(
        lambda s, p, r: getattr(call(s, p, r), attribute),
        type_,
        live and kind_of(base(type_)) in ("list", "set", "dict"),
    )


def _looked_up(owner: Made, name: str, data: Data, *, safe: bool) -> Made:
    """A field of a value whose class is known when it is there: a member of a union."""
    call = owner.call
    found: list[Type] = []
    match base(owner.type):
        case ("union", label):
            found = [data.records[m][name] for m in data.unions[label] if name in data.records[m]]
            if not found:
                raise Unfit(f"no member of `{label}` has a field `{name}`")
        case _:
            pass

    def looked_up(s: Any, p: Any, r: Any) -> Any:
        value = call(s, p, r)
        return None if safe and value is None else part_of(value, name)

    type_ = found[0] if found and all(t == found[0] for t in found) else UNKNOWN
    return Made(looked_up, optional(type_) if safe else type_, type_ == UNKNOWN and not found)


def part_of(value: Any, name: str) -> Any:
    """A field, by its declared name, of a record, a state or a checkpoint. Raises TypeError."""
    if isinstance(value, State):
        return getattr(value, value.__lg_fields__[name])
    if isinstance(value, BaseModel):
        for attribute, field in type(value).model_fields.items():
            if not field.exclude and (field.alias or attribute) == name:
                return getattr(value, attribute)
    raise TypeError(f"{type(value).__name__} has no field `{name}`")


def index_of(owner: Made, key: Made, text: str) -> Made:
    a, b = owner.call, key.call
    kind = kind_of(base(owner.type))
    finders: Mapping[str, Callable[[Any, Any, str, str], Any]] = {
        "list": item, "dict": entry, "json": json_item,
    }  # fmt: skip
    if kind not in (*finders, UNKNOWN):
        raise Unfit(f"`[…]` of a {kind}")
    find = finders.get(kind, _any_item)
    return Made(lambda s, p, r: find(a(s, p, r), b(s, p, r), text, ""), value_of(owner.type))


def _any_item(owner: Any, key: Any, text: str, place: str) -> Any:
    if isinstance(owner, dict):
        return entry(cast("Mapping[Any, Any]", owner), key, text, place)
    if isinstance(owner, (list, tuple)) and isinstance(key, int):
        return item(cast("Sequence[Any]", owner), key, text, place)
    return json_item(owner, key, text, place)
