"""Which checkpoints of a run are those at which it was moved to another graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .protocols import Store
from .records import CheckpointRecord


def of_a_move(checkpoint: CheckpointRecord, moves: Collection[int]) -> bool:
    """Whether a checkpoint with a snapshot stays for good (see `Store.prune`); `moves` are the steps after
    which its run was moved."""
    return checkpoint.step in moves and checkpoint.id != f"{checkpoint.run}@{checkpoint.step}"


async def ordinary(store: Store, run: str) -> Sequence[CheckpointRecord]:
    """The listed checkpoints of a run that retention decides on, newest first."""
    checkpoints = await store.list(run)
    moves = {move.step for move in await store.overrides(run)} if checkpoints else set[int]()
    return [one for one in checkpoints if not of_a_move(one, moves)] if moves else checkpoints
