"""From commits of many runs that are ready at the same moment to one transaction.

Each commit steps aside once before it is written, so that every other run that is ready can add its own. The
first one to come back writes them all; the others find theirs written. Nobody goes on before that write has
returned. It costs a turn of the event loop, and neither a future nor a callback.
"""

from __future__ import annotations

import types
from asyncio import CancelledError, current_task
from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias

from ..errors import StorageError
from .records import Commit

# One entry a commit, in order: None for kept, or why not.
Outcome: TypeAlias = Exception | None


class _Waiting:
    """A commit that has not been written yet."""

    __slots__ = ("commit", "done", "error")

    def __init__(self, commit: Commit) -> None:
        self.commit = commit
        self.done = False
        self.error: Outcome = None


class CommitGroup:
    """Gathers commits and hands them to `write` together."""

    def __init__(self, write: Callable[[Sequence[Commit]], Sequence[Outcome]]) -> None:
        self._write = write
        self._queue: list[_Waiting] = []

    async def commit(self, commit: Commit) -> None:
        """Return when it is durable, raise when it is not.

        A caller that is cancelled before the write takes its commit back. One that is cancelled after it
        gets to know that it is durable: the cancellation waits until it awaits something else.
        """
        waiting = _Waiting(commit)
        self._queue.append(waiting)
        try:
            await _step_aside()
        except CancelledError:
            if not waiting.done:
                self._queue.remove(waiting)
                raise
            if waiting.error is not None:
                raise
            task = current_task()
            assert task is not None
            task.uncancel()
            task.cancel()
        except BaseException:
            if not waiting.done:
                self._queue.remove(waiting)
            raise
        if not waiting.done:
            self.flush()
        if waiting.error is not None:
            raise waiting.error

    def flush(self) -> None:
        """Write what is waiting, now."""
        queue, self._queue = self._queue, []
        if not queue:
            return
        try:
            outcomes = self._write([waiting.commit for waiting in queue])
        except BaseException:
            for waiting in queue:
                waiting.done = True
                waiting.error = StorageError("the commit was interrupted", run=waiting.commit.run)
            raise
        for waiting, outcome in zip(queue, outcomes, strict=True):
            waiting.done = True
            waiting.error = outcome


@types.coroutine
def _step_aside() -> Generator[None]:
    yield
