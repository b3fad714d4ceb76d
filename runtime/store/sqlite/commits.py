"""From a group of commits to one transaction, in which each is kept or refused on its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from ...errors import LgcError, StorageError
from ..records import CheckpointRecord, Commit
from .checkpoints import Checkpoints
from .database import Database
from .ledger import Head, Ledger
from .registry import Registry

# After so many commits a store is worth the time that growing its write-ahead log takes.
_GROW_AFTER = 64


# What stands in a commit behind its record where it is a step and nothing else.
_NOTHING_MORE = Commit("", 0)[3:]


class CommitWriter:
    """Makes commits durable."""

    def __init__(
        self, database: Database, ledger: Ledger, checkpoints: Checkpoints, registry: Registry
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._registry = registry
        self._until_growth = _GROW_AFTER

    def write(self, commits: Sequence[Commit]) -> Sequence[LgcError | None]:
        """Write a group; for each why it was refused, None where it is durable."""
        self._grow(len(commits))
        try:
            if all(map(self._plain, commits)):
                if len(commits) == 1:
                    return (self._write_alone(commits[0]),)
                if self._write_plain(commits):
                    return [None] * len(commits)
            return self._write_group(commits)
        except BaseException as error:
            self._database.rollback()
            self._ledger.forget()
            if not isinstance(error, Exception):
                raise
            problem = error if isinstance(error, LgcError) else self._database.explained(error)
            return [_again(problem, commit) for commit in commits]

    def _grow(self, count: int) -> None:
        if self._until_growth > 0:
            self._until_growth -= count
            if self._until_growth <= 0:
                self._database.grow()

    def _plain(self, commit: Commit) -> bool:
        """Whether one INSERT is all there is to do: true for nearly every step."""
        if commit.record is None or commit[3:] != _NOTHING_MORE:
            return False
        head = self._ledger.find(commit.run)
        return (head is None or not head.open) and not self._ledger.values.concern(commit.record)

    def _write_alone(self, commit: Commit) -> LgcError | None:
        # A statement outside BEGIN … COMMIT is a transaction of its own.
        try:
            self._step(commit)
        except LgcError as error:
            self._ledger.drop(commit.run)
            return error
        except sqlite3.Error as error:
            self._database.rollback()
            self._ledger.forget()
            return self._database.explained(error).at(run=commit.run, step=_step_of(commit))
        return None

    def _write_plain(self, commits: Sequence[Commit]) -> bool:
        """Write a group of steps at once; False where one of them is bad, and nothing has been written."""
        connection = self._database.connection
        records = [(one.record, one.fence) for one in commits if one.record and one.record.run == one.run]
        try:
            connection.execute("BEGIN IMMEDIATE")
            if len(records) == len(commits) and self._ledger.append_fenced(records):
                connection.execute("COMMIT")
                return True
        except (LgcError, sqlite3.IntegrityError, UnicodeEncodeError, OverflowError):
            pass
        self._database.rollback()
        self._ledger.forget()
        return False

    def _write_group(self, commits: Sequence[Commit]) -> Sequence[LgcError | None]:
        execute = self._database.connection.execute
        outcomes: list[LgcError | None] = []
        execute("BEGIN IMMEDIATE")
        for commit in commits:
            plain = self._plain(commit)
            if not plain:
                execute("SAVEPOINT one")
            try:
                self._step(commit) if plain else self._all(commit)
            except LgcError as error:
                if not self._database.connection.in_transaction:
                    raise  # the disk is full, say: SQLite has undone everything
                if not plain:
                    execute("ROLLBACK TO one")
                self._ledger.forget()
                outcomes.append(error.at(run=commit.run, step=_step_of(commit)))
            else:
                outcomes.append(None)
            if not plain:
                execute("RELEASE one")
        execute("COMMIT")
        return outcomes

    def _step(self, commit: Commit) -> None:
        record = commit.record
        assert record is not None
        if record.run != commit.run:
            raise StorageError(f"the record of a commit for {commit.run} is one of {record.run}")
        self._ledger.append(record, commit.fence)

    def _all(self, commit: Commit) -> None:
        run, record, registry = commit.run, commit.record, self._registry
        head = self._ledger.head(run)
        self._ledger.demand(run, head.key, commit.fence)
        if record is not None:
            self._step(commit)
            head = self._ledger.head(run)
        now = time.time() if record is None else record.time
        if commit.status is not None:
            registry.set_status(head, run, commit.status, commit.error, now)
        if commit.decision:
            registry.settle_decision(run, head.key, commit.decision, -1 if record is None else record.step)
        for decision in commit.aside:
            registry.settle_decision(run, head.key, decision, -1)
        for checkpoint in commit.kept:
            self._save(commit, checkpoint, head)
        if commit.snapshot is not None:
            self._save(commit, commit.snapshot, head)
            self._checkpoints.fold(run)
        self._attempts(commit, head)
        if commit.override is not None:
            _same_run(run, commit.override.run, "move")
            registry.add_override(head.key, commit.override)
        if commit.lease is not None:
            registry.set_lease(head, run, commit.lease)

    def _save(self, commit: Commit, snapshot: CheckpointRecord, head: Head) -> None:
        _same_run(commit.run, snapshot.run, "checkpoint")
        if snapshot.step > head.step:
            raise StorageError(f"a checkpoint of step {snapshot.step}, but the last step is {head.step}")
        self._checkpoints.save(snapshot)

    def _attempts(self, commit: Commit, head: Head) -> None:
        record = commit.record
        settled = list(commit.settled)
        if record is not None and (record.frame, record.node, record.visit) in head.open:
            settled.append((record.frame, record.node, record.visit))
        for visit in settled:
            self._registry.settle_attempts(head.key, commit.run, visit)
        attempts = commit.attempts if commit.attempt is None else (commit.attempt, *commit.attempts)
        for attempt in attempts:
            _same_run(commit.run, attempt.run, "attempt")
            self._registry.add_attempt(head.key, attempt)
        if settled or attempts:
            self._ledger.drop(commit.run)


def _step_of(commit: Commit) -> int | None:
    return None if commit.record is None else commit.record.step


def _same_run(run: str, other: str, what: str) -> None:
    if run != other:
        raise StorageError(f"the {what} of a commit for {run} is one of {other}")


def _again(error: LgcError, commit: Commit) -> LgcError:
    # Each of the group gets an error of its own, as each adds its own place.
    return type(error)(error.message, run=commit.run, step=_step_of(commit), hint=error.hint)
