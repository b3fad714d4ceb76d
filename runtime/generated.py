"""The one namespace that generated code imports: `from lgc.runtime import generated as lg`.

`__all__` is the list that the compiler may use; nothing else of the runtime appears in generated code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from . import plan
from .context import TaskContext
from .errors import TransientMissing
from .graph import Graph, bind, load
from .operations import (
    divide,
    entry,
    finite,
    first,
    floor_divide,
    get,
    get_item,
    get_json,
    item,
    json_item,
    largest,
    last,
    modulo,
    require,
    required,
    smallest,
    to_float,
    to_int,
    to_text,
)
from .plan import Counters
from .state import (
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
    Undo,
    View,
    WriteKind,
    view_list,
    view_map,
    view_set,
)

__all__ = [
    "Answer",
    "Checkpoint",
    "Counters",
    "ExternalMutation",
    "FrozenDict",
    "FrozenList",
    "FrozenMap",
    "FrozenSet",
    "Graph",
    "Mutation",
    "NoParams",
    "Record",
    "State",
    "TaskContext",
    "Undo",
    "View",
    "WriteKind",
    "bind",
    "divide",
    "entry",
    "finite",
    "first",
    "floor_divide",
    "get",
    "get_item",
    "get_json",
    "item",
    "json_item",
    "largest",
    "last",
    "load",
    "modulo",
    "plan",
    "require",
    "required",
    "smallest",
    "to_float",
    "to_int",
    "to_text",
    "transient",
    "view_list",
    "view_map",
    "view_set",
]


class NoParams(TypedDict):
    """The params of a task that declares none."""


def transient(values: Mapping[str, object], field: str) -> Any:
    """The value of a transient field. Raises TransientMissing where none was given."""
    try:
        return values[field]
    except KeyError:
        raise TransientMissing(
            f"transient field `{field}` has no value",
            hint=f"pass transients={{{field!r}: …}} when starting or restoring the run",
        ) from None
