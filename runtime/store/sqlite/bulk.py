"""From an SQLite file to the histories of many runs, with one statement for each table."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from ...errors import CheckpointCorrupted, StorageError
from ..bulk import History, sound
from ..records import CheckpointRecord, MutationRecord
from ..seals import seal
from .checkpoints import SELECT as CHECKPOINT
from .checkpoints import Checkpoints
from .database import Database
from .ledger import TAIL
from .replay import SELECT as STEP
from .replay import Replay

_HEADS = (
    "SELECT h.run, h.key, h.base, h.base_sum, h.seal, r.steps, r.status,"
    " (SELECT max(l.step) FROM log l WHERE l.run = h.key),"
    " r.attempts OR EXISTS (SELECT 1 FROM attempt a WHERE a.run = h.key)"
    " OR r.decisions OR EXISTS (SELECT 1 FROM decision d WHERE d.run = h.key)"
    " OR r.overrides OR EXISTS (SELECT 1 FROM override o WHERE o.run = h.key)"
    " FROM history h LEFT JOIN run r ON r.key = h.key WHERE h.run IN ({marks})"
)
# Where the index of the log hides steps that the table has; see `Ledger`.
_NEWEST = (
    "SELECT run, max(step) FROM (SELECT run, step FROM log NOT INDEXED WHERE key > ? LIMIT ?) GROUP BY run"
)
# So many characters of logs are held at a time; runs beyond that are left out.
_ROOM = 64 << 20
_LAST_KEY = "SELECT coalesce(max(key), 0) FROM log WHERE run = ? AND step = ?"


class _Head:
    """Where the log of a run begins and ends."""

    __slots__ = ("base", "base_sum", "key", "more", "run", "step")

    def __init__(self, run: str, key: int, base: int, base_sum: bytes, step: int, more: bool) -> None:
        self.run = run
        self.key = key
        self.base = base
        self.base_sum = base_sum
        self.step = step
        self.more = more


class Bulk:
    """Reads many runs at a time. What is not as it should be is left to the reading of a single run."""

    def __init__(self, database: Database, replay: Replay, checkpoints: Checkpoints) -> None:
        self._database = database
        self._replay = replay
        self._checkpoints = checkpoints

    def histories(self, runs: Sequence[str], most: int) -> Mapping[str, History]:
        """The histories of runs, all of one moment. Raises StorageError."""
        # Nothing here makes cycles; the collector would only walk over what was just read.
        collecting = gc.isenabled()
        gc.disable()
        try:
            with self._database.reading():
                return self._histories(runs, most)
        except (CheckpointCorrupted, sqlite3.DatabaseError, UnicodeError):
            return {}
        finally:
            if collecting:
                gc.enable()

    def _histories(self, runs: Sequence[str], most: int) -> dict[str, History]:
        heads = {head.key: head for head in self._heads(runs, most)}
        logs = self._logs(heads)
        snapshots = self._snapshots(logs)
        by_run = {heads[key].run: key for key in logs}
        found: dict[str, History] = {}
        for run in runs:
            key = by_run.get(run)
            if key is not None and sound(snapshots.get(key), logs[key]):
                found[run] = History(snapshots.get(key), logs[key], heads[key].more)
        return found

    def _heads(self, runs: Sequence[str], most: int) -> list[_Head]:
        """Those whose row and log agree on where the log ends."""
        rows = self._database.rows(_HEADS.format(marks=_marks(len(runs))), tuple(runs))
        found: list[_Head] = []
        running: list[_Head] = []
        for run, key, base, base_sum, checksum, steps, status, last, more in rows:
            step = base if last is None else last
            if (
                checksum != seal("history", key, run, base, base_sum)
                or not (isinstance(step, int) and isinstance(steps, int))
                or not steps <= step <= base + most
            ):
                continue
            head = _Head(run, key, base, base_sum, step, bool(more))
            (running if status == "running" else found).append(head)
        if running:
            keys = [self._database.row(_LAST_KEY, (head.key, head.step)) for head in running]
            behind = min(key[0] if key else 0 for key in keys)
            newest: dict[int, int] = dict(self._database.rows(_NEWEST, (behind, TAIL)))
            found += [head for head in running if newest.get(head.key, 0) <= head.step]
        return found

    def _logs(self, heads: Mapping[int, _Head]) -> dict[int, list[MutationRecord]]:
        found: dict[int, list[MutationRecord]] = {key: [] for key in heads}
        select = f"{STEP.replace('SELECT step', 'SELECT run, step')} WHERE run IN ({_marks(len(heads))})"
        rows = self._database.connection.execute(f"{select} ORDER BY run, step", tuple(heads))
        self._replay.refresh()
        room = _ROOM
        for key, group in groupby(rows, itemgetter(0)):
            head, log = heads[key], found[key]
            before, step = head.base_sum, head.base
            try:
                for row in group:
                    step += 1
                    if row[1] != step:
                        raise CheckpointCorrupted(f"step {step} is missing")
                    record = self._replay.record(head.run, step, before, row[1:])
                    before = row[17]
                    room -= len(record.mutations) + len(record.detail)
                    if room < 0:
                        break
                    log.append(record)
            except CheckpointCorrupted:
                del found[key]
        for key in [key for key, log in found.items() if heads[key].base + len(log) != heads[key].step]:
            del found[key]
        return found

    def _snapshots(self, logs: dict[int, list[MutationRecord]]) -> dict[int, CheckpointRecord]:
        """The newest snapshots; runs whose newest one is bad are taken out of `logs`."""
        ids: dict[int, int] = {}
        rows = self._database.rows(
            f"SELECT run, key FROM checkpoint WHERE run IN ({_marks(len(logs))}) AND snapshot <> x''"
            " ORDER BY run, step DESC, key DESC",
            tuple(logs),
        )
        for run, key in rows:
            ids.setdefault(run, key)
        found: dict[int, CheckpointRecord] = {}
        for run, key in ids.items():
            row = self._database.row(f"{CHECKPOINT} WHERE key = ?", (key,))
            try:
                if row is None:
                    raise StorageError("the snapshot is missing")
                found[run] = self._checkpoints.record(row)
            except (CheckpointCorrupted, StorageError):
                del logs[run]
        return found


def _marks(count: int) -> str:
    return ", ".join("?" * count)
