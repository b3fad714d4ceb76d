"""What commands that look after a store share: sizes and lengths of time in words, and a line that counts."""

from __future__ import annotations

import re
import sys
import time

import click

from .line import Line

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
# Seconds that those who look after a store wait for those who work in it.
PATIENCE = 60.0


class Age(click.ParamType[float]):
    """A length of time as people write it: `90s`, `30m`, `12h`, `30d`, `2w`; in seconds."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds. Raises BadParameter."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", str(value).strip())
        if found is None:
            self.fail(f"`{value}` is no length of time: write 90s, 30m, 12h, 30d or 2w", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


def size_text(size: int) -> str:
    """`812 B`, `3.4 KB`, `1.2 GB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            return f"{value:,.1f} {unit}"
    raise AssertionError


def cut_text(size: int) -> str:
    """What is said of an unfinished section that an archive ended in."""
    return f"the archive ended in a section that was never finished; its {size_text(size)} were cut off"


def ends_all(error: Exception) -> bool:
    """Whether an error is of the store or the archive itself: nothing will go better with the next run."""
    from ..runtime.errors import CheckpointCorrupted, StorageError

    return isinstance(error, StorageError) and not isinstance(error, CheckpointCorrupted)


class Tally:
    """A line on a terminal's standard error: how far long work is. Leaves nothing behind.

    Used with `with`; silent where standard error is no terminal.
    """

    def __init__(self, what: str, total: int, things: str = "runs") -> None:
        self._what = what
        self._total = total
        self._things = things
        self._done = 0
        self._line = Line(time.monotonic())

    def __enter__(self) -> Tally:
        return self

    def __exit__(self, *exc: object) -> None:
        self._line.clear()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self._line.due(time.monotonic()) and sys.stderr.isatty():
            self._line.draw(f"{self._what} {self._done:,} of {self._total:,} {self._things}")
