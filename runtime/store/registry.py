"""Graphs, runs, decisions, attempts and overrides in SQLite. What writes is called inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import CheckpointCorrupted, RunExists, StorageError
from .database import Database, Row
from .ledger import Ledger
from .protocols import (
    AttemptRecord,
    DecisionRecord,
    OverrideRecord,
    RunRecord,
    RunStatus,
)
from .refusals import fenced, unknown
from .seals import seal
from .value_table import ValueTable

_RUN = (
    "SELECT r.key, h.run, r.graph, r.hash, r.status, r.input, r.created, r.updated, r.owner, r.fence,"
    " r.error, r.launch, r.parent, r.lease, r.seal,"
    # The row of a run is not touched at each step; its last record knows when that was.
    " (SELECT l.time FROM log l WHERE l.run = r.key ORDER BY l.step DESC LIMIT 1)"
    " FROM run r JOIN history h ON h.key = r.key"
)


class Registry:
    """All that is kept about runs besides their log and checkpoints."""

    def __init__(self, database: Database, ledger: Ledger, values: ValueTable) -> None:
        self._database = database
        self._ledger = ledger
        self._values = values
        self.warnings: list[str] = []

    # --- graphs ---------------------------------------------------------------------------------------

    def has_graph(self, hash: str) -> bool:
        """Whether the canonical form of a hash is kept."""
        row = self._database.row("SELECT 1 FROM graph WHERE hash = ? AND canonical IS NOT NULL", (hash,))
        return row is not None

    def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form, the first one for each hash."""
        if self.has_graph(hash):
            return
        key = self._ledger.hash_key(hash)
        self._database.rows(
            "UPDATE graph SET name = ?, canonical = ?, seal = ? WHERE key = ?",
            (name, canonical, seal(key, hash, name, canonical), key),
        )

    def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash. Raises CheckpointCorrupted."""
        row = self._database.row("SELECT key, name, canonical, seal FROM graph WHERE hash = ?", (hash,))
        if row is None or row[2] is None:
            return None
        if row[3] != seal(row[0], hash, row[1], row[2]):
            raise CheckpointCorrupted(f"the canonical form of graph {hash[:20]} is not what was written")
        return str(row[2])

    # --- runs -----------------------------------------------------------------------------------------

    def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        key = self._ledger.history(run.run).key
        if self._database.row("SELECT 1 FROM run WHERE key = ?", (key,)) is not None:
            raise RunExists("a run of this id is already in the store", run=run.run)
        hash = self._ledger.hash_key(run.hash)
        input = self._values.encode(run.input, f"{run.run} input", key)
        launch = self._values.encode(run.launch, f"{run.run} launch", key) if run.launch else b""
        created = run.created + 0.0
        self._database.rows(
            "INSERT INTO run (key, graph, hash, status, input, created, updated, owner, fence, error, launch,"
            " parent, lease, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, run.graph, hash, str(run.status), input, created, run.updated + 0.0, run.owner,
                run.fence, run.error, launch, run.parent, run.lease + 0.0,
                seal(key, run.run, run.graph, hash, input, created, launch, run.parent),
            ),
        )  # fmt: skip

    def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound, CheckpointCorrupted."""
        with self._database.reading():
            row = self._database.row(f"{_RUN} WHERE h.run = ?", (run,))
            if row is None:
                raise unknown(run)
            self._values.fresh()
            return self._run(row)

    def list_runs(self, status: RunStatus | None, graph: str | None) -> Sequence[RunRecord]:
        """Runs, newest first. One that is damaged is noted in `warnings` and left out."""
        tests: list[str] = []
        values: list[str] = []
        if status is not None:
            tests.append("r.status = ?")
            values.append(str(status))
        if graph is not None:
            tests.append("r.graph = ?")
            values.append(graph)
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        found: list[RunRecord] = []
        self._values.fresh()
        with self._database.reading():
            for row in self._database.rows(f"{_RUN}{where} ORDER BY r.created DESC, r.key DESC", values):
                try:
                    found.append(self._run(row))
                except CheckpointCorrupted as error:
                    self.warnings.append(f"run {row[1]} is passed over: {error.message}")
        return found

    def _run(self, row: Row) -> RunRecord:
        (key, run, graph, hash, status, input, created, updated, owner, fence, error, launch, parent,
         lease, checksum, last) = row  # fmt: skip
        if checksum != seal(key, run, graph, hash, input, created, launch, parent):
            raise CheckpointCorrupted("the run is not what was written: its checksum is wrong", run=run)
        try:
            known = RunStatus(status)
        except ValueError:
            raise CheckpointCorrupted(f"the run has the unknown status {status!a}", run=run) from None
        decode = self._values.decode
        try:
            return RunRecord(
                run, graph, self._ledger.hash_text(hash), known, decode(input, f"{run} input"), created,
                updated if last is None else max(updated, last), owner, fence, error,
                decode(launch, f"{run} launch") if launch else "", parent, lease,
            )  # fmt: skip
        except CheckpointCorrupted as damage:
            raise damage.at(run=run) from damage.__cause__

    def take(self, run: str, owner: str, now: float, expect: RunRecord | None, lease: float) -> int:
        """Raise the token of a run; the new one. Raises RunNotFound, RunFenced."""
        self._ledger.drop(run)
        key = self._ledger.head(run).key
        row = self._database.row("SELECT fence, owner, lease FROM run WHERE key = ?", (key,))
        if row is None:
            raise unknown(run)
        if expect is not None and (row[0], row[2]) != (expect.fence, expect.lease):
            raise fenced(run, expect.fence, *row[:2])
        floor = self._database.row("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'fence'")
        token = max(int(row[0]), int(floor[0]) if floor else 0) + 1
        self._database.rows(
            "UPDATE run SET fence = ?, owner = ?, updated = ?, lease = ? WHERE key = ?",
            (token, owner, now, lease + 0.0, key),
        )
        return token

    def set_lease(self, key: int, lease: float) -> None:
        """Until when the owner of a run counts as being at work."""
        self._database.rows("UPDATE run SET lease = ? WHERE key = ?", (lease + 0.0, key))

    def set_status(self, key: int, status: RunStatus, error: str, now: float) -> None:
        """Where a run stands now."""
        self._database.rows(
            "UPDATE run SET status = ?, error = ?, updated = ? WHERE key = ?",
            (str(status), error, now + 0.0, key),
        )

    # --- decisions ------------------------------------------------------------------------------------

    def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        run = decision.run
        key = self._run_key(run)
        row = self._database.row(
            "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'decision'"
        )
        assert row is not None
        id = int(row[0])
        encode = self._values.encode
        columns = (
            id, key, decision.barrier, decision.node, decision.answer,
            encode(decision.arguments, f"{run} decision {id} arguments", key),
            encode(decision.mutations, f"{run} decision {id} mutations", key),
            decision.actor, decision.time + 0.0, decision.step,
        )  # fmt: skip
        self._database.rows(f"INSERT INTO decision VALUES ({_marks(11)})", (*columns, seal(*columns)))
        return id

    def settle_decision(self, run: str, key: int, id: int, step: int) -> None:
        """Note which step applied a decision. Raises StorageError where it does not wait."""
        row = self._database.row("SELECT * FROM decision WHERE key = ?", (id,))
        if row is None or row[1] != key:
            raise StorageError(f"the run has no decision {id}", run=run)
        self._decision(run, row)
        if row[9]:
            raise StorageError(f"decision {id} has already been applied", run=run, step=max(row[9], 0))
        columns = (*row[:9], step)
        self._database.rows(
            "UPDATE decision SET step = ?, seal = ? WHERE key = ?", (step, seal(*columns), id)
        )

    def decisions(self, run: str, waiting: bool) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first."""
        head = self._ledger.find(run)
        if head is None:
            return ()
        only = " AND step = 0" if waiting else ""
        self._values.fresh()
        with self._database.reading():
            rows = self._database.rows(
                f"SELECT * FROM decision WHERE run = ?{only} ORDER BY key", (head.key,)
            )
            return [self._decision(run, row) for row in rows]

    def _decision(self, run: str, row: Row) -> DecisionRecord:
        id, _, barrier, node, answer, arguments, mutations, actor, time, step, checksum = row
        if checksum != seal(*row[:10]):
            raise CheckpointCorrupted(f"decision {id} is not what was written", run=run)
        decode = self._values.decode
        try:
            return DecisionRecord(
                run, barrier, node, answer,
                decode(arguments, f"{run} decision {id} arguments"),
                decode(mutations, f"{run} decision {id} mutations"),
                actor, time, id, step,
            )  # fmt: skip
        except CheckpointCorrupted as damage:
            raise damage.at(run=run) from damage.__cause__

    # --- attempts and overrides -----------------------------------------------------------------------

    def add_attempt(self, key: int, attempt: AttemptRecord) -> None:
        """Note a call that is about to be made."""
        columns = (key, attempt.frame, attempt.node, attempt.visit, attempt.attempt, attempt.time + 0.0)
        self._database.rows(
            f"INSERT INTO attempt (run, frame, node, visit, attempt, time, seal) VALUES ({_marks(7)})",
            (*columns, seal(*columns)),
        )

    def settle_attempts(self, key: int, visit: tuple[str, str, int]) -> None:
        """Forget the attempts of a visit: it is known how it ended."""
        self._database.rows(
            "DELETE FROM attempt WHERE run = ? AND frame = ? AND node = ? AND visit = ?", (key, *visit)
        )

    def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Calls of which it is not known how they ended."""
        head = self._ledger.find(run)
        if head is None:
            return ()
        found: list[AttemptRecord] = []
        for row in self._database.rows(
            "SELECT run, frame, node, visit, attempt, time, seal FROM attempt WHERE run = ? ORDER BY key",
            (head.key,),
        ):
            if row[6] != seal(*row[:6]):
                raise CheckpointCorrupted("an attempt is not what was written", run=run)
            found.append(AttemptRecord(run, *row[1:6]))
        return found

    def add_override(self, key: int, override: OverrideRecord) -> None:
        """Note a forced restore; the run is under the other graph from now on."""
        columns = (
            key, override.step, override.actor, override.reason, override.expected, override.actual,
            override.time + 0.0,
        )  # fmt: skip
        self._database.rows(
            "INSERT INTO override (run, step, actor, reason, expected, actual, time, seal)"
            f" VALUES ({_marks(8)})",
            (*columns, seal(*columns)),
        )
        self.set_hash(key, override.run, override.actual)

    def set_hash(self, key: int, run: str, hash: str) -> None:
        """Put a run under another graph."""
        row = self._database.row(
            "SELECT graph, input, created, launch, parent FROM run WHERE key = ?", (key,)
        )
        if row is None:
            raise unknown(run)
        graph, input, created, launch, parent = row
        number = self._ledger.hash_key(hash)
        self._database.rows(
            "UPDATE run SET hash = ?, seal = ? WHERE key = ?",
            (number, seal(key, run, graph, number, input, created, launch, parent), key),
        )

    def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Forced restores of a run, oldest first."""
        head = self._ledger.find(run)
        if head is None:
            return ()
        found: list[OverrideRecord] = []
        for row in self._database.rows(
            "SELECT run, step, actor, reason, expected, actual, time, seal FROM override WHERE run = ?"
            " ORDER BY key",
            (head.key,),
        ):
            if row[7] != seal(*row[:7]):
                raise CheckpointCorrupted("a forced restore is not what was written", run=run)
            found.append(OverrideRecord(run, *row[1:7]))
        return found

    def _run_key(self, run: str) -> int:
        head = self._ledger.find(run)
        if head is None or self._database.row("SELECT 1 FROM run WHERE key = ?", (head.key,)) is None:
            raise unknown(run)
        return head.key


def _marks(count: int) -> str:
    return ", ".join("?" * count)
