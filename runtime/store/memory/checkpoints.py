"""Checkpoints of a store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import CheckpointNotFound
from ..records import CheckpointRecord
from .history import History, checkpoints_of, demand_texts, indispensable, of_a_move


class MemoryCheckpoints:
    """What is kept, and the checkpoints in it."""

    def __init__(self) -> None:
        self._histories: dict[str, History] = {}
        self._graphs: dict[str, str] = {}
        self._decisions = 0
        self._changes: int = 0
        self._floor = 0  # the highest token of a run that was deleted: none is given out again

    def _history(self, run: str) -> History:
        return self._histories.setdefault(run, History())

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep a checkpoint (replacing one of the same id)."""
        demand_texts((checkpoint.id, checkpoint.run, checkpoint.hash, checkpoint.snapshot), checkpoint.id)
        for history in self._histories.values():
            history.checkpoints.pop(checkpoint.id, None)
        self._history(checkpoint.run).checkpoints[checkpoint.id] = checkpoint

    async def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound."""
        for history in self._histories.values():
            found = history.checkpoints.get(id)
            if found is not None and found.listed:
                return found
        run, _, step = id.rpartition("@")
        for checkpoint in checkpoints_of(run, self._histories.get(run)):
            if checkpoint.id == id and checkpoint.step == int(step):
                return checkpoint
        raise CheckpointNotFound(f"there is no checkpoint {id}", hint="`lgc log RUN` lists them")

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one of a run. Raises CheckpointNotFound."""
        found = checkpoints_of(run, self._histories.get(run))
        if not found:
            raise CheckpointNotFound("the run has no checkpoint", run=run)
        return found[0]

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run, newest first."""
        return checkpoints_of(run, self._histories.get(run))

    async def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What the run could not be rebuilt without stays, not listed."""
        there = False
        for other in self._histories.values():
            one = other.checkpoints.get(id)
            if one is None or not one.listed:
                continue
            there = True
            if indispensable(other, one):
                other.checkpoints[id] = replace(one, listed=False)
            else:
                del other.checkpoints[id]
        run, _, step = id.rpartition("@")
        history = self._histories.get(run)
        if history is not None and step.isascii() and step.isdigit() and str(int(step)) == step:
            there = there or int(step) in history.flags
            history.flags.discard(int(step))
        return there

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed. The snapshots needed stay."""
        history = self._histories.get(run)
        if history is None:
            return 0
        found = [one for one in checkpoints_of(run, history) if not of_a_move(history, one)]
        kept, gone = found[: max(keep, 0)], found[max(keep, 0) :]
        needed: CheckpointRecord | None = None
        if kept or history.base:
            needed = await self.latest_snapshot(run, kept[-1].step if kept else history.last)
        oldest = kept[-1].step if kept else history.last + 1
        ids = {checkpoint.id for checkpoint in kept}
        for one in list(history.checkpoints.values()):
            if one.step > oldest or one.id in ids or of_a_move(history, one):
                continue
            if one.step == 0 or (needed is not None and one.id == needed.id):
                history.checkpoints[one.id] = replace(one, listed=False)
            else:
                del history.checkpoints[one.id]
        history.flags -= {one.step for one in gone}
        return len(gone)

    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """The newest checkpoint that holds a snapshot (not after step `at_most`), or None."""
        history = self._histories.get(run)
        if history is None:
            return None
        good = [
            one
            for one in reversed(history.checkpoints.values())
            if one.snapshot and (at_most is None or one.step <= at_most)
        ]
        return max(good, key=lambda one: one.step, default=None)

    def warnings(self) -> Sequence[str]:
        """Nothing: memory does not rot."""
        return ()
