"""What the findings of the corpus say: message, help and further places, as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from lgc.compiler import check
from lgc.compiler.migrations.forms import Forms
from lgc.dsl.diagnostic import Diagnostic
from lgc.dsl.source import Place, Source

CORPUS = Path(__file__).parent.parent / "corpus" / "check"
CASES = sorted([*CORPUS.glob("*.lgraph"), *CORPUS.glob("*/main.lgraph")])


def marked(place: Place) -> str:
    """A place with the text that it marks."""
    text = place.source.text[place.span.start : place.span.end]
    return f"{place} `{text.splitlines()[0] if text else ''}`"


def told(finding: Diagnostic) -> str:
    """A finding in lines."""
    lines = [f"{finding.code} {marked(finding.place)}", f"  {finding.message}"]
    if finding.help:
        lines.append(f"  help: {finding.help}")
    lines.extend(f"  {marked(label.place)}: {label.text}" for label in finding.related)
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.relative_to(CORPUS).as_posix())
def test_what_is_said(
    case: Path, forms_beside: Callable[[Path], Forms | None], snapshot: SnapshotAssertion
) -> None:
    def load(path: str) -> bytes | None:
        file = case.parent / path
        return file.read_bytes() if file.is_file() else None

    source = Source(case.name, case.read_text("utf-8"))
    checked = check([source], load=load, root=".", forms=forms_beside(case.parent))
    assert "\n".join(told(finding) for finding in checked.diagnostics) == snapshot
