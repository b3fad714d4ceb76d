"""From findings to what continuous integration reads: GitHub's annotations and JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .diagnostic import Diagnostic, Severity

# --- GitHub ---------------------------------------------------------------------------------------------


def github_report(findings: Sequence[Diagnostic]) -> str:
    """One workflow command a finding; GitHub shows it beside the line."""
    return "".join(_annotation(finding) for finding in findings)


def _annotation(finding: Diagnostic) -> str:
    source, span = finding.place
    start, end = source.position(span.start), source.position(max(span.end, span.start))
    properties = {"file": source.path, "line": str(start.line), "endLine": str(end.line)}
    if start.line == end.line:  # GitHub refuses columns for more than one line
        properties["col"] = str(start.column)
        properties["endColumn"] = str(max(end.column - 1, start.column))
    properties["title"] = finding.code
    return command(finding.severity, properties, _words(finding))


def command(kind: str, properties: Mapping[str, str], text: str) -> str:
    """One workflow command (`error`, `warning`, `notice`) on a line of its own."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {listed}::{_data(text)}\n"


def _words(finding: Diagnostic) -> str:
    lines = [finding.message]
    lines += [f"{label.place}: {label.text}" for label in finding.related if label.text]
    if finding.help:
        lines.append(f"help: {finding.help}")
    return "\n".join(lines)


def _data(text: str) -> str:
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # no output holds a lone surrogate
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- JUnit ----------------------------------------------------------------------------------------------

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
    "\r": "&#13;",
    "\t": "&#9;",
}
_TABLE = str.maketrans(_ENTITIES)


def junit_report(findings: Sequence[Diagnostic]) -> str:
    """One suite a file, one test case a finding; a warning is a case that passed with words."""
    files: dict[str, list[Diagnostic]] = {}
    for finding in findings:
        files.setdefault(finding.place.source.path, []).append(finding)
    out = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="lgc check" {_numbers(findings)}>']
    for path, found in files.items():
        out.append(f'  <testsuite name="{_xml(path)}" {_numbers(found)}>')
        for finding in found:
            out += _case(path, finding)
        out.append("  </testsuite>")
    if not files:
        out += [
            '  <testsuite name="lgc check" tests="1" failures="0" errors="0">',
            '    <testcase name="no findings" classname="lgc check" />',
            "  </testsuite>",
        ]
    return "\n".join([*out, "</testsuites>", ""])


def _numbers(findings: Sequence[Diagnostic]) -> str:
    failures = sum(finding.severity is Severity.ERROR for finding in findings)
    return f'tests="{len(findings) or 1}" failures="{failures}" errors="0"'


def _case(path: str, finding: Diagnostic) -> list[str]:
    line, column = finding.place.position
    name = f"{finding.code} {line}:{column} {finding.message}"
    words = f"{finding.place}\n{_words(finding)}"
    tag = "failure" if finding.severity is Severity.ERROR else "system-out"
    described = f' message="{_xml(finding.message)}" type="{finding.code}"' if tag == "failure" else ""
    return [
        f'    <testcase name="{_xml(name)}" classname="{_xml(path)}">',
        f"      <{tag}{described}>{_xml(words)}</{tag}>",
        "    </testcase>",
    ]


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text).translate(_TABLE)
