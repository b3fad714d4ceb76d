"""What has to be looked up before a commit can be written, and why one was refused."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import LgcError, StorageError
from ..records import Commit
from ..refusals import out_of_order, unknown
from ..seals import seal
from .commits import Extra
from .heads import Heads
from .rows import decision_seal
from .server import Server

_DECISION = "SELECT run, barrier, node, answer, arguments, mutations, actor, time, step, seal FROM ~decision"


class Lookup:
    """Asks the store what is not remembered."""

    def __init__(self, server: Server, heads: Heads) -> None:
        self._server = server
        self._heads = heads

    async def hashes(self, commit: Commit) -> dict[str, int]:
        """The numbers of the graph hashes in a commit."""
        found: dict[str, int] = {}
        for part in (commit.record, commit.snapshot, *commit.kept):
            if part is not None:
                found[part.hash] = await self._heads.hash_key(part.hash)
        if commit.override is not None:
            found[commit.override.actual] = await self._heads.hash_key(commit.override.actual)
        return found

    async def ends(self, commits: Iterable[Commit]) -> None:
        """Remember the ends of the logs of commits, looking again where a step is not behind the end."""
        runs: set[str] = set()
        for commit in commits:
            head = self._heads.ends.get(commit.run)
            record = commit.record
            if head is None or (record is not None and record.step != head.step + 1):
                runs.add(commit.run)
        if runs:
            await self._heads.remember_all(runs)

    async def extra(self, commit: Commit, hashes: dict[str, int]) -> Extra:
        """What else a commit needs. Raises StorageError where its decision does not wait."""
        step = -1 if commit.record is None else commit.record.step
        decision = await self._decision(commit, commit.decision, step) if commit.decision else None
        aside = [(id, (await self._decision(commit, id, -1))[1]) for id in commit.aside]
        reseal = await self._reseal(commit, hashes) if commit.override is not None else None
        return Extra(hashes, decision, reseal, aside)

    async def _decision(self, commit: Commit, id: int, step: int) -> tuple[bytes, bytes]:
        """The seal that a decision has now, and the one that it gets when a step has applied it."""
        run = commit.run
        head = self._heads.ends[run]
        row = await self._server.row(f"{_DECISION} WHERE key = $1", (id,))
        if row is None or row[0] != head.key:
            raise StorageError(f"the run has no decision {id}", run=run)
        decision_seal(run, id, row, demand=row[9])
        if row[8]:
            raise StorageError(f"decision {id} has already been applied", run=run, step=max(row[8], 0))
        return row[9], decision_seal(run, id, (*row[:8], step))

    async def _reseal(self, commit: Commit, hashes: dict[str, int]) -> bytes:
        assert commit.override is not None
        row = await self._server.row(
            "SELECT r.key, h.run, r.graph, r.input, r.created, r.launch, r.parent FROM ~run r"
            " JOIN ~history h ON h.key = r.key WHERE h.run = $1",
            (commit.run.encode(),),
        )
        if row is None:
            raise unknown(commit.run)
        return seal(*row[:3], hashes[commit.override.actual], *row[3:])

    async def refusal(self, commit: Commit) -> LgcError | None:
        """Why a commit was not written; None where nothing speaks against it any more."""
        run, record = commit.run, commit.record
        try:
            await self._heads.demand(run, commit.fence)
            await self._heads.remember_all((run,))
            head = self._heads.ends.get(run)
        except LgcError as error:
            return error
        if head is None:
            return unknown(run)
        if record is not None and record.step != head.step + 1:
            return out_of_order(record, head.step)
        return None
