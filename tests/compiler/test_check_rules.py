"""The table of rules: every code is there, every example causes its finding and no repair does."""

from __future__ import annotations

import pytest

from lgc.compiler import check
from lgc.compiler.canonical import canonical_text
from lgc.compiler.migrations.forms import Forms
from lgc.compiler.rule import CHECK, Rule
from lgc.compiler.rules import BY_CODE, LOOKING, RULES
from lgc.dsl.read import read_bytes
from lgc.dsl.source import Source

CODES = [
    *range(1, 8),
    *range(101, 108),
    *range(201, 209),
    *range(301, 308),
    *range(310, 312),
    *range(401, 407),
    *range(501, 506),
    508,
    *range(601, 604),
    *range(701, 710),
    801,
    901,
]
# What examples of rules import.
COMMON = {"common.lgraph": b"record Note { text: str }\n"}
WARNINGS = {"LG106", "LG107", "LG406", "LG503", "LG504", "LG505"}


def codes(text: str, old: str = "") -> list[str]:
    """What is found in a text, given the stored forms of an older one."""
    before = check([Source("old.lgraph", old)], load=COMMON.get)
    assert not before.diagnostics
    forms = Forms(canonical_text(before.program, key) for key in before.program.graphs) if old else None
    checked = check([Source("example.lgraph", text)], load=COMMON.get, forms=forms)
    return [d.code for d in checked.diagnostics]


def test_every_code_has_one_rule() -> None:
    assert [rule.code for rule in RULES] == [f"LG{code:03}" for code in CODES]
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {code for code, rule in BY_CODE.items() if rule.severity == "warning"} == WARNINGS


def test_every_rule_that_looks_at_graphs_is_run() -> None:
    looking = {rule.code for rule in RULES if rule.check or rule.check_program}
    assert looking <= {rule.code for rule in LOOKING}


@pytest.mark.parametrize(
    "rule", [r for r in RULES if r.by.startswith(CHECK) and r.code != "LG001"], ids=lambda r: r.code
)
def test_example_causes_exactly_its_finding(rule: Rule) -> None:
    assert codes(rule.example, rule.old) == [rule.code]


def test_example_of_a_wrong_byte() -> None:
    rule = BY_CODE["LG001"]
    source, findings = read_bytes("example.lgraph", rule.example.replace("\\xe9", "é").encode("latin-1"))
    assert source is None or [d.code for d in findings] == ["LG001"]
    assert [d.code for d in findings] == ["LG001"]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_repair_is_clean(rule: Rule) -> None:
    assert codes(rule.repair, rule.old) == []


def test_every_rule_says_which_command_finds_it() -> None:
    elsewhere = {rule.code: rule.by for rule in RULES if rule.by != CHECK}
    assert elsewhere == {
        **{f"LG70{number}": "lgc check --against FORM" for number in range(1, 10)},
        "LG801": "lgc test",
        "LG901": "lgc build --check",
    }
    assert all(rule.active for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_words_are_whole(rule: Rule) -> None:
    assert rule.summary and not rule.summary.endswith(".")
    assert rule.why.endswith(".")
    assert rule.code == "LG901" or rule.example != rule.repair
