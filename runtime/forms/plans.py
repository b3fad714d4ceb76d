"""From a canonical form to a graph that a log can be replayed with.

The graph has no functions. What it does otherwise, the machine does with it as with a compiled one: the
same routes under the same keys, the same mutations, constraints, merges and counters, the same JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .. import plan
from ..graph import Graph
from ..values.state import State
from .data import Data
from .mutations import mutations_of
from .nodes import Nodes
from .params import StateScope
from .reading import Unfit, name_of, object_of, reading, whole_of
from .routes import routes_of
from .states import States
from .version import Version


def graph_of(version: Version) -> Graph[Any]:
    """The graph of a version, without functions.

    Raises ValueError, with the element named, for what is no form that this edition can make a graph of.
    """
    with reading("graph"):
        return _graph(version)


def _graph(version: Version) -> Graph[Any]:
    elements = version.elements
    inner = {label: _known_as(label, below.graph) for label, below in version.inner.items()}
    data = Data(elements)
    states = States(data, _states_of(version))
    state = states.state(data.own)
    state.__lg_mutations__ = mutations_of(states)
    scope = StateScope(data, data.own, counters=True)
    made = Nodes(scope, state, {label: graph.plan for label, graph in inner.items()})
    nodes: dict[str, plan.Node] = {}
    for id_, element in elements.items():
        if id_.startswith("node/"):
            with reading(id_):
                name = name_of(id_.removeprefix("node/"))
                if name in (plan.START, plan.END):
                    raise Unfit(f"`{name}` is no name of a node")
                nodes[name] = made.node(name, object_of(element))
    for name, node in nodes.items():
        with reading(f"node/{name}"):
            _look_at_targets(node, nodes)
    with reading("graph"):
        most = whole_of(elements["graph"]["max_steps"])
        name = name_of(version.name)
    compiled: plan.Graph[Any] = plan.Graph(
        name=name,
        source="",
        hash=version.hash,
        operational_hash="",
        canonical=version.canonical,
        state=state,
        nodes=nodes,
        routes=routes_of(elements, nodes, scope),
        max_steps=most,
        migrations=version.migrations,
        places=version.places,
    )
    return Graph(compiled, {}, {graph.name: graph for graph in inner.values()})


def _known_as(label: str, graph: Graph[Any]) -> Graph[Any]:
    """A graph under its label: frames find the graphs that they run by name, and two may have the same."""
    if graph.name == label:
        return graph
    return Graph(replace(graph.plan, name=label), graph.implementations, graph.subgraphs)


def _states_of(version: Version) -> Mapping[str, type[State]]:
    """The states of all graphs that a version runs, by signature: they have the mutations of those graphs."""
    found: dict[str, type[State]] = {}
    for below in _all_inner(version):
        state: Any = below.graph.plan.state
        found.setdefault(state.__lg_signature__, state)
    return found


def _all_inner(version: Version) -> Iterator[Version]:
    todo = list(version.inner.values())
    while todo:
        at = todo.pop()
        yield at
        todo.extend(at.inner.values())


def _look_at_targets(node: plan.Node, nodes: Mapping[str, plan.Node]) -> None:
    """Refuse targets that there are not. Raises Unfit."""
    targets: tuple[str, ...] = ()
    match node:
        case plan.Task(goto=goto):
            targets = goto
        case plan.Barrier(reroute=reroute):
            targets = reroute
        case _:
            pass
    for target in targets:
        if target != plan.END and target not in nodes:
            raise Unfit(f"there is no node `{target}`")
