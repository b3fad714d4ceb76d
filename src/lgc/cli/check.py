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
    only, without = findings.split_codes(select), findings.split_codes(ignore)

    def once() -> tuple[list[Diagnostic], list[str]]:
        kept: list[Diagnostic] = []
        results = findings.check_inputs(findings.read_inputs(paths, stdin_name))
        for result in results:
            settings = result.batch.settings
            found = [*result.findings, *(_impls(result, nodes) if impls else [])]
            kept += findings.chosen(
                found,
                only or findings.split_codes(settings.select),
                without + findings.split_codes(settings.ignore),
                settings.severity,
            )
        files = sum(len(result.checked.files) + len(result.batch.findings) for result in results)
        findings.report(kept, files, form=form)
        return kept, [file.source.path for result in results for file in result.checked.files]

    if watching:
        if "-" in paths:
            raise click.UsageError("standard input cannot be watched")
        from .watch import watch

        watch(lambda: [*once()[1], *_folders(paths)])
    return findings.status(once()[0], strict=strict)


def _impls(result: findings.Result, nodes: str) -> list[Diagnostic]:
    if not result.sound:
        return []  # first the graph, then its functions
    from .impls import missing_implementations

    return missing_implementations(result, nodes or result.batch.settings.nodes)


def _folders(paths: tuple[str, ...]) -> list[str]:
    """The folders in which files may appear."""
    import os

    return [folder for path in paths or (".",) for folder, _, _ in os.walk(path)]
