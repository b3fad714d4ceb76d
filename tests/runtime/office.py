"""One process of several that have to do with one run: `python office.py FOLDER STORE drive|sink|decide …`.

Files are how the processes wait for each other: `enough` ends the work, `go` lets all answers come at once.
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


async def until(path: Path) -> None:
    """Wait for a file."""
    last = time.monotonic() + 120
    there = path.exists
    while not there() and time.monotonic() < last:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.02)


def mark(folder: Path, name: str) -> None:
    """Let others know."""
    (folder / name).touch()


def graph(folder: Path, name: str) -> Any:
    """The graph, with functions that the files of a folder direct."""
    from lgc.runtime.graph import bind

    lg: Any = import_module("office_lg")

    async def work(ctx: Any) -> None:
        await until(folder / "enough")

    async def spent(ctx: Any) -> None:
        ctx.record(lg.Say(text=f"spent {ctx.state.amount}"))

    async def back(ctx: Any) -> None:
        ctx.record(lg.Set(to=ctx.visit + 1))

    return bind(getattr(lg, f"{name.upper()}_PLAN"), SimpleNamespace(work=work, spent=spent, back=back))


class NobodyAnswers:
    """A barrier sink whose person does not come."""

    async def wait(self, barrier: Any) -> None:
        await asyncio.sleep(1_000)


async def drive(folder: Path, url: str, name: str, sink: bool) -> str:
    """Start the run or go on with it, and say how that ended."""
    from lgc.runtime import LgcError, RunNotFound, Session, open_store

    lg: Any = import_module("office_lg")
    more: Any = {"barrier_sink": NobodyAnswers()} if sink else {}
    async with open_store(url) as store:
        try:
            session: Any = await Session.restore(graph(folder, name), store=store, run_id="r", **more)
        except RunNotFound:
            state = lg.S(inner=lg.E(x=9))
            session = await Session.start(graph(folder, name), state, store=store, run_id="r", **more)
        mark(folder, "driving")
        try:
            result = await session.run()
        except LgcError as error:
            return type(error).__name__
        return str(result.status)


async def answer(folder: Path, url: str, name: str, address: str, given: str, actor: str) -> str:
    """Answer a barrier when `go` is there, and say what came of it."""
    from lgc.runtime import BarrierDecision, LgcError, decide, open_store, unbound

    compiled = unbound(getattr(import_module("office_lg"), f"{name.upper()}_PLAN"))
    answer, _, arguments = given.partition(":")
    decision = BarrierDecision.answer(answer, **json.loads(arguments or "{}"))
    async with open_store(url) as store:
        mark(folder, f"ready-{os.getpid()}")
        await until(folder / "go")
        try:
            await decide(compiled, store, "r", address, decision, actor=actor)
        except LgcError as error:
            return f"{type(error).__name__}: {error.message}"
        return "recorded"


def main() -> None:
    """Do what the words say."""
    folder, url, what, name, *rest = sys.argv[1:]
    sys.path.insert(0, folder)
    if what == "decide":
        print(asyncio.run(answer(Path(folder), url, name, *rest)))
    else:
        print(asyncio.run(drive(Path(folder), url, name, what == "sink")))


if __name__ == "__main__":
    main()
