"""From a store to what in it cannot be read as it was written: every run, step, checkpoint and answer.

Works on any store, through its protocol. One damage never hides another: reading goes on behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ..errors import CheckpointNotFound, LgcError, text_of
from .protocols import Store
from .records import Damage, RunRecord

# After so many steps in a row that cannot be read, the rest of a log is not tried step by step.
_TRIES = 1000


class _Reader:
    """Reads a store and keeps what it met."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.found: list[Damage] = []

    async def all(self) -> None:
        """Everything that the store says it has."""
        runs: Sequence[RunRecord] = ()
        try:
            runs = await self._store.list_runs()
        except Exception as error:
            self._note(error, "the list of runs cannot be read")
        self._warnings()
        for run in runs:
            found, self.found = self.found, []
            await self._run(run)
            if self.found:
                # What another process truncated, removed or deleted meanwhile is no damage: it is not there
                # any more the second time.
                first, self.found = self.found, []
                await self._run(run)
                self.found = [damage for damage in first if damage in self.found]
            self.found = found + self.found

    async def _run(self, run: RunRecord) -> None:
        name, store = run.run, self._store
        await self._try(lambda: store.get_graph(run.hash), name)
        flagged = await self._log(name)
        await self._try(lambda: self._checkpoints(name, flagged), name)
        await self._try(lambda: store.decisions(name), name)
        await self._try(lambda: store.attempts(name), name)
        await self._try(lambda: store.overrides(name), name)
        self._warnings(name)

    async def _try(self, read: Callable[[], Awaitable[object]], run: str) -> None:
        try:
            await read()
        except Exception as error:
            self._note(error, run=run)

    async def _log(self, run: str) -> set[str]:
        """Read the log; the ids of the checkpoints that it names."""
        flagged: set[str] = set()
        step, tries = 0, 0
        while tries <= _TRIES:
            try:
                async for record in self._store.replay(run, step + 1):
                    step, tries = record.step, 0
                    flagged.add(record.checkpoint)
                return flagged
            except Exception as error:
                at = error.step if isinstance(error, LgcError) and error.step is not None else step + 1
                step, tries = max(step + 1, at), tries + 1
                self._note(error, run=run, step=at)
        return flagged

    async def _checkpoints(self, run: str, flagged: set[str]) -> None:
        at_most: int | None = None
        while (snapshot := await self._store.latest_snapshot(run, at_most)) is not None:
            at_most = snapshot.step - 1
        warnings = self._store.warnings()
        for checkpoint in await self._store.list(run):
            # What the log names has been read with it, and its snapshots are good if none was passed over.
            if checkpoint.id in flagged and not warnings:
                continue
            try:
                await self._store.load(checkpoint.id)
            except CheckpointNotFound:
                pass  # removed meanwhile
            except Exception as error:
                self._note(error, run=run, step=checkpoint.step)
        for warning in warnings:
            self._add(Damage(warning, run))

    def _warnings(self, run: str = "") -> None:
        for warning in self._store.warnings():
            self._add(Damage(warning, run))

    def _note(self, error: Exception, what: str = "", run: str = "", step: int | None = None) -> None:
        text = text_of(error)
        if isinstance(error, LgcError):
            run = run if error.run is None else error.run
            step = step if error.step is None else error.step
        else:
            text = f"{type(error).__name__}: {text}"
        self._add(Damage(f"{what}: {text}" if what else text, run, step))

    def _add(self, damage: Damage) -> None:
        if damage not in self.found:
            self.found.append(damage)


async def damages(store: Store) -> list[Damage]:
    """What cannot be read, in the order of the runs; empty where all is well. Changes nothing."""
    reader = _Reader(store)
    await reader.all()
    return reader.found
