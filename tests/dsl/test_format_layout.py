"""The one layout: golden files that show input and output, and the rules one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

CORPUS = sorted((Path(__file__).parents[1] / "corpus" / "format").glob("*.lgraph"))


def formatted(text: str) -> str:
    parsed = parse(Source("test.lgraph", text))
    assert parsed.diagnostics == ()
    return format_file(parsed.file)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path, snapshot: SnapshotAssertion) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"{text}\n----- becomes -----\n\n{formatted(text)}" == snapshot


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus_is_stable(path: Path) -> None:
    once = formatted(path.read_text(encoding="utf-8"))
    assert formatted(once) == once


def test_lines_end_with_lf_and_without_spaces() -> None:
    for path in CORPUS:
        text = formatted(path.read_text(encoding="utf-8").replace("\n", "\r\n"))
        assert text == formatted(path.read_text(encoding="utf-8"))
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert all(line == line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("text", ["", "\n", "  \n\n", "\r\n"])
def test_nothing_stays_nothing(text: str) -> None:
    assert formatted(text) == ""


def test_only_comments() -> None:
    assert formatted("\n\n// a\n\n\n\n//b  \n") == "// a\n\n//b\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("enum E{a,b,}", "enum E { a, b }"),
        ("enum E{}", "enum E {}"),
        ("record R{a:str b:int=1}", "record R { a: str  b: int = 1 }"),
        ("union  U=A|B", "union U = A | B"),
        ('opaque O="m:C"', 'opaque O = "m:C"'),
        ('from"./a.lgraph"import A,B,', 'from "./a.lgraph" import A, B'),
        ("state S{}", "state S {}"),
        ("graph g(S){}", "graph g(S) {}"),
    ],
)
def test_declarations_of_one_line(text: str, line: str) -> None:
    assert formatted(text) == line + "\n"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("1+2*-3", "1 + 2 * -3"),
        ("(a)", "(a)"),
        ("((a+b))*c", "((a + b)) * c"),
        ("not  a", "not a"),
        ("a  not   in[1,2,]", "a not in [1, 2]"),
        ("{a:1,'b':2}".replace("'", '"'), '{a: 1, "b": 2}'),
        ("a?.b.c[0]", "a?.b.c[0]"),
        ("a??b", "a ?? b"),
        ("R(f=1,g=2,)", "R(f = 1, g = 2)"),
        ("a if b else c", "a if b else c"),
        ("x  is  R", "x is R"),
        ("1_000+1e-3+0.50", "1_000 + 1e-3 + 0.50"),
        ('"\\u00e9\\n"', '"\\u00e9\\n"'),
        ("a//2", "a // 2"),
        ("(a//b)+1", "(a // b) + 1"),
    ],
)
def test_expressions(written: str, printed: str) -> None:
    text = f"state S {{ mutation M(p: int) {{ f = {written}\n g = 1 h = 2 i = 3 }} }}"
    assert f"    f = {printed}\n" in formatted(text)


def test_division_is_never_made_a_comment() -> None:
    text = "state S { mutation M(a: int) {\n  x = a // 2\n  y = 1\n} }"
    assert formatted(text).splitlines()[1:] == [
        "  mutation M(a: int) {",
        "    x = a // 2",
        "    y = 1",
        "  }",
        "}",
    ]


def test_a_string_over_lines_keeps_its_text() -> None:
    string = '"""\n    one\n      two "quoted"\n   \n  """'
    assert string in formatted(f"state S {{ f: str = {string} }}")


def test_small_blocks_are_folded_and_others_not() -> None:
    text = "graph g(S) { task a { reads x\n\n records M } task b { reads x records M ensures x timeout 1s } }"
    assert formatted(text).splitlines() == [
        "graph g(S) {",
        "  task a { reads x  records M }",
        "  task b {",
        "    reads   x",
        "    records M",
        "    ensures x",
        "    timeout 1s",
        "  }",
        "}",
    ]


def test_columns_do_not_reach_over_blank_lines() -> None:
    text = "state S { a: int bbb: int\n\n ccccc: int d: int }"
    assert formatted(text).splitlines()[1:-1] == [
        "  a:   int",
        "  bbb: int",
        "",
        "  ccccc: int",
        "  d:     int",
    ]


def test_no_line_is_longer_than_it_must_be() -> None:
    names = ", ".join(f"field_number_{number}" for number in range(40))
    calls = ", ".join(f'Note(author = "someone{number}", text = "words")' for number in range(20))
    text = f"graph g(S) {{ task a {{ reads {names} }} a -> b when x in [{names}] }} "
    text += f'state S {{ mutation M() {{ notes += [{calls}] }} }} from "./x.lgraph" import {names}'
    assert max(len(line) for line in formatted(text).splitlines()) <= 100
