"""From a program to the declarations that each declaration names."""

from __future__ import annotations

from collections.abc import Iterator

from .. import model
from ..model import Key, Type
from ..resolve import Resolved


def _parts(type: Type) -> Iterator[Key]:
    """The declarations that a type names."""
    match type:
        case model.OptionalOf(item) | model.ListOf(item) | model.SetOf(item):
            yield from _parts(item)
        case model.DictOf(key, value):
            yield from _parts(key)
            yield from _parts(value)
        case (
            model.EnumType(key)
            | model.RecordType(key)
            | model.UnionType(key)
            | model.StateType(key)
            | model.OpaqueType(key)
        ):
            yield key
        case _:
            pass


def _needed_by_state(state: model.State) -> Iterator[Key]:
    for field in state.fields:
        yield from _parts(field.type)
    for mutation in state.mutations:
        for param in mutation.params:
            yield from _parts(param.type)


def needs_of(resolved: Resolved) -> dict[Key, tuple[Key, ...]]:
    """For each declaration of data, those that it names."""
    program = resolved.program
    needs: dict[Key, tuple[Key, ...]] = {key: union.members for key, union in program.unions.items()}
    for key, record in program.records.items():
        needs[key] = tuple(part for field in record.fields for part in _parts(field.type))
    for key, state in program.states.items():
        needs[key] = tuple(dict.fromkeys(_needed_by_state(state)))
    for key, used in resolved.uses.items():
        needs[key] = (*needs.get(key, ()), *sorted(used))
    return needs


def needs_of_graph(resolved: Resolved, graph: model.Graph) -> Iterator[Key]:
    """The declarations that a graph names itself; other graphs are not among them."""
    yield graph.state
    yield from sorted(resolved.gaps[graph.key].uses)
    for node in graph.nodes:
        if isinstance(node, model.Barrier):
            for answer in node.answers:
                for param in answer.params:
                    yield from _parts(param.type)
