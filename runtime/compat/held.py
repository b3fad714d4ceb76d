"""A store that answers what has been read already, and asks the real one for the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from ..store.protocols import Store
from ..store.records import AttemptRecord, CheckpointRecord, DecisionRecord, MutationRecord, OverrideRecord
from ..store.segments import in_segments
from .situation import Facts


class Held:
    """Stands for a store while one run is judged that has been read together with others.

    `asked` tells whether something else was wanted: then the verdict may rest on more than what was held.
    """

    def __init__(self, store: Store, facts: Facts) -> None:
        self._store = store
        self._facts = facts
        self.asked = False

    @property
    def store(self) -> Store:
        """For those who ask a store."""
        return cast("Store", self)

    def __getattr__(self, name: str) -> Any:
        # Forms of graphs are the same for all runs.
        self.asked = self.asked or name not in ("get_graph", "warnings")
        return getattr(self._store, name)

    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        """As of a store."""
        found = self._facts.history.snapshot
        if run == self._facts.run.run and (at_most is None or found is None or found.step <= at_most):
            return found
        self.asked = True
        return await self._store.latest_snapshot(run, at_most)

    async def _segments(self, run: str, from_step: int) -> AsyncIterator[Sequence[MutationRecord]]:
        if run != self._facts.run.run:
            self.asked = True
            yield [record async for record in self._store.replay(run, from_step)]
            return
        log = self._facts.history.log
        rest = log[max(from_step - log[0].step, 0) :] if log else ()
        if rest:
            yield rest

    @in_segments(_segments)
    async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """As of a store."""
        async for records in self._segments(run, from_step):
            for record in records:
                yield record

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """As of a store."""
        if run != self._facts.run.run:
            self.asked = True
            return await self._store.decisions(run, waiting=waiting)
        return [one for one in self._facts.decisions if not (waiting and one.step)]

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """As of a store."""
        if run != self._facts.run.run:
            self.asked = True
            return await self._store.attempts(run)
        return self._facts.attempts

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """As of a store."""
        if run != self._facts.run.run:
            self.asked = True
            return await self._store.overrides(run)
        return self._facts.moves
