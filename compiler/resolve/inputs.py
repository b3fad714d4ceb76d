"""From a state's fields to those that have to be given when a run starts."""

from __future__ import annotations

from ..context import FieldShape, Tables
from ..model import Key, OptionalOf, StateType, Unknown


def is_input(field: FieldShape, tables: Tables) -> bool:
    """Whether a state's field has to be given when a run starts."""
    if field.has_default or field.transient or isinstance(field.type, OptionalOf | Unknown):
        return False
    if isinstance(field.type, StateType):
        return _inputs_inside(field.type.key, tables)
    return True


def _inputs_inside(state: Key, tables: Tables) -> bool:
    """Whether a state or a sub-state in it has a field without a default."""
    todo, seen = [state], {state}
    while todo:
        for field in tables.states.get(todo.pop(), {}).values():
            if not isinstance(field.type, StateType):
                if is_input(field, tables):
                    return True
            elif not field.transient and field.type.key not in seen:
                seen.add(field.type.key)
                todo.append(field.type.key)
    return False


def inputs_of(state: Key, tables: Tables) -> list[str]:
    """The fields of a state that have to be given; a sub-state is one if something in it has to be."""
    return [name for name, field in tables.states.get(state, {}).items() if is_input(field, tables)]


def wanted(names: list[str], state: Key, tables: Tables) -> str:
    """How inputs are given: `a = … sub = Sub(…)`."""
    fields = tables.states.get(state, {})
    types = [(name, fields[name].type) for name in names]
    return " ".join(
        f"{name} = {type.key.name}(…)" if isinstance(type, StateType) else f"{name} = …"
        for name, type in types
    )
