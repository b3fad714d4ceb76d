"""From findings to a baseline file that accepts them: `lgc check --write-baseline`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..accepting import baseline_at, looked_at, path_of
from ..baseline import Baseline, Found, read_baseline, written
from ..compiler.rules import BY_CODE
from ..dsl.diagnostic import Diagnostic
from ..judged import prints
from . import FINDINGS, FINE, findings
from .terminal import Failure, counted, error_style, note

if TYPE_CHECKING:
    from .checking import Looked, Options

_NONE_NAMED = "which file? write `--baseline FILE`, or set `baseline` in lgc.toml"


def write_baseline(looked: Looked, options: Options) -> int:
    """Write what was found to the baseline, and say what became of it; gives the exit status."""
    named = {path_of(result, options.baseline) for result in looked.results}
    if len(named) != 1 or not (path := named.pop()):
        raise Failure(_NONE_NAMED)
    old = baseline_at(path) if os.path.exists(path) else None
    known = {entry.fingerprint for entry in old.entries} if old is not None else set[str]()
    counting = {finding.sort_key() for finding in looked.findings}
    wanted: dict[str, Found] = {}
    files: dict[str, bool] = {}
    refused: list[Diagnostic] = []
    for result in looked.results:
        files |= looked_at(result, old)
        known_as = prints(result)
        for finding in result.findings:
            fingerprint = known_as[finding.sort_key()]
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
