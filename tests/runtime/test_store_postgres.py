"""A store in PostgreSQL: what it refuses to open, its fence between sessions, groups, integrity."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql as composing
from tests.postgres_server import Place

from lgc.runtime.errors import LgcError, RunFenced, SerializationError, StorageError
from lgc.runtime.store import PostgresStore, open_store
from lgc.runtime.store.encrypted import EncryptedCodec
from lgc.runtime.store.postgres import tables
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import AttemptRecord, Commit, OverrideRecord, RunStatus
from lgc.runtime.testing import CHECKS, Check, Subject
from lgc.runtime.testing import Place as Damaged
from lgc.runtime.testing.subject import (
    HASH,
    OTHER_HASH,
    a_decision,
    a_run,
    a_snapshot,
    a_step,
    begun,
    log,
    marked,
    steps,
)


def schema_of(store: Store) -> str:
    assert isinstance(store, PostgresStore)
    return store._target.schema  # pyright: ignore[reportPrivateUsage]


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 60)

    asyncio.run(bounded())


@pytest.fixture
def sql(postgres: Place) -> Any:
    """Executes a statement on a connection of its own, `~` standing for a schema."""
    connection = postgres.connect()

    def execute(schema: str, text: str, *values: object) -> list[tuple[Any, ...]]:
        done = connection.execute(text.replace("~", f'"{schema}".').encode(), values)
        return done.fetchall() if done.description is not None else []

    yield execute
    connection.close()


# --- the promises ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_postgres_keeps_its_promise(check: Check, postgres: Place, sql: Any) -> None:
    def damage(store: Store, place: Damaged, run: str, step: int) -> None:
        column = "mutations" if place == "log" else "snapshot"
        done = sql(
            schema_of(store),
            f"UPDATE ~{place} SET {column} = set_byte({column}, 3, get_byte({column}, 3) # 1)"
            " WHERE step = %s AND run = (SELECT key FROM ~history WHERE run = %s) RETURNING 1",
            step, run.encode(),
        )  # fmt: skip
        assert len(done) == 1

    subject = Subject(
        lambda: PostgresStore(postgres.store()),
        lambda store: PostgresStore(postgres.url, schema=schema_of(store)),
        damage,
    )

    async def main() -> None:
        await check(subject)

    run(main)


def test_nothing_secret_is_in_the_tables(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()
    secret = "the combination is 12-34-56"

    async def main() -> None:
        async with PostgresStore(postgres.url, schema=schema, codec=EncryptedCodec(b"k" * 32)) as store:
            await store.create_run(a_run(input=f'{{"a":"{secret}"}}'))
            fence = await store.take("r", "me")
            text = f'["{secret}{"x" * 40_000}"]'
            snapshot = a_snapshot(snapshot=f'{{"s":"{secret}"}}')
            await store.commit(Commit("r", fence, marked(mutations=text, detail=text), snapshot=snapshot))
            await store.add_decision(a_decision(arguments=text))
            assert [record.mutations for record in await log(store)] == [text]
        with pytest.raises(StorageError, match="written with the codec"):
            async with PostgresStore(postgres.url, schema=schema):
                pass

    run(main)
    for (table,) in sql(schema, "SELECT tablename FROM pg_tables WHERE schemaname = %s", schema):
        for row in sql(schema, f"SELECT * FROM ~{table}"):
            for column in row:
                assert not isinstance(column, bytes) or secret.encode() not in column


# --- opening --------------------------------------------------------------------------------------------


def refusal(store: Store) -> StorageError:
    async def main() -> None:
        async with store:
            await store.list_runs()

    with pytest.raises(StorageError) as caught:
        run(main)
    assert caught.value.hint
    assert "geheim" not in str(caught.value)
    return caught.value


def test_what_cannot_be_opened_is_refused_with_the_way_out(postgres: Place, sql: Any) -> None:
    port = postgres.url.rpartition("port=")[2]
    here = f"127.0.0.1:{port}"
    sql("", "DROP ROLE IF EXISTS guarded, nobody_much")
    sql("", "CREATE ROLE guarded LOGIN PASSWORD 'right'")
    sql("", "CREATE ROLE nobody_much LOGIN CONNECTION LIMIT 1")

    def said(url: str, **more: Any) -> str:
        return str(refusal(PostgresStore(url, timeout=2, **more)))

    assert "refuses the user or the password" in said(f"postgresql://guarded:geheim@{here}/postgres")
    assert "PGPASSWORD" in said(f"postgresql://guarded@{here}/postgres")
    assert "`createdb`" in said(f"postgresql://lgc@{here}/no_such_base")
    assert "start the server" in said("postgresql://lgc:geheim@127.0.0.1:1/postgres")
    assert "may not do this" in said(f"postgresql://nobody_much@{here}/postgres", schema=postgres.schema())
    with psycopg.connect(f"postgresql://nobody_much@{here}/postgres"):
        assert "no connection left" in said(f"postgresql://nobody_much@{here}/postgres")
    for bad in (
        "postgresql://u:geheim@h:x y/",
        "postgresql://u:geheim@h/?nonsense=1",
        "postgresql://[",
        "x y",
    ):
        with pytest.raises(StorageError, match="not the URL of a PostgreSQL database") as caught:
            PostgresStore(bad)
        assert "geheim" not in str(caught.value)
    for schema in ("pg_mine", "a\0b", "é" * 40):
        with pytest.raises(StorageError):
            PostgresStore(postgres.url, schema=schema)


def test_a_schema_of_another_program_is_left_alone(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()
    sql(schema, f'CREATE SCHEMA "{schema}"')
    sql(schema, "CREATE TABLE ~meta (name text, value text)")
    said = refusal(PostgresStore(postgres.url, schema=schema))
    assert "another program" in str(said)
    assert sql(schema, "SELECT tablename FROM pg_tables WHERE schemaname = %s", schema) == [("meta",)]


def test_any_name_of_a_schema_will_do(postgres: Place) -> None:
    schema = postgres.schema() + ' "Été" %s {x} ~ $1'

    async def main() -> None:
        async with open_store(
            f"{postgres.url}&schema={schema.replace('%', '%25').replace(' ', '%20')}"
        ) as store:
            await begun(store, steps=2)
            await store.shrink()
            assert (await store.stats()).steps == 2
            assert await steps(store) == [1, 2]

    run(main)
    with postgres.connect() as connection:
        connection.execute(composing.SQL("DROP SCHEMA {} CASCADE").format(composing.Identifier(schema)))


def test_looking_only_makes_and_changes_nothing(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()
    url = postgres.store(schema)
    assert "holds no runs yet" in str(refusal(open_store(url, readonly=True)))
    assert sql(schema, "SELECT 1 FROM pg_namespace WHERE nspname = %s", schema) == []

    async def main() -> None:
        async with open_store(url) as store, open_store(url, readonly=True) as looker:
            await begun(store, steps=2)
            assert await steps(looker) == [1, 2]
            assert await looker.verify() == []
            with pytest.raises(StorageError, match="for looking only"):
                await looker.take("r", "me")
            assert isinstance(looker, PostgresStore)
            server = (await looker._opened()).server  # pyright: ignore[reportPrivateUsage]
            with pytest.raises(StorageError, match="may only be read"):
                await server.change("DELETE FROM ~log")

    run(main)


def test_a_newer_version_is_refused_and_an_older_one_brought_up_to_date(
    postgres: Place, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = postgres.schema()
    url = postgres.store(schema)

    async def write() -> None:
        async with open_store(url) as store:
            await begun(store, steps=2)

    run(write)
    newer = dict(tables.MIGRATIONS) | {tables.VERSION: "ALTER TABLE ~run ADD COLUMN colour text;\n"}
    monkeypatch.setattr(tables, "MIGRATIONS", newer)
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    assert "brought up to date" in refusal(open_store(url, readonly=True)).hint

    async def read() -> None:
        async with open_store(url) as store, open_store(url) as other:
            assert await steps(store) == await steps(other) == [1, 2]

    run(read)
    assert sql(schema, "SELECT colour FROM ~run") == [(None,)]
    monkeypatch.undo()
    assert "a newer one" in refusal(open_store(url)).hint


def test_processes_that_open_a_new_store_at_once(postgres: Place) -> None:
    script = """
