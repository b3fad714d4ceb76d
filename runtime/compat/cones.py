"""From one version of a graph to what lies ahead of each of its nodes, and what behind, each as a digest.

Terms:
* the *cone ahead* of a node: everything that can still be executed from there on, the node itself included:
  the nodes that can be reached, out of branches into what follows the join, with the edges that leave them,
  what they see, the mutations that they may record, and all fields and types that these mention; graphs that
  are run count by their hash;
* the *cone behind* it: everything that can have been executed before a run arrives there, side branches
  included. What a completed node saw, and what care it needed, is no part of that: no later step asks for it.

Two versions whose cones of a node have equal digests have equal cones. So an edit elsewhere is invisible from
there. Digests are made bottom up over the strongly connected components, in near-linear time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property

from ..changes.uses import Uses
from ..forms.version import Version
from .flow import Flow, Region, branches_of
from .reach import digest_of, merkle

_ALL_FIELDS = "state/field/*"
_NOT_BEHIND = ("reads", "effect")
_DATA = ("state", "substate", "enum", "record", "union")


class Cones:
    """The cones of every node of one version, as digests (32 hex digits). A graph that is run has its own."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._flow = Flow(version)
        self._uses = Uses(version)
        self._used: dict[tuple[str, ...], bytes] = {}  # by names: the digests of data of these

    @cached_property
    def ahead(self) -> Mapping[str, str]:
        """By node: all that can still be executed by a run that has arrived there."""
        graph = _Arrows()
        limit = json.dumps(self._version.elements["graph"].get("max_steps")).encode()
        for region in self._flow.regions.values():
            leave = f"leave {region.id.partition('/')[0]}" if region.id else ""
            graph.add(f"start {region.id}", self._step(region.start))
            graph.join(f"start {region.id}", [region.nodes[at] for at in region.first])
            graph.join(f"start {region.id}", [leave] if leave else [])
            for name, follows, ends in zip(region.nodes, region.follows, region.ends, strict=True):
                after = [region.nodes[at] for at in follows] + ([leave] if leave and ends else [])
                branches = branches_of(self._version.elements[f"node/{name}"])
                node, edges = self._node(name, shown=True), self._step(f"edges/{name}")
                if not branches:
                    graph.add(name, node + edges)
                    graph.join(name, after)
                    continue
                graph.add(name, node)
                graph.add(f"leave {name}", edges)
                graph.join(name, [f"start {name}/{branch}" for branch in branches] + [f"leave {name}"])
                graph.join(f"leave {name}", after)
        found = graph.digests()
        return {name: digest_of([limit, found[name]]).hex() for name in self._names}

    @cached_property
    def behind(self) -> Mapping[str, str]:
        """By node: all that can have been executed by a run before it arrives there."""
        graph = _Arrows()
        whole = self._wholes
        for region in self._flow.regions.values():
            graph.add(f"start {region.id}", self._step(region.start))
            if region.id:
                outer, _, branch = region.id.partition("/")
                graph.join(f"start {region.id}", [f"before {outer}", f"beside {region.id}"])
                graph.add(f"beside {region.id}", self._beside(outer, branch))
            for at in region.first:
                graph.join(f"before {region.nodes[at]}", [f"start {region.id}"])
            for name, follows in zip(region.nodes, region.follows, strict=True):
                graph.add(f"before {name}", b"")
                graph.add(name, whole[name])
                graph.join(name, [f"before {name}"])
                for at in follows:
                    graph.join(f"before {region.nodes[at]}", [name])
        found = graph.digests()
        return {name: found[f"before {name}"].hex() for name in self._names}

    @property
    def _names(self) -> Iterable[str]:
        for region in self._flow.regions.values():
            yield from region.nodes

    # --- content ------------------------------------------------------------------------------------------

    @cached_property
    def _data(self) -> Mapping[str, bytes]:
        """By id of a field, mutation or type: the digest of it and of all that it mentions."""
        graph = _Arrows()
        for id_, text in self._version.texts.items():
            if id_.partition("/")[0] in _DATA:
                graph.add(id_, f"{id_}\n{text}".encode())
                graph.join(id_, self._uses.of(id_))
                if id_.startswith("state/field/"):
                    graph.join(_ALL_FIELDS, [id_])
        graph.add(_ALL_FIELDS, b"*")
        return graph.digests()

    def _step(self, id: str, text: str | None = None, more: Iterable[str] = ()) -> bytes:
        """What an element says, with all that it mentions."""
        written = self._version.texts.get(id, "") if text is None else text
        names = (*self._uses.of(id), *more)
        used = self._used.get(names)
        if used is None:
            data = self._data
            used = self._used[names] = b"".join(sorted({data[one] for one in names if one in data}))
        return digest_of([f"{id}\n{written}".encode(), used])

    def _node(self, name: str, *, shown: bool) -> bytes:
        id_ = f"node/{name}"
        element = self._version.elements[id_]
        inner = self._version.texts.get(f"subgraph/{element.get('graph')}", "")
        if shown:
            every = "*" in (element.get("reads") or ())
            seen = [_ALL_FIELDS] if every else self._uses.shown(name)
            return self._step(id_, self._version.texts[id_] + inner, seen)
        kept = {key: value for key, value in element.items() if key not in _NOT_BEHIND}
        text = self._version.texts[id_] if len(kept) == len(element) else json.dumps(kept, sort_keys=True)
        return self._step(id_, text + inner)

    @cached_property
    def _wholes(self) -> Mapping[str, bytes]:
        """By node: a completed step of it, with all that can happen inside. Inner nodes come first."""
        found: dict[str, bytes] = {}
        regions = self._flow.regions
        work = [(region, False) for region in reversed([*regions.values()])]
        while work:
            region, ready = work.pop()
            inner = [regions[id_] for name in region.nodes for id_ in self._inside(name)]
            if not ready and any(name not in found for each in inner for name in each.nodes):
                work.append((region, True))
                work.extend((each, False) for each in inner)
                continue
            for name in region.nodes:
                if name not in found:
                    below = [self._whole_region(regions[id_], found) for id_ in self._inside(name)]
                    own = [self._node(name, shown=False), self._step(f"edges/{name}")]
                    found[name] = digest_of([*own, *below])
        return found

    def _inside(self, name: str) -> list[str]:
        return [f"{name}/{branch}" for branch in branches_of(self._version.elements[f"node/{name}"])]

    def _whole_region(self, region: Region, wholes: Mapping[str, bytes]) -> bytes:
        return digest_of([self._step(region.start), *sorted(wholes[name] for name in region.nodes)])

    @cached_property
    def _besides(self) -> dict[str, Mapping[str, bytes]]:
        return {}

    def _beside(self, parallel: str, branch: str) -> bytes:
        """All that can happen in the other branches of a parallel."""
        known = self._besides.get(parallel)
        if known is None:
            names = sorted(branches_of(self._version.elements[f"node/{parallel}"]))
            each = [
                self._whole_region(self._flow.regions[f"{parallel}/{name}"], self._wholes) for name in names
            ]
            known = self._besides[parallel] = dict(zip(names, _without_one(each), strict=True))
        return known[branch]


class _Arrows:
    """A graph that is built by names; those that were never added hold nothing."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._own: list[bytes] = []
        self._succ: list[list[int]] = []

    def _number(self, name: str) -> int:
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self._own)
            self._own.append(b"")
            self._succ.append([])
        return found

    def add(self, name: str, content: bytes) -> None:
        self._own[self._number(name)] = content

    def join(self, name: str, after: Iterable[str]) -> None:
        at = self._number(name)
        self._succ[at].extend(map(self._number, after))

    def digests(self) -> dict[str, bytes]:
        held = merkle(self._succ, self._own)
        return {name: held[at] for name, at in self._numbers.items()}


def _without_one(parts: list[bytes]) -> list[bytes]:
    """For each part a digest of all the others."""
    before, after = [b""], [b""]
    for part in parts:
        before.append(digest_of([before[-1], part]))
    for part in reversed(parts):
        after.append(digest_of([part, after[-1]]))
    return [digest_of([before[at], after[len(parts) - at - 1]]) for at in range(len(parts))]
