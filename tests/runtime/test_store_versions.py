"""Stores that earlier versions have written are brought up to date when they are opened for writing."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.postgres_server import Place

from lgc.runtime import (
    BarrierDecision,
    OverrideRecord,
    RestoreMode,
    RunStatus,
    Session,
    SqliteStore,
    StorageError,
    Store,
    open_store,
    replay,
)
from lgc.runtime.store.postgres import tables
from lgc.runtime.store.records import Commit
from lgc.runtime.store.seals import seal
from lgc.runtime.testing.subject import HASH, OTHER_HASH, begun

STORES = Path(__file__).with_name("stores")

# The graph of the runs in them: `forced` was forced from 3 to 5 at its first step and went on twice, `plain`
# waits, `uncertain` died in `pay`.
TEXT = """
state S {
  n: int = 0
  mutation Add(by: int) { n += by }
}
graph g(S) {
  task a { records Add }
  barrier ok { shows n  timeout 1h  decision approve  decision reject }
  task pay { reads n  records Add  effect once }
  start -> a -> ok
  ok -> pay on approve
  ok -> a on reject
  ok -> end on timeout
  pay -> a when n < LIMIT
  pay -> end else
}
"""


def bound(module: Any) -> Any:
    async def add(ctx: Any) -> None:
        ctx.record(module.Add(by=1))

    return module.g(SimpleNamespace(a=add, pay=add))


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_earlier_version(version: int, compiled: Callable[..., Any], tmp_path: Path) -> None:
    old, new = compiled(TEXT.replace("LIMIT", "3")), compiled(TEXT.replace("LIMIT", "5"))
    path = tmp_path / "runs.db"
    path.write_bytes(zlib.decompress((STORES / f"version{version}.db.z").read_bytes()))

    class Early:
        """A clock of the day on which they were written: no barrier's time is over."""

        time = staticmethod(lambda: 1.0)
        monotonic = staticmethod(lambda: 1.0)

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

        def jitter(self) -> float:
            return 0.5

    async def go_on(store: Store, graph: Any, run: str, **options: Any) -> Session[Any]:
        session: Session[Any] = await Session.restore(
            graph, store=store, run_id=run, clock=Early(), take_over=True, **options
        )
        return session

    async def main() -> None:
        with pytest.raises(StorageError, match=f"has schema version {version}, this lgc reads version 3"):
            await SqliteStore(path, readonly=True).__aenter__()
        async with SqliteStore(path) as store:
            assert await store.verify() == []
            (override,) = await store.overrides("forced")
            assert (override.mode, override.actor, override.reason) == ("force", "ann", "five are fine")
            assert (override.step, override.expected, override.actual) == (1, old.G_HASH, new.G_HASH)
            # What was forced before has no snapshot of its own: its history is read all the same.
            assert [(await replay(store, "forced", step)).n for step in range(5)] == [0, 1, 1, 2, 3]
            session = await go_on(store, bound(new), "forced")
            assert (session.status, session.state.n) == (RunStatus.WAITING, 3)
            session = await go_on(store, bound(new), "plain", mode=RestoreMode.FORCE, reason="r", actor="bob")
            await session.decide("ok", BarrierDecision.approve(), actor="bob")
            assert (await session.run()).state.n == 3
            assert [move.mode for move in await store.overrides("plain")] == ["force"]
            session = await go_on(store, bound(old), "uncertain")
            assert session.status is RunStatus.UNCERTAIN
            await session.settle("pay", "retry")
            await session.run()
            assert await store.verify() == []
        async with SqliteStore(path, readonly=True) as store:
            assert await store.overrides("forced") == [override]

    asyncio.run(main())


def test_a_database_of_an_earlier_version(postgres: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = postgres.schema()
    url = postgres.store(schema)
    move = OverrideRecord("r", 2, "ed", "why", HASH, OTHER_HASH, 9.5, "migrate")

    async def write() -> None:
        async with open_store(url) as store:
            await begun(store, steps=2)

    with monkeypatch.context() as before:
        before.setattr(tables, "MIGRATIONS", {})
        before.setattr(tables, "VERSION", 1)
        asyncio.run(write())
    texts = [b"ed", b"why", HASH.encode(), OTHER_HASH.encode()]
    with postgres.connect() as connection:
        row = connection.execute(f'SELECT key FROM "{schema}".history'.encode()).fetchone()
        assert row is not None
        columns = "run, step, actor, reason, expected, actual, time, seal"
        connection.execute(
            f'INSERT INTO "{schema}".override ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)'.encode(),
            (row[0], 1, *texts, 9.5, seal(row[0], 1, *texts, 9.5)),
        )
    connection.close()

    async def read() -> None:
        async with open_store(url) as store:
            (forced,) = await store.overrides("r")
            assert forced == OverrideRecord("r", 1, "ed", "why", HASH, OTHER_HASH, 9.5, "force")
            await store.commit(Commit("r", await store.take("r", "me"), override=move))
            assert await store.overrides("r") == [forced, move]
            assert await store.verify() == []

    asyncio.run(read())
