"""Seals of rows in PostgreSQL: as in SQLite, over bytes where SQLite has texts."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import CheckpointCorrupted
from ..seals import seal


def checkpoint_seal(
    id: bytes, run: int, step: int, hash: int, created: float, snapshot: bytes, listed: int
) -> bytes:
    """The seal of a checkpoint."""
    return seal(id, run, step, hash, created, snapshot, listed)


def decision_seal(run: str, id: int, row: Sequence[object], *, demand: object = None) -> bytes:
    """The seal of a decision: run, barrier, node, answer, arguments, mutations, actor, time, step.

    Raises CheckpointCorrupted where `demand` is given and is another one.
    """
    sealed = seal(id, *row[:9])
    if demand is not None and sealed != demand:
        raise CheckpointCorrupted(f"decision {id} is not what was written", run=run)
    return sealed
