"""`lgc store prune`: from a retention to checkpoints, log records and runs that go."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from . import FINDINGS, FINE
from .runs import dumps
from .sources import Sources
from .stores import store_option, with_store
from .tally import PATIENCE, Age, Tally, cut_text, ends_all, size_text
from .terminal import counted, out, output_style, printable, table

if TYPE_CHECKING:
    from ..runtime.sessions.pruning import Removal
    from ..runtime.store.archives.archive import FileArchive
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord


@dataclass(slots=True)
class _Outcome:
    """What went of a store, or would go.

    Attributes:
        removed: of runs that stay.
        deleted: runs that were deleted, with their steps.
        left: runs that were left alone, and why.
        failed: whether one was left because something went wrong.
        cut: bytes of an archive's unfinished section that were taken away.
    """

    removed: list[Removal] = field(default_factory=list["Removal"])
    deleted: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failed: bool = False
    cut: int = 0

    def leave(self, run: str, why: str, *, failed: bool = False) -> None:
        self.left.append((run, why))
        self.failed = self.failed or failed


@dataclass(frozen=True, slots=True)
class _Wish:
    keep: int | None
    older_than: float | None
    log: bool
    runs: bool
    failed: bool
    dry: bool
    archive: str


@click.command("prune")
@store_option
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="Keep the newest N checkpoints of each run."
)
@click.option("--older-than", type=Age(), metavar="AGE", help="Remove what is older: 90s, 30m, 12h, 30d, 2w.")
@click.option("--log", is_flag=True, help="Also delete the steps that the checkpoints kept do not need.")
@click.option("--runs", is_flag=True, help="Delete runs, not checkpoints: those that are done or cancelled.")
@click.option("--failed", is_flag=True, help="With --runs: also those that failed.")
@click.option("--archive", metavar="FILE", default="", help="Write what goes to this archive first.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def prune_command(
    store_url: str,
    keep: int | None,
    older_than: float | None,
    log: bool,
    runs: bool,
    failed: bool,
    archive: str,
    dry: bool,
    as_json: bool,
) -> int:
    """Remove checkpoints that the retention does not keep.

    Without --keep and --older-than the retention is the one that each run's own graph declares. Every run can
    go on as before: what it needs to be restored stays. With --runs, whole runs that have ended go instead.
    """
    wish = _Wish(keep, older_than, log, runs, failed, dry, archive)
    _demand_sense(wish)

    async def work(store: Store) -> _Outcome:
        return await (_delete(store, wish) if runs else _prune(store, wish))

    outcome = with_store(store_url, work, reading=dry, existing=not dry, patience=PATIENCE)
    if as_json:
        out(dumps(_outcome_json(outcome, dry)))
    else:
        _show(outcome, dry)
    return FINDINGS if outcome.failed else FINE


def _demand_sense(wish: _Wish) -> None:
    if wish.runs and wish.older_than is None:
        raise click.UsageError("--runs needs --older-than AGE: which runs are to be deleted?")
    if wish.runs and (wish.keep is not None or wish.log):
        raise click.UsageError("--runs deletes whole runs; --keep and --log are about runs that stay")
    if wish.failed and not wish.runs:
        raise click.UsageError("--failed goes with --runs")
    if wish.keep is not None and wish.older_than is not None:
        raise click.UsageError("give either --keep or --older-than")


def _archive(wish: _Wish) -> FileArchive | None:
    if not wish.archive:
        return None
    from ..runtime.store.archives.archive import FileArchive

    return FileArchive(wish.archive)


async def _prune(store: Store, wish: _Wish) -> _Outcome:
    from ..runtime.engine.retention import Retention
    from ..runtime.errors import LgcError, RunNotFound
    from ..runtime.sessions.pruning import removal

    outcome, archive, sources = _Outcome(), _archive(wish), Sources()
    found = await store.list_runs()
    with Tally("pruning", len(found)) as tally:
        for run in found:
            policy: Retention | str = Retention(wish.keep, wish.older_than)
            if wish.keep is None and wish.older_than is None:
                policy = sources.retention(run)
            if isinstance(policy, str):
                outcome.leave(run.run, policy)
                continue
            try:
                gone = await removal(
                    store, run.run, policy, time.time(), log=wish.log, archive=archive, dry=wish.dry
                )
            except RunNotFound:
                continue  # deleted meanwhile
            except LgcError as error:
                if ends_all(error):
                    raise
                outcome.leave(run.run, error.message, failed=True)
            else:
                if not gone.nothing:
                    outcome.removed.append(gone)
            tally.step()
    outcome.cut = archive.cut if archive is not None else 0
    return outcome


async def _delete(store: Store, wish: _Wish) -> _Outcome:
    from ..runtime.errors import LgcError, RunFenced, RunNotFound
    from ..runtime.store.archives.archiving import archive_run

    outcome, archive = _Outcome(), _archive(wish)
    due = _due(await store.list_runs(), wish)
    with Tally("deleting", len(due)) as tally:
        for run in due:
            try:
                steps = await last_step(store, run.run)
                if not wish.dry and archive is not None:
                    await archive_run(store, run, archive, delete=True)
                elif not wish.dry:
                    await store.delete_run(run.run, expect=run)
            except RunNotFound:
                continue
            except RunFenced:
                outcome.leave(run.run, "it was taken, or went on, meanwhile")
            except LgcError as error:
                if ends_all(error):
                    raise
                outcome.leave(run.run, error.message, failed=True)
            else:
                outcome.deleted.append((run.run, steps))
            tally.step()
    outcome.cut = archive.cut if archive is not None else 0
    return outcome


def _due(runs: Any, wish: _Wish) -> list[RunRecord]:
    from ..runtime.store.archives.archiving import ENDED
    from ..runtime.store.records import RunStatus

    statuses = (*ENDED, RunStatus.FAILED) if wish.failed else ENDED
    until = time.time() - (wish.older_than or 0.0)
    return [run for run in runs if run.status in statuses and run.updated <= until]


async def last_step(store: Store, run: str) -> int:
    """How far a run has come."""
    newest = await store.latest_snapshot(run)
    step = newest.step if newest is not None else 0
    async for record in store.replay(run, step + 1):
        step = record.step
    return step


# --- what is shown ----------------------------------------------------------------------------------------


def _outcome_json(outcome: _Outcome, dry: bool) -> dict[str, Any]:
    return {
        "version": 1,
        "dry_run": dry,
        "removed": [
            {
                "run": one.run,
                "checkpoints": one.checkpoints,
                "steps": one.steps,
                "log_from": one.keep_from or None,
                "bytes": one.bytes,
            }
            for one in outcome.removed
        ],
        "deleted": [{"run": run, "steps": steps} for run, steps in outcome.deleted],
        "left": [{"run": run, "why": why} for run, why in outcome.left],
        "checkpoints": sum(one.checkpoints for one in outcome.removed),
        "steps": sum(one.steps for one in outcome.removed) + sum(steps for _, steps in outcome.deleted),
        "bytes": sum(one.bytes for one in outcome.removed),
    }


def _show(outcome: _Outcome, dry: bool) -> None:
    style = output_style()
    if outcome.removed:
        rows = [
            (printable(one.run), f"{one.checkpoints:,}", f"{one.steps:,}", size_text(one.bytes))
            for one in outcome.removed
        ]
        out(table(("RUN", "CHECKPOINTS", "STEPS", "BYTES"), rows, style, "CHECKPOINTS STEPS BYTES"))
    if outcome.deleted:
        rows_ = [(printable(run), f"{steps:,}") for run, steps in outcome.deleted]
        out(table(("RUN", "STEPS"), rows_, style, "STEPS"))
    for run, why in outcome.left:
        out(f"{style.yellow('left')}: run {printable(run)}: {printable(why)}")
    if outcome.cut:
        out(cut_text(outcome.cut))
    parts = [
        counted(sum(one.checkpoints for one in outcome.removed), "checkpoint"),
        counted(sum(one.steps for one in outcome.removed), "step"),
    ]
    if outcome.deleted:
        parts = [counted(len(outcome.deleted), "run")]
    elif not outcome.removed:
        parts = ["nothing"]
    verb = "would go" if dry else ("deleted" if outcome.deleted else "removed")
    out(f"{style.bold(' and '.join(parts))} {verb}")
