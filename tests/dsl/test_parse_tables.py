"""The kept parse tables, and the lexer that stands in for Lark's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lark
import pytest

import lgc.grammar
from lgc.dsl.lexer import ContextualLexer, Tok
from lgc.dsl.parse import Builder, parse
from lgc.dsl.source import Source
from lgc.grammar import tables

CORPUS = Path(__file__).parent.parent / "corpus"
ARTICLE = CORPUS / "build" / "article.lgraph"


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(tables.__file__).with_name(tables.NAME).read_bytes())
    return found


def test_the_kept_tables_are_those_of_the_grammar() -> None:
    assert kept() == tables.build(), "run: python -m lgc.grammar.tables"


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[1, 2", b'{"stamp": "of another grammar"}'])
def test_without_good_tables_the_grammar_is_built(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: str) -> bytes:
        if content is None:
            raise FileNotFoundError(name)
        return content

    monkeypatch.setattr(tables, "data", without)
    builder = Builder()
    parser = tables.load(builder, ContextualLexer)
    (enum,) = parser.parse("enum E { a }")
    assert enum.name.text == "E"


def test_no_terminal_is_nameless() -> None:
    names = [name for name, _, _ in kept()["terminals"]]
    assert len(names) > 100
    assert not [name for name in names if name.startswith("__")]


@pytest.mark.parametrize("name", ["data", "nodes", "article"])
def test_larks_own_lexer_reads_the_same_tokens(name: str) -> None:
    path = ARTICLE if name == "article" else CORPUS / "parse" / "valid" / f"{name}.lgraph"
    text = path.read_text("utf-8")
    own: Any = lark.Lark(lgc.grammar.text(), parser="lalr", keep_all_tokens=True, maybe_placeholders=False)
    theirs = [(str(t.type), str(t.value), t.start_pos) for t in own.parse_interactive(text).iter_parse()]
    ours: list[tuple[str, str, int]] = []

    class Listening(ContextualLexer):
        def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Tok]:
            for token in super().lex(lexer_state, parser_state):
                ours.append((token.type, token.value, token.start_pos))
                yield token

    builder = Builder()
    builder.begin_text(Source(path.name, text), {})
    tables.load(builder, Listening).parse(text)
    assert ours == theirs


def test_the_grammar_needs_nothing_but_lark() -> None:
    parser: Any = lark.Lark(lgc.grammar.text(), parser="lalr")
    assert parser.parse(ARTICLE.read_text("utf-8"))


def test_parsing_twice_gives_the_same() -> None:
    text = ARTICLE.read_text("utf-8") + "\ngraph g {"
    assert parse(Source("a", text)) == parse(Source("a", text))


READ_ALL = """
import sys
from pathlib import Path
from lgc.dsl.parse import parse
from lgc.dsl.source import Source
for path in sorted(Path(sys.argv[1]).rglob("*.lgraph")):
    print(parse(Source(path.name, path.read_text("utf-8", "replace"))))
print("lark" in sys.modules)
"""


def test_the_parser_alone_reads_as_the_whole_of_lark_does() -> None:
    alone, whole = (
        subprocess.run(
            [sys.executable, "-c", first + READ_ALL, str(CORPUS / "parse")], capture_output=True, check=True
        ).stdout.splitlines()
        for first in ("", "import lark")
    )
    assert (alone.pop(), whole.pop()) == (b"False", b"True")
    assert alone == whole
    assert len(alone) > 10
