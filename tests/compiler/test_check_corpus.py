"""The corpus of `check`: what is marked is found on its line, and nothing else is found anywhere.

`//~ LG101 LG204` at the end of a line expects these findings to begin on it. A folder is one case: its
`main.lgraph` is checked, and the marks of all its files count. `old*.lgraph` in it are older graphs, whose
stored forms migrations are checked against.

`//~ not LG101` marks a near miss: what is almost a mistake of that kind. That nothing is found there follows
from exactness; the mark lets a test ask for one of every kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lgc.compiler import check
from lgc.compiler.migrations.forms import Forms
from lgc.compiler.rule import CHECK
from lgc.compiler.rules import RULES
from lgc.dsl.source import Source

CORPUS = Path(__file__).parent.parent / "corpus" / "check"
NEAR = re.compile(r"//~ not((?: LG\d{3})+)")
MARK = re.compile(r"//~((?: LG\d{3})+)[ \t]*$")
CASES = sorted([*CORPUS.glob("*.lgraph"), *CORPUS.glob("*/main.lgraph")])

# Raised by the parser; its own corpus has them.
ELSEWHERE = {"LG001", "LG003", "LG004", "LG005", "LG006"}
FOUND = {rule.code for rule in RULES if rule.by.startswith(CHECK)}


def expected(folder: Path, files: list[Path]) -> Counter[tuple[str, int, str]]:
    """What the marks of some files say: path, line, code."""
    found: Counter[tuple[str, int, str]] = Counter()
    for file in files:
        for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
            mark = MARK.search(line)
            for code in mark.group(1).split() if mark else ():
                found[(file.relative_to(folder).as_posix(), number, code)] += 1
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.relative_to(CORPUS).as_posix())
def test_finds_exactly_what_is_marked(case: Path, forms_beside: Callable[[Path], Forms | None]) -> None:
    folder = case.parent
    files = sorted(folder.rglob("*.lgraph")) if folder != CORPUS else [case]

    def load(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.is_file() else None

    source = Source(case.name, case.read_text("utf-8"))
    checked = check([source], load=load, root=".", forms=forms_beside(folder))
    places = [(d.place.source.path, d.place.position.line, d.code) for d in checked.diagnostics]
    found = Counter(places)
    wanted = expected(folder, files)
    shown = {d.code + " " + str(d.place): d.message for d in checked.diagnostics}
    assert found - wanted == Counter(), f"not expected; all findings: {shown}"
    assert wanted - found == Counter(), f"not found; all findings: {shown}"


def test_every_active_rule_is_in_the_corpus() -> None:
    marked = {
        code
        for case in CORPUS.rglob("*.lgraph")
        for mark in re.findall(r"//~((?: LG\d{3})+)[ \t]*$", case.read_text("utf-8"), re.M)
        for code in mark.split()
    }
    assert marked >= FOUND - ELSEWHERE


def test_every_active_rule_has_a_near_miss() -> None:
    texts = [case.read_text("utf-8") for case in CORPUS.rglob("*.lgraph")]
    near = {code for text in texts for mark in NEAR.findall(text) for code in mark.split()}
    assert near >= FOUND
