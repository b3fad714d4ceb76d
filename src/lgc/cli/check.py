"""`lgc check`: from files to their findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .checking import Options, check_paths
from .plain import PLAIN, Plain

F = TypeVar("F", bound=Callable[..., Any])


def _plain(command: F) -> F:
    """Give the command the options that only look."""
    for option in reversed(PLAIN):
        command = click.option(option.word, option.name, help=option.help, **_settings(option))(command)
    return command


def _settings(option: Plain) -> dict[str, Any]:
    if option.choices:
        return {"type": click.Choice(option.choices), "default": option.choices[0], "show_default": True}
    if option.many:
        return {"multiple": True, "metavar": option.metavar}
    return {"default": "", "metavar": option.metavar} if option.metavar else {"is_flag": True}


@click.command("check")
@click.argument("paths", nargs=-1, metavar="PATH...")
@_plain
@click.option("--fix", is_flag=True, help="Apply the repairs that are certain, and report what remains.")
@click.option("--diff", is_flag=True, help="With --fix: write nothing, show what would change.")
@click.option("--write-baseline", is_flag=True, help="Accept what is found: write it to the baseline.")
@click.option("--reason", default="", metavar="TEXT", help="With --write-baseline: why it is accepted.")
@click.option(
    "--against",
    "against",
    multiple=True,
    metavar="FORM",
    help="Check migrations against these older graphs: a file with canonical JSON, git:REV, or store:URL.",
)
@click.option("--impls", is_flag=True, help="Import the tasks' functions: are they there, do they fit?")
@click.option("--nodes", default="", metavar="MODULE[:CLASS]", help="Where --impls looks for the functions.")
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes.")
def check_command(paths: tuple[str, ...], reason: str, **written: Any) -> int:
    """Parse, resolve, type-check and analyse.

    PATH is a file, a folder (all .lgraph files below it) or - (standard input). Without any, what the
    settings call `source`, else the working directory. Exits with 1 where there are errors.
    """
    options = Options(reason=reason.strip(), **written)
    changes = [name for name in ("fix", "diff", "write_baseline") if written[name]]
    if options.watching and "-" in (*paths, *options.against):
        raise click.UsageError("standard input cannot be watched")
    if options.watching and changes:
        raise click.UsageError(f"--watch only looks: leave out --{changes[0].replace('_', '-')}")
    if options.write_baseline and (options.fix or options.diff):
        raise click.UsageError("first --fix, then --write-baseline: give one of the two")
    if options.diff and options.form != "text":
        raise click.UsageError("--diff shows text: leave out --format")
    if options.stats and (changes or options.impls):
        raise click.UsageError("--stats only looks: leave out the options that change or import something")
    if options.reason and not options.write_baseline:
        raise click.UsageError("--reason belongs to --write-baseline")
    return check_paths(paths, options)
