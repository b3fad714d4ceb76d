"""The formatter's last look: the same tree and the same comments, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lgc.dsl.faithful import faithful
from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

CORPUS = sorted(Path("tests/corpus").rglob("*.lgraph"))
TEXT = "enum E { a, b }  // kept\n\nstate S {\n  n: int = 1\n  mutation M() { n = n + 1 }\n}\n"


@pytest.mark.parametrize("path", CORPUS, ids=str)
def test_the_formatter_is_faithful(path: Path) -> None:
    parsed = parse(Source(str(path), path.read_bytes().decode(errors="replace")))
    if not parsed.diagnostics:
        assert faithful(parsed.file, format_file(parsed.file))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("// kept", ""),
        ("a, b", "b, a"),
        ("n + 1", "n - 1"),
        ("int = 1", "int = 2"),
        ("M()", "N()"),
        ("}\n", ""),
    ],
)
def test_any_difference_is_seen(old: str, new: str) -> None:
    file = parse(Source("x", TEXT)).file
    assert faithful(file, TEXT.replace("  ", "\n"))
    assert not faithful(file, TEXT.replace(old, new, 1))
