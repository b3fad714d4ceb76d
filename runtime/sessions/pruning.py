"""What of a run may go, and its going: checkpoints beyond a retention, and the log before what they need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from ..engine.retention import RetentionPolicy, loaded
from ..store.archives.archive import FileArchive
from ..store.archives.archived import Archived
from ..store.archives.archiving import snapshots_of
from ..store.moves import of_a_move, ordinary
from ..store.protocols import Store
from ..store.records import CheckpointRecord, MutationRecord


class Removal(NamedTuple):
    """What goes, or went.

    Attributes:
        run: of which run.
        checkpoints: how many are no longer listed.
        steps: how many are deleted from the log.
        keep_from: the first step that stays; 0 where the log is not touched.
        bytes: what snapshots and log records take that go, about.
    """

    run: str
    checkpoints: int
    steps: int
    keep_from: int
    bytes: int

    @property
    def nothing(self) -> bool:
        """Whether nothing goes."""
        return not self.checkpoints and not self.steps


class _Plan(NamedTuple):
    keep: int
    listed: int
    gone: tuple[CheckpointRecord, ...]
    oldest: int | None  # step of the oldest one that stays
    keep_from: int


async def removal(
    store: Store,
    run: str,
    policy: RetentionPolicy,
    now: float,
    *,
    log: bool = False,
    archive: FileArchive | None = None,
    dry: bool = False,
) -> Removal:
    """Remove the checkpoints of a run that a policy does not keep. The run can go on as before.

    Args:
        store, run: which run.
        policy: what stays.
        now: seconds since the epoch.
        log: also delete the steps before the snapshot that the oldest checkpoint kept is rebuilt from. A run
            without such a snapshot keeps its whole log.
        archive: gets what goes, first.
        dry: only say what would go.

    Raises CheckpointCorrupted, StorageError: what was not archived has not been removed.
    """
    plan = await _planned(store, run, policy, now, log)
    found = await _counted(store, run, plan)
    if dry or found.nothing:
        return found
    if archive is not None:
        await archive.add(run, _going(store, run, plan), complete=False)
    if plan.keep_from:
        # A session may have written newer snapshots meanwhile, and given this one up.
        snapshot = await store.latest_snapshot(run, plan.oldest)
        if snapshot is not None and snapshot.step + 1 >= plan.keep_from:
            await store.truncate(run, plan.keep_from)
    if plan.gone:
        # Checkpoints that a session has made meanwhile are beside the number that was to stay.
        new = max(len(await ordinary(store, run)) - plan.listed, 0)
        await store.prune(run, plan.keep + new)
    return found


async def _planned(store: Store, run: str, policy: RetentionPolicy, now: float, log: bool) -> _Plan:
    checkpoints = await ordinary(store, run)
    keep = min(max(policy.keep(checkpoints, now), 0), len(checkpoints))
    oldest = checkpoints[keep - 1].step if keep else None
    keep_from = 0
    if log:
        snapshot = await store.latest_snapshot(run, oldest)
        if snapshot is not None:
            # A step stays in any case: without any it could not be seen that there were some.
            follows = await _first(store, run, snapshot.step + 1)
            keep_from = snapshot.step if follows is None else snapshot.step + 1
    return _Plan(keep, len(checkpoints), tuple(checkpoints[keep:]), oldest, keep_from)


async def _first(store: Store, run: str, step: int = 1) -> int | None:
    async for record in store.replay(run, step):
        return record.step
    return None


async def _counted(store: Store, run: str, plan: _Plan) -> Removal:
    steps, size = 0, 0
    async for record in _before(store, run, plan.keep_from):
        steps += 1
        texts = record.mutations, record.detail, record.frame, record.node, record.error
        size += 80 + sum(len(text.encode()) for text in texts)
    if plan.gone:
        moves = {move.step for move in await store.overrides(run)}
        snapshots = [one for one in await snapshots_of(store, run, plan.oldest) if not of_a_move(one, moves)]
        # The newest of them is needed, unless nothing is kept and the log is whole.
        needed = plan.oldest is not None or plan.keep_from > 1 or (await _first(store, run) or 1) > 1
        for snapshot in snapshots[1:] if needed else snapshots:
            size += len(snapshot.snapshot.encode()) if snapshot.step else 0
    return Removal(run, len(plan.gone), steps, plan.keep_from if steps else 0, size)


async def _before(store: Store, run: str, keep_from: int) -> AsyncIterator[MutationRecord]:
    if keep_from > 1:
        async for record in store.replay(run):
            if record.step >= keep_from:
                return
            yield record


async def _going(store: Store, run: str, plan: _Plan) -> AsyncIterator[Archived]:
    async for record in _before(store, run, plan.keep_from):
        yield record
    async for checkpoint in loaded(store, plan.gone):
        yield checkpoint
