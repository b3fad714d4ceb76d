"""From a step to what of the new graph is missing for it: its node, its frame, the right to make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import plan
from ..machine.frame import Frame
from .findings import At, Findings


def node_there(findings: Findings, at: At) -> bool:
    """Whether the new graph has the node of a step, of the same kind and in the same region."""
    site, node, step = at
    if site.new is None:
        frame_missing(findings, at)
        return False
    before, after = site.old.node(node), site.new.node(node)
    if after is None:
        text = f"`{node}` is not there any more, and step {step} was done at it"
        findings.add("visited-node-gone", at, f"node/{node}", text, "")
        return False
    if before is not None and before.get("kind") != after.get("kind"):
        text = f"`{node}` is a {after.get('kind')} now, and was a {before.get('kind')} at step {step}"
        findings.add("visited-kind-changed", at, f"node/{node}", text)
        return False
    if after.get("region", "") != site.region:
        text = f"`{node}` is in {_region_text(after.get('region', ''))} now, and step {step} was done in"
        text += f" {_region_text(site.region)}"
        findings.add("visited-region-changed", at, f"node/{node}", text)
        return False
    return True


def frame_missing(findings: Findings, at: At) -> None:
    """A step was done in a frame that the new graph has not: say which node leads to it no more."""
    site, _, step = at
    while site.outer is not None and site.outer.new is None:
        site = site.outer
    outer = site.outer
    if outer is None or outer.new is None:
        return
    where: At = (outer, site.node, step)
    before, after = outer.old.node(site.node) or {}, outer.new.node(site.node)
    if after is None:
        text = f"`{site.node}` is not there any more, and step {step} was done inside it"
        findings.add("visited-node-gone", where, f"node/{site.node}", text, "")
    elif before.get("kind") != after.get("kind"):
        text = f"`{site.node}` is a {after.get('kind')} now, and step {step} was done inside it"
        findings.add("visited-kind-changed", where, f"node/{site.node}", text)
    elif before.get("region", "") != after.get("region", ""):
        text = f"`{site.node}` is in {_region_text(after.get('region', ''))} now, and was in"
        text += f" {_region_text(before.get('region', ''))} at step {step}"
        findings.add("visited-region-changed", where, f"node/{site.node}", text)
    else:
        text = f"`{site.node}` no longer has branch `{site.key}`, where step {step} was done"
        findings.add("join-differs", where, f"node/{site.node}", text)


def look_at_limit(findings: Findings, at: At, new: Frame) -> None:
    """Note a step beyond `max_steps`."""
    site, node, step = at
    if new.steps() < new.limit:
        return
    own = site.own
    outer = own.outer
    by_node = outer is not None and "max_steps" in ((outer.new and outer.new.node(own.node)) or {})
    where: At = (outer, own.node, step) if outer is not None and by_node else (site, node, step)
    element = f"node/{own.node}" if by_node else "graph"
    text = f"`{new.plan.name}` may make {new.limit} steps now, and had made {new.steps()} before step {step}"
    findings.add("steps-exceeded", where, element, text)


def look_at_join(findings: Findings, at: At, old: Frame) -> None:
    """Note a step of a branch where the new graph would have joined already."""
    site, _, step = at
    around, outer = old.parent, site.outer
    if not site.region or around is None or outer is None or outer.new is None:
        return
    before, after = (version.node(site.node) or {} for version in (outer.old, outer.new))
    ended = sum(child.node == plan.END for child in around.children.values())
    if needed(after) < needed(before) and ended >= needed(after):
        text = f"`{site.node}` joins {needed(after)} of its branches now: it would have ended before"
        text += f" step {step}"
        findings.add("join-differs", (outer, site.node, step), f"node/{site.node}", text)


def needed(element: Mapping[str, Any]) -> int:
    """How many branches a join waits for."""
    match element.get("join"):
        case "any":
            return 1
        case "first":
            return int(element.get("count", 1))
        case _:
            return len(element.get("branches", ()))


def _region_text(region: str) -> str:
    parallel, slash, branch = region.partition("/")
    return f"branch `{branch}` of `{parallel}`" if slash else "no branch"
