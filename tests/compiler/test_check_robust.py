"""Checking what is broken, deep or huge: only findings, few of them, and in time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.compiler import Checked, check
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source

CORPUS = Path(__file__).parent.parent / "corpus"
TEXTS = [path.read_text("utf-8") for path in sorted(CORPUS.glob("*/*.lgraph"))]
WORDS = sorted({word for text in TEXTS for word in re.findall(r"\w+|[^\s\w]", text)})
TOKENS = re.compile(r"\w+|[^\s\w]+|\s+")
STATE = 'state Job {\n  done: bool = false\n  size: int = 0\n  name: str = ""\n}\n'


def checked(text: str) -> Checked:
    """A text, checked alone."""
    return check([Source("t.lgraph", text)], load=lambda path: None)


def codes(text: str) -> list[str]:
    """The errors in a text."""
    return [d.code for d in checked(text).diagnostics if d.severity is Severity.ERROR]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A file of the corpus with some words lost, doubled, swapped or replaced."""
    tokens = TOKENS.findall(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(tokens) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                del tokens[at : at + draw(st.integers(1, 4))]
            case 1:
                tokens.insert(at, tokens[at])
            case 2:
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3:
                tokens[at] = draw(st.sampled_from(WORDS))
            case _:
                del tokens[at:]
        tokens = tokens or [" "]
    return "".join(tokens)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_mutated_files_never_raise(text: str) -> None:
    found = checked(text).diagnostics
    assert list(found) == sorted(found, key=lambda d: d.sort_key())
    assert len(found) == len(set(found))
    for finding in found:
        span = finding.place.span
        assert 0 <= span.start <= span.end <= len(finding.place.source.text)


def nested(before: str, inside: str, after: str, depth: int) -> str:
    return before * depth + inside + after * depth


@pytest.mark.parametrize(
    "guard",
    [
        nested("(", "done", ")", 190),
        nested("not (", "done", ")", 99),
        nested("abs(", "size", ")", 190) + " == 1",
        nested("[", "1", "]", 190) + " == []",
        nested("(1 if done else ", "2", ")", 60) + " == 1",
        " or ".join(["done"] * 190),
        " + ".join(["size"] * 190) + " == 1",
        "name" + "[0]" * 190 + " == 1",
    ],
)
def test_deep_expressions(guard: str) -> None:
    text = (
        STATE + "graph g(Job) {\n  task a\n  start -> a\n  a -> end when " + guard + "\n  a -> end else\n}\n"
    )
    assert set(codes(text)) <= {"LG201"}


@pytest.mark.parametrize("depth", [250, 2_000])
def test_too_deep_expressions(depth: int) -> None:
    for guard in (nested("(", "done", ")", depth), " or ".join(["done"] * depth), "not " * depth + "done"):
        text = (
            STATE
            + "graph g(Job) {\n  task a\n  start -> a\n  a -> end when "
            + guard
            + "\n  a -> end else\n}\n"
        )
        assert codes(text) == ["LG006"]


@pytest.mark.timeout(60)
def test_many_unknown_names_are_told_in_time() -> None:
    nodes = "\n".join(f"  task node_number_{n}" for n in range(3_000))
    edges = "\n".join(f"  start -> nod_numbr_{n}x -> end" for n in range(3_000))
    found = codes(STATE + "graph g(Job) {\n" + nodes + "\n" + edges + "\n}\n")
    assert found.count("LG101") == 3_000


def test_a_long_chain_of_graphs_and_parallels() -> None:
    graphs = [f"graph g{n}(Job) {{\n  subgraph s = g{n + 1}\n  start -> s -> end\n}}" for n in range(2_000)]
    graphs.append("graph g2000(Job) { start -> end }")
    assert codes(STATE + "\n".join(graphs)) == []
    nests = [
        f"  task t{n}\n  parallel p{n} {{\n    branch a = t{n}\n    branch b = p{n + 1}\n  }}"
        for n in range(2_000)
    ]
    text = STATE + "graph g(Job) {\n" + "\n".join(nests) + "\n  task p2000\n  start -> p0 -> end\n}\n"
    assert codes(text) == []


# --- a syntax error says enough


def test_edges_lost_to_a_syntax_error_are_not_missed() -> None:
    text = STATE + "graph g(Job) {\n  task a\n  task b\n  start -> a -> ]\n  b -> end\n}\n"
    assert codes(text) == ["LG002"]


def test_the_rest_of_the_file_is_still_checked() -> None:
    text = (
        STATE.replace("size: int", "size int") + "graph g(Job) {\n  task a { reads siz }\n  start -> a\n}\n"
    )
    found = codes(text)
    assert found[0] == "LG002"
    assert "LG304" in found


def test_declarations_lost_to_a_syntax_error_are_not_undefined() -> None:
    text = "record Note { text str }\n" + "state Job {\n  note: Note?\n}\ngraph g(Job) { start -> end }\n"
    assert codes(text) == ["LG002"]


@pytest.mark.timeout(20)
def test_a_pattern_that_would_search_for_ever() -> None:
    endless = "a" * 60 + "!"
    text = (
        f'state Job {{\n  name: str = "{endless}"  pattern "(a+)+$"\n'
        '  code: str = "AB"  pattern "^([a-z]+)+$"\n}\n'
        "graph work(Job) {\n  task plan { reads name, code }\n  start -> plan\n"
        f'  plan -> end when name == "{endless}"\n  plan -> end when name == "b"\n  plan -> end else\n}}\n'
    )
    # What is short enough is still tried.
    assert codes(text) == ["LG207", "LG402"]
