"""What the measurements share: graphs to run, taking turns, and the table that they print."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEER = HERE.parent / ".bench-venv" / "bin" / "python"


def build(folder: Path, name: str = "loops", text: str | None = None) -> Any:
    """The module generated from `loops.lgraph`, or from the text given."""
    source = HERE / f"{name}.lgraph" if text is None else folder / f"{name}.lgraph"
    if text is not None:
        source.write_text(text)
    lgc = Path(sys.executable).parent / "lgc"
    made = folder / "generated"
    subprocess.run([str(lgc), "build", str(source), "--out", str(made)], check=True, capture_output=True)
    sys.path.insert(0, str(next(made.rglob(f"{name}_lg.py")).parent))
    return import_module(f"{name}_lg")


def medians(rounds: int, **measured: Callable[[], float]) -> dict[str, float]:
    """Each measurement once a round, in turn, as machines drift; the median of each."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def peer(*words: str) -> dict[str, float] | None:
    """The same work in LangGraph, in its own environment and process; None where that is not there."""
    if not PEER.exists():
        return None
    command = [str(PEER), str(HERE / "peer_langgraph.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  the peer failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class Table:
    """Cases beside their floor: case, value, ratio to the floor, what is to be reached, anything else."""

    def __init__(self, title: str, unit: str) -> None:
        self.title = title
        self.unit = unit
        self._floor = 0.0
        self._rows: list[tuple[str, str, str, str, str]] = []

    def floor(self, what: str, value: float) -> None:
        """The least that the same work can cost."""
        self._floor = value
        self._rows.append((f"floor: {what}", self._shown(value), "1.0 x", "", ""))

    def row(self, what: str, value: float, *, goal: str = "", floor: float = 0.0, note: str = "") -> None:
        """One case; `floor` where it is not that of the table."""
        ratio = value / (floor or self._floor)
        self._rows.append(
            (what, self._shown(value), f"{ratio:.2f} x" if ratio < 10 else f"{ratio:.0f} x", goal, note)
        )

    def show(self) -> None:
        """Print it."""
        rows = [(self.title, "", "x floor", "to reach", ""), *self._rows]
        wide = [max(len(row[at]) for row in rows) for at in range(4)]
        for what, value, ratio, goal, note in rows:
            cells = (
                f"{what:<{wide[0]}}",
                f"{value:>{wide[1]}}",
                f"{ratio:>{wide[2]}}",
                f"{goal:<{wide[3]}}",
                note,
            )
            print("  ".join(cells).rstrip())

    def _shown(self, value: float) -> str:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
        return f"{value:.{digits}f} {self.unit}"
