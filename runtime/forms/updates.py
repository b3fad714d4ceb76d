"""From `f = e`, `f += e`, `f = max(f, e)`, `d[k] += e` to functions from the value held to the new one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..generated import without
from ..values.operations import entry, largest, smallest
from ..values.state import FrozenDict
from .made import Evaluate, Made
from .operators import combined, frozen_call
from .reading import Unfit
from .types import Type, base, kind_of, value_of

_PLAIN = ("int", "float", "str", "bytes")


def new_value(op: str, kind: Type, value: Made) -> Callable[[Any, Any, Any], Any]:
    call = frozen_call(value) if op == "set" else value.call
    match op:
        case "set":
            return lambda held, s, p: call(s, p, None)
        case "max" | "min":
            plain = max if op == "max" else min
            if kind == "datetime":
                helper = largest if op == "max" else smallest
                return lambda held, s, p: helper((held, call(s, p, None)), op, "")
            return lambda held, s, p: plain(held, call(s, p, None))
        case "add" if kind in _PLAIN:
            return lambda held, s, p: held + call(s, p, None)
        case "sub" if kind in _PLAIN:
            return lambda held, s, p: held - call(s, p, None)
        case _:
            return lambda held, s, p: _combined(op, kind, held, call(s, p, None))


def _combined(op: str, kind: Type, held: Any, value: Any) -> Any:
    """`held + value` or `held - value`."""
    match kind_of(kind):
        case "list":
            return (*held, *value)
        case "set":
            return frozenset(held | value if op == "add" else held - value)
        case "dict":
            return FrozenDict({**held, **value})
        case "decimal" if isinstance(value, int):
            value = Decimal(value)
        case _:
            pass
    return combined("+" if op == "add" else "-", held, value, "")


def of_entry(op: str, kind: Type, value: Made) -> Callable[[Any, Any, Any, Any], Any]:
    """The new value of an entry from the dict, the key, the state and the parameters."""
    if op == "set":
        call: Evaluate = frozen_call(value)
        return lambda items, key, s, p: call(s, p, None)
    new = new_value(op, "" if op in ("max", "min") else kind, value)
    return lambda items, key, s, p: new(entry(items, key, "", ""), s, p)


def new_entry(op: str, type_: Type, key: Made, value: Made | None) -> Callable[[Any, Any, Any], Any]:
    """The new value of a dict in a record, of which one entry changes."""
    if kind_of(base(type_)) != "dict":
        raise Unfit(f"an entry of a {kind_of(type_)}")
    find = key.call
    if op == "del":
        return lambda held, s, p: without(held, find(s, p, None), "", "")
    if value is None:
        raise Unfit("an entry without a value")
    new = of_entry(op, base(value_of(type_)), value)

    def changed(held: Any, s: Any, p: Any) -> Any:
        name = find(s, p, None)
        return FrozenDict({**held, name: new(held, name, s, p)})

    return changed
