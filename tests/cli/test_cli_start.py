"""Start-up: what is imported for a command, counted and not timed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

GOOD = """\
state S { count: int = 0  mutation Up() { count += 1 } }
graph g(S) { task a { reads count  records Up }  start -> a -> end }
"""
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


# What only a mistake, a rarer declaration, an option or another kind of constant needs.
LATER = {
    "click",
    "datetime",
    "decimal",
    "hashlib",
    "lark",
    "lgc.cli.app",
    "lgc.compiler.resolve.runs",
    "lgc.dsl.recover",
    "lgc.dsl.repairs",
    "lgc.dsl.snippet",
    "pathlib",
    "tomllib",
    "uuid",
}


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


def test_check_of_a_clean_file_imports_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "a.lgraph").write_text(GOOD)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["lgc"]\n[tool.ruff]\n')
    found = imported(tmp_path, "check", "a.lgraph")
    assert not LATER & found
    assert len(found) < 168  # 160 when this was written, 33 of them Python's own start


def test_a_remembered_check_imports_little(tmp_path: Path) -> None:
    file = tmp_path / "a.lgraph"
    file.write_text(GOOD)
    for path in tmp_path.iterdir():
        os.utime(path, (1e9, 1e9))
    imported(tmp_path, "check", "a.lgraph")
    time.sleep(2.1)  # until the times of the files say that nothing can have changed meanwhile
    imported(tmp_path, "check", "a.lgraph")
    again = imported(tmp_path, "check", "a.lgraph")
    assert not {"threading", "lgc.compiler", "lgc.dsl.parse"} & again
    assert "typing" not in again
    assert len(again) < 96  # 89 when this was written


def test_plain_options_bring_no_more(tmp_path: Path) -> None:
    (tmp_path / "a.lgraph").write_text(GOOD)
    found = imported(tmp_path, "check", "--no-cache", "--strict", "a.lgraph")
    assert not LATER & found


def test_lark_is_whole_for_whoever_imports_it_later(tmp_path: Path) -> None:
    (tmp_path / "a.lgraph").write_text(GOOD)
    text = (
        "from lgc.cli import main; main(['check', 'a.lgraph'])\n"
        "import lark; print(lark.Lark('start: \"a\"').parse('a').data, lark.lark.__name__)"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", text], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert run.stdout.splitlines()[-1] == "start lark.lark"


def test_words_with_and_without_click_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.lgraph").write_text(GOOD)
    (tmp_path / "b.lgraph").write_text("graph {\n")
    for paths in (["a.lgraph"], ["b.lgraph"], ["."], ["nowhere.lgraph"], ["-"], [""]):
        plain, optional = (
            subprocess.run(
                [sys.executable, "-m", "lgc", "check", *words],
                cwd=tmp_path,
                capture_output=True,
                input=b"state",
            )
            for words in (paths, ["--nodes", "", *paths])
        )
        assert (plain.returncode, plain.stdout, plain.stderr) == (
            optional.returncode,
            optional.stdout,
            optional.stderr,
        ), paths
