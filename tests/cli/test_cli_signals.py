"""Ctrl-C and SIGTERM end `lgc run` in order, wherever the run is: status 130, the way on, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]

GRAPHS = """\
state S {
  n: int = 0
  mutation Add(by: int) { n += by }
}

graph node(S) {
  task first { records Add }
  task waits { reads n }
  start -> first -> waits -> end
}

graph thread(S) {
  task first { records Add }
  task blocks { reads n }
  start -> first -> blocks -> end
}

graph deaf(S) {
  task first { records Add }
  task ignores { reads n }
  start -> first -> ignores -> end
}

graph pause(S) {
  task first { records Add }
  task fails {
    reads n
    retry 3 backoff 1h..1h
  }
  start -> first -> fails -> end
}

graph lanes(S) {
  task first { records Add }
  parallel p {
    branch person { start -> ok  ok -> end on approve  ok -> end on reject  ok -> end on timeout }
    branch work = waits
    branch more = blocks
  }
  barrier ok { timeout 1h }
  task waits { reads n }
  task blocks { reads n }
  start -> first -> p -> end
}
"""

NODES = '''\
"""Tasks that take very long until the file `free` is there."""

import asyncio
import time
from pathlib import Path

from graphs_lg import Add

FREE = Path(__file__).with_name("free")
INSIDE = Path(__file__).with_name("inside")


async def first(ctx):
    ctx.record(Add(by=1))


async def waits(ctx):
    if not FREE.exists():
        INSIDE.touch()
        await asyncio.sleep(1000)


def blocks(ctx):
    if not FREE.exists():
        INSIDE.touch()
        time.sleep(1000)


async def ignores(ctx):
    while not FREE.exists():
        INSIDE.touch()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            continue


async def fails(ctx):
    if not FREE.exists():
        INSIDE.touch()
        raise OSError("down")
'''

INT, TERM = signal.SIGINT, signal.SIGTERM


@pytest.fixture
def graphs(place: Path) -> Path:
    (place / "graphs.lgraph").write_text(GRAPHS)
    (place / "nodes.py").write_text(NODES)
    return place


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("graph", "number"),
    [
        ("node", INT), ("node", TERM), ("thread", INT), ("deaf", TERM), ("pause", TERM), ("lanes", INT),
        ("lanes", TERM),
    ],
)  # fmt: skip
def test_a_run_that_is_interrupted_can_be_resumed(
    graph: str, number: signal.Signals, graphs: Path, lgc: Lgc
) -> None:
    command = f"run graphs.lgraph:{graph} --nodes nodes --run-id r"
    words = [sys.executable, "-m", "lgc", *command.split()]
    with subprocess.Popen(words, cwd=graphs, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        try:
            assert eventually((graphs / "inside").exists)
            os.kill(child.pid, number)
            told = child.communicate(timeout=60)[1].decode()
        finally:
            child.kill()
    assert child.returncode == 130, told
    assert "interrupted: what was committed stays" in told
    assert "lgc resume r" in told
    assert "Traceback" not in told and "Task was destroyed" not in told
    shown = json.loads(lgc("show", "r", "--json").out)
    assert (shown["status"], shown["step"], shown["lease"]) == ("running", 1, 0.0)
    (graphs / "free").touch()
    resumed = lgc("resume", "r")
    assert resumed.status == 0, resumed.err
    if graph == "lanes":
        assert lgc("decide", "r", "ok", "approve", "--actor", "ann").status == 0
    shown = json.loads(lgc("show", "r", "--json").out)
    assert (shown["status"], shown["state"]["n"]) == ("done", 1)


def test_a_second_signal_does_not_wait_for_a_blocked_loop(graphs: Path) -> None:
    (graphs / "nodes.py").write_text(NODES.replace("await asyncio.sleep(1000)", "time.sleep(1000)"))
    words = [sys.executable, "-m", "lgc", "run", "graphs.lgraph:node", "--nodes", "nodes", "--run-id", "r"]
    for number in (INT, TERM):
        (graphs / "inside").unlink(missing_ok=True)
        with subprocess.Popen(words, cwd=graphs, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
            try:
                assert eventually((graphs / "inside").exists)
                os.kill(child.pid, number)
                time.sleep(0.2)
                os.kill(child.pid, number)
                told = child.communicate(timeout=60)[1].decode()
            finally:
                child.kill()
        assert child.returncode == 130, told
        assert "interrupted" in told
        words[-1] += "2"


def test_a_run_is_cancelled_while_another_process_drives_it(graphs: Path, lgc: Lgc) -> None:
    words = [sys.executable, "-m", "lgc", "run", "graphs.lgraph:lanes", "--nodes", "nodes", "--run-id", "r"]
    with subprocess.Popen(words, cwd=graphs, stderr=subprocess.STDOUT, stdout=subprocess.PIPE) as child:
        try:
            assert eventually((graphs / "inside").exists)
            assert lgc("cancel", "r").status == 0
            told = child.communicate(timeout=60)[0].decode()
        finally:
            child.kill()
    assert child.returncode == 1
    assert "cancelled" in told
    again = lgc("cancel", "r")
    assert again.status == 1 and "is cancelled already" in again.err
    late = lgc("decide", "r", "ok", "approve", "--actor", "ann")
    assert late.status == 1 and "the run is cancelled" in late.err


def test_of_two_commands_that_answer_at_once_one_is_told(graphs: Path, lgc: Lgc) -> None:
    (graphs / "free").touch()
    assert lgc("run", "graphs.lgraph:lanes", "--nodes", "nodes", "--run-id", "r").status == 0
    words = [sys.executable, "-m", "lgc", "decide", "r", "ok", "approve", "--actor"]
    children = [
        subprocess.Popen(
            [*words, name], cwd=graphs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name in ("ann", "bob")
    ]
    told = [child.communicate(timeout=60)[0] for child in children]
    assert sorted(child.returncode for child in children) == [0, 1], told
    loser = told[0] if children[0].returncode else told[1]
    assert "answered by" in loser or "the run is done" in loser, told
    shown = json.loads(lgc("show", "r", "--json").out)
    assert shown["status"] == "done"
    assert len([one for one in shown["decisions"] if one["step"] > 0]) == 1
