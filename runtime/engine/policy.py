"""When a checkpoint is made, and when a state is written whole: two independent questions."""

from __future__ import annotations

import json
from typing import Protocol

from .. import plan
from ..store.protocols import Store
from ..store.records import MutationRecord, RunRecord

# A log shorter than this is never worth folding: reading it back costs less than a snapshot saves.
LEAST_LOG_BYTES = 256 * 1024

# What a log record takes besides its texts, about.
RECORD_BYTES = 100

# By how much the log has to outweigh the last snapshot. Both are read at a restore, so a restore stays in
# proportion to the state; where the state grows with the log, all older snapshots together are a quarter of
# the newest one, and of those only one is kept.
WEIGHT = 4


class TriggerPolicy(Protocol):
    """Decides with each commit whether the step becomes a checkpoint.

    It is asked once for each step, in the order of the commits. A policy that also has a method
    `made(now: float)` is told of checkpoints that were made without it, because a node or a caller asked.
    """

    def due(
        self, *, events: frozenset[str], now: float, duration: float, tokens: float, effects: int
    ) -> bool:
        """Whether to make one now.

        Args:
            events: of `barrier`, `decision`, `completion`, `mutation`: what the step was.
            now: seconds since the epoch.
            duration: seconds that the node took.
            tokens: what the step cost.
            effects: how many mutations it recorded.

        Where it raises, a checkpoint is made and the error is observed.
        """
        ...


class Triggers:
    """The triggers of a graph's `checkpoint { … }`: any of them suffices.

    What counts is what has happened since the last checkpoint, whichever trigger made it.
    """

    def __init__(self, setting: plan.Checkpointing, now: float) -> None:
        self._setting = setting
        self._steps = 0
        self._last = now
        self._score = 0.0

    def due(
        self, *, events: frozenset[str], now: float, duration: float, tokens: float, effects: int
    ) -> bool:
        """Whether to make one now (see `TriggerPolicy`)."""
        setting = self._setting
        self._steps += 1
        if setting.every_steps == 1:
            return True
        score = setting.adaptive
        if score is not None:
            self._score += _score(score, duration, tokens, effects)
        hit = (
            (setting.every_steps is not None and self._steps >= setting.every_steps)
            or (setting.every is not None and now - self._last >= setting.every)
            or bool(events & setting.on)
            or (score is not None and self._score >= score.threshold)
        )
        if hit:
            self.made(now)
        return hit

    def made(self, now: float) -> None:
        """A checkpoint was made (also one that was asked for)."""
        self._steps, self._last, self._score = 0, now, 0.0

    @classmethod
    async def resumed(cls, setting: plan.Checkpointing, store: Store, run: RunRecord) -> Triggers:
        """As they stood after the last committed step: a restored run makes its checkpoints where an
        undisturbed one would. Raises CheckpointCorrupted, StorageError."""
        triggers = cls(setting, run.created)
        if setting.every_steps == 1 or (
            setting.every_steps is None and setting.every is None and setting.adaptive is None
        ):
            return triggers
        newest = (await store.list(run.run))[:1]
        for checkpoint in newest:
            triggers.made(checkpoint.created)
        async for record in store.replay(run.run, newest[0].step + 1 if newest else 1):
            triggers._passed(record)
        return triggers

    def _passed(self, record: MutationRecord) -> None:
        if record.checkpoint:
            self.made(record.time)
            return
        self._steps += 1
        score = self._setting.adaptive
        if score is not None:
            effects = len(json.loads(record.mutations or "[]")) if score.effects else 0
            self._score += _score(score, record.duration, record.cost, effects)


def _score(weights: plan.Adaptive, duration: float, tokens: float, effects: int) -> float:
    return duration * weights.duration + tokens * weights.tokens + effects * weights.effects


class Compaction:
    """`compact auto`: when the log since the last snapshot outweighs it; `compact N steps`: every N steps."""

    def __init__(self, setting: plan.Checkpointing, snapshot_bytes: int = 0) -> None:
        self._every = setting.compact_steps
        self._weight = max(WEIGHT * snapshot_bytes, LEAST_LOG_BYTES)
        self._log = 0
        self._steps = 0

    def resumed(self, steps: int, texts: int) -> None:
        """The log since the last snapshot when the run was restored: steps, and bytes of their texts."""
        self._log = texts + steps * RECORD_BYTES
        self._steps = steps

    def due(self, record_bytes: int) -> bool:
        """Count one log record; whether the state should be written whole with it."""
        self._log += record_bytes
        self._steps += 1
        if self._every is not None:
            return self._steps >= self._every
        return self._log > self._weight

    def made(self, snapshot_bytes: int) -> None:
        """A snapshot of that size was written."""
        self._weight = max(WEIGHT * snapshot_bytes, LEAST_LOG_BYTES)
        self._log = self._steps = 0
