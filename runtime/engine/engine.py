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
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from .. import plan
from ..clock import Clock, SystemClock
from ..errors import (
    Cancelled,
    LgcError,
    NodeFailed,
    RunFenced,
    RunUncertain,
    StepsExceeded,
    StorageError,
    storable,
    text_of,
)
from ..machine.completion import Completion
from ..machine.frame import Frame
from ..machine.position import detail_of, to_snapshot
from ..observation.events import EventKind
from ..observation.observed import Observed
from ..observation.sinks import BarrierSink, CheckpointSink, StreamSink, TraceSink
from ..store.archives.archived import Archive
from ..store.protocols import Store
from ..store.records import AttemptRecord, CheckpointRecord, Commit, DecisionRecord, MutationRecord, RunStatus
from ..values.typed_json import encode_mutations
from .lane import Lane
from .policy import Compaction, TriggerPolicy, Triggers
from .retention import Retainer, Retention, RetentionPolicy
from .threads import AT_ONCE

# Errors that end the session, not only a branch: nothing more can be made durable, or nothing more may be.
FATAL = (RunFenced, StorageError, RunUncertain)

# Nodes that never really wait would keep the loop to themselves, and nobody could cancel the run. The loop
# gets a turn each time that these low bits of the number of steps are all zero.
STEPS_PER_YIELD = 63


class ExecutionEntry(NamedTuple):
    """One committed step, as the process that made it saw it. Times in seconds since the epoch."""

    step: int
    node: str
    start: float
    end: float
    success: bool
    error: str = ""


_MUTATION = frozenset({"mutation"})

# From a tuple to an entry without a call in Python: a run may have very many.
_entry: Callable[[tuple[Any, ...]], ExecutionEntry] = partial(
    tuple.__new__,  # pyright: ignore[reportUnknownMemberType]
    ExecutionEntry,
)


