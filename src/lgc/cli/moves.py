"""From the moves of a run to other graphs to what people and programs read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .terminal import printable
from .wording import moment, short_hash

if TYPE_CHECKING:
    from ..runtime.store.records import OverrideRecord


def move_json(one: OverrideRecord) -> dict[str, Any]:
    """As JSON data."""
    return {
        "step": one.step,
        "mode": one.mode,
        "actor": one.actor,
        "reason": one.reason,
        "expected": one.expected,
        "actual": one.actual,
        "time": one.time,
    }


def move_text(one: OverrideRecord) -> str:
    """In one line, with the time."""
    return f"{moment(one.time)}  after step {one.step}: {move_words(one)}"


def move_words(one: OverrideRecord) -> str:
    """From where to where, how, by whom and why."""
    by = f" by {printable(one.actor)}" if one.actor else ""
    why = f": {printable(one.reason)}" if one.reason else ""
    return f"{short_hash(one.expected)} -> {short_hash(one.actual)} ({one.mode}){by}{why}"
