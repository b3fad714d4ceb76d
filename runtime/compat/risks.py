"""From where a run stands, and what it has done, to what would happen if it went on under the new graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..plan import END
from ..store.records import AttemptRecord
from .findings import placed
from .history import Trail
from .quick import Surroundings
from .sites import Site
from .verdict import Risk
from .ways import Ways

_EFFECTS = ("once", "idempotent")


class Risks:
    """Finds risks; what depends on a place only is worked out once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._new: dict[str, Ways] = {}
        self._again: dict[tuple[str, str, str], frozenset[str]] = {}
        self._passed: dict[tuple[str, str, str], tuple[tuple[str, bool], ...]] = {}

    def of(self, trails: Iterable[Trail], attempts: Sequence[AttemptRecord]) -> tuple[Risk, ...]:
        """The risks of a run, by the trails of the frames that have not ended."""
        found: dict[tuple[str, str], Risk] = {}
        for trail in trails:
            if trail.site.new is None or not trail.cursor or trail.cursor == END:
                continue
            for risk in (*self._effects(trail), *self._barriers(trail), *self._attempts(trail, attempts)):
                found.setdefault((risk.kind, risk.node), risk)
        return tuple(found.values())

    def _ways(self, site: Site) -> Ways:
        assert site.new is not None
        if site.new.hash not in self._new:
            self._new[site.new.hash] = Ways(site.new)
        return self._new[site.new.hash]

    # --- effects ------------------------------------------------------------------------------------------

    def _effects(self, trail: Trail) -> Iterator[Risk]:
        site = trail.site
        for node in sorted(self._newly_ahead(site, trail.cursor) & visited(trail).keys()):
            step = visited(trail)[node]
            effect = (
                " (`effect once`)"
                if (site.new and (site.new.node(node) or {}).get("effect")) == "once"
                else ""
            )
            done = "was completed before" if step is None else f"was completed at step {step}"
            text = f"`{node}`{effect} {done}, and lies ahead of `{trail.cursor}` in the new graph"
            yield Risk("effect-again", text, site.where(node), step, placed(site.new, f"node/{node}"))

    def _newly_ahead(self, site: Site, cursor: str) -> frozenset[str]:
        """Nodes with effects that come after the cursor in the new graph only, and never before it there.

        One that can be on both sides of it is in a loop: it is meant to be done again.
        """
        assert site.new is not None
        key = (site.old.hash, site.new.hash, cursor)
        found = self._again.get(key)
        if found is None:
            ways = self._ways(site)
            nodes = (
                ways.ahead(cursor) - ways.behind(cursor) - self._around.ways(site).ahead(cursor) - {cursor}
            )
            found = self._again[key] = frozenset(node for node in nodes if has_effects(ways, node))
        return found

    def _attempts(self, trail: Trail, attempts: Sequence[AttemptRecord]) -> Iterator[Risk]:
        site = trail.site
        assert site.new is not None
        for attempt in attempts:
            if attempt.frame != site.path or attempt.node != trail.cursor:
                continue
            element = site.new.node(attempt.node)
            if element is None or element.get("effect") == "once":
                continue
            text = (
                f"a call of `{attempt.node}` was begun and may have happened; it is no longer `effect once`,"
                " so it would be called again without asking"
            )
            yield Risk(
                "effect-again", text, site.where(attempt.node), None, placed(site.new, f"node/{attempt.node}")
            )

    # --- barriers -----------------------------------------------------------------------------------------

    def _barriers(self, trail: Trail) -> Iterator[Risk]:
        site = trail.site
        assert site.new is not None
        if site.new.node(trail.cursor) is None:
            return
        been = visited(trail)
        for gate, behind in self._gates(site, trail.cursor):
            node = gate.partition("/")[0]
            if behind and node in been and _same_kind(site, node):
                continue
            if behind:
                text = f"every run of the new graph passes barrier `{gate}` before `{trail.cursor}`;"
                text += " this one has not"
            else:
                text = f"barrier `{gate}` lay on every way ahead of `{trail.cursor}`, and no longer does"
            where = placed(site.new, f"node/{gate.rpartition('/')[2]}")
            yield Risk("barrier-passed", text, site.where(gate), None, where)

    def _gates(self, site: Site, cursor: str) -> tuple[tuple[str, bool], ...]:
        """Barriers that a run at the cursor would go on without; whether they lie behind it now."""
        assert site.new is not None
        key = (site.old.hash, site.new.hash, cursor)
        found = self._passed.get(key)
        if found is None:
            before, after = self._around.ways(site), self._ways(site)
            behind = after.must_have_passed(cursor) - before.must_have_passed(cursor)
            ahead = before.must_pass(cursor) - after.must_pass(cursor) - behind
            found = self._passed[key] = (
                *((gate, True) for gate in sorted(behind)), *((gate, False) for gate in sorted(ahead)),
            )  # fmt: skip
        return found


def _same_kind(site: Site, node: str) -> bool:
    before, after = site.old.node(node), None if site.new is None else site.new.node(node)
    return before is not None and after is not None and before.get("kind") == after.get("kind")


def visited(trail: Trail) -> Mapping[str, int | None]:
    """The nodes that a frame has completed, with the last step where it did; None where that is gone."""
    found: dict[str, int | None] = dict.fromkeys(trail.before)
    for visit in trail.visits:
        if visit.record.outcome not in ("error", "timeout"):
            found[visit.record.node] = visit.record.step
    return found


def has_effects(ways: Ways, node: str) -> bool:
    """Whether going through a node may do something outside."""
    element = ways.version.node(node) or {}
    match element.get("kind"):
        case "task":
            return element.get("effect") in _EFFECTS
        case "parallel":
            return any(
                has_effects(ways, id.removeprefix("node/"))
                for id, one in ways.version.elements.items()
                if id.startswith("node/") and one.get("region", "").rpartition("/")[0] == node
            )
        case "subgraph" | "map":
            below = ways.inner(node)
            return below is not None and any(
                has_effects(below, id.removeprefix("node/"))
                for id in below.version.elements
                if id.startswith("node/")
            )
        case _:
            return False
