"""When a checkpoint is made, and when a state is written whole: two independent questions."""

from __future__ import annotations

from typing import Protocol

from . import plan

# A log shorter than this is never worth folding: reading it back costs less than a snapshot saves.
LEAST_LOG_BYTES = 32 * 1024


class TriggerPolicy(Protocol):
    """Decides after each commit whether the step becomes a checkpoint."""

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
        """
        ...


class Triggers:
    """The triggers of a graph's `checkpoint { … }`: any of them suffices."""

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
            self._score += duration * score.duration + tokens * score.tokens + effects * score.effects
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


class Compaction:
    """`compact auto`: when the log since the last snapshot outweighs it; `compact N steps`: every N steps."""

    def __init__(self, setting: plan.Checkpointing, snapshot_bytes: int = 0) -> None:
        self._every = setting.compact_steps
        self._weight = max(snapshot_bytes, LEAST_LOG_BYTES)
        self._log = 0
        self._steps = 0

    def due(self, record_bytes: int) -> bool:
        """Count one log record; whether the state should be written whole with it."""
        self._log += record_bytes
        self._steps += 1
        if self._every is not None:
            return self._steps >= self._every
        return self._log > self._weight

    def made(self, snapshot_bytes: int) -> None:
        """A snapshot of that size was written."""
        self._weight = max(snapshot_bytes, LEAST_LOG_BYTES)
        self._log = self._steps = 0
