"""`lgc decide`: from an answer on the command line to a recorded decision, and on with the run."""

from __future__ import annotations

import getpass
import os
import time
from typing import TYPE_CHECKING

import click

from . import FINE
from .given import read_decision
from .launch import compile_source, prepare, stored_launch
from .run import go_on
from .stores import get_run, store_option, with_store
from .terminal import Failure, note, out, output_style

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store


@click.command("decide")
@click.argument("run")
@click.argument("barrier")
@click.argument("answer")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@store_option
@click.option("--actor", default="", metavar="NAME", help="Who answers; without it the user of this process.")
@click.option(
    "--modify", multiple=True, metavar="MUTATION[=JSON]", help="A mutation to record with the answer."
)
@click.option("--no-run", is_flag=True, help="Only record the answer; `lgc resume` goes on.")
@click.option(
    "--source", default="", metavar="FILE[:GRAPH]", help="Another source than the run was started from."
)
@click.option(
    "--nodes", default="", metavar="MODULE[:CLASS]", help="Other nodes than the run was started with."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Events and chunks as JSON, one a line; the result last."
)
def decide_command(
    run: str,
    barrier: str,
    answer: str,
    arguments: tuple[str, ...],
    store_url: str,
    actor: str,
    modify: tuple[str, ...],
    no_run: bool,
    source: str,
    nodes: str,
    as_json: bool,
) -> int:
    """Answer a barrier and go on.

    BARRIER is the barrier's id, which means exactly what was shown under it, or the name of its node:
    any visit, also one that is still to come. ANSWER is one of its decisions, or `reroute` with
    node=NAME. Values are read by the types of the decision's parameters; NAME:=JSON gives JSON.
    """
    who = actor or user()

    async def record(store: Store) -> tuple[str, str]:
        from ..runtime.barriers.barrier import find_barrier
        from ..runtime.barriers.deciding import decide
        from ..runtime.errors import DecisionRefused
        from ..runtime.sessions.lease import held
        from ..runtime.store.records import owner_name

        found = await get_run(store, run)
        compiled = compile_source(stored_launch(found, source, nodes))
        await compiled.refuse_other(store, found)
        prepared = prepare(compiled, bind_nodes=False)
        try:
            owner, node = find_barrier(prepared.plan, barrier)
        except DecisionRefused as problem:
            raise Failure(problem.message, "see `lgc show`, or the barriers of the graph") from problem
        decision = read_decision(node, owner.state, answer, arguments, modify)
        await decide(prepared.unbound(), store, found.run, barrier, decision, actor=who)
        found = await store.get_run(found.run)
        return found.run, owner_name(found.owner) if held(found, time.time()) else ""

    found, driver = with_store(store_url, record, reading=False, existing=True)
    style = output_style()
    if not as_json:
        out(f"{style.green('recorded')}: {barrier} {style.bold(answer)} by {who}")
    if driver:
        note(f"{driver} is at work on the run and will see the answer")
        return FINE
    if no_run:
        if not as_json:
            note(f"go on with: lgc resume {found}")
        return FINE
    return go_on(store_url, found, source=source, nodes=nodes, as_json=as_json)


def user() -> str:
    """Who runs this process. Raises Failure where nobody knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        pass
    name = os.environ.get("USER", "")
    if not name:
        raise Failure("an answer needs somebody who gives it", "say who: --actor NAME")
    return name
