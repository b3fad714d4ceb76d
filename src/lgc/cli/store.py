"""`lgc store …`: from a store to what there is in it, what is damaged in it, and to less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import FINDINGS, FINE
from .runs import dumps
from .store_archive import archive_command
from .store_compact import compact_command
from .store_prune import prune_command
from .stores import store_option, with_store
from .tally import PATIENCE, size_text
from .terminal import Style, counted, out, output_style, printable, table
from .wording import status_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..runtime.store.protocols import Store
    from ..runtime.store.records import Damage, StoreStats

_KINDS = ("log", "snapshots", "values", "graphs", "other")


@click.group("store")
def store_command() -> None:
    """Look after a store: what is in it, what is damaged, and what may go."""


# --- stats ------------------------------------------------------------------------------------------------


@store_command.command("stats")
@store_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def stats_command(store_url: str, as_json: bool) -> int:
    """How much there is: runs, steps, bytes by kind, the biggest runs."""

    async def read(store: Store) -> StoreStats:
        return await store.stats()

    stats = with_store(store_url, read, reading=True, patience=PATIENCE)
    if as_json:
        out(dumps(_stats_json(stats)))
        return FINE
    style = output_style()
    runs = sum(stats.runs.values())
    out(f"{style.bold(counted(runs, 'run'))}")
    for status, count in sorted(stats.runs.items()):
        out(f"  {count:>9,}  {status_text(str(status), style)}")
    out(style.bold("records"))
    for name, count in _records(stats).items():
        out(f"  {count:>9,}  {name}")
    total = stats.bytes.get("total", 0)
    out(style.bold(f"{size_text(total)} in all") + f", {size_text(stats.free)} of it free")
    for kind in _KINDS:
        out(f"  {size_text(stats.bytes.get(kind, 0)):>9}  {kind}")
    _show_biggest(stats, style)
    return FINE


def _records(stats: StoreStats) -> dict[str, int]:
    names = ("steps", "checkpoints", "snapshots", "decisions", "graphs", "values")
    return {name: getattr(stats, name) for name in names}


def _stats_json(stats: StoreStats) -> dict[str, Any]:
    return {
        "version": 1,
        "runs": {str(status): count for status, count in sorted(stats.runs.items())},
        **_records(stats),
        "bytes": dict(stats.bytes),
        "free": stats.free,
        "biggest": [{"run": one.run, "steps": one.steps, "bytes": one.bytes} for one in stats.biggest],
    }


def _show_biggest(stats: StoreStats, style: Style) -> None:
    if stats.biggest:
        out(style.bold("biggest runs"))
        rows = [(printable(one.run), f"{one.steps:,}", size_text(one.bytes)) for one in stats.biggest]
        out(table(("RUN", "STEPS", "BYTES"), rows, style, "STEPS BYTES"))


# --- verify -----------------------------------------------------------------------------------------------


@store_command.command("verify")
@store_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify_command(store_url: str, as_json: bool) -> int:
    """Read everything that is stored, and say what is not what was written."""

    async def read(store: Store) -> tuple[Sequence[Damage], StoreStats | None]:
        from ..runtime.errors import LgcError

        found = await store.verify()
        try:
            return found, await store.stats()
        except LgcError:
            if not found:
                raise
            return found, None

    damages, stats = with_store(store_url, read, reading=True, patience=PATIENCE)
    if as_json:
        read_ = None if stats is None else {"runs": sum(stats.runs.values()), **_records(stats)}
        found = [{"what": one.what, "run": one.run, "step": one.step} for one in damages]
        out(dumps({"version": 1, "read": read_, "damages": found}))
        return FINDINGS if damages else FINE
    style = output_style()
    for damage in damages:
        where = f"run {printable(damage.run)}" if damage.run else "store"
        where += f", step {damage.step}" if damage.step is not None else ""
        out(f"{style.red('damaged')}: {where}: {printable(damage.what)}")
    what = "what can be read"
    if stats is not None:
        runs = counted(sum(stats.runs.values()), "run")
        what = f"{runs}, {counted(stats.steps, 'step')}, {counted(stats.snapshots, 'snapshot')}"
    verdict = style.red(counted(len(damages), "damage")) if damages else style.green("no damage")
    out(f"{verdict} in {what}")
    return FINDINGS if damages else FINE


store_command.add_command(prune_command)
store_command.add_command(compact_command)
store_command.add_command(archive_command)
