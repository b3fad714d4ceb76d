"""One line on a terminal's standard error that tells how far long work is, and leaves nothing behind."""

from __future__ import annotations

import sys

_WAIT = 0.4  # seconds before it is shown first: most work is done by then
_PAUSE = 0.1  # seconds between two drawings


class Line:
    """A line that is drawn over. Times are seconds of one clock of the caller's."""

    __slots__ = ("_due", "_shown")

    def __init__(self, began: float) -> None:
        self._due = began + _WAIT
        self._shown = ""

    def due(self, now: float) -> bool:
        """Whether it is time to draw; if so, the next time is later."""
        if now < self._due:
            return False
        self._due = now + _PAUSE
        return True

    def rest(self) -> None:
        """It is never time again."""
        self._due = float("inf")

    def draw(self, text: str) -> None:
        """Show a text in place of the last one."""
        sys.stderr.write("\r" + text.ljust(len(self._shown)) + ("" if text else "\r"))
        sys.stderr.flush()
        self._shown = text

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            self.draw("")
