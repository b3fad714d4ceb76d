"""From times, lengths and values to the words that people read."""

from __future__ import annotations

import json
from typing import Any

from .terminal import Style, printable

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def age(seconds: float) -> str:
    """`5s`, `12m`, `3h`, `2d`: a length of time, roughly."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def took(seconds: float) -> str:
    """`3 ms`, `1.24 s`, `2m 05s`: how long something took."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s"


def moment(time: float) -> str:
    """A time of the local clock, to the second."""
    from datetime import datetime

    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_hash(hash_: str) -> str:
    """`lg1:` and 16 digits."""
    prefix, _, digits = hash_.partition(":")
    return f"{prefix}:{digits[:16]}"


def value_text(value: Any, width: int = 0) -> str:
    """A JSON value on one line, cut to a width (0: whole)."""
    text = printable(json.dumps(value, ensure_ascii=False))
    return text[: width - 3] + "..." if 0 < width < len(text) else text


def fields(values: dict[str, Any], style: Style, indent: str = "  ", width: int = 100) -> list[str]:
    """One line for each field of a state."""
    longest = max((len(name) for name in values), default=0)
    return [
        f"{indent}{style.cyan(name)}{' ' * (longest - len(name))} = "
        f"{value_text(value, max(30, width - longest - len(indent) - 3))}"
        for name, value in values.items()
    ]


def status_text(status: str, style: Style) -> str:
    """A run's status in its colour."""
    match status:
        case "done":
            return style.green(status)
        case "failed" | "uncertain":
            return style.red(status)
        case "waiting":
            return style.yellow(status)
        case "cancelled":
            return style.dim(status)
        case _:
            return style.cyan(status)
