"""The rows of runs in SQLite: each sealed as a whole, and with a tally of what else there must be of its run.

A damaged page can hide rows as if they had never been. So the row of a run says how far its log had got
when the row was last written (at each change of status, each takeover, each beat of a lease), and how many
answers, open attempts and moves belong to the run. What is counted must be found again.
"""

from __future__ import annotations

from typing import Any

from ...errors import CheckpointCorrupted
from ..refusals import unknown
from ..seals import seal
from .database import Database, Row

COLUMNS = (
    "graph", "hash", "status", "input", "created", "updated", "owner", "fence", "error", "launch", "parent",
    "lease", "steps", "decisions", "attempts", "overrides",
)  # fmt: skip
_SELECT = (
    f"SELECT r.key, h.run, {', '.join('r.' + name for name in COLUMNS)}, r.seal,"
    # The row of a run is not touched at each step; its last record knows when that was.
    " (SELECT l.time FROM log l WHERE l.run = r.key ORDER BY l.step DESC LIMIT 1)"
    " FROM run r LEFT JOIN history h ON h.key = r.key"
)
_INSERT = f"INSERT INTO run (key, {', '.join(COLUMNS)}, seal) VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"


class RunRows:
    """Reads and writes the table `run`. What writes is called inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, key: int, run: str, **columns: Any) -> None:
        """Add a row; what is not given is 0."""
        values = [columns.get(name, 0) for name in COLUMNS]
        self._database.rows(_INSERT, (key, *values, seal(key, run, *values)))

    def there(self, key: int) -> bool:
        """Whether there is a row."""
        return self._database.row("SELECT 1 FROM run WHERE key = ?", (key,)) is not None

    def get(self, key: int, run: str) -> tuple[dict[str, Any], float | None]:
        """The columns by name, and the time of the last step. Raises RunNotFound, CheckpointCorrupted."""
        row = self._database.row(f"{_SELECT} WHERE r.key = ?", (key,))
        if row is None:
            if self._database.row("SELECT 1 FROM run INDEXED BY run_status WHERE key = ?", (key,)):
                raise CheckpointCorrupted("the run is missing from its table", run=run)
            raise unknown(run)
        return self.checked(row, run)

    def all(self, where: str, values: list[str]) -> list[Row]:
        """Rows for `checked`, newest first."""
        return self._database.rows(f"{_SELECT}{where} ORDER BY r.created DESC, r.key DESC", values)

    def complete(self) -> bool:
        """Whether the table and its index have the same number of rows."""
        row = self._database.row(
            "SELECT (SELECT count(*) FROM run NOT INDEXED), (SELECT count(*) FROM run INDEXED BY run_status)"
        )
        return row is not None and row[0] == row[1]

    def checked(self, row: Row, run: str | None = None) -> tuple[dict[str, Any], float | None]:
        """The columns of a row, and the time of the last step. Raises CheckpointCorrupted."""
        key, name, *values, checksum, last = row
        if name is None or name != (name if run is None else run) or checksum != seal(key, name, *values):
            raise CheckpointCorrupted(
                "the run is not what was written: its checksum is wrong", run=run or name
            )
        return dict(zip(COLUMNS, values, strict=True)), last

    def change(self, key: int, run: str, **columns: Any) -> None:
        """Set columns. Raises RunNotFound, CheckpointCorrupted: what is damaged is not sealed anew."""
        values, _ = self.get(key, run)
        values.update(columns)
        names = ", ".join(f"{name} = ?" for name in columns)
        self._database.rows(
            f"UPDATE run SET {names}, seal = ? WHERE key = ?",
            (*columns.values(), seal(key, run, *values.values()), key),
        )

    def count(self, key: int, run: str, table: str, by: int) -> None:
        """Add to the tally of a table (`decisions`, `attempts`, `overrides`), where the run has a row."""
        row = self._database.row(f"SELECT {table} FROM run WHERE key = ?", (key,))
        if row is not None and by:
            self.change(key, run, **{table: row[0] + by})

    def demand(self, key: int, run: str, table: str, found: int) -> None:
        """Raise CheckpointCorrupted unless so many rows are what the tally of a table says."""
        row = self._database.row(f"SELECT {table} FROM run WHERE key = ?", (key,))
        if row is not None and row[0] != found:
            raise CheckpointCorrupted(
                f"{row[0]} {table} of the run were written, {found} can be found", run=run
            )
