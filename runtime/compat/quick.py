"""From the change and the trace of a run to what needs no state to be decided."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ..forms.version import Version
from ..plan import END
from .carrying import Pairs
from .cones import Cones
from .history import History, Trail, Visit
from .sites import Site
from .ways import Ways


def settled(visit: Visit, pairs: Pairs) -> bool:
    """Whether a step surely is what it would be in the new graph, whatever the state."""
    site, node = visit.site, visit.record.node
    pair = pairs.of(site)
    if site.new is None or not _limited_alike(site):
        return False
    if site.region and site.outer is not None and not pairs.of(site.outer).element(f"node/{site.node}"):
        return False
    if not (pair.quiet(node) and '"scripted"' not in visit.record.detail) and not pair.step(
        node, mutations_of(visit)
    ):
        return False
    return all(_applied_alike(trail, pairs) for trail in visit.inside.values())


def started_alike(history: History, pairs: Pairs) -> bool:
    """Whether every frame that counts surely has begun as it would in the new graph."""
    root = pairs.of(history.root.site)
    if history.root.known and not (root.start("") and root.fits):
        return False
    todo = [history.root]
    while todo:
        trail = todo.pop()
        for visit in trail.visits:
            if visit.counts:
                todo.extend(visit.inside.values())
                if not pairs.of(trail.site).start_same(visit.record.node):
                    return False
        todo.extend(trail.below.values())
        if trail.cursor and not pairs.of(trail.site).start_same(trail.cursor):
            return False
        if trail.site.outer is not None:
            if trail.site.new is None:
                return False
            outer = pairs.of(trail.site.outer)
            if not (
                outer.element(f"node/{trail.site.node}") and pairs.of(trail.site).begins(trail.site.region)
            ):
                return False
    return True


def mutations_of(visit: Visit) -> list[str]:
    """The names of the mutations that a step recorded."""
    text = visit.record.mutations
    return [] if text == "[]" else [str(item["m"]) for item in json.loads(text)]


def _applied_alike(trail: Trail, pairs: Pairs) -> bool:
    """Whether what a child keeps for the join is applied there as it was in the child."""
    pair = pairs.of(trail.site)
    if trail.site.new is None or not trail.known:
        return False
    for visit in trail.visits:
        if not pair.quiet(visit.record.node) and not all(map(pair.mutation, mutations_of(visit))):
            return False
        if not all(_applied_alike(below, pairs) for below in visit.inside.values()):
            return False
    return True


def _limited_alike(site: Site) -> bool:
    """Whether a graph may still make as many steps as it might."""
    before, after = _limits(site)
    return after >= before


def _limits(site: Site) -> tuple[int, int]:
    """How many steps the graph of a frame might make, and may; 0 where it is not there any more."""
    own = site.own
    if own.new is None:
        return 1, 0
    before, after = (int(version.elements["graph"]["max_steps"]) for version in (own.old, own.new))
    if own.outer is not None:
        was, now = (
            ((version and version.node(own.node)) or {}).get("max_steps")
            for version in (own.outer.old, own.outer.new)
        )
        before, after = int(was or before), int(now or after)
    return before, after


class Surroundings:
    """What lies behind and ahead of the places where a run stands, and whether it has changed.

    That is asked of the digests of cones: they are made once for a version, then an answer is one comparison.
    """

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._ways: dict[str, Ways] = {}
        self._cones: dict[str, Cones] = {}

    def ways(self, site: Site) -> Ways:
        """The ways of the graph that a frame runs, in the old version."""
        if site.old.hash not in self._ways:
            self._ways[site.old.hash] = Ways(site.old)
        return self._ways[site.old.hash]

    def behind(self, trails: Iterable[Trail]) -> bool:
        """Whether nothing has changed that a run which stands there can have used."""
        return all(self._behind(trail) for trail in trails)

    def _behind(self, trail: Trail) -> bool:
        site = trail.site
        if site.new is None or not trail.cursor:
            return False
        if not _limited_alike(site) and (trail.known or trail.made > _limits(site)[1]):
            return False
        pair = self._pairs.of(site)
        if site.outer is not None and not self._pairs.of(site.outer).element(f"node/{site.node}"):
            return False
        return pair.begins(site.region) and self._same_behind(site, trail.cursor)

    def ahead(self, trails: Iterable[Trail]) -> bool:
        """Whether nothing has changed that a run which stands there can still execute."""
        return all(
            trail.site.new is not None and bool(trail.cursor) and self._same_ahead(trail.site, trail.cursor)
            for trail in trails
        )

    def _same_behind(self, site: Site, node: str) -> bool:
        assert site.new is not None
        before, after = self._of(site.old), self._of(site.new)
        return before.behind.get(node) == after.behind.get(node, "")

    def _same_ahead(self, site: Site, node: str) -> bool:
        assert site.new is not None
        if node == END:
            return True
        before, after = self._of(site.old), self._of(site.new)
        return before.ahead.get(node) == after.ahead.get(node, "")

    def _of(self, version: Version) -> Cones:
        if version.hash not in self._cones:
            self._cones[version.hash] = Cones(version)
        return self._cones[version.hash]


def fits(history: History, pairs: Pairs) -> bool:
    """Whether data and place of a run surely have theirs in the new version, without looking at a value."""
    for trail in history.standing():
        pair = pairs.of(trail.site)
        if not (pair.fits and trail.cursor and pair.parks(trail.cursor)):
            return False
        if not trail.known and trail.site.outer is not None:
            return False  # what a branch keeps for its join is in a snapshot
        if trail.site.outer is not None and not _applied_alike(trail, pairs):
            return False
    return True
