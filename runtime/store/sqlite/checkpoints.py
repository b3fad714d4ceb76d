"""Checkpoints in SQLite: those with a snapshot in a table of their own, the others as flags in the log."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import CheckpointCorrupted, CheckpointNotFound
from ..records import CheckpointRecord
from ..seals import seal
from .database import Database, Row
from .ledger import Head, Ledger
from .replay import Replay
from .value_table import ValueTable

SELECT = "SELECT key, id, run, step, hash, created, snapshot, seal, listed FROM checkpoint"

# Snapshots of a run that are older than the newest two, and whether their steps are checkpoints anyway.
_OLDER = (
    "SELECT c.key, c.id, c.step, c.listed, l.checkpoint FROM checkpoint c"
    " LEFT JOIN log l ON l.run = c.run AND l.step = c.step"
    " WHERE c.run = ? AND length(c.snapshot) > 0 ORDER BY c.step DESC, c.key DESC LIMIT -1 OFFSET 2"
)

# Snapshots with a name of their own, of the step after which the run was moved to another graph.
_MOVES = (
    "SELECT c.id FROM checkpoint c WHERE c.run = ? AND length(c.snapshot) > 0 AND c.id <> ? || c.step"
    " AND EXISTS (SELECT 1 FROM override o WHERE o.run = c.run AND o.step = c.step)"
)


def _sealed(id: str, run: int, step: int, hash: int, created: float, snapshot: bytes, listed: int) -> bytes:
    # One that is listed is sealed as it was before there were others.
    columns = (id, run, step, hash, created, snapshot)
    return seal(*columns) if listed == 1 else seal(*columns, listed)


class Checkpoints:
    """Keeps and finds checkpoints. What writes is called inside a transaction."""

    def __init__(self, database: Database, ledger: Ledger, replay: Replay, values: ValueTable) -> None:
        self._database = database
        self._ledger = ledger
        self._replay = replay
        self._values = values
        self.warnings: list[str] = []

    def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep one, in place of one of the same id."""
        run = self._ledger.history(checkpoint.run).key
        hash = self._ledger.hash_key(checkpoint.hash)
        created = checkpoint.created + 0.0
        snapshot = b""
        if checkpoint.snapshot:
            snapshot = self._values.encode(checkpoint.snapshot, f"{checkpoint.id} snapshot", run)
        before = self._database.row(
            "SELECT run, snapshot FROM checkpoint WHERE id = ? AND substr(snapshot, 1, 1) = x'00'",
            (checkpoint.id,),
        )
        self._database.rows(
            "INSERT OR REPLACE INTO checkpoint (id, run, step, hash, created, snapshot, listed, seal)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                checkpoint.id, run, checkpoint.step, hash, created, snapshot, int(checkpoint.listed),
                _sealed(
                    checkpoint.id, run, checkpoint.step, hash, created, snapshot, int(checkpoint.listed)
                ),
            ),
        )  # fmt: skip
        if before is not None:
            self._values.release(before[0], before[1:])

    def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound, CheckpointCorrupted."""
        with self._database.reading():
            row = self._database.row(f"{SELECT} WHERE id = ? AND listed <> 0", (id,))
            if row is not None:
                return self.record(row)
        found = self._flagged(id)
        if found is None:
            raise CheckpointNotFound(f"there is no checkpoint {id}", hint="`lgc log RUN` lists them")
        return found

    def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run, newest first, without the texts of their snapshots."""
        head = self._ledger.sound(run)
        if head is None:
            return ()
        found = [
            CheckpointRecord(id, run, step, self._ledger.hash_text(hash), created, "", seal.hex())
            for id, step, hash, created, seal in self._database.rows(
                "SELECT id, step, hash, created, seal FROM checkpoint WHERE run = ? AND listed <> 0"
                " ORDER BY key DESC",
                (head.key,),
            )
        ]
        own = {checkpoint.id for checkpoint in found}
        for step, hash, time, sum in self._database.rows(
            "SELECT step, hash, time, sum FROM log WHERE run = ? AND checkpoint = 1",
            (head.key,),
        ):
            id = f"{run}@{step}"
            if id not in own:
                hash_text = self._ledger.hash_text(hash)
                found.append(CheckpointRecord(id, run, step, hash_text, time, "", sum.hex()))
        return sorted(found, key=lambda checkpoint: -checkpoint.step)

    def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What a run cannot be rebuilt without stays, not listed."""
        row = self._database.row(f"{SELECT} WHERE id = ? AND listed = 1", (id,))
        if row is not None:
            if self._indispensable(row):
                self.unlist(row)
            else:
                self._database.rows("DELETE FROM checkpoint WHERE key = ?", (row[0],))
                self._values.release(row[2], (row[6],))
        place = self._place(id)
        flags = 0
        if place is not None:
            flags = self._database.connection.execute(
                "UPDATE log SET checkpoint = 2 WHERE run = ? AND step = ? AND checkpoint = 1", place
            ).rowcount
        return row is not None or flags > 0

    def fold(self, run: str) -> None:
        """Give up snapshots that are no longer needed (see `Commit.snapshot`)."""
        head = self._ledger.head(run)
        older = self._database.rows(_OLDER, (head.key,))
        starts = [step for _, _, step, _, _ in older if step >= head.base] if head.base else []
        gone = [
            key
            for key, id, step, listed, flag in older
            if step > min(starts, default=0) and (not listed or (flag == 1 and id == f"{run}@{step}"))
        ]
        for key in gone:
            snapshots = self._database.rows("SELECT snapshot FROM checkpoint WHERE key = ?", (key,))
            self._database.rows("DELETE FROM checkpoint WHERE key = ?", (key,))
            self._values.release(head.key, [column for row in snapshots for column in row])

    def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed."""
        head = self._ledger.find(run)
        if head is None:
            return 0
        moves = self._moves(head, run)
        checkpoints = [one for one in self.list(run) if one.id not in moves]
        kept, gone = checkpoints[: max(keep, 0)], checkpoints[max(keep, 0) :]
        oldest = kept[-1].step if kept else head.step + 1
        needed = self._needed(head, run, kept)
        ids = {checkpoint.id for checkpoint in kept}
        snapshots: list[bytes] = []
        for row in self._database.rows(f"{SELECT} WHERE run = ? AND step <= ?", (head.key, oldest)):
            if row[1] in ids or row[1] in moves:
                continue
            if row[1] == needed or row[3] == 0:
                self.unlist(row)
            else:
                self._database.rows("DELETE FROM checkpoint WHERE key = ?", (row[0],))
                snapshots.append(row[6])
        self._values.release(head.key, snapshots)
        self._database.rows(
            "UPDATE log SET checkpoint = 2 WHERE run = ? AND step < ? AND checkpoint = 1", (head.key, oldest)
        )
        if f"{run}@{oldest}" not in ids:
            self._database.rows(
                "UPDATE log SET checkpoint = 2 WHERE run = ? AND step = ? AND checkpoint = 1",
                (head.key, oldest),
            )
        return len(gone)

    def _needed(self, head: Head, run: str, kept: Sequence[CheckpointRecord]) -> str | None:
        """The snapshot that those which are kept are rebuilt from."""
        # With a whole log everything can be rebuilt from the input; what is left of a truncated log
        # starts from a snapshot, which had better be a good one.
        at_most = kept[-1].step if kept else head.step
        if head.base:
            found = self.latest_snapshot(run, at_most)
            return None if found is None else found.id
        if not kept:
            return None
        row = self._database.row(
            "SELECT id FROM checkpoint WHERE run = ? AND step <= ? AND snapshot <> x''"
            " ORDER BY step DESC, key DESC LIMIT 1",
            (head.key, at_most),
        )
        return None if row is None else str(row[0])

    def _moves(self, head: Head, run: str) -> set[str]:
        """The checkpoints at which a run was moved: the log does not lead across, so that they stay."""
        return {row[0] for row in self._database.rows(_MOVES, (head.key, f"{run}@"))}

    def _indispensable(self, row: Row) -> bool:
        key, id, run, step = row[:4]
        if step == 0:
            return True
        name = self._database.row("SELECT run FROM history WHERE key = ?", (run,))
        if name is not None and self._database.row(f"{_MOVES} AND c.id = ?", (run, f"{name[0]}@", id)):
            return True
        found = self._database.row("SELECT base FROM history WHERE key = ?", (run,))
        if found is None or not found[0]:
            return False
        others = (
            "SELECT 1 FROM checkpoint WHERE run = ? AND step >= ? AND key <> ? AND snapshot <> x'' LIMIT 1"
        )
        return self._database.row(others, (run, found[0], key)) is None

    def unlist(self, row: Row) -> None:
        """Keep a snapshot, but no longer as a recovery point for people."""
        if not row[8]:
            return
        key, id, run, step, hash, created, snapshot, checksum, _ = row
        if checksum == _sealed(id, run, step, hash, created, snapshot, 1):
            checksum = _sealed(id, run, step, hash, created, snapshot, 0)
        self._database.rows("UPDATE checkpoint SET listed = 0, seal = ? WHERE key = ?", (checksum, key))

    def latest_snapshot(self, run: str, at_most: int | None) -> CheckpointRecord | None:
        """The newest good snapshot; bad ones are noted in `warnings` and passed over."""
        head = self._ledger.sound(run)
        if head is None:
            return None
        limit = (1 << 62) if at_most is None else at_most
        ids = self._database.rows(
            "SELECT key, id FROM checkpoint WHERE run = ? AND step <= ? AND snapshot <> x''"
            " ORDER BY step DESC, key DESC",
            (head.key, limit),
        )
        for key, id in ids:
            try:
                with self._database.reading():
                    row = self._database.row(f"{SELECT} WHERE key = ?", (key,))
                    if row is not None:
                        return self.record(row)
            except CheckpointCorrupted as error:
                self.warnings.append(f"checkpoint {id} of run {run} is passed over: {error.message}")
        if head.base and head.base == head.step and limit >= head.step:
            raise CheckpointCorrupted(
                f"the log was truncated up to step {head.base}, and there is no good snapshot", run=run
            )
        return None

    def record(self, row: Row) -> CheckpointRecord:
        """The checkpoint of a row (`SELECT`). Raises CheckpointCorrupted."""
        _, id, run, step, hash, created, snapshot, checksum, listed = row
        if checksum != _sealed(id, run, step, hash, created, snapshot, listed):
            raise CheckpointCorrupted(f"checkpoint {id} is not what was written: its checksum is wrong")
        name = self._database.row(
            "SELECT run, seal = seal('history', key, run, base, base_sum) FROM history WHERE key = ?", (run,)
        )
        if name is None or not name[1]:
            raise CheckpointCorrupted(f"the run of checkpoint {id} is not what was written")
        self._values.fresh()
        text = self._values.decode(snapshot, f"{id} snapshot") if snapshot else ""
        return CheckpointRecord(
            id, name[0], step, self._ledger.hash_text(hash), created, text, checksum.hex(), listed == 1
        )

    def _flagged(self, id: str) -> CheckpointRecord | None:
        place = self._place(id)
        if place is None:
            return None
        key, step = place
        row = self._database.row("SELECT checkpoint, sum FROM log WHERE run = ? AND step = ?", (key, step))
        if row is None or row[0] != 1:
            return None
        run = id.rpartition("@")[0]
        record = self._replay.one(run, step)
        if record is None:
            return None
        return CheckpointRecord(id, run, step, record.hash, record.time, "", row[1].hex())

    def _place(self, id: str) -> tuple[int, int] | None:
        # `RUN@STEP`, where the store knows the run: its number, and the step.
        run, _, text = id.rpartition("@")
        if not (text.isascii() and text.isdigit() and len(text) <= 18) or str(step := int(text)) != text:
            return None
        head = self._ledger.find(run)
        return None if head is None else (head.key, step)
