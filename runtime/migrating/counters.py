"""From the counters of a frame to those of the same nodes and edges in the new version.

An edge is the same where source, trigger and target are; among several such `when` edges of one source, where
the guard is the same too. Counters of what is gone are dropped: only guards and edges of the new version can
ask for them, and these name what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..forms.version import Version
from .naming import Names


@dataclass(frozen=True, slots=True)
class Arrow:
    """One edge of a form, with its key."""

    key: str
    source: str
    trigger: str
    target: str
    guard: str  # JSON, "" where there is none


class Ambiguous(Exception):
    """A counter that could be that of several edges; `edge` is its key, `source` where it leaves."""

    def __init__(self, edge: str, source: str, candidates: tuple[str, ...]) -> None:
        super().__init__(edge)
        self.edge, self.source, self.candidates = edge, source, candidates


class Counters:
    """Takes the counters of one graph from one version to another."""

    def __init__(self, old: Version, new: Version, names: Names) -> None:
        self._old, self._new, self._names = old, new, names
        self._keys: dict[str, str | None] = {}

    def visits(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Completed visits by node. Raises ValueError where two nodes would become one."""
        found: dict[str, int] = {}
        for node, count in counts.items():
            name = self._names.node(node)
            if self._new.node(name) is None:
                continue
            if name in found:
                raise ValueError(f"two nodes that were visited would both be `{name}`")
            found[name] = count
        return found

    def taken(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Counted edges by key. Raises Ambiguous."""
        found: dict[str, int] = {}
        for key, count in counts.items():
            if key not in self._keys:
                self._keys[key] = self._key(key)
            new = self._keys[key]
            if new is not None:
                found[new] = count
        return found

    @cached_property
    def _before(self) -> dict[str, Arrow]:
        return {arrow.key: arrow for arrow in arrows(self._old)}

    @cached_property
    def _after(self) -> dict[tuple[str, str, str], list[Arrow]]:
        found: dict[tuple[str, str, str], list[Arrow]] = {}
        for arrow in arrows(self._new):
            found.setdefault((arrow.source, arrow.trigger, arrow.target), []).append(arrow)
        return found

    def _key(self, key: str) -> str | None:
        """The key of the same edge; None where it is gone. Raises Ambiguous, ValueError."""
        arrow = self._before.get(key)
        if arrow is None:
            raise ValueError(f"the old graph has no edge `{key}`")
        way = self._way(arrow)
        there = self._after.get(way, [])
        rivals = [other for other in self._before.values() if self._way(other) == way]
        if not there or len(there) == len(rivals) == 1:
            return there[0].key if there else None
        guards = [other.guard for other in rivals], [other.guard for other in there]
        if guards[0] == guards[1]:
            return there[rivals.index(arrow)].key
        # Guards may name renamed fields: then they are not the same text, and nothing is guessed.
        if guards[0].count(arrow.guard) == guards[1].count(arrow.guard) == 1:
            return there[guards[1].index(arrow.guard)].key
        if arrow.guard not in guards[1] and {*guards[1]} <= {*guards[0]}:
            return None  # each edge that is there is another one
        raise Ambiguous(key, way[0], tuple(other.key for other in there))

    def _way(self, arrow: Arrow) -> tuple[str, str, str]:
        """Source, trigger and target, by their new names."""
        return self._names.node(arrow.source), arrow.trigger, self._names.node(arrow.target)


def arrows(version: Version) -> Iterator[Arrow]:
    """Every edge of a version with its key (as `lgc.runtime.plan` defines them)."""
    for id_, element in version.elements.items():
        family, _, rest = id_.partition("/")
        if family != "edges":
            continue
        source = rest.rpartition("/")[2]
        seen: dict[str, int] = {}
        for trigger, edges in element.items():
            for number, edge in enumerate(edges, 1):
                yield _arrow(source, trigger, edge, number, seen)


def _arrow(source: str, trigger: str, edge: Mapping[str, Any], number: int, seen: dict[str, int]) -> Arrow:
    target = str(edge["to"])
    suffix = {"when": f" when {number}", "plain": ""}.get(trigger, f" {trigger}")
    key = f"{source}->{target}{suffix}"
    seen[key] = seen.get(key, 0) + 1
    if seen[key] > 1:  # one arrow and outcome, bounded twice
        key = f"{key} {seen[key]}"
    guard = json.dumps(edge["guard"], sort_keys=True) if "guard" in edge else ""
    return Arrow(key, source, trigger, target, guard)
