"""From new versions and a store to what becomes of its runs: in several processes where there are many.

The list of runs is read once and the runs are shared out; each process opens the store for itself and judges
its part. Whatever a process could not do is done by the first one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..parallel import in_processes, processors
from .stores import open_url, store_url
from .tally import PATIENCE, Tally

if TYPE_CHECKING:
    from ..runtime.compat.drift import Drift
    from ..runtime.compat.verdict import RunVerdict
    from ..runtime.forms.version import Version
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord, RunStatus

# From so many runs on a further process is quicker than none.
_WORTH = 1000
_MOST = 8


def surveyed(
    given: str,
    versions: Mapping[str, Version],
    *,
    statuses: Collection[RunStatus],
    graph: str,
    run: str,
) -> Drift:
    """What becomes of the runs of a store that have not ended.

    Args:
        given: the store as written, "" for that of the settings.
        run: only the run of that id, or beginning of an id; "" for all.

    Raises Failure, StorageError.
    """
    with asyncio.Runner() as runner:
        store = open_url(store_url(given), reading=True, patience=PATIENCE)
        runner.run(_opened(store))
        try:
            return _Surveying(runner, store, given, versions).all(statuses, graph, run)
        finally:
            runner.run(_closed(store))


async def _opened(store: Store) -> None:
    await store.__aenter__()


async def _closed(store: Store) -> None:
    await store.__aexit__(None, None, None)


class _Surveying:
    """One survey of one store."""

    def __init__(
        self, runner: asyncio.Runner, store: Store, given: str, versions: Mapping[str, Version]
    ) -> None:
        self._runner = runner
        self._store = store
        self._given = given
        self._versions = versions

    def all(self, statuses: Collection[RunStatus], graph: str, run: str) -> Drift:
        """Look, judge, and look again until nothing is new."""
        from ..runtime.compat.drift import Survey

        runs = [self._runner.run(self._named(run))] if run else None
        survey = Survey(statuses, graph, runs, alone=True)
        while pending := self._runner.run(survey.look(self._store)):
            verdicts, warnings = self._judged(pending)
            survey.learn(verdicts)
            survey.warned(warnings)
        return self._runner.run(survey.drift(self._store, self._versions))

    async def _named(self, run: str) -> str:
        from .stores import get_run

        return (await get_run(self._store, run)).run

    def _judged(self, runs: Sequence[RunRecord]) -> tuple[list[RunVerdict], list[str]]:
        """The verdicts of runs, and what was passed over."""
        count = min(processors(), 1 + len(runs) // _WORTH, _MOST)
        size = -(-len(runs) // count)
        parts = [runs[first : first + size] for first in range(0, len(runs), size)]
        parent = os.getpid()
        with Tally("judging", len(runs)) as tally:

            def told(done: int) -> None:
                # The others are as far as this process is.
                for _ in range(done * len(parts)):
                    tally.step()

            def do(number: int) -> Any:
                if os.getpid() != parent:
                    return _packed(*asyncio.run(self._apart(parts[number])))
                return self._here(parts[number], told)

            if len(parts) == 1:
                return self._here(runs, told)
            results = in_processes([len(part) for part in parts], do, len(parts))
            found = [self._result(results.get(number), part) for number, part in enumerate(parts)]
        return [one for verdicts, _ in found for one in verdicts], [one for _, said in found for one in said]

    def _result(self, result: Any, part: Sequence[RunRecord]) -> tuple[list[RunVerdict], list[str]]:
        if result is None:  # a process that did not come to its end
            return self._here(part, None)
        if isinstance(result, dict):
            return _unpacked(cast("Mapping[str, Any]", result))
        here: tuple[list[RunVerdict], list[str]] = result
        return here

    def _here(
        self, runs: Sequence[RunRecord], progress: Callable[[int], None] | None
    ) -> tuple[list[RunVerdict], list[str]]:
        from ..runtime.compat.judging import judged

        verdicts = self._runner.run(judged(self._store, self._versions, runs, progress))
        return verdicts, list(self._store.warnings())

    async def _apart(self, runs: Sequence[RunRecord]) -> tuple[list[RunVerdict], list[str]]:
        """The same in another process, which has to open the store for itself."""
        from ..runtime.compat.judging import judged

        async with open_url(store_url(self._given), reading=True, patience=PATIENCE) as store:
            verdicts = await judged(store, self._versions, runs)
            return verdicts, list(store.warnings())


# --- between processes ------------------------------------------------------------------------------------


def _packed(verdicts: Sequence[RunVerdict], warnings: Sequence[str]) -> Any:
    """Verdicts as JSON; what many runs share is written once."""
    places: dict[tuple[object, ...], int] = {}
    shared: list[Any] = []
    runs: list[tuple[str, int]] = []
    for one in verdicts:
        key = (one.old, one.step, id(one.parked), id(one.reasons), id(one.risks), id(one.notes))
        place = places.get(key)
        if place is None:
            place = places[key] = len(shared)
            shared.append(one.to_json())
        runs.append((one.run, place))
    return {"shared": shared, "runs": runs, "warnings": list(warnings)}


def _unpacked(packed: Mapping[str, Any]) -> tuple[list[RunVerdict], list[str]]:
    from ..runtime.compat.judging import of_run
    from ..runtime.compat.verdict import Reason, Risk, RunVerdict, Verdict

    shared: list[RunVerdict] = [
        RunVerdict(
            one["run"], one["graph"], one["old"], one["new"], Verdict(one["verdict"]), one["step"],
            tuple(one["parked"]), tuple(Reason(**reason) for reason in one["reasons"]),
            tuple(Risk(**risk) for risk in one["risks"]), tuple(one["notes"]),
        )
        for one in packed["shared"]
    ]  # fmt: skip
    return [of_run(shared[int(place)], str(run)) for run, place in packed["runs"]], packed["warnings"]
