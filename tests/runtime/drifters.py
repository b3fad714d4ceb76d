"""Parked runs for the tests of drift: written straight into a store, as the engine would have left them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from lgc.runtime import SqliteStore, Store
from lgc.runtime.forms.version import Version
from lgc.runtime.store.records import Commit, MutationRecord, RunRecord, RunStatus

TEXT = """
state S {
  topic: str = ""
  score: float = 0.0
  notes: list[str] = []
  mutation Write(text: str) { notes += [text] }
  mutation Grade(score)
}
graph g(S) {
  task write { reads topic  records Write }
  task grade { reads notes  records Grade }
  barrier ok { shows score  timeout 1d  decision approve  decision reject }
  task ship { reads notes }
  start -> write -> grade
  grade -> ok when score >= 0.5
  grade -> write else
  ok -> ship on approve
  ok -> write on reject
  ok -> end on timeout
  ship -> end
}
"""
STRICTER = TEXT.replace("score >= 0.5", "score >= 0.6")
AHEAD = TEXT.replace("task ship { reads notes }", "task ship { reads notes, topic }")
NARROWER = TEXT.replace("score: float = 0.0", "score: float = 0.0  range 0.0..0.8")


def steps(run: str, hash: str, scores: Sequence[float], first: int = 1) -> list[MutationRecord]:
    """What is logged of a run that was graded so: a grade that is good enough leads to the barrier."""
    found: list[MutationRecord] = []
    for visit, score in enumerate(scores, (first + 1) // 2):
        after = "ok" if score >= 0.5 else "write"
        for node, next, name, values in (
            ("write", "grade", "Write", {"text": f"{run}, draft {visit}"}),
            ("grade", after, "Grade", {"score": score}),
        ):
            mutations = json.dumps([{"m": name, "p": values}], separators=(",", ":"))
            found.append(
                MutationRecord(
                    run, first + len(found), "", node, visit, "ok", next, "", mutations, 100.0, 0.1, 1, 0.0,
                    "", "", hash,
                )
            )  # fmt: skip
    return found


async def keep(store: Store, version: Version) -> None:
    """Keep the form of a graph."""
    await store.put_graph(version.hash, version.name, version.canonical)


async def park(
    store: Store,
    hash: str,
    run: str,
    *scores: float,
    status: RunStatus = RunStatus.WAITING,
    created: float = 100.0,
    graph: str = "g",
) -> None:
    """Add a run."""
    input = json.dumps({"topic": f"topic of {run}", "score": 0.0, "notes": []})
    await store.create_run(RunRecord(run, graph, hash, RunStatus.RUNNING, input, created, created))
    fence = await store.take(run, "tester")
    await store.append_batch(steps(run, hash, scores))
    await store.commit(Commit(run, fence, status=status))


async def busy(path: str, hash: str, seconds: float) -> int:
    """Be at work in a store: runs begin, go on and end. How many have."""
    until, count = time.monotonic() + seconds, 0
    async with SqliteStore(path, durability="normal") as store:
        while time.monotonic() < until:
            run = f"busy-{count}"
            await park(store, hash, run, 0.2, 0.4, created=200.0 + count)
            fence = await store.take(run, "somebody else")
            for record in steps(run, hash, [0.3, 0.7], first=5):
                await store.commit(Commit(run, fence, record))
            if count % 2:
                await store.commit(Commit(run, fence, status=RunStatus.DONE))
            count += 1
            print(count, flush=True)
    return count


if __name__ == "__main__":
    asyncio.run(busy(sys.argv[1], sys.argv[2], float(sys.argv[3])))
