"""What is damaged is reported with its place or does no harm: never another state, never steps fewer."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import pytest
from tests.runtime.damaged_store import RUNS, everything, fill, fill_tiny, lies

from lgc.runtime.errors import CheckpointCorrupted, LgcError, StorageError
from lgc.runtime.store import SqliteStore
from lgc.runtime.store.records import Commit, RunStatus
from lgc.runtime.testing.subject import a_step, begun, log, steps
from lgc.runtime.testing.value_checks import a_value, used

TINY = ("waiting", "cut")
PARTS = 8


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tiny") / "runs.db"
    fill_tiny(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "runs.db"
    fill(path)
    return path.read_bytes()


def place(path: Path, data: bytes, wal: bytes | None = None) -> None:
    for end in ("-wal", "-shm", "-wal-damaged"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    path.write_bytes(data)
    if wal is not None:
        Path(f"{path}-wal").write_bytes(wal)


def content(path: Path, end: str) -> bytes | None:
    """What is in a file of the store; None where there is none."""
    file = Path(f"{path}{end}")
    return file.read_bytes() if file.exists() else None


async def read(path: Path, data: bytes, runs: Sequence[str]) -> dict[str, object] | LgcError:
    """Everything that can be read of a file, or why it cannot be opened."""
    place(path, data)
    try:
        async with SqliteStore(path, readonly=True) as store:
            return await everything(store, runs)
    except LgcError as error:
        return error


async def good(path: Path, data: bytes, runs: Sequence[str]) -> dict[str, object]:
    """Everything that can be read of a file without damage."""
    truth = await read(path, data, runs)
    assert not isinstance(truth, LgcError)
    assert not [what for what, answer in truth.items() if isinstance(answer, LgcError)]
    return truth


async def wrongs(
    path: Path, whole: bytes, runs: Sequence[str], damages: Iterable[tuple[str, bytes]]
) -> list[str]:
    """What is read of damaged files and was never written."""
    truth = await good(path, whole, runs)
    found: list[str] = []
    for name, data in damages:
        answers = await read(path, data, runs)
        if not isinstance(answers, LgcError):
            found += [f"{name}: {lie}" for lie in lies(truth, answers)]
    return found


def flipped(data: bytes, at: int, mask: int) -> tuple[str, bytes]:
    return f"byte {at} ^ {mask:#x}", data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def flips(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Every byte with one of its bits flipped, each bit in turn; those of long rows of zeros 32 at a time."""
    at = 0
    while at < len(data):
        size = 32 if data[at : at + 64] == bytes(64) else 1
        part = bytes(byte ^ (1 << (at % 7)) for byte in data[at : at + size])
        yield f"byte {at}", data[:at] + part + data[at + size :]
        at += size


@pytest.mark.parametrize("part", range(PARTS))
def test_every_byte_that_is_flipped_is_harmless_or_reported(part: int, tiny: bytes, tmp_path: Path) -> None:
    damages = islice(flips(tiny), part, None, PARTS)
    assert asyncio.run(wrongs(tmp_path / "runs.db", tiny, TINY, damages)) == []


def test_bytes_of_a_store_with_everything_in_it(whole: bytes, tmp_path: Path) -> None:
    damages = (flipped(whole, at, 0xFF) for at in range(0, len(whole), 101))
    assert asyncio.run(wrongs(tmp_path / "runs.db", whole, RUNS, damages)) == []


