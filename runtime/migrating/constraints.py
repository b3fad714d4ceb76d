"""From a stored value and the constraints of its field to what it breaks.

The constraints are those of a form: `range`, `length`, `pattern`. They hold as in generated code: `none`
breaks nothing, and a `float` has to be finite.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from ..changes.unparse import expression_text


def broken(data: Any, field: Mapping[str, Any]) -> str | None:
    """What a value breaks of its field's constraints, to be read behind the field's name; None: nothing."""
    if data is None:
        return None
    type_ = field["type"]
    if type_[0] == "optional":
        type_ = type_[1]
    if type_ == "float" and not isfinite(data):
        return f"is {data}, not a finite number"
    if (bounds := field.get("range")) is not None:
        value = Decimal(data) if type_ == "decimal" else data
        if _outside(value, bounds):
            return f"is {value}, outside {_bounds_text(bounds)}"
    if (bounds := field.get("length")) is not None:
        size = len(b64decode(data, b"-_")) if type_ == "bytes" else len(data)
        if _outside(size, bounds):
            return f"has length {size}, outside {_bounds_text(bounds)}"
    if (pattern := field.get("pattern")) is not None and _compiled(pattern).search(data) is None:
        return f"does not match the pattern {pattern}"
    return None


def _outside(value: Any, bounds: list[Any]) -> bool:
    low, high = (None if form is None else _number(form) for form in bounds)
    return (low is not None and not low <= value) or (high is not None and not value <= high)


def _number(form: Any) -> Any:
    match form:
        case ["int", str() as digits]:
            return int(digits, 0)
        case ["float", str() as text]:
            return float(text)
        case ["decimal", str() as text]:
            return Decimal(text)
        case _:
            return form


def _bounds_text(bounds: list[Any]) -> str:
    low, high = ("" if form is None else expression_text(form) for form in bounds)
    return f"{low}..{high}"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
