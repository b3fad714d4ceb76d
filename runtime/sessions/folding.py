"""Compaction from outside a run: a log folded into a snapshot, and snapshots that newer ones stand for.

Both work beside a session that drives the run: what is folded is committed, and a snapshot only repeats what
the log says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..graph import Graph
from ..machine.position import to_snapshot
from ..store.archives.archiving import snapshots_of
from ..store.moves import of_a_move
from ..store.protocols import Store
from ..store.records import CheckpointRecord, RunRecord
from .restore import blanks, rebuild

# A log shorter than this is read as quickly as a snapshot.
SHORTEST = 100
# So many snapshots of a run stay: should the newest be damaged, the one before is there.
WHOLE = 2


async def tail(store: Store, run: str) -> int:
    """How many steps a restore has to read behind the newest snapshot; 0 where that is not worth folding."""
    newest = await store.latest_snapshot(run)
    steps = 0
    async for _ in store.replay(run, newest.step + 1 if newest is not None else 1):
        steps += 1
    return steps if steps >= SHORTEST else 0


async def fold(store: Store, graph: Graph[Any], run: RunRecord) -> CheckpointRecord:
    """Keep a snapshot of the position after the last committed step. Raises what `rebuild` raises."""
    position = await rebuild(store, graph, run, blanks(graph))
    id = f"{run.run}@{position.step}"
    newest = (await store.list(run.run))[:1]
    last = run
    async for record in store.replay(run.run, position.step):
        last = replace(run, updated=record.time)
        break
    snapshot = CheckpointRecord(
        id, run.run, position.step, run.hash, last.updated, to_snapshot(position.root),
        listed=bool(newest) and newest[0].id == id,
    )  # fmt: skip
    await store.save(snapshot)
    return snapshot


async def superseded(store: Store, run: str) -> list[CheckpointRecord]:
    """The snapshots that nothing needs any more, newest first: all but the newest two, that which a forked
    run begins with, those at which it was moved to another graph, and those that a truncated log is read
    from."""
    moves = {move.step for move in await store.overrides(run)}
    snapshots = [one for one in await snapshots_of(store, run) if not of_a_move(one, moves)]
    async for record in store.replay(run):
        if record.step > 1:  # its beginning is gone: the steps left need the first snapshot before them
            oldest = min((one.step for one in await store.list(run)), default=record.step)
            before = [one.step for one in snapshots if one.step <= max(oldest, record.step - 1)]
            snapshots = [one for one in snapshots if not before or one.step != before[0]]
        break
    return [one for one in snapshots[WHOLE:] if one.step]


async def demote(store: Store, snapshot: CheckpointRecord) -> None:
    """Keep a checkpoint without its snapshot: from now on it is rebuilt from an earlier one and the log."""
    await store.save(replace(snapshot, snapshot=""))
