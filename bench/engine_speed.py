"""What a step costs in the engine, as ratios to the least that the same work can cost, and to LangGraph.

    python bench/engine_speed.py [--steps N] [--durable N] [--rounds N] [--folder DIR] [--no-peer]

* No store: a loop of one trivial coroutine; the floor is awaiting that coroutine in a `for`. Time of the
  processor.
* SQLite: the same loop, each step durable (WAL, synchronous FULL); the floor is one INSERT + COMMIT of a row
  of that size on the same disk. A run of three steps, from `start` to its result: the floor is three of them.
* Growth: 4,000 durable steps that each append 1 KiB to a list; the floor is one INSERT + COMMIT of as much
  for each; beside it what the first and the last 500 steps cost, and bytes on disk.

Floor and engine take turns in rounds of one run, as machines drift; figures are medians. The peer runs in
`.bench-venv` (`make bench-peers`) and is left out, with a line that says so, where that is not there.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from measure import PEER, Table, build, medians, peer

from lgc.runtime import MemoryStore, Session, SqliteStore

PAGE = "x" * 1024
GROWTH = 4000
EDGE = 500  # steps at each end of the growth that are compared


class Nodes:
    """The tasks of the loops."""

    def __init__(self, module: Any) -> None:
        tick, add = module.Tick, module.Add

        async def count(ctx: Any) -> None:
            ctx.record(tick())

        async def write(ctx: Any) -> None:
            ctx.record(add(page=PAGE))

        self.tick, self.write = count, write


# --- one measurement each, in microseconds a step ---------------------------------------------------------


def floor_loop(steps: int) -> float:
    """Awaiting a coroutine."""

    async def tick() -> None:
        pass

    async def main() -> float:
        began = process_time()
        for _ in range(steps):
            await tick()
        return process_time() - began

    return asyncio.run(main()) / steps * 1e6


def engine_loop(module: Any, steps: int, store: MemoryStore | None = None) -> float:
    """The loop in the engine, without a disk."""

    async def main() -> float:
        graph = module.count(Nodes(module))
        session = await Session.start(graph, module.Counter(limit=steps), store=store)
        began = process_time()
        await session.run()
        return process_time() - began

    return asyncio.run(main()) / steps * 1e6


def floor_sqlite(steps: int, folder: Path, size: int = 300) -> float:
    """INSERT + COMMIT of a row of about a step's size."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        base = sqlite3.connect(Path(place) / "floor.db", isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.execute("CREATE TABLE log (run TEXT, step INTEGER, data TEXT, PRIMARY KEY (run, step))")
        text = "x" * size
        began = perf_counter()
        for step in range(steps):
            base.execute("BEGIN IMMEDIATE")
            base.execute("INSERT INTO log VALUES (?, ?, ?)", ("run", step, text))
            base.execute("COMMIT")
        spent = perf_counter() - began
        base.close()
    return spent / steps * 1e6


def engine_sqlite(module: Any, steps: int, folder: Path) -> float:
    """The loop, durable."""

    async def main(path: Path) -> float:
        async with SqliteStore(path) as store:
            graph = module.count(Nodes(module))
            session = await Session.start(graph, module.Counter(limit=steps), store=store)
            began = perf_counter()
            await session.run()
            return perf_counter() - began

    with tempfile.TemporaryDirectory(dir=folder) as place:
        return asyncio.run(main(Path(place) / "runs.db")) / steps * 1e6


def short_runs(module: Any, folder: Path, runs: int = 50) -> float:
    """Microseconds of a whole run of three steps, started, driven and done, in a store that is open."""

    async def main(path: Path) -> float:
        async with SqliteStore(path) as store:
            graph = module.count(Nodes(module))
            began = perf_counter()
            for _ in range(runs):
                session = await Session.start(graph, module.Counter(limit=3), store=store)
                await session.run()
            return perf_counter() - began

    with tempfile.TemporaryDirectory(dir=folder) as place:
        return asyncio.run(main(Path(place) / "runs.db")) / runs * 1e6


