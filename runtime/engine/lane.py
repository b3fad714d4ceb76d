"""One asyncio task that drives a frame, and can be stopped without tearing a commit.

A lane that is told to stop is cancelled where it stands. A function may swallow that; it is told again, and
then given up: its lane counts as over, and whatever it still does reaches neither the run nor the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..machine.frame import Frame

if TYPE_CHECKING:
    from ..context import TaskContext
    from .engine import Engine


# Seconds that a function has to clean up after it was told to stop, before it is told again or given up.
GRACE = 2.0
# How often it is told.
TOLD = 2
# Seconds between two looks at whether a commit, which nobody interrupts, is over.
COMMITTING = 0.05
# What a lane has called itself is given up by it; only then is the lane.
AFTER = 0.5


class Lane:
    """A lane.

    Attributes:
        outcome: `end`, `waiting`, `stopped` or `failed` once it is over.
        error: what it failed with.
        stopping: whether it was told to stop.
        given_up: whether it was told to stop and did not.
        committing: whether it is inside a commit, where a stop has to wait.
        fanning: whether it waits for lanes of its own, which end by themselves.
        context: of the function that it called last.
    """

    __slots__ = (
        "_over", "committing", "context", "done", "engine", "error", "fanning", "frame", "given_up",
        "outcome", "stopping", "task",
    )  # fmt: skip

    def __init__(self, engine: Engine, frame: Frame) -> None:
        self.engine = engine
        self.frame = frame
        self.outcome = "stopped"  # stays so where it is stopped before it could begin
        self.error: BaseException | None = None
        self.stopping = False
        self.given_up = False
        self.committing = False
        self.fanning = False
        self.context: TaskContext[Any, Any] | None = None
        self.done: Callable[[Lane], None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._over: asyncio.Future[None] | None = None

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
        if self.stopping:
            return
        self.stopping = True
        if self.task is not None:
            self._insist(self.task, 0)

    def _insist(self, task: asyncio.Task[None], told: int) -> None:
        if task.done():
            return
        loop = task.get_loop()
        if self.committing:
            loop.call_later(COMMITTING, self._insist, task, told)
        elif told < TOLD or self.fanning:
            task.cancel()
            last = AFTER if told + 1 >= TOLD else 0.0
            loop.call_later(GRACE + last, self._insist, task, min(told + 1, TOLD))
        else:
            self._give_up(task)

    def _give_up(self, task: asyncio.Task[None]) -> None:
        self.given_up = True
        self.outcome = "stopped"
        context = self.context
        if context is not None and not context.__lg_over__:
            context.__lg_over__ = True
            tell_given_up(self.engine, context.__lg_frame__, context.node)
        else:
            tell_given_up(self.engine, self.frame, "")
        forget(task)
        self._ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.task is None or self.task.done() or self.given_up

    def ending(self) -> asyncio.Future[None]:
        """Done when it is over."""
        assert self.task is not None
        if self._over is None:
            self._over = found = self.task.get_loop().create_future()
            if self.over:
                found.set_result(None)
            else:
                self.task.add_done_callback(self._ended)
        return self._over

    async def finished(self) -> None:
        """Wait until it is over, also where the caller is cancelled meanwhile (which is then raised)."""
        if await ended([self], interruptible=True):
            raise asyncio.CancelledError

    def seen(self) -> None:
        """What ended the process from within a node was raised by the loop: no second report of it."""
        if self.task is not None and self.task.done() and not self.task.cancelled():
            self.task.exception()


async def ended(lanes: Sequence[Lane], *, interruptible: bool = False) -> bool:
    """Wait until all are over; whether the caller was cancelled meanwhile.

    Raises CancelledError at once where it is `interruptible` and nobody has told the lanes to stop.
    """
    cancelled = False
    while left := [lane.ending() for lane in lanes if not lane.over]:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError:
            if interruptible and not cancelled and not any(lane.stopping for lane in lanes):
                raise
            cancelled = True
    for lane in lanes:
        lane.seen()
    return cancelled


async def stopped(task: asyncio.Task[Any]) -> bool:
    """Cancel a task and wait until it is over; whether it is. One that does not stop is given up.

    Raises CancelledError, in the end, where the caller was cancelled meanwhile.
    """
    cancelled = False
    loop = task.get_loop()
    for _ in range(TOLD):
        task.cancel()
        until = loop.time() + GRACE
        while not task.done() and (left := until - loop.time()) > 0:
            try:
                await asyncio.wait((task,), timeout=left)
            except asyncio.CancelledError:
                cancelled = True
    if not task.done():
        forget(task)
    if cancelled:
        raise asyncio.CancelledError
    return task.done()


def forget(task: asyncio.Task[Any]) -> None:
    """Let nobody wait for a task that will not end: not `asyncio.run`, which would for ever."""
    task.add_done_callback(lambda over: over.cancelled() or over.exception())
    asyncio._unregister_task(task)  # documented, for tasks that somebody else looks after
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore


def tell_given_up(engine: Engine, frame: Frame, node: str) -> None:
    """Tell of a function that was told to stop, and does not."""
    what = f"`{node}`" if node else "a sink"
    engine.observe(frame, f"{what} did not stop when it was cancelled; it was given up, and counts no more")
