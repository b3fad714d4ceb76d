"""From rows of the log to records, each checked against the chain."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...errors import CheckpointCorrupted
from ..codec import Codec, JsonCodec
from ..records import MutationRecord
from ..seals import log_sum
from ..segments import SEGMENT
from .database import Database, Row
from .ledger import Ledger
from .value_table import ValueTable

# ... and so many characters of texts with large values.
LARGE_TEXT = 16 << 20

SELECT = (
    "SELECT step, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt, cost, error,"
    " checkpoint, hash, detail, sum FROM log"
)

# What a named tuple's own constructor does, in half the time.
_new: Callable[..., Any] = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class Replay:
    """Reads the log of runs."""

    def __init__(self, database: Database, ledger: Ledger, codec: Codec, values: ValueTable) -> None:
        self._database = database
        self._ledger = ledger
        self._codec = codec
        self._values = values
        self._room = LARGE_TEXT
        self._plain = type(codec) is JsonCodec

    def segments(self, run: str, from_step: int) -> Iterator[Sequence[MutationRecord]]:
        """The records of a run from a step on, none of the pieces empty. Raises CheckpointCorrupted with the
        step, after the good records before it."""
        # Another process may have truncated the log or added to it.
        self._ledger.drop(run)
        head = self._ledger.sound(run)
        if head is None:
            return
        step = max(from_step, head.base + 1)
        if step > head.step:
            return
        before = self._sum_before(run, head.key, step, head.base, head.base_sum)
        while True:
            records, before, more = self._segment(run, head.key, step, before)
            if records:
                yield records
            step += len(records)
            if not more and step <= head.step:
                raise _corrupted(run, step, "it is missing")
            if not more:
                return

    def one(self, run: str, step: int) -> MutationRecord | None:
        """One record, None where it is not there. Raises CheckpointCorrupted."""
        self._ledger.drop(run)
        head = self._ledger.sound(run)
        if head is None or not head.base < step <= head.step:
            return None
        before = self._sum_before(run, head.key, step, head.base, head.base_sum)
        records, _, _ = self._segment(run, head.key, step, before, 1)
        return records[0]

    def _sum_before(self, run: str, key: int, step: int, base: int, base_sum: bytes) -> bytes:
        if step == base + 1:
            return base_sum
        row = self._database.row("SELECT sum FROM log WHERE run = ? AND step = ?", (key, step - 1))
        if row is None:
            raise _corrupted(run, step - 1, "it is missing")
        return bytes(row[0])

    def _segment(
        self, run: str, key: int, first: int, before: bytes, limit: int = SEGMENT
    ) -> tuple[list[MutationRecord], bytes, bool]:
        records: list[MutationRecord] = []
        step = first
        self.refresh()
        # Nothing here makes cycles; the collector would only walk over what was just read.
        collecting = gc.isenabled()
        gc.disable()
        try:
            rows = self._database.connection.execute(
                f"{SELECT} WHERE run = ? AND step >= ? ORDER BY step LIMIT ?",
                (key, first, limit),
            )
            for row in rows:
                if row[0] != step:
                    raise _corrupted(run, step, "it is missing")
                records.append(self.record(run, step, before, row))
                before = row[16]
                step += 1
                if self._room <= 0:
                    break
        except CheckpointCorrupted:
            if not records:
                raise
            return records, before, True
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if records:
                return records, before, True
            explained = self._database.explained(error)
            if isinstance(explained, CheckpointCorrupted):
                raise _corrupted(run, step, explained.message) from error
            raise explained.at(run=run, step=step) from error
        finally:
            if collecting:
                gc.enable()
        return records, before, len(records) == limit or self._room <= 0

    def refresh(self) -> None:
        """Read large values from the file again before the next `record`."""
        self._values.fresh()
        self._room = LARGE_TEXT

    def record(self, run: str, step: int, before: bytes, row: Row) -> MutationRecord:
        """The record of a row (`SELECT`) that comes behind one with the sum `before`.

        Raises CheckpointCorrupted.
        """
        (_, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt, cost, error,
         flag, hash, detail, sum) = row  # fmt: skip
        try:
            good = flag in (0, 1, 2) and sum == log_sum(
                before, step, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt,
                cost, error, flag != 0, hash, detail,
            )  # fmt: skip
        except Exception as problem:
            raise _corrupted(run, step, f"a column has another type: {problem}") from problem
        if not good:
            raise _corrupted(run, step, "its checksum is wrong")
        try:
            if self._plain and mutations[:1] == b"[" and not detail:
                text, more = mutations.decode(), ""  # as nearly all are: no place to be named
            else:
                large = mutations[:1] == b"\0" or detail[:1] == b"\0"
                decode = self._large if large else self._codec.decode
                text = decode(mutations, f"{run}@{step} mutations")
                more = decode(detail, f"{run}@{step} detail") if detail else ""
            made: MutationRecord = _new(
                MutationRecord,
                (
                    run, step, frame, node, visit, outcome, next, edge, text, time, duration, attempt, cost,
                    error, f"{run}@{step}" if flag else "", self._ledger.hash_text(hash), more,
                ),
            )  # fmt: skip
            return made
        except UnicodeDecodeError:
            raise _corrupted(run, step, "its mutations are not UTF-8 text") from None
        except CheckpointCorrupted as damage:
            raise _corrupted(run, step, damage.message) from damage.__cause__

    def _large(self, column: bytes, place: str) -> str:
        text = self._values.decode(column, place)
        self._room -= len(text)
        return text


def _corrupted(run: str, step: int, why: str) -> CheckpointCorrupted:
    return CheckpointCorrupted(f"record {step} of the log is not what was written: {why}", run=run, step=step)
