"""From words and rows to what a terminal, or a pipe, is given: colours, tables, and a failure as data."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import IO, Any


class Failure(Exception):
    """A command cannot go on, and says so in a sentence.

    Attributes:
        message: what is wrong.
        hint: the way out, "" for none.
        status: the exit status.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


class _ColorMode:
    """What `--color` said, for the whole process."""

    CHOICES = ("auto", "always", "never")
    chosen = "auto"


color_mode = _ColorMode()


def wants_color(stream: IO[Any]) -> bool:
    """Whether text written to the stream is coloured."""
    if color_mode.chosen != "auto":
        return color_mode.chosen == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


class Style:
    """Words in colours, or as they are."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on

    def _paint(self, text: str, code: str, bold: bool = False) -> str:
        if not self.on or not text:
            return text
        return f"\x1b[{'1;' if bold else ''}{code}m{text}\x1b[0m"

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.on and text else text

    def dim(self, text: str) -> str:
        return self._paint(text, "2")

    def red(self, text: str, bold: bool = False) -> str:
        return self._paint(text, "31", bold)

    def green(self, text: str, bold: bool = False) -> str:
        return self._paint(text, "32", bold)

    def yellow(self, text: str, bold: bool = False) -> str:
        return self._paint(text, "33", bold)

    def blue(self, text: str, bold: bool = True) -> str:
        return self._paint(text, "34", bold)

    def cyan(self, text: str, bold: bool = False) -> str:
        return self._paint(text, "36", bold)


def output_style() -> Style:
    """Colours as standard output takes them."""
    return Style(wants_color(sys.stdout))


def error_style() -> Style:
    """Colours as standard error takes them."""
    return Style(wants_color(sys.stderr))


def out(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write a line for people to standard error."""
    sys.stderr.write(text + "\n")


def say(message: str, hint: str = "") -> None:
    """Tell on standard error what went wrong, and the way out."""
    style = error_style()
    text = f"{style.red('error', bold=True)}{style.bold(':')} {message}\n"
    if hint:
        text += f"  {style.blue('=')} {style.bold('help:')} {hint}\n"
    sys.stderr.write(text)


def printable(text: str) -> str:
    """Text from outside with control characters escaped, so that it cannot steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Text from outside: it cannot steer a terminal, nor begin a line of its own."""
    return printable(text).replace("\n", "\\n")


def counted(count: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    if count == 1:
        return f"1 {thing}"
    return f"{count:,} {thing[:-1]}ies" if thing.endswith("y") else f"{count:,} {thing}s"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], style: Style, right: str = "") -> str:
    """Aligned columns, two spaces between; those whose header is in `right` are aligned to the right.

    Cells may hold colours; only what is seen counts for the width.
    """
    widths = [max((seen(row[n]) for row in [header, *rows]), default=0) for n in range(len(header))]
    to_right = [name in right.split() for name in header]
    lines = [_row([style.bold(name) for name in header], widths, to_right)]
    lines += [_row(row, widths, to_right) for row in rows]
    return "\n".join(lines)


def _row(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded: list[str] = []
    for cell, width, right in zip(cells, widths, to_right, strict=True):
        space = " " * (width - seen(cell))
        padded.append(space + cell if right else cell + space)
    return "  ".join(padded).rstrip()


def seen(text: str) -> int:
    """How many characters of the text are seen: all but colours."""
    if "\x1b" not in text:
        return len(text)
    count, hidden = 0, False
    for char in text:
        if char == "\x1b":
            hidden = True
        elif hidden:
            hidden = char != "m"
        else:
            count += 1
    return count
