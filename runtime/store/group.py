"""From commits of many runs that are ready at the same moment to one transaction.

The first commit of a tick of the event loop leads: it steps aside once, so that every other run that is
ready can add its own, then writes them all. Nobody goes on before that write has returned. A single run pays
one turn of the loop, no future and no callback.
"""

from __future__ import annotations

import types
from asyncio import CancelledError, Future, get_running_loop
from collections.abc import Callable, Generator, Sequence

from .protocols import Commit

# One entry a commit, in order: None for kept, or why not.
Outcome = Exception | None


class _Waiting:
    """A commit that has not been written yet."""

    __slots__ = ("commit", "done", "error", "future")

    def __init__(self, commit: Commit) -> None:
        self.commit = commit
        self.done = False
        self.error: Outcome = None
        self.future: Future[None] | None = None


class CommitGroup:
    """Gathers commits and hands them to `write` together."""

    def __init__(self, write: Callable[[Sequence[Commit]], Sequence[Outcome]]) -> None:
        self._write = write
        self._queue: list[_Waiting] = []

    async def commit(self, commit: Commit) -> None:
        """Return when it is durable, raise when it is not.

        A caller that is cancelled before the write takes its commit back. One that is cancelled in the same
        tick as the write cannot know which came first, as with any commit: the store can tell.
        """
        waiting = _Waiting(commit)
        self._queue.append(waiting)
        if len(self._queue) == 1:
            await self._lead(waiting)
        else:
            waiting.future = get_running_loop().create_future()
            try:
                await waiting.future
            except CancelledError:
                self._withdraw(waiting)
                raise
        if waiting.error is not None:
            raise waiting.error

    async def _lead(self, waiting: _Waiting) -> None:
        try:
            await _step_aside()
        except CancelledError:
            self._withdraw(waiting)
            if self._queue:
                get_running_loop().call_soon(self.flush)
            raise
        except BaseException:
            self._withdraw(waiting)
            raise
        if not waiting.done:
            self.flush()

    def _withdraw(self, waiting: _Waiting) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)

    def flush(self) -> None:
        """Write what is waiting, now."""
        queue, self._queue = self._queue, []
        if not queue:
            return
        outcomes = self._write([waiting.commit for waiting in queue])
        for waiting, outcome in zip(queue, outcomes, strict=True):
            waiting.done = True
            waiting.error = outcome
            if waiting.future is not None and not waiting.future.done():
                waiting.future.set_result(None)


@types.coroutine
def _step_aside() -> Generator[None]:
    yield
