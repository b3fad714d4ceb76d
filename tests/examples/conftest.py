"""A copy of each example in a folder of its own, and the command to try it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Example(NamedTuple):
    """A copy of an example."""

    folder: Path

    def lgc(self, *words: str, status: int = 0, **environment: str) -> str:
        """Call the command in the folder; what it printed. Fails where it leaves with another status."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "lgc"), *words],
            cwd=self.folder, env={**os.environ, **environment}, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Example]:
    """Copies an example by its name."""

    def copy(name: str) -> Example:
        ignored = shutil.ignore_patterns("__pycache__", "generated", "*.db*", "files", "constitution.html")
        shutil.copytree(ROOT / "examples" / name, tmp_path / name, ignore=ignored)
        return Example(tmp_path / name)

    return copy
