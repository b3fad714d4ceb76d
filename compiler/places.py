"""From a graph to where its elements and edges stand: `file:line:column` by the ids of the canonical form."""

from __future__ import annotations

from collections.abc import Iterator

from ..dsl.source import Place
from . import canonical
from . import model as m
from .edge_keys import by_source, keyed


def places_of(program: m.Program, key: m.Key) -> dict[str, str]:
    """Where everything of a graph stands.

    The names are the ids of elements (`node/grade`, `state/field/score`, `edges/grade` …) and the keys of
    edges (`grade->write when 1`). A group of edges stands where its first edge does, `subgraph/G` where G is
    declared. Sources are named as in findings.
    """
    found: dict[str, str] = {}
    for id, place in _places(program, program.graphs[key]):
        found.setdefault(id, str(place))
    return found


def _places(program: m.Program, graph: m.Graph) -> Iterator[tuple[str, Place]]:
    yield "graph", graph.place
    yield from _state("state", program.states[graph.state])
    for node in graph.nodes:
        yield f"node/{node.name}", node.place
    for region in graph.regions:
        inside = f"{region.id}/" if region.id else ""
        for source, edges in by_source(region).items():
            yield f"edges/{inside if source == m.START else ''}{source}", edges[0].place
            for edge, name in keyed(edges):
                yield name, edge.place
    for declared, label in canonical.element_labels(program, graph.key).items():
        if declared == graph.state:
            continue
        yield from _declared(program, declared, label)


def _declared(program: m.Program, key: m.Key, label: str) -> Iterator[tuple[str, Place]]:
    if (enum := program.enums.get(key)) is not None:
        yield f"enum/{label}", enum.place
    elif (record := program.records.get(key)) is not None:
        yield f"record/{label}", record.place
    elif (union := program.unions.get(key)) is not None:
        yield f"union/{label}", union.place
    elif (state := program.states.get(key)) is not None:
        for id, place in _state(f"substate/{label}", state):
            if "/field/" in id:
                yield id, place
    elif (graph := program.graphs.get(key)) is not None:
        yield f"subgraph/{label}", graph.place


def _state(prefix: str, state: m.State) -> Iterator[tuple[str, Place]]:
    for field in state.fields:
        if not field.transient:
            yield f"{prefix}/field/{field.name}", field.place
    for mutation in state.mutations:
        yield f"{prefix}/mutation/{mutation.name}", mutation.place
