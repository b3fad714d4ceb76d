"""A server that is killed, full, frozen or unwilling: a clear error, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.postgres_server import Cluster, Place

from lgc.runtime.errors import LgcError, StorageError
from lgc.runtime.store import PostgresStore, open_store
from lgc.runtime.store.records import Commit, RunStatus
from lgc.runtime.testing.subject import a_decision, a_run, a_snapshot, a_step, begun, log, marked, steps


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 90)

    asyncio.run(bounded())


def backends(place: Place, schema: str, *, kill: int | None = None) -> int:
    """How many sessions a store has open; with `kill` they are ended: 15 by the server, 9 for real."""
    with place.connect() as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s", (schema,)
        ).fetchall()
        if kill == signal.SIGTERM:
            for (pid,) in rows:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        elif kill is not None:
            os.kill(rows[0][0], kill)
    return len(rows)


def named(place: Place) -> tuple[str, str]:
    """The URL of a new store whose sessions can be told from others, and its schema."""
    schema = place.schema()
    return f"{place.store(schema)}&application_name={schema}", schema


@pytest.fixture
def cluster(postgres: Place) -> Iterator[Cluster]:
    """A server for this test alone."""
    made = Cluster("own")
    yield made
    made.remove()


# --- connections that end -------------------------------------------------------------------------------


def test_sessions_that_end_between_steps_are_made_anew(postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        async with open_store(url) as store:
            fence = await begun(store, steps=1)
            for step in range(2, 5):
                assert backends(postgres, schema, kill=signal.SIGTERM) > 0
                await store.commit(Commit("r", fence, a_step(step=step)))
                assert backends(postgres, schema, kill=signal.SIGTERM) > 0
                assert (await store.get_run("r")).fence == fence
                assert backends(postgres, schema, kill=signal.SIGTERM) > 0
                await store.add_decision(a_decision())
            assert await steps(store) == [1, 2, 3, 4]
            assert len(await store.decisions("r")) == 3

    run(main)


@pytest.mark.parametrize("several", [False, True], ids=["one run", "several runs"])
def test_a_commit_whose_end_nobody_heard_is_not_called_durable(several: bool, postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        names = ["r", "s", "t"] if several else ["r"]
        async with open_store(url) as store:
            fences = {name: await begun(store, name, steps=1) for name in names}
            with postgres.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute(f'SELECT 1 FROM "{schema}".run FOR UPDATE'.encode())
                tasks = [
                    asyncio.create_task(store.commit(Commit(name, fences[name], a_step(name, 2))))
                    for name in names
                ]
                await asyncio.sleep(0.3)
                backends(postgres, schema, kill=signal.SIGTERM)
                for task in tasks:
                    with pytest.raises(StorageError, match="may or may not have been kept") as caught:
                        await task
                    assert "its log says" in caught.value.hint
                    assert caught.value.step == 2
                blocker.execute("ROLLBACK")
            # The log tells, and the same session could go on from there.
            for name in names:
                assert await steps(store, name) == [1]
                await store.commit(Commit(name, fences[name], a_step(name, 2)))
                assert await steps(store, name) == [1, 2]
            assert await store.verify() == []

    run(main)


def test_a_caller_that_is_cancelled_meanwhile_does_not_hang(postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        async with PostgresStore(url, timeout=1) as store:
            fence = await begun(store, steps=1)
            with postgres.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute(f'SELECT 1 FROM "{schema}".run FOR UPDATE'.encode())
                task = asyncio.create_task(store.commit(Commit("r", fence, a_step(step=2))))
                await asyncio.sleep(0.2)
                task.cancel()
                with pytest.raises(StorageError, match="kept a record"):
                    await asyncio.wait_for(task, 30)
            await store.commit(Commit("r", fence, a_step(step=2)))
            assert await steps(store) == [1, 2]

    run(main)


async def in_the_end(store: PostgresStore) -> list[int]:
    """The steps in the log, once the store is connected again (a slow machine may need several tries)."""
    for _ in range(20):
        try:
            return await steps(store)
        except StorageError:
            await asyncio.sleep(0.1)
    return await steps(store)


# --- a server of its own --------------------------------------------------------------------------------


def test_a_server_that_crashes_restarts_and_freezes(cluster: Cluster) -> None:
    async def main() -> None:
        url, schema = named(cluster)
        async with PostgresStore(url, timeout=60) as patient:
            fence = await begun(patient, steps=1)

            # Restarted between two steps, in the time that the store has patience for.
            await asyncio.to_thread(cluster.stop, "immediate")
            restart = asyncio.create_task(asyncio.to_thread(cluster.start))
            await patient.commit(Commit("r", fence, a_step(step=2)))
            await restart
            assert await steps(patient) == [1, 2]

        async with PostgresStore(url, timeout=3) as store:
            # Gone: an error soon, for everything that is asked, and the same session goes on afterwards.
            await asyncio.to_thread(cluster.stop, "immediate")
            for call in (
                store.commit(Commit("r", fence, a_step(step=3))),
                store.get_run("r"),
                store.add_decision(a_decision()),
            ):
                with pytest.raises(StorageError) as caught:
                    await asyncio.wait_for(call, 30)
                assert caught.value.hint
            await asyncio.to_thread(cluster.start)
            assert await in_the_end(store) == [1, 2]
            await store.commit(
                Commit("r", fence, marked(step=3), RunStatus.WAITING, snapshot=a_snapshot(step=3))
            )

            # A session's process is killed with kill -9: the server ends all of them and recovers.
            backends(cluster, schema, kill=signal.SIGKILL)
            for _ in range(100):
                try:
                    if await steps(store) == [1, 2, 3]:
                        await store.commit(Commit("r", fence, a_step(step=4)))
                    break
                except StorageError:
                    await asyncio.sleep(0.1)
            assert await steps(store) == [1, 2, 3, 4]

            # Frozen: no answer is no confirmation, and nobody waits for ever.
            with cluster.connect() as connection:
                rows = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = %s", (schema,)
                )
                frozen = [pid for (pid,) in rows.fetchall()]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            with pytest.raises(StorageError, match="may or may not have been kept"):
                await asyncio.wait_for(store.commit(Commit("r", fence, a_step(step=5))), 30)
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
            there: list[int] = []
            for _ in range(100):
                there = await steps(store)
                if there[-1] == 5:
                    break
                await asyncio.sleep(0.05)
            assert there == [1, 2, 3, 4, 5]  # it was kept after all, and once
            assert await store.verify() == []
        async with open_store(url) as again:
            record = (await log(again))[2]
            assert record == marked(step=3)
            assert (await again.get_run("r")).status is RunStatus.WAITING

    run(main)


# --- a server that refuses ------------------------------------------------------------------------------

REFUSALS = {
    "53100": "no space left",
    "53200": "out of memory",
    "57014": "broke the statement off",
    "25006": "may only be read",
    "42501": "may not do this",
    "XX001": "is damaged",
    "58030": "the disk failed",
    "P0001": "it is Monday",
}


@pytest.mark.parametrize(("state", "says"), REFUSALS.items(), ids=REFUSALS)
def test_what_the_server_refuses_is_said_and_nothing_is_kept(state: str, says: str, postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        async with open_store(url) as store:
            fences = {name: await begun(store, name, steps=1) for name in ("r", "s")}
            with postgres.connect() as connection:
                connection.execute(
                    f"""
                    CREATE FUNCTION "{schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN IF NEW.step = 2 AND NEW.run = 1 THEN
                    RAISE EXCEPTION 'it is Monday' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$;
                    CREATE TRIGGER refuse BEFORE INSERT ON "{schema}".log
                    FOR EACH ROW EXECUTE FUNCTION "{schema}".refuse()
                """.encode()
                )
            for status in (None, RunStatus.DONE):
                with pytest.raises(LgcError, match=says) as caught:
                    await store.commit(Commit("r", fences["r"], a_step(step=2), status))
                assert (caught.value.run, caught.value.step) == ("r", 2)
            outcomes = await asyncio.gather(
                *(store.commit(Commit(name, fences[name], a_step(name, 2))) for name in ("r", "s")),
                return_exceptions=True,
            )
            assert isinstance(outcomes[0], LgcError)
            assert outcomes[1] is None
            assert (await steps(store, "r"), await steps(store, "s")) == ([1], [1, 2])
            assert (await store.get_run("r")).status is RunStatus.RUNNING
            with postgres.connect() as connection:
                connection.execute(f'DROP TRIGGER refuse ON "{schema}".log'.encode())
            await store.commit(Commit("r", fences["r"], a_step(step=2)))
            assert await store.verify() == []

    run(main)


def test_a_user_that_may_only_read_is_told(postgres: Place) -> None:
    async def main() -> None:
        url, _ = named(postgres)
        async with open_store(url) as store:
            fence = await begun(store, steps=1)
        async with open_store(url + "&options=-cdefault_transaction_read_only%3Don") as store:
            assert await steps(store) == [1]
            for call in (store.commit(Commit("r", fence, a_step(step=2))), store.create_run(a_run("s"))):
                with pytest.raises(StorageError, match="may only be read"):
                    await call
            assert await steps(store) == [1]

    run(main)


def test_a_long_statement_is_broken_off_by_the_users_own_limit(postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        async with open_store(url) as store:
            fence = await begun(store, steps=1)
        async with open_store(url + "&options=-cstatement_timeout%3D300") as store:
            with postgres.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute(f'SELECT 1 FROM "{schema}".run FOR UPDATE'.encode())
                with pytest.raises(StorageError, match="broke the statement off"):
                    await store.commit(Commit("r", fence, a_step(step=2)))
            await store.commit(Commit("r", fence, a_step(step=2)))
            assert await steps(store) == [1, 2]

    run(main)


def test_more_callers_than_connections(postgres: Place) -> None:
    async def main() -> None:
        url, schema = named(postgres)
        async with PostgresStore(url, pool_size=2) as store:
            await asyncio.gather(*(store.create_run(a_run(f"r{number}")) for number in range(40)))
            assert len(await store.list_runs()) == 40
            assert backends(postgres, schema) <= 3

    run(main)


def test_a_run_whose_process_stands_still_in_a_transaction_can_be_taken(
    postgres: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lgc.runtime.store.postgres import server

    monkeypatch.setattr(server, "STANDSTILL", 1)

    async def main() -> None:
        url, _ = named(postgres)
        async with PostgresStore(url) as store, open_store(url) as other:
            fence = await begun(store, steps=1)
            state = await store._opened()  # pyright: ignore[reportPrivateUsage]

            async def paused(work: Any) -> None:
                await work.rows("SELECT 1 FROM ~run FOR UPDATE")
                await asyncio.sleep(4)
                await work.rows("DELETE FROM ~run")

            standing = asyncio.create_task(state.server.write(paused))
            await asyncio.sleep(0.2)
            assert await asyncio.wait_for(other.take("r", "other"), 8) == fence + 1
            with pytest.raises(StorageError):
                await standing
            assert (await store.get_run("r")).owner == "other"

    run(main)
