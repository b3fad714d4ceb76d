"""Many runs in one process, all durable on SQLite: what a step costs when their commits share transactions.

    python bench/runs_speed.py [--rounds N] [--folder DIR]

The floor is one transaction a round in which as many ready rows are inserted as there are runs. Each run is a
session of its own whose function does nothing; microseconds a step over all runs, with taking the lease and
the end of each run in it; the start (the run is created, then taken) is a line of its own. Nobody is told
"committed" early: while runs go on, each function looks whether the steps that the engine has told it of are
in the file, through a connection of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from measure import Table, build, medians
from store_speed import Floor

from lgc.runtime import Session, SqliteStore

SAMPLE = 101  # one step in so many is looked up


class Nodes:
    """The task of the loop; `looker` sees only what is committed."""

    def __init__(self, module: Any) -> None:
        self.made = module.Tick
        self.looker: sqlite3.Connection | None = None
        self.seen = 0

    async def tick(self, ctx: Any, /) -> None:
        ctx.record(self.made())
        if self.looker is not None and ctx.step and ctx.step % SAMPLE == 1:
            run = ctx.idempotency_key.partition("/")[0]
            found = self.looker.execute(
                "SELECT max(step) FROM log JOIN history ON history.key = log.run WHERE history.run = ?",
                (run,),
            ).fetchone()
            assert found[0] == ctx.step, f"told of step {ctx.step}, in the file is {found[0]}"
            self.seen += 1


def floor(folder: Path, runs: int, steps: int) -> float:
    """Microseconds a row."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        bare = Floor(Path(place) / "floor.db")
        spent = bare.groups(steps, runs, 200)
        bare.connection.close()
    return spent * 1e6


def together(module: Any, folder: Path, runs: int, steps: int, *, look: bool = False) -> tuple[float, float]:
    """Microseconds that the start of a run takes, and a step of that many sessions at once."""
    nodes = Nodes(module)

    async def main(path: Path) -> tuple[float, float]:
        graph = module.count(nodes)
        async with SqliteStore(path) as store:
            began = perf_counter()
            sessions = [
                await Session.start(graph, module.Counter(limit=steps), store=store) for _ in range(runs)
            ]
            begun = perf_counter()
            if look:
                nodes.looker = sqlite3.connect(path)
            await asyncio.gather(*(session.run() for session in sessions))
            spent = perf_counter() - begun
            if nodes.looker is not None:
                nodes.looker.close()
        return (begun - began) / runs * 1e6, spent / runs / steps * 1e6

    with tempfile.TemporaryDirectory(dir=folder) as place:
        return asyncio.run(main(Path(place) / "runs.db"))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--folder", default=None, help="a folder on the disk to measure")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        module = build(folder)
        for runs, steps in ((64, 100), (1000, 20)):
            starts: list[float] = []

            def driven() -> float:
                start, step = together(module, folder, runs, steps)  # noqa: B023 - called at once
                starts.append(start)  # noqa: B023
                return step

            found = medians(given.rounds, floor=lambda: floor(folder, runs, steps), runs=driven)  # noqa: B023
            table = Table(f"{runs} runs of {steps} steps in one process, a step", "µs")
            table.floor(f"{runs} INSERTs a COMMIT", found["floor"])
            note = f"all of it {found['runs'] * runs * steps / 1e6:.2f} s"
            table.row("lgc", found["runs"], goal="20 µs, 1.6 x", note=note)
            table.row("lgc, the start of a run", statistics.median(starts))
            table.show()
        together(module, folder, 64, 3 * SAMPLE, look=True)
        print("64 runs with a look into the file: each step that was told of was there")


if __name__ == "__main__":
    main()
