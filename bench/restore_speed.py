"""How long it takes to find a run again: a snapshot of 1 MB and a log of 100,000 mutations after it.

    python bench/restore_speed.py [--steps N] [--rounds N] [--folder DIR]

The floor is a scan of the same rows. Between floor and restore stand the store alone (rows that are checked
against their chain) and the log alone (without a snapshot's worth of state). Medians, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

from measure import Table, build, medians

from lgc.runtime import Session, SqliteStore
from lgc.runtime.store.records import MutationRecord

NOTES = ["x" * 1000] * 1000
BATCH = 2000


class Nodes:
    """Never called: nothing is executed again at a restore."""

    async def post(self, ctx: Any, /) -> None:
        raise AssertionError


async def write(module: Any, path: Path, steps: int) -> None:
    """A run with a snapshot at its start and that many steps after it."""
    async with SqliteStore(path) as store:
        state = module.Book(limit=steps + 1, notes=NOTES)
        session = await Session.start(module.book(Nodes()), state, store=store, run_id="run")
        await session.checkpoint()
        for first in range(1, steps + 1, BATCH):
            await store.append_batch([record(module, n) for n in range(first, min(first + BATCH, steps + 1))])


def record(module: Any, step: int) -> MutationRecord:
    """What the engine writes for a step."""
    text = f'[{{"m":"Post","p":{{"amount":{step},"memo":"invoice {step}"}}}}]'
    return MutationRecord(
        "run", step, "", "post", step, "ok", "post", "", text, 1.7e9 + step, 0.0123, 1, 0.0, "",
        f"run@{step}", module.BOOK_HASH,
    )  # fmt: skip


def scan(path: Path) -> float:
    """Seconds to read all rows with the same library, and nothing else."""
    base = sqlite3.connect(path)
    began = process_time()
    count = sum(1 for _ in base.execute("SELECT * FROM log WHERE run = 1 ORDER BY step"))
    spent = process_time() - began
    base.close()
    assert count
    return spent


def replayed(path: Path) -> float:
    """Seconds to read all records through the store."""

    async def main() -> float:
        async with SqliteStore(path) as store:
            began = process_time()
            async for _ in store.replay("run"):
                pass
            return process_time() - began

    return asyncio.run(main())


def restored(module: Any, path: Path, steps: int) -> float:
    """Seconds until the run could go on."""

    async def main() -> float:
        graph = module.book(Nodes())
        async with SqliteStore(path) as store:
            began = process_time()
            session = await Session.restore(graph, store=store, run_id="run")
            spent = process_time() - began
        assert session.state.n == steps
        assert len(session.state.notes) == len(NOTES)
        return spent

    return asyncio.run(main())


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--steps", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--folder", default=None, help="a folder on the disk to measure")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        module = build(folder)
        path = folder / "runs.db"
        asyncio.run(write(module, path, given.steps))
        found = medians(
            given.rounds,
            floor=lambda: scan(path),
            store=lambda: replayed(path),
            restore=lambda: restored(module, path, given.steps),
        )
        table = Table(f"restore: a snapshot of 1 MB and {given.steps} mutations after it", "s")
        table.floor("scan of the rows", found["floor"])
        table.row("records through the store, checked", found["store"])
        table.row("restore", found["restore"], goal="0.25 s")
        table.show()


if __name__ == "__main__":
    main()