def growth(module: Any, folder: Path) -> dict[str, float]:
    """Seconds in all, MB on disk, microseconds a step of the first and the last ones."""

    async def main(path: Path) -> tuple[float, list[float]]:
        async with SqliteStore(path) as store:
            graph = module.pile(Nodes(module))
            session = await Session.start(graph, module.Pile(limit=GROWTH), store=store, run_id="pile")
            began = perf_counter()
            await session.run()
            return perf_counter() - began, [record.time async for record in store.replay("pile")]

    with tempfile.TemporaryDirectory(dir=folder) as place:
        spent, times = asyncio.run(main(Path(place) / "runs.db"))
        size = sum(file.stat().st_size for file in Path(place).iterdir())
    gaps = [(after - before) * 1e6 for before, after in pairwise(times)]
    first, last = statistics.median(gaps[:EDGE]), statistics.median(gaps[-EDGE:])
    return {"seconds": spent, "mb": size / 1e6, "first": first, "last": last}


# --- the report -------------------------------------------------------------------------------------------


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--steps", type=int, default=20000, help="of the loop without a store")
    words.add_argument("--durable", type=int, default=2000, help="of the durable loop")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--folder", default=None, help="a folder on the disk to measure")
    words.add_argument("--no-peer", action="store_true")
    given = words.parse_args()
    if not PEER.exists() and not given.no_peer:
        print("(no .bench-venv: LangGraph is left out; `make bench-peers` installs it)")
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        module = build(folder)
        _loops(module, given)
        _durable(module, folder, given)
        _growth(module, folder, given)


def _loops(module: Any, given: argparse.Namespace) -> None:
    found = medians(
        given.rounds,
        floor=lambda: floor_loop(given.steps * 10),
        engine=lambda: engine_loop(module, given.steps),
        memory=lambda: engine_loop(module, given.steps, MemoryStore()),
    )
    table = Table("one step without a disk", "µs")
    table.floor("awaited coroutine", found["floor"])
    table.row("lgc, no store", found["engine"], goal="5 µs, 55 x")
    table.row("lgc, MemoryStore", found["memory"])
    other = None if given.no_peer else peer("loop", "500")
    if other:
        table.row(
            "LangGraph, no checkpointer", other["us"], note=f"{other['us'] / found['engine']:.0f} x lgc"
        )
    table.show()


def _durable(module: Any, folder: Path, given: argparse.Namespace) -> None:
    found = medians(
        given.rounds,
        floor=lambda: floor_sqlite(given.durable, folder),
        engine=lambda: engine_sqlite(module, given.durable, folder),
        short=lambda: short_runs(module, folder),
    )
    table = Table("one durable step, SQLite, synchronous FULL", "µs")
    table.floor("INSERT + COMMIT", found["floor"])
    table.row("lgc, SqliteStore", found["engine"], goal="1.3 x")
    table.row(
        "lgc, a whole run of 3 steps", found["short"], floor=3 * found["floor"],
        note="floor: three; also created, taken, held",
    )  # fmt: skip
    other = None if given.no_peer else peer("sqlite", "300", str(folder))
    if other:
        note = f"{other['us'] / found['engine']:.1f} x lgc"
        table.row("LangGraph, SqliteSaver, sync", other["us"], note=note)
    table.show()


def _growth(module: Any, folder: Path, given: argparse.Namespace) -> None:
    rounds = [
        (floor_sqlite(GROWTH, folder, 1300) * GROWTH / 1e6, growth(module, folder))
        for _ in range(max(1, given.rounds // 2))
    ]
    floor = statistics.median([each for each, _ in rounds])
    table = Table(f"{GROWTH} durable steps, each appends 1 KiB", "s")
    table.floor("INSERT + COMMIT of as much", floor)
    middle = sorted([found for _, found in rounds], key=lambda found: found["seconds"])[len(rounds) // 2]
    table.row("lgc", middle["seconds"], goal="1.2 s, 8 MB", note=_grown(middle))
    if not given.no_peer:
        for kind, steps in (("growth", 400), ("delta", 1000)):
            other = peer(kind, str(steps), str(folder))
            if other:
                name = f"LangGraph{', DeltaChannel' if kind == 'delta' else ''}, only {steps} steps"
                table.row(name, other["seconds"], floor=floor * steps / GROWTH, note=_grown(other))
    table.show()


def _grown(found: dict[str, float]) -> str:
    return f"{found['mb']:.1f} MB; a step at first {found['first']:.0f} µs, at last {found['last']:.0f} µs"


if __name__ == "__main__":
    main()
