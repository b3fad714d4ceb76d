"""From findings to JSON: version 1 of the format that CLI.md fixes.

Lines and columns count from 1, columns in characters (code points); the end of a range is exclusive: it is
the position behind the last character.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from .diagnostic import Diagnostic, Suppressed
from .fingerprint import Identity
from .report import More
from .source import Source, Span

VERSION = 1


def json_report(findings: Sequence[Diagnostic], summary: dict[str, int], more: More) -> str:
    """One JSON object with the findings in the given order, and a final line end."""
    prints = more.fingerprints or {}
    fixable = sum(one.fix is not None for one in findings)
    timed = {} if more.stats is None else {"stats": more.stats}
    report = {
        "version": VERSION,
        "findings": [_finding(one, prints) for one in findings],
        "suppressed": [_suppressed(one, prints) for one in more.suppressed],
        "summary": {**summary, "suppressed": len(more.suppressed), "fixable": fixable, **timed},
    }
    return dumps(report)


def dumps(value: object) -> str:
    """Indented JSON that every encoding of Unicode can hold (lone surrogates are escaped)."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, ensure_ascii=True, indent=2)
    return text + "\n"


def _suppressed(one: Suppressed, prints: Mapping[Identity, str]) -> dict[str, object]:
    source, span = one.place
    said = {
        "kind": "comment" if one.in_source else "baseline",
        "reason": one.reason,
        "file": source.path,
        "range": _range(source, span),
    }
    return {**_finding(one.finding, prints), "suppression": said}


def _finding(finding: Diagnostic, prints: Mapping[Identity, str]) -> dict[str, object]:
    source = finding.place.source
    fix = finding.fix
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        "help": finding.help or None,
        "file": source.path,
        "range": _range(source, finding.place.span),
        "related": [
            {
                "file": label.place.source.path,
                "range": _range(label.place.source, label.place.span),
                "message": label.text,
            }
            for label in finding.related
        ],
        "fix": fix
        and {
            "title": fix.title,
            "file": source.path,
            "range": _range(source, fix.span),
            "replacement": fix.text,
        },
        "fingerprint": prints.get(finding.sort_key()),
    }


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    start, end = source.position(span.start), source.position(max(span.end, span.start))
    return {
        "start": {"line": start.line, "column": start.column},
        "end": {"line": end.line, "column": end.column},
    }
