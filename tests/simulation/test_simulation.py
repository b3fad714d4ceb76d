"""A fixed range of seeds, the same again under another hash seed, and mistakes that must be found.

A failure names its seed and the command that shows it; `make simulate` and its options try other seeds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .bugs import BUGS, WHERE, Bug
from .run import COMMAND, block, digest, failure
from .world import World, simulate

ROOT = Path(__file__).parents[2]
SEEDS = 2000
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_goes_wrong_under_any_seed(part: int) -> None:
    share = SEEDS // PARTS
    assert "\n\n".join(block(range(part * share, (part + 1) * share))) == ""


def test_all_that_can_happen_does(caplog: pytest.LogCaptureFixture) -> None:
    seen: Counter[str] = Counter()
    for seed in range(120):
        world = simulate(World(seed))
        seen.update(row[2] for row in world.lines)
        seen.update(row[4].partition(":")[0] for row in world.lines if row[2] in ("ended", "refused"))
        seen.update(word for row in world.lines if row[2] == "committed" for word in row[4].split())
        seen.update(call.fault for calls in world.calls.values() for call in calls)
        seen.update(status.value for status in world.statuses().values())
    happened = ("killed", "paused", "woken", "clock", "healed", "decided", "observed", "cancel", "left")
    ended = ("RunFenced", "StorageError", "FinalFailure", "Cancelled", "DecisionRefused")
    committed = ("snapshot", "attempt", "settled", "lease", "timeout", "approve", "reject", "error")
    faults = ("raise", "break", "hang", "swallow")
    missing = {
        what for what in (*happened, *ended, *committed, *faults, "done", "cancelled") if not seen[what]
    }
    assert missing == set()
    assert not caplog.records


def test_a_seed_gives_the_same_trace_whatever_the_hashes_are() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.run", "--digest", "--seeds", "25"],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True, text=True, check=True,
        ).stdout
        for hashes in ("1", "2")
    ]  # fmt: skip
    assert printed[0] == printed[1]
    assert printed[0].count("\n") == 25
    for seed in (24, 7, 11):  # also after others, and in another process
        assert f"{seed} {digest(seed)}\n" in printed[0]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_mistake_is_found(bug: Bug) -> None:
    with bug():
        assert any(failure(seed, WHERE.get(bug)) for seed in range(400))


def test_a_failure_names_its_seed_and_how_to_see_it() -> None:
    with BUGS[0]():
        seed, told = next((seed, told) for seed in range(400) if (told := failure(seed)))
    assert told.startswith(f"seed {seed}: ")
    assert COMMAND.format(seed) in told
    words = COMMAND.format(seed).split()[1:]
    shown = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"seed {seed}: ")
    assert "booted" in shown.stdout
    assert shown.stdout.endswith("nothing went wrong\n")
