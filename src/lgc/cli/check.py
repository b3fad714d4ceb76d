"""`lgc check`: from files to their findings."""

from __future__ import annotations

from typing import Any

import click

from .checking import Options, check_paths


@click.command("check")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="How findings are written.",
)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option(
    "--select", multiple=True, metavar="CODES", help="Only these findings (codes or their beginnings)."
)
@click.option("--ignore", multiple=True, metavar="CODES", help="All but these findings.")
@click.option("--fix", is_flag=True, help="Apply the repairs that are certain, and report what remains.")
@click.option("--diff", is_flag=True, help="With --fix: write nothing, show what would change.")
@click.option("--baseline", default="", metavar="FILE", help="The file with accepted findings.")
@click.option("--write-baseline", is_flag=True, help="Accept what is found: write it to the baseline.")
@click.option("--reason", default="", metavar="TEXT", help="With --write-baseline: why it is accepted.")
@click.option("--impls", is_flag=True, help="Import the tasks' functions: are they there, do they fit?")
@click.option("--nodes", default="", metavar="MODULE[:CLASS]", help="Where --impls looks for the functions.")
@click.option("--no-cache", is_flag=True, help="Check every file, and remember nothing of it.")
@click.option("--stats", is_flag=True, help="Tell how long each phase and each rule took, on stderr.")
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes.")
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def check_command(paths: tuple[str, ...], reason: str, **written: Any) -> int:
    """Parse, resolve, type-check and analyse.

    PATH is a file, a folder (all .lgraph files below it) or - (standard input). Without any, what the
    settings call `source`, else the working directory. Exits with 1 where there are errors.
    """
    options = Options(reason=reason.strip(), **written)
    changes = [name for name in ("fix", "diff", "write_baseline") if written[name]]
    if options.watching and "-" in paths:
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
