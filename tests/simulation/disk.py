"""One durable state, and what each simulated process sees of it: slow, failing, and cut off when it dies.

An operation takes effect at one moment between its call and its return. A fault strikes before that moment
or after it; so does the death of the process.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from lgc.runtime import MemoryStore, RunStatus, StorageError
from lgc.runtime.store.group import CommitGroup
from lgc.runtime.store.protocols import in_order
from lgc.runtime.store.records import (
    AttemptRecord,
    CheckpointRecord,
    Commit,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
)

from .ledger import RunLedger
from .loop import Process

if TYPE_CHECKING:
    from .world import World

R = TypeVar("R")


def at_once(work: Coroutine[Any, Any, R]) -> R:
    """What a coroutine gives that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("the store waited")


class Disk:
    """The durable state: what outlives every process. Each change is told to the ledger."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.core = MemoryStore()

    def look(self, run: str) -> None:
        """Whether all that was committed is still there."""
        history, given = self.core._histories[run], len(self.world.ledger.runs[run].log)
        there = history.base + len(history.log)
        if there != given:
            self.world.report(f"{run}: {given} steps were committed, and {there} are there")

    def commit(self, commit: Commit, key: str) -> None:
        """Make it durable."""
        self.look(commit.run)
        at_once(self.core.commit(commit))
        self.world.ledger.committed(commit, key)
        if commit.snapshot is not None and not commit.snapshot.step:
            self.world.origins[commit.run] = commit.snapshot.snapshot
        self.world.trace("committed", commit.run, _told(commit))

    def create_run(self, run: RunRecord) -> None:
        """Make it durable."""
        at_once(self.core.create_run(run))
        self.world.ledger.runs[run.run] = RunLedger(run.status)
        self.world.trace("created", run.run)

    def take(self, run: str, owner: str, expect: RunRecord | None, lease: float) -> int:
        """Make it durable."""
        self.look(run)
        fence = at_once(self.core.take(run, owner, expect=expect, lease=lease))
        self.world.ledger.took(run, fence)
        self.world.trace("taken", run, f"token {fence}")
        return fence

    def add_decision(self, decision: DecisionRecord) -> int:
        """Make it durable."""
        id = at_once(self.core.add_decision(decision))
        self.world.ledger.decided(id, decision)
        where = decision.barrier or decision.node
        self.world.trace("decided", decision.run, f"{id}: {decision.answer} for {where}")
        return id


def _told(commit: Commit) -> str:
    parts = [f"token {commit.fence}"]
    if commit.record is not None:
        r = commit.record
        parts.append(f"step {r.step} {r.frame}/{r.node}#{r.visit} {r.outcome} -> {r.next}")
    if commit.status is not None:
        parts.append(f"status {commit.status}")
    if commit.snapshot is not None:
        parts.append(f"snapshot {commit.snapshot.id}")
    if commit.decision:
        parts.append(f"decision {commit.decision}")
    if commit.attempt is not None:
        parts.append(f"attempt {commit.attempt.frame}/{commit.attempt.node}#{commit.attempt.visit}")
    if commit.settled:
        parts.append(f"settled {commit.settled}")
    if commit.lease is not None:
        parts.append(f"lease {commit.lease:.3f}")
    return ", ".join(parts)


class Handle:
    """The store as one process has it open. It gives one step of a run at a time."""

    def __init__(self, disk: Disk, process: Process) -> None:
        self._disk = disk
        self._core = disk.core
        self._world = disk.world
        self._process = process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    async def _do(self, name: str, work: Callable[[], R], *, writes: bool = False) -> R:
        """An operation with all that can befall it."""
        world = self._world
        await self._arrive(name)
        fault = world.store_fault(self._process, name, writes)
        if fault == "before":
            raise StorageError(f"simulated: `{name}` failed")
        result = work()
        if fault == "die":
            await world.die_here(self._process)
        pause = world.delay(name)
        if pause is not None:
            await asyncio.sleep(pause)
        self._refuse_dead()
        if fault == "after":
            raise StorageError(f"simulated: no answer to `{name}`")
        return result

    async def _arrive(self, name: str) -> None:
        self._refuse_dead()
        pause = self._world.delay(name)
        if pause is not None:
            await asyncio.sleep(pause)
        self._refuse_dead()

    def _refuse_dead(self) -> None:
        if self._process.dead:
            raise StorageError("simulated: the process is dead")

    async def commit(self, commit: Commit) -> None:
        """Make a step durable."""
        key = self._world.key_of(commit)
        await self._do("commit", lambda: self._disk.commit(commit, key), writes=True)
        self._world.ledger.told(commit)

    async def append(self, record: MutationRecord) -> None:
        """Nobody does that to a run that is driven."""
        raise NotImplementedError

    async def append_batch(self, records: Sequence[MutationRecord]) -> None:
        """Nobody does that to a run that is driven."""
        raise NotImplementedError

    async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """The steps, as they are when each is asked for."""
        await self._do("replay", lambda: None)
        async for record in self._core.replay(run, from_step):
            yield record
            if record.step % 7 == 0:
                await self._arrive("replay")

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Really delete the steps before."""
        return await self._do(
            "truncate", lambda: at_once(self._core.truncate(run, keep_from_step)), writes=True
        )

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Nobody does that to a run that is driven."""
        raise NotImplementedError

    async def load(self, id: str) -> CheckpointRecord:
        """By id."""
        return await self._do("load", lambda: at_once(self._core.load(id)))

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one."""
        return await self._do("load_latest", lambda: at_once(self._core.load_latest(run)))

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run."""
        return await self._do("list", lambda: at_once(self._core.list(run)))

    async def delete(self, id: str) -> bool:
        """Remove one."""
        return await self._do("delete", lambda: at_once(self._core.delete(id)), writes=True)

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest."""
        return await self._do("prune", lambda: at_once(self._core.prune(run, keep)), writes=True)

    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """The newest one that holds a snapshot."""
        return await self._do("latest_snapshot", lambda: at_once(self._core.latest_snapshot(run, at_most)))

    def warnings(self) -> Sequence[str]:
        """Nothing."""
        return ()

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form."""
        at_once(self._core.put_graph(hash, name, canonical))

    async def get_graph(self, hash: str) -> str | None:
        """By hash."""
        return at_once(self._core.get_graph(hash))

    async def create_run(self, run: RunRecord) -> None:
        """Add a run."""
        await self._do("create_run", lambda: self._disk.create_run(run), writes=True)

    async def get_run(self, run: str) -> RunRecord:
        """By id."""
        return await self._do("get_run", lambda: at_once(self._core.get_run(run)))

    async def list_runs(
        self, *, status: RunStatus | None = None, graph: str | None = None
    ) -> Sequence[RunRecord]:
        """Runs, newest first."""
        return await self._do("list_runs", lambda: at_once(self._core.list_runs(status=status, graph=graph)))

    async def take(self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0) -> int:
        """Become the one who drives a run."""
        return await self._do("take", lambda: self._disk.take(run, owner, expect, lease), writes=True)

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer."""
        id = await self._do("add_decision", lambda: self._disk.add_decision(decision), writes=True)
        self._world.ledger.answered.append((decision.run, id))
        return id

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """The answers."""
        return await self._do("decisions", lambda: at_once(self._core.decisions(run, waiting=waiting)))

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Attempts of `effect once` nodes."""
        return await self._do("attempts", lambda: at_once(self._core.attempts(run)))

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Forced restores."""
        return at_once(self._core.overrides(run))

    async def delete_run(self, run: str, *, expect: RunRecord | None = None) -> bool:
        """Nobody does."""
        raise NotImplementedError

    async def stats(self) -> Any:
        """Nobody asks."""
        raise NotImplementedError

    async def verify(self) -> Sequence[Any]:
        """Nobody asks."""
        return ()

    async def shrink(self) -> None:
        """Nothing to give back."""

    async def data_version(self) -> int:
        """A number that changes."""
        return await self._do("data_version", lambda: at_once(self._core.data_version()))


