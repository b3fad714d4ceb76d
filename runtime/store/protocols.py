"""What a store keeps and what it must promise.

A store keeps, for each run: the run itself, one log record per committed step, checkpoints (some with a
materialised snapshot, most by reference to the log), decisions from outside, attempts of `effect once`
nodes, and moves to other graphs; and each graph's canonical form once, by its hash.

Promises that the conformance suite (`lgc.runtime.testing`) tries:
* `commit` is one transaction: all of it is kept or nothing; when it returns, it survives the death of the
  process (and of the machine, where the store says so);
* it refuses (`RunFenced`) when the run's fencing token is not the one given: every `take` of a run
  raises the token, so a session that was overtaken can never commit again;
* of many that `take` a run with the same `expect`, one gets it;
* steps of a run are 1, 2, 3 … without gaps; a step that is already there is refused;
* what is read is what was written, or CheckpointCorrupted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, Self, TypeVar

from .records import (
    AttemptRecord,
    CheckpointRecord,
    Commit,
    Damage,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
    RunStatus,
    StoreStats,
)

C = TypeVar("C", bound=Callable[..., object])


def in_order(commit: C) -> C:
    """Mark a store's `commit`: steps of one run that are given before an earlier one is kept stay in order.

    A store without the mark (also one that wraps another's `commit`) is given one step of a run at a time.
    """
    commit.in_order = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return commit


class CheckpointStore(Protocol):
    """Checkpoints by id and by run."""

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep a checkpoint (replacing one of the same id)."""
        ...

    async def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound (also for one that is not listed), CheckpointCorrupted."""
        ...

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one of a run. Raises CheckpointNotFound, CheckpointCorrupted."""
        ...

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run that are listed, newest first, with and without snapshots (snapshot texts may be left
        out)."""
        ...

    async def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What the run could not be rebuilt without stays, not listed."""
        ...

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed.

        Those at which the run was moved (a snapshot, a name of its own, the step of an override) stay as they
        are and are not counted. The newest snapshot that they need stays, not listed, and so does one of
        step 0: a forked run begins with it. Where none are kept, a log without its beginning needs its
        newest snapshot."""
        ...


class MutationLogStore(Protocol):
    """The log of committed steps."""

    async def append(self, record: MutationRecord) -> None:
        """Add the next step of a run."""
        ...

    async def append_batch(self, records: Sequence[MutationRecord]) -> None:
        """Add several steps, all or none."""
        ...

    def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """The steps from `from_step` on, in order, without those that were truncated (look at the number of
        the first). Raises CheckpointCorrupted with the step."""
        ...

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Really delete the steps before `keep_from_step`; how many went."""
        ...


class Store(CheckpointStore, MutationLogStore, Protocol):
    """All that a session needs of one place."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form (once for each hash)."""
        ...

    async def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash."""
        ...

    async def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        ...

    async def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound."""
        ...

    async def list_runs(
        self, *, status: RunStatus | None = None, graph: str | None = None
    ) -> Sequence[RunRecord]:
        """Runs, newest first."""
        ...

    async def take(self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0) -> int:
        """Become the one who drives a run; the new fencing token.

        Args:
            expect: take it only if token and lease still are those of this record; None: in any case.
            lease: until when the owner counts as being at work (seconds since the epoch).

        Raises RunNotFound, RunFenced where token or lease are not the expected ones.
        """
        ...

    async def commit(self, commit: Commit) -> None:
        """Make a step durable. Raises RunFenced, StorageError."""
        ...

    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """The newest checkpoint that holds a good snapshot (not after step `at_most`); None: start from the
        input. One whose checksum is wrong is passed over and reported through `warnings`."""
        ...

    def warnings(self) -> Sequence[str]:
        """What was passed over since the last call."""
        ...

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        ...

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first; with `waiting` only those not applied yet."""
        ...

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Attempts of `effect once` nodes whose visit has not been committed."""
        ...

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run to other graphs, oldest first."""
        ...

    async def delete_run(self, run: str, *, expect: RunRecord | None = None) -> bool:
        """Really delete a run with all that belongs to it; whether it was there.

        Large values that no other run uses go with it. A session that still drives it gets RunNotFound at its
        next commit, also where a run of the same id has been added since.

        Args:
            run: which.
            expect: delete it only if its token and status still are these; None: in any case.

        Raises RunFenced where they are not.
        """
        ...

    async def stats(self) -> StoreStats:
        """How much there is."""
        ...

    async def verify(self) -> Sequence[Damage]:
        """Read everything that is stored and say what is not what was written. Changes nothing."""
        ...

    async def shrink(self) -> None:
        """Give the space of what was deleted back to the medium."""
        ...

    async def data_version(self) -> int:
        """A number that changes when another process may have changed the store (for polling decisions)."""
        ...
