"""From the signals that end a process to a run that stops in order: SIGTERM does what Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminable() -> Generator[None]:
    """Cancel the current task on SIGTERM; a second one raises KeyboardInterrupt wherever the process is."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    told: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if told:
            raise KeyboardInterrupt
        told.append(number)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: its owner looks after signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
