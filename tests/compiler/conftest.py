"""What tests of the compiler share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from lgc.compiler import check
from lgc.compiler.canonical import canonical_text
from lgc.compiler.migrations.forms import Forms
from lgc.dsl.source import Source

Beside = Callable[[Path], Forms | None]
Effort = Callable[[Callable[[], object]], int]


@pytest.fixture
def effort() -> Effort:
    """How many functions are called while something is done: work, as no busy machine disturbs it."""

    def count(work: Callable[[], object]) -> int:
        calls = 0

        def called(frame: FrameType, event: str, arg: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            work()
        finally:
            sys.setprofile(before)
        return calls

    return count


@pytest.fixture(scope="session")
def forms_beside() -> Beside:
    """The stored forms that a folder of the corpus brings: those of the graphs in its `old*.lgraph`, which
    must be without errors; None where it has no such file."""

    def forms(folder: Path) -> Forms | None:
        texts: list[str] = []
        for file in sorted(folder.glob("old*.lgraph")):
            checked = check([Source(file.name, file.read_text("utf-8"))], load=lambda _: None)
            assert checked.usable, f"{file}: {[found.message for found in checked.diagnostics]}"
            texts += [canonical_text(checked.program, key) for key in checked.program.graphs]
        return Forms(texts) if texts else None

    return forms
