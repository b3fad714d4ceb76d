"""From a store and new versions of its graphs to what becomes of every run that has not ended.

The store may be at work meanwhile: it is only read, without leases, tokens or locks. After the runs have been
judged the list of runs is read once more. Those that have ended since are left out, those that are new, or
were moved to another graph, are judged as well; each verdict says up to which `step` it looked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import CheckpointCorrupted
from ..forms.version import Version, version_from
from ..store.protocols import Store
from ..store.records import RunRecord, RunStatus
from .judging import Progress, judged
from .summary import Changes, Summary, changed_elements, summary_of
from .verdict import RunVerdict

UNFINISHED = (RunStatus.WAITING, RunStatus.UNCERTAIN, RunStatus.FAILED, RunStatus.RUNNING)
"""The statuses of runs that can go on."""

# So often the list of runs is read again: with a store that is at work there is always something new.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Drifting:
    """One run that has not ended.

    Attributes:
        verdict: what becomes of it.
        status: where it stands.
        updated: when it last changed (seconds since the epoch).
    """

    verdict: RunVerdict
    status: RunStatus
    updated: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What becomes of the runs of a store.

    Attributes:
        runs: those that have not ended, newest first.
        summary: counted by verdict, graph, reason and risk.
        damaged: what of the list of runs cannot be read: these runs are not among `runs`.
        warnings: what was passed over, as it was not needed.
    """

    runs: tuple[Drifting, ...]
    summary: Summary
    damaged: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON value: all of it."""
        summary = asdict(self.summary)
        return {
            **summary,
            "verdict": self.summary.worst,
            "damaged": list(self.damaged),
            "warnings": list(self.warnings),
            "runs": [
                {**one.verdict.to_json(), "status": one.status, "updated": one.updated} for one in self.runs
            ],
        }


class Survey:
    """Finds out which runs are still to be judged, and keeps their verdicts.

    Args:
        statuses: which runs, by where they stand.
        graph: only runs of this graph, "" for all.
        runs: only these, None for all.
        alone: nobody writes through the same store object: then it knows when nothing has changed.
    """

    def __init__(
        self,
        statuses: Collection[RunStatus] = UNFINISHED,
        graph: str = "",
        runs: Collection[str] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self._statuses = statuses
        self._graph = graph
        self._only = None if runs is None else frozenset(runs)
        self._runs: list[RunRecord] = []
        self._verdicts: dict[str, RunVerdict] = {}
        self._damaged: dict[str, None] = {}
        self._warnings: dict[str, None] = {}
        self._rounds = 0
        self._alone = alone
        self._version: int | None = None

    async def look(self, store: Store) -> list[RunRecord]:
        """The runs that are to be judged, newest first; none where all have been, or after several rounds.

        Raises StorageError.
        """
        self.warned(store.warnings())
        version = await store.data_version() if self._alone else None
        if version is not None and version == self._version:
            return []
        self._version = version
        found: dict[str, RunRecord] = {}
        # A run that goes from one status to another just then may be missed. It is found the next time.
        for status in self._statuses:
            for run in await store.list_runs(status=status, graph=self._graph or None):
                if self._only is None or run.run in self._only:
                    found[run.run] = run
        self._damaged.update(dict.fromkeys(store.warnings()))
        self._runs = sorted(found.values(), key=lambda run: (-run.created, run.run))
        self._rounds += 1
        if self._rounds > _ROUNDS:
            return []
        return [run for run in self._runs if not self._knows(run)]

    def _knows(self, run: RunRecord) -> bool:
        known = self._verdicts.get(run.run)
        return known is not None and known.old == run.hash

    def learn(self, verdicts: Sequence[RunVerdict]) -> None:
        """Keep verdicts."""
        self._verdicts.update({verdict.run: verdict for verdict in verdicts})

    def warned(self, warnings: Sequence[str]) -> None:
        """Keep what a store has passed over while runs were read."""
        self._warnings.update(dict.fromkeys(warnings))

    async def drift(self, store: Store, versions: Mapping[str, Version]) -> Drift:
        """What was found out. Raises StorageError."""
        # What is new since the last look has begun just now, and is left out.
        runs = [
            Drifting(self._verdicts[run.run], run.status, run.updated)
            for run in self._runs
            if run.run in self._verdicts
        ]
        verdicts = [run.verdict for run in runs]
        summary = summary_of(verdicts, versions, await _changes(store, versions, verdicts))
        self.warned(store.warnings())
        return Drift(tuple(runs), summary, tuple(self._damaged), tuple(self._warnings))


async def _changes(store: Store, versions: Mapping[str, Version], verdicts: Sequence[RunVerdict]) -> Changes:
    """What has changed of the elements for which runs cannot simply go on."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for graph, hash in dict.fromkeys((one.graph, one.old) for one in verdicts if one.reasons):
        try:
            old = await version_from(hash, store.get_graph) if graph in versions else None
        except (ValueError, CheckpointCorrupted):
            old = None  # that is the reason
        if old is None:
            continue
        for element, texts in changed_elements(old, versions[graph]).items():
            found.setdefault((graph, element), {}).update(dict.fromkeys(texts))
    return {key: tuple(texts) for key, texts in found.items()}


async def drift(
    store: Store,
    versions: Mapping[str, Version],
    *,
    statuses: Collection[RunStatus] = UNFINISHED,
    graph: str = "",
    runs: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Drift:
    """What becomes of the runs of a store that have not ended, under new versions of their graphs.

    A run whose graph is not among the versions, or that cannot be read, or whose old graph cannot be, is
    `incompatible` for that reason; one bad run never ends the survey. Nothing is written.

    Args:
        versions: by the names of graphs.
        statuses: only runs that stand so.
        graph: only runs of this graph, "" for all.
        runs: only these, None for all.
        progress: is told how many more runs are done.

    Raises StorageError where the store itself cannot be read.
    """
    survey = Survey(statuses, graph, runs)
    while pending := await survey.look(store):
        survey.learn(await judged(store, versions, pending, progress))
    return await survey.drift(store, versions)
