"""Driving a run from where it stands to where it ends or waits: its lease, its status, what is told of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .. import plan
from ..barriers.answering import Witness
from ..barriers.barrier import fitting
from ..barriers.standing import waiting_barriers
from ..engine.engine import Engine
from ..engine.failures import fatal
from ..engine.watch import watch
from ..errors import Cancelled, LgcError, RunFenced, RunUncertain, storable
from ..graph import Graph
from ..machine.position import to_snapshot
from ..observation.events import EventKind
from ..store.records import CheckpointRecord, Commit, RunStatus
from .lease import Heartbeat
from .settling import refuse_uncertain


class Driving:
    """Drives the run of an engine.

    Attributes:
        status: where the run stands.
        busy: whether it is being driven.
    """

    def __init__(self, engine: Engine, graph: Graph[Any], status: RunStatus, lease: float) -> None:
        self.status = status
        self.busy = False
        self._engine = engine
        self._graph = graph
        self._lease = lease
        self._beat = Heartbeat(lease, self._renew, engine.lose)

    async def run(self) -> None:
        """Go on until the run is done or waits; see `Session.run` for what is raised."""
        engine = self._engine
        if self.busy:
            raise LgcError("this session is already running", run=engine.run)
        if self.status is RunStatus.DONE:
            return
        if self.status is RunStatus.CANCELLED:
            raise Cancelled("the run was cancelled", run=engine.run, step=engine.step)
        self.busy = True
        leave = watch(engine.store, Witness(engine).look) if engine.store is not None else None
        engine.run_started(graph=self._graph.name, hash=self._graph.hash, resumed=engine.step > 0)
        try:
            await self._drive()
        except LgcError as error:
            if isinstance(error, RunFenced):
                engine.retainer = None  # the run is another session's now, and so are its checkpoints
            raise await self._failed(error) from error.__cause__
        except BaseException:
            await self._let_go()
            raise
        else:
            await self._over()
        finally:
            self.busy = False
            engine.run_left()
            if leave is not None:
                leave()
            await self._beat.stop()

    async def _drive(self) -> None:
        engine = self._engine
        refuse_uncertain(engine)
        await self._hold()
        if engine.root.node == plan.END:
            await self.note(RunStatus.DONE)
        status = await engine.drive()
        while status is RunStatus.WAITING and self._answered():
            status = await engine.drive()
        if status is RunStatus.WAITING:
            await self.note(status)
            engine.refuse_cancelled()
        self.status = status

    async def _hold(self) -> None:
        """Take the lease before any node is called."""
        engine = self._engine
        self.status = RunStatus.RUNNING
        if engine.store is not None:
            until = engine.clock.time() + self._lease
            await engine.commit(None, Commit(engine.run, engine.fence, status=RunStatus.RUNNING, lease=until))
            self._beat.start()

    async def _renew(self, length: float) -> None:
        engine = self._engine
        if engine.store is not None:
            until = engine.clock.time() + length if length else 0.0
            await engine.commit(None, Commit(engine.run, engine.fence, lease=until))

    async def _let_go(self) -> None:
        """Whoever drove the run leaves it: others may take it up at once."""
        await self._beat.stop()
        with suppress(LgcError):  # the lease of a session that cannot even say this runs out by itself
            await self._renew(0.0)
        await self._tidy()

    async def _over(self) -> None:
        engine = self._engine
        try:
            await self._tidy()
        finally:
            if self.status is RunStatus.WAITING:
                waiting = waiting_barriers(engine.run, engine.root)
                engine.run_over(EventKind.RUN_WAITING, barriers=[barrier.id for barrier in waiting])
            else:
                engine.run_over(EventKind.RUN_COMPLETED)

    async def _tidy(self) -> None:
        """What retention removes goes before the run is told to be over: it may have something to tell."""
        if self._engine.retainer is not None:
            await self._engine.retainer.finish()

    def _answered(self) -> bool:
        """Whether an answer came in after a barrier had given up waiting."""
        engine = self._engine
        waiting = waiting_barriers(engine.run, engine.root)
        return any(fitting(engine.decisions, info)[0] is not None for info in waiting)

    async def _failed(self, error: LgcError) -> LgcError:
        """Note how the run ended; the error to raise."""
        engine = self._engine
        if isinstance(error, RunFenced) and await self._cancelled_elsewhere():
            self.status = RunStatus.CANCELLED
            error = Cancelled("the run was cancelled by another process")
        error.at(run=engine.run, step=engine.step)
        told: dict[str, Any] = {"error": error.message, "type": type(error).__name__}
        kind = EventKind.RUN_CANCELLED if isinstance(error, Cancelled) else EventKind.RUN_FAILED
        try:
            if isinstance(error, RunUncertain):
                await self.note(RunStatus.UNCERTAIN, error.message)
            elif isinstance(error, Cancelled):
                if self.status is not RunStatus.CANCELLED:
                    await self.note(RunStatus.CANCELLED)
                told = {}
            elif not fatal(error):
                await self.note(RunStatus.FAILED, error.message)
        except LgcError as problem:  # the status is not written; what ended the run is told all the same
            kind, told = EventKind.RUN_FAILED, {"error": problem.message, "type": type(problem).__name__}
            raise
        finally:
            try:
                await self._tidy()
            finally:
                engine.run_over(kind, **told)
        return error

    async def _cancelled_elsewhere(self) -> bool:
        assert self._engine.store is not None
        with suppress(LgcError):
            for _ in range(5):  # whoever cancels a run takes it first: the status may follow in a moment
                if (await self._engine.store.get_run(self._engine.run)).status is RunStatus.CANCELLED:
                    return True
                await self._engine.clock.sleep(0.05)
        return False

    async def note(self, status: RunStatus, error: str = "") -> None:
        """Make a status durable, and give the lease back with it. Raises RunFenced, StorageError."""
        self.status = status
        engine = self._engine
        if engine.store is None:
            return
        await self._beat.stop()  # a beat that is under way would bring the lease back
        snapshot = None
        if status is RunStatus.WAITING and engine.began_late:
            snapshot, engine.began_late = self.snapshot(), False
        problem = storable(error)
        commit = Commit(engine.run, engine.fence, status=status, error=problem, snapshot=snapshot, lease=0.0)
        await engine.commit(None, commit)

    def snapshot(self) -> CheckpointRecord:
        """A checkpoint of the position now, to be kept."""
        engine = self._engine
        id = f"{engine.run}@{engine.step}"
        now, position = engine.clock.time(), to_snapshot(engine.root)
        return CheckpointRecord(id, engine.run, engine.step, self._graph.hash, now, position)
