"""The log of committed steps in SQLite: fenced, chained, without gaps.

The ledger remembers the last step of each run that it writes to, so that a step needs one INSERT and no
question. What it remembers moves only after COMMIT has returned, and is thrown away after any error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

from ...errors import CheckpointCorrupted, LgcError, SerializationError, StorageError
from ..codec import Codec, unencodable
from ..records import MutationRecord
from ..refusals import fenced, out_of_order, unknown
from ..seals import first_sum, log_sum, seal
from ..values import SHORT
from .database import Database
from .value_table import ValueTable

_COLUMNS = (
    "run, step, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt, cost, error,"
    " checkpoint, hash, detail, sum"
)
_MARKS = ", ".join("?" * 18)
_APPEND = f"INSERT INTO log ({_COLUMNS}) VALUES ({_MARKS})"
_APPEND_FENCED = (
    f"INSERT INTO log ({_COLUMNS}) SELECT {_MARKS}"
    " WHERE EXISTS (SELECT 1 FROM run WHERE key = ? AND fence = ?)"
)

# What of the first steps of a run refers to large values.
_LARGE = (
    "SELECT mutations, detail FROM log WHERE run = ? AND step <= ?"
    " AND (substr(mutations, 1, 1) = x'00' OR substr(detail, 1, 1) = x'00')"
)

# The key of a run that was deleted is not given out again (see schema).
_NEXT_KEY = (
    "SELECT 1 + max((SELECT coalesce(max(key), 0) FROM history),"
    " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'run'), 0))"
)

# So many rows behind the last step of a run are looked through for more of its steps: about 20 ms.
TAIL = 100_000
# Where no step of a run is known, so many of the newest rows of all runs are.
NEWEST = 1_000

Visit: TypeAlias = tuple[str, str, int]  # frame, node, visit


class Head:
    """Where the log of a run ends. `base` is the last step that was truncated, `damage` what is wrong with
    it, "" for nothing."""

    __slots__ = ("base", "base_sum", "damage", "key", "open", "step", "sum")

    def __init__(
        self,
        key: int,
        base: int,
        base_sum: bytes,
        step: int,
        sum: bytes,
        open: frozenset[Visit],
        damage: str = "",
    ) -> None:
        self.key = key
        self.base = base
        self.base_sum = base_sum
        self.step = step
        self.sum = sum
        self.open = open  # visits with an attempt that is not settled
        self.damage = damage


class Ledger:
    """Writes and numbers log records."""

    def __init__(self, database: Database, codec: Codec, values: ValueTable) -> None:
        self.database = database
        self.codec = codec
        self.values = values
        self._heads: dict[str, Head] = {}
        self._hashes: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def forget(self) -> None:
        """Remember nothing: what was remembered may not be what is stored."""
        self._heads.clear()
        self._hashes.clear()
        self._names.clear()

    def drop(self, run: str) -> None:
        """Forget the end of one run's log."""
        self._heads.pop(run, None)

    # --- numbers of runs and graphs -------------------------------------------------------------------

    def find(self, run: str) -> Head | None:
        """The end of a run's log, None where the store has never heard of the run."""
        head = self._heads.get(run)
        if head is None:
            head = self._read_head(run)
            if head is not None:
                self._heads[run] = head
        return head

    def head(self, run: str) -> Head:
        """The same. Raises RunNotFound, CheckpointCorrupted where only an index does not know of the run."""
        head = self.find(run)
        if head is None:
            self._demand_unknown(run)
            raise unknown(run)
        return head

    def _demand_unknown(self, run: str) -> None:
        if self.database.row("SELECT 1 FROM history NOT INDEXED WHERE run = ?", (run,)) is not None:
            raise CheckpointCorrupted("the run is missing from an index of the store", run=run)

    def sound(self, run: str) -> Head | None:
        """The end of a run's log, None where the store has never heard of the run.

        Raises CheckpointCorrupted where it is known that steps are hidden.
        """
        head = self.find(run)
        if head is None:
            self._demand_unknown(run)
        elif head.damage:
            raise CheckpointCorrupted(head.damage, run=run, step=head.step + 1)
        return head

    def history(self, run: str) -> Head:
        """The same, adding the run where it is new (inside a transaction)."""
        if self.find(run) is None:
            row = self.database.row(_NEXT_KEY)
            assert row is not None
            columns = (row[0], run, 0, first_sum(run))
            self.database.rows(
                "INSERT INTO history (key, run, base, base_sum, seal) VALUES (?, ?, ?, ?, ?)",
                (*columns, seal("history", *columns)),
            )
        return self.head(run)

    def _read_head(self, run: str) -> Head | None:
        with self.database.reading():
            return self._head_of(run)

    def _head_of(self, run: str) -> Head | None:
        rows = self.database.rows
        found = self.database.row("SELECT key, base, base_sum, seal FROM history WHERE run = ?", (run,))
        if found is None:
            return None
        key, base, base_sum, checksum = found
        last = self.database.row("SELECT step, sum FROM log WHERE run = ? ORDER BY step DESC LIMIT 1", (key,))
        step, sum = last if last else (base, base_sum)
        attempts = rows("SELECT frame, node, visit FROM attempt WHERE run = ?", (key,))
        damage = ""
        if checksum != seal("history", key, run, base, base_sum):
            damage = "where the log begins is not what was written"
        elif not isinstance(step, int):
            damage = "where the log ends is not what was written"
        elif step < (least := self._least(key, step)):
            damage = f"the log ends with step {step}, but step {least} was committed"
        return Head(key, base, base_sum, step, sum, frozenset((f, n, v) for f, n, v in attempts), damage)

    def _least(self, key: int, step: int) -> int:
        """How far the log must reach: what the run's row says of it, and what the table has (not its index)
        behind the last step that the index knows."""
        row = self.database.row("SELECT steps, status FROM run WHERE key = ?", (key,))
        if row is None or not isinstance(row[0], int):
            return 0  # whoever reads the row itself will notice
        if row[1] != "running":
            return row[0]
        after = self.database.row("SELECT key FROM log WHERE run = ? AND step = ?", (key, step))
        bounds: tuple[int, ...]
        if after is None:  # nothing says where its rows would begin: among the newest, or long ago
            rows, bounds = "SELECT run, step FROM log NOT INDEXED ORDER BY key DESC LIMIT ?", (NEWEST,)
        else:
            rows, bounds = "SELECT run, step FROM log NOT INDEXED WHERE key > ? LIMIT ?", (after[0], TAIL)
        newer = self.database.row(f"SELECT max(step) FROM ({rows}) WHERE run = ?", (*bounds, key))
        return max(row[0], newer[0] if newer and newer[0] else 0)

    def hash_key(self, hash: str) -> int:
        """The number of a graph hash, given out where it is new (inside a transaction)."""
        key = self._hashes.get(hash)
        if key is None:
            found = self.database.row("SELECT key FROM graph WHERE hash = ?", (hash,))
            if found is None:
                found = self.database.row("SELECT coalesce(max(key), 0) + 1 FROM graph")
                assert found is not None
                self.database.rows(
                    "INSERT INTO graph (key, hash, name, canonical, seal) VALUES (?, ?, '', NULL, ?)",
                    (found[0], hash, seal(found[0], hash, "", None)),
                )
            key = self._hashes[hash] = int(found[0])
        return key

    def hash_text(self, key: int) -> str:
        """The graph hash of a number. Raises CheckpointCorrupted."""
        text = self._names.get(key)
        if text is None:
            row = self.database.row("SELECT hash, name, canonical, seal FROM graph WHERE key = ?", (key,))
            if row is None or row[3] != seal(key, *row[:3]):
                raise CheckpointCorrupted(f"the stored graph number {key} is not what was written")
            text = self._names[key] = str(row[0])
        return text

    # --- writing --------------------------------------------------------------------------------------

    def append(self, record: MutationRecord, fence: int | None = None) -> None:
        """Add the next step of a run.

        Inside a transaction, or alone as its own. The head moves at once: whoever calls must `forget` when
        the transaction fails. Without `fence` no token is asked for.
        """
        run, step = record.run, record.step
        head = self.history(run) if fence is None else self.head(run)
        if head.damage:
            self.sound(run)
        if step != head.step + 1:
            self.drop(run)
            head = self.head(run)
            if fence is not None:
                self.demand(run, head.key, fence)
            if step != head.step + 1:
                raise out_of_order(record, head.step)
        row = self._row(record, head)
        try:
            if fence is None:
                self.database.connection.execute(_APPEND, row)
            elif not self.database.connection.execute(_APPEND_FENCED, (*row, head.key, fence)).rowcount:
                self.demand(run, head.key, fence)
                raise StorageError("the step was not written", run=run, step=step)
        except sqlite3.IntegrityError as error:
            self.drop(run)
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise out_of_order(record, self.head(run).step) from None
            raise SerializationError(
                f"a value of the record cannot be stored: {error}", run=run, node=record.node, step=step
            ) from None
        except UnicodeEncodeError as error:
            raise unencodable(error, f"{run}@{step}") from None
        except OverflowError:
            raise SerializationError(
                "a number of the record does not fit into 64 bits", run=run, node=record.node, step=step
            ) from None
        head.step = step
        head.sum = row[-1]

    def append_fenced(self, records: Sequence[tuple[MutationRecord, int]]) -> bool:
        """Add the next steps of many runs under their tokens (inside a transaction).

        Quick, as nearly always all are good. Otherwise False, or an error without a place: whoever calls
        must then roll back, `forget`, and `append` one by one to find out which are not.
        """
        rows: list[tuple[object, ...]] = []
        for record, fence in records:
            head = self.head(record.run)
            if record.step != head.step + 1 or head.damage:
                return False
            row = self._row(record, head)
            head.step, head.sum = record.step, row[-1]
            rows.append((*row, head.key, fence))
        return self.database.connection.executemany(_APPEND_FENCED, rows).rowcount == len(rows)

    def _row(self, record: MutationRecord, head: Head) -> tuple[Any, ...]:
        run, step = record.run, record.step
        encode, place = self.codec.encode, f"{run}@{step}"
        if not 0 < step < 1 << 62:
            raise StorageError(f"a step is a number from 1 to {(1 << 62) - 1}", run=run, step=step)
        flag = 0
        if record.checkpoint:
            if record.checkpoint != place:
                raise StorageError(
                    f"the checkpoint of this step is called {place}, not {record.checkpoint}", run=run
                )
            flag = 1
        try:
            # Adding 0.0 turns -0.0, which SQLite does not keep, into 0.0.
            columns = (
                record.frame, record.node, record.visit, record.outcome, record.next, record.edge,
                encode(record.mutations, f"{place} mutations")
                if len(record.mutations) <= SHORT
                else self.values.encode(record.mutations, f"{place} mutations", head.key),
                record.time + 0.0, record.duration + 0.0, record.attempt, record.cost + 0.0, record.error,
                flag, self._hashes.get(record.hash) or self.hash_key(record.hash),
                self.values.encode(record.detail, f"{place} detail", head.key) if record.detail else b"",
            )  # fmt: skip
            sum = log_sum(head.sum, step, *columns)
        except LgcError as error:
            raise error.at(run=run, node=record.node, step=step) from error.__cause__
        except UnicodeEncodeError as error:
            raise unencodable(error, f"{run}@{step}") from None
        except Exception as error:
            raise SerializationError(
                f"the record cannot be stored: {error}", run=run, node=record.node, step=step
            ) from error
        return (head.key, step, *columns, sum)

    def demand(self, run: str, key: int, fence: int) -> None:
        """Raise RunFenced or RunNotFound unless the run's token is `fence`."""
        row = self.database.row("SELECT fence, owner FROM run WHERE key = ?", (key,))
        if row is None:
            raise unknown(run)
        if row[0] != fence:
            raise fenced(run, fence, row[0], row[1])

    def truncate(self, run: str, keep_from_step: int) -> int:
        """Delete the steps before; how many went (inside a transaction)."""
        self.drop(run)
        head = self.sound(run)
        if head is None:
            return 0
        base = min(keep_from_step, head.step + 1) - 1
        if base <= head.base:
            return 0
        row = self.database.row("SELECT sum FROM log WHERE run = ? AND step = ?", (head.key, base))
        if row is None:
            raise CheckpointCorrupted(f"step {base} is missing from the log", run=run, step=base)
        self.database.rows(
            "UPDATE history SET base = ?, base_sum = ?, seal = ? WHERE key = ?",
            (base, row[0], seal("history", head.key, run, base, row[0]), head.key),
        )
        columns = self.database.rows(_LARGE, (head.key, base))
        gone = self.database.connection.execute(
            "DELETE FROM log WHERE run = ? AND step <= ?", (head.key, base)
        ).rowcount
        self.values.release(head.key, (column for row in columns for column in row))
        self.drop(run)
        return gone
