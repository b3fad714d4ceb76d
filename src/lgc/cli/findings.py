"""From paths to checked programs, and from findings to a report and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .. import project
from ..dsl.diagnostic import Diagnostic, Severity, Suppressed
from ..dsl.frozen import frozen
from ..settings import ProjectError, Settings
from . import FINDINGS, FINE
from .terminal import Failure, wants_color

if TYPE_CHECKING:
    from ..checks import Found
    from ..compiler import Checked
    from ..dsl.fingerprint import Identity
    from ..dsl.report import More
    from ..stats import Stats

MANY = 40
"""Files from which on a terminal is shown how far their check is."""
# A text that cannot be read is always told.
ALWAYS = frozenset({"LG001", "LG002", "LG003", "LG004", "LG005", "LG006"})


@frozen
class Result:
    """One project's files after checking.

    Attributes:
        batch: the files; without their texts where what was found is remembered.
        known: what the compiler made of them, None where what was found is remembered.
        files: the paths of all files that were looked at.
        findings: also those about bytes that are no text.
        suppressed: those that a comment or the baseline silences.
    """

    batch: project.Batch
    known: Checked | None
    files: tuple[str, ...]
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...] = ()

    @property
    def checked(self) -> Checked:
        """What the compiler made of the files. Raises RuntimeError where nobody asked for it."""
        if self.known is None:
            raise RuntimeError("only the findings of these files were asked for")
        return self.known

    @property
    def sound(self) -> bool:
        """Whether nothing stands in the way of using the program."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def with_findings(self, more: Iterable[Diagnostic]) -> Result:
        """The same with further findings."""
        return self.judged((*self.findings, *more), self.suppressed)

    def judged(self, kept: tuple[Diagnostic, ...], silenced: tuple[Suppressed, ...]) -> Result:
        """The same with other findings."""
        return Result(self.batch, self.known, self.files, kept, silenced)


def read_inputs(paths: Sequence[str], stdin_name: str = "") -> list[project.Input]:
    """The files that paths name. Raises Failure where one cannot be read."""
    try:
        return project.inputs(paths, stdin_name=stdin_name)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error


def found_in(
    paths: Sequence[str], *, stdin_name: str = "", remember: bool = True, stats: Stats | None = None
) -> list[Result]:
    """Look for the findings in files, and for nothing else: what is remembered of them counts.

    `remember` and `stats` as for `checks.found_in`. Raises Failure where a file cannot be read.
    """
    from ..checks import found_in as found_in_files

    try:
        names = project.named(paths, stdin_name=stdin_name)
        if stats is not None:
            stats.mark("find files")
            found = found_in_files(names, remember=remember, stats=stats)
        elif len(names) >= MANY and sys.stderr.isatty():
            found = _with_bar(names, remember)
        else:
            found = found_in_files(names, remember=remember)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error
    return [Result(one.batch, None, one.files, one.findings, one.suppressed) for one in found]


def _with_bar(names: list[project.Named], remember: bool) -> list[Found]:
    from ..checks import found_in as found_in_files
    from .bar import Bar

    bar = Bar(len(names))
    try:
        return found_in_files(names, remember=remember, stats=bar)
    finally:
        bar.clear()


def check_inputs(inputs: Iterable[project.Input], *, accepted: bool = True) -> list[Result]:
    """Check files, those of one project together.

    With `accepted`, errors that the baseline in the project's settings accepts are silenced.
    """
    from ..compiler import check

    results: list[Result] = []
    for batch in project.batches(inputs):
        checked = check(batch.sources, load=project.load, root=batch.root)
        files = [file.source.path for file in checked.files]
        files += [finding.place.source.path for finding in batch.findings]
        found = (*batch.findings, *checked.diagnostics)
        result = Result(batch, checked, tuple(files), found, checked.suppressed)
        if accepted and batch.settings.baseline and not result.sound:
            from .accepting import Accepting

            result = Accepting().apply(result)
        results.append(result)
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
            report(errors, sum(len(result.files) for result in results), to_errors=True)
        from click.exceptions import Exit  # a clean file needs nothing of click

        raise Exit(FINDINGS)
    return results


