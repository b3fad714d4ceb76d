"""From findings to SARIF 2.1.0: one run, the errors first, with fingerprints that survive moved lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote

from .diagnostic import Diagnostic, Severity
from .report_json import dumps
from .source import Place, Source, Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT = "lgcFinding/v1"


def sarif_report(findings: Sequence[Diagnostic]) -> str:
    """One SARIF log with the findings as results."""
    ordered = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    codes = sorted({finding.code for finding in ordered})
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "lgc", "rules": [{"id": code} for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code), seen) for finding in ordered],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Diagnostic, rule: int, seen: Counter[str]) -> dict[str, object]:
    text = finding.message + (f"\nhelp: {finding.help}" if finding.help else "")
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": str(finding.severity),
        "message": {"text": text},
        "locations": [_location(finding.place)],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, seen)},
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(label.place), "message": {"text": label.text}}
            for number, label in enumerate(finding.related)
        ]
    if (fix := finding.fix) is not None:
        source = finding.place.source
        replacement = {"deletedRegion": _region(source, fix.span), "insertedContent": {"text": fix.text}}
        change = {"artifactLocation": _artifact(source), "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": fix.title}, "artifactChanges": [change]}]
    return result


def _location(place: Place) -> dict[str, object]:
    source, span = place
    return {"physicalLocation": {"artifactLocation": _artifact(source), "region": _region(source, span)}}


def _artifact(source: Source) -> dict[str, str]:
    return {"uri": quote(source.path.replace("\\", "/"), errors="surrogatepass")}


def _region(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(max(span.end, span.start))
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _fingerprint(finding: Diagnostic, seen: Counter[str]) -> str:
    """The code, the file and the text of the line, and which of several equal ones it is."""
    source = finding.place.source
    line = " ".join(source.line(finding.place.position.line).split())
    key = "\0".join((finding.code, source.path, line))
    seen[key] += 1
    return sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
