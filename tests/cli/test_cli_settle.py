"""`lgc settle`: a run that died inside an `effect once` node waits for a person."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]

GRAPH = """\
state S {
  paid: int = 0
  mutation Paid(amount: int) { paid += amount }
}

graph pay(S) {
  task before { reads paid }
  task charge { records Paid  effect once }
  task after { reads paid }
  start -> before -> charge -> after -> end
}
"""

DIES = """\
import os

async def before(ctx): ...
async def after(ctx): ...

async def charge(ctx):
    os._exit(9)
"""

WORKS = """\
import pay_lg

async def before(ctx): ...
async def after(ctx): ...

async def charge(ctx):
    ctx.record(pay_lg.Paid(amount=7))
"""


@pytest.fixture
def uncertain(place: Path) -> Path:
    """A folder with a run `r1` that died while it paid."""
    (place / "pay.lgraph").write_text(GRAPH)
    (place / "nodes.py").write_text(DIES)
    words = [sys.executable, "-m", "lgc", "run", "pay.lgraph", "--nodes", "nodes", "--run-id", "r1"]
    assert subprocess.run(words, cwd=place, capture_output=True).returncode == 9
    (place / "nodes.py").write_text(WORKS)
    return place


def paid(lgc: Lgc) -> Any:
    """Status and amount as the store knows them."""
    shown = json.loads(lgc("show", "r1", "--json").out)
    return shown["status"], shown["state"]["paid"], shown["uncertain"]


def test_it_is_not_called_again_by_itself(lgc: Lgc, uncertain: Path) -> None:
    ran = lgc("resume", "r1")
    assert ran.status == 1
    assert "died inside `charge`" in ran.out
    assert "lgc settle r1 charge" in ran.out
    assert paid(lgc) == ("uncertain", 0, ["charge"])
    assert "lgc settle r1 charge retry|skip" in lgc("show", "r1").out


@pytest.mark.parametrize(
    ("how", "amount"),
    [(("retry",), 7), (("skip",), 0), (("records", 'Paid={"amount": 5}'), 5)],
)
def test_three_ways_on(lgc: Lgc, uncertain: Path, how: tuple[str, ...], amount: int) -> None:
    ran = lgc("settle", "r1", "charge", *how, "--actor", "me")
    assert ran.status == 0, ran.err
    assert paid(lgc) == ("done", amount, [])


def test_wrong_words(lgc: Lgc, uncertain: Path) -> None:
    assert lgc("settle", "r1", "charge", "perhaps").status == 2
    assert lgc("settle", "r1", "charge", "skip", "Paid").status == 2
    assert lgc("settle", "r1", "charge", "records", "Pad={}").status == 2
    ran = lgc("settle", "r1", "before", "skip")
    assert ran.status == 1
    assert "`before` is not uncertain" in ran.err
