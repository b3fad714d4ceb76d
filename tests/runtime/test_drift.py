"""What becomes of the runs of a store: each run, all of them counted, and while the store is at work."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.compliance.sharing import searched
from tests.postgres_server import Place
from tests.runtime.drifters import AHEAD, NARROWER, STRICTER, TEXT, keep, park, steps
from tests.runtime.positions import version

from lgc.runtime import MemoryStore, SqliteStore, StorageError, Store, open_store
from lgc.runtime.compat import judging
from lgc.runtime.compat.drift import Drift, Survey, drift
from lgc.runtime.compat.judge import Judge
from lgc.runtime.compat.verdict import Verdict
from lgc.runtime.store.records import Commit, MutationRecord, OverrideRecord, RunRecord, RunStatus

OLD = version(TEXT)
NEW = {"g": version(STRICTER)}
EDITS = {"identical": TEXT, "ahead": AHEAD, "guard": STRICTER, "type": NARROWER}


def verdicts(found: Drift) -> dict[str, str]:
    return {one.verdict.run: str(one.verdict.verdict) for one in found.runs}


def kinds(found: Drift) -> dict[str, list[str]]:
    return {one.verdict.run: [reason.kind for reason in one.verdict.reasons] for one in found.runs}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """A new store of each kind."""
    match request.param:
        case "memory":
            return MemoryStore
        case "sqlite":
            return lambda: SqliteStore(tmp_path / "runs.db", durability="normal")
        case _:
            place: Place = request.getfixturevalue("postgres")
            return lambda: open_store(place.store())


def run_in(make: Callable[[], Store], work: Callable[[Store], Awaitable[None]]) -> None:
    async def main() -> None:
        async with make() as store:
            await work(store)

    asyncio.run(main())


def test_every_unfinished_run_has_a_verdict(make: Callable[[], Store]) -> None:
    async def work(store: Store) -> None:
        await keep(store, OLD)
        await park(store, OLD.hash, "good", 0.3, 0.9, created=1.0)
        await park(store, OLD.hash, "between", 0.55, created=2.0)
        await park(store, OLD.hash, "looped", 0.1, 0.2, 0.9, created=3.0, status=RunStatus.FAILED)
        await park(store, OLD.hash, "done", 0.55, created=4.0, status=RunStatus.DONE)
        await park(store, OLD.hash, "cancelled", 0.55, created=5.0, status=RunStatus.CANCELLED)
        await park(store, NEW["g"].hash, "new", 0.9, created=6.0)
        await park(store, OLD.hash, "working", created=7.0, status=RunStatus.RUNNING)
        found = await drift(store, NEW)
        assert verdicts(found) == {
            "working": "compatible",
            "new": "identical",
            "looped": "compatible",
            "between": "incompatible",
            "good": "compatible",
        }
        assert [one.verdict.run for one in found.runs] == ["working", "new", "looped", "between", "good"]
        between = next(one for one in found.runs if one.verdict.run == "between")
        assert (between.status, between.verdict.step, between.verdict.parked) == ("waiting", 2, ("ok",))
        assert dict(found.summary.verdicts) == {
            "identical": 1, "compatible": 3, "migratable": 0, "incompatible": 1
        }  # fmt: skip
        (reason,) = found.summary.reasons
        assert (reason.graph, reason.kind, reason.element, reason.count) == (
            "g", "routed-elsewhere", "edges/grade", 1,
        )  # fmt: skip
        assert reason.changes == ("guard of `grade -> ok` changed from `score >= 0.5` to `score >= 0.6`",)
        assert reason.examples == ("between",)
        assert reason.place.startswith("g.lgraph:")
        assert found.damaged == ()
        assert await drift(store, NEW, graph="h") == await drift(MemoryStore(), NEW)
        assert verdicts(await drift(store, NEW, statuses=[RunStatus.FAILED])) == {"looped": "compatible"}
        assert verdicts(await drift(store, NEW, runs=["good", "done"])) == {"good": "compatible"}

    run_in(make, work)


def test_each_run_alone_is_judged_alike(make: Callable[[], Store]) -> None:
    values = (0.5, 0.55, 0.6, 0.75, 0.8, 0.81, 0.95)

    async def work(store: Store) -> None:
        await keep(store, OLD)
        for number, last in enumerate(values * 3):
            scores = [[], [0.1], [0.45, 0.2]][number % 3]
            await park(store, OLD.hash, f"r{number}", *scores, last, created=float(number))
        for text in EDITS.values():
            new = version(text)
            judge = Judge(OLD, new)
            found = await drift(store, {"g": new})
            assert len(found.runs) == 3 * len(values)
            for one in found.runs:
                assert one.verdict == await judge.judge(store, await store.get_run(one.verdict.run))
            assert sum(found.summary.verdicts.values()) == len(found.runs)

    run_in(make, work)


def test_runs_in_one_situation_are_judged_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[str] = []

    class Counted(Judge):
        async def judge(self, store: Store, run: RunRecord) -> Any:
            calls.append(run.run)
            return await super().judge(store, run)

    monkeypatch.setattr(judging, "Judge", Counted)

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db", durability="normal") as store:
            await keep(store, OLD)
            for number in range(700):
                input = f'{{"topic":"topic {number}","score":0.0,"notes":[]}}'
                await store.create_run(
                    RunRecord(f"r{number}", "g", OLD.hash, RunStatus.WAITING, input, float(number), 100.0)
                )
                scores = [0.4999 - number / 2_000, 0.5 + number / 1400]
                await store.append_batch(steps(f"r{number}", OLD.hash, scores[number % 2 :]))
            asked: list[str] = []
            store._state.database.connection.set_trace_callback(asked.append)  # type: ignore[union-attr]  # pyright: ignore
            found = await drift(store, NEW)
            # Those graded once and those graded twice, below and above the new limit, and just at it.
            assert len(calls) <= 6
            assert 100 < found.summary.verdicts[Verdict.INCOMPATIBLE] < 170
            assert found.summary.reasons[0].count == found.summary.verdicts[Verdict.INCOMPATIBLE]
            assert len(asked) < 100
            calls.clear()
            # What is told of a value is told of each run's own.
            found = await drift(store, {"g": version(NARROWER)})
            texts = {one.verdict.reasons[0].text for one in found.runs if one.verdict.reasons}
            assert len(texts) == found.summary.verdicts[Verdict.INCOMPATIBLE] > 100
            assert len(calls) < 350

    asyncio.run(main())


def test_sharing_changes_no_verdict() -> None:
    found = [one for seed in (3, 1001, 1007) for one in asyncio.run(searched(seed))]
    assert [one.differ for one in found] == [[]] * len(found)
    assert sum(one.asked for one in found) < sum(one.runs for one in found)


# --- a store at work --------------------------------------------------------------------------------------


def test_what_happens_meanwhile_is_seen(make: Callable[[], Store]) -> None:
    async def work(store: Store) -> None:
        await keep(store, OLD)
        for run in ("ends", "moves", "goes-on", "goes"):
            await park(store, OLD.hash, run, 0.55)
        survey = Survey()
        pending = await survey.look(store)
        assert {run.run for run in pending} == {"ends", "moves", "goes-on", "goes"}
        survey.learn(await judging.judged(store, NEW, pending))
        for run, status in (("ends", RunStatus.DONE), ("goes-on", RunStatus.RUNNING)):
            await store.commit(Commit(run, await store.take(run, "me"), status=status))
        moved = OverrideRecord("moves", 2, "me", "why", OLD.hash, NEW["g"].hash, 5.0)
        await store.commit(Commit("moves", await store.take("moves", "me"), override=moved))
        await store.delete_run("goes")
        await park(store, OLD.hash, "begins", 0.9)
        pending = await survey.look(store)
        assert {run.run for run in pending} == {"moves", "begins"}
        survey.learn(await judging.judged(store, NEW, pending))
        assert await survey.look(store) == []
        found = await survey.drift(store, NEW)
        assert kinds(found) == {
            "begins": [], "goes-on": ["routed-elsewhere"], "moves": ["run-unreadable"]
        }  # fmt: skip
        assert {one.verdict.run: str(one.status) for one in found.runs}["goes-on"] == "running"

    run_in(make, work)


def test_runs_that_go_on_while_they_are_read(tmp_path: Path) -> None:
    class Moving(SqliteStore):
        """Somebody goes on with a run each time that its log is asked for."""

        async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
            async with SqliteStore(self.path, durability="normal") as other:
                last = [record async for record in super().replay(run)]
                record = steps(run, OLD.hash, [0.9], first=len(last) + 1)[0]
                await other.commit(Commit(run, (await other.get_run(run)).fence, record))
            async for record in super().replay(run, from_step):
                yield record

    async def main() -> None:
        path = tmp_path / "runs.db"
        async with SqliteStore(path) as store:
            await keep(store, OLD)
            await park(store, OLD.hash, "r", 0.2)
        async with Moving(path) as store:
            (one,) = (await drift(store, NEW)).runs
            length = len([record async for record in store.replay("r")])
            assert one.verdict.verdict is Verdict.COMPATIBLE
            assert 2 < one.verdict.step < length

    asyncio.run(main())


def test_a_store_that_others_write_to(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"

    async def main() -> None:
        async with SqliteStore(path) as store:
            await keep(store, OLD)
            for number in range(100):
                await park(store, OLD.hash, f"r{number}", 0.55, created=float(number))

    asyncio.run(main())
    words = [sys.executable, "-m", "tests.runtime.drifters", str(path), OLD.hash, "2.5"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as other:
        assert other.stdout is not None
        other.stdout.readline()

        async def look() -> list[Drift]:
            surveys: list[Drift] = []
            while other.poll() is None:
                async with SqliteStore(path, readonly=True) as store:
                    surveys.append(await drift(store, NEW))
            return surveys

        surveys = asyncio.run(look())
        begun = int(other.stdout.read().split()[-1])
    assert other.returncode == 0
    assert len(surveys) > 1
    for found in surveys:
        assert found.damaged == found.warnings == ()
        known = verdicts(found)
        assert {known[f"r{number}"] for number in range(100)} == {"incompatible"}
        assert {reason.kind for reason in found.summary.reasons} == {"routed-elsewhere"}
        for one in found.runs:
            # Two grades, then two more: what was read is one of the moments that the run has been through.
            if one.verdict.run.startswith("busy"):
                assert one.verdict.verdict is Verdict.COMPATIBLE
                assert one.verdict.step in range(9)
    busy = [one for one in surveys[-1].runs if one.verdict.run.startswith("busy")]
    assert 0 < len(busy) <= begun


def test_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"

    def content() -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in tmp_path.iterdir() if not one.name.endswith("-shm")}

    async def main() -> None:
        async with SqliteStore(path) as store:
            await keep(store, OLD)
            for number in range(20):
                await park(store, OLD.hash, f"r{number}", 0.55)
            before = content()
            runs = await store.list_runs()
            async with SqliteStore(path, readonly=True) as other:
                assert len((await drift(other, NEW)).runs) == 20
                with pytest.raises(StorageError):
                    await other.take("r1", "me")
            assert content() == before
            assert await store.list_runs() == runs

    asyncio.run(main())


# --- what cannot be read ----------------------------------------------------------------------------------


def test_one_bad_run_does_not_end_the_survey(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    other = "lg1:" + "7" * 64
    garbage = "lg1:" + "8" * 64
    foreign = "lg1:" + "9" * 64

    async def main() -> None:
        async with SqliteStore(path) as store:
            await keep(store, OLD)
            await store.put_graph(garbage, "g", "{not json")
            await store.put_graph(foreign, "g", '{"form":"lg1","elements":{"graph":{"name":"g"}}}')
            await park(store, OLD.hash, "good", 0.9)
            await park(store, OLD.hash, "torn", 0.9)
            await park(store, OLD.hash, "row", 0.9)
            await park(store, other, "formless", 0.9)
            await park(store, garbage, "garbage", 0.9)
            await park(store, foreign, "foreign", 0.9)
            await park(store, OLD.hash, "homeless", 0.9, graph="h")
            await park(store, OLD.hash, "input", 0.9)
        base = sqlite3.connect(path)
        key = "(SELECT key FROM history WHERE run = ?)"
        base.execute(f"UPDATE log SET next = 'ship' WHERE step = 2 AND run = {key}", ("torn",))
        base.execute(f"UPDATE run SET graph = 'x' WHERE key = {key}", ("row",))
        base.commit()
        base.close()
        async with SqliteStore(path, readonly=True) as store:
            found = await drift(store, NEW)
        told = kinds(found)
        assert told == {
            "good": [],
            "torn": ["run-unreadable"],
            "formless": ["form-missing"],
            "garbage": ["form-missing"],
            "foreign": told["foreign"],
            "homeless": ["graph-gone"],
            "input": [],
        }
        assert told["foreign"] in (["run-unreadable"], ["version-unreadable"], ["form-missing"])
        torn = next(one.verdict for one in found.runs if one.verdict.run == "torn")
        assert torn.reasons[0].step == 2
        assert torn.verdict is Verdict.INCOMPATIBLE
        (damaged,) = found.damaged
        assert "row" in damaged

    asyncio.run(main())


def test_a_store_that_is_gone_ends_the_survey(tmp_path: Path) -> None:
    class Gone(MemoryStore):
        async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
            if run:
                raise StorageError("the server is gone")
            yield steps(run, "", [0.9])[0]

    async def main() -> None:
        store = Gone()
        await keep(store, OLD)
        await park(store, OLD.hash, "r", 0.9)
        with pytest.raises(StorageError, match="gone"):
            await drift(store, NEW)

    asyncio.run(main())


def test_long_logs_and_damaged_snapshots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(judging, "LONGEST", 10)

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            await keep(store, OLD)
            await park(store, OLD.hash, "long", *[0.1] * 20, 0.55)
            await park(store, OLD.hash, "short", 0.55)
            found = await drift(store, NEW)
            steps_of = {one.verdict.run: one.verdict.step for one in found.runs}
            assert steps_of == {"long": 42, "short": 2}
            assert set(verdicts(found).values()) == {"incompatible"}

    asyncio.run(main())


def test_the_json_holds_everything() -> None:
    async def main() -> None:
        store = MemoryStore()
        await keep(store, OLD)
        await park(store, OLD.hash, "r", 0.55)
        found = await drift(store, NEW)
        told = found.to_json()
        (run,) = told["runs"]
        assert run == {
            **found.runs[0].verdict.to_json(),
            "status": "waiting",
            "updated": found.runs[0].updated,
        }
        assert told["verdict"] == "incompatible"
        assert told["verdicts"]["incompatible"] == told["reasons"][0]["count"] == 1
        assert told["graphs"][0]["old"] == {OLD.hash: 1}
        assert replace(found, runs=()).to_json() == {**told, "runs": []}

    asyncio.run(main())
