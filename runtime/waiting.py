"""Which barriers a position stands at, and which answers no longer fit it."""

from __future__ import annotations

from collections.abc import Sequence

from . import plan
from .barrier import BarrierInfo, describe
from .errors import DecisionRefused
from .frame import Frame
from .store.protocols import RunStatus


def waiting_barriers(run: str, root: Frame) -> tuple[BarrierInfo, ...]:
    """The barriers that a position stands at."""
    found: list[BarrierInfo] = []
    for frame in root.active():
        node = frame.plan.nodes.get(frame.node)
        if isinstance(node, plan.Barrier):
            found.append(describe(run, frame, node))
    return tuple(found)


def refuse_stale(address: str, waiting: Sequence[BarrierInfo], status: RunStatus) -> None:
    """Refuse an answer that is addressed to a barrier of which something else is known by now."""
    if status in (RunStatus.DONE, RunStatus.CANCELLED):
        raise DecisionRefused(f"the run is {status}, nothing waits for an answer")
    if "#" not in address:
        return
    if address in [info.id for info in waiting]:
        return
    same = next((i for i in waiting if i.id.partition("@")[0] == address.partition("@")[0]), None)
    if same is not None:
        raise DecisionRefused(
            f"what `{same.node}` shows has changed since `{address}`; it now is `{same.id}`",
            hint="look at it again, and answer the new id",
        )
    raise DecisionRefused(f"the run does not wait at `{address}`")
