"""From baseline files to findings that are accepted, and from findings to a baseline file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..baseline import Acceptance, Baseline, Found, read_baseline, written
from ..compiler.rules import BY_CODE
from ..dsl.diagnostic import Diagnostic
from ..settings import ProjectError
from . import FINDINGS, FINE, findings
from .terminal import Failure, counted, error_style, note

if TYPE_CHECKING:
    from .checking import Looked, Options

_NONE_NAMED = "which file? write `--baseline FILE`, or set `baseline` in lgc.toml"


class Accepting:
    """The baselines that a command uses: one for all projects, or each project's own."""

    def __init__(self, given: str = "") -> None:
        self._given = given
        self._by_path: dict[str, Acceptance] = {}
        self._told: set[str] = set()

    def apply(self, result: findings.Result) -> findings.Result:
        """The result without what its baseline accepts."""
        acceptance = self._of(result)
        if acceptance is None:
            return result
        kept, accepted = acceptance.split(result.findings, findings.prints(result))
        silenced = (*result.suppressed, *accepted)
        return result.judged(tuple(kept), silenced)

    def reports(self, result: findings.Result) -> list[Diagnostic]:
        """What is wrong with the entries of the baseline about the files of a result that was applied."""
        acceptance = self._of(result)
        if acceptance is None:
            return []
        looked = looked_at(result, acceptance.baseline)
        return [one for one in acceptance.reports(looked) if self._new(one)]

    def paths(self) -> list[str]:
        """The files that were read."""
        return list(self._by_path)

    def _new(self, finding: Diagnostic) -> bool:
        """Whether a finding was not told before: projects may share a baseline."""
        key = f"{finding.place} {finding.message}"
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _of(self, result: findings.Result) -> Acceptance | None:
        from datetime import datetime

        path = _path(result, self._given)
        if not path:
            return None
        if path not in self._by_path:
            today = datetime.now().astimezone().date()
            self._by_path[path] = Acceptance(_baseline(path), today)
        return self._by_path[path]


def _path(result: findings.Result, given: str) -> str:
    settings = result.batch.settings
    return given or (settings.path(settings.baseline) if settings.baseline else "")


def _baseline(path: str) -> Baseline:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return read_baseline(path, file.read())
    except FileNotFoundError:
        raise Failure(f"{path}: no such file", "`lgc check --write-baseline` makes it") from None
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8") from None
    except OSError as error:
        raise Failure(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error


def looked_at(result: findings.Result, baseline: Baseline | None) -> dict[str, bool]:
    """The files that were checked, relative to the project, and whether all their findings came to light.

    Rules about graphs keep silent where names and types are wrong. A file of the baseline that is gone has no
    findings any more.
    """
    errors = [one for one in result.findings if not BY_CODE[one.code].allowable]
    whole = not any(one.severity == "error" for one in errors)
    batch = result.batch
    looked = {batch.in_project(path): whole for path in result.files}
    for entry in baseline.entries if baseline is not None else ():
        if entry.file not in looked and not os.path.exists(os.path.join(batch.root, entry.file)):
            looked[entry.file] = True
    return looked


# --- writing ----------------------------------------------------------------------------------------------


def write_baseline(looked: Looked, options: Options) -> int:
    """Write what was found to the baseline, and say what became of it; gives the exit status."""
    named = {_path(result, options.baseline) for result in looked.results}
    if len(named) != 1 or not (path := named.pop()):
        raise Failure(_NONE_NAMED)
    old = _baseline(path) if os.path.exists(path) else None
    known = {entry.fingerprint for entry in old.entries} if old is not None else set[str]()
    counting = {finding.sort_key() for finding in looked.findings}
    wanted: dict[str, Found] = {}
    files: dict[str, bool] = {}
    refused: list[Diagnostic] = []
    for result in looked.results:
        files |= looked_at(result, old)
        prints = findings.prints(result)
        for finding in result.findings:
            fingerprint = prints[finding.sort_key()]
            if finding.sort_key() not in counting and fingerprint not in known:
                continue
            if not BY_CODE[finding.code].allowable:
                refused.append(finding)
                continue
            file = result.batch.in_project(finding.place.source.path)
            wanted[fingerprint] = Found(finding.code, file, finding.message, fingerprint)
    text = written(old, list(wanted.values()), files, options.reason)
    now = read_baseline(path, text)
    if old is None or text != old.source.text:
        from .edits import write_whole

        write_whole(path, text.encode())
    _say(path, now, known, refused)
    if refused:
        findings.report(refused, looked.files, to_errors=True)
    return FINDINGS if refused else FINE


def _say(path: str, now: Baseline, known: set[str], refused: list[Diagnostic]) -> None:
    style = error_style()
    prints = {entry.fingerprint for entry in now.entries}
    changes = [f"{len(prints - known)} new"] if prints - known else []
    changes += [f"{len(known - prints)} removed"] if known - prints else []
    told = f" ({', '.join(changes)})" if changes else ""
    note(style.bold(f"{path}: {counted(len(prints), 'accepted finding')}{told}"))
    silent = sum(not entry.reason for entry in now.entries)
    if silent:
        note(f"{counted(silent, 'entry')} without a reason: write it into the file, or give `--reason TEXT`")
    if refused:
        note(style.red(f"{counted(len(refused), 'finding')} that cannot be accepted:"))
