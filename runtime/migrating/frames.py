"""From the stored frames of one version of a graph to the same frames in another.

A frame needs its place, its state, its counters, and what it keeps for a join; so do the frames below its
node. Everything that has no place in the new version becomes a reason; the walk goes on, so that all reasons
are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import plan
from ..compat.kinds import condition_of
from ..compat.verdict import Reason
from ..forms.version import Version
from ..plan import END
from .chain import chain_from
from .counters import Ambiguous, Counters
from .data import Refused, Relatives, States, relatives_of
from .effects import Effects, Scope, Unreadable
from .links import Flaw
from .naming import Names
from .place import Place

Frame = Mapping[str, Any]


class Frames:
    """Carries the frames of one graph; those of graphs that it runs are carried by others below it."""

    def __init__(
        self,
        old: Version,
        new: Version,
        chain: Sequence[plan.Migration],
        between: Sequence[Version] = (),
        now: float | None = None,
        inside: str = "",
        relatives: Relatives | None = None,
    ) -> None:
        self.old, self.new, self.chain = old, new, tuple(chain)
        self.names = Names(chain)
        self._relatives = relatives_of(old, new) if relatives is None else relatives
        self.states = States(old, new, chain, between, self._relatives)
        self._place = Place(old, new, self.names, self.states.values)
        self._counters = Counters(old, new, self.names)
        self._effects = Effects(old, new, self.states, self.names)
        self._between, self._now, self._inside = tuple(between), now, inside
        self._below: dict[str, Frames | None] = {}
        self._entered: dict[str, Frames] = {}

    @property
    def migrated(self) -> bool:
        """Whether a declared migration of this graph, or of one that it runs, was applied."""
        inside = any(below.migrated for below in self._entered.values())
        return bool(self.chain) or self.states.migrated or inside

    def carry(self, frame: Frame, path: str, region: str, reasons: list[Reason]) -> dict[str, Any]:
        """A frame and all below it.

        Args:
            path: the frame's, in the old version.
            region: the branch that it is, in the new version; "" for a graph of its own.
            reasons: takes up why it cannot be carried.

        Raises KeyError, ValueError, TypeError, AttributeError: it is no frame of the old version.
        """
        node = str(frame["node"])
        if node != END and self.old.node(node) is None:
            raise KeyError(node)
        there = self.names.cursor(node)
        children: Mapping[str, Any] = {} if there.moved else frame.get("children", {})
        found: dict[str, Any] = {
            "node": there.node,
            "since": self._now if there.moved and self._now is not None else frame["since"],
            **self._counted(frame, node, path, reasons),
            "done": frame["done"],
        }
        kept = len(reasons)
        if there.node != END:
            entered = list(children) if frame.get("keys") == "s" else []
            for trouble in self._place.troubles(node, there.node, there.moved, region, entered):
                element = f"node/{there.node}"
                if self.new.node(there.node) is None and not there.moved:
                    element = f"node/{node}"
                self._add(reasons, Flaw(trouble.kind, element, trouble.text), node, path)
        placed = len(reasons) == kept
        try:
            found["state"] = self.states.carry(frame["state"])
        except Refused as refused:
            for flaw in refused.flaws:
                self._add(reasons, flaw, "", path)
        if "effects" in frame:
            found["effects"] = self._kept(frame["effects"], node, path, reasons)
        if children and placed:
            found["keys"] = frame["keys"]
            found["children"] = {
                key: self._child(node, there.node, key, child, path, reasons)
                for key, child in children.items()
            }
        return found

    # --- what a frame holds ---------------------------------------------------------------------------------

    def _counted(self, frame: Frame, node: str, path: str, reasons: list[Reason]) -> dict[str, Any]:
        found: dict[str, Any] = {"counts": {}, "taken": {}}
        try:
            found["counts"] = self._counters.visits(frame["counts"])
        except ValueError as error:
            self._add(reasons, Flaw("counters-collide", "graph", str(error)), node, path)
        try:
            found["taken"] = self._counters.taken(frame["taken"])
        except Ambiguous as error:
            which = " or ".join(f"`{key}`" for key in error.candidates)
            text = f"how often `{error.edge}` was taken could be the count of {which}"
            self._add(reasons, Flaw("counter-ambiguous", f"edges/{error.source}", text), node, path)
        return found

    def _kept(
        self, effects: Sequence[Mapping[str, Any]], node: str, path: str, reasons: list[Reason]
    ) -> list[Any]:
        inner = (
            [self._scope(below) for below in self._fields_run()] if any(e["lens"] for e in effects) else []
        )
        found: list[Any] = []
        for effect in effects:
            try:
                found.append(self._effects.carry(effect, inner))
            except Unreadable as error:
                self._add(reasons, error.flaw, node, path)
        return found

    def _fields_run(self) -> list[Frames]:
        """The graphs that are run on fields of the state."""
        nodes = [
            id_.removeprefix("node/")
            for id_, element in self.old.elements.items()
            if id_.startswith("node/") and element.get("lens") == "field"
        ]
        return [below for node in nodes if (below := self.below(node)) is not None]

    @staticmethod
    def _scope(below: Frames) -> Scope:
        return Scope(below.old, below.new, below.states, ("state", "state"), below.names)

    # --- what is below --------------------------------------------------------------------------------------

    def _child(
        self, old: str, new: str, key: str, child: Frame, path: str, reasons: list[Reason]
    ) -> dict[str, Any]:
        where = f"{path}/{old}" if path else old
        kind = str(self.new.elements[f"node/{new}"]["kind"])
        if kind == "parallel":
            return self.carry(child, f"{where}/{key}", f"{new}/{key}", reasons)
        below = self.below(old)
        if below is None:
            raise KeyError(old)
        self._entered[old] = below
        return below.carry(child, f"{where}[{key}]" if kind == "map" else where, "", reasons)

    def below(self, node: str) -> Frames | None:
        """What carries the frames of the graph that a node runs; None where the new version runs none."""
        if node not in self._below:
            old, new = self.old.run_by(node), self.new.run_by(self.names.node(node))
            self._below[node] = None
            if old is not None and new is not None:
                label = str(self.new.elements[f"node/{self.names.node(node)}"]["graph"])
                chain = chain_from(new, old.hash)
                if chain is None:
                    chain = self._state_steps(node)
                inside = f"{self._inside}subgraph/{label}/"
                self._below[node] = Frames(old, new, chain, self._between, self._now, inside, self._relatives)
        return self._below[node]

    def _state_steps(self, node: str) -> tuple[plan.Migration, ...]:
        """What this graph's own migrations say of the state, for a graph that works on that same state."""
        if self.old.elements[f"node/{node}"].get("lens") != "same":
            return ()
        return tuple(
            plan.Migration(link.source, tuple(step for step in link.steps if _of_state(step)), link.place)
            for link in self.chain
        )

    def _add(self, reasons: list[Reason], flaw: Flaw, node: str, path: str) -> None:
        element = f"{self._inside}{flaw.element}"
        where = (f"{path}/{node}" if path else node) if node else path
        place = flaw.place or self.new.places.get(flaw.element, "")
        if any((one.kind, one.element, one.text) == (flaw.kind, element, flaw.text) for one in reasons):
            return  # of many branches or elements the first is told
        reasons.append(Reason(flaw.kind, condition_of(flaw.kind), element, flaw.text, where, None, place))


def _of_state(step: plan.MigrationStep) -> bool:
    return not isinstance(step, plan.MoveStep) and not (
        isinstance(step, plan.RenameStep) and step.what == "node"
    )
