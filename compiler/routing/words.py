"""From values of terms to the words of the language: `Verdict.accept`, `"x"`, `none`, `0.8`, `30s`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .domains import Made, Member, Order, Value, Variable
from .scales import UNNAMED

if TYPE_CHECKING:
    from datetime import date, timedelta

_UNITS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms"))

_LONGEST = 60


def literal(value: Value) -> str:
    """A constant as one would write it."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Member(enum, name):
            return f"{enum.name}.{name}"
        case int():
            return str(value) if abs(value) < 10**40 else "a very large number"
        case float():
            return repr(value).replace("e+", "e")
        case str():
            from json import dumps

            shown = value if len(value) <= _LONGEST else value[: _LONGEST // 2] + "…"
            return dumps(shown, ensure_ascii=False)
        case bytes():
            return literal(value.decode("utf-8", "replace"))
        case _:
            return _special(value)


def _special(value: Value) -> str:
    from datetime import date, timedelta
    from uuid import UUID

    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, date):
        return f'"{value.isoformat().removesuffix("+00:00")}{_zone(value)}"'
    return f'"{value}"' if isinstance(value, UUID) else str(value)


def _zone(value: date) -> str:
    return "Z" if getattr(value, "tzinfo", None) is not None else ""


def _duration(value: timedelta) -> str:
    from datetime import timedelta

    count = value // timedelta(microseconds=1)
    if not count:
        return "0s"
    size, unit = next(((size, unit) for size, unit in _UNITS if count % size == 0), (0, ""))
    return f"{count // size}{unit}" if size else f"{count / 1000:.3f}ms"


def stands(variable: Variable, value: Value) -> str:
    """That a term has a value: `score = 0.8`, `a < b`, `` `f(x)` is false ``."""
    words = variable.words
    match value:
        case Order("?"):
            return words.format("beside") + " not a number"
        case Order(operator):
            return words.format(operator)
        case Made():
            return f"{words} != none"
        case _ if value is UNNAMED:
            return f"{words} is another value"
        case _ if variable.values is not None and type(value).__name__ == "Key":
            return f"{words} is {value.name}"
        case float() if value != value:
            return f"{words} = not a number"
        case _:
            return f"{words} = {literal(value)}"