class OrderedHandle(Handle):
    """Takes steps of a run before earlier ones are durable, and keeps their order."""

    def __init__(self, disk: Disk, process: Process) -> None:
        super().__init__(disk, process)
        self._last: dict[str, asyncio.Future[None]] = {}

    @in_order
    async def commit(self, commit: Commit) -> None:
        """Make a step durable, after those that were given before."""
        before = self._last.get(commit.run)
        mine = self._last[commit.run] = asyncio.get_running_loop().create_future()
        try:
            await self._arrive("commit")
            while before is not None and not before.done():
                await asyncio.wait([before])
            key = self._world.key_of(commit)
            await self._do("commit", lambda: self._disk.commit(commit, key), writes=True)
        finally:
            mine.set_result(None)
        self._world.ledger.told(commit)


class GroupedHandle(Handle):
    """Writes the commits of all runs that are ready together, as the store in a file does."""

    def __init__(self, disk: Disk, process: Process) -> None:
        super().__init__(disk, process)
        self._group = CommitGroup(self._write)
        self._keys: dict[int, str] = {}

    @in_order
    async def commit(self, commit: Commit) -> None:
        """Make a step durable, together with others."""
        self._refuse_dead()
        self._keys[id(commit)] = self._world.key_of(commit)
        await self._group.commit(commit)
        self._refuse_dead()
        self._world.ledger.told(commit)

    def _write(self, commits: Sequence[Commit]) -> Sequence[Exception | None]:
        return [self._one(commit) for commit in commits]

    def _one(self, commit: Commit) -> Exception | None:
        if self._process.dead:
            return StorageError("simulated: the process is dead")
        fault = self._world.store_fault(self._process, "commit", True)
        if fault == "before":
            return StorageError("simulated: `commit` failed")
        try:
            self._disk.commit(commit, self._keys.pop(id(commit)))
        except Exception as error:
            return error
        if fault == "die":
            self._world.kill(self._process)
            return StorageError("simulated: the process is dead")
        return StorageError("simulated: no answer to `commit`") if fault == "after" else None


HANDLES: tuple[type[Handle], ...] = (Handle, OrderedHandle, GroupedHandle)
