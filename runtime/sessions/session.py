"""A session: one process that drives one run, from its start or from the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from uuid import uuid4

from .. import plan
from ..barriers.addressing import Standing, addressed
from ..barriers.answering import add
from ..barriers.barrier import BarrierDecision, BarrierInfo, to_record
from ..barriers.deciding import decide, demand_actor
from ..barriers.standing import waiting_barriers
from ..clock import Clock, SystemClock
from ..engine.committing import ExecutionEntry
from ..engine.engine import Engine
from ..engine.policy import TriggerPolicy
from ..engine.retention import RetentionPolicy
from ..errors import (
    DecisionRefused,
    LgcError,
)
from ..graph import Graph
from ..observation.events import EventKind, GraphEvent, StreamChunk
from ..observation.sinks import BarrierSink, CheckpointSink, FrameInfo, StreamSink, TraceSink
from ..observation.stream import BUFFER, EventQueue
from ..store.archives.archived import Archive
from ..store.protocols import Store
from ..store.records import Commit, RunStatus, owner_name
from ..values.state import Mutation, transients_of
from .driving import Driving
from .lease import LEASE, owner
from .modes import RestoreMode
from .moving import Wish
from .opening import Sinks, begun, taken
from .replaying import fork
from .settling import Settlement, settle, uncertain

S = TypeVar("S")
T = TypeVar("T")  # of the functions that make a session: the class itself is not bound to a state yet


@dataclass(frozen=True, slots=True)
class GraphResult(Generic[S]):
    """How a run, or this part of it, ended.

    Attributes:
        run_id: whose.
        state: the state (a copy).
        log: the steps that this session committed.
        duration: seconds that this session drove the run.
        status: `done`, or `waiting` where a barrier waits.
        waiting: the barriers that wait.
    """

    run_id: str
    state: S
    log: tuple[ExecutionEntry, ...]
    duration: float
    status: RunStatus
    waiting: tuple[BarrierInfo, ...] = ()


class Session(Generic[S]):
    """Drives one run. Made by `start` or `restore`.

    A session belongs to one event loop. Several sessions may be made for one run, but only the newest may
    commit: the others get RunFenced. While one runs, it holds a lease: other processes leave it alone.
    """

    def __init__(self, graph: Graph[S], engine: Engine, status: RunStatus, lease: float = LEASE) -> None:
        self._graph = graph
        self._engine = engine
        self._driving = Driving(engine, graph, status, lease)

    @classmethod
    async def start(
        cls,
        graph: Graph[T],
        state: T,
        *,
        store: Store | None = None,
        run_id: str | None = None,
        launch: str = "",
        stream_sink: StreamSink | None = None,
        trace_sink: TraceSink | None = None,
        checkpoint_sink: CheckpointSink | None = None,
        barrier_sink: BarrierSink | None = None,
        clock: Clock | None = None,
        lease: float = LEASE,
        triggers: TriggerPolicy | None = None,
        retention: RetentionPolicy | None = None,
        archive: Archive | None = None,
    ) -> Session[T]:
        """Begin a run.

        Args:
            graph: what to run.
            state: the state to start with; it is copied.
            store: where the run is kept; None: nowhere, and it cannot be restored.
            run_id: its id; None: a new one.
            launch: JSON that says how it was started, kept for whoever resumes it.
            lease: seconds that a silent owner counts as being at work; renewed every third of it.
            triggers, retention: when checkpoints are made, and how many stay; None: as the graph says.
            archive: gets the checkpoints that retention removes, before they go.

        Raises:
            SerializationError: the state does not fit its types or constraints.
            RunExists, StorageError: from the store.
            Unrouted, EvaluationError: no edge leaves `start`.
        """
        sinks = Sinks(stream_sink, trace_sink, checkpoint_sink, barrier_sink)
        engine = await begun(
            graph, state, sinks, store=store, run_id=run_id, launch=launch, clock=clock or SystemClock(),
            triggers=triggers,
        )  # fmt: skip
        engine.retain(retention, archive, listed=0)
        return Session(graph, engine, RunStatus.RUNNING, lease)

    @classmethod
    async def restore(
        cls,
        graph: Graph[T],
        *,
        store: Store,
        run_id: str,
        mode: RestoreMode = RestoreMode.STRICT,
        transients: Mapping[str, object] | None = None,
        reason: str = "",
        actor: str = "",
        take_over: bool = False,
        lease: float = LEASE,
        stream_sink: StreamSink | None = None,
        trace_sink: TraceSink | None = None,
        checkpoint_sink: CheckpointSink | None = None,
        barrier_sink: BarrierSink | None = None,
        clock: Clock | None = None,
        triggers: TriggerPolicy | None = None,
        retention: RetentionPolicy | None = None,
        archive: Archive | None = None,
    ) -> Session[T]:
        """Take over a stored run where it stands: newest good snapshot, and the log after it.

        Args:
            mode: which graphs are accepted (see `RestoreMode`); under another one the run is moved to it.
            transients: values of transient fields, or functions without parameters that make them
                (once; they may be `async`).
            reason, actor: why and by whom it is moved; `RestoreMode.FORCE` demands both.
            take_over: take the run also where another process is at work on it, which can commit no more.
            lease: seconds that a silent owner counts as being at work; renewed every third of it.
            triggers, retention: when checkpoints are made, and how many stay; None: as the graph says.
            archive: gets the checkpoints that retention removes, before they go.

        Raises:
            RunFenced: another process is at work on the run, or was faster to take it.
            RunNotFound, StorageError, CheckpointCorrupted: from the store.
            GraphMismatch: the run is under another graph, and the mode does not take it over; says what
                changed, whether that matters to this run, and how to go on. Nothing has happened.
            TransientMissing: names the field.
        """
        sinks = Sinks(stream_sink, trace_sink, checkpoint_sink, barrier_sink)
        ticking = clock or SystemClock()
        # Whoever forces a run has to say who he is; otherwise the process will do.
        who = actor if actor or mode == RestoreMode.FORCE else owner_name(owner())
        wish = Wish(RestoreMode(mode), reason, who, ticking.time())
        engine, status = await taken(
            graph, sinks, store=store, run_id=run_id, wish=wish,
            transients=transients or {}, take_over=take_over, clock=ticking, triggers=triggers,
        )  # fmt: skip
        engine.retain(retention, archive, listed=None)
        return Session(graph, engine, status, lease)

    # --- looking ------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._engine.run

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self._driving.status

    @property
    def step(self) -> int:
        """The last committed step."""
        return self._engine.step

    @property
    def state(self) -> S:
        """A copy of the state of the graph's own frame."""
        copy: S = self._engine.root.state.__lg_copy__()
        return copy

    @property
    def frames(self) -> tuple[FrameInfo, ...]:
        """The active frames, outermost first."""
        return tuple([self._engine.info(frame) for frame in self._engine.root.active()])

    @property
    def waiting(self) -> tuple[BarrierInfo, ...]:
        """The barriers that the run stands at."""
        return waiting_barriers(self._engine.run, self._engine.root)

    # --- going on -----------------------------------------------------------------------------------------

    async def run(self) -> GraphResult[S]:
        """Go on until the run is done or waits at a barrier.

        Raises:
            NodeFailed, Unrouted, StepsExceeded, EvaluationError, MutationRejected, MergeConflict: it failed.
            Cancelled: it was cancelled.
            RunUncertain: it died inside an `effect once` node and has to be settled.
            RunFenced, StorageError: this session is over; the store is whole.
        """
        since = self._engine.clock.monotonic()
        await self._driving.run()
        return self._result(since)

    def _result(self, since: float) -> GraphResult[S]:
        engine = self._engine
        return GraphResult(
            engine.run, self.state, engine.log, engine.clock.monotonic() - since, self._driving.status,
            self.waiting if self._driving.status is RunStatus.WAITING else (),
        )  # fmt: skip

    async def stream(self, *, buffer: int = BUFFER) -> AsyncIterator[GraphEvent | StreamChunk]:
        """Go on as `run` does, giving control events and chunks as they come.

        Where the reader is slow the run waits for it, between nodes. Control events are never lost. What a
        node emits meanwhile is merged and, beyond `buffer` chunks, the oldest are dropped: an observed error
        then says how many. Leaving the loop early stops the session in order.

        Args:
            buffer: events and chunks that may wait to be read, at least 1.

        Raises what `run` raises, after the last event; ValueError for a buffer that holds nothing.
        """
        queue = EventQueue(self._engine, buffer)
        driver = asyncio.get_running_loop().create_task(self.run())
        driver.add_done_callback(lambda _: queue.close())
        try:
            async for item in queue:
                yield item
            await driver
        finally:
            queue.detach()
            if not driver.done():
                driver.cancel()
                await asyncio.gather(driver, return_exceptions=True)
            elif not driver.cancelled():
                driver.exception()  # who left early did not wait for it; the status of the run tells

    async def decide(self, barrier: str, decision: BarrierDecision, *, actor: str | None = None) -> None:
        """Answer a barrier, by its id (exactly this one) or its node (what waits there now, or will).

        The answer is recorded; a session that runs takes it at once, otherwise call `run` again.

        Args:
            actor: who answers; None: this process.

        Raises:
            DecisionRefused: unknown barrier or answer, wrong arguments, too late or second, or what was shown
                has changed.
            MutationRejected: a mutation that the barrier does not let the decider record.
        """
        engine, store = self._engine, self._engine.store
        who = owner_name(owner()) if actor is None else actor
        demand_actor(who, engine.run)
        record = to_record(engine.root.plan, engine.run, barrier, decision, who, engine.clock.time())
        given = engine.decisions if store is None else await store.decisions(engine.run)
        if store is not None and (await store.get_run(engine.run)).fence != engine.fence:
            await decide(self._graph, store, engine.run, barrier, decision, actor=who)  # others drive it now
            return
        standing = Standing(engine.run, engine.root, self._driving.status, given, record.time)
        await add(engine, replace(record, barrier=addressed(standing, barrier)))

    async def cancel(self) -> None:
        """End the run for good, wherever it is; what was committed stays.

        A run that goes on meanwhile stops in order: its `run` raises Cancelled.
        """
        if self._driving.status in (RunStatus.DONE, RunStatus.CANCELLED):
            return
        self._engine.cancel()
        if not self._driving.busy:
            before = self._driving.status
            try:
                await self._driving.note(RunStatus.CANCELLED)
            except LgcError:
                self._driving.status = before
                raise
            self._engine.run_over(EventKind.RUN_CANCELLED)

    async def checkpoint(self) -> str:
        """Make a checkpoint with a snapshot of the position now; its id. Raises StorageError, RunFenced."""
        engine = self._engine
        if engine.store is None:
            raise LgcError("this run has no store to keep a checkpoint in", run=engine.run)
        record = self._driving.snapshot()
        await engine.commit(None, Commit(engine.run, engine.fence, snapshot=record))
        engine.asked_checkpoint(record.created)
        engine.compaction.made(len(record.snapshot))
        if engine.retainer is not None:
            engine.retainer.made()
        engine.say(EventKind.CHECKPOINT_SAVED, engine.root, checkpoint=record.id)
        return record.id

    async def fork(self, step: int, *, run_id: str | None = None) -> Session[S]:
        """A new run that starts from the position after a step of this one. Raises CheckpointNotFound."""
        engine = self._engine
        if engine.store is None:
            raise LgcError("this run has no store to fork from", run=engine.run)
        new = run_id or f"{engine.run}-fork-{uuid4().hex[:6]}"
        await fork(engine.store, self._graph, engine.run, step, new, engine.clock.time())
        return await Session.restore(
            self._graph, store=engine.store, run_id=new, transients=transients_of(engine.root.state),
            clock=engine.clock,
        )  # fmt: skip

    # --- effects ------------------------------------------------------------------------------------------

    async def settle(self, node: str, how: Settlement | str | Sequence[Mutation], *, actor: str = "") -> None:
        """Say what became of an `effect once` node that the run died in.

        Args:
            node: its name (with the frame path in front where nested).
            how: `retry` (call it again), `skip` (go on as if it had recorded nothing), or the mutations
                that it would have recorded.

        Raises:
            DecisionRefused: that node is not uncertain, or is so at several places.
            MutationRejected, NodeFailed: the node does not declare that, or `ensures` more.
        """
        if self._driving.status in (RunStatus.DONE, RunStatus.CANCELLED):
            raise DecisionRefused(
                f"the run is {self._driving.status}, nothing is to be settled", run=self.run_id
            )
        await settle(self._engine, node, how, actor)
        if not uncertain(self._engine) and self._driving.status is RunStatus.UNCERTAIN:
            ended = self._engine.root.node == plan.END
            await self._driving.note(RunStatus.DONE if ended else RunStatus.RUNNING)
