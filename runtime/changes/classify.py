"""From one change, and the two forms that it was found between, to its kind in the table of `kinds`.

A kind is known by the family of the element, by the first part of the path inside it and by what happened:
added, removed or changed. A row without an own word for what happened stands for all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .change import Change
from .unparse import as_list, as_object

OTHER = "other-changed"

_WHOLE: Mapping[str, str] = {
    "mutation": "mutation",
    "enum": "enum",
    "record": "record",
    "union": "union",
    "node": "node",
    "subgraph": "subgraph",
}
_FIELD: Mapping[str, str] = {
    "type": "field-type-changed",
    "default": "field-default-changed",
    "range": "field-constraint-changed",
    "length": "field-constraint-changed",
    "pattern": "field-constraint-changed",
    "merge": "field-merge-changed",
}
_RECORD_FIELD: Mapping[str, str] = {
    "type": "record-field-type-changed",
    "default": "record-field-default-changed",
}
_BY_HEAD: Mapping[tuple[str, str], str] = {
    ("graph", "name"): "graph-renamed",
    ("graph", "state"): "state-renamed",
    ("graph", "max_steps"): "max-steps-changed",
    ("mutation", "params"): "mutation-parameters-changed",
    ("mutation", "body"): "mutation-body-changed",
    ("mutation", "external"): "mutation-function-changed",
    ("mutation", "writes"): "mutation-writes-changed",
    ("node", "kind"): "node-kind-changed",
    ("node", "region"): "node-moved",
    ("node", "reads"): "reads-changed",
    ("node", "effect"): "effect-changed",
    ("node", "timeout"): "timeout-answer-changed",
    ("node", "join"): "join-changed",
    ("node", "count"): "join-changed",
    ("node", "on_error"): "on-error-changed",
    ("node", "graph"): "graph-run-changed",
    ("node", "lens"): "lens-replaced",
    ("node", "on"): "lens-replaced",
    ("node", "over"): "map-elements-changed",
    ("node", "item"): "map-elements-changed",
    ("node", "in"): "input-changed",
    ("node", "out"): "output-changed",
    ("node", "max_steps"): "max-steps-changed",
    ("subgraph", "hash"): "subgraph-changed",
}
_NAMES: Mapping[tuple[str, str], tuple[str, str]] = {  # what names that came and went are
    ("enum", "members"): ("enum-member-added", "enum-member-removed"),
    ("union", "members"): ("union-member-added", "union-member-removed"),
    ("node", "records"): ("records-widened", "records-narrowed"),
    ("node", "ensures"): ("ensures-added", "ensures-removed"),
    ("node", "goto"): ("goto-added", "goto-removed"),
    ("node", "modify"): ("modify-added", "modify-removed"),
    ("node", "reroute"): ("reroute-added", "reroute-removed"),
    ("node", "branches"): ("branch-added", "branch-removed"),
    ("node", "decisions"): ("barrier-decision-added", "barrier-decision-removed"),
}


def kind_name(change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The id of the kind of a change; `old` and `new` are all elements of the two forms."""
    if change.element == "form":
        return "form-changed"
    family = family_of(change.element)
    head, *rest = change.path.split("/")
    if family == "field":
        return _field(change, old, new) if not change.path else _FIELD.get(head, OTHER)
    if family == "edges":
        return _edges(change)
    if not change.path:
        known = family in _WHOLE and change.kind != "changed"
        return f"{_WHOLE[family]}-{change.kind}" if known else OTHER
    if (family, head) in _BY_HEAD:
        return _BY_HEAD[family, head]
    if (family, head) == ("node", "decisions") and len(rest) > 1:
        return "barrier-decision-changed"
    if (family, head) == ("node", "branches") and not rest:
        return "branch-order-changed"
    if (family, head) in _NAMES and change.kind != "changed":
        return _NAMES[family, head][change.kind == "removed"]
    if (family, head) == ("record", "fields"):
        return _record_field(change, rest, new)
    return OTHER


def family_of(element: str) -> str:
    """`field`, `mutation`, `node` …: what the element of an id is, fields of sub-states included."""
    first, *rest = element.split("/")
    match first, rest:
        case "state", ["field" | "mutation" as family, _]:
            return family
        case "substate", [_, "field" | "mutation" as family, _]:
            return family
        case _:
            return first


def has_value(form: Any) -> bool:
    """Whether a field has a value without being given one: a default, or none."""
    field = as_object(form) or {}
    kind = as_list(field.get("type"))
    return "default" in field or (bool(kind) and kind[0] == "optional")


def _field(change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """A field as a whole: of a state that was there before, or together with all of its state."""
    first, *rest = change.element.split("/")
    if first == "substate":
        prefix = f"substate/{rest[0]}/"
        if change.kind == "added" and not any(id_.startswith(prefix) for id_ in old):
            return "substate-added"
        if change.kind == "removed" and not any(id_.startswith(prefix) for id_ in new):
            return "substate-removed"
    match change.kind:
        case "added":
            return "field-added" if has_value(new.get(change.element)) else "field-added-without-value"
        case "removed":
            return "field-removed"
        case "changed":
            return OTHER


def _record_field(change: Change, rest: list[str], new: Mapping[str, Any]) -> str:
    if len(rest) > 1:
        return _RECORD_FIELD.get(rest[1], OTHER)
    if change.kind != "added":
        return "record-field-removed" if change.kind == "removed" else OTHER
    fields = as_object((as_object(new.get(change.element)) or {}).get("fields")) or {}
    added = has_value(fields.get(rest[0] if rest else ""))
    return "record-field-added" if added else "record-field-added-without-value"


def _edges(change: Change) -> str:
    parts = change.path.split("/")
    if len(parts) == 2 and change.kind != "changed":
        return f"edge-{change.kind}"
    if len(parts) == 2 and parts[1] == "order":
        return "edge-order-changed"
    last = {"to": "edge-target-changed", "guard": "guard-changed", "max_visits": "max-visits-changed"}
    return last.get(parts[-1], OTHER) if len(parts) == 3 else OTHER