import asyncio, sys
from lgc.runtime.errors import RunExists
from lgc.runtime.store import open_store
from lgc.runtime.testing.subject import a_run

async def main():
    async with open_store(sys.argv[1]) as store:
        try:
            await store.create_run(a_run())
        except RunExists:
            pass
        print(await store.take("r", "me"))

asyncio.run(main())
"""
    command = [sys.executable, "-c", script, postgres.store()]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(5)]
    tokens: list[int] = []
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err.decode()
        tokens.append(int(out))
    assert sorted(tokens) == [1, 2, 3, 4, 5]


def test_without_the_driver_it_says_what_to_install() -> None:
    script = """
import sys
sys.modules["psycopg"] = None
from lgc.runtime import PostgresStore, StorageError
try:
    PostgresStore("postgresql://localhost/x")
except StorageError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "install it: pip install 'lgc[postgres]'\n"


def test_a_process_that_was_forked_is_told_to_open_its_own(postgres: Place) -> None:
    async def main() -> None:
        async with open_store(postgres.store()) as store:
            fence = await begun(store, steps=1)
            child = os.fork()
            if not child:
                code = 1
                try:
                    try:
                        await store.commit(Commit("r", fence, a_step(step=2)))
                    except StorageError as error:
                        code = 0 if "in each process" in error.hint else 2
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - nothing else is to happen meanwhile
            assert os.waitstatus_to_exitcode(status) == 0
            await store.commit(Commit("r", fence, a_step(step=2)))
            assert await steps(store) == [1, 2]

    run(main)


