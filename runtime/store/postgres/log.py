"""The log of committed steps in PostgreSQL: read along its chain, added to without a token, truncated."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping, Sequence

from ...errors import CheckpointCorrupted, LgcError, StorageError
from ..records import MutationRecord
from ..refusals import out_of_order
from ..seals import log_sum
from .heads import Head, Heads
from .server import Row, Server, Transaction
from .steps import row, values_of
from .texts import Texts

# So many rows at a time: enough to be quick, few enough to leave the event loop free for others.
SEGMENT = 1000

SELECT = (
    "SELECT step, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt, cost, error,"
    " checkpoint, hash, detail, sum FROM ~log"
)
_APPEND = (
    "INSERT INTO ~log (run, step, frame, node, visit, outcome, next, edge, mutations, time, duration,"
    " attempt, cost, error, checkpoint, hash, detail, sum)"
    f" VALUES ({', '.join(f'${n}' for n in range(1, 19))})"
)


class Log:
    """Reads and cuts the logs of runs."""

    def __init__(self, server: Server, heads: Heads, texts: Texts) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts

    async def records(self, run: str, from_step: int) -> AsyncIterator[MutationRecord]:
        """The records of a run from a step on. Raises CheckpointCorrupted with the step."""
        # Another process may have truncated the log or added to it.
        head = await self._heads.find(run)
        if head is None:
            return
        step = max(from_step, head.base + 1)
        if step > head.step:
            return
        before = await self._sum_before(run, head, step)
        while step <= head.step:
            rows = await self._rows(head.key, step, SEGMENT)
            texts = await self._texts.fetch(column for row in rows for column in (row[7], row[15]))
            names = await self._heads.hash_texts({row[14] for row in rows})
            if not rows:
                await self._missing(run, step)
            # Nothing here makes cycles; the collector would only walk over what was just read.
            collecting = gc.isenabled()
            gc.disable()
            records: list[MutationRecord] = []
            problem: LgcError | None = None
            try:
                for one in rows:
                    records.append(self.record(run, step, before, one, texts, names))
                    before = one[16]
                    step += 1
            except LgcError as error:
                problem = error
            finally:
                if collecting:
                    gc.enable()
            for record in records:
                yield record
            if problem is not None:
                if rows[len(records)][0] != step:
                    await self._missing(run, step)
                raise problem
            if len(rows) < SEGMENT:
                return

    async def one(self, run: str, step: int) -> MutationRecord | None:
        """One record, None where it is not there. Raises CheckpointCorrupted."""
        head = await self._heads.find(run)
        if head is None or not head.base < step <= head.step:
            return None
        before = await self._sum_before(run, head, step)
        rows = await self._rows(head.key, step, 1)
        if not rows:
            await self._missing(run, step)
        texts = await self._texts.fetch((rows[0][7], rows[0][15]))
        names = await self._heads.hash_texts({rows[0][14]})
        return self.record(run, step, before, rows[0], texts, names)

    async def _rows(self, key: int, first: int, limit: int) -> list[Row]:
        return await self._server.rows(
            f"{SELECT} WHERE run = $1 AND step >= $2 ORDER BY step LIMIT $3", (key, first, limit)
        )

    async def _sum_before(self, run: str, head: Head, step: int) -> bytes:
        if step == head.base + 1:
            return head.base_sum
        found = await self._server.row(
            "SELECT sum FROM ~log WHERE run = $1 AND step = $2", (head.key, step - 1)
        )
        if found is None:
            await self._missing(run, step - 1)
        assert found is not None
        return bytes(found[0])

    async def _missing(self, run: str, step: int) -> None:
        """Raise the error for a record that is not where it should be."""
        head = await self._heads.find(run)
        if head is None or head.base >= step:
            raise StorageError(
                "the log was truncated while it was being read", run=run, step=step, hint="read it again"
            )
        raise _corrupted(run, step, "it is missing")

    def record(
        self,
        run: str,
        step: int,
        before: bytes,
        row: Row,
        texts: Mapping[bytes, str],
        names: Mapping[int, str],
    ) -> MutationRecord:
        """The record of a row (`SELECT`) that comes behind one with the sum `before`.

        Raises CheckpointCorrupted.
        """
        (number, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt, cost, error,
         flag, hash, detail, sum) = row  # fmt: skip
        if number != step:
            raise _corrupted(run, step, "it is missing")
        try:
            frame, node, outcome = frame.decode(), node.decode(), outcome.decode()
            next, edge, error = next.decode(), edge.decode(), error.decode()
            good = flag in (0, 1, 2) and sum == log_sum(
                before, step, frame, node, visit, outcome, next, edge, mutations, time, duration, attempt,
                cost, error, flag != 0, hash, detail,
            )  # fmt: skip
        except UnicodeDecodeError:
            good = False
        if not good:
            raise _corrupted(run, step, "its checksum is wrong")
        decode = self._texts.decode
        place = f"{run}@{step}"
        try:
            return MutationRecord(
                run, step, frame, node, visit, outcome, next, edge,
                decode(mutations, f"{place} mutations", texts), time, duration, attempt, cost, error,
                place if flag else "", names[hash],
                decode(detail, f"{place} detail", texts) if detail else "",
            )  # fmt: skip
        except CheckpointCorrupted as damage:
            raise damage.at(run=run, step=step) from damage.__cause__

    # --- writing --------------------------------------------------------------------------------------

    async def append(self, records: Sequence[MutationRecord]) -> None:
        """Add the next steps of runs, all or none, without asking for a token."""
        hashes = {record.hash: await self._heads.hash_key(record.hash) for record in records}

        async def work(transaction: Transaction) -> None:
            ends: dict[str, Head] = {}
            for run in sorted({record.run for record in records}):
                ends[run] = await self._heads.history(transaction, run)
            for record in records:
                head = ends[record.run]
                if record.step != head.step + 1:
                    raise out_of_order(record, head.step)
                made = row(self._texts, record, head, hashes[record.hash])
                await self._texts.keep(transaction, head.key, made.values)
                await transaction.rows(_APPEND, values_of(made))
                ends[record.run] = made.head

        try:
            await self._server.write(work)
        finally:
            for record in records:
                self._heads.drop(record.run)

    async def truncate(self, run: str, keep_from_step: int) -> int:
        """Delete the steps before; how many went."""

        async def work(transaction: Transaction) -> int:
            head = await self._heads.locked(transaction, run)
            if head is None:
                return 0
            base = min(keep_from_step, head.step + 1) - 1
            if base <= head.base:
                return 0
            found = await transaction.row(
                "SELECT sum FROM ~log WHERE run = $1 AND step = $2", (head.key, base)
            )
            if found is None:
                raise CheckpointCorrupted(f"step {base} is missing from the log", run=run, step=base)
            await transaction.rows(
                "UPDATE ~history SET base = $1, base_sum = $2 WHERE key = $3", (base, found[0], head.key)
            )
            gone = await transaction.count("DELETE FROM ~log WHERE run = $1 AND step <= $2", (head.key, base))
            await self._texts.release(transaction, head.key)
            return gone

        try:
            return await self._server.write(work)
        finally:
            self._heads.drop(run)


def _corrupted(run: str, step: int, why: str) -> CheckpointCorrupted:
    return CheckpointCorrupted(f"record {step} of the log is not what was written: {why}", run=run, step=step)
