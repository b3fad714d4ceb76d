"""`lgc settle`, `lgc cancel`: from what a person says about a stuck run to a run that goes on, or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import FINE
from .decide import user
from .given import read_mutations
from .launch import compile_source, prepare, stored_launch
from .run import drive
from .stores import get_run, store_option, with_store
from .terminal import Failure, out, output_style

if TYPE_CHECKING:
    from ..runtime.sessions.session import Session
    from ..runtime.store.protocols import Store


@click.command("settle")
@click.argument("run")
@click.argument("node")
@click.argument("how", metavar="retry|skip|records", type=click.Choice(["retry", "skip", "records"]))
@click.argument("mutations", nargs=-1, metavar="[MUTATION[=JSON]]...")
@store_option
@click.option("--actor", default="", metavar="NAME", help="Who says so; without it the user of this process.")
@click.option("--no-run", is_flag=True, help="Only record it; `lgc resume` goes on.")
def settle_command(
    run: str, node: str, how: str, mutations: tuple[str, ...], store_url: str, actor: str, no_run: bool
) -> int:
    """Say what became of a run that died inside an `effect once` node.

    `retry` calls the node again, `skip` goes on as if it had recorded nothing, `records` goes on with
    the mutations given, because the effect did happen.
    """
    if mutations and how != "records":
        raise click.UsageError(f"`{how}` takes no mutations")
    if no_run and how == "retry":
        raise click.UsageError("`retry` calls the node again: it cannot be combined with --no-run")

    async def begin(store: Store) -> Session[Any]:
        from ..runtime.sessions.session import Session

        found = await get_run(store, run)
        compiled = compile_source(stored_launch(found))
        await compiled.refuse_other(store, found)
        prepared = prepare(compiled, bind_nodes=True)
        assert prepared.bound is not None
        session = await Session.restore(
            prepared.bound, store=store, run_id=found.run, transients=prepared.transients
        )
        state = _owner(prepared.plan, node.rpartition("/")[2]) or prepared.plan
        told = read_mutations(state.state, mutations) if how == "records" else how
        await session.settle(node, told, actor=actor or user())
        style = output_style()
        out(f"{style.green('settled')}: {node} {style.bold(how)}")
        return session

    if no_run:
        with_store(store_url, begin, reading=False, existing=True)
        return FINE
    return drive(store_url, begin, as_json=False, existing=True)


def _owner(compiled: Any, name: str) -> Any:
    """The graph, this one or one that it runs, that has the node; None where none has."""
    if name in compiled.nodes:
        return compiled
    inner = (getattr(node, "graph", None) for node in compiled.nodes.values())
    return next((found for graph in inner if graph is not None and (found := _owner(graph, name))), None)


@click.command("cancel")
@click.argument("run")
@store_option
def cancel_command(run: str, store_url: str) -> int:
    """End a run that should not go on.

    What it has committed stays. A process that drives the run can commit nothing more.
    """

    async def work(store: Store) -> str:
        from ..runtime.sessions.lease import owner
        from ..runtime.store.records import Commit, RunStatus

        found = await get_run(store, run)
        if found.status in (RunStatus.DONE, RunStatus.CANCELLED):
            raise Failure(f"run `{found.run}` is {found.status} already", status=1)
        fence = await store.take(found.run, owner())
        await store.commit(Commit(found.run, fence, status=RunStatus.CANCELLED, lease=0.0))
        return found.run

    found = with_store(store_url, work, reading=False, existing=True)
    out(f"cancelled run {found}")
    return FINE