def test_another_loop_is_told_to_open_its_own(postgres: Place) -> None:
    async def main() -> None:
        async with open_store(postgres.store()) as store:
            fence = await begun(store, steps=1)

            def elsewhere() -> None:
                asyncio.run(store.commit(Commit("r", fence, a_step(step=2))))

            with pytest.raises(StorageError, match="in another event loop"):
                await asyncio.to_thread(elsewhere)
            assert await steps(store) == [1]

    run(main)


@pytest.mark.parametrize(("durability", "setting"), [("full", "on"), ("normal", "off")])
def test_durability_is_of_its_own_sessions(durability: Any, setting: str, postgres: Place, sql: Any) -> None:
    async def main() -> None:
        store = PostgresStore(postgres.store() + "&options=-csynchronous_commit%3Doff", durability=durability)
        async with store:
            server = (await store._opened()).server  # pyright: ignore[reportPrivateUsage]
            assert await server.row("SELECT current_setting('synchronous_commit')") == (setting,)

    run(main)
    assert sql("", "SHOW synchronous_commit") == [("on",)]


# --- the fence ------------------------------------------------------------------------------------------

# Each commit with its own way through the store: a step, steps of several runs, a step with more to it.
COMMITS: dict[str, Callable[[int], Commit]] = {
    "a step": lambda fence: Commit("r", fence, a_step(step=2)),
    "a step and a status": lambda fence: Commit("r", fence, a_step(step=2), RunStatus.WAITING),
    "a step with a snapshot": lambda fence: Commit("r", fence, marked(step=2), snapshot=a_snapshot(step=2)),
}


SAME_STEP = """
INSERT INTO ~log SELECT run, 2, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt,
 cost, error, checkpoint, hash, detail, sum FROM ~log
"""


async def waits(sql: Any, schema: str, task: asyncio.Task[Any]) -> None:
    """Return once a session of the store waits for a lock; the task is then not done."""
    for _ in range(1000):
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, %s) > 0"
        if sql("", waiting, schema):
            assert not task.done()
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody waits for a lock")


@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS.keys())
def test_a_take_waits_for_a_commit_under_way(commit: Any, postgres: Place, sql: Any) -> None:
    async def main() -> None:
        schema = postgres.schema()
        async with open_store(postgres.store(schema)) as first, open_store(postgres.store(schema)) as second:
            fence = await begun(first, steps=1)
            with postgres.connect() as blocker:
                # The same step, not committed: the store's own waits for it with the lock on the run in hand.
                blocker.execute("BEGIN")
                blocker.execute(SAME_STEP.replace("~", f'"{schema}".').encode())
                committing = asyncio.create_task(first.commit(commit(fence)))
                await waits(sql, schema, committing)
                taking = asyncio.create_task(second.take("r", "second"))
                await asyncio.sleep(0.2)
                assert not committing.done()
                assert not taking.done()
                blocker.execute("ROLLBACK")
                await committing
                assert await taking == fence + 1
            assert await steps(second) == [1, 2]
            with pytest.raises(RunFenced):
                await first.commit(Commit("r", fence, a_step(step=3)))
            await second.commit(Commit("r", fence + 1, a_step(step=3)))

    run(main)


