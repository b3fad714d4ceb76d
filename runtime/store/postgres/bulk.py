"""From a PostgreSQL database to the histories of many runs, with one statement for each table."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence

from ...errors import CheckpointCorrupted, LgcError
from ..bulk import History, sound
from ..records import CheckpointRecord, MutationRecord
from .checkpoints import Checkpoints
from .heads import Head, Heads
from .log import SELECT as STEP
from .log import Log
from .names import utf8
from .server import Row, Server
from .texts import Texts

_NEWEST = """
SELECT DISTINCT ON (c.run) c.key, c.id, c.run, c.step, c.hash, c.created, c.snapshot, c.seal, c.listed
FROM ~checkpoint c JOIN ~history h ON h.key = c.run WHERE h.run = ANY($1) AND c.snapshot <> ''
ORDER BY c.run, c.step DESC, c.key DESC
"""
_MORE = (
    "SELECT run FROM ~decision WHERE run = ANY($1) UNION SELECT run FROM ~override WHERE run = ANY($1)"
    " UNION SELECT run FROM ~attempt WHERE run = ANY($1)"
)
# So many characters of logs are held at a time; runs beyond that are left out.
_ROOM = 64 << 20


class Bulk:
    """Reads many runs at a time. What is not as it should be is left to the reading of a single run.

    Snapshots are read before logs: what is committed in between makes a log longer, and no snapshot newer.
    """

    def __init__(
        self, server: Server, heads: Heads, texts: Texts, log: Log, checkpoints: Checkpoints
    ) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts
        self._log = log
        self._checkpoints = checkpoints

    async def histories(self, runs: Sequence[str], most: int) -> Mapping[str, History]:
        """The histories of runs, each of one moment. Raises StorageError."""
        try:
            snapshots, bad = await self._snapshots(runs)
            heads = {
                head.key: (run, head)
                for run, head in (await self._heads.find_all(runs)).items()
                if head.step - head.base <= most and head.key not in bad
            }
            logs = await self._logs(heads)
            more = {row[0] for row in await self._server.rows(_MORE, (list(heads),))}
        except CheckpointCorrupted:
            return {}
        by_run = {run: key for key, (run, _) in heads.items() if key in logs}
        found: dict[str, History] = {}
        for run in runs:
            key = by_run.get(run)
            if key is not None and sound(snapshots.get(key), logs[key]):
                found[run] = History(snapshots.get(key), logs[key], key in more)
        return found

    async def _snapshots(self, runs: Sequence[str]) -> tuple[dict[int, CheckpointRecord], set[int]]:
        """The newest snapshots, and the runs whose newest one is bad."""
        found: dict[int, CheckpointRecord] = {}
        bad: set[int] = set()
        rows = await self._server.rows(_NEWEST, ([utf8(run, "run id") for run in runs],))
        for row in rows:
            try:
                found[row[2]] = await self._checkpoints.record(row)
            except CheckpointCorrupted:
                bad.add(row[2])
        return found, bad

    async def _logs(self, heads: Mapping[int, tuple[str, Head]]) -> dict[int, list[MutationRecord]]:
        select = STEP.replace("SELECT step", "SELECT run, step")
        rows = await self._server.rows(f"{select} WHERE run = ANY($1) ORDER BY run, step", (list(heads),))
        texts = await self._texts.fetch(column for row in rows for column in (row[8], row[16]))
        names = await self._heads.hash_texts({row[15] for row in rows})
        by_run: dict[int, list[Row]] = {key: [] for key in heads}
        for row in rows:
            by_run[row[0]].append(row)
        found: dict[int, list[MutationRecord]] = {}
        room = _ROOM
        # Nothing here makes cycles; the collector would only walk over what was just read.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for key, (run, head) in heads.items():
                log = self._checked(run, head, by_run[key], texts, names)
                if log is not None:
                    room -= sum([len(record.mutations) + len(record.detail) for record in log])
                    if room < 0:
                        break
                    found[key] = log
        finally:
            if collecting:
                gc.enable()
        return found

    def _checked(
        self, run: str, head: Head, rows: Sequence[Row], texts: Mapping[bytes, str], names: Mapping[int, str]
    ) -> list[MutationRecord] | None:
        log: list[MutationRecord] = []
        before = head.base_sum
        try:
            for step, row in enumerate(rows, head.base + 1):
                log.append(self._log.record(run, step, before, row[1:], texts, names))
                before = row[17]
        except LgcError:
            return None
        return log if head.base + len(log) >= head.step else None
