"""From log records to which steps count: in each frame its path, without the passes of loops that are over.

A run is compared with what the new graph could have done along its loop-erased history: from the first step
to the last visit of its node, along the step taken there, and so on to where the frame stands. This is the
trace without finished iterations of Rinderle, Reichert and Dadam ("Correctness criteria for dynamic changes
in workflow systems", 2004), for loops that edges make rather than blocks.

Terms:
* *trail*: the visits of one frame, in order, and where it stands now;
* *visit*: one committed step of a frame, with the trails of the frames below it that ended with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import CheckpointCorrupted
from ..forms.version import Version
from ..plan import END, START
from ..store.records import MutationRecord
from .sites import Site, Sites


@dataclass(slots=True, eq=False)
class Visit:
    """One step. `counts`: whether it lies on the path without finished iterations."""

    record: MutationRecord
    trail: Trail
    inside: Mapping[str, Trail]
    counts: bool = False

    @property
    def site(self) -> Site:
        """Where the frame runs."""
        return self.trail.site


@dataclass(slots=True, eq=False)
class Trail:
    """The visits of one frame.

    Attributes:
        site: where it runs.
        cursor: the node where it stands, `end`, or "" where that is not known.
        visits: its steps.
        below: the trails of frames below its cursor.
        before: nodes that it had visited when the known part of its history begins.
        known: whether its beginning is known.
        made: steps of its graph that were made when the known part of its history begins.
        outer: the trail of the frame that its node stands in.
        counts: whether it belongs to a visit that counts, or is still open below one.
    """

    site: Site
    outer: Trail | None = None
    cursor: str = ""
    visits: list[Visit] = field(default_factory=list[Visit])
    below: dict[str, Trail] = field(default_factory=dict[str, "Trail"])
    before: frozenset[str] = frozenset()
    known: bool = True
    made: int = 0
    counts: bool = False


class History:
    """The trails of a run.

    Attributes:
        root: the run's own frame.
        visits: all steps, in the order of the log.
        begun_alike: whether what it can have used before its known part is the same in the new version.
    """

    def __init__(self, sites: Sites, start: Mapping[str, Any] | None) -> None:
        """`start`: the frames of the snapshot that the log goes on from; None: from the beginning.

        Raises CheckpointCorrupted for a snapshot that is none of the old version.
        """
        self._sites = sites
        self.visits: list[Visit] = []
        self.begun_alike = True
        try:
            self.root = Trail(sites.root) if start is None else _begun(sites, sites.root, None, start)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CheckpointCorrupted(f"the snapshot is not one of its graph: {error}") from error

    def add(self, records: Sequence[MutationRecord]) -> None:
        """Take further steps. Raises CheckpointCorrupted for one that is not of the old version."""
        for record in records:
            try:
                trail = self._trail(record.frame)
            except (KeyError, ValueError) as error:
                raise CheckpointCorrupted(
                    f"log record {record.step} (`{record.node}` in frame `{record.frame}`) is not one of its"
                    f" graph: no frame {error}",
                    run=record.run,
                    step=record.step,
                ) from error
            visit = Visit(record, trail, trail.below)
            trail.below = {}
            trail.visits.append(visit)
            trail.cursor = record.next
            self.visits.append(visit)

    def _trail(self, path: str) -> Trail:
        if not path:
            return self.root
        trail = self.root
        for site in self._sites.of(path).chain:
            if not trail.cursor:
                trail.cursor = site.node
            found = trail.below.get(site.path)
            if found is None:
                found = trail.below[site.path] = Trail(site, trail)
            trail = found
        return trail

    def mark(self) -> None:
        """Find out which visits count."""
        todo = [self.root]
        while todo:
            trail = todo.pop()
            todo.extend(trail.below.values())
            trail.counts = True
            for visit in counted(trail):
                visit.counts = True
                todo.extend(visit.inside.values())

    def settle(self) -> bool:
        """Add where frames stand that no step was made in. False where values decide."""
        sure = True
        todo = [self.root]
        while todo:
            trail = todo.pop()
            site = trail.site
            if not trail.cursor:
                trail.cursor = begins_at(site.old, site.region)
                sure = sure and bool(trail.cursor)
            element = site.old.node(trail.cursor) or {}
            keys: Sequence[str] = ()
            match element.get("kind"):
                case "parallel":
                    keys = element.get("branches", ())
                case "subgraph":
                    keys = ("",)
                case "map":
                    sure = False
                case _:
                    pass
            for key in keys:
                below = self._sites.child(site, trail.cursor, key)
                if below.path not in trail.below:
                    trail.below[below.path] = Trail(below, trail)
            todo.extend(trail.below.values())
        return sure

    def standing(self) -> Iterator[Trail]:
        """The trails of all frames that there are, outermost first, also of those that wait for a join."""
        todo = [self.root]
        while todo:
            trail = todo.pop()
            yield trail
            todo.extend(trail.below.values())

    def open(self) -> Iterator[Trail]:
        """The trails of frames that have not ended, outermost first."""
        return (trail for trail in self.standing() if trail.cursor != END or trail.site.outer is None)


def counted(trail: Trail) -> list[Visit]:
    """The visits of a trail that lie on its path without finished iterations.

    Where the beginning is not known, a node that was visited before may have been on the path: the path from
    its last visit on counts as well. That is too much rather than too little.
    """
    last: dict[str, int] = {visit.record.node: place for place, visit in enumerate(trail.visits)}
    end = len(trail.visits)
    if trail.cursor:
        last[trail.cursor] = end
    kept: set[int] = set()
    for start in (0, *(last[node] for node in trail.before if node in last)):
        place = start
        while place < end:
            place = last[trail.visits[place].record.node]
            if place == end or place in kept:
                break
            kept.add(place)
            place += 1
    return [trail.visits[place] for place in sorted(kept)]


def begins_at(version: Version, region: str) -> str:
    """The node that a region always begins with; "" where its edges choose."""
    element = version.elements.get(f"edges/{region}/{START}" if region else f"edges/{START}") or {}
    edges = element.get("plain", ())
    return str(edges[0]["to"]) if len(edges) == 1 and "max_visits" not in edges[0] else ""


def _begun(sites: Sites, site: Site, outer: Trail | None, data: Mapping[str, Any]) -> Trail:
    """The trail of a frame in a snapshot."""
    made = int(data["done"]) + (outer.made if outer is not None and site.region else 0)
    before = frozenset[str](data["counts"])
    trail = Trail(site, outer, str(data["node"]), before=before, known=False, made=made)
    for text, inner in data.get("children", {}).items():
        below = sites.child(site, trail.cursor, text)
        trail.below[below.path] = _begun(sites, below, trail, inner)
    return trail


def frames_of(snapshot: str) -> Mapping[str, Any]:
    """The outermost frame of a snapshot. Raises CheckpointCorrupted."""
    try:
        root: Mapping[str, Any] = json.loads(snapshot)["root"]
        root["node"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointCorrupted(f"the snapshot cannot be read: {error}") from error
    return root