class Engine(Observed):
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
            root, run, step, clock or SystemClock(),
            stream_sink=stream_sink, trace_sink=trace_sink, checkpoint_sink=checkpoint_sink,
        )  # fmt: skip
        self.store = store
        self.fence = fence
        self.triggers: TriggerPolicy = triggers or Triggers(root.plan.checkpointing, self.clock.time())
        self.retainer: Retainer | None = None
        self.compaction = Compaction(root.plan.checkpointing, snapshot_bytes)
        self.decisions = list(decisions)
        self.taken: set[int] = set()  # ids of those that were applied or set aside, perhaps not durably yet
        # Calls of `effect once` nodes that were begun and whose step is not committed: (frame, node, visit).
        self.begun = dict.fromkeys([(a.frame, a.node, a.visit) for a in attempts])  # in their order
        self.again: dict[tuple[str, str, int], str] = {}  # those that a person lets happen again, and who
        self.barrier_sink = barrier_sink
        # Field after field, made into ExecutionEntry when asked for: a step should not pay for what few look
        # at, nor leave a tuple that the garbage collector looks through.
        self.entries: list[Any] = []
        # Steps are committed in their order, also by lanes side by side: by the store, where it says that it
        # keeps the order in which it is called, otherwise one at a time.
        in_order = store is None or getattr(type(store).commit, "in_order", False)
        self._turn = None if in_order else asyncio.Lock()
        self.threads = asyncio.Semaphore(AT_ONCE)
        self.cancelled = False
        self.leaving = False  # the caller of `drive` was cancelled
        self.broken: LgcError | None = None
        self.waiters: dict[str, asyncio.Future[str]] = {}
        self.running = 0
        # Whether an element of a map began later than the log can tell: what it waits for counts from then.
        self.began_late = False
        from . import nodes  # the node kinds call back into the engine

        self._nodes = nodes
        self._lane: Lane | None = None
        self._ticks = 0

    @property
    def log(self) -> tuple[ExecutionEntry, ...]:
        """The steps that this engine committed."""
        entry = iter(self.entries)
        return tuple(map(_entry, zip(*[entry] * len(ExecutionEntry._fields), strict=True)))

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

    # --- commits ------------------------------------------------------------------------------------------

    def count_step(self, frame: Frame, node: str, started: float, duration: float) -> None:
        """A step that nobody keeps or watches."""
        self.step = step = self.step + 1
        frame.since = ended = started + duration
        where = node if not frame.path else f"{frame.path}/{node}"
        self.entries += (step, where, started, ended, True, "")

    async def commit_step(
        self,
        lane: Lane,
        frame: Frame,
        done: Completion,
        *,
        started: float,
        duration: float,
        attempt: int = 1,
        cost: float = 0.0,
        error: str = "",
        text: str | None = None,
        asked: bool = False,
        joined: bool = False,
        decision: int = 0,
        detail: dict[str, Any] | None = None,
        events: frozenset[str] = frozenset(),
        error_type: str = "",
        resolved: dict[str, Any] | None = None,
    ) -> None:
        """Make a completion durable; the frame has already moved.

        Raises:
            RunFenced, StorageError: the session is over; the store is as before this step.
        """
        self.step = step = self.step + 1
        if error:
            error = storable(error)
        ended = done.next == plan.END and frame.parent is None
        now = started + duration
        frame.since = now
        checkpoint = ""
        if self.store is not None:
            now = frame.since = self.clock.time()
            try:
                checkpoint = await self._store_step(
                    lane, frame, done, now, duration, attempt, cost, error, text, asked, joined, decision,
                    detail, ended, events,
                )  # fmt: skip
            except BaseException as failure:
                raise self._broke(failure, frame, done.node) from failure.__cause__
        where = f"{frame.path}/{done.node}" if frame.path else done.node
        self.entries += (step, where, started, started + duration, not error, error)
        if self.trace_sink is not None:
            self._tell_step(
                frame, done, step, duration, attempt, cost, error, error_type, checkpoint, resolved
            )
        if checkpoint and self.checkpoint_sink is not None and not lane.stopping:
            await self.tell_checkpoint(frame, done.node, done.visit)

    def _tell_step(
        self,
        frame: Frame,
        done: Completion,
        step: int,
        duration: float,
        attempt: int,
        cost: float,
        error: str,
        error_type: str,
        checkpoint: str,
        resolved: dict[str, Any] | None,
    ) -> None:
        """Tell of a step that is durable now."""
        self.told, node, visit = step, done.node, done.visit
        if resolved is not None:
            self.say(EventKind.BARRIER_RESOLVED, frame, node, step, visit=visit, **resolved)
        told: dict[str, Any] = {
            "visit": visit, "attempt": attempt, "next": done.next, "outcome": done.outcome,
            "duration": duration, "cost": cost, "error": error, "checkpoint": checkpoint,
            "mutations": [one.mutation.__lg_name__ for one in done.applied],
        }  # fmt: skip
        if error:
            told["type"] = error_type
        self.node_over(
            EventKind.NODE_FAILED if error else EventKind.NODE_COMPLETED, frame, node, step, **told
        )
        if checkpoint:
            self.say(EventKind.CHECKPOINT_SAVED, frame, node, step, visit=visit, checkpoint=checkpoint)

    async def _store_step(
        self,
        lane: Lane,
        frame: Frame,
        done: Completion,
        now: float,
        duration: float,
        attempt: int,
        cost: float,
        error: str,
        text: str | None,
        asked: bool,
        joined: bool,
        decision: int,
        detail: dict[str, Any] | None,
        ended: bool,
        events: frozenset[str],
    ) -> str:
        """Commit the record of a step; the id of the checkpoint made with it."""
        what = events
        if done.applied:
            what = what | _MUTATION if what else _MUTATION
        if ended:
            what |= {"completion"}
        try:
            due = self.triggers.due(
                events=what, now=now, duration=duration, tokens=cost, effects=len(done.applied)
            )
        except Exception as problem:  # a policy of the caller's must not cost the step
            due = True
            told = f"trigger policy: {type(problem).__name__}: {text_of(problem)}"
            self.observe(frame, told, node=done.node, visit=done.visit)
        checkpoint = f"{self.run}@{self.step}" if due or asked else ""
        if asked and not due:
            self.asked_checkpoint(now)
        found = detail_of(frame, done, joined) | (detail or {}) if joined or detail or done.merged else None
        record = MutationRecord(
            self.run, self.step, frame.path, done.node, done.visit, done.outcome, done.next, done.edge,
            encode_mutations(done.applied) if text is None else text,
            now, duration, attempt, cost, error, checkpoint, self.root.plan.hash,
            _dumps(found) if found else "",
        )  # fmt: skip
        settled = self._settled(frame, done, joined) if self.begun else ()
        await self.commit(
            lane,
            Commit(
                self.run, self.fence, record,
                RunStatus.DONE if ended else None,
                snapshot=self._snapshot(record), decision=decision, settled=settled,
                lease=0.0 if ended else None,
            ),
        )  # fmt: skip
        if checkpoint and self.retainer is not None:
            self.retainer.made()
        return checkpoint

    def retain(self, policy: RetentionPolicy | None, archive: Archive | None, *, listed: int | None) -> None:
        """Look after the checkpoints of the run from now on; `listed` is how many there are, where known."""
        policy = Retention.of(self.root.plan.checkpointing) if policy is None else policy
        if self.store is not None and not (isinstance(policy, Retention) and policy.all):
            self.retainer = Retainer(
                self.store, self.run, policy, self.clock, partial(self.observe, None),
                archive=archive, listed=listed,
            )  # fmt: skip

    def asked_checkpoint(self, now: float) -> None:
        """A checkpoint is made because somebody asked: triggers count from here."""
        made = getattr(self.triggers, "made", None)
        if made is not None:
            made(now)

    def _settled(self, frame: Frame, done: Completion, joined: bool) -> tuple[tuple[str, str, int], ...]:
        """Begun calls that nobody asks for any more: this visit's, and those in children that are left."""
        here = frame.where(done.node)
        self.begun.pop((frame.path, done.node, done.visit), None)
        inside = (f"{here}/", f"{here}[")
        left = [key for key in self.begun if joined and (key[0] == here or key[0].startswith(inside))]
        for key in left:
            del self.begun[key]
        return tuple(left)

    def _broke(self, error: BaseException, frame: Frame, node: str) -> BaseException:
        """A step could not be stored: the frames are ahead of the store now, and must not go on."""
        if isinstance(error, Exception) and not fatal(error):
            what = f"the step could not be stored: {text_of(error)}"
            failure: LgcError = StorageError(what, hint=getattr(error, "hint", None))
            failure.__cause__ = error
            error = failure
        if isinstance(error, LgcError):
            error.at(run=self.run, node=frame.where(node), step=self.step)
        self.broken = error if isinstance(error, LgcError) else StorageError("a commit was interrupted")
        return error

    def _snapshot(self, record: MutationRecord) -> CheckpointRecord | None:
        if not self.compaction.due(len(record.mutations) + len(record.detail) + 100):
            return None
        text = to_snapshot(self.root)
        self.compaction.made(len(text))
        # Triggers decide what people see, compaction only how much of the log a restore has to read.
        return CheckpointRecord(
            f"{self.run}@{record.step}", self.run, record.step, record.hash, record.time, text,
            listed=bool(record.checkpoint),
        )  # fmt: skip

    async def commit(self, lane: Lane | None, commit: Commit) -> None:
        """One transaction; a lane that should stop does so only after it."""
        assert self.store is not None
        if lane is not None:
            lane.committing = True
        try:
            if self._turn is None:
                await self.store.commit(commit)
            else:
                async with self._turn:
                    await self.store.commit(commit)
        except LgcError:
            raise
        except Exception as error:
            raise StorageError(
                f"the store failed: {type(error).__name__}: {text_of(error)}", run=self.run, step=self.step
            ) from error
        finally:
            if lane is not None:
                lane.committing = False


def fatal(error: BaseException) -> bool:
    """Whether an error ends the session rather than a branch."""
    return isinstance(error, FATAL)


def as_failure(error: BaseException, frame: Frame, node: str, run: str) -> LgcError:
    """What a node raised, as an error of ours that names the node."""
    where = frame.where(node)
    if isinstance(error, LgcError):
        return error.at(run=run, node=where)
    failure = NodeFailed(f"`{node}` raised {type(error).__name__}: {text_of(error)}", run=run, node=where)
    failure.__cause__ = error
    return failure


def _dumps(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))
