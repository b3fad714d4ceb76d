"""From the phases of a check of many files to one line on the terminal that tells how far it is."""

from __future__ import annotations

from ..stats import Stats
from .line import Line


class Bar(Stats):
    """Draws what it is told, on standard error, and leaves nothing behind."""

    def __init__(self, files: int) -> None:
        super().__init__()
        self.files = files
        self._line = Line(self.began)

    def mark(self, phase: str) -> None:
        """A phase has ended; its name is shown."""
        super().mark(phase)
        if self._line.due(self._last):
            done = min(self.counts.get("done", 0), self.files)
            told = f" {done:,} of" if done else ""
            self._line.draw(f"checking{told} {self.files:,} files: {phase}")

    def begin_piece(self) -> None:
        """In another process: nothing is drawn there."""
        super().begin_piece()
        self._line.rest()

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()
