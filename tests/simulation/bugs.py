"""Mistakes to plant in the engine and its store: a simulation that does not find them proves nothing."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from lgc.runtime import MemoryStore, StorageError
from lgc.runtime.context import TaskContext
from lgc.runtime.engine.engine import Engine
from lgc.runtime.machine.position import to_snapshot
from lgc.runtime.store.records import Commit, DecisionRecord, MutationRecord, RunStatus

from .loop import Process
from .world import World

Bug = Callable[[], Any]


def no_fence() -> Any:
    """The store does not look at the token."""
    commit = MemoryStore.commit

    async def careless(self: MemoryStore, given: Commit) -> None:
        await commit(self, given._replace(fence=self._histories[given.run].fence))

    careless.in_order = True  # type: ignore[attr-defined]  # pyright: ignore
    return patch.object(MemoryStore, "commit", careless)


def last_commit_is_lost() -> Any:
    """What was committed last goes with the process that dies."""
    kill = World.kill

    def losing(self: World, process: Process) -> None:
        log: list[MutationRecord] = []
        for history in self.disk.core._histories.values():
            log = history.log or log
        if log:
            log.pop()
        kill(self, process)

    return patch.object(World, "kill", losing)


def goes_on_after_failure() -> Any:
    """A step that could not be stored counts as stored."""
    commit = Engine.commit

    async def careless(self: Engine, *args: Any) -> None:
        try:
            await commit(self, *args)
        except StorageError:
            return

    return patch.object(Engine, "commit", careless)


def answer_is_lost() -> Any:
    """Every third answer is accepted, and not kept."""
    add, number = MemoryStore.add_decision, count(1)

    async def forgetful(self: MemoryStore, decision: DecisionRecord) -> int:
        id = await add(self, decision)
        if not next(number) % 3:
            self._histories[decision.run].decisions.pop()
        return id

    return patch.object(MemoryStore, "add_decision", forgetful)


def answer_stays() -> Any:
    """A step that applies an answer does not say so to the store."""
    commit_step = Engine.commit_step

    async def silent(self: Engine, *args: Any, **options: Any) -> None:
        await commit_step(self, *args, **{**options, "decision": 0})

    return patch.object(Engine, "commit_step", silent)


def _always(node: Any, failure: Any) -> int:
    return 99 if node.retry else 0


def _nobody(run: Any, now: float) -> bool:
    return False


def endless_retries() -> Any:
    """How often a node was tried is forgotten."""
    return patch("lgc.runtime.engine.nodes._retries", _always)


def attempts_are_forgotten() -> Any:
    """A restored session does not know what was begun."""

    async def none(self: MemoryStore, run: str) -> tuple[()]:
        return ()

    return patch.object(MemoryStore, "attempts", none)


def attempts_are_not_kept() -> Any:
    """An `effect once` node is called before anybody knows of it."""

    async def nothing(*args: Any) -> None:
        return None

    return patch("lgc.runtime.engine.nodes._note_attempt", nothing)


@contextmanager
def leases_are_ignored() -> Generator[None]:
    """Nobody looks whether a run is being driven."""
    with (
        patch("lgc.runtime.sessions.lease.held", _nobody),
        patch("tests.simulation.actors.held", _nobody),
    ):
        yield


def anybody_takes() -> Any:
    """A run is taken although it is no longer what it was when it was looked at."""
    take = MemoryStore.take

    async def greedy(
        self: MemoryStore, run: str, owner: str, *, expect: Any = None, lease: float = 0.0
    ) -> int:
        return await take(self, run, owner, lease=lease)

    return patch.object(MemoryStore, "take", greedy)


def keys_without_visits() -> Any:
    """Every visit of a node has the same idempotency key."""
    key = TaskContext.idempotency_key.fget  # type: ignore[attr-defined]
    assert key is not None
    return patch.object(TaskContext, "idempotency_key", property(lambda self: key(self).rpartition("#")[0]))


def old_snapshots() -> Any:
    """A snapshot is of the step before."""
    write = to_snapshot
    before: dict[int, str] = {}

    def late(root: Any) -> str:
        text = write(root)
        return before.pop(id(root), text) if before.setdefault(id(root), text) != text else text

    return patch("lgc.runtime.engine.committing.to_snapshot", late)


@contextmanager
def resurrection() -> Generator[None]:
    """A session that was overtaken by the end of its run begins it anew."""
    get = MemoryStore.get_run

    async def blind(self: MemoryStore, run: str) -> Any:
        record = await get(self, run)
        return replace(record, status=RunStatus.RUNNING) if record.status is RunStatus.CANCELLED else record

    with patch.object(MemoryStore, "get_run", blind):
        yield


BUGS: tuple[Bug, ...] = (
    no_fence, last_commit_is_lost, goes_on_after_failure, answer_is_lost, answer_stays, endless_retries,
    attempts_are_forgotten, attempts_are_not_kept, leases_are_ignored, anybody_takes, keys_without_visits,
    old_snapshots, resurrection,
)  # fmt: skip
# What shows only where little else goes wrong is looked for there.
WHERE: dict[Bug, tuple[str, ...]] = {
    leases_are_ignored: ("kill", "leave"),
    anybody_takes: ("slow", "takeover"),
    endless_retries: ("nodes",),
}
