"""From paths to a report of the findings that count, for Python: what `lgc check` does, as a function."""

from __future__ import annotations

import os
from collections.abc import Iterable

from . import project
from .checks import found_in
from .dsl.diagnostic import Diagnostic, Severity, Suppressed
from .dsl.frozen import frozen
from .dsl.report import FORMATS
from .judged import Judged, Result, judge, more_of


@frozen
class Report:
    """What `lgc check` says of some files.

    Attributes:
        findings: those that count, by file and place, with the severities of the settings.
        suppressed: those that a comment or a baseline silences.
        files: the paths of all files that were looked at, what they import included.
        judged: the same by project.
    """

    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    files: tuple[str, ...]
    judged: Judged

    @property
    def ok(self) -> bool:
        """Whether there are no errors; warnings may be there."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def render(self, form: str = "text", *, color: bool = False) -> str:
        """The report as `lgc check --format` writes it.

        Args:
            form: `text`, `json`, `sarif`, `github` or `junit`.
            color: whether text has ANSI colours.

        Raises:
            ValueError: there is no such format.
        """
        if form not in FORMATS:
            raise ValueError(f"no format {form!r}: there are {', '.join(FORMATS)}")
        return FORMATS[form](self.findings, color, len(self.files), more_of(self.judged, form))


def check_paths(
    *paths: str | os.PathLike[str],
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    baseline: str | os.PathLike[str] = "",
    cache: bool = True,
) -> Report:
    """Check files and folders as `lgc check` does: with the settings, baseline and cache of the project.

    Args:
        paths: files, folders (all `.lgraph` files below) or `-`, standard input; none stands for what the
            settings of the working directory call `source`, else the working directory.
        select, ignore: codes of findings or their beginnings, such as `LG5`; `select` goes before that of the
            settings, `ignore` is added to it.
        baseline: the file with accepted findings, instead of the one in the settings.
        cache: whether files that have not changed need not be checked again.

    Raises:
        ProjectError: a path or a baseline cannot be read, or a setting or a code makes no sense. Findings,
            also about text that cannot be parsed, raise nothing.
    """
    found = found_in(project.named([os.fspath(path) for path in paths]), remember=cache)
    results = [Result(one.batch, None, one.files, one.findings, one.suppressed) for one in found]
    only, without = _codes(select), _codes(ignore)
    judged = judge(results, select=only, ignore=without, baseline=os.fspath(baseline))
    findings = tuple(dict.fromkeys(sorted(judged.findings, key=Diagnostic.sort_key)))
    files = tuple(path for result in judged.results for path in result.files)
    return Report(findings, judged.suppressed, files, judged)


def _codes(given: Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
