"""Repairs: which rules have them, and that texts never get worse by them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.compiler import Checked, check
from lgc.compiler.rules import BY_CODE, RULES
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source
from lgc.fixes import PASSES, View, edited, fix_all

CORPUS = Path(__file__).parent.parent / "corpus"
CASES = sorted([*CORPUS.glob("check/*.lgraph"), *CORPUS.glob("parse/broken/*.lgraph")])
TEXTS = [case.read_text("utf-8") for case in CASES]
COMMON = {"common.lgraph": b"record Note { text: str }\nrecord Word { text: str }\n"}
UNUSED = 'from "./common.lgraph" import Note, Word\n\nstate Job {\n  note: Note\n}\n'
OUTCOME = """\
state Job {
  done: bool
}

graph work(Job) {
  task plan { reads done }

  start -> plan -> end
  plan -> end on eror
}
"""


def checked(text: str) -> Checked:
    return check([Source("a.lgraph", text)], load=COMMON.get)


def errors(text: str) -> int:
    return sum(one.severity is Severity.ERROR for one in checked(text).diagnostics)


def repaired(text: str) -> str:
    """The text with all its repairs."""

    def look(texts: Mapping[str, str]) -> View:
        found = checked(texts["a.lgraph"]).diagnostics
        fixable = tuple(one for one in found if one.fix is not None)
        return View(fixable, {"a.lgraph": sum(one.severity is Severity.ERROR for one in found)})

    return fix_all({"a.lgraph": text}, look).texts["a.lgraph"]


def test_there_are_cases() -> None:
    assert len(CASES) > 30


@pytest.mark.parametrize("text", TEXTS, ids=[case.stem for case in CASES])
def test_repairs_belong_to_rules_that_have_them_and_make_nothing_worse(text: str) -> None:
    for one in checked(text).diagnostics:
        if one.fix is not None:
            assert BY_CODE[one.code].fixable, one
            assert 0 <= one.fix.span.start <= one.fix.span.end <= len(text)
            assert text[one.fix.span.start : one.fix.span.end] != one.fix.text
            assert one.fix.title
    after = repaired(text)
    assert errors(after) <= errors(text)
    assert repaired(after) == after


def test_each_rule_that_says_so_has_repairs() -> None:
    texts = [*TEXTS, UNUSED, OUTCOME]
    found = {one.code for text in texts for one in checked(text).diagnostics if one.fix is not None}
    assert found == {rule.code for rule in RULES if rule.fixable}


def test_the_whole_of_a_repair() -> None:
    assert repaired(UNUSED) == UNUSED.replace("Note, Word", "Note")
    assert repaired(OUTCOME) == OUTCOME.replace("eror", "error")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_a_text_with_something_missing_never_gets_worse(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(len(text) - 1, 0)))
    length = data.draw(st.integers(1, 12))
    broken = text[:at] + data.draw(st.sampled_from(["", "x", ";", "'", "erorr"])) + text[at + length :]
    after = repaired(broken)
    assert errors(after) <= errors(broken)


def test_it_ends_where_repairs_undo_each_other() -> None:
    from lgc.dsl.diagnostic import Diagnostic, Fix
    from lgc.dsl.source import Place, Span

    looks = 0

    def look(texts: Mapping[str, str]) -> View:
        nonlocal looks
        looks += 1
        text = texts["a"]
        fix = Fix(Span(0, 1), "b" if text == "a" else "a", "swap")
        place = Place(Source("a", text), Span(0, 1))
        return View((Diagnostic("LG101", Severity.ERROR, text, place, fix=fix),), {"a": 1})

    fix_all({"a": "a"}, look)
    assert looks == PASSES + 1


def test_new_line_ends_are_those_of_the_text() -> None:
    from lgc.dsl.diagnostic import Fix
    from lgc.dsl.source import Span

    assert edited("a\r\nb\r\n", [Fix(Span(3, 4), "c\nd", "")]) == "a\r\nc\r\nd\r\n"
    assert edited("a\nb\n", [Fix(Span(2, 3), "c\nd", ""), Fix(Span(0, 0), "x", "")]) == "xa\nc\nd\n"


def test_a_second_import_of_a_name_goes_where_it_is_the_same() -> None:
    uses = "\nstate Job {\n  note: Note\n  word: Word\n}\n"
    text = 'from "./common.lgraph" import Note, Word, Note\n' + uses
    assert repaired(text) == text.replace("Word, Note", "Word")
    other = 'from "./other.lgraph" import Word, Note\n' + uses
    found = check(
        [Source("a.lgraph", 'from "./common.lgraph" import Note\n' + other)],
        load={**COMMON, "other.lgraph": COMMON["common.lgraph"]}.get,
    )
    assert [(one.code, one.fix) for one in found.diagnostics] == [("LG102", None)]
