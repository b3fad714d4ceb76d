"""From what the new graph would have counted to whether a run that is carried over goes on with the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .findings import Findings
from .history import frames_of
from .sites import Site, Sites
from .wording import place_of_edge


def uncounted(
    passes: Mapping[str, Mapping[str, int]], snapshot: str, sites: Sites, findings: Findings
) -> None:
    """Note the edges of the new graph that the run has taken more or less often than its counters say.

    Args:
        passes: how often the new graph would have come along them, by the path of a frame.
        snapshot: the position of the run, carried over.
    """
    if not any(passes.values()):
        return
    root = frames_of(snapshot)
    for path, expected in passes.items():
        site = sites.of(path)
        frame = _frame(root, site)
        if frame is None or site.new is None:
            continue
        counted: Mapping[str, int] = frame.get("taken", {})
        for key, count in expected.items():
            there = counted.get(key, 0)
            if there != count:
                source, _, rest = key.partition("->")
                target = rest.partition(" ")[0]
                text = f"`{source} -> {target}` was taken {_times(count)}, and would count as taken"
                text += f" {_times(there)}"
                place = place_of_edge(site.new, site.new.graph.plan, source, key)
                findings.add("passes-not-counted", (site, source, None), f"edges/{source}", text, place)


def _frame(root: Mapping[str, Any], site: Site) -> Mapping[str, Any] | None:
    """The frame of a site in a snapshot."""
    frame = root
    for step in site.chain:
        below = frame.get("children", {}).get(str(step.key))
        if below is None or frame.get("node") != step.node:
            return None
        frame = below
    return frame


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
