"""What must be true, kept beside the store and independent of it: each change that it takes is told here.

Nothing in this file asks the store or the engine what it thinks: a promise that is broken is seen as soon as
the commit that breaks it is made.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lgc.runtime.store.records import Commit, DecisionRecord, MutationRecord, RunStatus

from .loop import PROCESS, Process

Report = Callable[[str], None]
Visit = tuple[str, str, int]  # frame, node, visit

OVER = (RunStatus.DONE, RunStatus.CANCELLED)


class RunLedger:
    """All that became durable of one run, in order."""

    def __init__(self, status: RunStatus) -> None:
        self.fence = 0
        self.log: list[MutationRecord] = []
        self.fences: list[int] = []  # under which token each step was made
        self.status = status
        self.decisions: dict[int, DecisionRecord] = {}
        self.applied: dict[int, int] = {}  # decision -> step, or -1
        self.begun: dict[Visit, int] = {}  # attempts of `effect once` nodes, with the token
        self.retried: set[Visit] = set()
        self.keys: dict[str, int] = {}  # idempotency key -> step
        self.when: dict[str, float] = {}  # `step 3`, `decision 7` -> simulated time


class Ledger:
    """All runs."""

    def __init__(self, report: Report, now: Callable[[], float]) -> None:
        self._report, self._now = report, now
        self.runs: dict[str, RunLedger] = {}
        self.acknowledged: dict[tuple[str, int], MutationRecord] = {}
        self.set_aside: list[tuple[str, Process]] = []
        self.answered: list[tuple[str, int]] = []  # decisions whose giver was told that they are kept

    def took(self, run: str, fence: int) -> None:
        """Somebody has become the one who drives a run."""
        ledger = self.runs[run]
        if fence <= ledger.fence:
            self._report(f"{run}: token {fence} was given although it is at {ledger.fence}")
        ledger.fence = fence

    def committed(self, commit: Commit, key: str) -> None:
        """A commit became durable: the end of the call of that idempotency key, where that is known."""
        ledger = self.runs[commit.run]
        if commit.fence != ledger.fence:
            self._report(f"{commit.run}: a commit under token {commit.fence}, it is at {ledger.fence}")
        record = commit.record
        if record is not None:
            if record.step != len(ledger.log) + 1:
                self._report(f"{commit.run}: step {record.step} after step {len(ledger.log)}")
            if ledger.status in OVER:
                self._report(f"{commit.run}: step {record.step} after the run was {ledger.status}")
            if key and ledger.keys.setdefault(key, record.step) != record.step:
                self._report(f"{key} was committed as step {ledger.keys[key]} and as step {record.step}")
            ledger.when[f"step {record.step}"] = self._now()
            ledger.log.append(record)
            ledger.fences.append(commit.fence)
            ledger.begun.pop((record.frame, record.node, record.visit), None)
        if commit.decision:
            before = ledger.applied.get(commit.decision)
            if before is not None:
                self._report(f"{commit.run}: decision {commit.decision} was settled twice (step {before})")
            if commit.decision not in ledger.decisions:
                self._report(f"{commit.run}: nobody gave decision {commit.decision}")
            ledger.applied[commit.decision] = record.step if record is not None else -1
        for visit in commit.settled:
            ledger.begun.pop(visit, None)
            if record is None:
                ledger.retried.add(visit)
        if commit.attempt is not None:
            a = commit.attempt
            if (a.frame, a.node, a.visit) in ledger.begun:
                self._report(f"{commit.run}: a second attempt of {a.frame}/{a.node}#{a.visit}")
            ledger.begun[a.frame, a.node, a.visit] = commit.fence
        if commit.status is not None:
            ended = ledger.status in OVER and commit.status is not ledger.status
            forked = commit.snapshot is not None and not commit.snapshot.step and not ledger.log
            if ended and not forked and not (ledger.status is RunStatus.DONE and record is None):
                self._report(f"{commit.run}: was {ledger.status} and became {commit.status}")
            ledger.status = commit.status

    def told(self, commit: Commit) -> None:
        """Whoever gave a commit was told that it is durable."""
        if commit.record is None and commit.decision:
            self.set_aside.append((commit.run, PROCESS.get()))
        if commit.record is not None:
            self.acknowledged[commit.run, commit.record.step] = commit.record

    def decided(self, id: int, decision: DecisionRecord) -> None:
        """An answer became durable."""
        ledger = self.runs[decision.run]
        ledger.decisions[id] = decision
        ledger.when[f"decision {id}"] = self._now()

    def look(self, core: Any) -> None:
        """Compare with what the store really holds, in the end. Raises nothing: it reports."""
        for run, ledger in self.runs.items():
            history = core._histories[run]
            if list(history.log) != ledger.log[history.base :]:
                self._report(f"{run}: the log is not what was committed")
            if history.fence != ledger.fence:
                self._report(f"{run}: the token is {history.fence}, not {ledger.fence}")
            stored = {d.id: d.step for d in history.decisions}
            if stored != {id: ledger.applied.get(id, 0) for id in ledger.decisions}:
                self._report(f"{run}: the decisions are {stored}, not {ledger.applied}")
        for (run, step), record in self.acknowledged.items():
            log = self.runs[run].log
            history = core._histories[run]
            gone = step <= history.base  # truncated
            kept = history.base + len(history.log)
            if log[step - 1] != record or (
                not gone and (step > kept or history.log[step - history.base - 1] != record)
            ):
                self._report(f"{run}: step {step} was said to be durable, and is not there")
        for run, id in self.answered:
            if all(d.id != id for d in core._histories[run].decisions):
                self._report(f"{run}: decision {id} was accepted, and is not there")
