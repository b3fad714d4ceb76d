"""The one namespace that generated code imports: `from lgc.runtime import generated as lg`.

`__all__` is the list that the compiler may use; nothing else of the runtime appears in generated code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypedDict, TypeVar

from pydantic import Field

from . import plan
from .context import TaskContext
from .errors import TransientMissing
from .graph import Graph, bind, load
from .plan import Counters
from .values.arithmetic import (
    decimal_add,
    decimal_multiply,
    decimal_subtract,
    decimal_sum,
    divide,
    float_sum,
    floor_divide,
    modulo,
    round_digits,
    round_whole,
    time_add,
    time_divide,
    time_order,
    time_scale,
    time_subtract,
)
from .values.operations import (
    as_record,
    entry,
    finite,
    first,
    frozen,
    get,
    get_item,
    get_json,
    item,
    json_item,
    largest,
    last,
    ordered,
    require,
    required,
    smallest,
    to_float,
    to_int,
    to_text,
)
from .values.state import (
    Answer,
    Checkpoint,
    ExternalMutation,
    FrozenDict,
    FrozenList,
    FrozenMap,
    FrozenSet,
    Mutation,
    Record,
    State,
    Transients,
    WriteKind,
)
from .values.undo import Undo
from .values.untagged import Json, Tagged
from .values.views import View, view_list, view_map, view_set

__all__ = [
    "Answer",
    "Checkpoint",
    "Counters",
    "ExternalMutation",
    "Field",
    "FrozenDict",
    "FrozenList",
    "FrozenMap",
    "FrozenSet",
    "Graph",
    "Json",
    "Mutation",
    "NoParams",
    "Record",
    "State",
    "Tagged",
    "TaskContext",
    "Undo",
    "View",
    "WriteKind",
    "as_record",
    "bind",
    "decimal_add",
    "decimal_multiply",
    "decimal_subtract",
    "decimal_sum",
    "divide",
    "entry",
    "finite",
    "first",
    "float_sum",
    "floor_divide",
    "frozen",
    "get",
    "get_item",
    "get_json",
    "inner_transients",
    "item",
    "json_item",
    "largest",
    "last",
    "load",
    "modulo",
    "ordered",
    "plan",
    "require",
    "required",
    "round_digits",
    "round_whole",
    "smallest",
    "time_add",
    "time_divide",
    "time_order",
    "time_scale",
    "time_subtract",
    "to_float",
    "to_int",
    "to_text",
    "transient",
    "view_list",
    "view_map",
    "view_set",
    "without",
    "writes",
]


K = TypeVar("K")
V = TypeVar("V")


class NoParams(TypedDict):
    """The params of a task that declares none."""


def writes(kinds: Mapping[str, WriteKind]) -> Mapping[str, WriteKind]:
    """What a mutation changes, and how; read-only."""
    return MappingProxyType(kinds)


_REQUIRED: Any = object()


def transient(values: Mapping[str, object], field: str, default: Any = _REQUIRED) -> Any:
    """The value of a transient field, or its default. Raises TransientMissing where there is neither."""
    value = values.get(field, default)
    if value is _REQUIRED:
        if isinstance(values, Transients):
            if values.blank:
                return None
            field = values.prefix + field
        raise TransientMissing(
            f"transient field `{field}` has no value",
            hint=f"pass transients={{{field!r}: …}} when starting or restoring the run",
        )
    return value


def inner_transients(values: Mapping[str, object], field: str) -> Mapping[str, object]:
    """The transient values of a sub-state, which are given as `field.name`."""
    prefix = f"{field}."
    outer = values if isinstance(values, Transients) else Transients()
    found = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    return Transients(found, prefix=outer.prefix + prefix, blank=outer.blank)


def without(items: Mapping[K, V], key: K, text: str, place: str) -> Mapping[K, V]:
    """A dict without one of its entries. Raises EvaluationError where the key is missing."""
    entry(items, key, text, place)
    return FrozenDict({k: v for k, v in items.items() if k != key})
