"""The commands of `lgc` as one table; a command's own file is imported when the command is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from ..dsl.named import NamedTuple


class _Entry(NamedTuple):
    """Where a command stands, under which heading, and its line in the overview."""

    module: str
    heading: str
    line: str


_GRAPHS = "Graphs"
_RUNS = "Runs"
_STORES = "Stores"

COMMANDS = {
    "init": _Entry(
        "init", _GRAPHS, "Make a small project that checks, builds, runs and has a passing scenario."
    ),
    "check": _Entry("check", _GRAPHS, "Parse, resolve, type-check and analyse."),
    "explain": _Entry("explain", _GRAPHS, "What a finding means, an example that causes it and its repair."),
    "fmt": _Entry("fmt", _GRAPHS, "Lay files out in the one layout."),
    "build": _Entry("build", _GRAPHS, "Write typed Python."),
    "hash": _Entry("hash", _GRAPHS, "Hashes of graphs, of their elements, and their canonical form."),
    "diff": _Entry("diff", _GRAPHS, "May runs go on under another version of a graph, and what changed?"),
    "migrate": _Entry("migrate", _GRAPHS, "Draft a migration from an old version of a graph to a new one."),
    "drift": _Entry("drift", _GRAPHS, "May the runs of a store go on under these graphs, and why not?"),
    "test": _Entry("test", _GRAPHS, "Run the scenarios."),
    "run": _Entry("run", _RUNS, "Start a run and follow it."),
    "resume": _Entry("run", _RUNS, "Go on with a run."),
    "decide": _Entry("decide", _RUNS, "Answer a barrier and go on."),
    "settle": _Entry("settle", _RUNS, "Say what became of a run that died inside an effect."),
    "cancel": _Entry("settle", _RUNS, "End a run that should not go on."),
    "runs": _Entry("runs", _RUNS, "List the runs of a store."),
    "show": _Entry("runs", _RUNS, "State, place, waiting barriers and history of a run."),
    "log": _Entry("log", _RUNS, "The committed steps of a run, one a line."),
    "replay": _Entry("replay", _RUNS, "Rebuild a state from the log; no node is called."),
    "fork": _Entry("replay", _RUNS, "Start a new run from a step of another."),
    "store": _Entry("store", _STORES, "Look after a store: stats, verify, prune, compact, archive."),
}


class _App(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        found: click.Command = getattr(import_module(f".{entry.module}", __package__), f"{cmd_name}_command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name in COMMANDS or not name or name.startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
        raise click.NoSuchOption(name, f"no such command `{name}`", possibilities=near, ctx=ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading in (_GRAPHS, _RUNS, _STORES):
            with formatter.section(heading):
                formatter.write_dl([(n, e.line) for n, e in COMMANDS.items() if e.heading == heading])


@click.group(
    cls=_App,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 fine, 1 findings, 2 wrong usage or unreadable input, 130 interrupted.",
)
@click.option("--version", is_flag=True, help="Show the version and leave.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), help="When to use colours.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def app(ctx: click.Context, version: bool, color: str | None, debug: bool) -> None:
    """Check, format, compile and run lgraph workflow graphs."""
    # --color and --debug may stand anywhere; they are taken out before click sees the words (see guard).
    if version:
        from .. import __version__

        click.echo(f"lgc {__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(2)
