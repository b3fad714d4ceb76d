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
    stdin_name: str = "",
) -> int:
    """Check files, write the report and return the status; the arguments are those of the command."""
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
