"""Processes that have one SQLite file open at the same time keep their locks on it, whatever they look at."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from lgc.runtime import SqliteStore
from lgc.runtime.store.records import Commit
from lgc.runtime.testing.subject import a_step, begun, steps

# Opens the store a second time, reads all of it, and closes that; then goes on, once it is told to.
LIVE = """
import asyncio, sys
from lgc.runtime import SqliteStore
from lgc.runtime.store.protocols import Commit
from lgc.runtime.testing.subject import a_step, begun

async def main():
    async with SqliteStore(sys.argv[1]) as store:
        fence = await begun(store, "live", steps=5)
        for readonly in (False, True):
            async with SqliteStore(sys.argv[1], readonly=readonly) as second:
                await second.verify()
                await second.stats()
        await store.verify()
        await store.stats()
        print("open", flush=True)
        for step in range(6, 500):
            if step % 100 == 0:
                sys.stdin.readline()
                await store.verify()
                print("on", flush=True)
            await store.commit(Commit("live", fence, a_step("live", step)))

asyncio.run(main())
"""


def test_looking_at_a_file_costs_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"

    async def beside(run: str) -> None:
        async with SqliteStore(path) as store:
            fence = await begun(store, run, steps=3)
            await store.commit(Commit(run, fence, a_step(run, 4)))
            await store.shrink()
            assert list(await store.verify()) == []

    with subprocess.Popen(
        [sys.executable, "-c", LIVE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as live:
        assert live.stdin is not None
        assert live.stdout is not None
        assert live.stdout.readline() == "open\n"
        for number in range(4):
            asyncio.run(beside(f"r{number}"))
            # Who closes a file last removes its write-ahead log. That was not this process.
            assert Path(f"{path}-wal").exists()
            live.stdin.write("go\n")
            live.stdin.flush()
            assert live.stdout.readline() == "on\n"
    assert live.returncode == 0

    async def look() -> None:
        async with SqliteStore(path) as store:
            assert await steps(store, "live") == list(range(1, 500))
            assert list(await store.verify()) == []

    asyncio.run(look())
