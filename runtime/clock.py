"""Time and chance, injected: the engine asks no other clock, so that a simulation can drive it."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - this is the one place that the others ask
import time  # noqa: TID251
from typing import Protocol


class Clock(Protocol):
    """What the engine needs of the world."""

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        # Bound once: the engine asks several times a step.
        self.time = time.time
        self.monotonic = time.perf_counter
        self.jitter = random.random

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
