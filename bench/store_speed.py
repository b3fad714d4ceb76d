"""How much a durable step costs on SQLite, beside the bare INSERT + COMMIT that it cannot be cheaper than.

    python bench/store_speed.py [--steps N] [--rounds N] [--folder DIR]

Floor and store take turns in rounds of the same run, as machines drift; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from lgc.runtime.store.memory.store import MemoryStore
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import Commit, MutationRecord, RunRecord, RunStatus
from lgc.runtime.store.sqlite.store import SqliteStore

HASH = "lg1:" + "0" * 64


def record(run: str, step: int, size: int) -> MutationRecord:
    """A step whose mutations have the given number of bytes."""
    text = '[{"m":"add","p":{"text":"' + "x" * max(size - 30, 1) + '"}}]'
    return MutationRecord(
        run, step, "check/facts", "write", step, "ok", "grade", "", text, 1.7e9 + step, 0.0123, 1, 0.0,
        "", "", HASH,
    )  # fmt: skip


class Floor:
    """INSERT and COMMIT of a row of the same bytes, with the same pragmas."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 2000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE bare (key INTEGER PRIMARY KEY, node TEXT, data BLOB)")
        self.step = 0

    def groups(self, steps: int, runs: int, size: int) -> float:
        """Seconds of a step when the steps of many runs share each transaction, from ready rows."""
        data = b"x" * (size + 90)
        execute = self.connection.execute
        start = perf_counter()
        for _ in range(steps):
            execute("BEGIN IMMEDIATE")
            for _ in range(runs):
                self.step += 1
                execute("INSERT INTO bare VALUES (?, ?, ?)", (self.step, "write", data))
            execute("COMMIT")
        return (perf_counter() - start) / steps / runs

    def round(self, steps: int, size: int) -> list[float]:
        """Seconds of each step."""
        data, taken = b"x" * (size + 90), list[float]()
        execute = self.connection.execute
        for _ in range(steps):
            self.step += 1
            start = perf_counter()
            execute("BEGIN IMMEDIATE")
            execute("INSERT INTO bare VALUES (?, ?, ?)", (self.step, "write", data))
            execute("COMMIT")
            taken.append(perf_counter() - start)
        return taken


class Driver:
    """Commits steps of some runs to a store, all runs at once."""

    def __init__(self, store: Store, prefix: str, runs: int) -> None:
        self.store = store
        self.runs = [f"{prefix}{n}" for n in range(runs)]
        self.fences: dict[str, int] = {}
        self.step = 0

    async def start(self) -> None:
        """Create the runs."""
        for run in self.runs:
            await self.store.create_run(RunRecord(run, "g", HASH, RunStatus.RUNNING, "{}", 1.0, 1.0))
            self.fences[run] = await self.store.take(run, "bench")

    async def round(self, steps: int, size: int) -> list[float]:
        """Seconds of each commit, as its run sees them."""
        taken = list[float]()

        async def drive(run: str) -> None:
            for step in range(self.step + 1, self.step + steps + 1):
                commit = Commit(run, self.fences[run], record(run, step, size))
                start = perf_counter()
                await self.store.commit(commit)
                taken.append(perf_counter() - start)

        await asyncio.gather(*(drive(run) for run in self.runs))
        self.step += steps
        return taken


def shown(name: str, taken: Sequence[float], floor: float | None = None) -> None:
    """One line of results, in microseconds."""
    ordered = sorted(taken)
    p50, p99, p999 = (ordered[int(len(ordered) * part)] * 1e6 for part in (0.5, 0.99, 0.999))
    ratio = f"  {p50 / floor / 1e6:5.2f} x floor" if floor else ""
    print(f"{name:44} p50 {p50:7.1f}  p99 {p99:7.1f}  p99.9 {p999:7.1f}{ratio}")


async def one_run(folder: Path, steps: int, rounds: int, size: int) -> None:
    """A single run beside the floor."""
    floor = Floor(folder / f"floor{size}.db")
    bare, durable = list[float](), list[float]()
    async with SqliteStore(folder / f"one{size}.db") as store:
        driver = Driver(store, "one", 1)
        await driver.start()
        floor.round(200, size)
        await driver.round(200, size)
        for _ in range(rounds):
            bare += floor.round(steps, size)
            durable += await driver.round(steps, size)
    floor.connection.close()
    shown(f"bare INSERT + COMMIT, {size} bytes", bare)
    shown(f"commit of one run, {size} bytes", durable, statistics.median(bare))


async def many_runs(folder: Path, steps: int, rounds: int, runs: int) -> None:
    """Many runs in one process: the cost of a step is the time of all by their number."""
    each, bare = list[float](), list[float]()
    floor = Floor(folder / "groups.db")
    async with SqliteStore(folder / "many.db") as store:
        driver = Driver(store, "many", runs)
        await driver.start()
        for _ in range(rounds):
            bare.append(floor.groups(steps, runs, 100))
            start = perf_counter()
            await driver.round(steps, 100)
            each.append((perf_counter() - start) / steps / runs)
    floor.connection.close()
    lowest, median = statistics.median(bare) * 1e6, statistics.median(each) * 1e6
    print(f"{f'{runs} bare INSERTs a COMMIT, 100 bytes, each':44} median {lowest:.1f}")
    print(f"{f'{runs} runs, 100 bytes, a step':44} median {median:.1f}  {median / lowest:5.2f} x floor")


async def growth(folder: Path) -> None:
    """4,000 steps of 1 KiB: is the last as cheap as the first, and how large is the file?"""
    path = folder / "growth.db"
    async with SqliteStore(path) as store:
        driver = Driver(store, "growth", 1)
        await driver.start()
        start = perf_counter()
        taken = await driver.round(4000, 1024)
        total = perf_counter() - start
        start = perf_counter()
        count = len([step async for step in store.replay("growth0")])
        replayed = perf_counter() - start
    first, last = statistics.median(taken[:400]), statistics.median(taken[-400:])
    print(
        f"{'4,000 steps of 1 KiB':44} {total:.2f} s, {path.stat().st_size / 1e6:.1f} MB, first tenth"
        f" {first * 1e6:.0f}, last tenth {last * 1e6:.0f} ({last / first:.2f} x)"
    )
    print(f"{f'replay of {count} records':44} {replayed * 1e3:.0f} ms, {replayed / count * 1e6:.1f} a record")


async def memory(steps: int) -> None:
    """A commit without a disk."""
    driver = Driver(MemoryStore(), "memory", 1)
    await driver.start()
    fence = driver.fences["memory0"]
    records = [Commit("memory0", fence, record("memory0", step, 100)) for step in range(1, steps)]
    start = perf_counter()
    for commit in records:
        await driver.store.commit(commit)
    print(f"{'commit in memory':44} mean {(perf_counter() - start) / len(records) * 1e6:.2f}")


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where to put the files (the disk to measure)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(f"microseconds; SQLite {sqlite3.sqlite_version}, WAL, synchronous FULL")
        for size in (100, 1024):
            await one_run(folder, options.steps, options.rounds, size)
        await many_runs(folder, 50, options.rounds, 64)
        await growth(folder)
        await memory(20_000)


if __name__ == "__main__":
    asyncio.run(main())
