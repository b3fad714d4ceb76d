"""From the canonical JSON of literals to their values."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from .data import Data
from .made import NONE_MADE, Made, constant
from .reading import Unfit, shown, whole_of

HEADS = frozenset({"int", "float", "decimal", "bytes", "datetime", "date", "duration", "uuid", "enum"})


def constant_of(form: Any, data: Data) -> Made | None:
    """A literal; None for other expressions. Raises Unfit for one that has no value."""
    match form:
        case None:
            return NONE_MADE
        case bool():
            return constant(form, "bool")
        case int():
            return constant(form, "int")
        case str():
            return constant(form, "str")
        case ["enum", str() as label, member]:
            return constant(data.member(label, member), ("enum", label))
        case [str() as head, text] if head in HEADS:
            try:
                return constant(_value(head, text), head)
            except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
                raise Unfit(f"{shown(form)} is no {head}") from error
        case _:
            return None


def _value(head: str, text: Any) -> Any:
    match head:
        case "int":
            return whole_of(["int", text])
        case "duration":
            return timedelta(microseconds=whole_of(text))
        case _ if not isinstance(text, str):
            raise Unfit(f"{shown(text)} is no text")
        case "float":
            return float(text)
        case "decimal":
            return (
                Decimal(text) if not text.lstrip("-").startswith("0x") else Decimal(whole_of(["int", text]))
            )
        case "bytes":
            return bytes.fromhex(text)
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case _:
            return UUID(text)
