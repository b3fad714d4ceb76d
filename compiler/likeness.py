"""From expressions to what is the same wherever it is written: to tell whether two are alike."""

from __future__ import annotations

from ..dsl.source import Place
from . import model
from .model import Key


def bare(value: object) -> object:
    """An expression without its places, to compare."""
    if isinstance(value, tuple) and not isinstance(value, Place | Key):
        return tuple(bare(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, model.Const) and isinstance(value.type, model.Unknown):
        return value.place  # reported already; no two are the same
    if isinstance(value, model.Expr):
        slots = type(value).__match_args__
        parts = tuple(bare(getattr(value, slot)) for slot in slots if slot != "place")
        return (type(value).__name__, type(getattr(value, "value", None)).__name__, parts)
    return value
