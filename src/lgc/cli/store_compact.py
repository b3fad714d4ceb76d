"""`lgc store compact`: from long logs and superseded snapshots to what is read and kept more cheaply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from . import FINDINGS, FINE
from .runs import dumps
from .sources import Sources
from .stores import store_option, with_store
from .tally import PATIENCE, Tally, ends_all, size_text
from .terminal import counted, out, output_style, printable

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord


@dataclass(slots=True)
class _Outcome:
    """What was done, or would be."""

    folded: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])  # run, steps
    demoted: int = 0
    bytes: int = 0  # of snapshots that went
    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failed: bool = False
    before: int = 0
    after: int = 0


@click.command("compact")
@store_option
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compact_command(store_url: str, dry: bool, as_json: bool) -> int:
    """Fold logs into snapshots, drop snapshots that newer ones stand for, and give free space back.

    No step and no checkpoint goes. The graph of a run is found in the file that it was started from; a run
    whose file is gone, or has another graph by now, keeps its log as it is.
    """

    async def work(store: Store) -> _Outcome:
        outcome = await _compact(store, dry)
        outcome.before = (await store.stats()).bytes.get("total", 0)
        if not dry:
            await store.shrink()
        outcome.after = (await store.stats()).bytes.get("total", 0)
        return outcome

    outcome = with_store(store_url, work, reading=dry, existing=not dry, patience=PATIENCE)
    if as_json:
        out(dumps(_outcome_json(outcome, dry)))
    else:
        _show(outcome, dry)
    return FINDINGS if outcome.failed else FINE


async def _compact(store: Store, dry: bool) -> _Outcome:
    from ..runtime.errors import LgcError, RunNotFound

    outcome, sources = _Outcome(), Sources()
    found = await store.list_runs()
    with Tally("compacting", len(found)) as tally:
        for run in found:
            try:
                await _fold(store, run, sources, outcome, dry)
                await _demote(store, run.run, outcome, dry)
            except RunNotFound:
                pass  # deleted meanwhile
            except LgcError as error:
                if ends_all(error):
                    raise
                outcome.left.append((run.run, error.message))
                outcome.failed = True
            tally.step()
    return outcome


async def _fold(store: Store, run: RunRecord, sources: Sources, outcome: _Outcome, dry: bool) -> None:
    from ..runtime.sessions.folding import fold, tail

    steps = await tail(store, run.run)
    if not steps:
        return
    graph = sources.graph(run)
    if isinstance(graph, str):
        outcome.left.append((run.run, graph))
        return
    if not dry:
        await fold(store, graph, run)
    outcome.folded.append((run.run, steps))


async def _demote(store: Store, run: str, outcome: _Outcome, dry: bool) -> None:
    from ..runtime.sessions.folding import demote, superseded

    for snapshot in await superseded(store, run):
        outcome.demoted += 1
        outcome.bytes += len(snapshot.snapshot.encode())
        if not dry:
            await demote(store, snapshot)


def _outcome_json(outcome: _Outcome, dry: bool) -> dict[str, Any]:
    return {
        "version": 1,
        "dry_run": dry,
        "folded": [{"run": run, "steps": steps} for run, steps in outcome.folded],
        "snapshots": {"dropped": outcome.demoted, "bytes": outcome.bytes},
        "left": [{"run": run, "why": why} for run, why in outcome.left],
        "bytes": {"before": outcome.before, "after": outcome.after},
    }


def _show(outcome: _Outcome, dry: bool) -> None:
    style = output_style()
    would = "would be " if dry else ""
    for run, steps in outcome.folded:
        out(f"{printable(run)}  {counted(steps, 'step')} {would}folded into a snapshot")
    for run, why in outcome.left:
        out(f"{style.yellow('left')}: run {printable(run)}: {printable(why)}")
    dropped = f"{counted(outcome.demoted, 'snapshot')} ({size_text(outcome.bytes)})"
    out(f"{style.bold(counted(len(outcome.folded), 'log'))} {would}folded, {dropped} {would}dropped")
    if not dry:
        out(f"{size_text(outcome.before)} before, {size_text(outcome.after)} now")
