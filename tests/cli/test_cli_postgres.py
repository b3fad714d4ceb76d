"""`--store postgresql://…`: every command works on a database, and none prints its password."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.postgres_server import Place

Lgc = Callable[..., Any]

GRAPH = """\
state S {
  paid: int = 0
  mutation Paid(amount: int) { paid += amount }
}

graph pay(S) {
  task charge { reads paid  records Paid  effect once }
  barrier sign_off {
    shows    paid
    timeout  2d
    decision approve
  }
  start -> charge -> sign_off
  sign_off -> end on approve
  sign_off -> end on timeout
}
"""

NODES = """\
import pay_lg

async def charge(ctx):
    ctx.record(pay_lg.Paid(amount=7))
"""


def test_every_command_works_on_a_database(lgc: Lgc, place: Path, postgres: Place) -> None:
    (place / "pay.lgraph").write_text(GRAPH)
    (place / "nodes.py").write_text(NODES)
    schema = postgres.schema()
    url = postgres.store(schema).replace("lgc@", "lgc:geheim@")
    store = ("--store", url)
    said: list[str] = []

    def ran(*words: str | Path, status: int = 0) -> str:
        done = lgc(*words, *store)
        assert done.status == status, done.out + done.err
        said.extend((done.out, done.err))
        out: str = done.out
        return out

    assert "holds no runs yet" in lgc("runs", *store).err
    ran("resume", "r1", status=2)
    ran("run", "pay.lgraph", "--nodes", "nodes", "--run-id", "r1")
    assert "r1" in ran("runs")
    assert json.loads(ran("show", "r1", "--json"))["state"]["paid"] == 7
    assert "--store" in ran("show", "r1")
    assert "charge" in ran("log", "r1")
    ran("decide", "r1", "sign_off", "approve", "--actor", "ed")
    assert json.loads(ran("show", "r1", "--json"))["status"] == "done"
    assert "7" in ran("replay", "r1")
    ran("fork", "r1", "--step", "1")
    ran("store", "stats")
    ran("store", "verify")
    ran("store", "compact")
    ran("resume", "--all", status=0)
    assert not any("geheim" in text for text in said)
