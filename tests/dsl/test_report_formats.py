"""Findings for programs: JSON, SARIF, GitHub annotations, JUnit."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from syrupy.assertion import SnapshotAssertion

from lgc.dsl.diagnostic import Diagnostic, Fix, Label, error, warning
from lgc.dsl.report import FORMATS, render_github, render_json, render_junit, render_sarif
from lgc.dsl.source import Place, Source, Span

TEXT = "graph g(S) {\r\n  日本 -> b\n  c -> d\n}\n"


@pytest.fixture
def findings() -> list[Diagnostic]:
    source = Source("dir, with space/a.lgraph", TEXT)
    other = Source("b.lgraph", "state S { x: int }\n")

    def at(start: int, end: int, where: Source = source) -> Place:
        return Place(where, Span(start, end))

    b = TEXT.index("b")
    return [
        warning("LG107", '50% <unused> & "odd"\nmore', at(0, TEXT.index("}") + 1)),
        error(
            "LG101",
            "no node `b`",
            at(b, b + 1),
            label="not here",
            help="did you mean `d`?",
            related=(Label(at(6, 7, other), "the state"),),
            fix=Fix(Span(b, b + 1), "d", "replace `b` by `d`"),
        ),
    ]


def test_json(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    assert render_json(findings, False, 7) == snapshot


def test_json_counts_lines_and_characters_from_one_and_ends_behind(findings: list[Diagnostic]) -> None:
    report: dict[str, Any] = json.loads(render_json(findings))
    assert report["findings"][1]["range"] == {
        "start": {"line": 2, "column": 9},
        "end": {"line": 2, "column": 10},
    }
    assert report["summary"] == {"errors": 1, "warnings": 1, "files": 1, "suppressed": 0, "fixable": 1}


def test_json_without_findings() -> None:
    empty: dict[str, Any] = {
        "version": 1,
        "findings": [],
        "suppressed": [],
        "summary": {"errors": 0, "warnings": 0, "files": 3, "suppressed": 0, "fixable": 0},
    }
    assert json.loads(render_json([], False, 3)) == empty


def test_github(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    assert render_github(findings) == snapshot


def test_sarif(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    assert render_sarif(findings) == snapshot


def test_junit(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    text = render_junit(findings)
    root = ElementTree.fromstring(text)
    assert root.attrib["failures"] == "1"
    assert text == snapshot


def test_every_format_takes_no_findings() -> None:
    for render in FORMATS.values():
        assert isinstance(render([], False, 0), str)
