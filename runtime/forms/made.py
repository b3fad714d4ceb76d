"""What expressions become: a function, with what is known of its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .types import NONE, UNKNOWN, Type, is_collection

Evaluate: TypeAlias = Callable[[Any, Any, Any], Any]
"""Over a state, parameters (or an item) and counters."""

NOT_CONSTANT: Any = object()


@dataclass(frozen=True, slots=True)
class Made:
    """One expression.

    Attributes:
        call: computes it.
        type: as far as it is known.
        live: whether it may be a collection that a state changes in place.
        value: of a constant, else `NOT_CONSTANT`.
    """

    call: Evaluate
    type: Type = UNKNOWN
    live: bool = False
    value: Any = NOT_CONSTANT

    @property
    def constant(self) -> bool:
        """Whether it is a literal."""
        return self.value is not NOT_CONSTANT


def constant(value: Any, type_: Type) -> Made:
    """A value that is always the same."""
    return Made(lambda s, p, r: value, type_, value=value)


def reference(call: Evaluate, type_: Type, *, live: bool) -> Made:
    """A field or a parameter."""
    return Made(call, type_, live and (type_ == UNKNOWN or is_collection(type_)))


NONE_MADE = constant(None, NONE)
