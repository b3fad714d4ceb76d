"""From files to a report of their findings: what `lgc check` does, without the reading of its words."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from .. import project
from ..dsl.diagnostic import Diagnostic, Suppressed
from ..dsl.frozen import frozen
from ..judged import Result, judge, prints
from ..settings import ProjectError
from . import findings
from .terminal import Failure

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from ..accepting import Accepting
    from ..dsl.fingerprint import Identity
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


PLAIN = Options()


@frozen
class Looked:
    """What a check of some files says.

    Attributes:
        results: each project's files with all findings.
        findings: those that count.
        suppressed: those that were silenced, and would count.
        files: how many files were looked at.
        accepting: the baselines in use.
        stats: how long it took, where that was asked for.
    """

    results: tuple[Result, ...]
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    files: int
    accepting: Accepting | None = None
    stats: Stats | None = None


def check_paths(paths: tuple[str, ...], options: Options = PLAIN) -> int:
    """Check files, write the report and return the status."""
    if options.watching:
        from .watch import watch

        watch(lambda: _watched(paths, options))
    if options.fix or options.diff:
        from .fixing import fix_inputs

        return fix_inputs(findings.read_inputs(paths, options.stdin_name), options)
    looked = look_at(paths, options)
    if options.write_baseline:
        from .accepting import write_baseline

        return write_baseline(looked, options)
    tell(looked, options)
    return findings.status(looked.findings, strict=options.strict)


def look_at(paths: tuple[str, ...], options: Options) -> Looked:
    """Look for the findings in files; only what is remembered of files is written."""
    if options.impls:
        return look(findings.read_inputs(paths, options.stdin_name), options)
    stats: Stats | None = None
    if options.stats:
        from ..stats import Stats

        stats = Stats()
    remember = not options.no_cache
    found = findings.found_in(paths, stdin_name=options.stdin_name, remember=remember, stats=stats)
    return _judged(found, options, stats)


def look(inputs: Sequence[project.Input], options: Options) -> Looked:
    """Check texts; nothing is written."""
    return _judged(findings.check_inputs(inputs, accepted=False), options)


def _judged(results: Sequence[Result], options: Options, stats: Stats | None = None) -> Looked:
    """The findings that count, and those that are silenced."""
    if options.impls:
        results = [one.with_findings(_impls(one, options.nodes)) for one in results]
    baseline = None if options.write_baseline else options.baseline
    try:
        found = judge(results, select=options.select, ignore=options.ignore, baseline=baseline)
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error
    files = sum(len(result.files) for result in found.results)
    return Looked(found.results, found.findings, found.suppressed, files, found.accepting, stats)


def tell(looked: Looked, options: Options, *, to_errors: bool = False) -> None:
    """Write the report."""
    from ..dsl.report import NOTHING_MORE, More

    more = NOTHING_MORE
    if options.form in ("json", "sarif"):
        from .. import __version__
        from ..compiler.rules import BY_CODE

        stats = None if looked.stats is None else looked.stats.data()
        more = More(looked.suppressed, _prints(looked), BY_CODE, __version__, stats)
    elif looked.suppressed:
        more = More(looked.suppressed)
    findings.report(looked.findings, looked.files, form=options.form, to_errors=to_errors, more=more)
    if looked.stats is not None and options.form != "json":
        sys.stdout.flush()
        looked.stats.mark("report")
        sys.stderr.write(looked.stats.text())


def _prints(looked: Looked) -> Mapping[Identity, str]:
    from ..dsl.fingerprint import fingerprints

    found = fingerprints(looked.findings)  # those of the results are put over these
    for result in looked.results:
        found |= prints(result)
    return found


def _impls(result: Result, nodes: str) -> list[Diagnostic]:
    if not result.sound:
        return []  # first the graph, then its functions
    from .impls import missing_implementations

    return missing_implementations(result, nodes or result.batch.settings.nodes)


# --- watching ---------------------------------------------------------------------------------------------


def _watched(paths: tuple[str, ...], options: Options) -> list[str]:
    """Check once; gives the files that were looked at, and the folders in which files may appear."""
    looked = look_at(paths, options)
    tell(looked, options)
    read = [path for result in looked.results for path in result.files]
    settings = [result.batch.settings.origin or "" for result in looked.results]
    baselines = looked.accepting.paths() if looked.accepting is not None else []
    return [one for one in (*read, *settings, *baselines, *_folders(paths)) if one]


def _folders(paths: tuple[str, ...]) -> list[str]:
    import os

    return [folder for path in paths or (".",) for folder, _, _ in os.walk(path)]
