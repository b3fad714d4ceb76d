"""Looking after a store in SQLite: deleting runs, counting what there is, giving space back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..records import RunRecord, RunSize, RunStatus, StoreStats
from ..refusals import changed
from .database import Database
from .ledger import Ledger

# Tables with a row or more for each run, by the run's key.
_OF_A_RUN = ("log", "checkpoint", "decision", "attempt", "override", "value_use")
_BIGGEST = 10

# What a row takes besides its texts: numbers, checksum, and its places in the indices; about.
_LOG_BYTES = "length(mutations) + length(detail) + length(frame) + length(node) + length(error) + 80"


class Upkeep:
    """Works on an open file."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def delete_run(self, run: str, expect: RunRecord | None) -> bool:
        """Delete a run with all that belongs to it (inside a transaction). Raises RunFenced."""
        rows = self._database.rows
        self._ledger.drop(run)
        head = self._ledger.find(run)
        if head is None:
            return False
        self._ledger.drop(run)
        row = self._database.row("SELECT fence, status, owner FROM run WHERE key = ?", (head.key,))
        if expect is not None and (row is None or tuple(row[:2]) != (expect.fence, str(expect.status))):
            raise changed(run)
        values = rows("SELECT value FROM value_use WHERE run = ?", (head.key,))
        for table in _OF_A_RUN:
            rows(f"DELETE FROM {table} WHERE run = ?", (head.key,))
        rows("DELETE FROM run WHERE key = ?", (head.key,))
        rows("DELETE FROM history WHERE key = ?", (head.key,))
        for value in values:
            rows(
                "DELETE FROM value WHERE key = ?"
                " AND NOT EXISTS (SELECT 1 FROM value_use u WHERE u.value = value.key)",
                value,
            )
        self._remember("run", head.key)
        if row is not None:
            self._remember("fence", int(row[0]))
        return True

    def _remember(self, name: str, number: int) -> None:
        self._database.rows(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET"
            " value = CAST(max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER)) AS TEXT)",
            (name, str(number)),
        )

    def stats(self) -> StoreStats:
        """How much there is."""
        known = {str(status): status for status in RunStatus}
        runs: dict[str, int] = dict(self._database.rows("SELECT status, count(*) FROM run GROUP BY status"))
        size, pages, free = (
            self._number(f"PRAGMA {what}") for what in ("page_size", "page_count", "freelist_count")
        )
        bytes = {
            "log": self._number(f"SELECT sum({_LOG_BYTES}) FROM log"),
            "snapshots": self._number("SELECT sum(length(snapshot)) FROM checkpoint"),
            "values": self._number("SELECT sum(length(data)) FROM value"),
            "graphs": self._number("SELECT sum(length(CAST(canonical AS BLOB))) FROM graph"),
            "other": self._number("SELECT sum(length(input) + length(launch) + length(error)) FROM run")
            + self._number("SELECT sum(length(arguments) + length(mutations)) FROM decision"),
            "total": size * pages + self._log_file(),
        }
        return StoreStats(
            {known[status]: count for status, count in runs.items() if status in known},
            self._number("SELECT count(*) FROM log"),
            self._checkpoints(),
            self._number("SELECT count(*) FROM checkpoint WHERE snapshot <> x''"),
            self._number("SELECT count(*) FROM decision"),
            self._number("SELECT count(*) FROM graph WHERE canonical IS NOT NULL"),
            self._number("SELECT count(*) FROM value"),
            bytes,
            size * free,
            self._biggest(),
        )

    def _checkpoints(self) -> int:
        # One with a snapshot of its own mostly has a flag in the log, too.
        alone = self._number(
            "SELECT count(*) FROM checkpoint c WHERE c.listed <> 0 AND NOT EXISTS (SELECT 1 FROM log l"
            " JOIN history h ON h.key = l.run WHERE l.run = c.run AND l.step = c.step"
            " AND l.checkpoint = 1 AND c.id = h.run || '@' || c.step)"
        )
        return alone + self._number("SELECT count(*) FROM log WHERE checkpoint = 1")

    def _biggest(self) -> list[RunSize]:
        rows = self._database.rows(
            "SELECT h.run, sum(t.steps), sum(t.bytes) FROM ("
            f"SELECT run, count(*) AS steps, sum({_LOG_BYTES}) AS bytes FROM log GROUP BY run"
            " UNION ALL SELECT run, 0, sum(length(snapshot)) FROM checkpoint GROUP BY run"
            ") t JOIN history h ON h.key = t.run GROUP BY t.run ORDER BY 3 DESC, 1 LIMIT ?",
            (_BIGGEST,),
        )
        return [RunSize(*row) for row in rows]

    def _number(self, sql: str) -> int:
        row = self._database.row(sql)
        return int(row[0] or 0) if row is not None else 0

    def _log_file(self) -> int:
        with suppress(OSError):
            return Path(f"{self._database.path}-wal").stat().st_size
        return 0

    def shrink(self) -> None:
        """Rewrite the file without its free pages, and empty the write-ahead log."""
        self._database.rows("VACUUM")
        self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
