"""From many log records to a position: what `redo` does one by one, quickly where a record is simple.

Simple is a step of a task in the root frame whose mutations have parameters that JSON holds as they are. Such
a mutation need not be made again: its generated code is run over the parameters themselves, once they are
seen to have the declared types. Anything else, and whatever does not fit, is left to `redo`, which also says
what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from pydantic_core import from_json

from ..machine.frame import Frame
from ..machine.position import redo
from ..store.records import MutationRecord
from ..values.state import Mutation, class_of
from ..values.undo import Undo

# By the name of a mutation: its generated code, and the types that each parameter may have.
Simple: TypeAlias = tuple[Callable[[Any, Any, Undo], None], Mapping[str, frozenset[type]]]

_JSON_TYPES = frozenset({int, str, bool, float, NoneType})


class _Given:
    """The parameters of a mutation, as attributes."""

    __slots__ = ("__dict__",)


def redo_all(root: Frame, records: Iterable[MutationRecord]) -> None:
    """Do log records again, in order. Raises as `redo` does; those before the bad one are done."""
    undo = Undo()
    kind: Any = class_of(root.state)
    simple = _simple(kind)
    for record in records:
        if (
            record.frame
            or record.detail
            or record.hash != root.plan.hash
            or record.node != root.node
            or not (record.mutations == "[]" or _changed(root.state, simple, record.mutations, undo))
        ):
            redo(root, record)
            continue
        root.counts[record.node] = record.visit
        root.done += 1
        if record.edge:
            root.taken[record.edge] = root.edge_count(record.edge) + 1
        root.node = record.next
        root.children = {}
        root.since = record.time


def _changed(state: Any, simple: Mapping[str, Simple], text: str, undo: Undo) -> bool:
    """Apply stored mutations to a state; False where that is not simple, and the state is as it was."""
    try:
        for item in from_json(text, allow_inf_nan=False):
            name, parameters = item.values()
            apply, types = simple[name]
            if len(item["m"]) != len(name) or len(parameters) != len(types):
                raise ValueError
            for key, value in parameters.items():
                if type(value) not in types[key]:
                    raise ValueError
            given = _Given()
            given.__dict__ = parameters
            apply(given, state, undo)
    except Exception:  # `redo` finds out what it is, and says so
        undo.roll_back()
        return False
    undo.clear()
    return True


@lru_cache(maxsize=256)
def _simple(state: Any) -> Mapping[str, Simple]:
    found: dict[str, Simple] = {}
    for name, kind in state.__lg_mutations__.items():
        types = None if kind.__lg_external__ else _parameters(kind)
        if types is not None:
            found[name] = kind.__lg_apply__, types
    return found


def _parameters(kind: type[Mutation]) -> Mapping[str, frozenset[type]] | None:
    """The types of each parameter; None where one is more than JSON holds as it is."""
    found: dict[str, frozenset[type]] = {}
    for name, field in kind.model_fields.items():
        annotation: Any = field.annotation
        types = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
        if field.metadata or field.alias is not None or not _JSON_TYPES.issuperset(types):
            return None
        found[name] = frozenset(types)
    return found
