"""From the constraints and the merge rule of a field to functions that say what is broken and how to join."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, cast

from ..errors import EvaluationError
from .constants import constant_of
from .data import Data
from .reading import Unfit, list_of, one_of, shown
from .types import Type, base, kind_of

_RULES = ("last", "append", "sum", "max", "min", "union", "custom")


def check_of(
    name: str, attribute: str, type_: Type, element: Mapping[str, Any], data: Data
) -> Callable[[Any], str | None] | None:
    """What says how a state breaks the constraints of a field; None where nothing can be broken."""
    kind = kind_of(base(type_))
    tests: list[Callable[[Any], str | None]] = []
    if kind == "float":
        tests.append(lambda v: None if isfinite(v) else f"`{name}` is {v}, not a finite number")
    if "range" in element:
        low, high, text = _bounds(element["range"], kind, data)
        tests.append(lambda v: None if _inside(v, low, high) else f"`{name}` is {v}, outside {text}")
    if "length" in element:
        least, most, words = _bounds(element["length"], "int", data)
        tests.append(
            lambda v: (
                None if _inside(len(v), least, most) else f"`{name}` has length {len(v)}, outside {words}"
            )
        )
    if "pattern" in element:
        pattern = re.compile(element["pattern"])
        tests.append(
            lambda v: (
                f"`{name}` does not match the pattern {pattern.pattern}"
                if pattern.search(v) is None
                else None
            )
        )
    if not tests:
        return None

    def check(state: Any) -> str | None:
        value = getattr(state, attribute)
        if value is None:
            return None
        return next((broken for test in tests if (broken := test(value)) is not None), None)

    return check


def _bounds(form: Any, kind: str, data: Data) -> tuple[Any, Any, str]:
    ends = list_of(form)
    if len(ends) != 2:
        raise Unfit(f"{shown(form)} is no range")
    low, high = (None if end is None else _bound(end, kind, data) for end in ends)
    return low, high, "..".join("" if end is None else str(end) for end in (low, high))


def _bound(form: Any, kind: str, data: Data) -> Any:
    made = constant_of(form, data)
    if made is None or made.type not in ("int", "float", "decimal"):
        raise Unfit(f"{shown(form)} is no number")
    if kind == "decimal" and isinstance(made.value, float):
        return Decimal(str(made.value))
    return made.value


def _inside(value: Any, low: Any, high: Any) -> bool:
    # As generated code asks: what is no number is inside no range with both ends.
    if low is not None and high is not None:
        return bool(low <= value <= high)
    if low is not None:
        return not value < low
    return high is None or not value > high


def merge_of(field: str, form: Any) -> tuple[str, Any]:
    if isinstance(form, str):
        return one_of(form, _RULES[:-1]), None
    rule, target = list_of(form)
    if one_of(rule, _RULES) == "custom" and not isinstance(target, str):
        raise Unfit(f"{shown(form)} is no rule of merging")

    def refused(before: Any, values: Any) -> Any:
        raise EvaluationError(f"merge of `{field}`: `{target}` is not called when a log is replayed")

    return rule, cast("Any", refused)
