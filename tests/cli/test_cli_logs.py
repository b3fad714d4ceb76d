"""`--log-format`, `--log-level`: records on standard error, beside events on standard output."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

Lgc = Callable[..., Any]

RUN = ("run", "article.lgraph", "--nodes", "nodes:Nodes", "--input", '{"topic": "Zeno"}', "--run-id", "r1")


def test_records_are_json_on_standard_error(lgc: Lgc, article: Path) -> None:
    nodes = article / "nodes.py"
    text = nodes.read_text()
    assert "async def write(" in text
    head, _, rest = text.partition("async def write(")
    signature, _, body = rest.partition("\n")
    log = '        __import__("logging").getLogger("mine").info("writing")\n'
    nodes.write_text(f"{head}async def write({signature}\n{log}{body}")
    before = logging.getLogger().level
    ran = lgc(*RUN, "--json", "--log-format", "json", "--log-level", "debug")
    assert ran.status == 0
    events = [json.loads(line)["event"] for line in ran.out.splitlines() if '"event"' in line]
    records = [json.loads(line) for line in ran.err.splitlines()]
    assert [r["event"] for r in records if r["logger"] == "lgc.run"] == events
    own = [r for r in records if r["logger"] == "mine"]
    assert own and {(r["message"], r["run"], r["node"]) for r in own} == {("writing", "r1", "write")}
    assert logging.getLogger().level == before


def test_text_and_levels(lgc: Lgc, article: Path) -> None:
    ran = lgc(*RUN, "--log-format", "text")
    assert "run r1" in ran.out and "lgc.run" not in ran.out
    lines = ran.err.splitlines()
    assert any("INFO" in line and "r1: node completed write" in line for line in lines)
    assert not any("DEBUG" in line for line in lines)
    ran = lgc("resume", "r1", "--log-level", "error")
    assert "INFO" not in ran.err
    ran = lgc("resume", "--all", "--log-level", "info")
    assert ran.status == 0


def test_without_the_options_nothing_is_logged(lgc: Lgc, article: Path) -> None:
    assert lgc(*RUN).err == ""
