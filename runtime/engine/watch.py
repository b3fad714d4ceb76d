"""What other processes do to a run that is driven here: noticed within about a second, by polling cheaply.

A store says with one small question whether anybody else may have changed it (`data_version`). It is asked
once in a while for all the runs that are driven from one event loop, and only where the answer is new does
each of them look: for answers to barriers, and whether it still is the one who drives the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ..store.protocols import Store

# Seconds between two questions to a store.
POLL = 0.5

# Looks at the store; False where that was not needed yet, and is to be asked for again.
Look: TypeAlias = Callable[[], Awaitable[bool]]


class Watch:
    """One store, watched for the runs that are driven on one event loop."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._seen: dict[Look, int | None] = {}  # the version at which each has looked last
        self._looking: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def join(self, look: Look) -> None:
        """Call `look` whenever another process may have changed the store."""
        self._seen[look] = None
        if self._timer is None:
            self._timer = self._loop.call_later(POLL, self._tick)

    def leave(self, look: Look) -> None:
        """Do so no longer."""
        self._seen.pop(look, None)
        if not self._seen and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def idle(self) -> bool:
        """Whether nobody watches."""
        return not self._seen

    def _tick(self) -> None:
        self._timer = self._loop.call_later(POLL, self._tick)
        if not self._looking:
            self._keep(self._loop.create_task(self._ask()))

    async def _ask(self) -> None:
        version = await self._store.data_version()
        for look, seen in list(self._seen.items()):
            if seen != version:
                # Side by side: their questions can share one transaction.
                self._keep(self._loop.create_task(self._look(look, version)))

    async def _look(self, look: Look, version: int) -> None:
        if await look() and look in self._seen:
            self._seen[look] = version

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._looking.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        if not task.cancelled():
            task.exception()  # a store that cannot be asked now may be there the next time


# By the identities of store and loop; an entry holds both, and goes with its last run.
_watches: dict[tuple[int, int], Watch] = {}


def watch(store: Store, look: Look) -> Callable[[], None]:
    """Call `look` whenever another process may have changed the store, until what is returned is called."""
    loop = asyncio.get_running_loop()
    key: tuple[Any, Any] = (id(store), id(loop))
    found = _watches.get(key)
    if found is None:
        found = _watches[key] = Watch(store, loop)
    found.join(look)

    def leave() -> None:
        found.leave(look)
        if found.idle:
            _watches.pop(key, None)

    return leave
