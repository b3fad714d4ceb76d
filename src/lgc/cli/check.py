"""`lgc check`: from files to their findings."""

from __future__ import annotations

import click

from .checking import check_paths


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
@click.option("--impls", is_flag=True, help="Import the tasks' functions: are they there, do they fit?")
@click.option("--nodes", default="", metavar="MODULE[:CLASS]", help="Where --impls looks for the functions.")
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes.")
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def check_command(
    paths: tuple[str, ...],
    form: str,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    impls: bool,
    nodes: str,
    watching: bool,
    stdin_name: str,
) -> int:
    """Parse, resolve, type-check and analyse.

    PATH is a file, a folder (all .lgraph files below it) or - (standard input). Without any, what the
    settings call `source`, else the working directory. Exits with 1 where there are errors.
    """
    return check_paths(paths, form, strict, select, ignore, impls, nodes, watching, stdin_name)
