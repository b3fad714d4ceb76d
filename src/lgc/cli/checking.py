"""From files to a report of their findings: what `lgc check` does, without the reading of its words."""

from __future__ import annotations

from ..dsl.diagnostic import Diagnostic
from . import findings


def check_paths(
    paths: tuple[str, ...],
    form: str = "text",
    strict: bool = False,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    impls: bool = False,
    nodes: str = "",
    watching: bool = False,
    stdin_name: str = "",
) -> int:
    """Check files, write the report and return the status; the arguments are those of the command."""
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
            from click import UsageError

            raise UsageError("standard input cannot be watched")
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
