"""`lgc resume --all`: what died, was answered or ran out of time is taken up, everything else is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Lgc = Callable[..., Any]

GRAPH = """\
state S {
  seen: list[str] = []
  mutation Saw(what: str) { seen += [what] }
}

graph flow(S) {
  task first { records Saw }
  barrier ok {
    shows seen
    timeout TIMEOUT
    decision yes
  }
  task last { records Saw }
  start -> first -> ok
  ok -> last on yes
  ok -> end on timeout
  last -> end
}
"""

NODES = """\
import os, signal, time
import flow_lg

async def first(ctx):
    if os.path.exists("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    while os.path.exists("hang"):
        open("hanging", "w").close()
        time.sleep(0.01)
    ctx.record(flow_lg.Saw(what="first"))

async def last(ctx):
    if os.path.exists(os.path.join(os.path.dirname(__file__), "fail")):
        raise ValueError("no last")
    ctx.record(flow_lg.Saw(what="last"))
"""


def project(folder: Path, timeout: str = "2d", nodes: str = NODES) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "flow.lgraph").write_text(GRAPH.replace("TIMEOUT", timeout))
    (folder / "nodes.py").write_text(nodes)


def process(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lgc", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start(folder: Path, run: str, *more: str) -> int:
    words = ("run", "flow.lgraph", "--nodes", "nodes", "--run-id", run, *more)
    return process(folder, *words).wait()


def statuses(lgc: Lgc, *more: str) -> dict[str, str]:
    return {one["run"]: one["status"] for one in json.loads(lgc("runs", "--json", *more).out)["runs"]}


def test_dead_runs_and_answered_ones_go_on_and_the_rest_is_left(lgc: Lgc, place: Path) -> None:
    project(place)
    assert start(place, "parked") == start(place, "answered") == 0
    (place / "die").touch()
    assert start(place, "dead") == -signal.SIGKILL
    (place / "die").unlink()
    assert lgc("decide", "answered", "ok", "yes", "--actor", "ed", "--no-run").status == 0
    assert statuses(lgc) == {"parked": "waiting", "answered": "waiting", "dead": "running"}

    ran = lgc("resume", "--all")
    assert ran.status == 0
    assert sorted(ran.out.splitlines()) == [
        "2 runs taken up: 1 done, 1 waiting",
        "done answered",
        "waiting dead at ok",
    ]
    assert statuses(lgc) == {"parked": "waiting", "answered": "done", "dead": "waiting"}
    again = lgc("resume", "--all")
    assert again.out == "nothing to go on with: every run is over, waits, or is being driven\n"


def test_the_time_of_a_barrier_that_passed_while_nobody_ran(lgc: Lgc, place: Path) -> None:
    project(place, timeout="1s")
    assert start(place, "late") == 0
    time.sleep(1.1)
    assert lgc("resume", "--all").out.splitlines()[0] == "done late"


def test_a_run_that_a_living_process_drives_is_left_to_it(lgc: Lgc, place: Path) -> None:
    project(place)
    (place / "hang").touch()
    living = process(place, "run", "flow.lgraph", "--nodes", "nodes", "--run-id", "r")
    while not (place / "hanging").exists():
        assert living.poll() is None
        time.sleep(0.02)
    assert "driven" in lgc("show", "r").out
    assert lgc("resume", "--all").out.startswith("nothing to go on with")
    refused = lgc("resume", "r")
    assert refused.status == 1 and "is being driven by" in refused.err and "--take-over" in refused.err
    # Stopped, it is no longer at work; revived, it can commit nothing.
    living.send_signal(signal.SIGSTOP)
    (place / "hang").unlink()
    assert lgc("resume", "--all").out.splitlines()[0] == "waiting r at ok"
    living.send_signal(signal.SIGCONT)
    assert living.wait(60) == 1
    log = [json.loads(line) for line in lgc("log", "r", "--json").out.splitlines()]
    assert [(one["step"], one["node"]) for one in log] == [(1, "first")]


def test_taken_over_by_word(lgc: Lgc, place: Path) -> None:
    project(place)
    (place / "hang").touch()
    living = process(place, "run", "flow.lgraph", "--nodes", "nodes", "--run-id", "r")
    while not (place / "hanging").exists():
        assert living.poll() is None
        time.sleep(0.02)
    assert lgc("resume", "r").status == 1
    taken = process(place, "resume", "r", "--take-over")
    while "driven" not in lgc("show", "r").out or f":{taken.pid}" not in lgc("show", "r").out:
        time.sleep(0.05)
    (place / "hang").unlink()
    assert (taken.wait(60), living.wait(60)) == (0, 1)
    assert statuses(lgc) == {"r": "waiting"}


def test_failures_and_changed_graphs_are_told_and_do_not_hold_up_the_others(lgc: Lgc, place: Path) -> None:
    project(place)
    assert start(place, "breaks") == 0
    assert lgc("decide", "breaks", "ok", "yes", "--actor", "ed", "--no-run").status == 0
    (place / "fail").touch()
    other = place / "other"
    project(other)
    store = f"sqlite:///{place / 'runs.db'}"
    assert start(other, "changed", "--store", store) == 0
    assert lgc("decide", "changed", "ok", "yes", "--actor", "ed", "--no-run").status == 0
    text = (other / "flow.lgraph").read_text()
    (other / "flow.lgraph").write_text(text.replace("ok -> last on yes", "ok -> end on yes when seen != []"))
    gone = place / "gone"
    project(gone)
    assert start(gone, "nowhere", "--store", store) == 0
    assert lgc("decide", "nowhere", "ok", "yes", "--actor", "ed", "--no-run").status == 0
    (gone / "flow.lgraph").unlink()
    third = place / "third"
    project(third, nodes=NODES.replace('what="last"', 'what="LAST"'))
    assert start(third, "fine", "--store", store) == 0
    assert lgc("decide", "fine", "ok", "yes", "--actor", "ed", "--no-run").status == 0

    ran = lgc("resume", "--all", "--json")
    assert ran.status == 1
    told = {data["run"]: data for data in map(json.loads, ran.out.splitlines())}
    assert {run: data["status"] for run, data in told.items()} == {
        "breaks": "failed",
        "changed": "refused",
        "nowhere": "refused",
        "fine": "done",
    }
    assert "no last" in told["breaks"]["error"]["message"]
    assert "no such file" in told["nowhere"]["error"]["message"]
    # Each kind of run had the functions of its own folder, though all their modules are called alike.
    assert json.loads(lgc("show", "fine", "--json").out)["state"]["seen"] == ["first", "LAST"]
    assert statuses(lgc) == {"breaks": "failed", "changed": "waiting", "nowhere": "waiting", "fine": "done"}


def test_words_that_do_not_go_together(lgc: Lgc, place: Path) -> None:
    assert lgc("resume").status == 2
    assert lgc("resume", "r", "--all").status == 2
    assert lgc("resume", "--all", "--mode", "force").status == 2
    assert lgc("resume", "--all", "--store", "nowhere.db").status == 2
