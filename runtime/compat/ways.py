"""From the nodes and edges of a version to what can have been before a node, and what can come after it.

A way is made of edges of any trigger, of `goto` and of `reroute`; guards are not looked at. Everything is
said within one region: of a branch, or of the graph itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ..forms.version import Version
from ..plan import END, START

_NONE: frozenset[str] = frozenset()


class Ways:
    """Which node of a version leads to which."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._ahead: dict[str, frozenset[str]] = {}
        self._behind: dict[str, frozenset[str]] = {}
        self._inner: dict[str, Ways] = {}
        self._ends: dict[str, Mapping[str, frozenset[str]]] = {}
        self._starts: dict[str, Mapping[str, frozenset[str]]] = {}

    @cached_property
    def _next(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for id, element in self.version.elements.items():
            family, _, rest = id.partition("/")
            if family == "edges":
                source = f"{START}:{rest.rpartition('/')[0]}" if "/" in rest else rest
                for edges in element.values():
                    found.setdefault(source, set()).update(str(edge["to"]) for edge in edges)
            elif family == "node":
                for key in ("goto", "reroute"):
                    found.setdefault(rest, set()).update(element.get(key, ()))
        return {source: frozenset(targets) for source, targets in found.items()}

    @cached_property
    def _previous(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for source, targets in self._next.items():
            for target in targets:
                found.setdefault(target, set()).add(source)
        return {target: frozenset(sources) for target, sources in found.items()}

    def ahead(self, node: str) -> frozenset[str]:
        """The nodes that can come after a node; itself where it lies in a loop."""
        if node not in self._ahead:
            self._ahead[node] = _reached(self._next, node) - {END}
        return self._ahead[node]

    def behind(self, node: str) -> frozenset[str]:
        """The nodes that can have been before a node; itself where it lies in a loop."""
        if node not in self._behind:
            found = _reached(self._previous, node)
            self._behind[node] = frozenset(one for one in found if one.partition(":")[0] != START)
        return self._behind[node]

    # --- barriers -----------------------------------------------------------------------------------------

    def must_pass(self, node: str) -> frozenset[str]:
        """The barriers on every way from a node to the end of its region, its own included, by path."""
        return self._to_end(self._region(node)).get(node, _NONE)

    def must_have_passed(self, node: str) -> frozenset[str]:
        """The barriers on every way from the start of its region to a node, without its own, by path."""
        return self._from_start(self._region(node)).get(node, _NONE) - self.gates(node)

    def gates(self, node: str) -> frozenset[str]:
        """The barriers that nobody gets through a node without."""
        element = self.version.node(node) or {}
        match element.get("kind"):
            case "barrier":
                return frozenset((node,))
            case "parallel" if element.get("join") == "all":
                found: set[str] = set()
                for branch in element.get("branches", ()):
                    inside = self.must_pass(f"{START}:{node}/{branch}")
                    found.update(f"{node}/{branch}/{gate}" for gate in inside)
                return frozenset(found)
            case "subgraph":
                below = self.inner(node)
                inside = _NONE if below is None else below.must_pass(START)
                return frozenset(f"{node}/{gate}" for gate in inside)
            case _:
                return _NONE

    def inner(self, node: str) -> Ways | None:
        """The ways of the graph that a node runs."""
        version = self.version.run_by(node)
        if version is None:
            return None
        if version.hash not in self._inner:
            self._inner[version.hash] = Ways(version)
        return self._inner[version.hash]

    def _region(self, node: str) -> str:
        if node.startswith(f"{START}:"):
            return node.removeprefix(f"{START}:")
        return str((self.version.node(node) or {}).get("region", ""))

    def _to_end(self, region: str) -> Mapping[str, frozenset[str]]:
        if region not in self._ends:
            self._ends[region] = self._every_way(region, END, self._next, self._previous)
        return self._ends[region]

    def _from_start(self, region: str) -> Mapping[str, frozenset[str]]:
        if region not in self._starts:
            start = f"{START}:{region}" if region else START
            self._starts[region] = self._every_way(region, start, self._previous, self._next)
        return self._starts[region]

    def _every_way(
        self,
        region: str,
        goal: str,
        on: Mapping[str, frozenset[str]],
        back: Mapping[str, frozenset[str]],
    ) -> Mapping[str, frozenset[str]]:
        """For each node the barriers on every way from it to the goal, its own included.

        The greatest fixed point of what all that follows have in common, from the goal backwards.
        """
        found: dict[str, frozenset[str]] = {goal: _NONE}
        todo = list(back.get(goal, ()))
        while todo:
            node = todo.pop()
            if node == goal or self._region(node) != region:
                continue
            known = [found[one] for one in on.get(node, ()) if one in found]
            common = known[0].intersection(*known[1:]) if known else _NONE
            now = common | self.gates(node)
            if found.get(node) != now:
                found[node] = now
                todo.extend(back.get(node, ()))
        return found


def _reached(next: Mapping[str, frozenset[str]], node: str) -> frozenset[str]:
    seen: set[str] = set()
    todo = [*next.get(node, ())]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo.extend(next.get(at, ()))
    return frozenset(seen)
