"""What the conformance checks are made of: the store to try, and short ways to say what is expected."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from ..store.protocols import Store
from ..store.records import CheckpointRecord, Commit, DecisionRecord, MutationRecord, RunRecord, RunStatus

HASH = "lg1:" + "a" * 64
OTHER_HASH = "lg1:" + "b" * 64

Place: TypeAlias = Literal["log", "checkpoint"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The store to try.

    Attributes:
        make: a new, empty store each time, not opened yet.
        reopen: another store object on the place of one (which may be open or closed), as another process
            would have it; None where nothing outlives the object.
        damage: change a stored byte of a log record, or of the snapshot of the checkpoint `RUN@STEP`; None
            where that cannot be done.
    """

    make: Callable[[], Store]
    reopen: Callable[[Store], Store] | None = None
    damage: Callable[[Store, Place, str, int], None] | None = None

    @asynccontextmanager
    async def two(self) -> AsyncGenerator[tuple[Store, Store]]:
        """Two views of one place, as two processes have them; the same one twice where there is no other."""
        async with self.make() as first:
            if self.reopen is None:
                yield first, first
            else:
                async with self.reopen(first) as second:
                    yield first, second


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: its name, and a function that raises where the store breaks it."""

    name: str
    run: Callable[[Subject], Awaitable[None]]
    needs: Literal["", "reopen", "damage"] = ""

    def applies(self, subject: Subject) -> bool:
        """Whether the subject offers what the check needs."""
        return not self.needs or getattr(subject, self.needs) is not None

    async def __call__(self, subject: Subject) -> None:
        """Try it. Raises AssertionError, or what the store raised."""
        await self.run(subject)


class Checks:
    """Collects the checks of a file in order."""

    def __init__(self) -> None:
        self.all: list[Check] = []

    def add(
        self, needs: Literal["", "reopen", "damage"] = ""
    ) -> Callable[[Callable[[Subject], Awaitable[None]]], Callable[[Subject], Awaitable[None]]]:
        """Decorator: the function's name says the promise."""

        def keep(run: Callable[[Subject], Awaitable[None]]) -> Callable[[Subject], Awaitable[None]]:
            self.all.append(Check(run.__name__, run, needs))
            return run

        return keep


def expect(given: object, wanted: object, what: str) -> None:
    """Raise AssertionError unless both are equal."""
    if given != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {given!r}")


async def refused(call: Awaitable[object], error: type[Exception], what: str) -> Any:
    """The error that a call raises. Raises AssertionError where it does not, or raises another one."""
    try:
        await call
    except error as raised:
        return raised
    except Exception as raised:
        raise AssertionError(f"{what}: expected {error.__name__}, got {raised!r}") from raised
    raise AssertionError(f"{what}: expected {error.__name__}, but it was accepted")


def a_run(run: str = "r", **other: Any) -> RunRecord:
    """A run to add."""
    return replace(RunRecord(run, "article", HASH, RunStatus.RUNNING, '{"a":1}', 100.5, 100.5), **other)


def a_step(run: str = "r", step: int = 1, **other: Any) -> MutationRecord:
    """A step to commit."""
    record = MutationRecord(
        run, step, "check/facts", "write", step, "ok", "grade", "", '[{"m":"add","p":{}}]', 1000.0 + step,
        0.25, 1, 2.5, "", "", HASH, '{"answer":"approve"}',
    )  # fmt: skip
    return record._replace(**other)


def marked(run: str = "r", step: int = 1, **other: Any) -> MutationRecord:
    """A step with a checkpoint by reference."""
    return a_step(run, step, checkpoint=f"{run}@{step}", **other)


def a_snapshot(run: str = "r", step: int = 1, **other: Any) -> CheckpointRecord:
    """A checkpoint with a snapshot."""
    return replace(CheckpointRecord(f"{run}@{step}", run, step, HASH, 1000.0 + step, '{"s":1}'), **other)


def a_decision(run: str = "r", **other: Any) -> DecisionRecord:
    """An answer to a barrier."""
    return replace(
        DecisionRecord(run, "b1", "sign_off", "approve", "{}", "[]", "ed@example.org", 5.0), **other
    )


async def begun(store: Store, run: str = "r", steps: int = 0) -> int:
    """Add a run, take it and commit steps; its fencing token."""
    await store.create_run(a_run(run))
    fence = await store.take(run, "first")
    for step in range(1, steps + 1):
        await store.commit(Commit(run, fence, a_step(run, step)))
    return fence


async def log(store: Store, run: str = "r", from_step: int = 1) -> list[MutationRecord]:
    """The stored steps of a run."""
    return [record async for record in store.replay(run, from_step)]


async def steps(store: Store, run: str = "r", from_step: int = 1) -> list[int]:
    """The numbers of the stored steps."""
    return [record.step for record in await log(store, run, from_step)]
