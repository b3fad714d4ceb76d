"""Both embedded stores keep every promise of the public suite."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from pathlib import Path

import pytest

from lgc.runtime.store.memory.store import MemoryStore
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import RunRecord
from lgc.runtime.store.sqlite.store import SqliteStore
from lgc.runtime.testing import CHECKS, Check, Place, Subject, conformance


def same_file(store: Store) -> Store:
    assert isinstance(store, SqliteStore)
    return SqliteStore(store.path)


def damage(store: Store, place: Place, run: str, step: int) -> None:
    assert isinstance(store, SqliteStore)
    column = "mutations" if place == "log" else "snapshot"
    with sqlite3.connect(store.path) as connection:
        done = connection.execute(
            f"UPDATE {place} SET {column} = CAST(replace({column}, '\"', '''') AS BLOB)"
            " WHERE step = ? AND run = (SELECT key FROM history WHERE run = ?)",
            (step, run),
        )
        assert done.rowcount == 1
    connection.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_sqlite_keeps_its_promise(check: Check, tmp_path: Path) -> None:
    numbers = itertools.count()
    subject = Subject(lambda: SqliteStore(tmp_path / f"{next(numbers)}.db"), same_file, damage)
    asyncio.run(check(subject))


@pytest.mark.parametrize(
    "check", [check for check in CHECKS if not check.needs], ids=lambda check: check.name
)
def test_memory_keeps_its_promise(check: Check) -> None:
    asyncio.run(check(Subject(MemoryStore)))


def test_the_whole_suite_in_one_call() -> None:
    asyncio.run(conformance(MemoryStore))


def test_the_suite_finds_a_store_that_breaks_its_promises() -> None:
    class Forgetful(MemoryStore):
        async def take(
            self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0
        ) -> int:
            await super().take(run, owner, expect=expect, lease=lease)
            self._histories[run].fence = 1
            return 1

    with pytest.raises(AssertionError, match="an_overtaken_session_cannot_commit: AssertionError: a token"):
        asyncio.run(conformance(Forgetful))
