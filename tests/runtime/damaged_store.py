"""A small store with some of everything in it, and all that can be read of one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from lgc.runtime.errors import LgcError
from lgc.runtime.store import SqliteStore
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import AttemptRecord, Commit, OverrideRecord, RunStatus
from lgc.runtime.testing.subject import (
    HASH,
    OTHER_HASH,
    a_decision,
    a_snapshot,
    a_step,
    begun,
    log,
    marked,
)
from lgc.runtime.testing.value_checks import a_value, around

RUNS = ("done", "waiting", "pay", "forced", "cut")


def fill(path: Path) -> None:
    """Make the store: closed, so that everything is in the one file, with the smallest pages there are."""
    _small_pages(path)
    asyncio.run(_fill(path))


def fill_tiny(path: Path) -> None:
    """The same with two runs and nothing large: so small that every byte can be tried."""
    _small_pages(path)
    asyncio.run(_fill_tiny(path))


async def _fill_tiny(path: Path) -> None:
    async with SqliteStore(path, durability="normal") as store:
        await store.put_graph(HASH, "article", '{"graph":"article"}')
        fences = {run: await begun(store, run, steps=1) for run in ("waiting", "cut")}
        await store.add_decision(a_decision("waiting"))
        id = await store.add_decision(a_decision("waiting", answer="reject"))
        await _commit(store, fences, "waiting", 2, status=RunStatus.WAITING, decision=id)
        attempt = AttemptRecord("cut", "", "pay", 1, 1, 5.0)
        override = OverrideRecord("cut", 1, "ed", "urgent", HASH, OTHER_HASH, 9.0)
        await store.commit(Commit("cut", fences["cut"], attempt=attempt, override=override))
        await _commit(store, fences, "cut", 2, snapshot=a_snapshot("cut", 2))
        await store.commit(Commit("cut", fences["cut"], marked("cut", 3)))
        await store.truncate("cut", 2)


def _small_pages(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 512")
    connection.execute("VACUUM")
    connection.close()


async def _fill(path: Path) -> None:
    async with SqliteStore(path, durability="normal") as store:
        await store.put_graph(HASH, "article", '{"graph":"article"}')
        await store.put_graph(OTHER_HASH, "article", '{"graph":"article","changed":true}')
        fences = {run: await begun(store, run, steps=1) for run in RUNS}
        mutations, snapshot, _ = around(a_value("v", 33_000))
        await _commit(store, fences, "done", 2, snapshot=a_snapshot("done", 2, snapshot=snapshot))
        await store.commit(Commit("done", fences["done"], a_step("done", 3, mutations=mutations)))
        await _commit(store, fences, "done", 4, status=RunStatus.FAILED, error="no luck")
        await store.add_decision(a_decision("waiting"))
        id = await store.add_decision(a_decision("waiting", answer="reject"))
        await _commit(store, fences, "waiting", 2, status=RunStatus.WAITING, decision=id)
        attempt = AttemptRecord("pay", "", "pay", 1, 1, 5.0)
        await store.commit(Commit("pay", fences["pay"], status=RunStatus.UNCERTAIN, attempt=attempt))
        override = OverrideRecord("forced", 1, "ed", "urgent", HASH, OTHER_HASH, 9.0)
        await store.commit(Commit("forced", fences["forced"], override=override))
        await _commit(store, fences, "forced", 2, hash=OTHER_HASH)
        await _commit(store, fences, "cut", 2, snapshot=a_snapshot("cut", 2))
        await store.commit(Commit("cut", fences["cut"], marked("cut", 3)))
        await store.truncate("cut", 2)


async def _commit(store: Store, fences: dict[str, int], run: str, step: int, **other: Any) -> None:
    record = a_step(run, step, hash=other.pop("hash", HASH))
    await store.commit(Commit(run, fences[run], record, **other))


async def everything(store: Store, runs: Sequence[str] = RUNS) -> dict[str, object]:
    """All that can be read, by what it is; an error of ours stands as its class and text.

    What was passed over with a warning is `warned`: the rest of that answer need not be whole.
    """
    found: dict[str, object] = {}
    for run in runs:
        found[f"{run} run"] = await _read(_call(store.get_run, run))
        found[f"{run} log"] = await _read(_call(log, store, run))
        found[f"{run} answers"] = await _read(_call(store.decisions, run))
        found[f"{run} waiting"] = await _read(_call(store.decisions, run, waiting=True))
        found[f"{run} attempts"] = await _read(_call(store.attempts, run))
        found[f"{run} overrides"] = await _read(_call(store.overrides, run))
        found[f"{run} snapshot"] = await _read(_call(store.latest_snapshot, run))
        found[f"{run} warned"] = bool(store.warnings())
    for hash in (HASH, OTHER_HASH):
        found[f"graph {hash[4]}"] = await _read(_call(store.get_graph, hash))
    found["list"] = await _read(store.list_runs)
    found["parked"] = await _read(_call(store.list_runs, status=RunStatus.WAITING))
    found["list warned"] = bool(store.warnings())
    return found


def _call(read: Callable[..., Awaitable[object]], *args: object, **names: object) -> Callable[[], Any]:
    return lambda: read(*args, **names)


async def _read(read: Callable[[], Awaitable[object]]) -> object:
    try:
        answer = await read()
    except LgcError as error:
        return error
    return tuple(cast(list[object], answer)) if isinstance(answer, list) else answer


def lies(truth: dict[str, object], found: dict[str, object]) -> list[str]:
    """What was read that is neither what was written nor an error of ours nor announced by a warning."""
    wrong: list[str] = []
    for what, answer in found.items():
        run, _, kind = what.partition(" ")
        if answer == truth[what] or isinstance(answer, LgcError) or kind == "warned":
            continue
        # When a run was last at work is said by its last record, which is reported where it is read.
        if kind == "run" and isinstance(found[f"{run} log"], LgcError) and _timeless(answer, truth[what]):
            continue
        if what in ("list", "parked") and _listed(answer, truth[what], found):
            continue
        if kind == "snapshot" and _older(run, answer, truth):
            continue
        wrong.append(f"{what}: {answer!r:.300} instead of {truth[what]!r:.300}")
    return wrong


def _listed(answer: Any, wanted: Any, found: dict[str, object]) -> bool:
    """Whether a list is right where it can be, and announced to be short where it is not."""
    known = {run.run: run for run in wanted}
    if len(answer) != len(wanted) and not found["list warned"]:
        return False
    for run in answer:
        late = isinstance(found[f"{run.run} log"], LgcError) if run.run in known else False
        if run.run not in known or not (run == known[run.run] or (late and _timeless(run, known[run.run]))):
            return False
    return True


def _timeless(left: Any, right: Any) -> bool:
    return bool(replace(left, updated=0.0) == replace(right, updated=0.0))


def _older(run: str, answer: Any, truth: dict[str, Any]) -> bool:
    """An older snapshot (or none) does, as the log gives the rest; where it cannot, whoever rebuilds the
    position notices that steps are missing between the two."""
    if answer is None:
        return True
    return bool(answer.run == run and answer.step < truth[f"{run} snapshot"].step)
