"""Findings as text: what a person sees in a terminal."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lgc.dsl.diagnostic import Diagnostic, Fix, Label, Severity, error, warning
from lgc.dsl.report import FORMATS, render_text
from lgc.dsl.source import Place, Source, Span

ARTICLE = """\
graph article(Article) {
  task write { reads topic  records SetDraft }
  task grade {
    reads draft!
    records Grade
    ensures verdict
    timeout 5s
  }
  start -> write -> grade
  grade -> end when verdct == none
}
"""


def place(source: Source, words: str, length: int | None = None) -> Place:
    start = source.text.index(words)
    return Place(source, Span(start, start + (len(words) if length is None else length)))


@pytest.fixture
def article() -> Source:
    return Source("flows/article.lgraph", ARTICLE)


@pytest.fixture
def findings(article: Source) -> list[Diagnostic]:
    state = Source("common.lgraph", "state Article {\n  verdict: str?\n}\n")
    return [
        error(
            "LG101",
            "there is no field `verdct` in `Article`",
            place(article, "verdct"),
            label="not a field",
            help="did you mean `verdict`?",
            related=(
                Label(place(state, "verdict"), "a field with a near name"),
                Label(place(article, "Article"), "this graph's state"),
            ),
        ),
        warning(
            "LG303", "node `grade` cannot be reached", place(article, "task grade", 95), label="this one"
        ),
        warning(
            "LG107",
            "unused",
            place(article, "write {"),
            related=(Label(place(article, "topic  records"), "and this"),),
        ),
    ]


def test_the_form_of_rustc(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    assert render_text(findings, False) == snapshot


def test_colour_adds_only_colour(findings: list[Diagnostic], snapshot: SnapshotAssertion) -> None:
    coloured = render_text(findings, True)
    assert "\x1b[1;31merror[LG101]\x1b[0m" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == render_text(findings, False)


def test_order_does_not_depend_on_how_findings_came(findings: list[Diagnostic]) -> None:
    assert render_text(findings[::-1]) == render_text(findings) == render_text(findings * 2)


@pytest.mark.parametrize(
    ("errors", "warnings", "files", "line"),
    [
        (2, 1, 3, "2 errors, 1 warning in 3 files"),
        (1, 0, None, "1 error in 1 file"),
        (0, 2, 1, "2 warnings in 1 file"),
        (0, 0, 3, "no findings in 3 files"),
        (0, 0, None, "no findings"),
    ],
)
def test_summary(errors: int, warnings: int, files: int | None, line: str) -> None:
    source = Source("a.lgraph", "abcdef")
    found = [
        Diagnostic("LG101", Severity.ERROR if number < errors else Severity.WARNING, "x", Place(source, span))
        for number, span in enumerate(Span(at, at + 1) for at in range(errors + warnings))
    ]
    assert render_text(found, False, files).splitlines()[-1] == line


def test_a_fix_without_help_is_shown_as_help(article: Source) -> None:
    found = error("LG101", "m", place(article, "verdct"), fix=Fix(Span(0, 1), "x", "write `verdict`"))
    assert "= help: write `verdict`" in render_text([found])


def underlined(text: str, sign: str = "^") -> tuple[str, str]:
    """The source row and the row of signs below it, both behind the gutter."""
    rows = text.splitlines()
    at = next(number for number, row in enumerate(rows) if sign in row.split("|", 1)[-1] and "|" in row)
    return rows[at - 1].split("| ", 1)[1], rows[at].split("| ", 1)[1]


@pytest.mark.parametrize(
    "lead", ["\t\t", "日本語 ", "e\u0301e\u0301 ", "a\u200bb ", "\x1b[31m", "\u202e", "👍🏽 "]
)
def test_signs_stand_below_what_they_mark(lead: str) -> None:
    source = Source("a.lgraph", f"{lead}bad rest\n")
    code, signs = underlined(render_text([error("LG101", "m", place(source, "bad"))]))
    before = code[: code.index("bad")]
    columns = sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in before
    )
    assert signs == " " * columns + "^^^"


def test_long_lines_are_cut_around_the_span() -> None:
    source = Source("a.lgraph", "x" * 50_000 + " bad " + "y" * 50_000)
    code, signs = underlined(render_text([error("LG101", "m", place(source, "bad"))]))
    assert len(code) < 150
    assert code[0] == code[-1] == "…"
    assert code[signs.index("^") :].startswith("bad")


def test_a_span_over_a_long_line_ends_at_the_cut() -> None:
    source = Source("a.lgraph", "a" * 1000)
    code, signs = underlined(
        render_text([error("LG101", "m", Place(source, Span(5, 900)), label="all this")])
    )
    assert len(signs.removesuffix(" all this")) <= len(code)


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\r\nb"])
def test_the_end_of_a_text_can_be_marked(text: str) -> None:
    source = Source("a.lgraph", text)
    shown = render_text([error("LG002", "something is missing", Place(source, Span(len(text), len(text))))])
    assert shown.count("^") == 1


def test_a_place_over_lines_within_a_line(snapshot: SnapshotAssertion) -> None:
    source = Source("a.lgraph", "  score = max(\n    score,\n    1,\n  )  other = 2\n")
    start = source.text.index("max")
    found = error(
        "LG203", "`max` takes two", Place(source, Span(start, source.text.index(")") + 1)), label="here"
    )
    assert render_text([found]) == snapshot


_ANY = st.text(st.characters(codec=None), max_size=60)


@given(_ANY, _ANY, st.integers(0, 70), st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_nothing_in_a_finding_reaches_the_terminal_as_control(
    text: str, words: str, start: int, length: int, other: int, more: int
) -> None:
    source = Source("a" + words, text)
    found = error(
        "LG101",
        words,
        Place(source, Span(start, start + length)),
        label=words,
        help=words,
        related=(Label(Place(source, Span(other, other + more)), words),),
    )
    for name, render in FORMATS.items():
        shown = render([found], False, None)
        shown.encode()
        if name == "text":
            bad = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs")}
            assert bad <= {"\n"}


def test_several_marks_on_one_line(snapshot: SnapshotAssertion) -> None:
    source = Source("a.lgraph", "  branch one { start -> write -> end }\n")
    found = error(
        "LG502",
        "m",
        place(source, "write"),
        label="written here",
        related=(
            Label(place(source, "one"), "in this branch"),
            Label(place(source, "end"), "and joined here"),
            Label(place(source, "start -> write"), "over this edge"),
            Label(place(source, "branch"), ""),
        ),
    )
    shown = render_text([found])
    assert shown == snapshot
    assert re.sub("\x1b\\[[0-9;]*m", "", render_text([found], True)) == shown


def test_marks_that_are_far_apart_on_a_long_line_are_all_shown() -> None:
    text = " or ".join(f"field_{number} == {number}" for number in range(200))
    source = Source("a.lgraph", text)
    related = tuple(Label(place(source, f"field_{n} "), f"label {n}") for n in (3, 150))
    shown = render_text([error("LG401", "m", place(source, "field_77"), label="here", related=related)])
    rows = [row.partition("|")[2] for row in shown.splitlines() if row.startswith(("1 |", "  |"))]
    for name, words in (("field_77", "^ here"), ("field_3", "- label 3"), ("field_150", "- label 150")):
        at = next(number for number, row in enumerate(rows) if row.endswith(words))
        signs = rows[at]
        start = len(signs) - len(signs.lstrip())
        assert rows[at - 1][start:].startswith(name)
