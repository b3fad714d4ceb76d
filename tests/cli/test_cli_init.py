"""`lgc init`: the project that it makes holds what it promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]


def test_checks_builds_runs_and_passes(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lgc("init", "project").status == 0
    monkeypatch.chdir(place / "project")
    assert lgc("check", "--strict").status == 0
    assert lgc("fmt", "--check").status == 0
    assert "2 scenarios: 2 passed" in lgc("test").out
    assert lgc("build").status == 0
    assert lgc("build", "--check").status == 0
    ran = lgc("run", "letter.lgraph", "--input", '{"name": "Ada"}', "--run-id", "r1")
    assert ran.status == 0
    assert "waiting at reading" in ran.out
    assert "Dearest" in lgc("decide", "r1", "reading", "change", "remark=warmer", "--actor", "me").out
    assert "done after" in lgc("decide", "r1", "reading", "approve", "--actor", "me").out


def test_overwrites_nothing(lgc: Lgc, place: Path) -> None:
    (place / "nodes.py").write_text("mine = 1\n")
    ran = lgc("init")
    assert ran.status == 2
    assert "nodes.py is there already" in ran.err
    assert [one.name for one in place.iterdir()] == ["nodes.py"]
