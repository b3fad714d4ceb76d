"""Limits of a text: each has its own finding, and no text takes long or crashes, however it nests."""

from __future__ import annotations

import pytest

from lgc.dsl.parse import Parsed, parse
from lgc.dsl.read import LARGEST_FILE, read_bytes
from lgc.dsl.source import Source

MANY = 20_000


def codes(parsed: Parsed) -> list[str]:
    return [d.code for d in parsed.diagnostics]


def guard(expression: str) -> Parsed:
    return parse(Source("t", f"graph g(S) {{ a -> b when {expression} }}"))


@pytest.mark.parametrize(
    ("expression", "deeper"),
    [
        ("(" * 199 + "x" + ")" * 199, "(" * 200 + "x" + ")" * 200),
        ("[" * 199 + "x" + "]" * 199, "[" * 200 + "x" + "]" * 200),
        ("not " * 199 + "x", "not " * 200 + "x"),
        (" + ".join(["x"] * 200), " + ".join(["x"] * 201)),
        ("x" + ".f" * 199, "x" + ".f" * 200),
        ("x ?? " * 199 + "x", "x ?? " * 200 + "x"),
    ],
)
def test_nesting(expression: str, deeper: str) -> None:
    allowed = guard(expression)
    assert codes(allowed) == []
    # What walks the tree may recurse.
    assert allowed.file == guard(expression).file
    assert hash(allowed.file.declarations)
    assert codes(guard(deeper)) == ["LG006"]


@pytest.mark.parametrize(
    "text",
    [
        "graph g(S) { a -> b when " + "(" * MANY + "x" + ")" * MANY + " }",
        "graph g(S) { a -> b when " + "(" * MANY,
        "graph g(S) { a -> b when " + "[x " * MANY,
        "graph g(S) { a -> b when " + "{1: " * MANY,
        "graph g(S) { a -> b when " + "x if y else " * MANY + "x }",
        "graph g(S) { a -> b when " + "- " * MANY + "x }",
        "state S { a: " + "list[" * MANY + "int" + "]" * MANY + " }",
        "state S { a: " + "list[" * MANY,
        "state S { a: int" + "?" * MANY + " }",
    ],
)
def test_hostile_nesting_is_one_finding(text: str) -> None:
    parsed = parse(Source("t", text))
    assert "LG006" in codes(parsed)
    assert len(parsed.diagnostics) <= 2
    assert repr(parsed.file)


@pytest.mark.parametrize(
    "text",
    [
        "{" * MANY,
        "}" * MANY,
        ";" * MANY,
        "$ " * MANY,
        "a " * MANY,
        '"""\\' * MANY,
        'enum \\"""\n' * MANY,
        "graph g(S) {\n" * MANY,
        "graph g(S) { " + "a => b ; \n" * MANY + "}",
        "graph g(S) { a -> b when " + "x //" * MANY + " }",
        "enum E {" + "," * MANY,
        "state S { range" + " " * 10 * MANY + "}",
        "\0" * MANY,
        "é" * MANY,
    ],
)
def test_hostile_text_is_read_to_its_end(text: str) -> None:
    parsed = parse(Source("t", text))
    assert 1 <= len(parsed.diagnostics) <= 201


def test_too_many_mistakes_end_with_a_limit() -> None:
    parsed = parse(Source("t", "enum E { a }\n" + ";\n" * 300))
    assert codes(parsed).count("LG002") == 200
    assert codes(parsed)[-1] == "LG006"
    assert len(parsed.file.declarations) == 1


def test_numbers_and_names() -> None:
    assert codes(guard("x == " + "9" * 640)) == []
    assert codes(guard("x == " + "9" * 5000)) == ["LG006"]
    assert codes(guard("x == " + "9" * 5000 + ".5")) == ["LG006"]
    assert codes(parse(Source("t", f"enum {'a' * 100} {{ a }}"))) == []
    assert codes(parse(Source("t", f"enum {'a' * 101} {{ a }}"))) == ["LG006"]


def test_file_size() -> None:
    source, found = read_bytes("t", b" " * LARGEST_FILE)
    assert source is not None and found == ()
    source, found = read_bytes("t", b" " * (LARGEST_FILE + 1))
    assert source is None
    assert [d.code for d in found] == ["LG006"]


def test_encoding() -> None:
    source, found = read_bytes("t", b"\xef\xbb\xbfenum E { a }\r\n")
    assert (source and source.text, found) == ("enum E { a }\r\n", ())
    source, found = read_bytes("t", "// é\nenum E { ".encode() + b"\xff }")
    assert source is None
    assert [(d.code, d.place.position) for d in found] == [("LG001", (2, 10))]
    assert [d.code for d in read_bytes("t", "enum".encode("utf-16"))[1]] == ["LG001"]
    assert [(d.code, d.place.span) for d in parse(Source("t", "enum E { a } // \ud800")).diagnostics] == [
        ("LG001", (16, 17))
    ]
    assert codes(parse(Source("t", "\ufeffenum E { a }"))) == []
