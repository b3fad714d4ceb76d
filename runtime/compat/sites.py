"""From the path of a frame to where in two versions of a graph it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..forms.version import Version


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where a frame runs, in the old version and in the new one.

    Attributes:
        path: the frame's, as in log records.
        old: the version of the graph that it runs.
        new: the version that it would run under the new graph; None where the nodes that lead to it are not
            there, or are of another kind.
        region: the branch that it is, "" for a graph of its own.
        outer: the frame that its node stands in; None for the run's own frame.
        node: that node's name, "" for the run's own frame.
        key: which of that node's frames: a branch, an index, "" otherwise.
        inside: what ids of elements begin with, as a graph that is run has elements of its own.
    """

    path: str
    old: Version
    new: Version | None
    region: str = ""
    outer: Site | None = None
    node: str = ""
    key: str | int = ""
    inside: str = ""

    @property
    def own(self) -> Site:
        """The frame that runs the whole graph which this one is a branch of, or the frame itself."""
        site = self
        while site.region and site.outer is not None:
            site = site.outer
        return site

    @property
    def chain(self) -> list[Site]:
        """The frames on the way from the run's own (which is left out) to this one."""
        found: list[Site] = []
        site = self
        while site.outer is not None:
            found.append(site)
            site = site.outer
        return found[::-1]

    def where(self, node: str) -> str:
        """A node with the frame path in front."""
        return f"{self.path}/{node}" if self.path else node


class Sites:
    """The sites of two versions, by path."""

    def __init__(self, old: Version, new: Version) -> None:
        self.root = Site("", old, new)
        self._known: dict[str, Site] = {"": self.root}

    def of(self, path: str) -> Site:
        """Raises KeyError for a path that the old version has not."""
        found = self._known.get(path)
        if found is None:
            site, rest = self.root, path
            while rest:
                site, rest = self._below(site, rest)
            found = self._known[path] = site
        return found

    def child(self, outer: Site, node: str, key: str | int) -> Site:
        """The frame of a key below a node. Raises KeyError."""
        return self.of(f"{outer.where(node)}{_suffix(outer.old, node, key)}")

    def _below(self, outer: Site, path: str) -> tuple[Site, str]:
        """The outermost frame on a path below a frame, and what is left of the path."""
        head, _, rest = path.partition("/")
        name, bracket, index = head.partition("[")
        element = outer.old.node(name)
        kind = None if element is None else element.get("kind")
        match kind:
            case "parallel" if not bracket:
                branch, _, rest = rest.partition("/")
                site = self._branch(outer, name, branch)
            case "subgraph" if not bracket:
                site = self._graph(outer, name, "", outer.where(name))
            case "map" if bracket and index.endswith("]"):
                number = int(index[:-1]) if index[:-1].isdecimal() else -1
                site = self._graph(outer, name, number, outer.where(head))
            case _:
                raise KeyError(path)
        return self._known.setdefault(site.path, site), rest

    def _branch(self, outer: Site, name: str, branch: str) -> Site:
        element = outer.old.node(name) or {}
        if branch not in element.get("branches", ()):
            raise KeyError(f"{name}/{branch}")
        after = _same_kind(outer, name)
        there = after is not None and branch in after.get("branches", ())
        return Site(
            f"{outer.where(name)}/{branch}", outer.old, outer.new if there else None,
            f"{name}/{branch}", outer, name, branch, outer.inside,
        )  # fmt: skip

    def _graph(self, outer: Site, name: str, key: str | int, path: str) -> Site:
        old = outer.old.run_by(name)
        if old is None:
            raise KeyError(name)
        new = outer.new.run_by(name) if outer.new is not None and _same_kind(outer, name) else None
        return Site(path, old, new, "", outer, name, key, f"{outer.inside}subgraph/{old.name}/")


def _same_kind(outer: Site, name: str) -> Mapping[str, Any] | None:
    """The new element of a node of the same kind and in the same region; None where there is none."""
    before = outer.old.node(name)
    after = None if outer.new is None else outer.new.node(name)
    if before is None or after is None or before.get("kind") != after.get("kind"):
        return None
    return after if before.get("region", "") == after.get("region", "") else None


def _suffix(version: Version, node: str, key: str | int) -> str:
    element = version.node(node) or {}
    if element.get("kind") == "parallel":
        return f"/{key}"
    return f"[{key}]" if element.get("kind") == "map" else ""
