"""An event loop without the world: time jumps, one seed says whose turn it is, nothing real is waited for.

Each simulated process has a queue of its own, first in, first out, as asyncio promises; which process goes
on next is drawn. A process is known by the context that its callbacks run in. One that is paused keeps its
queue; one that is dead is never run again, wherever it stood.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import gc
import heapq
import sys
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from random import Random
from typing import Any

# As many callbacks without time going on are a loop that never ends.
MOST_AT_ONCE = 200_000


class Stuck(Exception):
    """Nothing can happen any more, or time is over."""


class Process:
    """One simulated process.

    Attributes:
        skew: seconds by which its wall clock is wrong.
        rested: seconds that it has been paused, up to now.
    """

    def __init__(self, name: str, world: Any = None) -> None:
        self.name = name
        self.world = world
        self.skew = 0.0
        self.dead = False
        self.paused = False
        self.rested = 0.0
        self.paused_at = 0.0
        self.queued = False  # whether the loop knows that it has something to do
        self.ready: deque[asyncio.Handle] = deque()
        self.late: list[asyncio.Handle] = []  # timers that were due while it was paused
        self.tasks: list[asyncio.Task[Any]] = []

    def pending(self) -> list[asyncio.Task[Any]]:
        """Its tasks that are not over."""
        self.tasks = [task for task in self.tasks if not task.done()]
        return self.tasks


PROCESS: ContextVar[Process] = ContextVar("PROCESS")


# Only what the runtime and asyncio ask of a loop is there.
_Loop: Any = asyncio.AbstractEventLoop


class SimLoop(_Loop):  # type: ignore[misc]
    """Runs one coroutine, and all that it starts, in simulated time.

    Args:
        random: draws whose turn it is.
        until: seconds after which whoever is not done is stuck.
    """

    def __init__(self, random: Random, until: float) -> None:
        self._random = random
        self._until = until
        self._now = 0.0
        self._timers: list[tuple[float, float, int, asyncio.TimerHandle]] = []
        self._active: list[Process] = []
        self._number = 0
        self._graves: list[Process] = []
        self.outside = Process("outside")  # who drives the simulation: never dies
        self.outside_context = Context()
        self.outside_context.run(PROCESS.set, self.outside)
        self.errors: list[dict[str, Any]] = []
        self.stopped = False
        self.turns = 0
        self.turned: Callable[[], None] = _nothing

    # --- what asyncio asks of a loop ------------------------------------------------------------------

    def get_debug(self) -> bool:
        """No."""
        return False

    def is_running(self) -> bool:
        """Yes."""
        return True

    def is_closed(self) -> bool:
        """No."""
        return False

    def time(self) -> float:
        """Simulated seconds."""
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Put it at the end of the queue of its process."""
        running: Any = self
        handle = asyncio.Handle(callback, args, running, context)
        self._enqueue(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """There are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Once so much time has gone by."""
        return self.call_at(self._now + max(delay, 0.0), callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """At a time; what is due at the same time comes in an order that is drawn."""
        running: Any = self
        handle = asyncio.TimerHandle(when, callback, args, running, context)
        self._number += 1
        heapq.heappush(self._timers, (when, self._random.random(), self._number, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future."""
        running: Any = self
        return asyncio.Future(loop=running)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """A task of the process that asks for it."""
        running: Any = self
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=running, name=name or "task", context=context)
        process = PROCESS.get(self.outside) if context is None else context.get(PROCESS, self.outside)
        process.tasks.append(task)
        if len(process.tasks) > 200:
            process.pending()
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nobody looked at an error: kept, for the simulation must not have any."""
        self.errors.append(context)

    # --- the simulation -------------------------------------------------------------------------------

    def spawn(self, process: Process, main: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start something in a process."""
        context = Context()
        context.run(PROCESS.set, process)
        return self.create_task(main, name="main", context=context)

    def kill(self, process: Process) -> None:
        """None of its callbacks runs any more."""
        process.dead = True
        process.ready.clear()
        process.late.clear()
        self._graves.append(process)

    def pause(self, process: Process) -> None:
        """None of its callbacks runs for now."""
        if not process.paused:
            process.paused, process.paused_at = True, self._now

    def resume(self, process: Process) -> None:
        """They run again, first those that were due meanwhile."""
        if process.paused:
            process.paused = False
            process.rested += self._now - process.paused_at
            late, process.late = process.late, []
            for handle in late:
                self._enqueue(handle)
            self._wake(process)

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Go on until it is over. Raises Stuck."""
        running: Any = self
        asyncio._set_running_loop(running)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._close_later)
        try:
            task = self.spawn(self.outside, main)
            while not task.done() and not self.stopped:
                self._turn()
            return task.result() if task.done() else None
        finally:
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def leave(self, processes: list[Process]) -> None:
        """Throw away all that is left; what `finally` blocks say now, nobody hears."""
        for process in [*processes, self.outside]:
            if not process.dead:
                self.kill(process)
        with _unheard():
            self._bury()
            gc.collect()

    def _bury(self) -> None:
        for process in self._graves:
            for task in process.tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore
            process.tasks.clear()
        self._graves.clear()
        self._timers.clear()

    def _enqueue(self, handle: asyncio.Handle) -> None:
        process = _context(handle).get(PROCESS, self.outside)
        if process.dead:
            return
        process.ready.append(handle)
        if not process.queued:
            self._wake(process)

    def _wake(self, process: Process) -> None:
        if not process.queued and not process.paused:
            process.queued = True
            self._active.append(process)

    def _turn(self) -> None:
        active = self._active
        while active:
            place = int(self._random.random() * len(active)) if len(active) > 1 else 0
            process = active[place]
            if not process.ready or process.paused:
                active[place] = active[-1]
                active.pop()
                process.queued = False
                continue
            handle = process.ready.popleft()
            if not handle.cancelled():
                self.turns += 1
                if self.turns > MOST_AT_ONCE:
                    raise Stuck(f"{MOST_AT_ONCE} callbacks without time going on")
                handle._run()
                self.turned()
            return
        self._jump()

    def _jump(self) -> None:
        """On to the next time at which something is due."""
        self.turns = 0
        while True:
            if not self._timers:
                raise Stuck("nothing can happen any more")
            when, _, _, handle = heapq.heappop(self._timers)
            if not handle.cancelled():
                break
        if when > self._until:
            raise Stuck(f"not over after {self._until:g} simulated seconds")
        self._now = max(self._now, when)
        self._due(handle)
        while self._timers and self._timers[0][0] <= self._now:
            self._due(heapq.heappop(self._timers)[3])

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if handle.cancelled():
            return
        process = _context(handle).get(PROCESS, self.outside)
        if process.paused and not process.dead:
            process.late.append(handle)
        else:
            self._enqueue(handle)

    def _close_later(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not PROCESS.get(self.outside).dead:
            self.call_soon(self._close, generator)

    def _close(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.create_task(generator.aclose())


def _context(handle: Any) -> Context:
    context: Context = handle._context
    return context


def _nothing() -> None:
    """Nobody wants to know."""


@contextmanager
def _unheard() -> Generator[None]:
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = hook
