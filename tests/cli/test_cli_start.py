"""Start-up: what is imported for a command, counted and not timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GOOD = "state S { count: int = 0 }\ngraph g(S) { task a { reads count }  start -> a -> end }\n"
HEAVY = {
    "asyncio",
    "importlib.metadata",
    "jinja2",
    "pydantic",
    "rich",
    "sqlite3",
    "typing_extensions",
    "unittest",
}


def imported(folder: Path, *words: str) -> set[str]:
    """The modules that a process has imported when the command has ended."""
    text = "import sys; from lgc.cli import main; main(sys.argv[1:]); print('\\n'.join(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", text, *words], cwd=folder, capture_output=True, check=True, text=True
    )
    return set(run.stdout.split())


def test_version_imports_nothing(tmp_path: Path) -> None:
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print('\\n'.join(sys.modules))"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    more = imported(tmp_path, "--version") - set(bare.stdout.split())
    assert more - {"0.1.0", "__future__"} == {"lgc", "lgc.cli"}


def test_check_and_fmt_import_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "a.lgraph").write_text(GOOD)
    for words in (("check", "a.lgraph"), ("fmt", "a.lgraph"), ("hash", "a.lgraph"), ("explain", "LG101")):
        found = imported(tmp_path, *words)
        assert not HEAVY & found, words
        assert not {name for name in found if name.startswith(("lgc.runtime", "lgc.compiler.codegen"))}, words
