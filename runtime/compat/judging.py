"""From many runs of a store to their verdicts: runs in the same situation are judged once.

Everything is read without leases, tokens or locks. A run that somebody goes on with meanwhile is judged as it
was at one moment; whoever asks finds out afterwards whether it has been moved or has ended (see `drift`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..errors import CheckpointCorrupted, LgcError, RunNotFound, StorageError, text_of
from ..forms.version import Version, version_from
from ..store.bulk import BATCH, History, histories
from ..store.protocols import Store
from ..store.records import RunRecord
from .depends import Depends
from .held import Held
from .judge import Judge
from .kinds import condition_of
from .situation import Facts, Reader, Situation
from .verdict import Reason, RunVerdict, Verdict

# Longer logs are read piece by piece, by the judge alone.
LONGEST = 5000
# So many verdicts are remembered for runs in the same situation.
_REMEMBERED = 20_000

# What these tell of a run holds of every run that went the same way. The others may tell its values.
_SAID_OF_ALL = frozenset({
    "routed-elsewhere", "unrouted", "visited-node-gone", "visited-kind-changed", "visited-region-changed",
    "not-recordable", "started-elsewhere", "steps-exceeded", "steps-gone", "node-gone", "region-changed",
    "kind-changed", "runs-another-graph", "branch-gone", "decision-gone", "decision-parameters-changed",
    "reroute-gone", "modify-gone", "field-gone", "field-without-value", "function-changed",
    "version-unreadable",
})  # fmt: skip

Progress = Callable[[int], None]


class Sharing:
    """Judges runs of one version for another, and remembers situations."""

    def __init__(self, old: Version, new: Version) -> None:
        self._judge = Judge(old, new)
        self._reader = Reader(Depends(old, new))
        self._alike: OrderedDict[bytes, RunVerdict] = OrderedDict()
        self._exact: OrderedDict[Situation, RunVerdict] = OrderedDict()

    async def judge(self, store: Store, run: RunRecord, history: History | None) -> RunVerdict:
        """The verdict for a run. Raises what the judge raises."""
        if history is None:
            return await self._judge.judge(store, run)
        facts = Facts(run, history)
        if history.more:
            name = run.run
            more = await store.decisions(name), await store.attempts(name), await store.overrides(name)
            facts = Facts(run, history, *more)
        try:
            situation = self._reader.situation(facts)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return await self._judge.judge(store, run)
        known = self._alike.get(situation.alike) or self._exact.get(situation)
        if known is not None:
            return of_run(known, run.run)
        held = Held(store, facts)
        found = await self._judge.judge(held.store, run)
        if not held.asked:
            self._remember(situation, found)
        return found

    def _remember(self, situation: Situation, found: RunVerdict) -> None:
        if all(reason.kind in _SAID_OF_ALL for reason in found.reasons):
            _keep(self._alike, situation.alike, found)
        else:
            _keep(self._exact, situation, found)


def of_run(known: RunVerdict, run: str) -> RunVerdict:
    """The same verdict for another run. (`dataclasses.replace` takes several times as long.)"""
    return RunVerdict(
        run, known.graph, known.old, known.new, known.verdict, known.step, known.parked, known.reasons,
        known.risks, known.notes,
    )  # fmt: skip


def _keep(known: OrderedDict[Any, RunVerdict], key: Any, found: RunVerdict) -> None:
    known[key] = found
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


class Judges:
    """Judges runs of any version, each for the version of its graph's name."""

    def __init__(self, store: Store, versions: Mapping[str, Version]) -> None:
        self._store = store
        self._versions = versions
        self._known: dict[tuple[str, str], Sharing | str] = {}

    async def judge(self, run: RunRecord, history: History | None, *, last: bool = False) -> RunVerdict:
        """The verdict for a run, also where it or its graph cannot be read.

        What goes wrong is tried once more (unless `last`): somebody may have moved the run to another graph,
        or cut its log, just when it was read.

        Raises:
            RunNotFound: it is no longer there.
            StorageError: the store cannot be read at all.
        """
        new = self._versions.get(run.graph)
        if new is None:
            return refused(run, "", "graph-gone", "graph", f"there is no graph `{run.graph}`")
        sharing = await self._sharing(run.hash, new)
        if isinstance(sharing, str):
            return refused(run, new.hash, "form-missing", "graph", sharing)
        try:
            return await sharing.judge(self._store, run, history)
        except RunNotFound:
            raise
        except Exception as error:
            if _of_the_store(error):
                raise
            if last:
                return _unreadable(run, new.hash, error)
        return await self.judge(await self._again(run), None, last=True)

    async def _again(self, run: RunRecord) -> RunRecord:
        """The run as it is now; as it was, where its row is damaged."""
        try:
            return await self._store.get_run(run.run)
        except CheckpointCorrupted:
            return run

    async def _sharing(self, hash: str, new: Version) -> Sharing | str:
        """Who judges runs under a hash; why nobody can, where the form of their graph is not there."""
        found = self._known.get((hash, new.hash))
        if found is None:
            found = self._known[hash, new.hash] = await self._made(hash, new)
        return found

    async def _made(self, hash: str, new: Version) -> Sharing | str:
        if hash == new.hash:
            return Sharing(new, new)
        try:
            old = await version_from(hash, self._store.get_graph)
            if old is None:
                return f"the store does not hold the graph {_short(hash)} that the run is under"
            return Sharing(old, new)
        except Exception as error:
            if _of_the_store(error):
                raise
            return f"the stored graph {_short(hash)} cannot be read: {_told(error)}"


async def judged(
    store: Store, versions: Mapping[str, Version], runs: Sequence[RunRecord], progress: Progress | None = None
) -> list[RunVerdict]:
    """The verdicts of runs under the versions of their graphs, in the same order.

    A run that is no longer there is left out.

    Args:
        versions: by the names of graphs.
        progress: is told how many more runs are done.

    Raises StorageError where the store cannot be read at all.
    """
    judges = Judges(store, versions)
    found: list[RunVerdict] = []
    for batch in _batches(runs):
        known = await histories(store, [run.run for run in batch if run.graph in versions], LONGEST)
        for run in batch:
            with suppress(RunNotFound):
                found.append(await judges.judge(run, known.get(run.run)))
            if progress is not None:
                progress(1)
        await asyncio.sleep(0)
    return found


def _batches(runs: Sequence[RunRecord]) -> Iterator[Sequence[RunRecord]]:
    for first in range(0, len(runs), BATCH):
        yield runs[first : first + BATCH]


# --- runs that cannot be judged -----------------------------------------------------------------------------


def refused(
    run: RunRecord, new: str, kind: str, element: str, text: str, step: int | None = None
) -> RunVerdict:
    """The verdict for a run of which nothing else can be said."""
    reason = Reason(kind, condition_of(kind), element, text, step=step)
    return RunVerdict(run.run, run.graph, run.hash, new, Verdict.INCOMPATIBLE, reasons=(reason,))


def _unreadable(run: RunRecord, new: str, error: Exception) -> RunVerdict:
    step = error.step if isinstance(error, LgcError) else None
    return refused(run, new, "run-unreadable", "graph", f"the run cannot be read: {_told(error)}", step)


def _told(error: Exception) -> str:
    text = text_of(error).partition("\n")[0].rstrip(".")
    return text if isinstance(error, LgcError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _of_the_store(error: Exception) -> bool:
    """Whether nothing will go better with the next run."""
    return isinstance(error, StorageError) and error.step is None


def _short(hash: str) -> str:
    return hash[:20]
