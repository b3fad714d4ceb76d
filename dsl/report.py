"""From findings to a report in one of the formats of `lgc check --format`: one table, one function each.

A format's own file is imported when the format is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .diagnostic import Diagnostic, Severity

Renderer = Callable[[Iterable[Diagnostic], bool, int | None], str]
"""(findings, colour, number of files that were looked at) to the report's text."""


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, place and code; the same finding only once."""
    return list(dict.fromkeys(sorted(findings, key=Diagnostic.sort_key)))


def counts(findings: Iterable[Diagnostic], files: int | None = None) -> dict[str, int]:
    """How many errors and warnings there are, in how many files.

    Args:
        findings: what was found.
        files: how many files were looked at; without it, the number of files that have findings.
    """
    found = list(findings)
    errors = sum(one.severity is Severity.ERROR for one in found)
    if files is None:
        files = len({one.place.source.path for one in found})
    return {"errors": errors, "warnings": len(found) - errors, "files": files}


def summary_line(findings: Iterable[Diagnostic], files: int | None = None) -> str:
    """``2 errors, 1 warning in 3 files``; arguments as for `counts`."""
    count = counts(findings, files)
    errors, warnings = count["errors"], count["warnings"]
    parts = [_number(errors, "error")] if errors else []
    parts += [_number(warnings, "warning")] if warnings else []
    where = f" in {_number(count['files'], 'file')}" if parts or files is not None else ""
    return (", ".join(parts) or "no findings") + where


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def render_text(findings: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """For people: each finding with its source lines, then a summary line; ``color`` adds ANSI colours."""
    found = in_order(findings)
    if not found and not color:
        return summary_line(found, files) + "\n"

    from .report_text import text_report

    return text_report(found, color, summary_line(found, files))


def render_json(findings: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """For programs: version 1 of the JSON report."""
    from .report_json import json_report

    found = in_order(findings)
    return json_report(found, counts(found, files))


def render_github(findings: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """For GitHub Actions: one annotation a finding."""
    from .report_ci import github_report

    return github_report(in_order(findings))


def render_junit(findings: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """For test reports: JUnit's XML, one suite a file."""
    from .report_ci import junit_report

    return junit_report(in_order(findings))


def render_sarif(findings: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """For code scanning: SARIF 2.1.0."""
    from .report_sarif import sarif_report

    return sarif_report(in_order(findings))


FORMATS: dict[str, Renderer] = {
    "text": render_text,
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "junit": render_junit,
}
"""The formats by the name that ``--format`` takes."""
