"""Graphs, runs, decisions, attempts and overrides in SQLite. What writes is called inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from ...errors import CheckpointCorrupted, RunExists, StorageError
from ..records import AttemptRecord, DecisionRecord, OverrideRecord, RunRecord, RunStatus
from ..refusals import fenced, unknown
from ..seals import override_seal, seal
from .database import Database, Row
from .ledger import Head, Ledger
from .run_rows import RunRows
from .value_table import ValueTable


class Registry:
    """All that is kept about runs besides their log and checkpoints."""

    def __init__(self, database: Database, ledger: Ledger, values: ValueTable) -> None:
        self._database = database
        self._ledger = ledger
        self._values = values
        self._rows = RunRows(database)
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
        if row is None and self._database.row("SELECT 1 FROM graph NOT INDEXED WHERE hash = ?", (hash,)):
            raise CheckpointCorrupted(f"graph {hash[:20]} is missing from an index of the store")
        if row is None or row[2] is None:
            return None
        if row[3] != seal(row[0], hash, row[1], row[2]):
            raise CheckpointCorrupted(f"the canonical form of graph {hash[:20]} is not what was written")
        return str(row[2])

    # --- runs -----------------------------------------------------------------------------------------

    def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        key = self._ledger.history(run.run).key
        if self._rows.there(key):
            raise RunExists("a run of this id is already in the store", run=run.run)
        self._rows.insert(
            key, run.run, graph=run.graph, hash=self._ledger.hash_key(run.hash), status=str(run.status),
            input=self._values.encode(run.input, f"{run.run} input", key),
            created=run.created + 0.0, updated=run.updated + 0.0, owner=run.owner, fence=run.fence,
            error=run.error, parent=run.parent, lease=run.lease + 0.0,
            launch=self._values.encode(run.launch, f"{run.run} launch", key) if run.launch else b"",
        )  # fmt: skip

    def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound, CheckpointCorrupted."""
        with self._database.reading():
            key = self._ledger.head(run).key
            self._values.fresh()
            return self._run(run, *self._rows.get(key, run))

    def list_runs(self, status: RunStatus | None, graph: str | None) -> Sequence[RunRecord]:
        """Runs, newest first. One that is damaged is noted in `warnings` and left out."""
        tests: list[str] = []
        values: list[str] = []
        if status is not None:
            # Not by the index, which could hide some (the plus sees to that); what is damaged comes along.
            tests.append(f"(+r.status = ? OR r.status NOT IN ({_marks(len(RunStatus))}))")
            values += (str(status), *map(str, RunStatus))
        if graph is not None:
            tests.append("(r.graph = ? OR NOT EXISTS (SELECT 1 FROM graph g WHERE g.name = r.graph))")
            values.append(graph)
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        found: list[RunRecord] = []
        self._values.fresh()
        with self._database.reading():
            if not self._rows.complete():
                self.warnings.append(f"{self._database.path} is damaged: runs may be missing from the list")
            for row in self._rows.all(where, values):
                try:
                    columns, last = self._rows.checked(row)
                    if graph in (None, columns["graph"]):
                        found.append(self._run(row[1], columns, last))
                except CheckpointCorrupted as error:
                    name = row[1] if row[1] is not None else f"number {row[0]}"
                    self.warnings.append(f"run {name} is passed over: {error.message}")
        return found

    def _run(self, run: str, columns: dict[str, Any], last: float | None) -> RunRecord:
        row = SimpleNamespace(**columns)
        try:
            status = RunStatus(row.status)
        except ValueError:
            raise CheckpointCorrupted(f"the run has the unknown status {row.status!a}", run=run) from None
        decode = self._values.decode
        try:
            return RunRecord(
                run, row.graph, self._ledger.hash_text(row.hash), status, decode(row.input, f"{run} input"),
                row.created, max(row.updated, last) if isinstance(last, float) else row.updated, row.owner,
                row.fence, row.error, decode(row.launch, f"{run} launch") if row.launch else "", row.parent,
                row.lease,
            )  # fmt: skip
        except CheckpointCorrupted as damage:
            raise damage.at(run=run) from damage.__cause__

    def take(self, run: str, owner: str, now: float, expect: RunRecord | None, lease: float) -> int:
        """Raise the token of a run; the new one. Raises RunNotFound, RunFenced, CheckpointCorrupted."""
        self._ledger.drop(run)
        head = self._ledger.sound(run)
        if head is None:
            raise unknown(run)
        row, _ = self._rows.get(head.key, run)
        if expect is not None and (row["fence"], row["lease"]) != (expect.fence, expect.lease):
            raise fenced(run, expect.fence, row["fence"], row["owner"])
        floor = self._database.row("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'fence'")
        token = max(int(row["fence"]), int(floor[0]) if floor else 0) + 1
        self._rows.change(
            head.key, run, fence=token, owner=owner, updated=now + 0.0, lease=lease + 0.0, steps=head.step
        )
        return token

    def set_lease(self, head: Head, run: str, lease: float) -> None:
        """Until when the owner of a run counts as being at work."""
        self._rows.change(head.key, run, lease=lease + 0.0, steps=head.step)

    def set_status(self, head: Head, run: str, status: RunStatus, error: str, now: float) -> None:
        """Where a run stands now."""
        self._rows.change(head.key, run, status=str(status), error=error, updated=now + 0.0, steps=head.step)

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
        self._rows.count(key, run, "decisions", 1)
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
        head = self._ledger.sound(run)
        if head is None:
            return ()
        self._values.fresh()
        with self._database.reading():
            rows = self._database.rows("SELECT * FROM decision WHERE run = ? ORDER BY key", (head.key,))
            # A damaged index can name one row twice, or that of another run.
            found = len({row[0] for row in rows if row[1] == head.key})
            self._rows.demand(head.key, run, "decisions", max(found, len(rows)))
            self._rows.demand(head.key, run, "decisions", found)
            return [self._decision(run, row) for row in rows if not (waiting and row[9])]

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
        self._rows.count(key, attempt.run, "attempts", 1)

    def settle_attempts(self, key: int, run: str, visit: tuple[str, str, int]) -> None:
        """Forget the attempts of a visit: it is known how it ended."""
        gone = self._database.connection.execute(
            "DELETE FROM attempt WHERE run = ? AND frame = ? AND node = ? AND visit = ?", (key, *visit)
        ).rowcount
        self._rows.count(key, run, "attempts", -gone)

    def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Calls of which it is not known how they ended."""
        columns = "run, frame, node, visit, attempt, time, seal"
        return [AttemptRecord(run, *row[1:6]) for row in self._counted(run, "attempt", columns, "an attempt")]

    def _counted(
        self, run: str, table: str, columns: str, what: str, sealed: Callable[..., bytes] = seal
    ) -> Sequence[Row]:
        """The rows of a run, each sealed at its end and all of them counted."""
        head = self._ledger.sound(run)
        if head is None:
            return ()
        with self._database.reading():
            rows = self._database.rows(
                f"SELECT key, {columns} FROM {table} WHERE run = ? ORDER BY key", (head.key,)
            )
            found = len({row[0] for row in rows if row[1] == head.key})
            self._rows.demand(head.key, run, f"{table}s", max(found, len(rows)))
            self._rows.demand(head.key, run, f"{table}s", found)
        for row in rows:
            if row[-1] != sealed(*row[1:-1]):
                raise CheckpointCorrupted(f"{what} is not what was written", run=run)
        return [row[1:] for row in rows]

    def add_override(self, key: int, override: OverrideRecord) -> None:
        """Note a move; the run is under the other graph from now on."""
        columns = (
            key, override.step, override.actor, override.reason, override.expected, override.actual,
            override.time + 0.0,
        )  # fmt: skip
        self._database.rows(
            "INSERT INTO override (run, step, actor, reason, expected, actual, time, mode, seal)"
            f" VALUES ({_marks(9)})",
            (*columns, override.mode, override_seal(*columns, override.mode)),
        )
        self._rows.count(key, override.run, "overrides", 1)
        self._rows.change(key, override.run, hash=self._ledger.hash_key(override.actual))

    def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run, oldest first."""
        columns = "run, step, actor, reason, expected, actual, time, mode, seal"
        rows = self._counted(run, "override", columns, "a move", override_seal)
        return [OverrideRecord(run, *row[1:8]) for row in rows]

    def _run_key(self, run: str) -> int:
        head = self._ledger.sound(run)
        if head is None or not self._rows.there(head.key):
            raise unknown(run)
        return head.key


def _marks(count: int) -> str:
    return ", ".join("?" * count)
