"""The short form of `make chaos`; in a process of its own, because it forks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_runs_survive_kills() -> None:
    script = Path(__file__).parent / "chaos.py"
    done = subprocess.run(
        [sys.executable, str(script), "--kills", "12", "--seed", "7"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every run ended as an undisturbed one" in done.stdout
