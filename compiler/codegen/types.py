"""From resolved types to annotations.

Three roles: *model*, for pydantic's classes, whose collections freeze what they are given; *value*, for what
a function takes or a view shows; *state*, for the attribute of a state, whose outermost collection is changed
in place.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from .. import model as m
from .layout import Piece, flat, subscript, union_of
from .unit import Unit

Role: TypeAlias = Literal["model", "value", "state"]

_IMPORTED = {
    "decimal": ("decimal", "Decimal"),
    "datetime": ("datetime", "datetime"),
    "date": ("datetime", "date"),
    "duration": ("datetime", "timedelta"),
    "uuid": ("uuid", "UUID"),
}


def annotation(unit: Unit, type_: m.Type, role: Role) -> Piece:
    """The annotation of a type."""
    inner: Role = "model" if role == "model" else "value"
    match type_:
        case m.Scalar("json"):
            return f"{unit.lg}.Json"
        case m.Scalar(name):
            return unit.std(*_IMPORTED[name]) if name in _IMPORTED else unit.builtin(name)
        case m.OptionalOf(item):
            return union_of([annotation(unit, item, role), "None"])
        case m.ListOf(item):
            return subscript(_collection(unit, "list", role), annotation(unit, item, inner))
        case m.SetOf(item):
            return subscript(_collection(unit, "set", role), annotation(unit, item, inner))
        case m.DictOf(key, value):
            parts = annotation(unit, key, inner), annotation(unit, value, inner)
            return subscript(_collection(unit, "dict", role), *parts)
        case m.EnumType(key) | m.RecordType(key) | m.UnionType(key):
            return unit.declared(key)
        case m.StateType(key):
            return unit.checkpoint(key) if role == "model" else unit.declared(key)
        case m.OpaqueType(key):
            return unit.opaque(key)
        case m.NoneOnly():
            return "None"
        case m.Unknown():
            return unit.std("typing", "Any")
        case _:
            assert_never(type_)


def _collection(unit: Unit, name: Literal["list", "set", "dict"], role: Role) -> str:
    match role:
        case "model":
            return unit.lg + {"list": ".FrozenList", "set": ".FrozenSet", "dict": ".FrozenMap"}[name]
        case "value":
            if name == "set":
                return unit.std("collections.abc", "Set", "AbstractSet")
            return unit.std("collections.abc", "Sequence" if name == "list" else "Mapping")
        case "state":
            return unit.builtin(name)
        case _:
            assert_never(role)


def annotation_text(unit: Unit, type_: m.Type, role: Role) -> str:
    """The annotation on one line."""
    return flat(annotation(unit, type_, role))


def base(type_: m.Type) -> m.Type:
    """The type without its `?`."""
    return type_.item if isinstance(type_, m.OptionalOf) else type_


def is_collection(type_: m.Type) -> bool:
    """Whether a state holds values of the type in a collection that it changes in place."""
    return isinstance(base(type_), m.ListOf | m.SetOf | m.DictOf)
