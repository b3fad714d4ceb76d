"""`lgc check`: from files to their findings."""

from __future__ import annotations

import click

from ..dsl.diagnostic import Diagnostic
from . import findings


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
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def check_command(
    paths: tuple[str, ...],
    form: str,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    stdin_name: str,
) -> int:
    """Parse, resolve, type-check and analyse.

    PATH is a file, a folder (all .lgraph files below it) or - (standard input). Without any, what the
    settings call `source`, else the working directory. Exits with 1 where there are errors.
    """
    results = findings.check_inputs(findings.read_inputs(paths, stdin_name))
    only, without = findings.split_codes(select), findings.split_codes(ignore)
    kept: list[Diagnostic] = []
    for result in results:
        settings = result.batch.settings
        kept += findings.chosen(
            result.findings,
            only or findings.split_codes(settings.select),
            without + findings.split_codes(settings.ignore),
            settings.severity,
        )
    files = sum(len(result.checked.files) + len(result.batch.findings) for result in results)
    findings.report(kept, files, form=form)
    return findings.status(kept, strict=strict)
