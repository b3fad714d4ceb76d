"""A store in one schema of a PostgreSQL database. The driver is imported when a store is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from ...errors import StorageError
from ..bulk import History, in_bulk
from ..codec import Codec, JsonCodec
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

if TYPE_CHECKING:
    from .opened import Opened

Durability: TypeAlias = Literal["full", "normal"]


class PostgresStore:
    """Runs in a database, which several machines may share.

    Args:
        url: `postgresql://USER@HOST:PORT/DATABASE`, as libpq takes it; `?schema=NAME` names the schema.
        schema: where in the database, `lgc` by default; made where it is not there.
        durability: `full` survives the loss of the server's power; `normal` survives the death of every
            process, and loses at most the last moments, never their order, with the power
            (`synchronous_commit = off`, for this store's own transactions).
        codec: how texts become bytes, JSON as it is by default.
        timeout: seconds to wait for the server: for a connection, for a lock, for the answer to a commit.
        pool_size: connections at most, besides the one for steps.
        readonly: open what is there, for looking only.

    A store belongs to the event loop and the process in which it is first used.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str | None = None,
        durability: Durability = "full",
        codec: Codec | None = None,
        timeout: float = 10.0,
        pool_size: int = 4,
        readonly: bool = False,
    ) -> None:
        if durability not in ("full", "normal"):
            raise StorageError(f"durability is `full` or `normal`, not `{durability}`")
        if pool_size < 1 or timeout <= 0:
            raise StorageError("`pool_size` and `timeout` have to be more than zero")
        _demand_driver()
        from .target import target

        self._target = target(url, schema, timeout)
        self._durability = durability
        self._codec = JsonCodec() if codec is None else codec
        self._timeout = timeout
        self._pool_size = pool_size
        self._readonly = readonly
        self._state: Opened | None = None
        self._opening: asyncio.Lock | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"PostgresStore({self._target.shown!r})"

    @property
    def shown(self) -> str:
        """Which store this is, for people: no password, and the schema where it is not `lgc`."""
        return self._target.shown

    async def __aenter__(self) -> Self:
        self._closed = False
        await self._opened()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Write what is waiting and close all connections."""
        state, self._state = self._state, None
        self._closed = True
        self._opening = None
        if state is not None:
            await state.close()

    async def _opened(self) -> Opened:
        if self._state is None:
            if self._opening is None:
                self._opening = asyncio.Lock()
            async with self._opening:
                if self._closed:
                    raise StorageError(f"the store {self.shown} is closed", hint="use it inside `async with`")
                if self._state is None:
                    from .opened import opened

                    self._state = await opened(
                        self._target, codec=self._codec, durability=self._durability, patience=self._timeout,
                        pool_size=self._pool_size, readonly=self._readonly,
                    )  # fmt: skip
        return self._state

    async def _writable(self) -> Opened:
        if self._readonly:
            raise StorageError(f"{self.shown} was opened for looking only", hint="open it without `readonly`")
        state = self._state or await self._opened()
        state.server.demand_home()
        return state

    # --- steps ----------------------------------------------------------------------------------------

    @in_order
    async def commit(self, commit: Commit) -> None:
        """Make a step durable. Raises RunFenced, RunNotFound, SerializationError, StorageError."""
        await (await self._writable()).group.commit(commit)

    async def append(self, record: MutationRecord) -> None:
        """Add the next step of a run, without asking for a token."""
        await self.append_batch((record,))

    async def append_batch(self, records: Sequence[MutationRecord]) -> None:
        """Add several steps, all or none."""
        await (await self._writable()).log.append(records)

    async def _histories(self, runs: Sequence[str], most: int) -> Mapping[str, History]:
        return await (await self._opened()).bulk.histories(runs, most)

    @in_bulk(_histories)
    async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """The steps from `from_step` on, in order. Raises CheckpointCorrupted with the step."""
        async for record in (await self._opened()).log.records(run, from_step):
            yield record

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Really delete the steps before `keep_from_step`; how many went."""
        return await (await self._writable()).log.truncate(run, keep_from_step)

    # --- checkpoints ----------------------------------------------------------------------------------

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep a checkpoint (replacing one of the same id)."""
        await (await self._writable()).checkpoints.save(checkpoint)

    async def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound, CheckpointCorrupted."""
        return await (await self._opened()).checkpoints.load(id)

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one of a run. Raises CheckpointNotFound, CheckpointCorrupted."""
        return await (await self._opened()).checkpoints.load_latest(run)

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run, newest first, without the texts of their snapshots."""
        return await (await self._opened()).checkpoints.list(run)

    async def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What the run could not be rebuilt without stays, not listed."""
        return await (await self._writable()).checkpoints.delete(id)

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed. The snapshots needed stay."""
        return await (await self._writable()).checkpoints.prune(run, keep)

    @in_bulk(_histories)
    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """The newest checkpoint that holds a good snapshot (not after step `at_most`), or None."""
        return await (await self._opened()).checkpoints.latest_snapshot(run, at_most)

    def warnings(self) -> Sequence[str]:
        """What was passed over since the last call."""
        return () if self._state is None else self._state.warnings()

    # --- graphs and runs ------------------------------------------------------------------------------

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form (once for each hash)."""
        await (await self._writable()).registry.put_graph(hash, name, canonical)

    async def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash."""
        return await (await self._opened()).registry.get_graph(hash)

    async def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        await (await self._writable()).registry.create_run(run)

    async def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound."""
        return await (await self._opened()).registry.get_run(run)

    async def list_runs(
        self, *, status: RunStatus | None = None, graph: str | None = None
    ) -> Sequence[RunRecord]:
        """Runs, newest first."""
        return await (await self._opened()).registry.list_runs(status, graph)

    async def take(self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0) -> int:
        """Become the one who drives a run; the new fencing token. Raises RunNotFound, RunFenced."""
        return await (await self._writable()).registry.take(run, owner, expect, lease)

    # --- decisions, attempts, overrides ---------------------------------------------------------------

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        return await (await self._writable()).answers.add_decision(decision)

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first; with `waiting` only those not applied yet."""
        return await (await self._opened()).answers.decisions(run, waiting)

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Attempts of `effect once` nodes whose visit has not been committed."""
        return await (await self._opened()).answers.attempts(run)

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run to other graphs, oldest first."""
        return await (await self._opened()).answers.overrides(run)

    # --- looking after it -----------------------------------------------------------------------------

    async def delete_run(self, run: str, *, expect: RunRecord | None = None) -> bool:
        """Really delete a run with all that belongs to it; whether it was there. Raises RunFenced."""
        return await (await self._writable()).upkeep.delete_run(run, expect)

    async def stats(self) -> StoreStats:
        """How much there is."""
        return await (await self._opened()).upkeep.stats()

    async def verify(self) -> Sequence[Damage]:
        """Read everything that is stored and say what is not what was written. Changes nothing."""
        return [*await damages(self), *await (await self._opened()).upkeep.orphans()]

    async def shrink(self) -> None:
        """Give the space of what was deleted back to the medium. Other sessions wait meanwhile."""
        await (await self._writable()).upkeep.shrink()

    async def data_version(self) -> int:
        """A number that changes when another session, here or elsewhere, may have changed the store.

        It costs the server next to nothing: it only says which transactions have ended.
        """
        row = await (await self._opened()).server.row(
            "SELECT hashtextextended(pg_current_snapshot()::text, 0)"
        )
        assert row is not None
        return int(row[0])


def _demand_driver() -> None:
    try:
        import_module("psycopg")
        import_module("psycopg_pool")
    except ImportError as error:
        raise StorageError(
            f"stores in PostgreSQL need the extra `lgc[postgres]` ({error})",
            hint="install it: pip install 'lgc[postgres]'",
        ) from error
