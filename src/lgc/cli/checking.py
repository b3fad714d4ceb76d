"""From files to a report of their findings: what `lgc check` does, without the reading of its words."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .. import project
from ..dsl.diagnostic import Diagnostic
from ..dsl.frozen import frozen
from ..judged import Judged, Result, judge, more_of
from ..settings import ProjectError
from . import findings
from .terminal import Failure

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from ..compiler.migrations.forms import Forms
    from ..stats import Stats


@frozen
class Options:
    """The options of the command, as written."""

    form: str = "text"
    strict: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    impls: bool = False
    nodes: str = ""
    stdin_name: str = ""
    baseline: str = ""
    write_baseline: bool = False
    reason: str = ""
    fix: bool = False
    diff: bool = False
    no_cache: bool = False
    stats: bool = False
    watching: bool = False
    against: tuple[str, ...] = ()


PLAIN = Options()


@frozen
class Looked:
    """What a check of some files says.

    Attributes:
        judged: the findings that count, and the others.
        stats: how long it took, where that was asked for.
    """

    judged: Judged
    stats: Stats | None = None

    @property
    def results(self) -> tuple[Result, ...]:
        """Each project's files."""
        return self.judged.results

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Those that count."""
        return self.judged.findings

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return sum(len(result.files) for result in self.judged.results)


def check_paths(paths: tuple[str, ...], options: Options = PLAIN) -> int:
    """Check files, write the report and return the status."""
    if options.watching:
        from .watch import watch

        watch(lambda: _watched(paths, options))
    if options.fix or options.diff:
        from .fixing import fix_inputs

        inputs = findings.read_inputs(paths, options.stdin_name)
        return fix_inputs(inputs, options, _forms(paths, options))
    looked = look_at(paths, options)
    if options.write_baseline:
        from .accepting import write_baseline

        return write_baseline(looked, options)
    tell(looked, options)
    return findings.status(looked.findings, strict=options.strict)


def look_at(paths: tuple[str, ...], options: Options) -> Looked:
    """Look for the findings in files; only what is remembered of files is written."""
    forms = _forms(paths, options)
    if options.impls:
        return look(findings.read_inputs(paths, options.stdin_name), options, forms)
    stats: Stats | None = None
    if options.stats:
        from ..stats import Stats

        stats = Stats()
    remember = not options.no_cache
    found = findings.found_in(
        paths, stdin_name=options.stdin_name, remember=remember, stats=stats, forms=forms
    )
    return _judged(found, options, stats)


def look(inputs: Sequence[project.Input], options: Options, forms: Forms | None = None) -> Looked:
    """Check texts; nothing is written. `forms` are those that `--against` names."""
    return _judged(findings.check_inputs(inputs, accepted=False, forms=forms), options)


def _forms(paths: tuple[str, ...], options: Options) -> Forms | None:
    if not options.against:
        return None
    from .against import forms_of

    return forms_of(options.against, paths)


def _judged(results: Sequence[Result], options: Options, stats: Stats | None = None) -> Looked:
    """The findings that count, and those that are silenced."""
    if options.impls:
        results = [one.with_findings(_impls(one, options.nodes)) for one in results]
    baseline = None if options.write_baseline else options.baseline
    try:
        found = judge(results, select=options.select, ignore=options.ignore, baseline=baseline)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error
    return Looked(found, stats)


def tell(looked: Looked, options: Options, *, to_errors: bool = False) -> None:
    """Write the report."""
    stats = looked.stats.data() if looked.stats is not None and options.form == "json" else None
    more = more_of(looked.judged, options.form, stats)
    findings.report(looked.findings, looked.files, form=options.form, to_errors=to_errors, more=more)
    if looked.stats is not None and options.form != "json":
        sys.stdout.flush()
        looked.stats.mark("report")
        sys.stderr.write(looked.stats.text())


def _impls(result: Result, nodes: str) -> list[Diagnostic]:
    if not result.sound:
        return []  # first the graph, then its functions
    from contextlib import redirect_stdout

    from .impls import missing_implementations

    with redirect_stdout(sys.stderr):  # what modules print when they are imported is no part of the report
        return missing_implementations(result, nodes or result.batch.settings.nodes)


# --- watching ---------------------------------------------------------------------------------------------


def _watched(paths: tuple[str, ...], options: Options) -> list[str]:
    """Check once; gives the files that were looked at, and the folders in which files may appear."""
    import os

    looked = look_at(paths, options)
    tell(looked, options)
    read = [path for result in looked.results for path in result.files]
    settings = [result.batch.settings.origin or "" for result in looked.results]
    baselines = looked.judged.accepting.paths() if looked.judged.accepting is not None else []
    against = [one for one in options.against if os.path.exists(one)]
    return [one for one in (*read, *settings, *baselines, *against, *_folders(paths)) if one]


def _folders(paths: tuple[str, ...]) -> list[str]:
    import os

    return [folder for path in paths or (".",) for folder, _, _ in os.walk(path)]
