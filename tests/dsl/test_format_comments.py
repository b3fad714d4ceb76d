"""No comment is lost and nothing is changed, wherever a comment stands and however the text was laid out."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.dsl import ast
from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

CORPUS = sorted((Path(__file__).parents[1] / "corpus" / "format").glob("*.lgraph"))

_TOKEN = re.compile(
    r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|//[^\n]*|[A-Za-z_]\w*'
    r"|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+|[a-z]+)?|->|\.\.|\?\?|\?\.|[=!<>+-]=|\S"
)


def meaning(part: object) -> object:
    """A tree without its places."""
    if isinstance(part, ast.File):
        return meaning(part.declarations)
    if isinstance(part, tuple):
        return tuple(meaning(one) for one in cast(tuple[object, ...], part))
    if dataclasses.is_dataclass(part):
        fields = [field.name for field in dataclasses.fields(part) if field.name not in ("span", "op_span")]
        return (type(part).__name__, *(meaning(getattr(part, name)) for name in fields))
    return part.replace("\r\n", "\n") if isinstance(part, str) else part


def comments(file: ast.File) -> list[str]:
    return sorted(comment.text.rstrip() for comment in file.comments)


def assert_kept(text: str) -> str:
    """Formatting keeps the tree and the comments, and is stable; returns the formatted text."""
    before = parse(Source("before.lgraph", text))
    assert before.diagnostics == ()
    printed = format_file(before.file)
    after = parse(Source("after.lgraph", printed))
    assert after.diagnostics == ()
    assert meaning(after.file) == meaning(before.file)
    assert comments(after.file) == comments(before.file)
    assert format_file(after.file) == printed
    return printed


def declarations() -> list[list[str]]:
    """The words of each declaration of the corpus; integer division, which depends on its line, left out."""
    found: list[list[str]] = []
    for path in CORPUS:
        text = "\n".join(
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if not re.search(r" // [\d(]", line)
        )
        for declaration in parse(Source(path.name, text)).file.declarations:
            words = _TOKEN.findall(text[declaration.span.start : declaration.span.end])
            found.append([word for word in words if not word.startswith("//")])
    return found


@st.composite
def laid_out_anyhow(draw: st.DrawFn) -> str:
    """A declaration with any white space, and comments between any two words."""
    words = draw(st.sampled_from(declarations()))
    gap = st.sampled_from([" ", " ", " ", "\n", "\n\n\n", "\t", "\r\n"])
    remark = st.sampled_from(
        [
            "// c\n",
            "\n// own\n",
            '// "quoted\n',
            "//\n",
            "\n\n//// four\n\n",
            "\r\n//\tr \r\n",
            "// 2\n",
            "// x)\n",
        ]
    )
    often = draw(st.sampled_from([0.0, 0.03, 0.3, 1.0]))
    random = draw(st.randoms(use_true_random=False))
    out: list[str] = []
    for word in words:
        out.append(word)
        out.append(draw(gap) if random.random() < 0.3 else " ")
        if random.random() < often:
            out.append(draw(remark))
    return "".join(out)


@settings(max_examples=150, deadline=None)
@given(laid_out_anyhow())
def test_comments_between_any_two_words_are_kept(text: str) -> None:
    if not parse(Source("test.lgraph", text)).diagnostics:  # `// 2` may have become a division
        assert_kept(text)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus_is_kept(path: Path) -> None:
    assert_kept(path.read_text(encoding="utf-8"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(declarations()), max_size=4), st.sampled_from([" ", "\n"]))
def test_the_layout_follows_from_the_words_alone(found: list[list[str]], gap: str) -> None:
    """White space in the source does not matter, apart from blank lines."""
    text = "\n".join(gap.join(words) for words in found)
    if not parse(Source("test.lgraph", text)).diagnostics:
        assert assert_kept(text) == assert_kept("\n".join("\t".join(words) for words in found))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "enum E { a, // one\n // before b\n b // two\n // at the end\n }",
            ["enum E {", "  a,  // one", "  // before b", "  b,  // two", "  // at the end", "}"],
        ),
        ("enum E { // behind the brace\n}", ["enum E {  // behind the brace", "}"]),
        ("enum E {\n// alone\n}", ["enum E {", "  // alone", "}"]),
        ("enum E { a } // behind\n// below", ["enum E { a }  // behind", "// below"]),
        (
            "state S { f: list[int] = [1, // one\n 2,\n // before three\n 3 ] }",
            [
                "state S {",
                "  f: list[int] = [",
                "    1,  // one",
                "    2,",
                "    // before three",
                "    3,",
                "  ]",
                "}",
            ],
        ),
        (
            "state S {\n  // lgc: allow LG504 kept for later\n  a: int\n  long_name: int // why\n}",
            [
                "state S {",
                "  // lgc: allow LG504 kept for later",
                "  a:         int",
                "  long_name: int  // why",
                "}",
            ],
        ),
        (
            "// above\n/// The doc.\n// between\nstate S {}",
            ["// above", "/// The doc.", "// between", "state S {}"],
        ),
        (
            "graph g(S) { a -> b // x\n a -> c // y\n\n a -> d // z\n}",
            ["graph g(S) {", "  a -> b  // x", "  a -> c  // y", "", "  a -> d  // z", "}"],
        ),
    ],
)
def test_where_comments_go(text: str, lines: list[str]) -> None:
    assert assert_kept(text).splitlines() == lines


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 150 + "a" + ")" * 150,
        "[" * 150 + "]" * 150,
        "f(a, " * 150 + "a" + ")" * 150,
        "a if b else " * 150 + "c",
    ],
)
def test_deep_nesting(expression: str) -> None:
    assert_kept(f"state S {{ mutation M() {{ x = {expression} }} }}")