@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS.keys())
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken after all"])
def test_a_commit_waits_for_a_take_under_way(commit: Any, taken: bool, postgres: Place, sql: Any) -> None:
    async def main() -> None:
        schema = postgres.schema()
        async with open_store(postgres.store(schema)) as store:
            fence = await begun(store, steps=1)
            with postgres.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute(f"UPDATE \"{schema}\".run SET fence = fence + 1, owner = 'other'".encode())
                committing = asyncio.create_task(store.commit(commit(fence)))
                await waits(sql, schema, committing)
                blocker.execute("COMMIT" if taken else "ROLLBACK")
                if taken:
                    with pytest.raises(RunFenced, match="by other"):
                        await committing
                else:
                    await committing
            assert await steps(store) == ([1] if taken else [1, 2])
            assert (await store.get_run("r")).status == (
                RunStatus.WAITING if not taken and commit(fence).status else RunStatus.RUNNING
            )

    run(main)


def test_a_refused_step_harms_nobody_in_its_group(postgres: Place, sql: Any) -> None:
    async def main() -> None:
        schema = postgres.schema()
        async with open_store(postgres.store(schema)) as store, open_store(postgres.store(schema)) as other:
            runs = [f"r{number}" for number in range(12)]
            fences = {name: await begun(store, name, steps=1) for name in runs}
            await other.take("r3", "other")
            await other.append(a_step("r5", 2))
            await other.delete_run("r7")
            more: dict[str, dict[str, Any]] = {
                "r8": {"status": RunStatus.DONE}, "r9": {"lease": 5.0}, "r10": {"decision": 99},
            }  # fmt: skip
            again = await asyncio.gather(
                *(
                    store.commit(Commit(name, fences[name], a_step(name, 2), **more.get(name, {})))
                    for name in runs
                ),
                store.commit(Commit("r0", fences["r0"], a_step("r0", 3))),
                store.commit(Commit("r3", fences["r3"] + 1, a_step("r3", 3))),
                return_exceptions=True,
            )
            refused = {name: type(error).__name__ for name, error in zip(runs, again, strict=False) if error}
            assert refused == {
                "r3": "RunFenced", "r5": "StorageError", "r7": "RunNotFound", "r10": "StorageError"
            }  # fmt: skip
            assert again[12] is None
            assert isinstance(again[13], StorageError)
            for name in runs:
                wanted = {"r0": [1, 2, 3], "r3": [1], "r7": [], "r10": [1]}.get(name, [1, 2])
                assert await steps(other, name) == wanted, name
            assert (await other.get_run("r8")).status == "done"
            assert await other.verify() == []

    run(main)


# --- groups ---------------------------------------------------------------------------------------------


