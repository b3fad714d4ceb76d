"""From a store to the part of a run's history that its present graph has made, and where that begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import CheckpointCorrupted, CheckpointNotFound, RunNotFound
from ..sessions.legs import Leg, after_move, legs_of
from ..store.protocols import Store
from ..store.records import CheckpointRecord, DecisionRecord, MutationRecord, RunRecord
from ..store.segments import segments


@dataclass(frozen=True, slots=True)
class Past:
    """What is there of a run.

    Attributes:
        snapshot: the position that `log` goes on from, as JSON; None: the start of the run, with its input.
        log: the steps since then.
        step: the last step.
        gone: which steps before cannot be looked at, for people; "" where nothing is missing.
        moved: the step after which the run was moved to its graph, None where it has not been.
        parent: the run that the first steps were made by, where this one was forked from it.
        origin: whose input and creation count where there is no snapshot.
        hash: of the graph that the snapshot is of.
    """

    snapshot: str | None
    log: Sequence[MutationRecord]
    step: int
    gone: str
    moved: int | None
    parent: str
    origin: RunRecord


async def whole(store: Store, run: RunRecord) -> Past:
    """All that there is of a run under its graph. Raises CheckpointCorrupted, StorageError."""
    leg = (await legs_of(store, run))[-1]
    if leg.move is not None:
        return await _moved(store, run, leg)
    log = await read(store, run.run, 1)
    if run.parent:
        return await _forked(store, run, log)
    if not log:
        newest = await store.latest_snapshot(run.run)
        if newest is not None and newest.step:
            return _from(run, newest, [], None)
    elif log[0].step != 1:
        return _from(run, await _before(store, run, log[0].step), log, None)
    return Past(None, log, len(log), "", None, "", run)


async def _moved(store: Store, run: RunRecord, leg: Leg) -> Past:
    """Since the run was moved to its graph."""
    log = await read(store, run.run, leg.first + 1)
    snapshot = None
    try:
        snapshot = await store.load(after_move(run.run, leg.first, leg.number))
    except (CheckpointNotFound, CheckpointCorrupted):
        snapshot = await store.latest_snapshot(run.run, leg.first)
    there = snapshot is not None and snapshot.snapshot and snapshot.hash == run.hash
    if snapshot is None or not there or snapshot.step != leg.first:
        snapshot = await store.latest_snapshot(run.run)
        if snapshot is None or snapshot.hash != run.hash or snapshot.step < leg.first:
            raise CheckpointCorrupted(
                f"the snapshot of the move after step {leg.first} is not there", run=run.run, step=leg.first
            )
    if snapshot.step > leg.first or (log and log[0].step != leg.first + 1):
        if log and snapshot.step < log[0].step - 1:
            snapshot = await _before(store, run, log[0].step)
        return _from(run, snapshot, log, leg.first)
    step = log[-1].step if log else leg.first
    return Past(snapshot.snapshot, log, step, "", leg.first, "", run)


async def _forked(store: Store, run: RunRecord, log: list[MutationRecord]) -> Past:
    """With the steps of the run that this one was forked from, where they are there and of the same graph."""
    first = await store.latest_snapshot(run.run, 0)
    parent, _, at = run.parent.rpartition("@")
    if first is not None and at.isdecimal() and (not log or log[0].step == 1):
        before = await _of_parent(store, run, parent, int(at))
        if before is not None:
            steps = [*before.log, *log]
            return Past(before.snapshot, steps, len(log), "", None, parent, before.origin)
    if first is None or (log and log[0].step != 1):
        first = await _before(store, run, log[0].step if log else 1)
    past = _from(run, first, log, None)
    if first.step == 0:
        gone = f"the steps before it was forked from `{run.parent}` are not there"
        return Past(past.snapshot, past.log, past.step, gone, None, "", run)
    return past


async def _of_parent(store: Store, run: RunRecord, parent: str, at: int) -> Past | None:
    try:
        origin = await store.get_run(parent)
        if origin.hash != run.hash or await store.overrides(parent):
            return None
        past = await whole(store, origin)
    except (RunNotFound, CheckpointCorrupted):
        return None
    log = [record for record in past.log if past.parent or record.step <= at]
    if past.gone or past.parent or len(log) != at:
        return None
    return Past(past.snapshot, log, at, "", None, "", origin)


async def _before(store: Store, run: RunRecord, first: int) -> CheckpointRecord:
    """A snapshot that a log which begins with step `first` goes on from. Raises CheckpointCorrupted."""
    for found in (await store.latest_snapshot(run.run, first - 1), await store.latest_snapshot(run.run)):
        if found is not None and found.step >= first - 1 and found.hash == run.hash:
            return found
    raise CheckpointCorrupted(
        f"the log goes on with step {first}, but there is no good snapshot of step {first - 1} or later to"
        " start from",
        run=run.run, step=first,
    )  # fmt: skip


def _from(
    run: RunRecord, snapshot: CheckpointRecord, log: Sequence[MutationRecord], moved: int | None
) -> Past:
    """From a snapshot on; what was before is gone."""
    since = [record for record in log if record.step > snapshot.step]
    first = (moved or 0) + 1
    what = f"step {first} is" if snapshot.step == first else f"steps {first} to {snapshot.step} are"
    step = since[-1].step if since else snapshot.step
    gone = f"{what} no longer in the log" if snapshot.step >= first else ""
    return Past(snapshot.snapshot, since, step, gone, moved, "", run)


async def read(store: Store, run: str, first: int) -> list[MutationRecord]:
    """The log from a step on. Raises CheckpointCorrupted where a step is missing."""
    found: list[MutationRecord] = []
    async for piece in segments(store, run, first):
        found.extend(piece)
    for due, record in enumerate(found, found[0].step if found else 0):
        if record.step != due:
            raise CheckpointCorrupted(f"step {due} is not in the log", run=run, step=due)
    return found


async def decisions_of(store: Store, run: RunRecord, past: Past) -> dict[int, DecisionRecord]:
    """The answers that steps have applied, by id. Raises CheckpointCorrupted, StorageError."""
    if not any('"decision"' in record.detail for record in past.log):
        return {}
    found = {one.id: one for one in await store.decisions(run.run)}
    if past.parent:
        found.update({one.id: one for one in await store.decisions(past.parent)})
    return found
