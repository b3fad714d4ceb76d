"""A store within the process: for tests, and for runs that need not outlive it.

Records are immutable, so that what is kept is what was given. All promises hold except that of surviving.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Self

from ...errors import RunExists
from ..protocols import in_order
from ..records import (
    AttemptRecord,
    Commit,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
    RunStatus,
)
from ..refusals import fenced, unknown
from ..segments import SEGMENT, in_segments
from .history import (
    History,
    add,
    demand_checkpoints,
    demand_next,
    demand_same_run,
    demand_texts,
    fold,
    settle,
)
from .upkeep import MemoryUpkeep


class MemoryStore(MemoryUpkeep):
    """Runs in memory."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close: the runs live as long as the store does."""

    # --- steps ----------------------------------------------------------------------------------------

    @in_order
    async def commit(self, commit: Commit) -> None:
        """Make a step part of the run. Raises RunFenced, RunNotFound, SerializationError, StorageError."""
        history = self._histories.get(commit.run)
        if history is None or history.run is None:
            raise unknown(commit.run)
        if history.fence != commit.fence:
            raise fenced(commit.run, commit.fence, history.fence, history.run.owner)
        record = commit.record
        # Everything is tested before anything is changed.
        if record is not None:
            demand_same_run(commit.run, record.run, "record")
            demand_next(record, history.last)
        if (
            commit.status is not None
            or commit.snapshot is not None
            or commit.decision
            or commit.attempt is not None
            or commit.settled
            or commit.override is not None
            or commit.lease is not None
            or commit.kept
            or commit.attempts
            or commit.aside
        ):
            self._rest(commit, history)
        if record is not None:
            add(history, record)

    def _rest(self, commit: Commit, history: History) -> None:
        run, record, snapshot = history.run, commit.record, commit.snapshot
        assert run is not None
        checkpoints = commit.kept if snapshot is None else (*commit.kept, snapshot)
        attempts = commit.attempts if commit.attempt is None else (commit.attempt, *commit.attempts)
        demand_checkpoints(commit.run, checkpoints, history.last if record is None else record.step)
        for attempt in attempts:
            demand_same_run(commit.run, attempt.run, "attempt")
        if commit.override is not None:
            demand_same_run(commit.run, commit.override.run, "move")
            demand_texts((commit.override.reason, commit.override.actor), commit.run)
        demand_texts((commit.error,), commit.run)
        steps = dict.fromkeys(commit.aside, -1)
        if commit.decision:
            steps[commit.decision] = -1 if record is None else record.step
        if steps:
            settle(history, commit.run, steps)
        if commit.status is not None:
            now = time.time() if record is None else record.time
            run = replace(run, status=commit.status, error=commit.error, updated=now)
        if commit.override is not None:
            history.overrides.append(commit.override)
            run = replace(run, hash=commit.override.actual)
        if commit.lease is not None:
            run = replace(run, lease=commit.lease)
        history.run = run
        for checkpoint in checkpoints:
            history.checkpoints.pop(checkpoint.id, None)  # it comes behind those that are older
            history.checkpoints[checkpoint.id] = checkpoint
        if snapshot is not None:
            fold(history, commit.run, record)
        if commit.settled:
            history.attempts = [
                a for a in history.attempts if (a.frame, a.node, a.visit) not in commit.settled
            ]
        history.attempts += attempts

    async def append(self, record: MutationRecord) -> None:
        """Add the next step of a run, without asking for a token."""
        await self.append_batch((record,))

    async def append_batch(self, records: Sequence[MutationRecord]) -> None:
        """Add several steps, all or none."""
        ends: dict[str, int] = {}
        for record in records:
            history = self._histories.get(record.run)
            last = ends.get(record.run, 0 if history is None else history.last)
            demand_next(record, last)
            ends[record.run] = record.step
        for record in records:
            add(self._history(record.run), record)

    async def _segments(self, run: str, from_step: int) -> AsyncIterator[Sequence[MutationRecord]]:
        history = self._histories.get(run)
        records = () if history is None else history.log[max(from_step - history.base - 1, 0) :]
        for first in range(0, len(records), SEGMENT):
            yield records[first : first + SEGMENT]

    @in_segments(_segments)
    async def replay(self, run: str, from_step: int = 1) -> AsyncIterator[MutationRecord]:
        """The steps from `from_step` on, in order."""
        history = self._histories.get(run)
        if history is not None:
            for record in history.log[max(from_step - history.base - 1, 0) :]:
                yield record

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Really delete the steps before `keep_from_step`; how many went."""
        history = self._histories.get(run)
        if history is None:
            return 0
        gone = max(min(keep_from_step - 1, history.last) - history.base, 0)
        history.log = history.log[gone:]
        history.base += gone
        history.flags = {step for step in history.flags if step > history.base}
        return gone

    # --- graphs and runs ------------------------------------------------------------------------------

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form (once for each hash)."""
        demand_texts((hash, name, canonical), f"graph {name!a}")
        self._graphs.setdefault(hash, canonical)

    async def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash."""
        return self._graphs.get(hash)

    async def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        demand_texts((run.run, run.graph, run.hash, run.input, run.owner, run.error, run.launch, run.parent),
                    f"run {run.run!a}")  # fmt: skip
        history = self._history(run.run)
        if history.run is not None:
            raise RunExists("a run of this id is already in the store", run=run.run)
        history.run = run
        history.fence = run.fence

    async def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound."""
        history = self._histories.get(run)
        if history is None or history.run is None:
            raise unknown(run)
        last = history.log[-1].time if history.log else history.run.updated
        return replace(history.run, fence=history.fence, updated=max(history.run.updated, last))

    async def list_runs(
        self, *, status: RunStatus | None = None, graph: str | None = None
    ) -> Sequence[RunRecord]:
        """Runs, newest first."""
        found = [
            await self.get_run(run)
            for run, history in reversed(self._histories.items())
            if history.run is not None
            and (status is None or history.run.status == status)
            and (graph is None or history.run.graph == graph)
        ]
        return sorted(found, key=lambda run: -run.created)

    async def take(self, run: str, owner: str, *, expect: RunRecord | None = None, lease: float = 0.0) -> int:
        """Become the one who drives a run; the new fencing token. Raises RunNotFound, RunFenced."""
        history = self._histories.get(run)
        if history is None or history.run is None:
            raise unknown(run)
        if expect is not None and (history.fence, history.run.lease) != (expect.fence, expect.lease):
            raise fenced(run, expect.fence, history.fence, history.run.owner)
        demand_texts((owner,), f"owner of {run}")
        history.run = replace(history.run, owner=owner, updated=time.time(), lease=lease)
        history.fence = max(history.fence, self._floor) + 1
        self._changes += 1
        return history.fence

    # --- decisions, attempts, overrides ---------------------------------------------------------------

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        history = self._histories.get(decision.run)
        if history is None or history.run is None:
            raise unknown(decision.run)
        texts = (decision.barrier, decision.node, decision.answer, decision.arguments, decision.mutations)
        demand_texts((*texts, decision.actor), f"decision for {decision.run}")
        self._decisions += 1
        self._changes += 1
        history.decisions.append(replace(decision, id=self._decisions))
        return self._decisions

    async def decisions(self, run: str, *, waiting: bool = False) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first; with `waiting` only those not applied yet."""
        history = self._histories.get(run)
        if history is None:
            return ()
        return [decision for decision in history.decisions if not (waiting and decision.step)]

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Attempts of `effect once` nodes whose visit has not been committed."""
        history = self._histories.get(run)
        return () if history is None else tuple(history.attempts)

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run to other graphs, oldest first."""
        history = self._histories.get(run)
        return () if history is None else tuple(history.overrides)

    async def data_version(self) -> int:
        """A number that changes when another session may have changed the store."""
        return self._changes
