"""`lgc store …` and `lgc log --archive`: looking after a store from the command line."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.postgres_server import Place

from lgc.runtime import SqliteStore, Store
from lgc.runtime.store.archives.archive import read_archive
from lgc.runtime.store.records import Commit, RunStatus
from lgc.runtime.testing.subject import a_decision, a_run, a_snapshot, begun, log, marked

T = TypeVar("T")
Lgc = Callable[..., Any]

GRAPH = """\
state S {
  n: int = 0
  limit: int = 30
  xs: list[str] = []
  mutation Add(x: str) { n += 1  xs += [x] }
}
graph g(S) {
  max_steps 100000
  checkpoint { SETTING }
  task a { reads n  records Add }
  start -> a
  a -> a when n < limit
  a -> end else
}
"""
NODES = """\
from g_lg import AContext, Add

class Nodes:
    async def a(self, ctx: AContext, /) -> None:
        ctx.record(Add(x="hello"))
"""


@pytest.fixture
def project(place: Path) -> Callable[[str], None]:
    """Write the graph with these rules for checkpoints."""

    def write(setting: str) -> None:
        (place / "g.lgraph").write_text(GRAPH.replace("SETTING", setting))
        (place / "nodes.py").write_text(NODES)

    return write


def started(run: str, limit: int = 30) -> tuple[str, ...]:
    return ("run", "g.lgraph", "--nodes", "nodes:Nodes", "--input", f'{{"limit": {limit}}}', "--run-id", run)


def on_store(work: Callable[[Store], Awaitable[T]]) -> T:
    async def main() -> T:
        async with SqliteStore("runs.db") as store:
            return await work(store)

    return asyncio.run(main())


def listed(run: str) -> list[int]:
    async def read(store: Store) -> list[int]:
        return [one.step for one in await store.list(run)]

    return on_store(read)


async def several(store: Store) -> None:
    """Runs of every status; each with 10 steps, checkpoints at all of them, and snapshots at 4 and 8."""
    for status in RunStatus:
        run = str(status)
        fence = await begun(store, run)
        for step in range(1, 11):
            snapshot = a_snapshot(run, step) if step in (4, 8) else None
            await store.commit(Commit(run, fence, marked(run, step), snapshot=snapshot))
        await store.commit(Commit(run, fence, status=status))


# --- stats and verify -------------------------------------------------------------------------------------


def test_stats(lgc: Lgc, place: Path) -> None:
    on_store(several)
    ran = lgc("store", "stats")
    assert ran.status == 0
    assert re.search(r"^6 runs$", ran.out, re.MULTILINE)
    assert re.search(r"^ +60  steps$", ran.out, re.MULTILINE)
    assert re.search(r"^ +1  uncertain$", ran.out, re.MULTILINE)
    data = json.loads(lgc("store", "stats", "--json").out)
    assert data["version"] == 1
    assert data["runs"] == {str(status): 1 for status in sorted(RunStatus)}
    assert (data["steps"], data["checkpoints"], data["snapshots"]) == (60, 60, 12)
    assert {"log", "snapshots", "values", "graphs", "other", "total"} <= set(data["bytes"])
    assert data["bytes"]["total"] >= (place / "runs.db").stat().st_size
    assert len(data["biggest"]) == 6
    assert data["biggest"][0]["steps"] == 10


def test_verify_says_what_it_read(lgc: Lgc, place: Path) -> None:
    on_store(several)
    ran = lgc("store", "verify")
    assert (ran.status, ran.out) == (0, "no damage in 6 runs, 60 steps, 12 snapshots\n")


def test_verify_finds_every_damage(lgc: Lgc, place: Path) -> None:
    on_store(several)
    connection = sqlite3.connect("runs.db")
    with connection:
        for key, step in ((1, 3), (1, 7), (4, 2)):
            connection.execute("UPDATE log SET visit = visit + 1 WHERE run = ? AND step = ?", (key, step))
        connection.execute("UPDATE checkpoint SET snapshot = x'7b7d' WHERE run = 2 AND step = 8")
    connection.close()
    before = (place / "runs.db").read_bytes()
    ran = lgc("store", "verify", "--json")
    assert ran.status == 1
    data = json.loads(ran.out)
    places = {(one["run"], one["step"]) for one in data["damages"]}
    names = [str(status) for status in RunStatus]
    assert {(names[0], 3), (names[0], 7), (names[3], 2), (names[1], 8)} <= places
    assert {run for run, _ in places} == {names[0], names[1], names[3]}
    assert data["read"]["steps"] == 60
    ran = lgc("store", "verify")
    assert ran.status == 1
    assert f"damaged: run {names[3]}, step 2: " in ran.out
    assert re.search(r"^\d+ damages in 6 runs, 60 steps", ran.out, re.MULTILINE)
    assert (place / "runs.db").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        "stats",
        "verify",
        "prune",
        "compact",
        ("archive", "--to", "a"),
        ("prune", "--dry-run"),
        ("compact", "--dry-run"),
    ],
    ids=str,
)
def test_stores_that_are_none(lgc: Lgc, place: Path, command: Any) -> None:
    words = (command,) if isinstance(command, str) else command
    ran = lgc("store", *words)
    assert ran.status == 2
    assert "no store at" in ran.err
    assert list(place.iterdir()) == []
    (place / "text.db").write_text(
        "this is no database, whatever its name says; it is long enough to look at"
    )
    ran = lgc("store", *words, "--store", "text.db")
    assert ran.status == 2
    assert "text.db is not a store" in ran.err
    assert "Traceback" not in ran.err + ran.out


# --- prune ------------------------------------------------------------------------------------------------


def test_prune_by_what_each_graph_says(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    project("every 1 step  keep all")
    assert lgc(*started("r1")).status == 0
    on_store(lambda store: store.create_run(a_run("loose", launch="")))
    project("every 1 step  keep 4")  # how many stay is no part of the graph's hash
    dry = json.loads(lgc("store", "prune", "--dry-run", "--json").out)
    assert listed("r1") == list(range(30, 0, -1))
    ran = lgc("store", "prune", "--json")
    assert ran.status == 0
    done = json.loads(ran.out)
    assert done == dry | {"dry_run": False}
    assert [(one["run"], one["checkpoints"], one["steps"]) for one in done["removed"]] == [("r1", 26, 0)]
    assert [one["run"] for one in done["left"]] == ["loose"]
    assert listed("r1") == [30, 29, 28, 27]
    assert len(on_store(lambda store: log(store, "r1"))) == 30
    assert "nothing removed" in lgc("store", "prune").out
    (place / "g.lgraph").unlink()
    ran = lgc("store", "prune")
    assert ran.status == 0
    assert "left: run r1: " in ran.out
    assert "is not there any more" in ran.out


def test_prune_with_the_log(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    project("every 1 step  compact 8 steps")
    lgc(*started("r1"))
    before = on_store(lambda store: log(store, "r1"))
    words = ("store", "prune", "--keep", "3", "--log", "--json")
    dry = json.loads(lgc(*words, "--dry-run").out)
    assert on_store(lambda store: log(store, "r1")) == before
    ran = lgc(*words, "--archive", "gone.jsonl.zst")
    assert ran.status == 0, ran.err
    assert json.loads(ran.out) == dry | {"dry_run": False}
    (gone,) = dry["removed"]
    assert (gone["checkpoints"], gone["steps"], gone["log_from"]) == (27, 24, 25)
    assert listed("r1") == [30, 29, 28]
    assert on_store(lambda store: log(store, "r1")) == before[24:]
    assert lgc("store", "verify").status == 0
    assert '"n": 28' in lgc("replay", "r1", "--to-step", "28", "--json").out
    assert lgc("fork", "r1", "--step", "29").status == 0
    for command in ("fork", "replay"):
        ran = lgc(command, "r1", "--step" if command == "fork" else "--to-step", "5")
        assert ran.status == 2
        assert "step 5 of run `r1` is gone: its log was truncated and begins with step 25" in ran.err
    # What went is in the archive, and the log can be read from there.
    ran = lgc("log", "r1", "--archive", "gone.jsonl.zst", "--json")
    assert ran.status == 0
    assert [json.loads(line)["step"] for line in ran.out.splitlines()] == list(range(1, 25))
    assert lgc("store", "archive", "r1", "--to", "gone.jsonl.zst").status == 0
    ran = lgc("log", "r1", "--archive", "gone.jsonl.zst", "--json")
    assert [json.loads(line)["step"] for line in ran.out.splitlines()] == list(range(1, 31))


def test_a_pruned_run_goes_on(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    project("every 1 step  compact 8 steps")
    (place / "nodes.py").write_text(
        NODES.replace("ctx.record", "if ctx.visit == 20: 1 / 0\n        ctx.record")
    )
    assert lgc(*started("r1")).status == 1
    assert lgc("store", "prune", "--keep", "1", "--log").status == 0
    assert lgc("store", "prune", "--older-than", "0s", "--log").status == 0
    assert listed("r1") == []
    (place / "nodes.py").write_text(NODES)
    ran = lgc("resume", "r1", "--json")
    assert ran.status == 0, ran.err
    assert json.loads(ran.out.splitlines()[-1])["result"]["state"]["n"] == 30


def test_prune_by_age(lgc: Lgc, place: Path) -> None:
    on_store(several)  # made in the seventies
    data = json.loads(lgc("store", "prune", "--older-than", "30d", "--dry-run", "--json").out)
    assert data["checkpoints"] == 60
    assert json.loads(lgc("store", "prune", "--older-than", "99999w", "--json").out)["checkpoints"] == 0
    assert lgc("store", "prune", "--older-than", "30d").status == 0
    assert listed("waiting") == []
    assert len(on_store(lambda store: log(store, "waiting"))) == 10


def test_prune_runs(lgc: Lgc, place: Path) -> None:
    on_store(several)

    def runs() -> list[str]:
        return sorted(run["run"] for run in json.loads(lgc("runs", "--json").out)["runs"])

    words = ("store", "prune", "--runs", "--json")
    assert json.loads(lgc(*words, "--older-than", "99999w").out)["deleted"] == []
    # Their status changed a moment ago, whenever their steps were made.
    assert json.loads(lgc(*words, "--older-than", "1d").out)["deleted"] == []
    data = json.loads(lgc(*words, "--older-than", "0s", "--dry-run").out)
    assert {one["run"]: one["steps"] for one in data["deleted"]} == {"done": 10, "cancelled": 10}
    assert len(runs()) == 6
    assert lgc("store", "prune", "--runs", "--older-than", "0s").status == 0
    assert runs() == ["failed", "running", "uncertain", "waiting"]
    ran = lgc("store", "prune", "--runs", "--failed", "--older-than", "0s", "--archive", "old.jsonl.zst")
    assert ran.status == 0
    assert "1 run deleted" in ran.out
    assert runs() == ["running", "uncertain", "waiting"]
    assert [section.run for section in read_archive("old.jsonl.zst")] == ["failed"]
    assert lgc("store", "verify").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--runs",), "--older-than"),
        (("--runs", "--older-than", "1d", "--keep", "3"), "whole runs"),
        (("--failed",), "--runs"),
        (("--keep", "3", "--older-than", "1d"), "either"),
        (("--keep", "0"), "0 is not"),
        (("--older-than", "soon"), "no length of time"),
        (("--older-than", "-3d"), "no length of time"),
    ],
)
def test_prune_asks_for_sense(lgc: Lgc, place: Path, words: tuple[str, ...], message: str) -> None:
    on_store(several)
    ran = lgc("store", "prune", *words)
    assert ran.status == 2
    assert message in ran.err


# --- compact ----------------------------------------------------------------------------------------------


def test_compact(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    project("every 1 step  compact 100000 steps")
    lgc(*started("r1", 400))
    lgc(*started("gone", 400))
    lgc("store", "prune", "--runs", "--older-than", "0s", "--dry-run")
    on_store(lambda store: store.delete_run("gone"))
    on_store(lambda store: begun(store, "loose", steps=150))
    dry = json.loads(lgc("store", "compact", "--dry-run", "--json").out)
    assert dry["folded"] == [{"run": "r1", "steps": 400}]
    assert on_store(lambda store: store.latest_snapshot("r1")) is None
    before = on_store(lambda store: log(store, "r1"))
    ran = lgc("store", "compact", "--json")
    assert ran.status == 0, ran.err
    data = json.loads(ran.out)
    assert data["folded"] == dry["folded"]
    assert [one["run"] for one in data["left"]] == ["loose"]
    assert data["bytes"]["after"] < data["bytes"]["before"]
    newest = on_store(lambda store: store.latest_snapshot("r1"))
    assert newest is not None
    assert newest.step == 400
    assert listed("r1") == list(range(400, 0, -1))
    assert on_store(lambda store: log(store, "r1")) == before
    assert '"n": 400' in lgc("replay", "r1", "--json").out
    assert json.loads(lgc("store", "compact", "--json").out)["folded"] == []
    assert lgc("store", "verify").status == 0


def test_compact_leaves_what_has_another_graph(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    project("every 1 step  compact 100000 steps")
    lgc(*started("r1", 150))
    text = (place / "g.lgraph").read_text()
    (place / "g.lgraph").write_text(text.replace("n < limit", "n < limit - 1"))
    ran = lgc("store", "compact")
    assert ran.status == 0
    assert "left: run r1: " in ran.out
    assert "has another graph by now" in ran.out
    (place / "g.lgraph").write_text("graph {")
    assert "has errors" in lgc("store", "compact").out


def test_compact_drops_what_is_superseded(lgc: Lgc, place: Path) -> None:
    async def make(store: Store) -> None:
        fence = await begun(store)
        for step in range(1, 41):
            await store.commit(Commit("r", fence, marked(step=step)))
        for step in (10, 20, 30, 40):
            await store.save(a_snapshot(step=step, snapshot='{"s":"' + "x" * 5000 + '"}'))

    on_store(make)
    assert lgc("store", "compact").status == 0
    assert listed("r") == list(range(40, 0, -1))

    async def snapshots(store: Store) -> list[int]:
        found = [await store.latest_snapshot("r", at_most) for at_most in (40, 39, 29)]
        return [one.step for one in found if one is not None]

    assert on_store(snapshots) == [40, 30]
    assert on_store(lambda store: store.load("r@10")).snapshot == ""


# --- archive ----------------------------------------------------------------------------------------------


def test_archive_what_has_ended(lgc: Lgc, place: Path) -> None:
    on_store(several)
    before = on_store(lambda store: log(store, "done"))
    data = json.loads(lgc("store", "archive", "--to", "a.jsonl.zst", "--delete", "--dry-run", "--json").out)
    assert sorted(one["run"] for one in data["archived"]) == ["cancelled", "done"]
    assert not (place / "a.jsonl.zst").exists()
    ran = lgc("store", "archive", "--to", "a.jsonl.zst", "--delete", "--json")
    assert ran.status == 0
    done = json.loads(ran.out)
    assert done == data | {"dry_run": False}
    assert sorted(done["deleted"]) == ["cancelled", "done"]
    assert [
        json.loads(line)["step"]
        for line in lgc("log", "done", "--archive", "a.jsonl.zst", "--json").out.splitlines()
    ] == [step.step for step in before]
    ran = lgc("store", "archive", "--to", "a.jsonl.zst", "--status", "failed", "--delete")
    assert ran.status == 0
    assert "1 run archived, 1 run deleted" in ran.out
    assert {section.run for section in read_archive("a.jsonl.zst")} == {"cancelled", "done", "failed"}


def test_archive_deletes_nothing_that_may_go_on(lgc: Lgc, place: Path) -> None:
    on_store(several)
    ran = lgc("store", "archive", "waiting", "running", "--to", "a", "--delete")
    assert ran.status == 0
    assert "left: run waiting: it is waiting: it is not deleted" in ran.out
    assert "2 runs archived, 0 runs deleted" in ran.out
    assert len(on_store(lambda store: store.list_runs())) == 6


def test_archive_to_a_folder(lgc: Lgc, place: Path) -> None:
    async def odd(store: Store) -> None:
        for run in ("a/b", "..", "ü"):
            fence = await begun(store, run, steps=2)
            await store.commit(Commit(run, fence, status=RunStatus.DONE))

    on_store(odd)
    ran = lgc("store", "archive", "--to", "old/")
    assert ran.status == 0, ran.err
    assert len(list((place / "old").iterdir())) == 3
    for run in ("a/b", "..", "ü"):
        assert len(lgc("log", run, "--archive", "old", "--json").out.splitlines()) == 2
    assert lgc("log", "none", "--archive", "old").status == 2


def test_archive_reports_what_cannot_be_read(lgc: Lgc, place: Path) -> None:
    on_store(several)
    connection = sqlite3.connect("runs.db")
    with connection:
        connection.execute(
            "UPDATE log SET visit = 99 WHERE step = 5 AND run = (SELECT key FROM history WHERE run = 'done')"
        )
    connection.close()
    ran = lgc("store", "archive", "--to", "a", "--delete")
    assert ran.status == 1
    assert "left: run done: record 5 of the log is not what was written" in ran.out
    assert "1 run archived, 1 run deleted" in ran.out
    assert [section.run for section in read_archive("a")] == ["cancelled"]
    assert "done" in {run.run for run in on_store(lambda store: store.list_runs())}


def test_a_torn_archive(lgc: Lgc, place: Path) -> None:
    on_store(several)
    lgc("store", "archive", "done", "--to", "a")
    size = (place / "a").stat().st_size
    lgc("store", "archive", "failed", "--to", "a")
    whole = (place / "a").read_bytes()
    (place / "a").write_bytes(whole[:-20])
    ran = lgc("log", "done", "--archive", "a")
    assert ran.status == 1
    assert f"at byte {size}: a section was never finished" in ran.err
    assert "10" in ran.out
    assert lgc("log", "failed", "--archive", "a").status == 2
    ran = lgc("store", "archive", "failed", "--to", "a")
    assert ran.status == 0
    assert "never finished" in ran.out
    assert lgc("log", "failed", "--archive", "a").status == 0


def test_archives_that_cannot_be(lgc: Lgc, place: Path) -> None:
    on_store(several)
    (place / "notes.txt").write_text("mine")
    for to, message in (("notes.txt", "is no archive"), ("none/a", "cannot be written")):
        ran = lgc("store", "archive", "--to", to, "--delete")
        assert ran.status == 2
        assert message in ran.err
    assert (place / "notes.txt").read_text() == "mine"
    assert len(on_store(lambda store: store.list_runs())) == 6
    for archive in ("notes.txt", "none"):
        assert lgc("log", "done", "--archive", archive).status == 2
    assert lgc("log", "done", "--archive", "a", "--store", "runs.db").status == 2


def test_a_decision_is_archived_too(lgc: Lgc, place: Path) -> None:
    async def make(store: Store) -> None:
        fence = await begun(store, steps=1)
        await store.add_decision(a_decision(actor="ed@example.org"))
        await store.commit(Commit("r", fence, status=RunStatus.DONE))

    on_store(make)
    lgc("store", "archive", "--to", "a")
    (section,) = read_archive("a")
    assert any(getattr(record, "actor", "") == "ed@example.org" for record in section.records)


# --- in PostgreSQL ----------------------------------------------------------------------------------------


def test_all_of_it_in_postgresql(
    lgc: Lgc, place: Path, project: Callable[[str], None], postgres: Place
) -> None:
    project("every 1 step  keep 20  compact 8 steps")
    store = ("--store", postgres.store())
    assert lgc(*started("r1"), *store).status == 0
    data = json.loads(lgc("store", "stats", *store, "--json").out)
    assert (data["steps"], data["checkpoints"], data["runs"]) == (30, 20, {"done": 1})
    words = ("store", "prune", "--keep", "3", "--log", *store, "--json")
    dry = json.loads(lgc(*words, "--dry-run").out)
    assert json.loads(lgc(*words, "--archive", "gone").out) == dry | {"dry_run": False}
    assert (dry["checkpoints"], dry["steps"]) == (17, 24)
    assert lgc("store", "compact", *store).status == 0
    assert lgc("store", "verify", *store).out == "no damage in 1 run, 6 steps, 1 snapshot\n"
    assert "its log was truncated" in lgc("fork", "r1", "--step", "5", *store).err
    assert lgc("store", "archive", "--to", "gone", "--delete", *store).status == 0
    assert lgc("runs", *store).out == "no runs\n"
    steps = [
        json.loads(line)["step"] for line in lgc("log", "r1", "--archive", "gone", "--json").out.splitlines()
    ]
    assert steps == list(range(1, 31))


# --- beside a live run ------------------------------------------------------------------------------------


def test_beside_a_run_that_is_driven(lgc: Lgc, place: Path, project: Callable[[str], None]) -> None:
    """Everything at once on a store in which another process makes steps; and that process is killed."""
    project("every 1 step  keep 5  compact 40 steps")
    lgc(*started("old", 50))
    command = [sys.executable, "-m", "lgc", *started("live", 10_000), "--json"]

    def round_() -> None:
        for words in (
            ("prune", "--keep", "2", "--log", "--archive", "gone"),
            ("prune", "--log", "--archive", "gone"),
            ("verify",),
            ("compact",),
            ("archive", "live", "--to", "copies"),
            ("prune", "--runs", "--older-than", "0s"),
            ("stats",),
        ):
            ran = lgc("store", *words)
            assert ran.status == 0, (words, ran.out, ran.err)

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not [run for run in on_store(lambda store: store.list_runs()) if run.run == "live"]:
            assert process.poll() is None, process.stderr and process.stderr.read()
        round_()
        assert process.poll() is None, process.stderr and process.stderr.read()
        process.kill()
    round_()
    steps = [record.step for record in on_store(lambda store: log(store, "live"))]
    assert steps == list(range(steps[0], steps[-1] + 1))
    state = json.loads(lgc("replay", "live", "--json").out)
    assert (state["step"], state["state"]["n"]) == (steps[-1], steps[-1])
    (place / "nodes.py").write_text(
        NODES.replace("ctx.record", f"if ctx.visit > {steps[-1] + 50}: 1 / 0\n        ctx.record")
    )
    lgc("resume", "live", "--take-over")
    assert json.loads(lgc("show", "live", "--json").out)["step"] == steps[-1] + 50
    archived = lgc("log", "live", "--archive", "gone", "--json").out.splitlines()
    numbers = [json.loads(line)["step"] for line in archived]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= steps[0] - 1
