"""What a migration has to know of a graph, the old one or the new one, in the same words for both.

Types are those of the model. Declarations of an old graph have keys of their own: no file, the graph's hash,
stands in their path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import assert_never

from ...dsl.frozen import frozen
from ...dsl.source import Place
from .. import model as m

Params = tuple[tuple[str, m.Type], ...]


@frozen
class Held:
    """A durable field of a state, or a field of a record.

    `place` is None for what only a stored form tells, as everywhere below.
    """

    type: m.Type
    has_default: bool
    place: Place | None = None
    range: m.Bounds | None = None
    length: m.Bounds | None = None
    pattern: str | None = None


@frozen
class Update:
    """A mutation: its parameters, in order, the fields that it can change, whether a Python function does."""

    params: Params
    writes: frozenset[str]
    external: bool = False
    place: Place | None = None


@frozen
class Spot:
    """A node as a place to be parked at.

    Attributes:
        decisions: the answers that a barrier offers, with their parameters.
        modify: the mutations that its decider may record.
        reroute: the nodes that its decider may send a run to.
        records: the mutations that a visit can record.
        graph: the name of the graph that it runs, "" for none.
        lens: how that graph reaches its state: `same`, `field`, `values`, or "".
        field: the field that it works on, "" for none.
    """

    kind: str
    region: str
    decisions: Mapping[str, Params] = MappingProxyType({})
    modify: frozenset[str] = frozenset()
    reroute: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    graph: str = ""
    lens: str = ""
    field: str = ""
    place: Place | None = None


@frozen
class Shape:
    """One graph: its state, its nodes, and the types that they mention.

    `hash` is `lg1:` and 64 digits for a stored form, "" for the graph of the sources.
    """

    name: str
    hash: str
    fields: Mapping[str, Held]
    mutations: Mapping[str, Update]
    nodes: Mapping[str, Spot]
    enums: Mapping[m.Key, tuple[str, ...]]
    records: Mapping[m.Key, Mapping[str, Held]]
    unions: Mapping[m.Key, tuple[m.Key, ...]]
    states: Mapping[m.Key, Mapping[str, Held]]
    graphs: Mapping[str, str] = MappingProxyType({})
    """The hashes of the graphs that nodes of a stored form run, by name."""

    def starts_alone(self, field: Held) -> bool:
        """Whether a field has a value of its own: a default, none, or a sub-state of such fields."""
        if field.has_default or isinstance(field.type, m.OptionalOf | m.Unknown):
            return True
        if not isinstance(field.type, m.StateType):
            return False
        inside = self.states.get(field.type.key, {})
        return all(self.starts_alone(one) for one in inside.values())

    def recorded(self) -> frozenset[str]:
        """The mutations that a run can have logged."""
        return self._of(self.nodes.values())

    def kept(self) -> frozenset[str]:
        """The mutations that a stored position can hold to apply them later.

        Those of branches wait for the join, those that a barrier's decider gave along for the answer to be
        taken up.
        """
        inside = self._of(spot for spot in self.nodes.values() if spot.region)
        return inside.union(*(spot.modify for spot in self.nodes.values()))

    def _of(self, spots: Iterable[Spot]) -> frozenset[str]:
        found: set[str] = set()
        for spot in spots:
            if spot.lens == "same":  # the graph that it runs has the same state
                return frozenset(self.mutations)
            found |= spot.records | spot.modify
        return frozenset(found)


def shape_of(program: m.Program, key: m.Key) -> Shape:
    """The shape of a graph of the sources, with all that the program declares."""
    graph = program.graphs[key]
    state = program.states[graph.state]
    return Shape(
        key.name,
        "",
        dict(_held(state.fields)),
        {one.name: _update(one) for one in state.mutations},
        {node.name: _spot(node) for node in graph.nodes},
        {key: tuple(member.name for member in enum.members) for key, enum in program.enums.items()},
        {key: dict(_held(record.fields)) for key, record in program.records.items()},
        {key: union.members for key, union in program.unions.items()},
        {key: dict(_held(one.fields)) for key, one in program.states.items()},
    )


def _held(fields: Iterable[m.Field | m.RecordField]) -> Iterator[tuple[str, Held]]:
    for field in fields:
        has_default = field.default is not None
        if isinstance(field, m.RecordField):
            yield field.name, Held(field.type, has_default, field.place)
        elif not field.transient:
            limits = (field.range, field.length, field.pattern)
            yield field.name, Held(field.type, has_default, field.place, *limits)


def _update(mutation: m.Mutation) -> Update:
    external = mutation.external is not None
    return Update(_params(mutation.params), frozenset(mutation.writes), external, mutation.place)


def _params(params: Iterable[m.Param]) -> Params:
    return tuple((param.name, param.type) for param in params)


def _spot(node: m.Node) -> Spot:
    kind, region, place = KINDS[type(node)], node.region, node.place
    match node:
        case m.Task():
            return Spot(kind, region, records=_names(node.records), place=place)
        case m.Decision() | m.Parallel():
            return Spot(kind, region, place=place)
        case m.Barrier():
            decisions = {answer.name: _params(answer.params) for answer in node.answers}
            records = frozenset(call.mutation for answer in node.answers for call in answer.records)
            modify, reroute = _names(node.modify), _names(node.reroute)
            return Spot(kind, region, decisions, modify, reroute, records, place=place)
        case m.Subgraph() | m.MapNode():
            lens, field, records = _lens(node.lens)
            runs = node.graph.name
            return Spot(kind, region, records=records, graph=runs, lens=lens, field=field, place=place)
        case _:
            assert_never(node)


KINDS: Mapping[type, str] = {
    m.Task: "task",
    m.Decision: "decision",
    m.Barrier: "barrier",
    m.Parallel: "parallel",
    m.Subgraph: "subgraph",
    m.MapNode: "map",
}


def _lens(lens: m.SameState | m.OnField | m.InOut) -> tuple[str, str, frozenset[str]]:
    match lens:
        case m.SameState():
            return "same", "", frozenset()
        case m.OnField(field):
            return "field", field, frozenset()
        case m.InOut(_, outputs):
            return "values", "", frozenset(call.mutation for call in outputs)
        case _:
            assert_never(lens)


def _names(written: Iterable[tuple[str, Place]]) -> frozenset[str]:
    return frozenset(name for name, _ in written)
