"""Real processes, really killed: what a store has acknowledged is there, once, in order."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.postgres_server import Place

from lgc.runtime.store import open_store
from lgc.runtime.testing.subject import log

# Commits steps of some runs at once and writes `RUN STEP` to its output after each commit has returned.
WRITER = """
import asyncio, os, sys
from lgc.runtime.store import open_store
from lgc.runtime.store.protocols import Commit, RunStatus
from lgc.runtime.testing.subject import a_snapshot, a_step, log, marked

async def drive(store, run):
    fence = await store.take(run, str(os.getpid()))
    last = [record.step async for record in store.replay(run)]
    step = last[-1] if last else 0
    while True:
        step += 1
        snapshot = a_snapshot(run, step) if step % 5 == 0 else None
        status = RunStatus.WAITING if step % 7 == 0 else None
        await store.commit(Commit(run, fence, marked(run, step), status, snapshot=snapshot))
        os.write(1, f"{run} {step}\\n".encode())
        if step % 11 == 0:
            await asyncio.sleep(0)

async def main():
    async with open_store(sys.argv[1]) as store:
        await asyncio.gather(*(drive(store, run) for run in sys.argv[2:]))

asyncio.run(main())
"""


@pytest.mark.parametrize("runs", [["a"], ["a", "b", "c", "d"]], ids=["one run", "four runs"])
def test_what_was_acknowledged_survives_kill_9(runs: list[str], tmp_path: Path) -> None:
    kill_writers(str(tmp_path / "runs.db"), runs, 6)


@pytest.mark.parametrize("runs", [["a"], ["a", "b", "c", "d"]], ids=["one run", "four runs"])
def test_what_a_database_has_acknowledged_survives_kill_9(runs: list[str], postgres: Place) -> None:
    kill_writers(postgres.store(), runs, 3)


def kill_writers(path: str, runs: list[str], times: int) -> None:
    rng = random.Random(1)

    async def create() -> None:
        from lgc.runtime.testing.subject import a_run

        async with open_store(path) as store:
            for run in runs:
                await store.create_run(a_run(run))

    async def check(acknowledged: dict[str, int]) -> None:
        async with open_store(path) as store:
            for run in runs:
                await store.take(run, "")  # waits for what a server still does for a process that is gone
                records = await log(store, run)
                assert [record.step for record in records] == list(range(1, len(records) + 1))
                # At most the one commit in flight was kept without having been heard of.
                assert acknowledged[run] <= len(records) <= acknowledged[run] + 1
                snapshot = await store.latest_snapshot(run)
                assert (snapshot.step if snapshot else 0) == len(records) // 5 * 5
                waiting = len(records) >= 7
                assert ((await store.get_run(run)).status == "waiting") is waiting
                assert store.warnings() == []

    asyncio.run(create())
    for _ in range(times):
        acknowledged = dict.fromkeys(runs, 0)
        asyncio.run(_known(path, acknowledged))
        with subprocess.Popen([sys.executable, "-c", WRITER, path, *runs], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(rng.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            heard = (first + child.stdout.read()).decode().splitlines()
        for line in heard:
            run, step = line.split()
            acknowledged[run] = max(acknowledged[run], int(step))
        asyncio.run(check(acknowledged))


async def _known(path: str, acknowledged: dict[str, int]) -> None:
    async with open_store(path) as store:
        for run in acknowledged:
            acknowledged[run] = len(await log(store, run))


def test_many_processes_open_and_take_at_once(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from lgc.runtime.errors import RunExists
from lgc.runtime.store.sqlite import SqliteStore
from lgc.runtime.testing.subject import a_run

async def main():
    async with SqliteStore(sys.argv[1]) as store:
        try:
            await store.create_run(a_run())
        except RunExists:
            pass
        print(await store.take("r", "me"))

asyncio.run(main())
"""
    command = [sys.executable, "-c", script, str(tmp_path / "runs.db")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    tokens: list[int] = []
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err.decode()
        tokens.append(int(out))
    assert sorted(tokens) == [1, 2, 3, 4, 5, 6]
