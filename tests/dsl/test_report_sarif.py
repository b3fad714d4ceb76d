"""SARIF against the schema of the standard, and what code scanning makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from lgc.compiler.rules import BY_CODE
from lgc.dsl.diagnostic import Diagnostic, Fix, Label, Severity, Suppressed, error, warning
from lgc.dsl.report import More, render_sarif
from lgc.dsl.source import Place, Source, Span

SCHEMA = json.loads((Path(__file__).parent.parent / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR: Any = Draft4Validator(SCHEMA)
TEXT = "graph g(S) {\n  a -> b\n  c -> d\n}\n"


def place(words: str, path: str = "flows/a b.lgraph", text: str = TEXT) -> Place:
    return Place(Source(path, text), Span(text.index(words), text.index(words) + len(words)))


def run(findings: list[Diagnostic], more: More | None = None) -> dict[str, Any]:
    """The one run of a valid log."""
    log = json.loads(render_sarif(findings, more=more or More(rules=BY_CODE, version="1.2.3")))
    assert [problem.message for problem in VALIDATOR.iter_errors(log)] == []
    (only,) = log["runs"]
    return dict(only)


FULL = error(
    "LG101",
    "no node `b`",
    place("b"),
    help="did you mean `d`?",
    related=(Label(place("d"), "a near name"), Label(place("a", "other.lgraph"), "")),
    fix=Fix(place("b").span, "d", "replace `b` by `d`"),
    within="graph g",
)


def test_the_schema_refuses_what_is_wrong() -> None:
    log = json.loads(render_sarif([FULL]))
    log["runs"][0]["results"][0]["level"] = "bad"
    assert not VALIDATOR.is_valid(log)


def test_a_finding_with_everything() -> None:
    (result,) = run([FULL])["results"]
    assert result["level"] == "error"
    assert result["message"]["text"] == "no node `b`\nhelp: did you mean `d`?"
    where = result["locations"][0]
    assert where["physicalLocation"]["artifactLocation"] == {"uri": "flows/a%20b.lgraph"}
    assert where["physicalLocation"]["region"]["startColumn"] == 8
    assert where["logicalLocations"] == [{"fullyQualifiedName": "graph g"}]
    change = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["insertedContent"] == {"text": "d"}


def test_no_findings_are_a_valid_log() -> None:
    assert run([])["results"] == []


def test_rules_carry_their_words() -> None:
    found = [FULL, warning("LG503", "x", place("c"))]
    driver = run(found)["tool"]["driver"]
    assert driver["version"] == "1.2.3"
    assert [rule["id"] for rule in driver["rules"]] == ["LG101", "LG503"]
    rule = driver["rules"][1]
    assert rule["name"] == BY_CODE["LG503"].name
    assert rule["shortDescription"]["text"] == BY_CODE["LG503"].summary
    assert BY_CODE["LG503"].why in rule["fullDescription"]["text"]
    assert BY_CODE["LG503"].example.strip() in rule["help"]["markdown"]
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert "helpUri" not in rule


def test_every_rule_makes_a_valid_descriptor() -> None:
    found = [Diagnostic(rule.code, rule.severity, "m", place("a")) for rule in BY_CODE.values()]
    driver = run(found)["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == sorted(BY_CODE)


def test_errors_come_first_since_only_so_many_are_kept() -> None:
    text = "x" * 6_000
    source = Source("a.lgraph", text)
    found = [
        Diagnostic(
            "LG101", Severity.ERROR if at % 1000 == 999 else Severity.WARNING, "m", Place(source, span)
        )
        for at, span in enumerate(Span(at, at + 1) for at in range(6_000))
    ]
    levels = [result["level"] for result in run(found)["results"]]
    assert levels[:6] == ["error"] * 6
    assert set(levels[6:]) == {"warning"}


def test_silenced_findings_are_listed_last_with_their_reason() -> None:
    comment = Suppressed(FULL, "because", place("a"), in_source=True)
    accepted = Suppressed(warning("LG503", "x", place("c")), "later", place("c"), in_source=False)
    more = More((comment, accepted), rules=BY_CODE)
    results = run([error("LG303", "y", place("d"))], more)["results"]
    assert [one["ruleId"] for one in results] == ["LG303", "LG101", "LG503"]
    assert "suppressions" not in results[0]
    said = [one["suppressions"][0] for one in results[1:]]
    assert [(one["kind"], one["justification"]) for one in said] == [
        ("inSource", "because"),
        ("external", "later"),
    ]
    assert len({one["partialFingerprints"]["lgcFinding/v1"] for one in results}) == 3


@pytest.mark.parametrize(
    ("path", "uri"),
    [("a.lgraph", "a.lgraph"), ("/tmp/ä#.lgraph", "file:///tmp/%C3%A4%23.lgraph"), ("..\\a?", "../a%3F")],
)
def test_paths_become_addresses(path: str, uri: str) -> None:
    (result,) = run([error("LG101", "m", place("a", path))])["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


_ANY = st.text(st.characters(codec=None), max_size=40)


@given(_ANY, _ANY, st.integers(0, 50), st.integers(0, 50))
def test_any_text_makes_a_valid_log(text: str, words: str, start: int, length: int) -> None:
    where = Place(Source("a" + words, text), Span(start, start + length))
    fix = Fix(where.span, words, words)
    found = error("LG101", words, where, help=words, related=(Label(where, words),), fix=fix, within=words)
    run([found])
