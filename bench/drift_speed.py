"""How long it takes to say of every parked run of a store whether it can go on under an edited graph.

    python bench/drift_speed.py [--runs N] [--rounds N] [--folder DIR]

10,000 runs of an article with loops, branches and a barrier, each with values of its own. The floor is
to read the same rows with sqlite3 and their JSON with json, in one process. Wall time; medians, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
from pathlib import Path
from time import perf_counter

from drift_store import EDITS, edited, fill
from measure import Table, build, medians

from lgc.cli import drifting
from lgc.cli.drifting import surveyed
from lgc.cli.versions import versions_of
from lgc.parallel import processors
from lgc.runtime import SqliteStore
from lgc.runtime.compat.drift import UNFINISHED
from lgc.runtime.forms.version import Version

WORDS = {
    "same": "nothing has changed",
    "ahead": "an edit that no run can have noticed",
    "guard": "a guard behind all runs: their logs decide",
    "type": "a type that a tenth of the runs no longer fit",
    "body": "a mutation computes something else: nothing is shared",
}
GOALS = {"ahead": "2 s", "guard": "5 s"}


def floor(path: Path) -> float:
    """Seconds to read all rows with the same library, and their JSON, and nothing else."""
    began = perf_counter()
    base = sqlite3.connect(path)
    for (text,) in base.execute("SELECT input FROM run"):
        json.loads(text)
    count = 0
    for row in base.execute("SELECT * FROM log ORDER BY run, step"):
        json.loads(row[9])
        count += 1
    base.close()
    assert count
    return perf_counter() - began


def drifted(path: Path, versions: dict[str, Version], runs: int, processes: int) -> float:
    """Seconds for the whole survey."""
    began = perf_counter()
    drifting.processors = lambda: processes  # type: ignore[attr-defined]  # pyright: ignore
    found = surveyed(str(path), versions, statuses=UNFINISHED, graph="", run="")
    spent = perf_counter() - began
    assert len(found.runs) == runs
    return spent


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--runs", type=int, default=10_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--folder", default=None, help="a folder on the disk to measure")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        path = folder / "runs.db"
        module = build(folder, "article", edited("same"))

        async def filled() -> None:
            async with SqliteStore(path, durability="normal") as store:
                await fill(module, store, given.runs)

        asyncio.run(filled())
        versions: dict[str, dict[str, Version]] = {}
        for edit in EDITS:
            source = folder / edit / "article.lgraph"
            source.parent.mkdir()
            source.write_text(edited(edit))
            versions[edit] = versions_of(str(source))
        both = processors()
        found = medians(
            given.rounds,
            floor=lambda: floor(path),
            **{
                f"{edit} {count}": lambda edit=edit, count=count: drifted(
                    path, versions[edit], given.runs, count
                )
                for edit in EDITS
                for count in dict.fromkeys((1, both))
            },
        )
        for count in dict.fromkeys((1, both)):
            table = Table(f"drift: {given.runs:,} parked runs, {count} process{'es' * (count > 1)}", "s")
            table.floor("their rows and JSON", found["floor"])
            for edit in EDITS:
                table.row(
                    WORDS[edit], found[f"{edit} {count}"], goal=GOALS.get(edit, "") if count == both else ""
                )
            table.show()


if __name__ == "__main__":
    main()
