"""From the phases of a check to how long each took and how much it went through: `lgc check --stats`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler import Checked

PHASES = ("find files", "cache", "read", "imports", "parse", "resolve", "rules", "findings", "report")
COUNTS = ("files", "remembered", "lines", "nodes", "processes")


class Stats:
    """Seconds of each phase, summed over processes, and counts; rules are phases by their codes."""

    def __init__(self) -> None:
        self._begin()
        self.count("processes", 1)

    def _begin(self) -> None:
        self.began = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def mark(self, phase: str) -> None:
        """The time since the last mark went into this phase."""
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now

    def count(self, what: str, number: int) -> None:
        """So much more of something."""
        self.counts[what] = self.counts.get(what, 0) + number

    def checked(self, checked: Checked) -> None:
        """What a check went through."""
        self.count("done", len(checked.files))
        self.count("lines", sum(file.source.text.count("\n") for file in checked.files))
        self.count("nodes", sum(len(graph.nodes) for graph in checked.program.graphs.values()))

    def begin_piece(self) -> None:
        """Start from nothing, in a process of its own."""
        self._begin()

    def piece(self) -> list[dict[str, Any]]:
        """What came since, for `add`."""
        return [self.seconds, self.counts]

    def add(self, piece: list[dict[str, Any]]) -> None:
        """What another process has taken and gone through."""
        seconds, counts = piece
        for phase, taken in seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + taken
        for what, number in counts.items():
            self.count(what, number)

    # --- told

    def data(self) -> Mapping[str, Any]:
        """All of it, times in seconds, memory in bytes."""
        rules = {phase: taken for phase, taken in self.seconds.items() if phase.startswith("LG")}
        phases = {phase: taken for phase, taken in self.seconds.items() if phase not in rules}
        phases["rules"] = phases.get("rules", 0.0) + sum(rules.values())
        ordered = {name: round(phases[name], 6) for name in PHASES if name in phases}
        dearest = sorted(rules.items(), key=lambda entry: (-entry[1], entry[0]))
        return {
            "seconds": round(time.perf_counter() - self.began, 6),
            "phases": ordered,
            "rules": {code: round(taken, 6) for code, taken in dearest},
            **{what: self.counts.get(what, 0) for what in COUNTS},
            "memory": _memory(),
        }

    def text(self) -> str:
        """All of it, for people."""
        data = self.data()
        whole = sum(data["phases"].values()) or 1.0
        lines = [_row(phase, taken, whole) for phase, taken in data["phases"].items()]
        at = next((n for n, line in enumerate(lines, 1) if line.startswith("rules")), len(lines))
        told = [(code, taken) for code, taken in data["rules"].items() if taken >= whole / 1_000]
        lines[at:at] = [_row(f"  {code}", taken, whole) for code, taken in told]
        shared = f" in {data['processes']} processes" if data["processes"] > 1 else ""
        counts = ", ".join(
            _counted(data[what], what) for what in COUNTS[:-1] if data[what] or what == "files"
        )
        memory = f", {data['memory'] / 1e6:,.0f} MB of memory" if data["memory"] else ""
        return "\n".join([*lines, f"{_row('all', data['seconds'], 0)}{shared}: {counts}{memory}", ""])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what.removesuffix('s') if number == 1 else what}"


def _row(name: str, seconds: float, whole: float) -> str:
    share = f"{seconds / whole:>6.0%}" if whole else ""
    return f"{name:<12}{seconds * 1e3:>10,.1f} ms{share}"


def _memory() -> int:
    """The most memory that this process has held, in bytes; 0 where that is not known."""
    try:
        import resource
    except ImportError:
        return 0
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
