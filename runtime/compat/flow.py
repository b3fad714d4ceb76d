"""From a canonical form to who can follow whom in it, region by region.

An arrow is anything that can send a run on: an edge of any trigger, `goto`, `reroute`. What a form says of
nodes that are not there, or of another region, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..changes.unparse import as_list, as_object
from ..forms.version import Version
from ..plan import END


@dataclass(frozen=True, slots=True)
class Region:
    """The nodes of a graph's own region, or of a branch.

    Attributes:
        id: "" for the graph's own, `parallel/branch` for a branch.
        start: the element that holds the edges of its `start`.
        nodes: by number.
        first: the nodes that `start` may lead to, by number.
        follows: for each node those that may come next, by number.
        ends: for each node whether the region may end behind it.
    """

    id: str
    start: str
    nodes: Sequence[str]
    first: Sequence[int]
    follows: Sequence[Sequence[int]]
    ends: Sequence[bool]


class Flow:
    """The control flow of one version of a graph."""

    def __init__(self, version: Version) -> None:
        self.version = version
        names: dict[str, list[str]] = {"": []}
        for id_, element in version.elements.items():
            if id_.startswith("node/"):
                node, region = id_.removeprefix("node/"), str(element.get("region", ""))
                names.setdefault(region, []).append(node)
                for branch in branches_of(element):
                    names.setdefault(f"{node}/{branch}", [])
        self.regions: Mapping[str, Region] = {id_: self._region(id_, nodes) for id_, nodes in names.items()}

    def _region(self, id: str, names: list[str]) -> Region:
        number = {name: at for at, name in enumerate(names)}
        start = f"edges/{id}/start" if id else "edges/start"
        elements = self.version.elements
        targets = [list(_targets(elements, name)) for name in names]
        return Region(
            id,
            start,
            names,
            [number[name] for name in _edge_targets(elements, start) if name in number],
            [[number[name] for name in dict.fromkeys(each) if name in number] for each in targets],
            [END in each for each in targets],
        )


def branches_of(element: Mapping[str, Any]) -> list[str]:
    """The names of a parallel's branches, in order; none for other nodes."""
    return [str(name) for name in as_list(element.get("branches"))]


def _targets(elements: Mapping[str, Mapping[str, Any]], node: str) -> Iterator[str]:
    element = elements[f"node/{node}"]
    yield from _edge_targets(elements, f"edges/{node}")
    for key in ("goto", "reroute"):
        yield from map(str, as_list(element.get(key)))


def _edge_targets(elements: Mapping[str, Mapping[str, Any]], id: str) -> Iterator[str]:
    for edges in elements.get(id, {}).values():
        for edge in as_list(edges):
            yield str((as_object(edge) or {}).get("to"))
