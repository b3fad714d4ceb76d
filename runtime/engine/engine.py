"""The driver: runs nodes, waits, retries and commits, and lets the pure machine decide what follows.

A *lane* is one asyncio task that drives a frame: the root has one, and each branch and map element that
runs has its own. A lane is never cancelled in the middle of a commit: what is in the store and what is in
memory must not part. Everything that changes a frame happens without waiting in between, so that a snapshot
taken with any step holds exactly the steps up to it.

The run stops as waiting when no lane can go on: each stands at a barrier that nobody in this process answers.
`_running` counts the lanes that can go on; a lane that has finished is counted until its parent has noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .. import plan
from ..clock import Clock, SystemClock
from ..errors import (
    Cancelled,
    LgcError,
    NodeFailed,
    StepsExceeded,
)
from ..machine.frame import Frame
from ..observation.sinks import BarrierSink, CheckpointSink, StreamSink, TraceSink
from ..store.protocols import Store
from ..store.records import AttemptRecord, DecisionRecord, RunStatus
from .committing import Committing
from .lane import Lane
from .policy import TriggerPolicy
from .threads import AT_ONCE

# Nodes that never really wait would keep the loop to themselves, and nobody could cancel the run. The loop
# gets a turn each time that these low bits of the number of steps are all zero.
STEPS_PER_YIELD = 63


class Engine(Committing):
    """Drives one run in this process."""

    def __init__(
        self,
        root: Frame,
        *,
        run: str,
        step: int,
        store: Store | None,
        fence: int,
        clock: Clock | None = None,
        triggers: TriggerPolicy | None = None,
        snapshot_bytes: int = 0,
        decisions: Sequence[DecisionRecord] = (),
        attempts: Sequence[AttemptRecord] = (),
        stream_sink: StreamSink | None = None,
        trace_sink: TraceSink | None = None,
        checkpoint_sink: CheckpointSink | None = None,
        barrier_sink: BarrierSink | None = None,
    ) -> None:
        super().__init__(
            root, run=run, step=step, store=store, fence=fence, clock=clock or SystemClock(),
            triggers=triggers, snapshot_bytes=snapshot_bytes, attempts=attempts, stream_sink=stream_sink,
            trace_sink=trace_sink, checkpoint_sink=checkpoint_sink,
        )  # fmt: skip
        self.decisions = list(decisions)
        self.taken: set[int] = set()  # ids of those that were applied or set aside, perhaps not durably yet
        self.barrier_sink = barrier_sink
        self.threads = asyncio.Semaphore(AT_ONCE)
        self.cancelled = False
        self.leaving = False  # the caller of `drive` was cancelled
        self.waiters: dict[str, asyncio.Future[str]] = {}
        self.running = 0
        from . import nodes  # the node kinds call back into the engine

        self._nodes = nodes
        self._lane: Lane | None = None
        self._ticks = 0

    # --- the run ------------------------------------------------------------------------------------------

    async def drive(self) -> RunStatus:
        """Go on until the run is done or waits. Raises LgcError where it fails or is cancelled."""
        if self.broken is not None:
            raise self.broken
        self.refuse_cancelled()
        self.listen_from(asyncio.get_running_loop())
        lane = self._lane = Lane(self, self.root)
        self.running = 1
        self.leaving = False
        lane.start()
        try:
            await lane.finished()
        except asyncio.CancelledError:
            # Someone cancelled the caller: stop in order, leave the run to be resumed.
            self.leaving = True
            lane.stop()
            await lane.finished()
            raise
        finally:
            self._lane = None
        if lane.error is not None:
            raise lane.error
        if self.broken is not None:
            raise self.broken
        if lane.outcome == "stopped" and self.root.node != plan.END:
            self.refuse_cancelled()
            raise asyncio.CancelledError
        return RunStatus.WAITING if lane.outcome == "waiting" else RunStatus.DONE

    def cancel(self) -> None:
        """Stop all lanes."""
        self.cancelled = True
        if self._lane is not None:
            self._lane.stop()

    def lose(self, error: LgcError) -> None:
        """Stop all lanes: somebody else drives the run."""
        if self.broken is None:
            self.broken = error
        if self._lane is not None:
            self._lane.stop()

    def refuse_cancelled(self) -> None:
        """Raise Cancelled if the run was."""
        if self.cancelled:
            raise Cancelled("the run was cancelled", run=self.run, node=self.root.where(), step=self.step)

    async def follow(self, lane: Lane, frame: Frame) -> str:
        """Drive a frame to its end: `end`, or `waiting` where it stands at a barrier that nobody answers."""
        nodes = self._nodes
        named, task, run_task = frame.plan.nodes.get, plan.Task, nodes.run_task
        limit, alone = frame.limit, frame.base is None
        while (name := frame.node) != "end":
            if self.backlog is not None and self.backlog.behind:
                await self.backlog.room()
            if lane.stopping:  # a function may swallow its cancellation
                raise asyncio.CancelledError
            if (frame.done if alone else frame.steps()) >= limit:
                raise StepsExceeded(
                    f"graph `{frame.plan.name}` completed {frame.limit} nodes, its `max_steps`",
                    run=self.run, node=frame.where(), step=self.step,
                )  # fmt: skip
            node = named(name)
            if node is None:
                raise NodeFailed(
                    f"graph `{frame.plan.name}` has no node `{frame.node}`",
                    run=self.run, node=frame.where(), hint="restore with a migration that moves the run",
                )  # fmt: skip
            try:
                if type(node) is task:
                    await run_task(self, lane, frame, node)
                elif not await nodes.run(self, lane, frame, node):
                    return "waiting"
            except BaseException as error:
                self.give_up(lane, frame, error)
                raise
            self._ticks = ticks = self._ticks + 1
            if not ticks & STEPS_PER_YIELD:
                await asyncio.sleep(0)
        return "end"

    # --- lanes that wait ----------------------------------------------------------------------------------

    def park(self) -> None:
        """A lane cannot go on by itself."""
        self.running -= 1
        if self.running == 0:
            for waiter in self.waiters.values():
                if not waiter.done():
                    waiter.set_result("stalled")

    def unpark(self) -> None:
        """It can again."""
        self.running += 1

    def wake(self, why: str) -> None:
        """Let every waiting barrier look again."""
        for waiter in self.waiters.values():
            if not waiter.done():
                waiter.set_result(why)
