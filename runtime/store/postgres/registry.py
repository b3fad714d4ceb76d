"""Graphs and runs in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import time

from ...errors import CheckpointCorrupted, RunExists
from ..records import RunRecord, RunStatus
from ..refusals import fenced, unknown
from ..seals import seal
from .heads import Heads
from .names import named, utf8
from .server import Row, Server, Transaction
from .texts import Texts, Values

_RUN = (
    "SELECT r.key, h.run, r.graph, r.hash, r.status, r.input, r.created, r.updated, r.owner, r.fence,"
    " r.error, r.launch, r.parent, r.lease, r.seal,"
    # The row of a run is not touched at each step; its last record knows when that was.
    " (SELECT l.time FROM ~log l WHERE l.run = r.key ORDER BY l.step DESC LIMIT 1)"
    " FROM ~run r JOIN ~history h ON h.key = r.key"
)
_CREATE = """
INSERT INTO ~run (key, graph, hash, status, input, created, updated, owner, fence, error, launch, parent,
 lease, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (key) DO NOTHING RETURNING key
"""
# One statement: nobody is kept waiting by a process that is paused between two. A commit under way is waited
# for, and one that comes later looks at the new token. Tokens of deleted runs are never given out again.
_TAKE = """
UPDATE ~run r SET fence = 1 + greatest(r.fence,
  (SELECT max(m.value::bigint) FROM ~meta m WHERE m.name = 'fence')), owner = $2, updated = $3, lease = $4
FROM ~history h WHERE h.run = $1 AND r.key = h.key AND ($5::bigint IS NULL OR (r.fence = $5 AND r.lease = $6))
RETURNING r.fence
"""


class Registry:
    """What is kept about graphs and runs besides logs and checkpoints."""

    def __init__(self, server: Server, heads: Heads, texts: Texts) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts
        self.warnings: list[str] = []

    # --- graphs ---------------------------------------------------------------------------------------

    async def has_graph(self, hash: str) -> bool:
        """Whether the canonical form of a hash is kept."""
        row = await self._server.row(
            "SELECT 1 FROM ~graph WHERE hash = $1 AND canonical IS NOT NULL", (utf8(hash, "graph hash"),)
        )
        return row is not None

    async def put_graph(self, hash: str, name: str, canonical: str) -> None:
        """Keep a canonical form, the first one for each hash."""
        if await self.has_graph(hash):
            return
        key = await self._heads.hash_key(hash)
        data, text = utf8(name, "graph name"), utf8(canonical, "canonical form")
        await self._server.change(
            "UPDATE ~graph SET name = $1, canonical = $2, seal = $3 WHERE key = $4 AND canonical IS NULL",
            (data, text, seal(key, utf8(hash, "graph hash"), data, text), key),
        )

    async def get_graph(self, hash: str) -> str | None:
        """The canonical form of a hash. Raises CheckpointCorrupted."""
        data = utf8(hash, "graph hash")
        row = await self._server.row("SELECT key, name, canonical, seal FROM ~graph WHERE hash = $1", (data,))
        if row is None or row[2] is None:
            return None
        if row[3] != seal(row[0], data, row[1], row[2]):
            raise CheckpointCorrupted(f"the canonical form of graph {hash[:20]} is not what was written")
        return named(row[2], "a canonical form")

    # --- runs -----------------------------------------------------------------------------------------

    async def create_run(self, run: RunRecord) -> None:
        """Add a run. Raises RunExists."""
        hash = await self._heads.hash_key(run.hash)
        values: Values = {}
        input = self._texts.encode(run.input, f"{run.run} input", values)
        launch = self._texts.encode(run.launch, f"{run.run} launch", values) if run.launch else b""
        graph, owner, error, parent = (
            utf8(text, f"run {run.run!a}") for text in (run.graph, run.owner, run.error, run.parent)
        )
        id, created = utf8(run.run, "run id"), run.created + 0.0

        async def work(transaction: Transaction) -> None:
            key = (await self._heads.history(transaction, run.run)).key
            await self._texts.keep(transaction, key, values)
            sealed = seal(key, id, graph, hash, input, created, launch, parent)
            made = await transaction.rows(
                _CREATE,
                (
                    key, graph, hash, str(run.status), input, created, run.updated + 0.0, owner, run.fence,
                    error, launch, parent, run.lease + 0.0, sealed,
                ),
            )  # fmt: skip
            if not made:
                raise RunExists("a run of this id is already in the store", run=run.run)

        try:
            await self._server.write(work)
        finally:
            self._heads.drop(run.run)

    async def get_run(self, run: str) -> RunRecord:
        """By id. Raises RunNotFound, CheckpointCorrupted."""
        row = await self._server.row(f"{_RUN} WHERE h.run = $1", (utf8(run, "run id"),))
        if row is None:
            raise unknown(run)
        texts = await self._texts.fetch((row[5], row[11]))
        with suppress(CheckpointCorrupted):
            await self._heads.hash_texts({row[3]})
        return self._run(row, texts)

    async def list_runs(self, status: RunStatus | None, graph: str | None) -> Sequence[RunRecord]:
        """Runs, newest first. One that is damaged is noted in `warnings` and left out."""
        tests: list[str] = []
        values: list[object] = []
        if status is not None:
            values.append(str(status))
            tests.append(f"r.status = ${len(values)}")
        if graph is not None:
            values.append(utf8(graph, "graph name"))
            tests.append(f"r.graph = ${len(values)}")
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        rows = await self._server.rows(f"{_RUN}{where} ORDER BY r.created DESC, r.key DESC", values)
        texts = await self._texts.fetch(column for row in rows for column in (row[5], row[11]))
        with suppress(CheckpointCorrupted):
            await self._heads.hash_texts({row[3] for row in rows})
        found: list[RunRecord] = []
        for row in rows:
            try:
                found.append(self._run(row, texts))
            except CheckpointCorrupted as error:
                name = row[1].decode(errors="replace")
                self.warnings.append(f"run {name} is passed over: {error.message}")
        return found

    def _run(self, row: Row, texts: Mapping[bytes, str]) -> RunRecord:
        (key, id, graph, hash, status, input, created, updated, owner, fence, error, launch, parent,
         lease, checksum, last) = row  # fmt: skip
        run = id.decode(errors="replace")
        if checksum != seal(key, id, graph, hash, input, created, launch, parent):
            raise CheckpointCorrupted("the run is not what was written: its checksum is wrong", run=run)
        try:
            known = RunStatus(status)
        except ValueError:
            raise CheckpointCorrupted(f"the run has the unknown status {status!a}", run=run) from None
        decode = self._texts.decode
        try:
            return RunRecord(
                run, named(graph, "a graph's name"), self._heads.hash_text(hash), known,
                decode(input, f"{run} input", texts), created,
                updated if last is None else max(updated, last), owner.decode(errors="replace"), fence,
                error.decode(errors="replace"), decode(launch, f"{run} launch", texts) if launch else "",
                named(parent, "a run's parent"), lease,
            )  # fmt: skip
        except CheckpointCorrupted as damage:
            raise damage.at(run=run) from damage.__cause__

    async def take(self, run: str, owner: str, expect: RunRecord | None, lease: float) -> int:
        """Raise the token of a run; the new one. Raises RunNotFound, RunFenced."""
        self._heads.drop(run)
        given = (None, None) if expect is None else (expect.fence, expect.lease + 0.0)
        values = (utf8(run, "run id"), utf8(owner, "owner"), time(), lease + 0.0, *given)
        taken = await self._server.change(_TAKE, values)
        if taken:
            return int(taken[0][0])
        now = await self._server.row(
            "SELECT r.fence, r.owner FROM ~run r JOIN ~history h ON h.key = r.key WHERE h.run = $1",
            (utf8(run, "run id"),),
        )
        if now is None or expect is None:
            raise unknown(run)
        raise fenced(run, expect.fence, now[0], now[1].decode(errors="replace"))
