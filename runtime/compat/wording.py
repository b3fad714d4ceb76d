"""From what the old and the new graph do behind a step to a sentence that says what has changed."""

from __future__ import annotations

import json
from typing import Any

from .. import plan
from ..changes.change import shortened
from ..errors import LgcError
from ..forms.version import Version


def target_text(target: str) -> str:
    """Where a run goes, for people."""
    return "the end" if target == plan.END else f"`{target}`"


def value_text(value: Any) -> str:
    """A stored value, for people."""
    return f"`{shortened(json.dumps(value, ensure_ascii=False))}`"


def routed_text(
    old: plan.Graph[Any],
    new: plan.Graph[Any],
    source: str,
    outcome: str,
    step: int,
    went: str,
    goes: str | None,
) -> tuple[str, str]:
    """Why the new graph goes another way than a run went, and the key of the edge to look at ("" for none).

    Args:
        went: where the run went.
        goes: where the new graph goes; None: no edge holds.
    """
    name = source.partition(":")[0]
    then = (
        f"the new graph goes to {target_text(goes)}" if goes is not None else "no edge of the new graph holds"
    )
    now = f"at step {step} the run went to {target_text(went)}, {then}"
    before = [edge for edge in _edges(old, source, outcome) if edge.target == went]
    after = [edge for edge in _edges(new, source, outcome) if edge.target == went]
    if not after:
        trigger = "" if outcome == "ok" else f" on `{outcome}`"
        return f"`{name}` no longer leads to {target_text(went)}{trigger}: {now}", ""
    edge = after[0]
    arrow = f"`{name} -> {went}`"
    texts = {one.guard.text if one.guard else "" for one in before}
    if edge.guard is not None and edge.guard.text not in texts:
        return f"guard of {arrow} is now `{shortened(edge.guard.text)}`: {now}", edge.key
    if edge.guard is None and before and all(one.guard is not None for one in before):
        return f"{arrow} is taken only where no other edge holds: {now}", edge.key
    limits = {one.max_visits for one in before}
    if edge.max_visits is not None and edge.max_visits not in limits:
        return f"{arrow} may now be taken {edge.max_visits} times: {now}", edge.key
    other = next((one for one in _edges(new, source, outcome) if one.target == goes), None)
    if other is not None:
        known = {(one.target, one.guard.text if one.guard else "") for one in _edges(old, source, outcome)}
        guard = other.guard.text if other.guard else ""
        if (other.target, guard) not in known:
            when = f" when {shortened(guard)}" if guard else ""
            return f"`{name} -> {other.target}{when}` is new: {now}", other.key
    return f"the edges of `{name}` choose differently: {now}", edge.key


def _edges(graph: plan.Graph[Any], source: str, outcome: str) -> tuple[plan.Edge, ...]:
    route = graph.routes.get(source)
    if route is None:
        return ()
    return route.on.get(outcome, route.edges if outcome not in ("error", "timeout") else ())


def place_of_edge(version: Version, graph: plan.Graph[Any], source: str, key: str) -> str:
    """Where an edge stands in the source, or all that leaves its source."""
    if key:
        for route in graph.routes.values():
            for edge in (*route.edges, *(one for edges in route.on.values() for one in edges)):
                if edge.key == key and edge.guard is not None and edge.guard.place:
                    return version.places.get(key) or edge.guard.place
    region = source.partition(":")[2]
    id = f"edges/{region}/{plan.START}" if region else f"edges/{source}"
    return version.places.get(key) or version.places.get(id) or version.places.get(f"node/{source}", "")


def refusal(error: LgcError) -> str:
    """What an error says, for the end of a sentence."""
    return error.message.rstrip(".")
