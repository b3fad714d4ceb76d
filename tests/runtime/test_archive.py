"""Archives: what went in comes out, byte for byte; what was torn or damaged is told, hiding nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import zstandard

from lgc.runtime import CheckpointCorrupted, MemoryStore, RunFenced, SqliteStore, StorageError, Store
from lgc.runtime.store.archives.archive import FileArchive, Section, read_archive
from lgc.runtime.store.archives.archived import Archived, GraphRecord, from_line, to_line
from lgc.runtime.store.archives.archiving import archive_run, archived_log, checkpoints_of, records_of
from lgc.runtime.store.records import (
    AttemptRecord,
    CheckpointRecord,
    Commit,
    Damage,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
    RunStatus,
)
from lgc.runtime.testing.subject import HASH, OTHER_HASH, a_decision, a_snapshot, a_step, begun, log, marked

T = TypeVar("T")


def on(path: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def main() -> T:
        async with SqliteStore(path) as store:
            return await work(store)

    return asyncio.run(main())


async def fill(store: Store, run: str = "r") -> None:
    """A run with something of every kind, large and strange texts among them."""
    await store.put_graph(HASH, "article", json.dumps({"uses": [OTHER_HASH]}))
    await store.put_graph(OTHER_HASH, "inner", '{"é\0":1}')
    fence = await begun(store, run, steps=2)
    large = json.dumps([{"m": "Add", "p": {"x": "größe\0\u2028" * 20_000}}], ensure_ascii=False)
    await store.commit(Commit(run, fence, marked(run, 3, mutations=large, cost=1e300, duration=0.1)))
    await store.commit(Commit(run, fence, marked(run, 4), snapshot=a_snapshot(run, 4, snapshot=large)))
    await store.commit(Commit(run, fence, a_step(run, 5), snapshot=a_snapshot(run, 5, listed=False)))
    id = await store.add_decision(a_decision(run, actor="ed\U0001f600"))
    await store.add_decision(a_decision(run))
    await store.commit(Commit(run, fence, a_step(run, 6), decision=id))
    override = OverrideRecord(run, 6, "ed", "why not", HASH, OTHER_HASH, 9.5)
    await store.commit(
        Commit(run, fence, attempt=AttemptRecord(run, "", "pay", 1, 1, 3.0), override=override)
    )
    await store.commit(Commit(run, fence, status=RunStatus.DONE))


def of(kind: type[T], records: Any) -> list[T]:
    return [one for one in records if isinstance(one, kind)]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            await fill(store)
            run = await store.get_run("r")
            wanted = [record async for record in records_of(store, run)]
            count = await archive_run(store, run, FileArchive(path))
            (section,) = read_archive(path)
            assert (section.run, section.complete, len(section.records)) == ("r", True, count)
            assert list(section.records) == wanted
            assert of(RunRecord, section.records) == [run]
            assert of(MutationRecord, section.records) == await log(store)
            assert archived_log([section], "r") == await log(store)
            assert of(CheckpointRecord, section.records) == await checkpoints_of(store, "r")
            assert [one.step for one in of(CheckpointRecord, section.records)] == [5, 4, 3]
            assert of(DecisionRecord, section.records) == list(await store.decisions("r"))
            assert of(AttemptRecord, section.records) == list(await store.attempts("r"))
            assert of(OverrideRecord, section.records) == list(await store.overrides("r"))
            graphs = {one.hash: one.canonical for one in of(GraphRecord, section.records)}
            assert graphs == {hash: await store.get_graph(hash) for hash in (HASH, OTHER_HASH)}

    asyncio.run(main())


def test_every_kind_of_record_as_a_line() -> None:
    records: list[Archived] = [
        GraphRecord(HASH, "{}"), a_step(mutations='["\0"]'), a_snapshot(listed=False), a_decision(),
        AttemptRecord("r", "", "pay", 1, 1, 0.1), OverrideRecord("r", 1, "a", "b", HASH, OTHER_HASH, 1.5),
        RunRecord("r", "g", HASH, RunStatus.FAILED, "{}", 1.1, 2.2, lease=3.3),
    ]  # fmt: skip
    for record in records:
        line = to_line(record)
        assert "\n" not in line
        assert from_line(line) == record
        assert type(from_line(line)) is type(record)
    for wrong in (
        "[]",
        "{}",
        "3",
        '{"record":"odd"}',
        '{"record":"step"}',
        '{"record":"graph","hash":"x","y":1}',
    ):
        with pytest.raises(ValueError, match="record"):
            from_line(wrong)


def test_other_tools_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    asyncio.run(FileArchive(path).write("r", [a_step()]))
    asyncio.run(FileArchive(path).write("s", [a_step("s")]))
    with zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True) as reader:
        lines = [json.loads(line) for line in reader.read().splitlines()]
    assert [next(iter(line)) for line in lines] == ["archive", "record", "end"] * 2
    assert [line["run"] for line in lines if "run" in line] == ["r", "r", "s", "s"]


def sections(path: Path) -> tuple[list[Section], list[Damage]]:
    damages: list[Damage] = []
    return list(read_archive(path, damages=damages)), damages


def three(path: Path) -> list[int]:
    """An archive of three sections; where each begins."""
    places: list[int] = []
    for run in "abc":
        places.append(path.stat().st_size if path.exists() else 0)
        asyncio.run(FileArchive(path).write(run, [a_step(run, step) for step in range(1, 4)]))
    return places


def test_a_torn_section_is_told_and_cut_off_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a"
    places = three(path)
    whole = path.read_bytes()
    for size in range(places[2] + 1, len(whole)):
        path.write_bytes(whole[:size])
        found, damages = sections(path)
        assert [one.run for one in found] == ["a", "b"]
        assert len(damages) == 1
        assert f"at byte {places[2]}" in damages[0].what
    with pytest.raises(CheckpointCorrupted, match="never finished"):
        list(read_archive(path))
    archive = FileArchive(path)
    asyncio.run(archive.write("d", [a_step("d")]))
    assert archive.cut == len(whole) - 1 - places[2]
    assert ([one.run for one in sections(path)[0]], sections(path)[1]) == (["a", "b", "d"], [])


def test_every_byte_flipped_is_harmless_or_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    places = three(path)
    whole = path.read_bytes()
    (good, none) = sections(path)
    assert not none
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x41
        path.write_bytes(damaged)
        if at < len("lgc arch") + 8:
            try:
                found, damages = sections(path)
            except StorageError:
                continue  # it no longer looks like an archive
        else:
            found, damages = sections(path)
        hit = max(number for number, place in enumerate(places) if place <= at)
        others = [one for number, one in enumerate(good) if number != hit]
        assert [one for one in found if one in others] == others, at
        assert found == good or (found == others and damages), at


def test_a_failure_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    three(path)
    whole = path.read_bytes()

    async def broken() -> AsyncIterator[Archived]:
        for step in range(1, 500):
            yield a_step("d", step, mutations="x" * 5000)
        raise CheckpointCorrupted("the rest cannot be read")

    with pytest.raises(CheckpointCorrupted, match="the rest"):
        asyncio.run(FileArchive(path).add("d", broken(), complete=True))
    assert path.read_bytes() == whole


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("my notes, which must not be lost")
    with pytest.raises(StorageError, match="is no archive"):
        list(read_archive(text))
    with pytest.raises(StorageError, match="is there and is no archive"):
        asyncio.run(FileArchive(text).write("r", [a_step()]))
    assert text.read_text() == "my notes, which must not be lost"
    with pytest.raises(StorageError, match="cannot be read"):
        list(read_archive(tmp_path / "none"))
    with pytest.raises(StorageError, match="cannot be written"):
        asyncio.run(FileArchive(tmp_path / "none" / "a").write("r", [a_step()]))
    with pytest.raises(StorageError, match="cannot be written"):
        asyncio.run(FileArchive(tmp_path).write("r", [a_step()]))
    (tmp_path / "empty").write_bytes(b"")
    assert list(read_archive(tmp_path / "empty")) == []
    asyncio.run(FileArchive(tmp_path / "empty").write("r", [a_step()]))
    assert len(list(read_archive(tmp_path / "empty"))) == 1


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "a"

    async def main() -> None:
        async def slowly() -> AsyncIterator[Archived]:
            yield a_step()
            with pytest.raises(StorageError, match="another process is writing"):
                await FileArchive(path).write("s", [a_step("s")])
            yield a_step(step=2)

        await FileArchive(path).add("r", slowly(), complete=True)

    asyncio.run(main())
    assert [one.run for one in read_archive(path)] == ["r"]


def test_only_what_was_seen_is_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        store = MemoryStore()
        fence = await begun(store, steps=3)
        await store.commit(Commit("r", fence, status=RunStatus.FAILED))
        seen = await store.get_run("r")
        await store.take("r", "second")
        with pytest.raises(RunFenced):
            await archive_run(store, seen, FileArchive(tmp_path / "a"), delete=True)
        assert len(await log(store)) == 3
        await archive_run(store, await store.get_run("r"), FileArchive(tmp_path / "a"), delete=True)
        assert await store.list_runs() == []
        assert len(archived_log(read_archive(tmp_path / "a"), "r")) == 3

    asyncio.run(main())


KILLED = """
import asyncio, sys
from lgc.runtime import SqliteStore
from lgc.runtime.store.archives.archive import FileArchive
from lgc.runtime.store.archives.archiving import archive_run

