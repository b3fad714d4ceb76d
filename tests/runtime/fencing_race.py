"""Many processes that resume one run at the same moment: what each of them met, as lines of JSON.

`python fencing_race.py STORE FOLDER COUNT` forks them, so that a hundred cost little more than one. The first
node that is called waits until all other processes have been refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

STEPS = 12


def note(path: Path, **what: Any) -> None:
    """Add a line; short appends do not mix."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (json.dumps(what) + "\n").encode())
    os.close(handle)


def noted(path: Path) -> list[dict[str, Any]]:
    """What was noted so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def graph(folder: Path, others: int) -> Any:
    """The graph, whose node notes each call."""
    lg: Any = import_module("race_lg")

    async def push(ctx: Any) -> None:
        note(folder / "calls", pid=os.getpid(), visit=ctx.visit)
        until = time.monotonic() + 60
        while len(noted(folder / "ends")) < others and time.monotonic() < until:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.02)
        ctx.record(lg.Push(x=ctx.visit))

    return lg.race(SimpleNamespace(push=push))


async def begin(url: str, folder: Path) -> None:
    """The run, parked before its first step."""
    from lgc.runtime import Session, open_store

    lg: Any = import_module("race_lg")
    async with open_store(url) as store:
        await Session.start(graph(folder, 0), lg.S(), store=store, run_id="r")


async def resume(url: str, folder: Path, others: int) -> str:
    """How it ended for this process."""
    from lgc.runtime import LgcError, Session, open_store

    try:
        async with open_store(url) as store:
            session: Any = await Session.restore(graph(folder, others), store=store, run_id="r")
            result = await session.run()
            return f"{result.status} {len(result.state.xs)}"
    except LgcError as error:
        return type(error).__name__


def main() -> None:
    url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    sys.path.insert(0, str(folder))
    asyncio.run(begin(url, folder))
    moment = time.time() + 0.3 + count / 200
    children: list[int] = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            time.sleep(max(0.0, moment - time.time()))
            status = 1
            try:
                note(folder / "ends", pid=os.getpid(), end=asyncio.run(resume(url, folder, count - 1)))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    print(json.dumps({"ends": noted(folder / "ends"), "calls": noted(folder / "calls")}))


if __name__ == "__main__":
    main()
