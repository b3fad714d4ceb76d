"""From the changes between two versions to which completed steps could have noticed them, whatever the run.

A step of a node is done again by the new version from the same state, with the same mutations recorded. It
may turn out otherwise only where the node's element, the edges that leave it, or a mutation, field or type
that these mention has changed, in a way that takes something away or computes something else. Everything else
(a mutation that may be recorded now, a member that an enum has now, what the function is shown) is noticed by
no step. Rather too much is taken for noticeable than too little.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from ..changes.change import Change
from ..changes.unparse import as_list, as_object, json_text
from ..forms.version import Version
from .fitting import Fit, Fitting, constraints_hold


class Scope(StrEnum):
    """Who can notice a change."""

    NOBODY = "nobody"
    STEP = "step"  # who has completed the node, or taken an edge out of it
    ENTRY = "entry"  # who has been inside of the node, too
    DATA = "data"  # whose step mentions the element
    JOIN = "join"  # who has completed a parallel or a map
    FRESH = "fresh"  # who stands in, or has been in, a state that was made for a graph that is run
    ALL = "all"  # whoever has completed anything


_ALWAYS: Mapping[Scope, frozenset[str]] = {
    Scope.STEP: frozenset(
        {
            "node-removed", "node-kind-changed", "node-moved", "records-narrowed", "ensures-added",
            "goto-removed", "barrier-decision-removed", "barrier-decision-changed", "modify-removed",
            "reroute-removed", "timeout-answer-changed", "branch-added", "branch-removed",
            "branch-order-changed", "output-changed", "edge-removed",
            "edge-target-changed", "guard-changed", "max-visits-changed", "edge-order-changed",
        }
    ),
    Scope.ENTRY: frozenset(
        {
            "graph-run-changed", "lens-replaced", "map-elements-changed", "input-changed",
            "join-changed", "on-error-changed",  # it may be that the join would have come by now
        }
    ),
    Scope.DATA: frozenset(
        {
            "mutation-removed", "mutation-parameters-changed", "mutation-body-changed",
            "mutation-function-changed", "mutation-writes-changed", "field-removed", "substate-removed",
            "enum-member-removed", "union-member-removed", "record-field-removed",
            "record-field-added-without-value", "record-field-default-changed",
        }
    ),
    Scope.JOIN: frozenset({"field-merge-changed"}),
    Scope.FRESH: frozenset({"field-default-changed"}),
    Scope.ALL: frozenset({"form-changed", "other-changed"}),
}  # fmt: skip
_SCOPES = {name: scope for scope, names in _ALWAYS.items() for name in names}


class Noticeable:
    """Which changes between two versions can be noticed, and by whom."""

    def __init__(self, old: Version, new: Version, fitting: Fitting) -> None:
        self._old, self._new, self._fitting = old, new, fitting

    def scope(self, change: Change) -> Scope:
        """Who can notice a change."""
        found = _SCOPES.get(change.name)
        if found is not None:
            return found
        before = self._old.elements.get(change.element, {})
        after = self._new.elements.get(change.element, {})
        match change.name:
            case "max-steps-changed":
                fewer = _fewer(before.get("max_steps"), after.get("max_steps"))
                within = Scope.ENTRY if change.element.startswith("node/") else Scope.ALL
                return within if fewer else Scope.NOBODY
            case "field-type-changed":
                fit = self._fitting.type(before.get("type"), after.get("type"))
                return Scope.NOBODY if fit is Fit.SAME else Scope.DATA
            case "field-constraint-changed":
                return Scope.NOBODY if constraints_hold(before, after) else Scope.DATA
            case "record-field-type-changed":
                return Scope.NOBODY if self._record_fits(change, before, after) else Scope.DATA
            case "edge-added":
                return Scope.NOBODY if self._takes_nobody(change, before) else Scope.STEP
            case _:
                return Scope.NOBODY

    def _record_fits(self, change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        _, name, *_ = change.path.split("/")
        types = [
            (as_object((as_object(side.get("fields")) or {}).get(name)) or {}).get("type")
            for side in (old, new)
        ]
        return self._fitting.type(*types) is Fit.SAME

    def _takes_nobody(self, change: Change, group: Mapping[str, Any]) -> bool:
        """Whether no step can have ended in a way that a new edge is for: no edge was there, so it failed."""
        trigger = change.path.partition("/")[0]
        source = change.element.removeprefix("edges/")
        if "/" in source or source == "start":
            return False
        node = self._old.node(source)
        if node is None:
            return True  # nobody has been there
        if trigger == "else":
            return not group.get("plain") and not group.get("else")
        if trigger in group or not trigger.startswith("on "):
            return False
        outcome, kind = trigger.removeprefix("on "), node.get("kind")
        if kind == "barrier":
            return outcome != "timeout" and outcome not in (as_object(node.get("decisions")) or {})
        if outcome == "error":
            return kind in ("task", "subgraph")
        return kind == "task" and outcome == "timeout" and "on error" not in group


def _fewer(old: Any, new: Any) -> bool:
    """Whether a limit is lower now; none is the highest that the graph run has."""
    match old, new:
        case int(), int():
            return new < old
        case _:
            return True


def counted(group: Mapping[str, Any]) -> frozenset[tuple[str, str, str]]:
    """The edges of a group that are counted: trigger, target and guard."""
    found: set[tuple[str, str, str]] = set()
    for trigger, edges in group.items():
        for edge in as_list(edges):
            form = as_object(edge) or {}
            if "max_visits" in form:
                found.add((trigger, str(form.get("to")), json_text(form.get("guard"))))
    return frozenset(found)
