"""From values without written types to those that are meant: literals, and values of another version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from ..errors import EvaluationError
from ..values.state import State
from .data import Data
from .types import Type, base


def bent(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values, where a literal takes its type from the other one."""
    return _like(left, right), _like(right, left)


def _like(value: Any, other: Any) -> Any:
    kind: type = other.__class__
    kept: Any = value
    try:
        match value:
            case bool() | None | StrEnum():
                return value
            case str():
                return _spelt(value, kind)
            case int() | float() if isinstance(other, Decimal):
                return Decimal(str(value))
            case tuple() | list() if isinstance(other, Set):
                return frozenset(cast("Sequence[Any]", value))
            case _:
                pass
    except (ValueError, ArithmeticError, TypeError):
        pass
    return kept


def _spelt(text: str, kind: type) -> Any:
    """What a text spells. Raises ValueError."""
    if kind in (date, datetime):
        return kind.fromisoformat(text.upper())
    if kind is UUID:
        return UUID(text)
    return text.encode() if kind is bytes else text


def shaped(value: Any, type_: Type, data: Data) -> Any:
    """A value of another version, or a literal, as one of a type of this one; as it is where it is none."""
    inner = base(type_)
    if value is None:
        return None
    items: Any = value
    kinds: Mapping[str, type] = {"date": date, "datetime": datetime, "uuid": UUID, "bytes": bytes}
    match inner:
        case "float" if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        case "decimal" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Decimal(str(value))
        case "date" | "datetime" | "uuid" | "bytes" if isinstance(value, str):
            return _spelt(value, kinds[inner])
        case ("list", item) if isinstance(value, (list, tuple)):
            return tuple(shaped(one, item, data) for one in items)
        case ("set", item) if isinstance(value, (list, tuple, Set)):
            return frozenset(shaped(one, item, data) for one in items)
        case ("dict", key, item) if isinstance(value, Mapping):
            return {shaped(k, key, data): shaped(v, item, data) for k, v in items.items()}
        case ("enum", label) if isinstance(value, StrEnum):
            return data.member(label, str(value))
        case ("record", label) if isinstance(value, BaseModel):
            return _reshaped(value, label, data)
        case ("union", label) if isinstance(value, BaseModel):
            member = next((one for one in data.unions[label] if one == type(value).__name__), None)
            return value if member is None else _reshaped(value, member, data)
        case ("state", _) if isinstance(value, State):
            return value.snapshot()
        case _:
            return items


def _reshaped(value: BaseModel, label: str, data: Data) -> Any:
    cls, types = data.record(label), data.records[label]
    if type(value) is cls:
        return value
    found: dict[str, Any] = {}
    for attribute, field in type(value).model_fields.items():
        name = field.alias or attribute
        if not field.exclude:
            if name not in types:
                raise EvaluationError(f"`{label}` has no field `{name}`")
            found[name] = shaped(getattr(value, attribute), types[name], data)
    return cls(**found)
