"""`lgc log`: from a store or an archive to the steps of a run, and its moves between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from . import FINDINGS, FINE
from .moves import move_json, move_words
from .runs import step_json
from .stores import get_run, store_option, with_store
from .terminal import Style, out, output_style, table
from .wording import moment, took

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import MutationRecord, OverrideRecord


@click.command("log")
@click.argument("run")
@store_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--from-step", type=click.IntRange(1), default=1, metavar="N", help="Begin at this step.")
@click.option("--archive", default="", metavar="FILE|DIR", help="Read it from an archive, not from a store.")
def log_command(run: str, store_url: str, as_json: bool, from_step: int, archive: str) -> int:
    """The committed steps of a run, one a line."""
    if archive:
        from .store_archive import archived_steps

        if store_url:
            raise click.UsageError("give either --store or --archive")
        records, moves, whole = archived_steps(archive, run, from_step)
        _show_log(records, moves, as_json)
        return FINE if whole else FINDINGS

    async def read(store: Store) -> tuple[list[MutationRecord], Sequence[OverrideRecord]]:
        found = await get_run(store, run)
        records = [record async for record in store.replay(found.run, from_step)]
        return records, await store.overrides(found.run)

    _show_log(*with_store(store_url, read, reading=True), as_json)
    return FINE


def _show_log(records: Sequence[MutationRecord], moves: Sequence[OverrideRecord], as_json: bool) -> None:
    """The steps; where the run was moved to another graph, a line behind the step after which it was."""
    first = records[0].step if records else 1
    told: list[MutationRecord | OverrideRecord] = [*records, *(one for one in moves if one.step >= first - 1)]
    told.sort(key=lambda one: one.step)  # of one step: first itself, then its moves
    style = output_style()
    if as_json:
        for one in told:
            line = step_json(one) if isinstance(one, tuple) else {"run": one.run, "move": move_json(one)}
            out(json.dumps(line, ensure_ascii=False))
        return
    rows = [_log_row(record, style) for record in records]
    head = ("STEP", "TIME", "NODE", "RESULT", "RECORDED", "NEXT", "TOOK")
    lines = iter(table(head, rows, style, "STEP TOOK").splitlines() if rows else ["no steps"])
    out(next(lines))
    for one in told:
        out(next(lines) if isinstance(one, tuple) else style.yellow(f"moved {move_words(one)}"))


def _log_row(record: MutationRecord, style: Style) -> tuple[str, ...]:
    where = f"{record.frame}/{record.node}" if record.frame else record.node
    result = record.outcome
    if record.attempt > 1:
        result += f" (attempt {record.attempt})"
    if record.outcome in ("error", "timeout"):
        result = style.red(result)
    return (
        str(record.step),
        style.dim(moment(record.time)),
        where + (f" #{record.visit}" if record.visit > 1 else ""),
        result,
        ", ".join(one["m"] for one in json.loads(record.mutations or "[]")) or "-",
        record.next or "-",
        took(record.duration),
    )
