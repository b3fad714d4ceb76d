"""Canonical expressions, types and statements read as lgraph again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.runtime.changes.unparse import expression_text, params_text, statements_text, type_text


def f(name: str) -> list[Any]:
    return ["field", name]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (None, "none"),
        (True, "true"),
        (-3, "-3"),
        (["int", "9007199254740993"], "9007199254740993"),
        (["float", "1"], "1.0"),
        (["float", "0.5"], "0.5"),
        (["float", "-0"], "-0.0"),
        (["float", "1e+21"], "1e21"),
        (["decimal", "1.50"], "1.50"),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        (["bytes", "726177"], '"raw"'),
        (["date", "2024-02-29"], '"2024-02-29"'),
        (["uuid", "12"], '"12"'),
        (["duration", 60_000_000], "1m"),
        (["duration", 90_000_000], "90s"),
        (["duration", 172_800_000_000], "2d"),
        (["duration", 500_000], "500ms"),
        (["duration", 0], "0d"),
        (["enum", "Verdict", "accept"], "Verdict.accept"),
        (["<", ["float", "0.5"], f("score")], "score > 0.5"),
        (["<=", 1, f("n")], "n >= 1"),
        (["<", f("n"), 1], "n < 1"),
        (["<", f("n"), f("m")], "n < m"),
        (["and", f("a"), ["or", f("b"), f("c")], ["not", f("d")]], "a and (b or c) and not d"),
        (["or", ["and", f("a"), f("b")], f("c")], "a and b or c"),
        (["not", ["and", f("a"), f("b")]], "not (a and b)"),
        (["not", ["==", f("a"), None]], "not a == none"),
        (["==", ["==", f("a"), f("b")], True], "(a == b) == true"),
        (["left", f("a"), "-", f("b"), "+", f("c")], "a - b + c"),
        (["left", f("a"), "-", ["left", f("b"), "-", f("c")]], "a - (b - c)"),
        (["left", f("a"), "+", f("b"), "*", f("c")], "(a + b) * c"),
        (["left", f("a"), "+", ["left", f("b"), "*", f("c")]], "a + b * c"),
        (["left", f("a"), "*", ["neg", f("b")]], "a * -b"),
        (["neg", ["left", f("a"), "+", f("b")]], "-(a + b)"),
        (["neg", ["neg", f("a")]], "-(-a)"),
        (["<", ["??", f("a"), f("b"), 0], f("c")], "(a ?? b ?? 0) < c"),
        (["if", f("p"), 1, ["if", f("q"), 2, 3]], "1 if p else (2 if q else 3)"),
        (["left", ["if", f("p"), 1, 2], "+", 3], "(1 if p else 2) + 3"),
        (["attr?", ["attr", f("x"), "y"], "z"], "x.y?.z"),
        (["attr", ["??", f("x"), f("y")], "z"], "(x ?? y).z"),
        (["index", f("xs"), ["left", f("n"), "-", 1]], "xs[n - 1]"),
        (["call", "get", f("d"), "k", 0], 'get(d, "k", 0)'),
        (["left", ["visits", "write"], "+", ["steps"]], "visits(write) + steps()"),
        (["record", "Note", {"text": ["param", "t"], "author": "e"}], 'Note(author = "e", text = t)'),
        (["list"], "[]"),
        (["set", 1, 2], "[1, 2]"),
        (["dict", ["a", 1], ["b", ["list"]]], '{"a": 1, "b": []}'),
        (["is", f("s"), "Note"], "s is Note"),
        (["not in", ["item", "i"], f("xs")], "i not in xs"),
        (["widen", f("n")], "n"),
    ],
)
def test_expressions(form: Any, text: str) -> None:
    assert expression_text(form) == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("int", "int"),
        (["optional", ["list", ["record", "Note"]]], "list[Note]?"),
        (["dict", "str", ["set", ["enum", "E"]]], "dict[str, set[E]]"),
    ],
)
def test_types(form: Any, text: str) -> None:
    assert type_text(form) == text


def test_parameters_and_statements() -> None:
    assert params_text([["a", "int"], ["b", ["optional", "str"]]]) == "a: int, b: str?"
    body = [
        {"op": "set", "path": ["draft"], "value": ["param", "text"]},
        {"op": "add", "path": ["page", "count"], "value": 1},
        {"op": "sub", "path": ["n"], "value": 1},
        {"op": "set", "path": ["d"], "key": "k", "value": True},
        {"op": "max", "path": ["best"], "value": ["param", "x"]},
        {"op": "del", "path": ["d"], "key": "k"},
    ]
    assert statements_text(body) == (
        'draft = text  page.count += 1  n -= 1  d["k"] = true  best = max(best, x)  del d["k"]'
    )


def test_depth_is_no_trouble() -> None:
    deep: Any = f("a")
    for _ in range(200):
        deep = ["not", ["attr", deep, "b"]]
    assert expression_text(deep).count("not") > 100
    for _ in range(5_000):
        deep = ["not", deep]
    assert "…" in expression_text(deep)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
words = st.sampled_from(
    [
        "field",
        "and",
        "left",
        "==",
        "<",
        "if",
        "attr",
        "record",
        "dict",
        "call",
        "enum",
        "float",
        "duration",
        "neg",
    ]
)


def headed(word: str, rest: list[Any]) -> Any:
    """Something that begins as a form does."""
    return [word, *rest]


def one_level(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(headed, words, st.lists(inner, max_size=4))


near_misses: st.SearchStrategy[Any] = st.recursive(json_values, one_level)


@given(near_misses)
def test_whatever_it_is_given_it_shows_something(form: Any) -> None:
    for show in (expression_text, type_text, params_text, statements_text):
        assert isinstance(show(form), str)
