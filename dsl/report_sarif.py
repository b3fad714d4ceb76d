"""From findings to SARIF 2.1.0: one run, the errors first, with fingerprints that survive moved lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from .diagnostic import Diagnostic, Severity, Suppressed
from .fingerprint import Identity
from .report import More, RuleWords
from .report_json import dumps
from .source import Place, Source, Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT = "lgcFinding/v1"


def sarif_report(findings: Sequence[Diagnostic], more: More) -> str:
    """One SARIF log with the findings as results: errors, warnings, silenced ones."""
    ordered = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    codes = sorted({finding.code for finding in (*ordered, *(one.finding for one in more.suppressed))})
    index = {code: number for number, code in enumerate(codes)}
    prints = more.fingerprints or {}
    driver: dict[str, object] = {"name": "lgc"}
    if more.version:
        driver["version"] = driver["semanticVersion"] = more.version
    driver["rules"] = [_rule(code, more.rules.get(code)) for code in codes]
    results = [_result(finding, index, prints) for finding in ordered]
    results += [_suppressed(one, index, prints) for one in more.suppressed]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, words: RuleWords | None) -> dict[str, object]:
    if words is None:
        return {"id": code}
    parts = (("Example", words.example), ("Repair", words.repair))
    shown = [(title, text.strip("\n")) for title, text in parts if text.strip()]
    plain = "\n\n".join([words.why, *(f"{title}:\n\n{text}" for title, text in shown)])
    marked = "\n\n".join([words.why, *(f"**{title}**\n\n```lgraph\n{text}\n```" for title, text in shown)])
    return {
        "id": code,
        "name": words.name,
        "shortDescription": {"text": words.summary},
        "fullDescription": {"text": f"{words.summary[:1].upper()}{words.summary[1:]}. {words.why}"},
        "help": {"text": plain, "markdown": marked},
        "defaultConfiguration": {"level": str(words.severity)},
    }


def _suppressed(
    one: Suppressed, index: Mapping[str, int], prints: Mapping[Identity, str]
) -> dict[str, object]:
    said = {
        "kind": "inSource" if one.in_source else "external",
        "justification": one.reason,
        "location": _location(one.place),
    }
    return {**_result(one.finding, index, prints), "suppressions": [said]}


def _result(
    finding: Diagnostic, index: Mapping[str, int], prints: Mapping[Identity, str]
) -> dict[str, object]:
    text = finding.message + (f"\nhelp: {finding.help}" if finding.help else "")
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": str(finding.severity),
        "message": {"text": text},
        "locations": [_located(finding)],
    }
    if (fingerprint := prints.get(finding.sort_key())) is not None:
        result["partialFingerprints"] = {_FINGERPRINT: fingerprint}
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


def _located(finding: Diagnostic) -> dict[str, object]:
    location = _location(finding.place)
    if finding.within:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.within}]
    return location


def _location(place: Place) -> dict[str, object]:
    source, span = place
    return {"physicalLocation": {"artifactLocation": _artifact(source), "region": _region(source, span)}}


def _artifact(source: Source) -> dict[str, str]:
    path = quote(source.path.replace("\\", "/"), errors="surrogatepass")
    return {"uri": f"file://{path}" if path.startswith("/") else path}


def _region(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(max(span.end, span.start))
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
