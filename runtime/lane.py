"""One asyncio task that drives a frame, and can be stopped without tearing a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .frame import Frame

if TYPE_CHECKING:
    from .engine import Engine


# Seconds that a function has to clean up after it was told to stop, before it is told again.
GRACE = 2.0


class Lane:
    """A lane.

    Attributes:
        outcome: `end`, `waiting`, `stopped` or `failed` once it is over.
        error: what it failed with.
        stopping: whether it was told to stop.
        committing: whether it is inside a commit, where a stop has to wait.
    """

    __slots__ = ("committing", "done", "engine", "error", "frame", "outcome", "stopping", "task")

    def __init__(self, engine: Engine, frame: Frame) -> None:
        self.engine = engine
        self.frame = frame
        self.outcome = "stopped"  # stays so where it is stopped before it could begin
        self.error: BaseException | None = None
        self.stopping = False
        self.committing = False
        self.done: Callable[[Lane], None] | None = None
        self.task: asyncio.Task[None] | None = None

    def start(self, done: Callable[[Lane], None] | None = None) -> None:
        """Begin; `done` is called when its work is over, unless it was stopped before it could begin."""
        self.done = done
        self.task = asyncio.get_running_loop().create_task(self._main())

    async def _main(self) -> None:
        try:
            self.outcome = await self.engine.follow(self, self.frame)
        except asyncio.CancelledError:
            self.outcome = "stopped"
        except Exception as error:
            # Nodes' own exceptions are caught where they are called: this is an LgcError, or a mistake of
            # ours, which must not pass silently.
            self.outcome, self.error = "failed", error
        finally:
            if self.done is not None:
                self.done(self)

    def stop(self) -> None:
        """End it soon: at once where it waits, after the commit where it is inside one."""
        self.stopping = True
        if self.task is not None:
            self._insist(self.task)

    def _insist(self, task: asyncio.Task[None]) -> None:
        if task.done():
            return
        if not self.committing:
            task.cancel()
        # A function may swallow it and go on; it is told again.
        task.get_loop().call_later(GRACE, self._insist, task)

    async def finished(self) -> None:
        """Wait until it is over, also where the caller is cancelled meanwhile (which is then raised)."""
        assert self.task is not None
        cancelled = False
        while not self.task.done():
            try:
                await asyncio.wait([self.task])
            except asyncio.CancelledError:
                if cancelled or self.stopping:
                    cancelled = True
                    continue
                raise
        self.seen()
        if cancelled:
            raise asyncio.CancelledError

    def seen(self) -> None:
        """What ended the process from within a node was raised by the loop: no second report of it."""
        if self.task is not None and self.task.done() and not self.task.cancelled():
            self.task.exception()
