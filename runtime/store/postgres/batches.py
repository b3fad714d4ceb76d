"""From commits that may share a transaction to its statements, and from the answers to who was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from psycopg import errors
from psycopg.pq.abc import PGresult

from ...errors import LgcError, StorageError
from ..records import Commit
from ..refusals import out_of_order, unknown
from . import problems
from .binary import int8
from .commits import same_run, write
from .heads import Head, Heads
from .lookup import Lookup
from .server import Server
from .steps import FENCED, MANY, Row, arrays, row
from .texts import Texts
from .wire import Outcome, Statement, Wire

Problem: TypeAlias = LgcError | None

# What may go well the next time, as nothing of it was kept: a large value that was stored has been deleted
# with its last run; two sessions that store the same values got in each other's way.
_AGAIN = (errors.ForeignKeyViolation, errors.DeadlockDetected, errors.SerializationFailure)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """A statement that writes some commits.

    Attributes:
        commits: which.
        ends: the end of each one's log after it.
        statement: what to execute.
        steps: whether it is one of those for steps only.
    """

    commits: Sequence[Commit]
    ends: Sequence[Head]
    statement: Statement
    steps: bool


class Writer:
    """Writes commits through a connection of its own."""

    def __init__(self, server: Server, heads: Heads, texts: Texts) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts
        self._lookup = Lookup(server, heads)
        self._wire: Wire | None = None
        self._fenced = server.sql(FENCED)
        self._many = server.sql(MANY)

    async def open(self, *, patient: bool = False) -> Wire:
        """The connection, made (again) where it is not there. Raises StorageError."""
        if self._wire is None or not self._wire.alive():
            self._heads.ends.clear()  # nobody knows what became of the last commits
            self._wire = None
            # The server gives up waiting for a lock before this side gives up waiting for the server.
            patience = self._server.timeout * 2
            self._wire = Wire(await self._server.connect(patient=patient), patience)
        return self._wire

    async def close(self) -> None:
        """Close the connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def lost(self, commit: Commit) -> LgcError:
        """The error for a commit of which nobody knows how it ended."""
        return placed(problems.lost(self._server.where), commit)

    # --- steps only, without a question ---------------------------------------------------------------

    def simple(self, commits: Sequence[Commit]) -> Batch | None:
        """The statement for steps and nothing but steps of runs whose ends are remembered, or None."""
        wire = self._wire
        batch = self._steps(commits) if wire is not None and not wire.dead else None
        if wire is None or batch is None or not wire.knows(batch.statement.sql) or not wire.alive():
            return None
        return batch

    def send(self, batch: Batch, then: Callable[[Outcome], None]) -> None:
        """Send it; `then` gets the answer."""
        assert self._wire is not None
        self._wire.send(batch.statement, then)

    def whole(self, batch: Batch, answer: PGresult) -> bool:
        """Whether the answer says that all of it is durable; then the ends of the logs move."""
        if _count(batch, answer) != len(batch.commits):
            return False
        for commit, head in zip(batch.commits, batch.ends, strict=True):
            self._heads.remember(commit.run, head)
        return True

    def _steps(self, commits: Sequence[Commit]) -> Batch | None:
        ends: dict[str, Head] = {}
        fences: dict[str, int] = {}
        rows: list[Row] = []
        for commit in commits:
            record, run = commit.record, commit.run
            if record is None or not steps_only(commit):
                return None
            head = ends.get(run) or self._heads.ends.get(run)
            hash = self._heads.hashes.get(record.hash)
            if head is None or hash is None or head.open or record.step != head.step + 1 or record.run != run:
                return None
            if fences.setdefault(run, commit.fence) != commit.fence:
                return None
            try:
                made = row(self._texts, record, head, hash)
            except LgcError:
                return None
            if made.values:
                return None
            ends[run] = made.head
            rows.append(made)
        return self._batch(commits, rows)

    def _batch(self, commits: Sequence[Commit], rows: Sequence[Row]) -> Batch:
        if len(rows) == 1:
            statement = Statement(self._fenced, (*rows[0].columns, int8(commits[0].fence)))
        else:
            whole = [(*one.columns, int8(commit.fence)) for one, commit in zip(rows, commits, strict=True)]
            statement = Statement(self._many, arrays(whole))
        return Batch(commits, [one.head for one in rows], statement, True)

    # --- everything -----------------------------------------------------------------------------------

    async def write(self, commits: Sequence[Commit], *, tries: int = _TRIES) -> list[Problem]:
        """Write commits as one transaction; for each why it was refused, None where it is durable."""
        outcomes: dict[int, Problem] = {}
        try:
            wire = await self.open(patient=True)
            await self._lookup.ends(commits)
            batches, later = await self._batches(commits, outcomes)
        except Exception as error:
            return [self._explained(error, commit) for commit in commits]
        statements = [batch.statement for _, batch in batches]
        answers: list[PGresult] | psycopg.Error = []
        try:
            if len(statements) == 1:
                answers = [await wire.execute(statements[0])]
            elif statements:
                answers = await wire.execute_together(statements)
        except psycopg.Error as error:
            answers = error
        alone = len(statements) == 1
        for number, (places, batch) in enumerate(batches):
            outcome = answers if isinstance(answers, psycopg.Error) else [answers[number]]
            found = await self.unravelled(batch, outcome, alone=alone, tries=tries)
            outcomes.update(zip(places, found, strict=True))
        for at in later:
            (outcomes[at],) = await self.write((commits[at],))
        return [outcomes[at] for at in range(len(commits))]

    async def _batches(
        self, commits: Sequence[Commit], refused: dict[int, Problem]
    ) -> tuple[list[tuple[list[int], Batch]], list[int]]:
        """Statements for commits, by their places: one for all steps, one for each commit with more.

        Several commits of a run that are not all simple steps cannot share a transaction: they come later.
        """
        runs: dict[str, list[int]] = {}
        for at, commit in enumerate(commits):
            runs.setdefault(commit.run, []).append(at)
        batches: list[tuple[list[int], Batch]] = []
        steps: list[int] = []
        later: list[int] = []
        for run, places in runs.items():
            try:
                hashes = [await self._lookup.hashes(commits[at]) for at in places]
                if self._steps([commits[at] for at in places]) is not None:
                    steps += places
                elif len(places) == 1:
                    batches.append((places, await self._one(commits[places[0]], hashes[0])))
                else:
                    later += places
            except Exception as error:
                refused.update({at: self._explained(error, commits[at]) for at in places})
                self._heads.drop(run)
        together = self._steps([commits[at] for at in steps]) if steps else None
        if together is not None:
            batches.insert(0, (steps, together))
        else:
            later += steps
        return batches, later

    async def _one(self, commit: Commit, hashes: dict[str, int]) -> Batch:
        """The statement of a commit with more than a step. Raises LgcError."""
        run, record = commit.run, commit.record
        head = self._heads.ends.get(run)
        if head is None:
            raise unknown(run)
        made: Row | None = None
        if record is not None:
            same_run(run, record.run, "record")
            if record.step != head.step + 1:
                await self._heads.demand(run, commit.fence)
                raise out_of_order(record, head.step)
            made = row(self._texts, record, head, hashes[record.hash])
        if commit.decision or commit.aside:
            await self._heads.demand(run, commit.fence)
        written = await write(self._texts, commit, head, made, await self._lookup.extra(commit, hashes))
        sql, values = written.statement
        return Batch((commit,), (written.head,), Statement(self._server.sql(sql), values), False)

    async def unravelled(
        self, batch: Batch, outcome: Outcome, *, alone: bool = False, tries: int = _TRIES
    ) -> list[Problem]:
        """Which commits of a batch were refused, and why; those that only suffered with others are written.

        `alone`: it was the only one of its transaction.
        """
        commits = batch.commits
        if not isinstance(outcome, psycopg.Error) and self.whole(batch, outcome[0]):
            if not batch.steps and outcome[0].get_value(0, 1) == b"\1":
                await self._release(batch.ends[0].key)
            return [None] * len(commits)
        for commit in commits:
            self._heads.drop(commit.run)
        if isinstance(outcome, psycopg.Error):
            if self._wire is None or self._wire.dead:
                return [self.lost(commit) for commit in commits]
            if alone and len(commits) == 1:
                return [await self._why(commits[0], outcome, tries)]
            return [(await self.write((commit,)))[0] for commit in commits]
        kept = set[tuple[int, int]]()
        if batch.steps and len(commits) > 1:
            for at in range(outcome[0].ntuples):
                run, step = outcome[0].get_value(at, 0) or b"", outcome[0].get_value(at, 1) or b""
                kept.add((int.from_bytes(run), int.from_bytes(step)))
        found: list[Problem] = []
        for commit, head in zip(commits, batch.ends, strict=True):
            found.append(None if (head.key, head.step) in kept else await self._refusal(commit))
        return found

    async def _release(self, run: int) -> None:
        # The commit is durable, whatever becomes of this: what stays is released the next time.
        with suppress(LgcError):
            await self._server.write(lambda work: self._texts.release(work, run))

    async def _refusal(self, commit: Commit) -> Problem:
        found = await self._lookup.refusal(commit)
        if found is None:
            what = "the step was" if commit.record is not None else "the commit was"
            found = StorageError(
                f"{what} not written: another session has changed the run meanwhile",
                hint="restore the run from the store and go on from there",
            )
        return placed(found, commit)

    async def _why(self, commit: Commit, error: psycopg.Error, tries: int) -> Problem:
        """Why the server refused a commit that was alone in its transaction."""
        if isinstance(error, errors.UniqueViolation):
            found = await self._lookup.refusal(commit)
            if found is not None:
                return placed(found, commit)
        if isinstance(error, _AGAIN) and tries:
            self._texts.forget()
            return (await self.write((commit,), tries=tries - 1))[0]
        return self._explained(error, commit)

    def _explained(self, error: BaseException, commit: Commit) -> LgcError:
        return placed(problems.explained(error, self._server.where, self._server.timeout), commit)


_NOTHING_ELSE = Commit("", 0)[3:]


def steps_only(commit: Commit) -> bool:
    """Whether a commit is a step and nothing else: true for nearly every one."""
    return commit.record is not None and commit[3:] == _NOTHING_ELSE


def placed(error: LgcError, commit: Commit) -> LgcError:
    """An error of its own for each commit, as each adds its own place."""
    if error.run is not None and error.run != commit.run:
        error = type(error)(error.message, hint=error.hint)
    return error.at(run=commit.run, step=None if commit.record is None else commit.record.step)


def _count(batch: Batch, answer: PGresult) -> int:
    """How many commits an answer confirms."""
    if batch.steps and len(batch.commits) == 1:
        return answer.command_tuples or 0
    return answer.ntuples
