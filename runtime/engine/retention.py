"""How many checkpoints of a run stay listed, and who sees to it while the run goes on.

Retention removes names, never steps: the log stays, and with it every state that the run was in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from .. import plan
from ..clock import Clock
from ..errors import CheckpointNotFound, text_of
from ..store.archives.archived import Archive
from ..store.moves import ordinary
from ..store.protocols import Store
from ..store.records import CheckpointRecord

# Looked after so many new checkpoints (or half of those that stayed, if that is more): each look is paid for
# by the steps before it.
ROOM = 16
# Seconds that the end of a run waits for a store that does not answer.
PATIENCE = 5.0


class RetentionPolicy(Protocol):
    """Decides how many checkpoints of a run stay."""

    def keep(self, checkpoints: Sequence[CheckpointRecord], now: float) -> int:
        """How many of the newest stay.

        Args:
            checkpoints: those that are listed, newest first, without the texts of their snapshots.
            now: seconds since the epoch.
        """
        ...


@dataclass(frozen=True, slots=True)
class Retention:
    """`keep N`, `keep D`, or `keep all` where neither is given; where both are, both limits hold.

    Attributes:
        count: so many stay.
        age: those stay that are at most so many seconds old.

    Raises ValueError for a count below 1 or an age below 0.
    """

    count: int | None = None
    age: float | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ValueError(f"`keep {self.count}` has no meaning: at least one checkpoint stays")
        if self.age is not None and not self.age >= 0:
            raise ValueError(f"an age of {self.age:g} s has no meaning")

    @classmethod
    def of(cls, setting: plan.Checkpointing) -> Retention:
        """The one of a graph's `checkpoint { … }`."""
        return cls(setting.keep_count, setting.keep)

    @property
    def all(self) -> bool:
        """Whether nothing is ever removed."""
        return self.count is None and self.age is None

    def keep(self, checkpoints: Sequence[CheckpointRecord], now: float) -> int:
        """How many of the newest stay (see `RetentionPolicy`)."""
        kept = len(checkpoints) if self.count is None else min(self.count, len(checkpoints))
        if self.age is not None:
            # From the oldest on: a clock that was set back must not cost one that is young enough.
            while kept and now - checkpoints[kept - 1].created > self.age:
                kept -= 1
        return kept


class Retainer:
    """Applies a policy to one run, beside its steps: never in their way, and never the cause of a failure.

    Args:
        policy: how many stay.
        archive: what goes is written there first; where that fails, nothing goes.
        listed: how many checkpoints there are, None where that is not known.
        observe: told in a sentence what went wrong.
    """

    def __init__(
        self,
        store: Store,
        run: str,
        policy: RetentionPolicy,
        clock: Clock,
        observe: Callable[[str], None],
        *,
        archive: Archive | None = None,
        listed: int | None = None,
    ) -> None:
        self._store = store
        self._run = run
        self._policy = policy
        self._clock = clock
        self._observe = observe
        self._archive = archive
        self._made = 0 if listed is not None else 1
        self._room = ROOM + (policy.count or 0 if isinstance(policy, Retention) else 0)
        self._task: asyncio.Task[None] | None = None

    def made(self) -> None:
        """A checkpoint was made."""
        self._made += 1
        if self._made >= self._room and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def finish(self) -> None:
        """The session ends: what should go goes now."""
        if self._task is not None and not self._task.done():
            await asyncio.wait((self._task,), timeout=PATIENCE)
        if self._made and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._look())
            await asyncio.wait((self._task,), timeout=PATIENCE)
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._observe(f"retention: the store has not answered for {PATIENCE:g} s; old checkpoints stay")

    async def _look(self) -> None:
        self._made = 0
        try:
            kept = await retain(self._store, self._run, self._policy, self._clock.time(), self._archive)
            self._room = max(ROOM, kept // 2)
        except Exception as error:
            self._observe(
                f"retention: {type(error).__name__}: {text_of(error)}; old checkpoints stay for now"
            )


async def loaded(store: Store, checkpoints: Sequence[CheckpointRecord]) -> AsyncIterator[CheckpointRecord]:
    """Checkpoints with the texts of their snapshots, without those that somebody has removed meanwhile."""
    for checkpoint in checkpoints:
        with suppress(CheckpointNotFound):
            yield await store.load(checkpoint.id)


async def retain(
    store: Store, run: str, policy: RetentionPolicy, now: float, archive: Archive | None = None
) -> int:
    """Remove the checkpoints of a run that a policy does not keep; how many are kept.

    Raises whatever the store, the policy or the archive raise; what was not archived has not been removed.
    """
    checkpoints = await ordinary(store, run)
    keep = max(policy.keep(checkpoints, now), 0)
    gone = checkpoints[keep:]
    if gone:
        if archive is not None:
            await archive.write(run, [one async for one in loaded(store, gone)])
            # Those made meanwhile are beside the number that was to stay.
            keep += max(len(await ordinary(store, run)) - len(checkpoints), 0)
        await store.prune(run, keep)
    return len(checkpoints) - len(gone)
