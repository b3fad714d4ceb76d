"""What a step costs in the engine, as ratios to the least that the same work can cost, and to LangGraph.

    python bench/engine_speed.py [--steps N] [--rounds N] [--no-peer]

* No store: a loop of one trivial coroutine; the floor is awaiting that coroutine in a `for`.
* SQLite: the same loop, each step durable (WAL, synchronous FULL); the floor is one INSERT + COMMIT of a
  row of that size on the same disk.
* Growth: 4,000 durable steps that each append 1 KiB to a list; total, bytes on disk, last steps beside first.

Floor and engine take turns in rounds of one run, as machines drift; figures are medians. The peer runs in
`.bench-venv` (`make bench-peers`) and is left out, with a line that says so, where that is not there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from lgc.runtime import MemoryStore, Session, SqliteStore

HERE = Path(__file__).resolve().parent
PEER = HERE.parent / ".bench-venv" / "bin" / "python"
PAGE = "x" * 1024
GROWTH = 4000


class Nodes:
    """The tasks of both loops."""

    async def tick(self, ctx: Any, /) -> None:
        ctx.record(TICK())

    async def write(self, ctx: Any, /) -> None:
        ctx.record(ADD(page=PAGE))


TICK: Any = None
ADD: Any = None


def build(folder: Path) -> Any:
    """The generated module."""
    global TICK, ADD
    lgc = Path(sys.executable).parent / "lgc"
    command = [str(lgc), "build", str(HERE / "loops.lgraph"), "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(next(folder.rglob("loops_lg.py")).parent))
    module = import_module("loops_lg")
    TICK, ADD = module.Tick, module.Add
    return module


# --- one measurement each, in microseconds a step ---------------------------------------------------------


async def _floor_loop(steps: int) -> None:
    async def tick() -> None:
        pass

    for _ in range(steps):
        await tick()


def floor_loop(steps: int) -> float:
    began = perf_counter()
    asyncio.run(_floor_loop(steps))
    return (perf_counter() - began) / steps * 1e6


async def _engine(graph: Any, state: Any, store: Any) -> float:
    session = await Session.start(graph, state, store=store)
    began = perf_counter()
    await session.run()
    return perf_counter() - began


def engine_loop(module: Any, steps: int) -> float:
    graph = module.count(Nodes())
    return asyncio.run(_engine(graph, module.Counter(limit=steps), None)) / steps * 1e6


def engine_memory(module: Any, steps: int) -> float:
    async def main() -> float:
        async with MemoryStore() as store:
            return await _engine(module.count(Nodes()), module.Counter(limit=steps), store)

    return asyncio.run(main()) / steps * 1e6


def engine_sqlite(module: Any, steps: int, folder: Path) -> float:
    async def main() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            async with SqliteStore(Path(place) / "runs.db") as store:
                return await _engine(module.count(Nodes()), module.Counter(limit=steps), store)

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


def growth(module: Any, folder: Path) -> dict[str, float]:
    """Seconds in all, MB on disk, and what the last 400 steps cost beside the first 400."""

    async def main(path: Path) -> tuple[float, list[float]]:
        async with SqliteStore(path) as store:
            state = module.Pile(limit=GROWTH)
            session = await Session.start(module.pile(Nodes()), state, store=store, run_id="pile")
            began = perf_counter()
            await session.run()
            return perf_counter() - began, [record.time async for record in store.replay("pile")]

    with tempfile.TemporaryDirectory(dir=folder) as place:
        spent, times = asyncio.run(main(Path(place) / "runs.db"))
        size = sum(file.stat().st_size for file in Path(place).iterdir())
    tenth = len(times) // 10
    first, last = times[tenth] - times[0], times[-1] - times[-1 - tenth]
    return {"seconds": spent, "mb": size / 1e6, "last_to_first": last / first}


def peer(*words: str) -> dict[str, float] | None:
    """Run the same work in LangGraph, in its own environment."""
    if not PEER.exists():
        return None
    command = [str(PEER), str(HERE / "peer_langgraph.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  the peer failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- the report -------------------------------------------------------------------------------------------


def medians(rounds: int, **measured: Callable[[], float]) -> dict[str, float]:
    """Each measurement once a round, in turn; the median of each."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def line(what: str, value: float, floor: float, unit: str = "µs") -> None:
    print(f"  {what:<34} {value:>10.2f} {unit:<3} {value / floor:>8.2f} x floor")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--steps", type=int, default=20000, help="of the loop without a store")
    words.add_argument("--durable", type=int, default=2000, help="of the durable loop")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--folder", default=None, help="a folder on the disk to measure")
    words.add_argument("--no-peer", action="store_true")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        module = build(folder / "generated")
        _report(module, folder, given)


def _report(module: Any, folder: Path, given: argparse.Namespace) -> None:
    with_peer = not given.no_peer and PEER.exists()
    if not with_peer and not given.no_peer:
        print("  (no .bench-venv: LangGraph is left out; `make bench-peers` installs it)")
    print(f"one step without a store (loop of {given.steps})")
    found = medians(
        given.rounds,
        floor=lambda: floor_loop(given.steps * 10),
        engine=lambda: engine_loop(module, given.steps),
        memory=lambda: engine_memory(module, given.steps),
    )
    line("awaited coroutine", found["floor"], found["floor"])
    line("lgc, no store", found["engine"], found["floor"])
    line("lgc, MemoryStore", found["memory"], found["floor"])
    other = peer("loop", "500") if with_peer else None
    if other:
        line("LangGraph, no checkpointer", other["us"], found["floor"])
        print(f"  lgc without a store is {other['us'] / found['engine']:.0f} times faster")
    print(f"one durable step on SQLite, WAL, synchronous FULL (loop of {given.durable})")
    found = medians(
        given.rounds,
        floor=lambda: floor_sqlite(given.durable, folder),
        engine=lambda: engine_sqlite(module, given.durable, folder),
    )
    line("INSERT + COMMIT", found["floor"], found["floor"])
    line("lgc, SqliteStore", found["engine"], found["floor"])
    other = peer("sqlite", "300", str(folder)) if with_peer else None
    if other:
        line("LangGraph, SqliteSaver, sync", other["us"], found["floor"])
        print(f"  lgc is {other['us'] / found['engine']:.1f} times faster")
    print(f"{GROWTH} durable steps, each appends 1 KiB to a list")
    floor = floor_sqlite(GROWTH, folder, 1300) * GROWTH / 1e6
    grown("lgc", growth(module, folder), floor)
    other = peer("growth", "400", str(folder)) if with_peer else None
    if other:
        grown(f"LangGraph, only {other['steps']:.0f} steps", other, floor * other["steps"] / GROWTH)


def grown(what: str, found: dict[str, float], floor: float) -> None:
    print(f"  {what:<34} {found['seconds']:>10.2f} s   {found['seconds'] / floor:>8.2f} x floor, "
          f"{found['mb']:.1f} MB, the last tenth costs {found['last_to_first']:.2f} x the first")  # fmt: skip


if __name__ == "__main__":
    main()
