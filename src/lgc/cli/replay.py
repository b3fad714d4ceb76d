"""`lgc replay`, `lgc fork`: from the log of a run to an earlier state, or to a new run from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import FINE
from .launch import compile_source, prepare, stored_launch
from .progress import state_json
from .runs import dumps
from .stores import get_run, store_option, store_words, with_store
from .terminal import out, output_style
from .wording import fields, short_hash

if TYPE_CHECKING:
    from ..runtime.graph import Graph
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord


async def _graph(store: Store, run: RunRecord, source: str) -> Graph[Any]:
    """The graph of the source, without functions. Raises GraphMismatch where the run was never under it."""
    compiled = compile_source(stored_launch(run, source))
    await compiled.refuse_other(store, run, ever=True)
    return prepare(compiled, bind_nodes=False).unbound()


@click.command("replay")
@click.argument("run")
@store_option
@click.option(
    "--to-step", type=click.IntRange(0), metavar="N", help="The state after this step, instead of the last."
)
@click.option(
    "--source", default="", metavar="FILE[:GRAPH]", help="Another source than the run was started from."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def replay_command(run: str, store_url: str, to_step: int | None, source: str, as_json: bool) -> int:
    """Rebuild a state from the log; no node is called."""

    async def read(store: Store) -> dict[str, Any]:
        from ..runtime.sessions.restore import looked_at

        found = await get_run(store, run)
        graph = await _graph(store, found, source)
        position = await looked_at(store, graph, found, to_step)
        root = position.root
        return {
            "version": 1,
            "run": found.run,
            "step": position.step,
            "node": root.node,
            "hash": root.graph.hash,
            "state": state_json(root.state),
        }

    told = with_store(store_url, read, reading=True)
    if as_json:
        out(dumps(told))
        return FINE
    style = output_style()
    under = style.dim(short_hash(told["hash"]))
    out(f"{style.bold('run')} {told['run']} after step {told['step']}, at {told['node']}, under {under}")
    for line in fields(told["state"], style):
        out(line)
    return FINE


@click.command("fork")
@click.argument("run")
@click.option(
    "--step", type=click.IntRange(0), required=True, metavar="N", help="Start from the position after it."
)
@click.option("--run-id", default="", metavar="ID", help="The new run's id; without it a new one.")
@store_option
@click.option(
    "--source", default="", metavar="FILE[:GRAPH]", help="Another source than the run was started from."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def fork_command(run: str, step: int, run_id: str, store_url: str, source: str, as_json: bool) -> int:
    """Start a new run from a step of another, which stays as it is."""

    async def work(store: Store) -> str:
        import time
        from uuid import uuid4

        from ..runtime.sessions.replaying import fork

        found = await get_run(store, run)
        graph = await _graph(store, found, source)
        new = run_id or f"{found.run}-fork-{uuid4().hex[:6]}"
        await fork(store, graph, found.run, step, new, time.time())
        return new

    new = with_store(store_url, work, reading=False, existing=True)
    if as_json:
        out(dumps({"version": 1, "run": new, "parent": run, "step": step}))
        return FINE
    style = output_style()
    out(f"{style.green('forked')}: run {new} from step {step}; go on with")
    out(f"  {style.cyan(f'lgc resume {new}{store_words(store_url)}')}")
    return FINE
