"""From the edges of a region to their keys, by which plans, counters and logs know them.

Keys and their meaning are defined in `runtime/plan.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import model as m


def by_source(region: m.Region) -> dict[str, list[m.Edge]]:
    """The edges of a region by the source that they leave, both in the order written."""
    found: dict[str, list[m.Edge]] = {}
    for edge in region.edges:
        found.setdefault(edge.source, []).append(edge)
    return found


def keyed(edges: Sequence[m.Edge]) -> Iterator[tuple[m.Edge, str]]:
    """The edges of one source, each with its key."""
    whens = 0
    seen: dict[str, int] = {}
    for edge in edges:
        arrow = f"{edge.source}->{edge.target}"
        match edge.trigger:
            case "when":
                whens += 1
                key = f"{arrow} when {whens}"
            case "else":
                key = f"{arrow} else"
            case "on":
                key = f"{arrow} on {edge.outcome}"
            case "plain":
                key = arrow
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:  # one arrow and outcome, bounded twice
            key = f"{key} {seen[key]}"
        yield edge, key
