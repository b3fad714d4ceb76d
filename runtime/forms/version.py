"""One version of a graph, known by its canonical form alone.

A version comes from a plan (generated code), from a compiled source, or from a store that keeps the form of
every graph a run was made under. All of them are handled alike: `elements` to compare, `graph` to replay a
log with.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

from .. import plan
from ..graph import Graph

Element = Mapping[str, Any]


class Version:
    """One version of a graph.

    Attributes:
        hash: `lg1:` and 64 hex digits.
        canonical: the canonical JSON that was hashed.
        elements: by id, as in the canonical form.
        texts: each element as one text; equal texts are equal elements.
        inner: the versions of the graphs that its nodes run, by the name that the form gives them.
        places: where elements and edges stand in the source (`file:line:column`); empty for a stored form.
        migrations: the `migrate` blocks for this graph, in order; none for a stored form.
    """

    def __init__(
        self,
        hash: str,
        canonical: str,
        inner: Mapping[str, Version] | None = None,
        places: Mapping[str, str] | None = None,
        migrations: tuple[plan.Migration, ...] = (),
    ) -> None:
        """Raises ValueError where `canonical` is not the JSON of a canonical form."""
        self.hash = hash
        self.canonical = canonical
        self.inner = dict(inner or {})
        self.places = dict(places or {})
        self.migrations = migrations
        self.elements: Mapping[str, Element] = _elements(canonical)
        self.texts: Mapping[str, str] = {
            id_: json.dumps(element, sort_keys=True, separators=(",", ":"))
            for id_, element in self.elements.items()
        }

    @property
    def name(self) -> str:
        """The name of the graph."""
        return str(self.elements["graph"]["name"])

    @cached_property
    def graph(self) -> Graph[Any]:
        """The graph without functions, made of the form: enough to replay a log, to route and to decode.

        Raises ValueError where the form is not one that this edition can make a graph of.
        """
        from .plans import graph_of

        return graph_of(self)

    def node(self, name: str) -> Element | None:
        """The element of a node; None where there is no such node."""
        return self.elements.get(f"node/{name}")

    def run_by(self, node: str) -> Version | None:
        """The version of the graph that a `subgraph` or `map` node runs; None for other nodes."""
        element = self.node(node)
        return None if element is None else self.inner.get(str(element.get("graph", "")))


def version_of_plan(compiled: plan.Graph[Any]) -> Version:
    """The version that a generated module holds."""
    inner = {
        node.graph.hash: version_of_plan(node.graph)
        for node in compiled.nodes.values()
        if isinstance(node, (plan.Subgraph, plan.Map))
    }
    return Version(
        compiled.hash,
        compiled.canonical,
        _labelled(compiled.canonical, inner),
        compiled.places,
        compiled.migrations,
    )


async def version_from(hash: str, look_up: Callable[[str], Awaitable[str | None]]) -> Version | None:
    """The version of a hash from stored forms; None where its form, or that of a graph it runs, is not there.

    Args:
        look_up: the canonical JSON of a hash, as `Store.get_graph`.

    Raises ValueError for a stored text that is no canonical form.
    """
    canonical = await look_up(hash)
    if canonical is None:
        return None
    inner: dict[str, Version] = {}
    for id_, element in _elements(canonical).items():
        family, _, label = id_.partition("/")
        if family == "subgraph":
            below = await version_from(str(element["hash"]), look_up)
            if below is None:
                return None
            inner[label] = below
    return Version(hash, canonical, inner)


def _labelled(canonical: str, by_hash: Mapping[str, Version]) -> dict[str, Version]:
    """Inner versions by label: two graphs of one name are told apart by their hashes."""
    return {
        id_.partition("/")[2]: by_hash[str(element["hash"])]
        for id_, element in _elements(canonical).items()
        if id_.startswith("subgraph/") and str(element["hash"]) in by_hash
    }


def _elements(canonical: str) -> Mapping[str, Element]:
    try:
        value: Any = json.loads(canonical)
        elements: Any = value["elements"]
        if str(value["form"]) != "lg1" or not isinstance(elements["graph"]["name"], str):
            raise ValueError("not a form of this edition")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not a canonical form: {error}") from error
    return elements  # type: ignore[no-any-return]
