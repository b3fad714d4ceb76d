"""What a store in memory knows of one run id, and what it demands of what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...errors import StorageError
from ..codec import unencodable
from ..records import (
    AttemptRecord,
    CheckpointRecord,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
)
from ..refusals import out_of_order


class History:
    """All that is known of one run id."""

    __slots__ = ("attempts", "base", "checkpoints", "decisions", "fence", "flags", "log", "overrides", "run")

    def __init__(self) -> None:
        self.run: RunRecord | None = None
        self.fence = -1
        self.log: list[MutationRecord] = []
        self.base = 0  # the last step that was truncated
        self.flags: set[int] = set()  # steps with a checkpoint by reference
        self.checkpoints: dict[str, CheckpointRecord] = {}
        self.decisions: list[DecisionRecord] = []
        self.attempts: list[AttemptRecord] = []
        self.overrides: list[OverrideRecord] = []

    @property
    def last(self) -> int:
        """The last step."""
        return self.base + len(self.log)


def demand_next(record: MutationRecord, last: int) -> None:
    """Raise StorageError or SerializationError unless a record is a good next step."""
    if record.step != last + 1:
        raise out_of_order(record, last)
    if record.checkpoint and record.checkpoint != f"{record.run}@{record.step}":
        raise StorageError(
            f"the checkpoint of this step is called {record.run}@{record.step}, not {record.checkpoint}",
            run=record.run,
        )
    # To ask whether a text is ASCII costs nothing; only the others need a closer look.
    if not (record.mutations.isascii() and record.node.isascii() and record.error.isascii()
            and record.detail.isascii() and record.frame.isascii()):  # fmt: skip
        texts = (record.mutations, record.node, record.error, record.detail, record.frame)
        demand_texts(texts, f"{record.run}@{record.step}")


def demand_texts(texts: Iterable[str], place: str) -> None:
    """Raise SerializationError for half of a surrogate pair."""
    for text in texts:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise unencodable(error, place) from None


def add(history: History, record: MutationRecord) -> None:
    """Add a step that was found good."""
    history.log.append(record)
    if record.checkpoint:
        history.flags.add(record.step)
    if history.attempts:
        visit = (record.frame, record.node, record.visit)
        history.attempts = [a for a in history.attempts if (a.frame, a.node, a.visit) != visit]


def settle(history: History, run: str, steps: Mapping[int, int]) -> None:
    """Note which step applied which decision. Raises StorageError where one of them does not wait."""
    there = {decision.id: decision for decision in history.decisions}
    for id in steps:
        if id not in there:
            raise StorageError(f"the run has no decision {id}", run=run)
        if there[id].step:
            raise StorageError(
                f"decision {id} has already been applied", run=run, step=max(there[id].step, 0)
            )
    history.decisions = [
        replace(one, step=steps[one.id]) if one.id in steps else one for one in history.decisions
    ]


def indispensable(history: History, checkpoint: CheckpointRecord) -> bool:
    """Whether the run could not be rebuilt without a checkpoint."""
    others = (one for one in history.checkpoints.values() if one.id != checkpoint.id)
    return bool(checkpoint.snapshot) and (
        checkpoint.step == 0
        or of_a_move(history, checkpoint)
        or (history.base > 0 and not any(one.snapshot and one.step >= history.base for one in others))
    )


def of_a_move(history: History, checkpoint: CheckpointRecord) -> bool:
    """Whether the run was moved there: the log does not lead across."""
    return (
        bool(checkpoint.snapshot)
        and checkpoint.id != f"{checkpoint.run}@{checkpoint.step}"
        and any(move.step == checkpoint.step for move in history.overrides)
    )


def demand_checkpoints(run: str, checkpoints: Iterable[CheckpointRecord], last: int) -> None:
    """Raise StorageError or SerializationError unless checkpoints are good ones of a run."""
    for one in checkpoints:
        demand_same_run(run, one.run, "checkpoint")
        if one.step > last:
            raise StorageError(f"a checkpoint of step {one.step}, but the last step is {last}")
        demand_texts((one.id, one.hash, one.snapshot), one.id)


def fold(history: History, run: str, record: MutationRecord | None) -> None:
    """Give up snapshots that are no longer needed (see `Commit.snapshot`); `record` is about to be added."""
    held = [one for one in history.checkpoints.values() if one.snapshot]
    older = sorted(held, key=lambda one: one.step)[:-2]
    oldest = min((one.step for one in older if history.base and one.step >= history.base), default=0)
    for one in older:
        flagged = one.step in history.flags or (
            record is not None and bool(record.checkpoint) and record.step == one.step
        )
        if one.step > oldest and (not one.listed or (flagged and one.id == f"{run}@{one.step}")):
            del history.checkpoints[one.id]


def checkpoints_of(run: str, history: History | None) -> list[CheckpointRecord]:
    """All checkpoints, newest first."""
    if history is None:
        return []
    found = [one for one in reversed(history.checkpoints.values()) if one.listed]
    there = {one.id for one in found}
    for step in history.flags:
        id = f"{run}@{step}"
        if id not in there:
            record = history.log[step - history.base - 1]
            found.append(CheckpointRecord(id, run, step, record.hash, record.time))
    return sorted(found, key=lambda checkpoint: -checkpoint.step)


def demand_same_run(run: str, other: str, what: str) -> None:
    """Raise StorageError where a part of a commit belongs to another run."""
    if run != other:
        raise StorageError(f"the {what} of a commit for {run} is one of {other}")
