"""`python -m tests.compliance.sharing --seeds N`: do runs that share a verdict have it alone, too?

Of each random run there are copies whose numbers differ a little: some are in the same situation, others only
look as if they were. Whatever is said of a run among the others must be said of it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

from lgc.runtime import MemoryStore
from lgc.runtime.compat import judging
from lgc.runtime.compat.judge import Judge
from lgc.runtime.compat.verdict import RunVerdict, Verdict
from lgc.runtime.errors import LgcError
from lgc.runtime.forms.version import Version, version_from
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import DecisionRecord, RunRecord

from .designs import Design, Drawer
from .edits import Editor
from .runs import Runner
from .search import built

COPIES = 7
_NUMBER = re.compile(r'(?<=":)-?\d+(?=[,}])')


@dataclass
class Found:
    """What was found for one edit of one graph: verdicts alone and among others that differ, and counts."""

    name: str
    differ: list[tuple[RunVerdict, RunVerdict]]
    runs: int
    asked: int  # how often the judge was asked


async def searched(seed: int, edits: int = 3) -> list[Found]:
    """Compare for one graph, some of its runs and their copies, and some edits."""
    random = Random(seed)
    drawer = Drawer(random)
    design = drawer.design
    old = built(design)
    if old is None:
        return []
    store = MemoryStore()
    await _put(store, old)
    every_step = _every_step(old, design)
    for number in range(3):
        runner = Runner(Random(seed * 100 + number), old.graph, store, f"r{number}")
        if await runner.make(random.randint(0, 14)) is not None:
            await _copied(store, await store.get_run(runner.run), random, every_step)
    runs = await store.list_runs()
    found: list[Found] = []
    for number in range(edits):
        editor = Editor(Random(seed * 100 + number), design, deepcopy(drawer))
        new = built(editor.edit(random.choice((1, 1, 2))))
        if new is not None and new.hash != old.hash:
            found.append(await _compared(f"{seed}.{number}: {', '.join(editor.done)}", store, new, runs))
    return found


async def _put(store: MemoryStore, version: Version) -> None:
    await store.put_graph(version.hash, version.name, version.canonical)
    for inner in version.inner.values():
        await _put(store, inner)


async def _copied(store: MemoryStore, run: RunRecord, random: Random, every_step: Judge) -> None:
    """Add copies of a run with other numbers in what was recorded, as far as they could have been runs."""
    log = [record async for record in store.replay(run.run)]
    decisions = {one.id: one for one in await store.decisions(run.run)}
    for number in range(COPIES):
        name, few = f"{run.run}-{number}", random.choice((0.0, 0.1, 0.5))

        def other(text: str, few: float = few) -> str:
            def moved(found: re.Match[str]) -> str:
                return str(int(found[0]) + random.choice((-1, 1, 3))) if random.random() < few else found[0]

            return _NUMBER.sub(moved, text)

        await store.create_run(replace(run, run=name, input=other(run.input)))
        ids = {id: await _answered(store, one, name) for id, one in decisions.items()}
        for record in log:
            detail = re.sub(r'(?<="decision":)\d+', partial(_own, ids), record.detail)
            await store.append(
                record._replace(run=name, mutations=other(record.mutations), detail=detail, checkpoint="")
            )
        if not await _possible(store, name, every_step):
            await store.delete_run(name)


async def _possible(store: MemoryStore, run: str, every_step: Judge) -> bool:
    """Whether a log is one of a run of its graph: whether each of its steps leads where it would."""
    try:
        return (await every_step.judge(store, await store.get_run(run))).verdict is Verdict.COMPATIBLE
    except Exception:
        return False


def _every_step(old: Version, design: Design) -> Judge:
    """Does every step of a run again: where fewer steps are allowed, none is taken as it was."""
    lowered = deepcopy(design)
    for graph in lowered.graphs.values():
        graph.max_steps = (graph.max_steps or 10_000) - 1
    new = built(lowered)
    assert new is not None
    return Judge(old, new)


def _own(ids: Mapping[int, int], found: re.Match[str]) -> str:
    return str(ids[int(found[0])])


async def _answered(store: MemoryStore, one: DecisionRecord, run: str) -> int:
    return await store.add_decision(replace(one, run=run))


async def _compared(name: str, store: MemoryStore, new: Version, runs: Any) -> Found:
    asked = 0

    class Counting(Judge):
        async def judge(self, store: Store, run: RunRecord) -> RunVerdict:
            nonlocal asked
            asked += 1
            return await super().judge(store, run)

    with patch.object(judging, "Judge", Counting):
        together = await judging.judged(store, {"g": new}, runs)
    old = await version_from(runs[0].hash, store.get_graph)
    assert old is not None
    differ: list[tuple[RunVerdict, RunVerdict]] = []
    for run, shared in zip(runs, together, strict=True):
        try:
            alone = await Judge(old, new).judge(store, run)
        except LgcError:
            continue  # a value of its own broke a constraint: it is no run of the old graph
        if alone != shared:
            differ.append((alone, shared))
    return Found(name, differ, len(runs), asked)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--from", dest="first", type=int, default=0)
    given = parser.parse_args()
    tally: Counter[str] = Counter()
    for seed in range(given.first, given.first + given.seeds):
        for found in asyncio.run(searched(seed)):
            tally["edits"] += 1
            tally["runs"] += found.runs
            tally["judged"] += found.asked
            tally["wrong"] += len(found.differ)
            for alone, shared in found.differ[:1]:
                print(found.name, "", f"  alone:  {alone}", f"  shared: {shared}", sep="\n")
    for name, number in tally.items():
        print(f"{number:8} {name}")
    return 1 if tally["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
