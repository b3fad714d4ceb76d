"""From paths to checked programs, and from findings to a report and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .. import project
from ..dsl.diagnostic import Diagnostic, Severity
from ..dsl.frozen import frozen
from ..settings import ProjectError
from . import FINDINGS, FINE
from .terminal import Failure, wants_color

if TYPE_CHECKING:
    from ..compiler import Checked

ALWAYS = "LG00"  # a text that cannot be read is always told


@frozen
class Result:
    """One project's files after checking. `findings` holds also those about bytes that are no text."""

    batch: project.Batch
    checked: Checked
    findings: tuple[Diagnostic, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing stands in the way of using the program."""
        return not any(one.severity is Severity.ERROR for one in self.findings)


def read_inputs(paths: Sequence[str], stdin_name: str = "") -> list[project.Input]:
    """The files that paths name. Raises Failure where one cannot be read."""
    try:
        return project.inputs(paths, stdin_name=stdin_name)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error


def check_inputs(inputs: Iterable[project.Input]) -> list[Result]:
    """Check files, those of one project together."""
    from ..compiler import check

    results: list[Result] = []
    for batch in project.batches(inputs):
        checked = check(batch.sources, load=project.load, root=batch.root)
        results.append(Result(batch, checked, (*batch.findings, *checked.diagnostics)))
    return results


def sound_results(paths: Sequence[str], stdin_name: str = "", *, quiet: bool = False) -> list[Result]:
    """Check files for a command that needs them without errors; leaves where there are errors.

    Raises:
        Exit: there are; they are reported unless `quiet`.
    """
    return sound(check_inputs(read_inputs(paths, stdin_name)), quiet=quiet)


def sound(results: list[Result], *, quiet: bool = False) -> list[Result]:
    """The results, if none has errors; see `sound_results`."""
    if not all(result.sound for result in results):
        errors = [f for result in results for f in result.findings if f.severity is Severity.ERROR]
        if not quiet:
            report(errors, sum(len(result.checked.files) for result in results), to_errors=True)
        from click.exceptions import Exit  # a clean file needs nothing of click

        raise Exit(FINDINGS)
    return results


def one_source(path: str, *, quiet: bool = False) -> Result:
    """Check one file without errors; see `sound_results`."""
    return sound_results([path], quiet=quiet)[0]


# --- which findings count ---------------------------------------------------------------------------------


def split_codes(values: Iterable[str]) -> tuple[str, ...]:
    """Codes and beginnings of codes from options like `LG1,LG503`. Raises UsageError where one is neither."""
    codes = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in codes:
        if code == "ALL":
            continue
        from ..compiler.rules import RULES

        if not any(rule.code.startswith(code) for rule in RULES):
            from click import UsageError

            raise UsageError(f"`{code}` is not a code or the beginning of one; codes look like LG503")
    return tuple("LG" if code == "ALL" else code for code in codes)


def chosen(
    findings: Iterable[Diagnostic],
    select: Sequence[str],
    ignore: Sequence[str],
    severity: Mapping[str, str],
) -> list[Diagnostic]:
    """The findings that count, with the severities that were set; the longest fitting code decides."""
    kept: list[Diagnostic] = []
    for finding in findings:
        if not finding.code.startswith(ALWAYS):
            wanted = _longest(finding.code, select) if select else 0
            unwanted = _longest(finding.code, ignore)
            if wanted < 0 or unwanted > wanted or (unwanted >= 0 and unwanted == wanted):
                continue
            level = severity.get(_longest_key(finding.code, severity), "")
            if level == "off":
                continue
            if level and level != finding.severity:
                from dataclasses import replace

                finding = replace(finding, severity=Severity(level))
        kept.append(finding)
    return kept


def _longest(code: str, beginnings: Iterable[str]) -> int:
    """How much of the code the longest of the beginnings covers, -1 where none fits."""
    return max((len(one) for one in beginnings if code.startswith(one)), default=-1)


def _longest_key(code: str, severity: Mapping[str, str]) -> str:
    return max((one for one in severity if code.startswith(one)), key=len, default="")


# --- reports ----------------------------------------------------------------------------------------------


def report(
    findings: Iterable[Diagnostic], files: int, *, form: str = "text", to_errors: bool = False
) -> None:
    """Write a report of the findings in one of the formats."""
    from ..dsl.report import FORMATS

    stream = sys.stderr if to_errors else sys.stdout
    stream.write(FORMATS[form](findings, wants_color(stream), files))


def status(findings: Iterable[Diagnostic], *, strict: bool = False) -> int:
    """The exit status that findings lead to."""
    bad = any(strict or one.severity is Severity.ERROR for one in findings)
    return FINDINGS if bad else FINE
