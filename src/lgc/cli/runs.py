"""`lgc runs`, `lgc show`: from a store to what people want to know of its runs."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import FINE
from .moves import move_json
from .stores import store_option, with_store
from .terminal import Style, out, output_style, printable, table
from .wording import age, fields, moment, short_hash, status_text

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import MutationRecord, RunRecord

_STATUSES = ["running", "waiting", "uncertain", "done", "failed", "cancelled"]


# --- runs -------------------------------------------------------------------------------------------------


@click.command("runs")
@store_option
@click.option("--status", type=click.Choice(_STATUSES), help="Only runs that stand so.")
@click.option("--graph", metavar="NAME", help="Only runs of this graph.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def runs_command(store_url: str, status: str | None, graph: str | None, as_json: bool) -> int:
    """List the runs of a store, newest first."""

    async def read(store: Store) -> tuple[list[tuple[RunRecord, int, str]], dict[str, list[dict[str, Any]]]]:
        from ..runtime.store.records import RunStatus

        wanted = RunStatus(status) if status else None
        found = await store.list_runs(status=wanted, graph=graph)
        moves = {run.run: await store.overrides(run.run) for run in found} if as_json else {}
        told = {run: [move_json(one) for one in several] for run, several in moves.items()}
        return [(run, *await _standing(store, run)) for run in found], told

    found, moves = with_store(store_url, read, reading=True)
    if as_json:
        runs = [{**_run_json(*one), "moves": moves[one[0].run]} for one in found]
        out(dumps({"version": 1, "runs": runs}))
        return FINE
    if not found:
        out("no runs" + (" like that" if status or graph else ""))
        return FINE
    style = output_style()
    out(
        table(("RUN", "GRAPH", "HASH", "STATUS", "STEP", "AT", "AGE"), _rows(found, style), style, "STEP AGE")
    )
    return FINE


def _rows(found: Sequence[tuple[RunRecord, int, str]], style: Style) -> list[tuple[str, ...]]:
    now = time.time()
    return [
        (
            printable(run.run),
            run.graph,
            style.dim(short_hash(run.hash)),
            status_text(run.status, style),
            str(step),
            place,
            age(now - run.updated),
        )
        for run, step, place in found
    ]


def _run_json(run: RunRecord, step: int, place: str) -> dict[str, Any]:
    return {
        "run": run.run,
        "graph": run.graph,
        "hash": run.hash,
        "status": str(run.status),
        "step": step,
        "at": place,
        "created": run.created,
        "updated": run.updated,
        "owner": run.owner,
        "lease": run.lease,
        "error": run.error,
        "parent": run.parent,
    }


async def _standing(store: Store, run: RunRecord) -> tuple[int, str]:
    """The last step of a run, and where that led: told from the log alone, without the graph."""
    last: MutationRecord | None = None
    newest = await store.latest_snapshot(run.run)
    async for record in store.replay(run.run, max(1, newest.step if newest else 1)):
        last = record
    if last is not None:
        return last.step, (f"{last.frame}/" if last.frame else "") + (last.next or last.node)
    if newest is not None:
        return newest.step, str(json.loads(newest.snapshot)["root"]["node"])
    return 0, "start"


# --- show -------------------------------------------------------------------------------------------------


@click.command("show")
@click.argument("run")
@store_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--whole", is_flag=True, help="Do not cut long values.")
def show_command(run: str, store_url: str, as_json: bool, whole: bool) -> int:
    """State, place, waiting barriers and history of a run.

    RUN is a run's id, or its beginning where that is enough.
    """
    from .looking import look

    seen = with_store(store_url, lambda store: look(store, run), reading=True)
    if as_json:
        out(dumps(seen.as_json()))
        return FINE
    style = output_style()
    _show_head(seen.run, seen.steps, style)
    if seen.state is not None:
        out(style.bold("state") + (f" {style.dim(seen.note)}" if seen.note else ""))
        for line in fields(seen.state, style, width=10**9 if whole else 100):
            out(line)
    elif seen.note:
        out(style.dim(seen.note))
    if seen.frames:
        out(style.bold("stands at"))
        for frame in seen.frames:
            out(f"  {frame['path'] or '(graph)'}: {frame['node']}, visit {frame['visit']}")
    for line in seen.barrier_lines(style, store_url):
        out(line)
    for title, lines in seen.histories():
        out(style.bold(title))
        for line in lines:
            out(f"  {line}")
    return FINE


def _show_head(run: RunRecord, steps: int, style: Style) -> None:
    out(f"{style.bold('run')} {printable(run.run)}  {status_text(run.status, style)}")
    out(f"  graph    {run.graph}  {style.dim(run.hash)}")
    out(f"  started  {moment(run.created)}")
    out(f"  changed  {moment(run.updated)} ({age(time.time() - run.updated)} ago)")
    out(f"  steps    {steps}")
    if run.lease > time.time():
        from ..runtime.store.records import owner_name

        out(f"  driven   by {printable(owner_name(run.owner))}")
    if run.parent:
        out(f"  forked   from {run.parent}")
    if run.error:
        out(f"  error    {style.red(printable(run.error))}")


def step_json(record: MutationRecord) -> dict[str, Any]:
    """A log record as JSON data."""
    return {
        "run": record.run,
        "step": record.step,
        "frame": record.frame,
        "node": record.node,
        "visit": record.visit,
        "outcome": record.outcome,
        "next": record.next,
        "mutations": json.loads(record.mutations or "[]"),
        "time": record.time,
        "duration": record.duration,
        "attempt": record.attempt,
        "cost": record.cost,
        "error": record.error,
        "checkpoint": record.checkpoint,
        "hash": record.hash,
    }


def dumps(value: object) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
