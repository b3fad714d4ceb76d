"""The short form of `make chaos`, in a process of its own, because it forks; what the graphs are worth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.postgres_server import Place

ROOT = Path(__file__).parents[2]


def survive_kills(*words: str, **env: str) -> None:
    script = Path(__file__).parent / "chaos.py"
    done = subprocess.run(
        [sys.executable, str(script), "--seed", "7", *words],
        capture_output=True, text=True, timeout=170, check=False, env={**os.environ, **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every run ended as an undisturbed one" in done.stdout


def test_runs_survive_kills() -> None:
    survive_kills("--kills", "12")


def test_runs_in_a_database_survive_kills(postgres: Place) -> None:
    survive_kills("--kills", "4", "--store", "postgres", LGC_TEST_POSTGRES=postgres.url)


@pytest.mark.parametrize("command", [["check", "--strict"], ["test"], ["fmt", "--check"]], ids=" ".join)
def test_what_is_killed_and_measured_is_in_order(command: list[str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lgc"), *command, "tests/chaos", "bench"],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