async def main():
    async with SqliteStore(sys.argv[1]) as store:
        archive = FileArchive(sys.argv[2])
        print("ready", flush=True)
        for run in await store.list_runs():
            await archive_run(store, run, archive, delete=True)
            print("one", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("after", range(4))
def test_killed_while_archiving_and_deleting(tmp_path: Path, after: int) -> None:
    """What is gone from the store is in the archive, all of it; the rest is in the store."""
    database, path = tmp_path / "runs.db", tmp_path / "a"
    wanted: dict[str, list[MutationRecord]] = {}

    async def make(store: Store) -> None:
        for number in range(30):
            run = f"r{number}"
            fence = await begun(store, run)
            await store.append_batch([a_step(run, step) for step in range(1, 200)])
            await store.commit(Commit(run, fence, status=RunStatus.DONE))
            wanted[run] = await log(store, run)

    on(database, make)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(database), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(1 + 6 * after):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()

    async def look(store: Store) -> None:
        there = {run.run for run in await store.list_runs()}
        assert list(await store.verify()) == []
        found, damages = sections(path) if path.exists() else ([], [])
        assert len(damages) <= 1
        assert len(wanted) - len(there) >= 6 * after
        for run, steps in wanted.items():
            assert (await log(store, run) if run in there else archived_log(found, run)) == steps
        archive = FileArchive(path)
        for record in await store.list_runs():
            await archive_run(store, record, archive, delete=True)
        assert (archive.cut > 0) == bool(damages)
        found, damages = sections(path)
        assert damages == []
        assert all(archived_log(found, run) == steps for run, steps in wanted.items())

    on(database, look)
