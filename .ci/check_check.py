"""From a copy of the project with planted errors to the proof that every checker sees every room.

A checker that looks at no files finds no errors. So the tree is copied, one mistake for each checker is
planted in each room, and each checker has to fail and to name each planted file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
NAME = "zz_planted"

# A type error (for mypy and pyright), an unused import (ruff) in a layout that `ruff format` would change.
MISTAKES = '"""Planted."""\n\nimport json\n\ndef planted() -> int:\n    return   "not a number"\n'
ROOMS = ("grammar", "dsl", "compiler", "runtime", "src/lgc/cli", "tests")

# Every contract with an import that breaks it: file, its text, what import-linter has to print.
FORBIDDEN = (
    ("grammar", "from ..dsl import ast\n", "lgc.grammar.zz_planted -> lgc.dsl"),
    ("dsl", "from ..compiler import model\n", "lgc.dsl.zz_planted -> lgc.compiler"),
    ("compiler", "from ..runtime import errors\n", "lgc.compiler.zz_planted -> lgc.runtime.errors"),
    ("runtime", "import lark\n", "lgc.runtime.zz_planted -> lark"),
)


class Checker(NamedTuple):
    """A command, and for each planted file what its output has to hold."""

    name: str
    command: Sequence[str]
    expected: Sequence[str]


def main() -> int:
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="check-check-") as folder:
        copy = Path(folder)
        _copy_tree(copy, bare=True)
        failures += [text for checker in _typed_and_linted(copy) for text in _judge(copy, checker)]
    with tempfile.TemporaryDirectory(prefix="check-check-") as folder:
        copy = Path(folder)
        _copy_tree(copy)
        failures += [text for checker in _contracts(copy) for text in _judge(copy, checker)]
        failures += [text for checker in _tests(copy) for text in _judge(copy, checker)]
    for text in failures:
        print(f"check-check: {text}", file=sys.stderr)
    print(f"check-check: {'FAILED' if failures else 'every checker fails where it has to'}")
    return 1 if failures else 0


def _copy_tree(copy: Path, *, bare: bool = False) -> None:
    """Copy the project; `bare`: of its Python only what makes folders packages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, copy / name
        if bare and source.suffix == ".py" and source.name != "__init__.py":
            continue
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (copy / ".venv").symlink_to(ROOT / ".venv")


def _typed_and_linted(copy: Path) -> list[Checker]:
    planted = [f"{room}/{NAME}.py" for room in ROOMS]
    for name in planted:
        _plant(copy / name, MISTAKES)
    # mypy names the files below src/lgc by the links, the others by their place.
    by_link = [f"src/lgc/{room}/{NAME}.py" for room in ROOMS[:4]] + planted[4:]
    return [
        Checker("ruff check", ["ruff", "check", "--no-cache", "--output-format=concise", "."], planted),
        Checker("ruff format", ["ruff", "format", "--no-cache", "--check", "."], planted),
        Checker("mypy", ["mypy", "--no-incremental", "--no-error-summary"], by_link),
        Checker("pyright", ["pyright"], planted),
    ]


def _contracts(copy: Path) -> list[Checker]:
    for room, text, _ in FORBIDDEN:
        _plant(copy / room / f"{NAME}.py", f'"""Planted."""\n{text}')
    return [Checker("import-linter", ["lint-imports", "--no-cache"], [shown for *_, shown in FORBIDDEN])]


def _tests(copy: Path) -> list[Checker]:
    test = copy / "tests" / "test_zz_planted.py"
    _plant(test, "import warnings\n\n\ndef test_planted() -> None:\n    warnings.warn('planted')\n")
    return [Checker("pytest", ["pytest", "-q", str(test)], ["1 failed", "UserWarning: planted"])]


def _plant(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _judge(copy: Path, checker: Checker) -> list[str]:
    program, *arguments = checker.command
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "COLUMNS": "200"}
    command = [str(BIN / program), *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    missing = [text for text in checker.expected if text not in output]
    print(f"  {checker.name}: exit {done.returncode}, {len(checker.expected) - len(missing)} of "
          f"{len(checker.expected)} planted mistakes seen")  # fmt: skip
    if done.returncode == 0:
        return [f"{checker.name} passes although mistakes were planted"]
    return [f"{checker.name} does not see {text}\n{output[-2000:]}" for text in missing]


if __name__ == "__main__":
    sys.exit(main())
