"""What a process remembers of a store: where logs end, and the numbers of graphs.

A step needs one statement and no question because of it. What is remembered moves only after the server has
confirmed a commit, and is thrown away after any error.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeAlias

from ...errors import CheckpointCorrupted
from ..refusals import fenced, unknown
from ..seals import first_sum, seal
from .names import utf8
from .server import Server, Transaction

Visit: TypeAlias = tuple[str, str, int]  # frame, node, visit

_HEAD = """
SELECT h.run, h.key, h.base, h.base_sum, l.step, l.sum,
 (SELECT array_agg(a.frame ORDER BY a.key) FROM ~attempt a WHERE a.run = h.key),
 (SELECT array_agg(a.node ORDER BY a.key) FROM ~attempt a WHERE a.run = h.key),
 (SELECT array_agg(a.visit ORDER BY a.key) FROM ~attempt a WHERE a.run = h.key)
FROM ~history h LEFT JOIN LATERAL
 (SELECT step, sum FROM ~log WHERE run = h.key ORDER BY step DESC LIMIT 1) l ON true
WHERE h.run = ANY($1)
"""
# Enough for the runs that a process drives at once; the rest is looked up again.
_REMEMBERED = 10_000


class Head(NamedTuple):
    """Where the log of a run ends. `base` is the last step that was truncated."""

    key: int
    base: int
    base_sum: bytes
    step: int
    sum: bytes
    open: frozenset[Visit]  # visits with an attempt that is not settled


class Heads:
    """Remembers ends of logs and numbers of graphs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.ends: dict[str, Head] = {}
        self.hashes: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def drop(self, run: str) -> None:
        """Forget the end of one run's log."""
        self.ends.pop(run, None)

    def remember(self, run: str, head: Head) -> None:
        """Keep the end of a run's log in mind."""
        if len(self.ends) >= _REMEMBERED and run not in self.ends:
            self.ends.clear()
        self.ends[run] = head

    # --- runs -----------------------------------------------------------------------------------------

    async def find(self, run: str) -> Head | None:
        """The end of a run's log as it is stored now, None where the store has never heard of the run.

        Nothing is remembered: a commit that is under way may already have moved it.
        """
        return (await _look(self._server, (run,))).get(run)

    async def find_all(self, runs: Collection[str]) -> dict[str, Head]:
        """The same for many; runs that the store has never heard of are left out."""
        return await _look(self._server, runs)

    async def remember_all(self, runs: Collection[str]) -> None:
        """Remember the ends of the logs of runs as they are stored now. Only while no commit is under way."""
        for run in runs:
            self.drop(run)
        for run, head in (await _look(self._server, runs)).items():
            self.remember(run, head)

    async def locked(self, work: Transaction, run: str) -> Head | None:
        """The end of a run's log, which nobody without a token can move until the transaction ends."""
        self.drop(run)
        await work.rows("SELECT key FROM ~history WHERE run = $1 FOR UPDATE", (utf8(run, "run id"),))
        return (await _look(work, (run,))).get(run)

    async def history(self, work: Transaction, run: str) -> Head:
        """The same, adding the run where it is new."""
        await work.rows(
            "INSERT INTO ~history (run, base, base_sum) VALUES ($1, 0, $2) ON CONFLICT (run) DO NOTHING",
            (utf8(run, "run id"), first_sum(run)),
        )
        found = await self.locked(work, run)
        if found is None:
            raise unknown(run)
        return found

    async def demand(self, run: str, fence: int) -> None:
        """Raise RunFenced or RunNotFound unless the run's token is `fence`."""
        row = await self._server.row(
            "SELECT r.fence, r.owner FROM ~run r JOIN ~history h ON h.key = r.key WHERE h.run = $1",
            (utf8(run, "run id"),),
        )
        if row is None:
            raise unknown(run)
        if row[0] != fence:
            raise fenced(run, fence, row[0], row[1].decode(errors="replace"))

    # --- graphs ---------------------------------------------------------------------------------------

    async def hash_key(self, hash: str) -> int:
        """The number of a graph hash, given out where it is new. In a transaction of its own: a number that
        nothing uses does no harm."""
        key = self.hashes.get(hash)
        if key is None:
            row = await self._server.row(
                "SELECT key FROM ~graph WHERE hash = $1", (utf8(hash, "graph hash"),)
            )
            if row is None:
                row = await self._server.write(lambda work: _new_hash(work, hash))
            key = self.hashes[hash] = int(row[0])
        return key

    async def hash_texts(self, keys: set[int]) -> dict[int, str]:
        """The graph hashes of numbers. Raises CheckpointCorrupted."""
        missing = [key for key in keys if key not in self._names]
        if missing:
            rows = await self._server.rows(
                "SELECT key, hash, name, canonical, seal FROM ~graph WHERE key = ANY($1)", (missing,)
            )
            for key, hash, name, canonical, checksum in rows:
                if checksum == seal(key, hash, name, canonical):
                    self._names[key] = hash.decode()
        for key in missing:
            if key not in self._names:
                raise CheckpointCorrupted(f"the stored graph number {key} is not what was written")
        return self._names

    def hash_text(self, key: int) -> str:
        """The same for one that was asked for before. Raises CheckpointCorrupted."""
        text = self._names.get(key)
        if text is None:
            raise CheckpointCorrupted(f"the stored graph number {key} is not what was written")
        return text


async def _look(place: Server | Transaction, runs: Collection[str]) -> dict[str, Head]:
    found: dict[str, Head] = {}
    for row in await place.rows(_HEAD, ([utf8(run, "run id") for run in runs],)):
        run, key, base, base_sum, step, sum, frames, nodes, visits = row
        visited = zip(frames or (), nodes or (), visits or (), strict=True)
        tried = frozenset((frame.decode(), node.decode(), visit) for frame, node, visit in visited)
        step, sum = (base, base_sum) if step is None else (step, sum)
        found[run.decode()] = Head(key, base, base_sum, step, sum, tried)
    return found


async def _new_hash(work: Transaction, hash: str) -> tuple[int]:
    row = await work.row("SELECT nextval(pg_get_serial_sequence($1, 'key'))", (work.prefix + "graph",))
    assert row is not None
    data = utf8(hash, "graph hash")
    await work.rows(
        "INSERT INTO ~graph (key, hash, name, canonical, seal) VALUES ($1, $2, '', NULL, $3)"
        " ON CONFLICT (hash) DO NOTHING",
        (row[0], data, seal(row[0], data, b"", None)),
    )
    found = await work.row("SELECT key FROM ~graph WHERE hash = $1", (data,))
    assert found is not None
    return (int(found[0]),)
