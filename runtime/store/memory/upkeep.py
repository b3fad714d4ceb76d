"""Looking after a store in memory: deleting runs, counting what there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..records import Damage, MutationRecord, RunRecord, RunSize, RunStatus, StoreStats
from ..refusals import changed
from .checkpoints import MemoryCheckpoints
from .history import History, checkpoints_of

_BIGGEST = 10


class MemoryUpkeep(MemoryCheckpoints):
    """What is kept, and how it is looked after."""

    async def delete_run(self, run: str, *, expect: RunRecord | None = None) -> bool:
        """Really delete a run with all that belongs to it; whether it was there. Raises RunFenced."""
        history = self._histories.get(run)
        if history is None:
            return False
        if expect is not None and (
            history.run is None or (history.fence, history.run.status) != (expect.fence, expect.status)
        ):
            raise changed(run)
        del self._histories[run]
        self._floor = max(self._floor, history.fence)
        self._changes += 1
        return True

    async def stats(self) -> StoreStats:
        """How much there is; bytes are those of the texts."""
        histories = self._histories
        runs: Counter[RunStatus] = Counter(h.run.status for h in histories.values() if h.run is not None)
        bytes = {
            "log": sum(map(_log_bytes, histories.values())),
            "snapshots": sum(map(_snapshot_bytes, histories.values())),
            "values": 0,
            "graphs": _size(self._graphs.values()),
            "other": sum(map(_other_bytes, histories.values())),
        }
        sizes = [RunSize(run, len(h.log), _log_bytes(h) + _snapshot_bytes(h)) for run, h in histories.items()]
        return StoreStats(
            dict(runs),
            sum(len(h.log) for h in histories.values()),
            sum(len(checkpoints_of(run, h)) for run, h in histories.items()),
            sum(bool(one.snapshot) for h in histories.values() for one in h.checkpoints.values()),
            sum(len(h.decisions) for h in histories.values()),
            len(self._graphs),
            0,
            bytes | {"total": sum(bytes.values())},
            biggest=sorted(sizes, key=lambda one: (-one.bytes, one.run))[:_BIGGEST],
        )

    async def verify(self) -> Sequence[Damage]:
        """Nothing: memory does not rot."""
        return ()

    async def shrink(self) -> None:
        """Nothing to do: what was deleted is gone."""


def _size(texts: Iterable[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def _record_bytes(record: MutationRecord) -> int:
    return 80 + _size((record.mutations, record.detail, record.frame, record.node, record.error))


def _log_bytes(history: History) -> int:
    return sum(map(_record_bytes, history.log))


def _snapshot_bytes(history: History) -> int:
    return _size(one.snapshot for one in history.checkpoints.values())


def _other_bytes(history: History) -> int:
    run = history.run
    texts = [text for one in history.decisions for text in (one.arguments, one.mutations)]
    return _size([*texts, run.input, run.launch, run.error] if run is not None else texts)
