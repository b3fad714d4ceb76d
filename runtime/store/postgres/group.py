"""From commits of many runs that are ready at the same moment to one transaction; none harms another.

While a transaction is under way the commits that come queue; together they are the next one. Nobody goes on
before the server has confirmed the transaction that his commit is in. The quick way, for steps and nothing
but steps of runs whose ends are remembered, is one statement without a task of its own; everything else goes
through `_slowly`.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, current_task
from collections.abc import Sequence

import psycopg
from psycopg.pq.abc import PGresult

from ...errors import LgcError
from ..records import Commit
from .batches import Batch, Writer, steps_only
from .wire import Outcome

# So many commits share a transaction at most: they are held in memory twice.
_MOST = 500


class _Waiting:
    """A commit that nobody has confirmed yet."""

    __slots__ = ("commit", "done", "error", "heard", "taken")

    def __init__(self, commit: Commit, heard: asyncio.Future[None]) -> None:
        self.commit = commit
        self.heard = heard
        self.taken = False  # it is under way, and cannot be taken back
        self.done = False
        self.error: LgcError | None = None

    def tell(self, error: LgcError | None) -> None:
        """How it ended."""
        self.done, self.error = True, error
        if not self.heard.done():
            self.heard.set_result(None)


class CommitGroup:
    """Makes commits durable, those that are ready together in one transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Waiting] = []
        self._busy = False
        self._called = False
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()

    async def commit(self, commit: Commit) -> None:
        """Return when it is durable, raise when it is not.

        A caller that is cancelled before the write takes its commit back. One that is cancelled after it
        gets to know how it ended: the cancellation waits until it awaits something else.
        """
        waiting = _Waiting(commit, self._loop.create_future())
        self._queue.append(waiting)
        # Not at once: every other run that is ready can add its own.
        if not self._busy and not self._called:
            self._called = True
            self._loop.call_soon(self._flush)
        try:
            await waiting.heard
        except CancelledError:
            if not waiting.taken:
                self._queue.remove(waiting)
                raise
            await self._patiently(waiting)
        if waiting.error is not None:
            raise waiting.error

    async def _patiently(self, waiting: _Waiting) -> None:
        task = current_task()
        assert task is not None
        while not waiting.done:
            if waiting.heard.cancelled():
                waiting.heard = self._loop.create_future()
            try:
                await waiting.heard
            except CancelledError:
                task.uncancel()
        task.uncancel()
        task.cancel()

    async def finish(self) -> None:
        """Write what is waiting, and wait until it is written."""
        while self._busy or self._queue:
            self._idle.clear()
            self._flush()
            await self._idle.wait()

    def _flush(self) -> None:
        self._called = False
        if self._busy or not self._queue:
            return
        self._busy = True
        taken, self._queue = self._queue[:_MOST], self._queue[_MOST:]
        for waiting in taken:
            waiting.taken = True
        if not self._quickly(taken):
            self._task = self._loop.create_task(self._slowly(taken))

    def _over(self) -> None:
        self._busy = False
        if not self._queue:
            self._idle.set()
        # Behind those who have just heard: their next commits come along, without a further turn of the loop.
        if not self._called:
            self._called = True
            self._loop.call_soon(self._flush)

    def _quickly(self, taken: list[_Waiting]) -> bool:
        """Send steps and nothing but steps; False where it is not as simple as that."""
        batch = self._writer.simple([waiting.commit for waiting in taken])
        if batch is None:
            return False

        def told(outcome: Outcome) -> None:
            if isinstance(outcome, psycopg.Error) or not self._writer.whole(batch, outcome[0]):
                self._task = self._loop.create_task(self._unravel(taken, batch, outcome))
                return
            for waiting in taken:
                waiting.tell(None)
            self._over()

        self._writer.send(batch, told)
        return True

    async def _slowly(self, taken: list[_Waiting]) -> None:
        """Look up what is needed, then write it all; runs with several commits in several transactions."""
        try:
            for part in _parts(taken):
                errors = await self._writer.write([waiting.commit for waiting in part])
                for waiting, error in zip(part, errors, strict=True):
                    waiting.tell(error)
        finally:
            self._end(taken)

    async def _unravel(
        self, taken: list[_Waiting], batch: Batch, outcome: list[PGresult] | psycopg.Error
    ) -> None:
        """Find out which steps of a quick transaction were refused, and why."""
        try:
            errors = await self._writer.unravelled(batch, outcome, alone=True)
            for waiting, error in zip(taken, errors, strict=True):
                waiting.tell(error)
        finally:
            self._end(taken)

    def _end(self, taken: Sequence[_Waiting]) -> None:
        for waiting in taken:
            if not waiting.done:  # a mistake of ours, or the loop is being closed
                waiting.tell(self._writer.lost(waiting.commit))
        self._over()


def _parts(taken: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Commits that may share a transaction: of a run several only where all are steps under one token.

    Otherwise one of them could be kept where the one before it was refused.
    """
    parts: list[list[_Waiting]] = []
    runs: dict[str, tuple[bool, int]] = {}
    for waiting in taken:
        commit = waiting.commit
        mine = (steps_only(commit), commit.fence)
        before = runs.get(commit.run)
        if not parts or (before is not None and not (mine == before and mine[0])):
            parts.append([])
            runs = {}
        runs[commit.run] = mine
        parts[-1].append(waiting)
    return parts
