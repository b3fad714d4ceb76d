"""Going on with runs whose graph has changed: what is told, what is refused, what the history keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Lgc

GRAPH = """
state S {
  amount: float = 120.0
  paid: bool = false
  FIELDS
  mutation Pay() { paid = true }
}
graph refund(S) {
  decision size
  barrier approval { shows amount  timeout 2d  decision approve  decision refuse }
  task pay { records Pay }
  start -> size
  size -> approval when amount > LIMIT
  size -> pay else
  approval -> pay on approve
  approval -> end on refuse
  approval -> end on timeout
  pay -> end
}
"""
NODES = """
async def pay(ctx):
    from importlib import import_module
    ctx.record(import_module("refund_lg").Pay())
"""


@pytest.fixture
def source(place: Path) -> Path:
    """The source of a run `r1` that waits at `approval`."""
    (place / "nodes.py").write_text(NODES)
    path = place / "refund.lgraph"
    write(path)
    return path


def write(path: Path, limit: str = "50.0", fields: str = "", more: str = "") -> None:
    path.write_text(GRAPH.replace("LIMIT", limit).replace("FIELDS", fields) + more)


def hash_of(lgc: Lgc, path: Path) -> str:
    (one,) = json.loads(lgc("hash", path, "--json").out)["graphs"]
    return str(one["hash"])


def started(lgc: Lgc, run: str = "r1") -> None:
    assert lgc("run", "refund.lgraph", "--nodes", "nodes", "--run-id", run).status == 0


def moves(lgc: Lgc) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(lgc("show", "r1", "--json").out)["overrides"]
    return found


def test_a_run_that_is_not_affected_goes_on(lgc: Lgc, source: Path) -> None:
    started(lgc)
    old = hash_of(lgc, source)
    write(source, "100.0", "note: str?")
    new = hash_of(lgc, source)
    refused = lgc("resume", "r1")
    assert refused.status == 1
    assert "this run, at `approval` after step 1, can go on" in refused.err
    assert "`lgc resume r1 --mode compatible`" in refused.err and "RestoreMode" not in refused.err
    dry = lgc("resume", "r1", "--mode", "compatible", "--dry-run")
    assert dry.status == 0
    assert "verdict compatible" in dry.out and "+ note   = null" in dry.out
    assert moves(lgc) == []
    ran = lgc("resume", "r1", "--mode", "compatible", "--actor", "ada", "--reason", "deploy 7")
    assert ran.status == 0
    assert "run: the run was moved from graph" in ran.out
    (move,) = moves(lgc)
    assert move == {
        "step": 1, "mode": "compatible", "actor": "ada", "reason": "deploy 7", "expected": old, "actual": new,
        "time": move["time"],
    }  # fmt: skip
    assert lgc("decide", "r1", "approval", "approve", "--actor", "ada").status == 0
    shown = lgc("show", "r1").out
    assert f"after step 1: {old[:20]} -> {new[:20]} (compatible) by ada: deploy 7" in shown
    lines = lgc("log", "r1").out.splitlines()
    assert [line.split()[0] for line in lines] == ["STEP", "1", "moved", "2", "3"]
    told = [json.loads(line) for line in lgc("log", "r1", "--json").out.splitlines()]
    assert [one.get("step") or one["move"]["mode"] for one in told] == [1, "compatible", 2, 3]
    (listed,) = json.loads(lgc("runs", "--json").out)["runs"]
    assert [one["actor"] for one in listed["moves"]] == ["ada"]


def test_without_an_actor_the_process_is_named(lgc: Lgc, source: Path) -> None:
    started(lgc)
    write(source, "100.0")
    assert lgc("resume", "r1", "--mode", "compatible").status == 0
    (move,) = moves(lgc)
    assert ":" in str(move["actor"]) and "~" not in str(move["actor"])


def test_a_run_that_is_affected_is_refused_with_the_reason(lgc: Lgc, source: Path) -> None:
    started(lgc)
    write(source, "500.0")
    for mode in ("strict", "compatible", "migrate"):
        ran = lgc("resume", "r1", "--mode", mode)
        assert ran.status == 1
        assert "at step 1 the run went to `approval`, the new graph goes to `pay`" in ran.err
        assert "refund.lgraph:" in ran.err and "lgc migrate" in ran.err
    data = json.loads(lgc("resume", "r1", "--json").out.splitlines()[-1])["result"]["error"]
    assert data["verdict"]["verdict"] == "incompatible"
    assert data["verdict"]["reasons"][0]["step"] == 1
    dry = lgc("resume", "r1", "--mode", "migrate", "--dry-run", "--json")
    seen = json.loads(dry.out)
    assert (dry.status, seen["verdict"]["verdict"], seen["step"]) == (1, "incompatible", 1)
    assert seen["refused"] and seen["after"]["amount"] == 120.0
    assert lgc("resume", "r1", "--mode", "force", "--reason", "it is right").status == 2
    assert lgc("resume", "r1", "--mode", "force", "--reason", "it is right", "--actor", "ada").status == 0
    assert [one["mode"] for one in moves(lgc)] == ["force"]
    assert lgc("resume", "r1").status == 0, "not asked again"


def test_a_declared_migration_takes_a_run_along(lgc: Lgc, source: Path) -> None:
    started(lgc)
    block = f'migrate refund from "{hash_of(lgc, source)}" {{ set rating = amount / 2.0 }}\n'
    write(source, "500.0", "rating: float = 0.0", block)
    refused = lgc("resume", "r1", "--mode", "compatible")
    assert refused.status == 1 and "--mode migrate" in refused.err
    assert lgc("resume", "r1", "--mode", "migrate").status == 0
    assert json.loads(lgc("show", "r1", "--json").out)["state"]["rating"] == 60.0


def test_all_runs_at_once(lgc: Lgc, source: Path) -> None:
    for run in ("r1", "r2"):
        started(lgc, run)
    write(source, "100.0")
    ran = lgc("resume", "--all", "--json")
    assert ran.status == 1
    assert [json.loads(line)["status"] for line in ran.out.splitlines()] == ["refused", "refused"]
    ran = lgc("resume", "--all", "--mode", "compatible", "--json")
    assert [json.loads(line)["status"] for line in ran.out.splitlines()] == ["waiting", "waiting"]
    assert moves(lgc) and lgc("resume", "--all").out.startswith("nothing to go on with")
    assert lgc("resume", "--all", "--mode", "force", "--reason", "x", "--actor", "y").status == 2


def test_the_past_is_read_under_its_graph(lgc: Lgc, source: Path) -> None:
    started(lgc)
    old = hash_of(lgc, source)
    write(source, "100.0", "note: str?")
    assert lgc("resume", "r1", "--mode", "compatible").status == 0
    assert lgc("decide", "r1", "approval", "approve", "--actor", "ada").status == 0
    seen = [json.loads(lgc("replay", "r1", "--to-step", str(step), "--json").out) for step in range(4)]
    assert ["note" in one["state"] for one in seen] == [False, True, True, True]
    assert [one["hash"] == old for one in seen] == [True, False, False, False]
    refused = lgc("fork", "r1", "--step", "0")
    assert refused.status == 1 and f"step 0 was made under graph {old[:20]}" in refused.err
    assert lgc("fork", "r1", "--step", "1", "--run-id", "f1").status == 0
    assert lgc("decide", "f1", "approval", "refuse", "--actor", "ada").status == 0
    write(source)  # the old source
    assert json.loads(lgc("replay", "r1", "--to-step", "1", "--json").out)["hash"] == old
    assert lgc("fork", "r1", "--step", "0", "--run-id", "f0").status == 0
    again = lgc("resume", "r1", "--mode", "compatible")
    assert again.status == 1 and "was moved from it" in again.err
    assert "stays under its graph" in again.err  # it is done
    assert "another one now" in lgc("show", "r1").out


def test_an_archived_run_keeps_its_moves(lgc: Lgc, source: Path) -> None:
    started(lgc)
    write(source, "100.0")
    assert lgc("resume", "r1", "--mode", "compatible", "--actor", "ada").status == 0
    assert lgc("decide", "r1", "approval", "approve", "--actor", "ada").status == 0
    assert lgc("store", "archive", "--to", "a.jsonl.zst", "--delete").status == 0
    assert "(compatible) by ada" in lgc("log", "r1", "--archive", "a.jsonl.zst").out
