"""From paths to checked programs, and from findings to a report and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from .. import project
from ..dsl.diagnostic import Diagnostic, Severity
from ..judged import Result
from ..settings import ProjectError
from . import FINDINGS, FINE
from .terminal import Failure, wants_color

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from ..accepting import Accepting
    from ..checks import Found
    from ..compiler.migrations.forms import Forms
    from ..dsl.report import More
    from ..stats import Stats

MANY = 40
"""Files from which on a terminal is shown how far their check is."""


def read_inputs(paths: Sequence[str], stdin_name: str = "") -> list[project.Input]:
    """The files that paths name. Raises Failure where one cannot be read."""
    try:
        return project.inputs(paths, stdin_name=stdin_name)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error


def found_in(
    paths: Sequence[str],
    *,
    stdin_name: str = "",
    remember: bool = True,
    stats: Stats | None = None,
    forms: Forms | None = None,
) -> list[Result]:
    """Look for the findings in files, and for nothing else: what is remembered of them counts.

    `remember`, `stats` and `forms` as for `checks.found_in`. Raises Failure where a file cannot be read.
    """
    from ..checks import found_in as found_in_files

    try:
        names = project.named(paths, stdin_name=stdin_name)
        if stats is not None:
            stats.mark("find files")
            found = found_in_files(names, remember=remember, stats=stats, forms=forms)
        elif len(names) >= MANY and sys.stderr.isatty():
            found = _with_bar(names, remember, forms)
        else:
            found = found_in_files(names, remember=remember, forms=forms)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error
    return [Result(one.batch, None, one.files, one.findings, one.suppressed) for one in found]


def _with_bar(names: list[project.Named], remember: bool, forms: Forms | None) -> list[Found]:
    from ..checks import found_in as found_in_files
    from .bar import Bar

    bar = Bar(len(names))
    try:
        return found_in_files(names, remember=remember, stats=bar, forms=forms)
    finally:
        bar.clear()


def check_inputs(
    inputs: Iterable[project.Input],
    *,
    accepted: bool = True,
    load: Callable[[str], bytes | None] = project.load,
    accepting: Accepting | None = None,
    forms: Forms | None = None,
) -> list[Result]:
    """Check files, those of one project together.

    With `accepted`, errors that the baseline in the project's settings accepts are silenced. `load` reads
    what is imported, `accepting` the baselines: where files are not those on the disk. `forms` are older
    graphs that migrations are checked against.
    """
    from ..compiler import check

    results: list[Result] = []
    for batch in project.batches(inputs):
        checked = check(batch.sources, load=load, root=batch.root, forms=forms)
        files = [file.source.path for file in checked.files]
        files += [finding.place.source.path for finding in batch.findings]
        found = (*batch.findings, *checked.diagnostics)
        result = Result(batch, checked, tuple(files), found, checked.suppressed)
        if accepted and batch.settings.baseline and not result.sound:
            from ..accepting import Accepting

            try:
                result = (accepting or Accepting()).apply(result)
            except ProjectError as error:
                raise Failure(error.message, error.hint) from error
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


def status(findings: Iterable[Diagnostic], *, strict: bool = False) -> int:
    """The exit status that findings lead to."""
    bad = any(strict or one.severity is Severity.ERROR for one in findings)
    return FINDINGS if bad else FINE
