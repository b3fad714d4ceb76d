"""A disk that is full, a file that is gone, a clock that jumps: a clear error, and nothing is lost."""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgc.runtime import replay
from lgc.runtime.errors import CheckpointCorrupted, LgcError, SerializationError, StorageError
from lgc.runtime.store import SqliteStore
from lgc.runtime.store.codec import JsonCodec
from lgc.runtime.store.records import Commit, RunRecord
from lgc.runtime.store.seals import first_sum, seal
from lgc.runtime.store.sqlite.schema import TABLES, statements
from lgc.runtime.testing.subject import HASH, a_run, a_snapshot, a_step, begun, steps

RUNTIME = Path(__file__).parents[2] / "runtime"


def test_a_disk_that_is_full_loses_nothing(tmp_path: Path) -> None:
    """The system refuses to lengthen any file of this process, as a full disk or a quota does."""
    path = tmp_path / "runs.db"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    async def main() -> int:
        async with SqliteStore(path) as store:
            fence = await begun(store, steps=2)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
            step = 3
            try:
                while step < 200:
                    await store.commit(Commit("r", fence, a_step(step=step, mutations="x" * 9000)))
                    step += 1
            except StorageError as error:
                assert "disk" in str(error) or "no space" in str(error)
                assert "resume the run" in error.hint
            assert step < 200
            assert await steps(store) == list(range(1, step))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            fence = await store.take("r", "me")
            await store.commit(Commit("r", fence, a_step(step=step)))
            return step

    try:
        last = asyncio.run(main())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    async def again() -> None:
        async with SqliteStore(path) as store:
            assert await steps(store) == list(range(1, last + 1))
            assert await store.verify() == []

    asyncio.run(again())


def only_readable(store: SqliteStore) -> None:
    connection = store._opened().database.connection  # pyright: ignore[reportPrivateUsage]
    connection.execute("PRAGMA query_only = 1")


def busy(store: SqliteStore) -> None:
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    OPEN.append(other)


OPEN: list[sqlite3.Connection] = []