def one_source(path: str, *, quiet: bool = False) -> Result:
    """Check one file without errors; see `sound_results`."""
    return sound_results([path], quiet=quiet)[0]


# --- which findings count ---------------------------------------------------------------------------------


def split_codes(values: Iterable[str], where: str = "") -> tuple[str, ...]:
    """Codes and beginnings of codes from options like `LG1,LG503`, or from a setting, named by `where`.

    Raises:
        Failure: one is neither.
    """
    codes = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in codes:
        if code == "ALL":
            continue
        from ..compiler.rules import BY_CODE

        if not any(known.startswith(code) for known in BY_CODE):
            from ..compiler.spelling import Speller

            near = Speller().nearest(code, BY_CODE)
            hint = f"did you mean `{near}`?" if near else "codes look like LG503; `lgc explain` lists them"
            raise Failure(f"{where}`{code}` is not a code or the beginning of one", hint)
    return tuple("LG" if code == "ALL" else code for code in codes)


class Choice:
    """Which findings of a project count, and with which severity; the longest fitting code decides.

    `only` and `without` are the codes on the command line. They go before the project's settings: `only`
    instead of `select`, `without` beside `ignore`.
    """

    def __init__(self, only: Sequence[str], without: Sequence[str], settings: Settings) -> None:
        origin = settings.origin and f"{settings.path(settings.origin)}: "
        self.select = only or split_codes(settings.select, f"{origin}`select`: ")
        self.ignore = (*without, *split_codes(settings.ignore, f"{origin}`ignore`: "))
        split_codes(settings.severity, f"{origin}`severity`: ")
        self.severity = {code.upper(): level for code, level in settings.severity.items()}

    def of(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that count."""
        counted = (self._one(finding) for finding in found)
        return [one for one in counted if one is not None]

    def of_suppressed(self, found: Iterable[Suppressed]) -> list[Suppressed]:
        """The silenced findings that would count."""
        pairs = ((self._one(one.finding), one) for one in found)
        return [
            Suppressed(new, one.reason, one.place, one.in_source) for new, one in pairs if new is not None
        ]

    def _one(self, finding: Diagnostic) -> Diagnostic | None:
        if finding.code in ALWAYS:
            return finding
        wanted = _longest(finding.code, self.select) if self.select else 0
        unwanted = _longest(finding.code, self.ignore)
        if wanted < 0 or unwanted >= wanted:
            return None
        level = self.severity.get(_longest_key(finding.code, self.severity), "")
        if level == "off":
            return None
        if level and level != finding.severity:
            from dataclasses import replace

            return replace(finding, severity=Severity(level))
        return finding


def _longest(code: str, beginnings: Iterable[str]) -> int:
    """How much of the code the longest of the beginnings covers, -1 where none fits."""
    return max((len(one) for one in beginnings if code.startswith(one)), default=-1)


def _longest_key(code: str, severity: Mapping[str, str]) -> str:
    return max((one for one in severity if code.startswith(one)), key=len, default="")


# --- reports ----------------------------------------------------------------------------------------------


def report(
    findings: Iterable[Diagnostic],
    files: int,
    *,
    form: str = "text",
    to_errors: bool = False,
    more: More | None = None,
) -> None:
    """Write a report of the findings in one of the formats."""
    from ..dsl.report import FORMATS, NOTHING_MORE

    stream = sys.stderr if to_errors else sys.stdout
    stream.write(FORMATS[form](findings, wants_color(stream), files, more or NOTHING_MORE))


def prints(result: Result) -> dict[Identity, str]:
    """The fingerprints of a result's findings, paths relative to the project's folder."""
    from ..dsl.fingerprint import fingerprints

    found = [*result.findings, *(one.finding for one in result.suppressed)]
    return fingerprints(found, result.batch.in_project)


def status(findings: Iterable[Diagnostic], *, strict: bool = False) -> int:
    """The exit status that findings lead to."""
    bad = any(strict or one.severity is Severity.ERROR for one in findings)
    return FINDINGS if bad else FINE