def test_pages_of_zeros_of_noise_and_of_one_another(whole: bytes, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(512)
    damages = (
        (f"page {at // 512 + 1}", whole[:at] + page + whole[at + 512 :])
        for at in range(0, len(whole), 512 * 3)
        for page in (bytes(512), noise, whole[at - 512 : at] or noise)
    )
    assert asyncio.run(wrongs(tmp_path / "runs.db", whole, RUNS, damages)) == []


def test_files_that_are_cut_short_or_noise(whole: bytes, tmp_path: Path) -> None:
    damages = ((f"{size} bytes", whole[:size]) for size in range(0, len(whole), 1999))
    assert asyncio.run(wrongs(tmp_path / "runs.db", whole, RUNS, damages)) == []
    for seed in range(5):
        noise = random.Random(seed).randbytes(20_000)
        assert isinstance(asyncio.run(read(tmp_path / "runs.db", noise, RUNS)), StorageError)


def test_a_page_of_an_older_copy_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"

    fill_tiny(path)
    old = path.read_bytes()

    async def main() -> list[str]:
        async with SqliteStore(path, durability="normal") as store:
            fence = await store.take("waiting", "me")
            for step in range(3, 9):
                await store.commit(Commit("waiting", fence, a_step("waiting", step)))
            await store.commit(Commit("waiting", fence, a_step("waiting", 9), RunStatus.DONE))
        new = content(path, "") or b""
        pages = [at for at in range(0, len(old), 512) if old[at : at + 512] != new[at : at + 512]]
        assert len(pages) > 3
        damages = [(f"page {at // 512 + 1}", new[:at] + old[at : at + 512] + new[at + 512 :]) for at in pages]
        return await wrongs(path, new, TINY, damages)

    # That a run's own row is an older one cannot be known: it was true once. Its log is never an older one.
    found = asyncio.run(main())
    assert [
        lie for lie in found if "waiting run: " not in lie and ": list:" not in lie and ": parked:" not in lie
    ] == []


# --- rows -----------------------------------------------------------------------------------------------


async def with_rows(path: Path, sql: str) -> None:
    async with SqliteStore(path) as store:
        fence = await begun(store, "r", steps=6)
        await begun(store, "s", steps=6)
        await store.commit(Commit("r", fence, status=RunStatus.WAITING))
    connection = sqlite3.connect(path)
    for statement in sql.split(";"):
        connection.execute(statement)
    connection.commit()
    connection.close()


SWAPPED = (
    "UPDATE log SET step = -1 WHERE run = 1 AND step = 2; UPDATE log SET step = 2 WHERE run = 1 AND step = 4;"
    " UPDATE log SET step = 4 WHERE run = 1 AND step = -1"
)


@pytest.mark.parametrize(
    ("sql", "step"),
    [
        ("DELETE FROM log WHERE run = 1 AND step = 3", 3),
        ("DELETE FROM log WHERE run = 1 AND step = 6", 6),
        ("DELETE FROM log WHERE run = 1 AND step > 2", 3),
        ("DELETE FROM log WHERE run = 1", 1),
        ("DELETE FROM log WHERE run = 1 AND step < 3", 1),
        (SWAPPED, 2),
        ("DELETE FROM log WHERE run = 1; UPDATE log SET run = 1 WHERE run = 2", 1),
        ("UPDATE log SET mutations = '[]' WHERE run = 1 AND step = 5", 5),
        ("UPDATE log SET node = 7 WHERE run = 1 AND step = 5", 5),
        ("UPDATE log SET hash = 9 WHERE run = 1 AND step = 5", 5),
    ],
)
def test_rows_that_are_gone_or_swapped_are_reported_with_their_step(
    sql: str, step: int, tmp_path: Path
) -> None:
    async def main() -> None:
        path = tmp_path / "runs.db"
        await with_rows(path, sql)
        async with SqliteStore(path) as store:
            with pytest.raises(CheckpointCorrupted) as caught:
                await log(store, "r")
            assert (caught.value.run, caught.value.step) == ("r", step)
            assert ("r", step) in [(damage.run, damage.step) for damage in await store.verify()]
            if "run = 2" not in sql:
                assert await steps(store, "s") == [1, 2, 3, 4, 5, 6]

    asyncio.run(main())


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE run SET status = 'done' WHERE key = 1",
        "UPDATE run SET fence = 0 WHERE key = 1",
        "UPDATE run SET error = 'x' WHERE key = 1",
        "UPDATE run SET lease = 1e12 WHERE key = 1",
        "UPDATE run SET steps = 2 WHERE key = 1",
        "UPDATE run SET seal = x'' WHERE key = 1",
    ],
)
def test_a_run_that_was_altered_is_neither_shown_nor_driven(sql: str, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "runs.db"
        await with_rows(path, sql)
        async with SqliteStore(path) as store:
            for call in (store.get_run("r"), store.take("r", "me")):
                with pytest.raises(CheckpointCorrupted, match="checksum is wrong"):
                    await call
            assert [run.run for run in await store.list_runs()] == ["s"]
            assert [run.run for run in await store.list_runs(status=RunStatus.DONE)] == []
            assert any("run r " in warning for warning in store.warnings())
            assert await store.delete_run("r")

    asyncio.run(main())


def test_what_is_left_over_is_found_by_verify(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "runs.db"
        async with SqliteStore(path) as store:
            await used(store, a_value("a"), "r", 2)
            assert await store.verify() == []
        connection = sqlite3.connect(path)
        connection.execute("INSERT INTO value (name, data, seal) VALUES (zeroblob(32), x'00', x'00')")
        connection.execute("INSERT INTO value_use VALUES (1, 99)")
        connection.execute("UPDATE log SET run = 7 WHERE step = 2")
        connection.commit()
        connection.close()
        async with SqliteStore(path) as store:
            found = " | ".join(damage.what for damage in await store.verify())
        for part in (
            "is used by no run",
            "1 large values of the run are missing",
            "its checksum is wrong",
            "`log` belong to run number 7",
        ):
            assert part in found, part

    asyncio.run(main())


# --- the write-ahead log --------------------------------------------------------------------------------


def crashed(path: Path, steps: int) -> tuple[bytes, bytes]:
    """A store and its write-ahead log, as a process leaves them that dies."""

    async def main() -> tuple[bytes, bytes]:
        async with SqliteStore(path) as store:
            await begun(store, steps=steps)
            return content(path, "") or b"", content(path, "-wal") or b""

    return asyncio.run(main())


def remove(path: Path) -> None:
    path.unlink()


async def reopened(path: Path, file: bytes, wal: bytes) -> str:
    """What becomes of a store with a damaged log."""
    place(path, file, wal)
    try:
        async with SqliteStore(path) as store:
            there = await steps(store)
            if there == [1, 2, 3, 4, 5, 6]:
                return "harmless"
            assert there == [1, 2, 3, 4, 5]
            (warning,) = store.warnings()
            assert "was left out" in warning
            return "the last step is missing, with a warning"
    except CheckpointCorrupted as error:
        assert error.hint
    if content(path, "-wal-damaged") is None:
        assert content(path, "-wal") == wal
        return "refused, nothing touched"
    with pytest.raises(CheckpointCorrupted, match="was damaged"):
        async with SqliteStore(path):
            pass
    assert content(path, "-wal-damaged") == wal
    remove(Path(f"{path}-wal-damaged"))
    async with SqliteStore(path) as store:
        assert len(await store.list_runs()) <= 1
    return "refused, with a copy"


def test_a_damaged_write_ahead_log_does_not_hide_steps(tmp_path: Path) -> None:
    file, wal = crashed(tmp_path / "first.db", 6)
    frame = 4096 + 24
    last = len(wal) - frame
    assert (len(wal) - 32) % frame == 0
    kinds: dict[str, set[str]] = {"head": set(), "middle": set(), "last": set()}
    places = {
        "head": range(0, 32, 3),
        "middle": range(32 + 24, last - 4 * frame, 1999),
        "last": range(last + 24, len(wal), 501),
    }
    for kind, range_ in places.items():
        for at in range_:
            _, data = flipped(wal, at, 0x10)
            kinds[kind].add(asyncio.run(reopened(tmp_path / "runs.db", file, data)))
    assert kinds["head"] == {"refused, nothing touched"}
    assert kinds["middle"] == {"refused, with a copy"}
    assert kinds["last"] == {"the last step is missing, with a warning"}
