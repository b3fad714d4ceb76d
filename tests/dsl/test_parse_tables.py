"""The kept parse tables, and the lexer that stands in for Lark's own."""

from __future__ import annotations

import json
import pkgutil
from pathlib import Path
from typing import Any

import lark
import pytest

import lgc.grammar
from lgc.dsl.lexer import ContextualLexer
from lgc.dsl.parse import parse
from lgc.dsl.source import Source
from lgc.grammar import tables

CORPUS = Path(__file__).parent.parent / "corpus"
ARTICLE = CORPUS / "build" / "article.lgraph"


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(tables.__file__).with_name(tables.NAME).read_bytes())
    return found


def test_the_kept_tables_are_those_of_the_grammar() -> None:
    stamp = tables.stamp(lgc.grammar.text())
    assert kept()["stamp"] == stamp, "run: python -m lgc.grammar.tables"


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[1, 2", b'{"stamp": "of another grammar"}'])
def test_without_good_tables_the_grammar_is_built(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pkgutil.get_data

    def without(package: str, name: str) -> bytes | None:
        return content if name == tables.NAME else real(package, name)

    monkeypatch.setattr(tables, "get_data", without)
    parser = tables.load(None)
    assert parser.parse("enum E { a }")


def test_no_terminal_is_nameless() -> None:
    names = [terminal["name"] for terminal in kept()["memo"].values() if "pattern" in terminal]
    assert len(names) > 100
    assert not [name for name in names if name.startswith("__")]


def test_larks_own_lexer_reads_the_same_tokens() -> None:
    def tokens(plugins: dict[str, Any]) -> list[tuple[str, str, int]]:
        parser = tables.load(None, plugins)
        session = parser.parse_interactive(text)
        return [(str(t.type), str(t.value), int(t.start_pos or 0)) for t in session.iter_parse()]

    for path in (ARTICLE, *(CORPUS / "parse" / "valid" / name for name in ("data.lgraph", "nodes.lgraph"))):
        text = path.read_text("utf-8")
        assert tokens({}) == tokens({"ContextualLexer": ContextualLexer}), path


def test_the_grammar_needs_nothing_but_lark() -> None:
    parser: Any = lark.Lark(lgc.grammar.text(), parser="lalr")
    assert parser.parse(ARTICLE.read_text("utf-8"))


def test_parsing_twice_gives_the_same() -> None:
    text = ARTICLE.read_text("utf-8") + "\ngraph g {"
    assert parse(Source("a", text)) == parse(Source("a", text))
