"""Which barriers a position stands at."""

from __future__ import annotations

from .. import plan
from ..machine.frame import Frame
from .barrier import BarrierInfo, describe


def waiting_barriers(run: str, root: Frame) -> tuple[BarrierInfo, ...]:
    """The barriers that a position stands at."""
    found: list[BarrierInfo] = []
    for frame in root.active():
        node = frame.plan.nodes.get(frame.node)
        if isinstance(node, plan.Barrier):
            found.append(describe(run, frame, node))
    return tuple(found)
