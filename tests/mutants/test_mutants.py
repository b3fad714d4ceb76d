"""The short form of `make mutants`: harmful mistakes that the checker has found stay found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_known_mistakes_are_found() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.known"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "found no more: 0" in done.stdout
    assert "mutants of 79 operators" in done.stdout