@pytest.mark.parametrize(("trouble", "says"), [(only_readable, "only be read"), (busy, "locked")])
def test_a_store_that_cannot_be_written_says_why_and_the_run_goes_on_later(
    trouble: Callable[[SqliteStore], None], says: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db", timeout=0.05) as store:
            fence = await begun(store, steps=2)
            trouble(store)
            for call in (store.commit(Commit("r", fence, a_step(step=3))), store.take("r", "me")):
                with pytest.raises(StorageError, match=says) as caught:
                    await call
                assert caught.value.hint
            assert await steps(store) == [1, 2]
        while OPEN:
            OPEN.pop().close()
        async with SqliteStore(tmp_path / "runs.db") as store:
            fence = await store.take("r", "me")
            await store.commit(Commit("r", fence, a_step(step=3)))
            assert await steps(store) == [1, 2, 3]

    asyncio.run(main())


def test_a_clock_that_jumps_back_a_day_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            fence = await begun(store, steps=2)
            monkeypatch.setattr("time.time", lambda: 10.0)
            token = await store.take("r", "me")
            assert token == fence + 1
            for step in (3, 4):
                await store.commit(Commit("r", token, a_step(step=step, time=-80_000.0 + step)))
            assert await steps(store) == [1, 2, 3, 4]
            await store.create_run(a_run("s", created=-5.0, updated=-5.0))
            assert [run.run for run in await store.list_runs()] == ["r", "s"]
            assert await store.verify() == []

    asyncio.run(main())


# --- stored data is data --------------------------------------------------------------------------------


def test_the_runtime_makes_no_objects_out_of_stored_names() -> None:
    forbidden = re.compile(
        r"\b(pickle|marshal|shelve|dill|yaml|jsonpickle)\b|(?<![\w.])(eval|exec|compile)\(|__reduce__|find_class"
    )
    found: list[str] = []
    for file in RUNTIME.rglob("*.py"):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            code = line.split("#")[0]
            if forbidden.search(code) and "re.compile(" not in code:
                found.append(f"{file.name}:{number}: {line.strip()}")
            if "import_module(" in code and file.name != "graph.py":
                # Our own modules, and packages of extras, by names that stand in the source. (In `graph`
                # it is the functions that a graph's own source names.)
                assert re.search(r'import_module\((f?"[\w.{}\[\]]+"|name)', code), f"{file}:{number}: {line}"
    assert found == []


def first_version(path: Path) -> None:
    """A store as the first version made it, with a run in it."""
    connection = sqlite3.connect(path)
    for statement in statements(TABLES):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {0x4C47_5231}")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [("version", "1"), ("codec", "json")])
    connection.execute("INSERT INTO graph VALUES (1, ?, '', NULL, ?)", (HASH, seal(1, HASH, "", None)))
    connection.execute("INSERT INTO history VALUES (1, 'r', 0, ?)", (first_sum("r"),))
    connection.execute(
        "INSERT INTO run VALUES (1, 'article', 1, 'waiting', x'7b7d', 1.0, 2.0, 'me', 3, '', x'', '', ?)",
        (seal(1, "r", "article", 1, b"{}", 1.0, b"", ""),),
    )
    connection.commit()
    connection.close()


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "runs.db"
        await asyncio.to_thread(first_version, path)
        with pytest.raises(StorageError, match="schema version 1"):
            async with SqliteStore(path, readonly=True):
                pass
        async with SqliteStore(path) as store:
            run = await store.get_run("r")
            assert isinstance(run, RunRecord)
            assert (run.status, run.fence, run.input) == ("waiting", 3, "{}")
            fence = await store.take("r", "me")
            await store.commit(Commit("r", fence, a_step()))
            assert await steps(store) == [1]
            assert await store.verify() == []

    asyncio.run(main())


HOSTILE = [
    '[{"m":"os.system","p":{"text":"ls"}}]',
    '[{"m":"__main__.Evil","p":{}}]',
    '[{"__class__":"subprocess.Popen","args":["ls"]}]',
    "[" * 100_000 + "]" * 100_000,
    '{"a":' * 100_000 + "1" + "}" * 100_000,
    "[NaN]",
    '[{"m":"add","p":{"n":' + "9" * 100_000 + "}}]",
    '[{"m":"add","m":"add"}]',
    "",
    "null",
    "\ufeff[]",
]


GRAPH = """
state S { xs: list[int] = []  mutation Push(x: int) { xs += [x] } }
graph g(S) {
  task a { reads xs  records Push }
  start -> a
  a -> a when len(xs) < 3
  a -> end else
}
"""


class Nodes:
    async def a(self, ctx: Any) -> None:
        """Never called: nothing here runs."""


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_in_a_store_are_refused_with_their_place(
    text: str, tmp_path: Path, compiled: Callable[..., Any]
) -> None:
    module = compiled(GRAPH)
    graph = module.g(Nodes())

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            await store.create_run(a_run("r", hash=graph.hash, graph="g", input='{"xs":[]}'))
            fence = await store.take("r", "me")
            record = a_step(
                frame="", node="a", next="a", outcome="ok", mutations=text, detail="", hash=graph.hash
            )
            await store.commit(Commit("r", fence, record))
            with pytest.raises((SerializationError, CheckpointCorrupted)) as caught:
                await replay(store, "r", graph=graph)
            assert (caught.value.run, caught.value.step) == ("r", 1)
            await store.create_run(a_run("s", hash=graph.hash, graph="g", input=text))
            with pytest.raises((SerializationError, CheckpointCorrupted)):
                await replay(store, "s", graph=graph)
            await store.create_run(a_run("t", hash=graph.hash, graph="g", input='{"xs":[]}'))
            await store.save(a_snapshot("t", 0, snapshot=text or "x", hash=graph.hash))
            with pytest.raises((SerializationError, CheckpointCorrupted)):
                await replay(store, "t", graph=graph)

    asyncio.run(main())


def test_a_column_of_another_codec_is_refused() -> None:
    with pytest.raises(LgcError):
        JsonCodec().decode(b"\x80\x04\x95", "r@1 mutations")
