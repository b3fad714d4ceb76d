"""`lgc drift`: which runs of a store can go on, told to people, programs, pull requests and workflows."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import Place
from tests.runtime.drifters import AHEAD, NARROWER, STRICTER, TEXT, keep, park
from tests.runtime.positions import version

from lgc.cli import drifting
from lgc.parallel import in_processes
from lgc.runtime import open_store
from lgc.runtime.compat import judging
from lgc.runtime.store.records import RunStatus

Lgc = Callable[..., Any]

OLD = version(TEXT)


def fill(url: str, count: int = 6) -> None:
    """Runs that were graded 0.55 and 0.9 in turn, one that has ended, one of another graph."""

    async def main() -> None:
        async with open_store(url) as store:
            await keep(store, OLD)
            for number in range(count):
                score = 0.9 if number % 2 else 0.55
                await park(store, OLD.hash, f"run-{number}", 0.1, score, created=float(number))
            await park(store, OLD.hash, "ended", 0.55, status=RunStatus.DONE)

    asyncio.run(main())


@pytest.fixture
def parked(place: Path) -> Path:
    """A folder with a graph that was made stricter, and a store with runs of before."""
    (place / "g.lgraph").write_text(STRICTER)
    fill(str(place / "runs.db"))
    return place


def test_runs_that_cannot_go_on(lgc: Lgc, parked: Path) -> None:
    (parked / "runs.db").rename(parked / "kept.db")
    done = lgc("drift", "g.lgraph", "--store", "kept.db")
    assert (done.status, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == "incompatible: 3 compatible, 3 incompatible of 6 unfinished runs in kept.db"
    assert "- guard of `grade -> ok` changed from `score >= 0.5` to `score >= 0.6`: 3 runs" in done.out
    assert f"--> g.lgraph:{STRICTER.splitlines().index('  grade -> ok when score >= 0.6') + 1}:3" in done.out
    assert "run-4, run-2, run-0" in done.out
    rows = [line.split() for line in lines if re.match(r"run-\d ", line)]
    assert [(row[0], row[5]) for row in rows] == [
        *((f"run-{number}", "incompatible") for number in (4, 2, 0)),
        *((f"run-{number}", "compatible") for number in (5, 3, 1)),
    ]
    assert "lgc resume RUN --mode compatible --store kept.db" in done.out
    assert "ended" not in done.out


@pytest.mark.parametrize(
    ("text", "level", "status"),
    [
        (TEXT, "compatible", 0),
        (AHEAD, "incompatible", 0),
        (AHEAD, "migratable", 0),
        (AHEAD, "compatible", 1),
        (STRICTER, "incompatible", 1),
        (STRICTER, "compatible", 1),
        (NARROWER, "migratable", 1),
    ],
)
def test_what_fails(lgc: Lgc, parked: Path, text: str, level: str, status: int) -> None:
    (parked / "g.lgraph").write_text(text)
    for form in ("text", "json", "markdown", "github"):
        done = lgc("drift", "--fail-on", level, "--format", form)
        assert (done.status, done.err) == (status, "")


def test_the_settings_name_the_store(lgc: Lgc, parked: Path) -> None:
    (parked / "sub").mkdir()
    (parked / "runs.db").rename(parked / "sub" / "kept.db")
    assert lgc("drift").status == 2
    (parked / "lgc.toml").write_text('store = "sub/kept.db"\n')
    assert "6 unfinished runs" in lgc("drift", "g.lgraph").out


def test_json_tells_every_run(lgc: Lgc, parked: Path) -> None:
    done = lgc("drift", "g.lgraph", "--format", "json")
    told = json.loads(done.out)
    assert (told["version"], told["verdict"], told["store"]) == (1, "incompatible", "runs.db")
    assert told["verdicts"] == {"identical": 0, "compatible": 3, "migratable": 0, "incompatible": 3}
    assert [run["run"] for run in told["runs"]] == [f"run-{number}" for number in reversed(range(6))]
    run = told["runs"][-1]
    assert (run["status"], run["step"], run["parked"], run["verdict"]) == (
        "waiting",
        4,
        ["ok"],
        "incompatible",
    )
    (reason,) = run["reasons"]
    assert (reason["kind"], reason["element"], reason["step"]) == ("routed-elsewhere", "edges/grade", 4)
    assert (run["old"], run["new"]) == (OLD.hash, version(STRICTER).hash)
    assert told["reasons"][0]["count"] == 3


def test_which_runs(lgc: Lgc, parked: Path) -> None:
    def runs(*words: str) -> list[str]:
        told = json.loads(lgc("drift", "g.lgraph", "--format", "json", *words).out)
        return [run["run"] for run in told["runs"]]

    assert runs("--run", "run-3") == ["run-3"]
    assert runs("--graph", "h") == []
    assert runs("--status", "running") == []
    assert len(runs("--status", "waiting", "--status", "failed")) == 6
    assert "no unfinished runs in" in lgc("drift", "--run", "ended").out
    missing = lgc("drift", "--run", "run-33")
    assert (missing.status, missing.out) == (2, "")
    assert "did you mean `run-" in missing.err
    assert lgc("drift", "--status", "done").status == 2


def test_the_terminal_is_not_flooded(lgc: Lgc, place: Path) -> None:
    (place / "g.lgraph").write_text(STRICTER)
    fill("runs.db", 60)
    assert lgc("drift").out.count("\nrun-") == 20
    done = lgc("drift", "--limit", "3")
    assert done.out.count("\nrun-") == 3
    assert "and 57 more runs: --all lists every run" in done.out
    assert lgc("drift", "--all").out.count("\nrun-") == 60
    assert "run-58, run-56, run-54, run-52, run-50 and 25 more" in done.out


def test_workflow_commands(lgc: Lgc, parked: Path) -> None:
    done = lgc("drift", "g.lgraph", "--format", "github")
    (error, last) = done.out.splitlines()
    line = STRICTER.splitlines().index("  grade -> ok when score >= 0.6") + 1
    assert error.startswith(
        f"::error file=g.lgraph,line={line},col=3,title=lgc drift%3A incompatible (routed-elsewhere)::"
        "guard of `grade -> ok` changed from `score >= 0.5` to `score >= 0.6`: 3 runs%0A"
    )
    assert "%0Aruns: run-4, run-2, run-0" in error
    assert last.startswith("incompatible: 3 compatible")


def test_no_command_is_smuggled_in(lgc: Lgc, parked: Path) -> None:
    async def main() -> None:
        async with open_store("runs.db") as store:
            for number in range(30):
                name = f"\n::error::{number}\x1b[31m| <b>`@someone`"
                await park(store, OLD.hash, f"{name} run", 0.55, graph=f"{name} graph")

    asyncio.run(main())
    commands = lgc("drift", "g.lgraph", "--format", "github").out.splitlines()
    assert len(commands) == 11
    assert sum(line.startswith("::") for line in commands) == 10
    assert "22 more findings" in commands[9]
    for form in ("text", "github", "markdown"):
        out = lgc("drift", "g.lgraph", "--all" if form == "text" else "--limit=5", "--format", form).out
        assert "\x1b" not in out
        assert "\n::error::0" not in out
    markdown = lgc("drift", "g.lgraph", "--format", "markdown").out
    assert "<b>" not in re.sub(r"(`+).*?\1|<code>.*?</code>", "", markdown)
    assert len(markdown) < 65_536


def test_markdown(lgc: Lgc, parked: Path) -> None:
    done = lgc("drift", "g.lgraph", "--format", "markdown")
    lines = done.out.splitlines()
    assert lines[0] == "<!-- lgc drift -->"
    assert "### ❌ 3 compatible, 3 incompatible of 6 unfinished runs in" in done.out
    assert "| `g` | 0 | 3 | 0 | 3 |" in done.out
    assert "`grade -> ok`" in done.out
    assert "<details><summary>Runs</summary>" in done.out
    (parked / "g.lgraph").write_text(TEXT)
    assert "✅ 6 identical" in lgc("drift", "--format", "markdown").out


def test_damage_is_told_and_fails(lgc: Lgc, parked: Path) -> None:
    (parked / "g.lgraph").write_text(TEXT)
    base = sqlite3.connect("runs.db")
    key = "(SELECT key FROM history WHERE run = ?)"
    base.execute(f"UPDATE run SET input = x'00' WHERE key = {key}", ("run-1",))
    base.execute(f"UPDATE log SET next = 'ship' WHERE step = 2 AND run = {key}", ("run-2",))
    base.commit()
    base.close()
    done = lgc("drift", "g.lgraph")
    assert done.status == 1
    assert "damaged: run run-1 is passed over" in done.out
    assert "lgc store verify" in done.out
    told = json.loads(lgc("drift", "g.lgraph", "--format", "json").out)
    assert len(told["runs"]) == 5
    assert [one["kind"] for one in told["reasons"]] == ["run-unreadable"]
    assert "run-1" in told["damaged"][0]
    commands = lgc("drift", "g.lgraph", "--format", "github").out
    assert commands.count("::error") == 2


def test_what_cannot_be_read_at_all(lgc: Lgc, parked: Path) -> None:
    (parked / "notes.db").write_text("no database, but long enough to look like one " * 100)
    for words, said in (
        (("--store", "nowhere.db"), "there is no store at nowhere.db"),
        (("--store", "notes.db"), "notes.db"),
        (("--store", "ftp://runs"), "no stores of the kind `ftp`"),
        (("nothing.lgraph",), "nothing.lgraph"),
        (("--format", "xml"), "xml"),
    ):
        done = lgc("drift", *words)
        assert (done.status, done.out) == (2, "")
        assert said in done.err
        assert "Traceback" not in done.err
    (parked / "g.lgraph").write_text(STRICTER.replace("-> ok when", "-> okay when"))
    done = lgc("drift", "g.lgraph")
    assert (done.status, done.out) == (1, "")
    assert "okay" in done.err


def test_graphs_that_are_gone(lgc: Lgc, parked: Path) -> None:
    (parked / "g.lgraph").write_text(TEXT.replace("graph g(S)", "graph other(S)"))
    done = lgc("drift", "g.lgraph")
    assert done.status == 1
    assert "there is no graph of the name that the run belongs to: 6 runs" in done.out


def test_a_database(lgc: Lgc, place: Path, postgres: Place) -> None:
    (place / "g.lgraph").write_text(STRICTER)
    url = postgres.store()
    fill(url)
    done = lgc("drift", "g.lgraph", "--store", url.replace("lgc@", "lgc:geheim@"))
    assert done.status == 1
    assert "3 compatible, 3 incompatible of 6 unfinished runs" in done.out
    assert "geheim" not in done.out + done.err


# --- several processes ------------------------------------------------------------------------------------


def test_processes_share_the_work(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "g.lgraph").write_text(STRICTER)
    fill("runs.db", 31)
    alone = lgc("drift", "--format", "json")
    monkeypatch.setattr(drifting, "_WORTH", 10)
    monkeypatch.setattr(drifting, "processors", lambda: 3)
    parts: list[int] = []

    def counted(weights: Any, do: Any, count: int) -> Any:
        parts.append(count)
        return in_processes(weights, do, count)

    monkeypatch.setattr(drifting, "in_processes", counted)
    assert lgc("drift", "--format", "json") == alone
    assert parts == [3]
    # What no process has done is done by the first.
    monkeypatch.setattr(drifting, "in_processes", lambda weights, do, count: {0: do(0)})  # pyright: ignore
    assert lgc("drift", "--format", "json") == alone
    # Where a process cannot be forked, there is one.
    monkeypatch.setattr(drifting, "processors", lambda: 1)
    monkeypatch.setattr(drifting, "in_processes", counted)
    assert lgc("drift", "--format", "json") == alone
    assert parts == [3]


def test_it_can_be_interrupted(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "g.lgraph").write_text(STRICTER)
    fill("runs.db", 20)
    monkeypatch.setattr(drifting, "_WORTH", 10)
    monkeypatch.setattr(drifting, "processors", lambda: 2)
    parent = os.getpid()

    async def judged(*given: Any) -> Any:
        if os.getpid() != parent:
            await asyncio.Event().wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "judged", judged)
    done = lgc("drift")
    assert (done.status, done.out) == (130, "")
    assert "interrupted" in done.err
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
