"""`lgc drift`: from a store and new versions of graphs to which runs can go on, which not, and why."""

from __future__ import annotations

import json

import click

from . import FINDINGS, FINE
from .stores import shown, store_option, store_url
from .terminal import out, output_style

_LEVELS = ("incompatible", "migratable", "compatible")
_STATUSES = ("running", "waiting", "uncertain", "failed")
_SHOWN = 20


@click.command("drift")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@store_option
@click.option("--graph", default="", metavar="NAME", help="Only runs of this graph.")
@click.option("--run", default="", metavar="ID", help="Only this run; the beginning of its id will do.")
@click.option("--status", multiple=True, type=click.Choice(_STATUSES), help="Only runs that stand so.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "github"]),
    default="text",
    show_default=True,
    help="Of these, json tells every run; github is for the log of a workflow.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_LEVELS),
    default="incompatible",
    show_default=True,
    help="Exit with 1 if a run has this verdict, or a worse one.",
)
@click.option(
    "--limit", type=click.IntRange(0), default=_SHOWN, show_default=True, metavar="N",
    help="How many runs are listed.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="List all runs, those that nothing changes for, too.")
def drift_command(
    paths: tuple[str, ...],
    store_url: str,
    graph: str,
    run: str,
    status: tuple[str, ...],
    form: str,
    fail_on: str,
    limit: int,
    everything: bool,
) -> int:
    """May the runs of a store go on under these graphs, and why not? For before a deploy, and for CI.

    Every run that has not ended is looked at: what it has done so far, where it is parked, what it holds.
    The store is only read, and may be at work meanwhile. PATH is a file, FILE:GRAPH, a folder, git:REV or
    canonical JSON, as for `lgc diff`; without any, the project's sources.
    """
    return _drift(paths, store_url, (graph, run, status), form, fail_on, None if everything else limit)


def _drift(
    paths: tuple[str, ...],
    given: str,
    which: tuple[str, str, tuple[str, ...]],
    form: str,
    fail_on: str,
    limit: int | None,
) -> int:
    from ..runtime.compat.drift import UNFINISHED
    from ..runtime.compat.verdict import Verdict
    from ..runtime.store.records import RunStatus
    from .drifting import surveyed
    from .versions import versions_of

    graph, run, status = which
    statuses = tuple(RunStatus(one) for one in dict.fromkeys(status)) or UNFINISHED
    found = surveyed(given, versions_of(*paths), statuses=statuses, graph=graph, run=run)
    level = Verdict(fail_on)
    where = shown(store_url(given))
    match form:
        case "json":
            out(json.dumps({"version": 1, "store": where, **found.to_json()}, indent=2, ensure_ascii=False))
        case "markdown":
            from .drift_markdown import as_markdown

            out(as_markdown(found, where).rstrip("\n"))
        case "github":
            from .drift_github import as_commands

            out(as_commands(found, where, level).rstrip("\n"))
        case _:
            from .drift_text import as_text

            out(as_text(found, where, given, limit, output_style()).rstrip("\n"))
    return FINDINGS if found.damaged or found.summary.worst.rank >= level.rank else FINE
