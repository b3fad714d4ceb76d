"""From the phases of a check of many files to one line on the terminal that tells how far it is."""

from __future__ import annotations

import sys
import time

from ..stats import Stats

_WAIT = 0.4  # seconds before it is shown first: most checks are done by then
_PAUSE = 0.1  # seconds between two drawings


class Bar(Stats):
    """Draws what it is told, on standard error, and leaves nothing behind."""

    def __init__(self, files: int) -> None:
        super().__init__()
        self.files = files
        self._shown = ""
        self._due = self.began + _WAIT

    def mark(self, phase: str) -> None:
        """A phase has ended; its name is shown."""
        super().mark(phase)
        if self._last >= self._due:
            self._due = self._last + _PAUSE
            done = min(self.counts.get("done", 0), self.files)
            told = f" {done:,} of" if done else ""
            self._draw(f"checking{told} {self.files:,} files: {phase}")

    def begin_piece(self) -> None:
        """In another process: nothing is drawn there."""
        super().begin_piece()
        self._due = time.perf_counter() + 1e9

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._draw("")

    def _draw(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(len(self._shown)) + ("" if text else "\r"))
        sys.stderr.flush()
        self._shown = text