def test_runs_that_are_ready_together_share_a_transaction(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()

    async def main() -> None:
        async with open_store(postgres.store(schema)) as store:
            runs = [f"r{number}" for number in range(30)]
            fences = {name: await begun(store, name, steps=1) for name in runs}

            async def drive(name: str) -> None:
                for step in range(2, 5):
                    await store.commit(Commit(name, fences[name], a_step(name, step)))

            await asyncio.gather(*(drive(name) for name in runs))

    run(main)
    assert sql(schema, "SELECT count(*), count(DISTINCT xmin::text) FROM ~log WHERE step > 1") == [(90, 3)]


def test_nobody_hears_before_it_is_durable(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()

    async def main() -> None:
        async with open_store(postgres.store(schema)) as store:
            runs = [f"r{number}" for number in range(8)]
            fences = {name: await begun(store, name, steps=1) for name in runs}
            with postgres.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute(f'SELECT 1 FROM "{schema}".run WHERE key = 3 FOR UPDATE'.encode())
                tasks = [
                    asyncio.create_task(store.commit(Commit(name, fences[name], a_step(name, 2))))
                    for name in runs
                ]
                await waits(sql, schema, tasks[0])
                late = asyncio.create_task(store.commit(Commit("r0", fences["r0"], a_step("r0", 3))))
                cancelled = asyncio.create_task(store.commit(Commit("r1", fences["r1"], a_step("r1", 3))))
                await asyncio.sleep(0.05)
                cancelled.cancel()  # it has not been sent yet: it is taken back
                tasks[1].cancel()  # it is under way: it hears how it ended
                with pytest.raises(asyncio.CancelledError):
                    await cancelled
                assert not any(task.done() for task in [*tasks, late])
                assert sql(schema, "SELECT count(*) FROM ~log WHERE step > 1") == [(0,)]
                blocker.execute("ROLLBACK")
                ended = await asyncio.gather(*tasks, late, return_exceptions=True)
                assert [number for number, error in enumerate(ended) if error is not None] == [1]
            for name in runs:
                assert await steps(store, name) == ([1, 2, 3] if name == "r0" else [1, 2])

    run(main)


def test_one_run_pays_one_statement_a_step(postgres: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with PostgresStore(postgres.store()) as store:
            fence = await begun(store, steps=1)
            wire = (await store._opened()).writer._wire  # pyright: ignore[reportPrivateUsage]
            assert wire is not None
            sent: list[bytes] = []
            original = wire.send

            def send(statement: Any, then: Any) -> None:
                sent.append(statement.sql)
                original(statement, then)

            monkeypatch.setattr(wire, "send", send)
            for step in range(2, 6):
                await store.commit(Commit("r", fence, a_step(step=step)))
            attempt = AttemptRecord("r", "", "pay", 1, 1, 3.0)
            await store.commit(Commit("r", fence, attempt=attempt))
            await store.commit(Commit("r", fence, a_step(step=6, frame="", node="pay", visit=1)))
            assert len(sent) == 6
            assert list(await store.attempts("r")) == []

    run(main)


# --- integrity ------------------------------------------------------------------------------------------

COLUMNS = {
    "log": "frame node visit outcome next edge mutations time duration attempt cost error checkpoint hash"
    " detail sum",
    "run": "graph hash input created launch parent seal",
    "graph": "hash name canonical seal",
    "checkpoint": "id run step hash created snapshot listed seal",
    "decision": "barrier node answer arguments mutations actor time step seal",
    "attempt": "frame node visit attempt time seal",
    "override": "step actor reason expected actual time seal",
    "value": "data seal",
}


async def everything(store: Store) -> None:
    await store.put_graph(HASH, "article", "{}")
    await store.create_run(a_run(launch="{}", parent="p@1"))
    fence = await store.take("r", "me")
    large = '["' + "x" * 40_000 + '"]'
    await store.commit(Commit("r", fence, marked(mutations=large), snapshot=a_snapshot()))
    await store.add_decision(a_decision())
    await store.commit(Commit("r", fence, attempt=AttemptRecord("r", "", "pay", 1, 1, 3.0)))
    override = OverrideRecord("r", 1, "ed", "why", HASH, OTHER_HASH, 9.5)
    await store.commit(Commit("r", fence, override=override))


async def seen(store: Store) -> list[object]:
    found: list[object] = [await store.get_graph(HASH), await store.get_run("r"), await log(store)]
    found += [await store.load("r@1"), await store.decisions("r"), await store.attempts("r")]
    return [*found, await store.overrides("r")]


# Says only that a checkpoint was removed.
HARMLESS = {"log.checkpoint"}
# Under another name a checkpoint is not found; the step's own, by reference, takes its place.
RENAMED = {"checkpoint.id"}


def test_an_altered_column_is_reported(postgres: Place, sql: Any) -> None:
    schema = postgres.schema()
    url = postgres.store(schema)

    async def main() -> None:
        async with open_store(url) as store:
            await everything(store)
            before = await seen(store)
        kinds = {
            f"{table}.{column}": kind
            for table, column, kind in sql(
                schema,
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = %s",
                schema,
            )
        }
        for table, columns in COLUMNS.items():
            only = "canonical IS NOT NULL" if table == "graph" else "true"
            for column in columns.split():
                what = f"{table}.{column}"
                kept = sql(schema, f"SELECT {column} FROM ~{table} WHERE {only}")[0][0]
                more = f"{column} || 'x'" if kinds[what] == "bytea" else f"{column} + 1"
                sql(schema, f"UPDATE ~{table} SET {column} = {more} WHERE {only}")
                async with open_store(url, readonly=True) as store:
                    try:
                        assert await seen(store) == before or what in RENAMED, what
                    except LgcError:
                        assert what not in HARMLESS
                    assert (what in HARMLESS) is (await store.verify() == []), what
                sql(schema, f"UPDATE ~{table} SET {column} = %s WHERE {only}", kept)
        async with open_store(url) as store:
            assert await seen(store) == before
            assert await store.verify() == []

    run(main)


@pytest.mark.parametrize("field", ["duration", "cost", "time"])
def test_a_number_that_is_none_is_refused(field: str, postgres: Place) -> None:
    async def main() -> None:
        async with open_store(postgres.store()) as store:
            fence = await begun(store)
            number: dict[str, Any] = {field: float("nan")}
            with pytest.raises(SerializationError):
                await store.commit(Commit("r", fence, a_step(**number)))
            with pytest.raises(SerializationError):
                await store.commit(Commit("r", fence, a_step(attempt=2**70)))
            number[field] = -0.0
            good = a_step(**number)
            await store.commit(Commit("r", fence, good))
            assert await log(store) == [good]

    run(main)
