"""Moves a run again and again, each time in a process that is killed one write later: `mover.py FOLDER URL`.

In FOLDER are the modules `old_lg` and `new_lg`. A line of JSON is printed for each death: what was found
after it. A write is a statement that changes something in SQLite, and a call of the store in PostgreSQL.

With a third word several processes do it at the same moment instead: a line for each, then what was found.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lgc.runtime import RestoreMode, RunFenced, Session, open_store
from lgc.runtime.compat import judge  # noqa: F401  # pyright: ignore[reportUnusedImport] - before the fork
from lgc.runtime.graph import bind
from lgc.runtime.sessions.restore import blanks, rebuild

WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT")


def bound(name: str) -> Any:
    """A graph whose only node pushes its name."""
    lg: Any = import_module(f"{name}_lg")

    async def push(ctx: Any) -> None:
        ctx.record(lg.Push(x=ctx.node))

    return bind(lg.G_PLAN, SimpleNamespace(a=push, pay=push, ship=push)), lg


class Countdown:
    """Kills this process when it is told of the last write that it lives to see."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self) -> None:
        """One more."""
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, sql: str) -> None:
        """One more, if it is one."""
        if sql.lstrip().upper().startswith(WRITES):
            self.write()


async def begin(url: str) -> None:
    """A run that waits, with an answer that is given and not taken."""
    graph, lg = bound("old")
    async with open_store(url) as store:
        session: Any = await Session.start(graph, lg.S(), store=store, run_id="r")
        await session.run()


async def move(url: str, countdown: Countdown) -> None:
    """Restore it under the new graph, and die."""
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> Any:
        connection = connect(*args, **options)
        connection.set_trace_callback(countdown.statement)
        return connection

    setattr(sqlite3, "connect", traced)  # noqa: B010 - checkers disagree on what else to call it
    graph, _ = bound("new")
    async with open_store(url) as store:
        if url.startswith("postgresql:"):
            for name in ("take", "put_graph", "commit"):
                _around(store, name, countdown)
        await Session.restore(
            graph, store=store, run_id="r", mode=RestoreMode.FORCE, reason="why", actor="ann",
        )  # fmt: skip


def _around(store: Any, name: str, countdown: Countdown) -> None:
    call = getattr(store, name)

    async def counted(*args: Any, **options: Any) -> Any:
        countdown.write()
        try:
            return await call(*args, **options)
        finally:
            countdown.write()

    setattr(store, name, counted)


async def found(url: str) -> dict[str, Any]:
    """What is there: which graph the run is under, and whether it is all there."""
    async with open_store(url) as store:
        run = await store.get_run("r")
        moves = await store.overrides("r")
        name = "new" if moves else "old"
        graph, _ = bound(name)
        position: Any = await rebuild(store, graph, run, blanks(graph))
        ids = [one.id for one in await store.list("r") if "move" in one.id]
        damage = [one.what for one in await store.verify()]
        session: Any = await Session.restore(graph, store=store, run_id="r")
        return {
            "under": name, "hash": run.hash == graph.hash, "moves": len(moves), "checkpoints": len(ids),
            "xs": position.root.state.xs, "at": position.root.node, "damage": damage,
            "status": str((await session.run()).status),
        }  # fmt: skip


def race(url: str, count: int) -> None:
    """Several processes move one run; a line for how each fared."""
    asyncio.run(begin(url))
    ready, go = os.pipe()
    for _ in range(count):
        if not os.fork():
            os.close(go)
            os.read(ready, 1)  # until nobody can write any more: all begin at once
            try:
                asyncio.run(move(url, Countdown(10**9)))
                os.write(1, b"moved\n")
            except RunFenced:
                os.write(1, b"fenced\n")
            except BaseException as error:
                os.write(1, f"{error!r}\n".encode())
            os._exit(0)
    os.close(go)
    for _ in range(count):
        os.wait()
    print(json.dumps(asyncio.run(found(url))))


def main(folder: Path, url: str) -> None:
    """Until a process lives to the end."""
    file = folder / "runs.db"
    if not url.startswith("postgresql:"):
        asyncio.run(begin(url))
        shutil.copy(file, folder / "kept.db")
    for writes in range(200):
        if url.startswith("postgresql:"):
            here = url + f"_{writes}"
            asyncio.run(begin(here))
        else:
            here = url
            for left in (file, folder / "runs.db-wal", folder / "runs.db-shm"):
                left.unlink(missing_ok=True)
            shutil.copy(folder / "kept.db", file)
        if not (child := os.fork()):
            asyncio.run(move(here, Countdown(writes)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"killed": os.WIFSIGNALED(status), **asyncio.run(found(here))}), flush=True)
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    if sys.argv[3:]:
        race(sys.argv[2], 6)
    else:
        main(Path(sys.argv[1]), sys.argv[2])
