"""`lgc run`, `lgc resume`: from a graph and an input, or a stored run, to a run that is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import FINDINGS, FINE, INTERRUPTED
from .given import read_input, state_from
from .interrupt import terminable
from .launch import Launch, compile_source, prepare, stored_launch
from .logs import log_options, log_sink, logging_on
from .progress import follower
from .stores import (
    MEMORY,
    demand_there,
    get_run,
    open_url,
    settings,
    shown,
    store_option,
    store_url,
    store_words,
)
from .targets import split_target
from .terminal import Failure, error_style, note, say

if TYPE_CHECKING:
    from ..runtime.sessions.session import Session
    from ..runtime.store.protocols import Store

MODES = ["strict", "compatible", "migrate", "force"]


@click.command("run")
@click.argument("target", metavar="FILE[:GRAPH]")
@click.option(
    "--nodes", default="", metavar="MODULE[:CLASS]", help="The tasks' functions: a module or a file."
)
@click.option(
    "--input", "given", default="", metavar="JSON|@FILE|@-", help="The fields of the state to start with."
)
@store_option
@click.option("--run-id", default="", metavar="ID", help="The run's id; without it a new one.")
@click.option(
    "--json", "as_json", is_flag=True, help="Events and chunks as JSON, one a line; the result last."
)
@log_options
def run_command(target: str, nodes: str, given: str, store_url: str, run_id: str, as_json: bool) -> int:
    """Start a run and follow it.

    FILE is compiled in memory: nothing needs to be built first. A class given by --nodes is made
    without arguments; its method `transients()` gives the values of transient fields. At a barrier the
    run stops and the command tells how to answer it.
    """
    path, graph = split_target(target)
    if not Path(path).is_file():
        raise Failure(f"{path} is a folder" if Path(path).is_dir() else f"{path}: no such file")
    nodes = nodes or settings().nodes
    launch = Launch(str(Path(path).absolute()), graph, nodes, str(Path.cwd()))
    prepared = prepare(compile_source(launch), bind_nodes=True)
    state = state_from(prepared.plan.state, read_input(given), prepared.transients)

    async def start(store: Store) -> Session[Any]:
        from ..runtime.sessions.session import Session

        assert prepared.bound is not None
        return await Session.start(
            prepared.bound, state, store=store, run_id=run_id or None, launch=prepared.launch.to_json(),
            trace_sink=log_sink(),
        )  # fmt: skip

    return drive(store_url, start, as_json)


@click.command("resume")
@click.argument("run", default="", metavar="RUN|--all")
@store_option
@click.option("--all", "everything", is_flag=True, help="Every run that nobody drives and that can go on.")
@click.option("--like", default="", hidden=True, help="With --all: only those started as this run was.")
@click.option("--take-over", is_flag=True, help="Also where another process is at work on the run.")
@click.option(
    "--mode", type=click.Choice(MODES), default="strict", show_default=True, help="Under which graphs."
)
@click.option("--reason", default="", metavar="TEXT", help="Why it goes on under another graph.")
@click.option("--actor", default="", metavar="NAME", help="Who says so; without it this process, if it may.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of it under the graph.")
@click.option(
    "--source", default="", metavar="FILE[:GRAPH]", help="Another source than the run was started from."
)
@click.option(
    "--nodes", default="", metavar="MODULE[:CLASS]", help="Other nodes than the run was started with."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Events and chunks as JSON, one a line; the result last."
)
@log_options
def resume_command(
    run: str,
    store_url: str,
    everything: bool,
    like: str,
    take_over: bool,
    mode: str,
    reason: str,
    actor: str,
    dry_run: bool,
    source: str,
    nodes: str,
    as_json: bool,
) -> int:
    """Go on with a run, wherever it stands, or with all of them.

    The source and the nodes are those that the run was started with. If the graph has changed since,
    the run is refused, and the command tells what changed and whether that matters to this run.

    \b
    --mode compatible  goes on if the new graph could have done all that the run did so far
    --mode migrate     also if the source declares a migration that fits
    --mode force       in any case that can be; needs --reason and --actor

    The run's history keeps how it was moved. --dry-run changes nothing and ends with 1 where the run
    would be refused.

    A run that a living process drives is left to it. `--all` takes up what died with its process, what
    has been answered since, and barriers whose time is over; it is made for a timer.
    """
    if everything == bool(run):
        raise click.UsageError(
            "name a run, or say --all" if not run else "a run and --all exclude each other"
        )
    if everything:
        if mode == "force":
            raise click.UsageError("--mode force takes one run at a time: each needs a reason of its own")
        if take_over or source or nodes or dry_run:
            raise click.UsageError("--all goes with --store, --mode, --json and the options for logs only")
        from .resume_all import Wanted, resume_all

        return resume_all(store_url, as_json=as_json, like=like, wanted=Wanted(mode, reason, actor))
    if dry_run:
        from .dry_run import dry_run_of

        return dry_run_of(
            store_url, run, source=source, mode=mode, reason=reason, actor=actor, as_json=as_json
        )
    if mode == "force" and not (reason.strip() and actor.strip()):
        raise click.UsageError("--mode force needs --reason and --actor: both are kept with the run")
    return go_on(
        store_url, run, source=source, nodes=nodes, mode=mode, reason=reason, actor=actor, as_json=as_json,
        take_over=take_over,
    )  # fmt: skip


def go_on(
    given_store: str,
    run: str,
    *,
    source: str = "",
    nodes: str = "",
    mode: str = "strict",
    reason: str = "",
    actor: str = "",
    as_json: bool = False,
    take_over: bool = False,
) -> int:
    """Restore a run and follow it; the exit status."""

    async def restore(store: Store) -> Session[Any]:
        from ..runtime.sessions.modes import RestoreMode
        from ..runtime.sessions.session import Session

        found = await get_run(store, run)
        compiled = compile_source(stored_launch(found, source, nodes))
        if mode == "strict":
            await compiled.refuse_other(store, found)
        prepared = prepare(compiled, bind_nodes=True)
        assert prepared.bound is not None
        return await Session.restore(
            prepared.bound,
            store=store,
            run_id=found.run,
            mode=RestoreMode(mode),
            reason=reason,
            actor=actor,
            transients=prepared.transients,
            take_over=take_over,
            trace_sink=log_sink(),
        )

    url = store_url(given_store)
    if url == MEMORY:
        raise Failure("a store in memory holds no runs of other processes", "name another one with --store")
    return drive(given_store, restore, as_json, existing=True)


def drive(
    given_store: str,
    begin: Callable[[Store], Awaitable[Session[Any]]],
    as_json: bool,
    *,
    existing: bool = False,
) -> int:
    """Open the store, begin, follow to the end; the exit status."""
    followed = follower(as_json)
    begun: list[str] = []

    async def main() -> int:
        if existing:
            await demand_there(given_store)
        with terminable():
            async with open_url(store_url(given_store), reading=False) as store:
                try:
                    session = await begin(store)
                except Exception as error:
                    followed.refused(error)
                    raise
                begun.append(session.run_id)
                followed.begin(session, shown(store_url(given_store)))
                return await _follow(session, followed, store_words(given_store))

    try:
        with logging_on():
            return asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        if begun:
            style = error_style()
            note(f"{style.yellow('interrupted', bold=True)}: what was committed stays; go on with")
            note(f"  lgc resume {begun[0]}{store_words(given_store)}")
        else:
            say("interrupted")
        return INTERRUPTED


async def _follow(session: Session[Any], followed: Any, words: str) -> int:
    from ..runtime.errors import LgcError
    from ..runtime.observation.events import GraphEvent

    since = asyncio.get_running_loop().time()
    try:
        async for item in session.stream():
            if isinstance(item, GraphEvent):
                followed.event(item)
            else:
                followed.chunk(item)
    except LgcError as error:
        followed.end(session, asyncio.get_running_loop().time() - since, words, error)
        return FINDINGS
    followed.end(session, asyncio.get_running_loop().time() - since, words, None)
    return FINE
