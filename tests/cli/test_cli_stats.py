"""How long a check took, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Lgc

from lgc.cli.bar import Bar
from lgc.stats import PHASES

GOOD = """\
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) { task a { reads n  records Add }  start -> a -> end }
"""


def test_phases_and_counts_on_standard_error(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(GOOD)
    ran = lgc("check", "--stats", "--no-cache")
    assert (ran.status, ran.out) == (0, "no findings in 1 file\n")
    names = [line.split("  ")[0] for line in ran.err.splitlines()]
    assert [name for name in names if name in PHASES] == [p for p in PHASES if p in names]
    assert {"parse", "resolve", "rules", "report", "all"} <= set(names)
    assert ": 1 file, 2 lines, 1 node, " in ran.err.splitlines()[-1]


def test_what_is_remembered_is_counted(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(GOOD)
    (place / "lgc.toml").write_text('cache = "kept"\n')
    first = json.loads(lgc("check", "--stats", "--format", "json").out)["summary"]["stats"]
    second = json.loads(lgc("check", "--stats", "--format", "json").out)["summary"]["stats"]
    assert (first["files"], first["remembered"], first["nodes"]) == (1, 0, 1)
    assert (second["files"], second["remembered"], second["nodes"]) == (1, 1, 0)
    assert first["rules"] and not second["rules"]
    assert 0 < first["phases"]["parse"] < first["seconds"]
    assert first["memory"] > 1_000_000


def test_reports_hold_no_times_unless_asked(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(GOOD)
    ran = lgc("check", "--format", "json")
    assert "stats" not in json.loads(ran.out)["summary"]
    assert ran.err == ""


@pytest.mark.parametrize("more", ["--fix", "--write-baseline", "--impls"])
def test_times_are_for_looking_only(lgc: Lgc, place: Path, more: str) -> None:
    (place / "a.lgraph").write_text(GOOD)
    assert lgc("check", "--stats", more).status == 2


def test_the_bar_tells_how_far_it_is_and_goes_away(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar(1_200)
    bar.mark("read")
    assert capsys.readouterr().err == ""  # too early for most checks
    bar._line._due = 0.0  # pyright: ignore[reportPrivateUsage]
    bar.count("done", 40)
    bar.mark("parse")
    shown = capsys.readouterr().err
    assert shown == "\rchecking 40 of 1,200 files: parse"
    bar.mark("resolve")
    assert capsys.readouterr().err == ""  # not at every mark
    bar.clear()
    assert capsys.readouterr().err == "\r" + " " * (len(shown) - 1) + "\r"


def test_no_bar_where_nobody_looks(lgc: Lgc, place: Path) -> None:
    for number in range(60):
        (place / f"f{number}.lgraph").write_text(GOOD)
    assert lgc("check", "--no-cache").err == ""
