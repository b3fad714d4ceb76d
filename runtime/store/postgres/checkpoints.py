"""Checkpoints in PostgreSQL: those with a snapshot in a table of their own, the others flags in the log."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import CheckpointCorrupted, CheckpointNotFound
from ..records import CheckpointRecord
from .heads import Head, Heads
from .log import Log
from .names import named, utf8
from .rows import checkpoint_seal
from .server import Row, Server, Transaction
from .texts import Texts, Values

_SELECT = "SELECT key, id, run, step, hash, created, snapshot, seal, listed FROM ~checkpoint"
_SAVE = """
INSERT INTO ~checkpoint (id, run, step, hash, created, snapshot, listed, seal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET key = excluded.key, run = excluded.run,
 step = excluded.step, hash = excluded.hash, created = excluded.created, snapshot = excluded.snapshot,
 listed = excluded.listed, seal = excluded.seal
"""
_UNFLAG = "UPDATE ~log SET checkpoint = 2 WHERE run = $1 AND checkpoint = 1"
# Snapshots with a name of their own, of the step after which the run was moved to another graph: the log
# does not lead across.
_MOVES = (
    "SELECT c.id FROM ~checkpoint c WHERE c.run = $1 AND c.snapshot <> ''"
    " AND c.id <> $2::bytea || convert_to('@' || c.step, 'UTF8')"
    " AND EXISTS (SELECT 1 FROM ~override o WHERE o.run = c.run AND o.step = c.step)"
)


class Checkpoints:
    """Keeps and finds checkpoints."""

    def __init__(self, server: Server, heads: Heads, texts: Texts, log: Log) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts
        self._log = log
        self.warnings: list[str] = []

    async def save(self, checkpoint: CheckpointRecord) -> None:
        """Keep one, in place of one of the same id."""
        hash = await self._heads.hash_key(checkpoint.hash)
        id, created, listed = (
            utf8(checkpoint.id, "checkpoint"),
            checkpoint.created + 0.0,
            int(checkpoint.listed),
        )
        values: Values = {}
        snapshot = b""
        if checkpoint.snapshot:
            snapshot = self._texts.encode(checkpoint.snapshot, f"{checkpoint.id} snapshot", values)

        async def work(transaction: Transaction) -> None:
            run = (await self._heads.history(transaction, checkpoint.run)).key
            before = await transaction.row("SELECT run FROM ~checkpoint WHERE id = $1", (id,))
            sealed = checkpoint_seal(id, run, checkpoint.step, hash, created, snapshot, listed)
            await self._texts.keep(transaction, run, values)
            await transaction.rows(_SAVE, (id, run, checkpoint.step, hash, created, snapshot, listed, sealed))
            if before is not None:
                await self._texts.release(transaction, before[0])

        await self._server.write(work)

    async def load(self, id: str) -> CheckpointRecord:
        """By id. Raises CheckpointNotFound, CheckpointCorrupted."""
        row = await self._server.row(f"{_SELECT} WHERE id = $1 AND listed <> 0", (utf8(id, "checkpoint"),))
        if row is not None:
            return await self.record(row)
        found = await self._flagged(id)
        if found is None:
            raise CheckpointNotFound(f"there is no checkpoint {id}", hint="`lgc log RUN` lists them")
        return found

    async def load_latest(self, run: str) -> CheckpointRecord:
        """The newest one of a run. Raises CheckpointNotFound, CheckpointCorrupted."""
        found = await self.list(run)
        if not found:
            raise CheckpointNotFound("the run has no checkpoint", run=run)
        return await self.load(found[0].id)

    async def list(self, run: str) -> Sequence[CheckpointRecord]:
        """All of a run, newest first, without the texts of their snapshots."""
        head = await self._heads.find(run)
        if head is None:
            return ()
        own = await self._server.rows(
            "SELECT id, step, hash, created, seal FROM ~checkpoint WHERE run = $1 AND listed <> 0"
            " ORDER BY key DESC",
            (head.key,),
        )
        flagged = await self._server.rows(
            "SELECT step, hash, time, sum FROM ~log WHERE run = $1 AND checkpoint = 1", (head.key,)
        )
        names = await self._heads.hash_texts({row[2] for row in own} | {row[1] for row in flagged})
        found = [
            CheckpointRecord(named(id, "a checkpoint's id"), run, step, names[hash], created, "", seal.hex())
            for id, step, hash, created, seal in own
        ]
        ids = {checkpoint.id for checkpoint in found}
        for step, hash, time, sum in flagged:
            id = f"{run}@{step}"
            if id not in ids:
                found.append(CheckpointRecord(id, run, step, names[hash], time, "", sum.hex()))
        return sorted(found, key=lambda checkpoint: -checkpoint.step)

    async def delete(self, id: str) -> bool:
        """Remove one; whether it was there. What a run cannot be rebuilt without stays, not listed."""
        place = await self._place(id)

        async def work(transaction: Transaction) -> bool:
            row = await transaction.row(
                f"{_SELECT} WHERE id = $1 AND listed = 1 FOR UPDATE", (utf8(id, "checkpoint"),)
            )
            if row is not None:
                if await self._indispensable(transaction, row):
                    await self._unlist(transaction, row)
                else:
                    await transaction.rows("DELETE FROM ~checkpoint WHERE key = $1", (row[0],))
                    await self._texts.release(transaction, row[2])
            flags = 0
            if place is not None:
                flags = await transaction.count(f"{_UNFLAG} AND step = $2", place)
            return row is not None or flags > 0

        return await self._server.write(work)

    async def prune(self, run: str, keep: int) -> int:
        """Remove all but the newest `keep`; how many are no longer listed."""
        head = await self._heads.find(run)
        if head is None:
            return 0
        moves = {row[0] for row in await self._server.rows(_MOVES, (head.key, utf8(run, "run id")))}
        checkpoints = [one for one in await self.list(run) if one.id.encode() not in moves]
        kept, gone = checkpoints[: max(keep, 0)], checkpoints[max(keep, 0) :]
        oldest = kept[-1].step if kept else head.step + 1
        needed = await self._needed(head, run, kept)
        ids = {checkpoint.id for checkpoint in kept}

        async def work(transaction: Transaction) -> int:
            rows = await transaction.rows(
                f"{_SELECT} WHERE run = $1 AND step <= $2 FOR UPDATE", (head.key, oldest)
            )
            for row in rows:
                name = row[1].decode(errors="replace")
                if name in ids or row[1] in moves:
                    continue
                if name == needed or row[3] == 0:
                    await self._unlist(transaction, row)
                else:
                    await transaction.rows("DELETE FROM ~checkpoint WHERE key = $1", (row[0],))
            last = oldest - 1 if f"{run}@{oldest}" in ids else oldest
            await transaction.rows(f"{_UNFLAG} AND step <= $2", (head.key, last))
            await self._texts.release(transaction, head.key)
            return len(gone)

        return await self._server.write(work)

    async def _needed(self, head: Head, run: str, kept: Sequence[CheckpointRecord]) -> str | None:
        """The snapshot that those which are kept are rebuilt from."""
        # With a whole log everything can be rebuilt from the input; what is left of a truncated log
        # starts from a snapshot, which had better be a good one.
        at_most = kept[-1].step if kept else head.step
        if head.base:
            found = await self.latest_snapshot(run, at_most)
            return None if found is None else found.id
        if not kept:
            return None
        row = await self._server.row(
            "SELECT id FROM ~checkpoint WHERE run = $1 AND step <= $2 AND snapshot <> ''"
            " ORDER BY step DESC, key DESC LIMIT 1",
            (head.key, at_most),
        )
        return None if row is None else row[0].decode(errors="replace")

    async def _indispensable(self, work: Transaction, row: Row) -> bool:
        key, id, run, step = row[:4]
        if step == 0:
            return True
        name = await work.row("SELECT run FROM ~history WHERE key = $1", (run,))
        if name is not None and await work.row(f"{_MOVES} AND c.id = $3", (run, name[0], id)):
            return True
        found = await work.row("SELECT base FROM ~history WHERE key = $1 FOR UPDATE", (run,))
        if found is None or not found[0]:
            return False
        others = (
            "SELECT 1 FROM ~checkpoint WHERE run = $1 AND step >= $2 AND key <> $3 AND snapshot <> '' LIMIT 1"
        )
        return await work.row(others, (run, found[0], key)) is None

    async def _unlist(self, work: Transaction, row: Row) -> None:
        """Keep a snapshot, but no longer as a recovery point for people."""
        if not row[8]:
            return
        key, id, run, step, hash, created, snapshot, checksum, _ = row
        if checksum == checkpoint_seal(id, run, step, hash, created, snapshot, 1):
            checksum = checkpoint_seal(id, run, step, hash, created, snapshot, 0)
        await work.rows("UPDATE ~checkpoint SET listed = 0, seal = $1 WHERE key = $2", (checksum, key))

    async def latest_snapshot(self, run: str, at_most: int | None) -> CheckpointRecord | None:
        """The newest good snapshot; bad ones are noted in `warnings` and passed over."""
        head = await self._heads.find(run)
        if head is None:
            return None
        limit = (1 << 62) if at_most is None else at_most
        before = (1 << 62, 1 << 62)
        while True:
            row = await self._server.row(
                f"{_SELECT} WHERE run = $1 AND step <= $2 AND snapshot <> '' AND (step, key) < ($3, $4)"
                " ORDER BY step DESC, key DESC LIMIT 1",
                (head.key, limit, *before),
            )
            if row is None:
                return None
            try:
                return await self.record(row)
            except CheckpointCorrupted as error:
                name = row[1].decode(errors="replace")
                self.warnings.append(f"checkpoint {name} of run {run} is passed over: {error.message}")
            before = (row[3], row[0])

    async def record(self, row: Row) -> CheckpointRecord:
        """The checkpoint of a row with all its columns. Raises CheckpointCorrupted."""
        _, id, run, step, hash, created, snapshot, checksum, listed = row
        name = id.decode(errors="replace")
        if checksum != checkpoint_seal(id, run, step, hash, created, snapshot, listed):
            raise CheckpointCorrupted(f"checkpoint {name} is not what was written: its checksum is wrong")
        whose = await self._server.row("SELECT run FROM ~history WHERE key = $1", (run,))
        if whose is None:
            raise CheckpointCorrupted(f"the run of checkpoint {name} is missing")
        text = await self._texts.read(snapshot, f"{name} snapshot") if snapshot else ""
        names = await self._heads.hash_texts({hash})
        return CheckpointRecord(
            name, named(whose[0], "a run's id"), step, names[hash], created, text, checksum.hex(), listed == 1
        )

    async def _flagged(self, id: str) -> CheckpointRecord | None:
        place = await self._place(id)
        if place is None:
            return None
        row = await self._server.row("SELECT checkpoint, sum FROM ~log WHERE run = $1 AND step = $2", place)
        if row is None or row[0] != 1:
            return None
        run = id.rpartition("@")[0]
        record = await self._log.one(run, place[1])
        if record is None:
            return None
        return CheckpointRecord(id, run, place[1], record.hash, record.time, "", row[1].hex())

    async def _place(self, id: str) -> tuple[int, int] | None:
        # `RUN@STEP`, where the store knows the run: its number, and the step.
        run, _, text = id.rpartition("@")
        if not (text.isascii() and text.isdigit() and len(text) <= 18) or str(step := int(text)) != text:
            return None
        head = await self._heads.find(run)
        return None if head is None else (head.key, step)
