"""Whatever the bytes, tokens or changes to a valid file: only findings, each inside the text, and soon."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.dsl.parse import Parsed, parse
from lgc.dsl.read import read_bytes
from lgc.dsl.source import Source

CORPUS = Path(__file__).parent.parent / "corpus"
FILES = [*sorted((CORPUS / "parse" / "valid").glob("*.lgraph")), CORPUS / "build" / "article.lgraph"]
TOKEN = re.compile(r'\s+|\w+|->|\.\.|"[^"\n]*"|.', re.DOTALL)
TEXTS = [TOKEN.findall(path.read_bytes().decode("utf-8")) for path in FILES]
WORDS = [*sorted({t for text in TEXTS for t in text}), '"', '"""', "\\", "0.", "1__0", "é", "&&", "'"]


def sound(parsed: Parsed, text: str) -> None:
    for d in parsed.diagnostics:
        assert "could not be read" not in d.message
        assert 0 <= d.place.span.start <= d.place.span.end <= len(text)
        assert d.code in ("LG001", "LG002", "LG003", "LG004", "LG005", "LG006", "LG103")
        assert "__ANON" not in d.message and "$END" not in d.message
    assert repr(parsed.file)


@given(st.binary(max_size=300))
@settings(deadline=2000)
def test_bytes(data: bytes) -> None:
    source, found = read_bytes("t", data)
    if source is None:
        assert [d.code for d in found] == ["LG001"]
    else:
        sound(parse(source), source.text)


@given(st.text(max_size=300))
@settings(deadline=2000)
def test_text(text: str) -> None:
    sound(parse(Source("t", text)), text)


@given(st.lists(st.sampled_from(WORDS), max_size=80).map(" ".join))
@settings(deadline=2000)
def test_tokens(text: str) -> None:
    sound(parse(Source("t", text)), text)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid file with some tokens dropped, put in, replaced or swapped."""
    tokens = list(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(tokens) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                del tokens[at : at + draw(st.integers(1, 4))]
            case 1:
                tokens.insert(at, draw(st.sampled_from(WORDS)))
            case 2:
                tokens[at] = draw(st.sampled_from(WORDS))
            case _:
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[at], tokens[other] = tokens[other], tokens[at]
        if not tokens:
            break
    return "".join(tokens)


@given(mutated())
@settings(deadline=2000, max_examples=300)
def test_mutated_files(text: str) -> None:
    sound(parse(Source("t", text)), text)


@given(st.sampled_from(TEXTS), st.data())
@settings(deadline=2000)
def test_one_dropped_token_hides_little(tokens: list[str], data: st.DataObject) -> None:
    whole = len(parse(Source("t", "".join(tokens))).file.declarations)
    at = data.draw(st.integers(0, len(tokens) - 1))
    parsed = parse(Source("t", "".join(tokens[:at] + tokens[at + 1 :])))
    assert len(parsed.diagnostics) <= 8
    assert len(parsed.file.declarations) >= whole - 2
