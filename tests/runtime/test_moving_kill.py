"""Real processes, killed while they move a run: it is wholly under the old graph, or wholly under the new."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import Place

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source

from .test_moving import text

MOVER = Path(__file__).with_name("mover.py")


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder with both modules."""
    for name, words in (("old", text("pay -> end")), ("new", text(more="m: int = 7"))):
        checked = check([Source(f"{name}.lgraph", words)], load=lambda path: None)
        (source,) = checked.program.modules
        (tmp_path / f"{name}_lg.py").write_text(generate(checked.program, source, version="0"))
    return tmp_path


def lines(folder: Path, *words: str) -> list[str]:
    """What it prints."""
    done = subprocess.run(
        [sys.executable, str(MOVER), str(folder), *words], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def deaths(folder: Path, url: str) -> list[dict[str, Any]]:
    """What was found after each."""
    return [json.loads(line) for line in lines(folder, url)]


def whole(found: list[dict[str, Any]], least: int) -> None:
    """Each time all of it or nothing of it; both happen, and it goes on."""
    assert [one["killed"] for one in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > least
    for one in found:
        moved = one["under"] == "new"
        assert one["hash"] and not one["damage"]
        assert (one["moves"], one["checkpoints"]) == ((1, 2) if moved else (0, 0))
        assert (one["xs"], one["at"], one["status"]) == (["a"], "ok", "waiting")
    under = [one["under"] for one in found]
    assert under == sorted(under, reverse=True) and set(under) == {"old", "new"}


def test_killed_between_any_two_writes(modules: Path) -> None:
    whole(deaths(modules, str(modules / "runs.db")), 10)


def test_killed_between_any_two_writes_to_a_database(modules: Path, postgres: Place) -> None:
    whole(deaths(modules, postgres.store()), 5)


def test_of_processes_that_move_a_run_at_once_one_does(modules: Path) -> None:
    *fared, last = lines(modules, str(modules / "runs.db"), "race")
    # Who comes late finds it moved already, and takes it over as it is.
    assert len(fared) == 6 and set(fared) <= {"moved", "fenced"} and "moved" in fared
    found = json.loads(last)
    assert (found["under"], found["moves"], found["checkpoints"], found["damage"]) == ("new", 1, 2, [])
