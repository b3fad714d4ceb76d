"""From findings to a report in one of the formats of `lgc check --format`: one table, one function each.

A format's own file is imported when the format is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .diagnostic import Diagnostic, Severity, Suppressed
from .frozen import frozen

TYPE_CHECKING = False  # as in `frozen`
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

NO_WORDS: Mapping[str, RuleWords] = {}


class RuleWords(Protocol):
    """What a report may tell of a rule."""

    @property
    def name(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def summary(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def example(self) -> str: ...
    @property
    def repair(self) -> str: ...


@frozen
class More:
    """What a report may tell beside the findings.

    Attributes:
        suppressed: the findings that were silenced.
        fingerprints: by `Diagnostic.sort_key`; without any, they are made from the paths as they are.
        rules: the words about each code.
        version: of this program.
        stats: times and counts, for the report in JSON.
    """

    suppressed: tuple[Suppressed, ...] = ()
    fingerprints: Mapping[tuple[str, int, int, str, str], str] | None = None
    rules: Mapping[str, RuleWords] = NO_WORDS
    version: str = ""
    stats: Mapping[str, object] | None = None


NOTHING_MORE = More()


class Renderer(Protocol):
    """(findings, colour, number of files that were looked at, what else there is) to the report's text."""

    def __call__(
        self,
        findings: Iterable[Diagnostic],
        color: bool = False,
        files: int | None = None,
        more: More = NOTHING_MORE,
    ) -> str: ...


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


def summary_line(findings: Iterable[Diagnostic], files: int | None = None, suppressed: int = 0) -> str:
    """``2 errors, 1 warning in 3 files (1 suppressed)``; arguments as for `counts`."""
    found = list(findings)
    count = counts(found, files)
    errors, warnings = count["errors"], count["warnings"]
    parts = [_number(errors, "error")] if errors else []
    parts += [_number(warnings, "warning")] if warnings else []
    where = f" in {_number(count['files'], 'file')}" if parts or files is not None else ""
    fixable = sum(one.fix is not None for one in found)
    beside = [f"{suppressed} suppressed"] if suppressed else []
    beside += [f"{fixable} fixable with `lgc check --fix`"] if fixable else []
    return (", ".join(parts) or "no findings") + where + (f" ({', '.join(beside)})" if beside else "")


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def render_text(
    findings: Iterable[Diagnostic], color: bool = False, files: int | None = None, more: More = NOTHING_MORE
) -> str:
    """For people: each finding with its source lines, then a summary line; ``color`` adds ANSI colours."""
    found = in_order(findings)
    summary = summary_line(found, files, len(more.suppressed))
    if not found and not color:
        return summary + "\n"

    from .report_text import text_report

    return text_report(found, color, summary)


def render_json(
    findings: Iterable[Diagnostic], color: bool = False, files: int | None = None, more: More = NOTHING_MORE
) -> str:
    """For programs: version 1 of the JSON report."""
    from .report_json import json_report

    found = in_order(findings)
    return json_report(found, counts(found, files), _with_fingerprints(found, more))


def render_github(
    findings: Iterable[Diagnostic], color: bool = False, files: int | None = None, more: More = NOTHING_MORE
) -> str:
    """For GitHub Actions: one annotation a finding."""
    from .report_ci import github_report

    return github_report(in_order(findings))


def render_junit(
    findings: Iterable[Diagnostic], color: bool = False, files: int | None = None, more: More = NOTHING_MORE
) -> str:
    """For test reports: JUnit's XML, one suite a file."""
    from .report_ci import junit_report

    return junit_report(in_order(findings))


def render_sarif(
    findings: Iterable[Diagnostic], color: bool = False, files: int | None = None, more: More = NOTHING_MORE
) -> str:
    """For code scanning: SARIF 2.1.0."""
    from .report_sarif import sarif_report

    found = in_order(findings)
    return sarif_report(found, _with_fingerprints(found, more))


def _with_fingerprints(findings: list[Diagnostic], more: More) -> More:
    if more.fingerprints is not None:
        return more
    from .fingerprint import fingerprints

    made = fingerprints([*findings, *(one.finding for one in more.suppressed)])
    return More(more.suppressed, made, more.rules, more.version)


FORMATS: dict[str, Renderer] = {
    "text": render_text,
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "junit": render_junit,
}
"""The formats by the name that ``--format`` takes."""
