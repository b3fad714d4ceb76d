"""Looking after a store in PostgreSQL: deleting runs, counting what there is, giving space back."""

from __future__ import annotations

from ..records import Damage, RunRecord, RunSize, RunStatus, StoreStats
from ..refusals import changed
from .heads import Heads
from .server import Server, Transaction
from .tables import OF_A_RUN
from .texts import Texts

_BIGGEST = 10
_LOG_BYTES = (
    "octet_length(mutations) + octet_length(detail) + octet_length(frame) + octet_length(node)"
    " + octet_length(error) + 80"
)
_TABLES = ("meta", "graph", "history", "run", "value", *OF_A_RUN)

_REMEMBER = """
INSERT INTO ~meta (name, value) VALUES ('fence', $1) ON CONFLICT (name) DO UPDATE
SET value = greatest(~meta.value::bigint, excluded.value::bigint)::text
"""
# One with a snapshot of its own mostly has a flag in the log, too.
_ALONE = """
SELECT count(*) FROM ~checkpoint c WHERE c.listed <> 0 AND NOT EXISTS (SELECT 1 FROM ~log l
 JOIN ~history h ON h.key = l.run WHERE l.run = c.run AND l.step = c.step AND l.checkpoint = 1
 AND c.id = h.run || convert_to('@' || c.step, 'UTF8'))
"""
_SIZES = f"""
SELECT h.run, sum(t.steps)::bigint, sum(t.bytes)::bigint FROM (
 SELECT run, count(*) AS steps, sum({_LOG_BYTES}) AS bytes FROM ~log GROUP BY run
 UNION ALL SELECT run, 0, sum(octet_length(snapshot)) FROM ~checkpoint GROUP BY run
) t JOIN ~history h ON h.key = t.run GROUP BY h.run ORDER BY 3 DESC, 1 LIMIT $1
"""


class Upkeep:
    """Deletes and counts."""

    def __init__(self, server: Server, heads: Heads, texts: Texts) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts

    async def delete_run(self, run: str, expect: RunRecord | None) -> bool:
        """Delete a run with all that belongs to it. Raises RunFenced."""

        async def work(transaction: Transaction) -> bool:
            head = await self._heads.locked(transaction, run)
            if head is None:
                return False
            rows = transaction.rows
            # A commit under way holds the row; one that comes later does not find it any more.
            row = await transaction.row(
                "SELECT fence, status FROM ~run WHERE key = $1 FOR UPDATE", (head.key,)
            )
            if expect is not None and (row is None or tuple(row) != (expect.fence, str(expect.status))):
                raise changed(run)
            values = await rows("SELECT value FROM ~value_use WHERE run = $1", (head.key,))
            for table in OF_A_RUN:
                await rows(f"DELETE FROM ~{table} WHERE run = $1", (head.key,))
            await rows("DELETE FROM ~run WHERE key = $1", (head.key,))
            await rows("DELETE FROM ~history WHERE key = $1", (head.key,))
            await self._texts.delete_unused(transaction, [value[0] for value in values])
            if row is not None:
                await rows(_REMEMBER, (str(row[0]),))
            return True

        try:
            return await self._server.write(work)
        finally:
            self._heads.drop(run)

    async def stats(self) -> StoreStats:
        """How much there is."""
        known = {str(status): status for status in RunStatus}
        runs = await self._server.rows("SELECT status, count(*) FROM ~run GROUP BY status")
        tables = [self._server.prefix + table for table in _TABLES]
        bytes = {
            "log": await self._number(f"SELECT sum({_LOG_BYTES})::bigint FROM ~log"),
            "snapshots": await self._number("SELECT sum(octet_length(snapshot))::bigint FROM ~checkpoint"),
            "values": await self._number("SELECT sum(octet_length(data))::bigint FROM ~value"),
            "graphs": await self._number("SELECT sum(octet_length(canonical))::bigint FROM ~graph"),
            "other": await self._number(
                "SELECT sum(octet_length(input) + octet_length(launch) + octet_length(error))::bigint"
                " FROM ~run"
            )
            + await self._number(
                "SELECT sum(octet_length(arguments) + octet_length(mutations))::bigint FROM ~decision"
            ),
            "total": await self._number(
                "SELECT sum(pg_total_relation_size(t::regclass))::bigint FROM unnest($1::text[]) t", tables
            ),
        }
        biggest = await self._server.rows(_SIZES, (_BIGGEST,))
        return StoreStats(
            {known[status]: count for status, count in runs if status in known},
            await self._number("SELECT count(*) FROM ~log"),
            await self._number(_ALONE) + await self._number("SELECT count(*) FROM ~log WHERE checkpoint = 1"),
            await self._number("SELECT count(*) FROM ~checkpoint WHERE snapshot <> ''"),
            await self._number("SELECT count(*) FROM ~decision"),
            await self._number("SELECT count(*) FROM ~graph WHERE canonical IS NOT NULL"),
            await self._number("SELECT count(*) FROM ~value"),
            bytes,
            0,
            [RunSize(name.decode(errors="replace"), steps, size) for name, steps, size in biggest],
        )

    async def _number(self, sql: str, *values: object) -> int:
        row = await self._server.row(sql, values)
        return int(row[0] or 0) if row is not None else 0

    async def orphans(self) -> list[Damage]:
        """Records that belong to no run, so that reading the runs does not find them."""
        found: list[Damage] = []
        for table in ("run", *OF_A_RUN):
            column = "key" if table == "run" else "run"
            count = await self._number(
                f"SELECT count(*) FROM ~{table} t WHERE NOT EXISTS (SELECT 1 FROM ~history h"
                f" WHERE h.key = t.{column})"
            )
            if count:
                found.append(Damage(f"{count} records of the table `{table}` belong to no run"))
        return found

    async def shrink(self) -> None:
        """Rewrite the tables without the space of what was deleted. Others wait meanwhile."""
        await self._server.change(f"VACUUM (FULL, ANALYZE) {_all('~')}")


def _all(prefix: str) -> str:
    return ", ".join(prefix + table for table in _TABLES)
