"""One run, many drivers: one goes on, the others are refused, nothing is called or committed twice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime import Cancelled, MemoryStore, RunFenced, RunStatus, Session, SqliteStore
from lgc.runtime.sessions.lease import held, owner
from lgc.runtime.store.records import Commit, owner_name

Compile = Callable[..., Any]

RACE = """
state S { xs: list[int] = []  mutation Push(x: int) { xs += [x] } }
graph race(S) {
  task push { records Push }
  decision more
  start -> push -> more
  more -> push when len(xs) < 12
  more -> end else
}
"""
HERE = Path(__file__).parent


def race(folder: Path, url: str, count: int) -> tuple[Counter[str], list[int]]:
    """How it ended for each of `count` processes, and which visits were called."""
    checked = check([Source("race.lgraph", RACE)], load=lambda path: None)
    (source,) = checked.program.modules
    (folder / "race_lg.py").write_text(generate(checked.program, source, version="0"))
    command = [sys.executable, str(HERE / "fencing_race.py"), url, str(folder), str(count)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    return Counter(one["end"] for one in told["ends"]), [one["visit"] for one in told["calls"]]


@pytest.mark.parametrize("count", [2, 10, 100])
def test_of_many_processes_one_goes_on(tmp_path: Path, count: int) -> None:
    ends, calls = race(tmp_path, str(tmp_path / "runs.db"), count)
    assert ends == {"done 12": 1, "RunFenced": count - 1}
    assert calls == list(range(1, 13))


def bound(m: Any, push: Any) -> Any:
    return m.race(SimpleNamespace(push=push))


def test_a_lease_is_held_while_a_session_runs_and_no_longer(compiled: Compile) -> None:
    m = compiled(RACE)
    leases: list[float] = []

    async def main() -> None:
        store = MemoryStore()

        async def push(ctx: Any) -> None:
            leases.append((await store.get_run("r")).lease)
            if ctx.visit == 2:
                await asyncio.sleep(0.15)
            ctx.record(m.Push(x=1))

        session = await Session.start(bound(m, push), m.S(), store=store, run_id="r", lease=0.2)
        assert (await store.get_run("r")).lease == 0.0
        before = time.time()
        await session.run()
        assert leases[0] > before and leases[2] > leases[0]  # renewed while a node was waiting
        run = await store.get_run("r")
        assert (run.lease, run.status) == (0.0, RunStatus.DONE)
        assert owner_name(run.owner) == owner_name(owner()) and "~" not in owner_name(run.owner)

    asyncio.run(main())


def test_only_a_living_foreign_owner_holds_a_run(compiled: Compile) -> None:
    m = compiled(RACE)

    async def push(ctx: Any) -> None:
        ctx.record(m.Push(x=1))

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(m, push), m.S(), store=store, run_id="r")
        mine = owner()
        elsewhere = "far:1~00000000.5"
        gone = mine.rpartition(".")[0] + ".1"  # a process of the same id that is no more
        for name, lease, expected in [
            (mine, 60.0, False),
            (elsewhere, 60.0, True),
            ("far:1", 60.0, True),
            (elsewhere, -1.0, False),
            (gone, 60.0, False),
        ]:
            fence = await store.take("r", name, lease=time.time() + lease)
            assert held(await store.get_run("r"), time.time()) is expected, name
        fence = await store.take("r", elsewhere, lease=time.time() + 60)
        with pytest.raises(RunFenced, match=r"is being driven by far:1 \(for \d+ s more"):
            await Session.restore(bound(m, push), store=store, run_id="r")
        assert (await store.get_run("r")).fence == fence
        session = await Session.restore(bound(m, push), store=store, run_id="r", take_over=True)
        assert (await session.run()).status is RunStatus.DONE
        with pytest.raises(RunFenced):
            await store.commit(Commit("r", fence, lease=time.time()))

    asyncio.run(main())


def test_a_session_learns_between_two_steps_that_it_was_overtaken(compiled: Compile, tmp_path: Path) -> None:
    """The heartbeat tells, also where a node would have gone on for a long time."""
    m = compiled(RACE)

    async def forever(ctx: Any) -> None:
        await asyncio.sleep(1000)

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store, SqliteStore(tmp_path / "runs.db") as other:
            session = await Session.start(bound(m, forever), m.S(), store=store, run_id="r", lease=0.1)
            running = asyncio.create_task(session.run())
            await asyncio.sleep(0.05)
            await other.take("r", "somebody")
            with pytest.raises(RunFenced, match="by somebody"):
                await asyncio.wait_for(running, 30)
            assert (await other.get_run("r")).status is RunStatus.RUNNING

    asyncio.run(main())


def test_a_session_whose_run_was_cancelled_elsewhere_is_cancelled(compiled: Compile) -> None:
    m = compiled(RACE)

    async def forever(ctx: Any) -> None:
        await asyncio.sleep(1000)

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(m, forever), m.S(), store=store, run_id="r", lease=0.1)
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0.05)
        fence = await store.take("r", "somebody")
        await store.commit(Commit("r", fence, status=RunStatus.CANCELLED, lease=0.0))
        with pytest.raises(Cancelled, match="by another process"):
            await asyncio.wait_for(running, 30)
        assert session.status is RunStatus.CANCELLED

    asyncio.run(main())


def test_of_two_that_take_a_run_at_once_one_gets_it(compiled: Compile) -> None:
    """Both saw the same token; the second is refused before it calls anything."""
    m = compiled(RACE)

    async def push(ctx: Any) -> None:
        ctx.record(m.Push(x=1))

    async def main() -> None:
        store = MemoryStore()
        await Session.start(bound(m, push), m.S(), store=store, run_id="r")
        seen = await store.get_run("r")
        assert await store.take("r", "a", expect=seen) == seen.fence + 1
        with pytest.raises(RunFenced):
            await store.take("r", "b", expect=seen)
        assert (await store.get_run("r")).owner == "a"

    asyncio.run(main())
