"""The short form of `make chaos`, in a process of its own, because it forks; what the graphs are worth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_runs_survive_kills() -> None:
    script = Path(__file__).parent / "chaos.py"
    done = subprocess.run(
        [sys.executable, str(script), "--kills", "12", "--seed", "7"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every run ended as an undisturbed one" in done.stdout


@pytest.mark.parametrize("command", [["check", "--strict"], ["test"], ["fmt", "--check"]], ids=" ".join)
def test_what_is_killed_and_measured_is_in_order(command: list[str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lgc"), *command, "tests/chaos", "bench"],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
