"""The corpus of syntax errors: what is marked is found on its line, and nothing else.

`//~ LG002 LG003` at the end of a line expects these findings to begin on it.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from lgc.dsl import ast
from lgc.dsl.parse import Parsed, parse
from lgc.dsl.read import read_bytes

CORPUS = Path(__file__).parent.parent / "corpus" / "parse"
MARK = re.compile(r"//~((?: LG\d{3})+)[ \t]*$")
BROKEN = sorted((CORPUS / "broken").glob("*.lgraph"))


def read(path: Path) -> Parsed:
    source, problems = read_bytes(path.name, path.read_bytes())
    assert source is not None, problems
    return parse(source)


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_finds_exactly_what_is_marked(path: Path) -> None:
    wanted: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        mark = MARK.search(line)
        wanted.update((number, code) for code in (mark.group(1).split() if mark else ()))
    findings = read(path).diagnostics
    found = Counter((d.place.position.line, d.code) for d in findings)
    shown = [f"{d.place} {d.code} {d.message}" for d in findings]
    assert (found - wanted, wanted - found) == (Counter(), Counter()), shown


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_what_is_said(path: Path, snapshot: SnapshotAssertion) -> None:
    lines: list[str] = []
    for d in read(path).diagnostics:
        span = d.place.span
        lines.append(f"{d.place.position.line}: {d.place.source.text[span.start : span.end]!r:.40}")
        lines.append(f"   {d.code} {d.message}")
        lines += [f"   help: {d.help}"] if d.help else []
        lines += [f"   fix: {d.fix.text!r}"] if d.fix else []
        lines += [f"   {label.place}: {label.text}" for label in d.related]
    assert "\n".join(lines) == snapshot


def items(path: str) -> dict[str, list[str]]:
    """What could be read of a broken file: each declaration and the names in it."""
    found: dict[str, list[str]] = {}
    for declaration in read(CORPUS / "broken" / path).file.declarations:
        match declaration:
            case ast.Graph():
                inner = [
                    i.name.text if isinstance(i, ast.Node) else "->".join(n.text for n in i.names)
                    for i in declaration.items
                    if isinstance(i, ast.Node | ast.Chain)
                ]
                found[declaration.name.text] = inner
            case ast.State():
                found[declaration.name.text] = [i.name.text for i in declaration.items]
            case ast.Enum():
                found[declaration.name.text] = [m.name.text for m in declaration.members]
            case ast.Record():
                found[declaration.name.text] = [f.name.text for f in declaration.fields]
            case _:
                pass
    return found


def test_the_rest_of_the_file_is_read() -> None:
    braces = items("braces.lgraph")
    assert braces["g"] == ["a", "b", "a->b"]
    assert braces["T"] == ["x", "M", "y"]
    assert (braces["E"], braces["R"], braces["h"]) == (["a", "b"], ["f"], ["a->b"])
    lost = {"E": ["a", "b"], "S": ["a", "c"], "R": ["f"], "g": ["a", "a->b", "b->c"]}
    assert items("lost.lgraph") == lost
    assert items("strings.lgraph") == {"S": ["a", "b", "c"], "R": ["f", "g"], "E": ["x"]}
    words = items("words.lgraph")
    assert words["g"] == ["a", "b", "c", "d", "p", "decide->b"]


def test_a_missing_brace_at_the_end_points_at_its_opening() -> None:
    (found,) = read(CORPUS / "broken" / "unclosed.lgraph").diagnostics
    assert "missing `}`" in found.message
    assert [label.place.position for label in found.related] == [(1, 12)]
