"""A store in one SQLite file: the embedded default, durable without a server."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from ...errors import CheckpointNotFound, StorageError
from ..bulk import History, in_bulk
from ..codec import Codec, JsonCodec
from ..group import CommitGroup
from ..protocols import in_order
from ..reading import damages
from ..records import (
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
from ..segments import in_segments
from .database import Database, Durability
from .integrity import examine, problems
from .opened import Opened


class SqliteStore:
    """Runs in a file, through a write-ahead log.

    Args:
        path: the file; made where it is not there (its directory is not).
        durability: `full` survives the loss of power; `normal` survives the death of the process, and
            loses at most the last commits, never their order, with the power.
        codec: how texts become bytes, JSON as it is by default.
        timeout: seconds to wait for another process that is writing.
        readonly: open a file that is there, for looking only.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "full",
        codec: Codec | None = None,
        timeout: float = 5.0,
        readonly: bool = False,
    ) -> None:
        if durability not in ("full", "normal"):
            raise StorageError(f"durability is `full` or `normal`, not `{durability}`")
        self.path = os.fspath(path)
        self._durability: Durability = durability
        self._codec = JsonCodec() if codec is None else codec
        self._timeout = timeout
        self._readonly = readonly
        self._state: Opened | None = None
        self._closed = False
        self._notes: list[str] = []
        self._changes = 0
        self._group = CommitGroup(self._write)

    async def __aenter__(self) -> Self:
        self._closed = False
        self._opened()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Write what is waiting and close the file."""
        if self._state is not None:
            self._group.flush()
            self._state.database.close()
        self._state = None
        self._closed = True

    def _opened(self) -> Opened:
        if self._state is None:
            if self._closed:
                raise StorageError(f"the store {self.path} is closed", hint="use it inside `async with`")
            database = Database(
                self.path,
                codec=self._codec.name,
                durability=self._durability,
                timeout=self._timeout,
                readonly=self._readonly,
            )
            try:
                self._notes += [*database.notes, *examine(database, _size(self.path))]
            except BaseException:
                database.close()
                raise
            self._state = Opened(database, self._codec)
        return self._state

    def _writable(self) -> Opened:
        state = self._state or self._opened()
        if self._readonly:
            raise StorageError(f"{self.path} was opened for looking only", hint="open it without `readonly`")
        return state

    # --- steps ----------------------------------------------------------------------------------------

    @in_order
    async def commit(self, commit: Commit) -> None:
        """Make a step durable. Raises RunFenced, RunNotFound, SerializationError, StorageError."""
        if self._state is None or self._readonly:
            self._writable()
        await self._group.commit(commit)

    def _write(self, commits: Sequence[Commit]) -> Sequence[Exception | None]:
        state = self._state
        if state is None:
            return [StorageError(f"the store {self.path} is closed", run=commit.run) for commit in commits]
        return state.writer.write(commits)

    async def append(self, record: MutationRecord) -> None:
        """Add the next step of a run, without asking for a token."""
        await self.append_batch((record,))

    async def append_batch(self, records: Sequence[MutationRecord]) -> None:
        """Add several steps, all or none."""
        state = self._writable()
        with state.change():
            for run in {record.run for record in records}:
                state.ledger.drop(run)
            for record in records:
                state.ledger.append(record)

    async def _segments(self, run: str, from_step: int) -> AsyncIterator[Sequence[MutationRecord]]:
        for records in self._opened().replay.segments(run, from_step):
            yield records

    async def _histories(self, runs: Sequence[str], most: int) -> Mapping[str, History]:
        return self._opened().bulk.histories(runs, most)

    @in_bulk(_histories)
    @in_segments(_segments)
    async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """The steps from `from_step` on, in order. Raises CheckpointCorrupted with the step."""
        for records in self._opened().replay.segments(run, from_step):
            for record in records:
                yield record

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Really delete the steps before `keep_from_step`; how many went."""
        state = self._writable()
        with state.change():
            return state.ledger.truncate(run, keep_from_step)

    # --- checkpoints ----------------------------------------------------------------------------------

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep a checkpoint (replacing one of the same id)."""
        state = self._writable()
        with state.change():
            state.checkpoints.save(checkpoint)

    async def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound, CheckpointCorrupted."""
        return self._opened().checkpoints.load(id)

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one of a run. Raises CheckpointNotFound, CheckpointCorrupted."""
        checkpoints = self._opened().checkpoints
        found = checkpoints.list(run)
        if not found:
            raise CheckpointNotFound("the run has no checkpoint", run=run)
        return checkpoints.load(found[0].id)

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run, newest first, without the texts of their snapshots."""
        return self._opened().checkpoints.list(run)

    async def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What the run could not be rebuilt without stays, not listed."""
        state = self._writable()
        with state.change():
            return state.checkpoints.delete(id)

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed. The snapshots needed stay."""
        state = self._writable()
        with state.change():
            state.ledger.drop(run)
            return state.checkpoints.prune(run, keep)

    @in_bulk(_histories)
    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """The newest checkpoint that holds a good snapshot (not after step `at_most`), or None."""
        return self._opened().checkpoints.latest_snapshot(run, at_most)

    def warnings(self) -> Sequence[str]:
        """What was passed over since the last call."""
        if self._state is None:
            return ()
        found = [*self._notes, *self._state.registry.warnings, *self._state.checkpoints.warnings]
        self._notes.clear()
        self._state.registry.warnings.clear()
        self._state.checkpoints.warnings.clear()
        return found

    # --- graphs and runs ------------------------------------------------------------------------------

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form (once for each hash)."""
        state = self._writable()
        if state.registry.has_graph(hash):
            return
        with state.change():
            state.registry.put_graph(hash, name, canonical)

    async def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash."""
        return self._opened().registry.get_graph(hash)

    async def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        state = self._writable()
        with state.change():
            state.registry.create_run(run)

    async def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound."""
        return self._opened().registry.get_run(run)

    async def list_runs(
        self, *, status: RunStatus | None = None, graph: str | None = None
    ) -> Sequence[RunRecord]:
        """Runs, newest first."""
        return self._opened().registry.list_runs(status, graph)

    async def take(self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0) -> int:
        """Become the one who drives a run; the new fencing token. Raises RunNotFound, RunFenced."""
        state = self._writable()
        with state.change():
            fence = state.registry.take(run, owner, time.time(), expect, lease)
        self._changes += 1
        return fence

    # --- decisions, attempts, overrides ---------------------------------------------------------------

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        state = self._writable()
        with state.change():
            id = state.registry.add_decision(decision)
        self._changes += 1
        return id

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first; with `waiting` only those not applied yet."""
        return self._opened().registry.decisions(run, waiting)

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Attempts of `effect once` nodes whose visit has not been committed."""
        return self._opened().registry.attempts(run)

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run to other graphs, oldest first."""
        return self._opened().registry.overrides(run)

    # --- looking after it -----------------------------------------------------------------------------

    async def delete_run(self, run: str, *, expect: RunRecord | None = None) -> bool:
        """Really delete a run with all that belongs to it; whether it was there. Raises RunFenced."""
        state = self._writable()
        with state.change():
            gone = state.upkeep.delete_run(run, expect)
        self._changes += 1
        return gone

    async def stats(self) -> StoreStats:
        """How much there is."""
        return self._opened().upkeep.stats()

    async def verify(self) -> Sequence[Damage]:
        """Read everything that is stored and say what is not what was written. Changes nothing."""
        return [*await damages(self), *problems(self._opened().database)]

    async def shrink(self) -> None:
        """Give the space of what was deleted back: the file is rewritten, while nobody else writes."""
        self._group.flush()
        self._writable().upkeep.shrink()

    async def data_version(self) -> int:
        """A number that changes when another session, here or elsewhere, may have changed the store."""
        row = self._opened().database.row("PRAGMA data_version")
        assert row is not None
        return int(row[0]) + self._changes


def _size(path: str) -> int:
    with suppress(OSError):
        return Path(path).stat().st_size
    return 0
