"""`lgc store archive`: from runs in a store to a file that keeps them, and from there to a run's log."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from . import FINDINGS, FINE
from .runs import dumps
from .stores import get_run, store_option, with_store
from .tally import PATIENCE, Age, Tally, cut_text, ends_all
from .terminal import Failure, counted, note, out, output_style, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..runtime.store.archives.archive import FileArchive, Section
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import Damage, MutationRecord, OverrideRecord, RunRecord

_STATUSES = ["running", "waiting", "uncertain", "done", "failed", "cancelled"]
_SUFFIX = ".jsonl.zst"


@dataclass(slots=True)
class _Outcome:
    """What was archived, or would be: runs with their number of records, and runs that were left."""

    archived: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    deleted: list[str] = field(default_factory=list[str])
    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failed: bool = False
    cut: int = 0


@click.command("archive")
@click.argument("run_ids", nargs=-1, metavar="[RUN]…")
@store_option
@click.option(
    "--to", required=True, metavar="FILE|DIR", help=f"A file, or a folder for a file each (*{_SUFFIX})."
)
@click.option(
    "--older-than", type=Age(), metavar="AGE", help="Only runs that changed no later: 12h, 30d, 2w."
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice(_STATUSES),
    multiple=True,
    help="Which; done and cancelled by default.",
)
@click.option("--delete", is_flag=True, help="Delete from the store what was archived.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say which runs would be archived.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def archive_command(
    run_ids: tuple[str, ...],
    store_url: str,
    to: str,
    older_than: float | None,
    statuses: tuple[str, ...],
    delete: bool,
    dry: bool,
    as_json: bool,
) -> int:
    """Write whole runs to an archive: JSON Lines, compressed with Zstandard.

    What an archive holds already stays; runs are written behind it. A run is deleted only once all of it is
    in the archive, written through to the disk and read back.
    """

    async def work(store: Store) -> _Outcome:
        runs = await _chosen(store, run_ids, statuses, older_than)
        return await _archive(store, runs, to, delete=delete, dry=dry)

    outcome = with_store(store_url, work, reading=dry or not delete, existing=True, patience=PATIENCE)
    if as_json:
        out(dumps(_outcome_json(outcome, to, dry)))
    else:
        _show(outcome, dry, delete)
    return FINDINGS if outcome.failed else FINE


async def _chosen(
    store: Store, run_ids: Sequence[str], statuses: Sequence[str], older_than: float | None
) -> list[RunRecord]:
    if run_ids:
        named = {run.run: run for run in [await get_run(store, one) for one in run_ids]}
        found = list(named.values())
    else:
        found = list(reversed(await store.list_runs()))
        statuses = statuses or ("done", "cancelled")
    until = time.time() - (older_than or 0.0)
    return [
        run
        for run in found
        if (not statuses or str(run.status) in statuses) and (older_than is None or run.updated <= until)
    ]


async def _archive(store: Store, runs: Sequence[RunRecord], to: str, *, delete: bool, dry: bool) -> _Outcome:
    from ..runtime.errors import LgcError, RunFenced, RunNotFound
    from ..runtime.store.archives.archive import FileArchive
    from ..runtime.store.archives.archiving import archive_run, records_of

    outcome = _Outcome()
    archives: dict[str, FileArchive] = {}
    with Tally("archiving", len(runs)) as tally:
        for run in runs:
            path = _path(to, run.run)
            archive = archives.setdefault(path, FileArchive(path))
            removing = delete and _ended(run)
            if delete and not removing:
                outcome.left.append((run.run, f"it is {run.status}: it is not deleted"))
            try:
                if dry:
                    count = sum([1 async for _ in records_of(store, run)])
                else:
                    count = await archive_run(store, run, archive, delete=removing)
                outcome.archived.append((run.run, count, path))
                if removing:
                    outcome.deleted.append(run.run)
            except RunNotFound:
                outcome.left.append((run.run, "it was deleted meanwhile"))
            except RunFenced:
                outcome.left.append((run.run, "it was taken, or went on, meanwhile: it is not deleted"))
            except LgcError as error:
                if ends_all(error):
                    raise
                outcome.left.append((run.run, error.message))
                outcome.failed = True
            tally.step()
    outcome.cut = sum(archive.cut for archive in archives.values())
    return outcome


def _ended(run: RunRecord) -> bool:
    return str(run.status) in ("done", "cancelled", "failed")


def _path(to: str, run: str) -> str:
    if not (os.path.isdir(to) or to.endswith(("/", os.sep))):
        return to
    try:
        os.makedirs(to, exist_ok=True)
    except OSError as error:
        raise Failure(f"{to} cannot be made: {error.strerror or error}") from error
    name = quote(run, safe=" @:+,=")
    if len(name) > 200:
        from hashlib import sha256

        name = f"{name[:160]}-{sha256(run.encode()).hexdigest()[:16]}"
    return os.path.join(to, ("%2E" + name[1:] if name.startswith(".") else name) + _SUFFIX)


def _outcome_json(outcome: _Outcome, to: str, dry: bool) -> dict[str, Any]:
    return {
        "version": 1,
        "dry_run": dry,
        "to": to,
        "archived": [{"run": run, "records": count, "file": path} for run, count, path in outcome.archived],
        "deleted": outcome.deleted,
        "left": [{"run": run, "why": why} for run, why in outcome.left],
    }


def _show(outcome: _Outcome, dry: bool, delete: bool) -> None:
    style = output_style()
    for run, count, _ in outcome.archived:
        out(f"{printable(run)}  {counted(count, 'record')}")
    for run, why in outcome.left:
        out(f"{style.yellow('left')}: run {printable(run)}: {printable(why)}")
    if outcome.cut:
        out(cut_text(outcome.cut))
    verb = "would be archived" if dry else "archived"
    if delete:
        verb += f", {counted(len(outcome.deleted), 'run')} " + ("would be deleted" if dry else "deleted")
    out(f"{style.bold(counted(len(outcome.archived), 'run'))} {verb}")


# --- reading back -----------------------------------------------------------------------------------------


def archived_steps(
    path: str, run: str, from_step: int
) -> tuple[list[MutationRecord], list[OverrideRecord], bool]:
    """The steps of a run that an archive has, its moves to other graphs, and whether all could be read.

    What is damaged is told on standard error. Raises Failure where the archive has no such run.
    """
    from ..runtime.store.archives.archive import read_archive
    from ..runtime.store.archives.archiving import archived_log, archived_moves

    damages: list[Damage] = []
    names: set[str] = set()

    def sections() -> Iterator[Section]:
        for file in _files(path):
            for section in read_archive(file, damages=damages):
                names.add(section.run)
                if section.run.startswith(run):
                    yield section

    found = list(sections())
    for damage in damages:
        note(f"{output_style().yellow('warning')}: {printable(damage.what)}")
    exact = run if run in names else next(iter({one.run for one in found}), "")
    if not exact or (exact != run and (len(run) < 4 or len({one.run for one in found}) > 1)):
        some = ", ".join(printable(name) for name in sorted(names)[:5])
        hint = f"it has {some}" + (" …" if len(names) > 5 else "") if names else "it holds no runs"
        raise Failure(f"no run `{run}` in the archive {path}", hint)
    steps = [step for step in archived_log(found, exact) if step.step >= from_step]
    return steps, archived_moves(found, exact), not damages


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        if not os.path.exists(path):
            raise Failure(f"there is no archive {path}")
        return [path]
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(_SUFFIX)]
