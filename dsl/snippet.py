"""From marked places of one source to the lines of a snippet: source lines with what is marked underlined.

    12 |   grade -> end when verdct == none
       |                     ^^^^^^ no such field

One marked place over several lines is drawn with a rail at the left; further ones are underlined on their
first line only. Long lines are cut to a window around what is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .printable import printable, sentence, width
from .source import Source, Span

_WINDOW = 120  # characters shown of a line
_BEFORE = 40  # of these before the first marked one
_WHOLE = 4  # a place of up to so many lines is shown in full

Paint = Callable[[str, str], str]
"""(role, text) to the text as it is written: in the role's colour, or as it is."""


class Marked(NamedTuple):
    """A place to underline, with a few words; the primary one is what the finding is about."""

    span: Span
    text: str
    primary: bool


class _Mark(NamedTuple):
    """A marked place in lines and columns, columns from 0, the end exclusive."""

    first: int
    start: int
    last: int
    end: int
    text: str
    primary: bool

    @property
    def role(self) -> str:
        return "primary" if self.primary else "secondary"

    @property
    def sign(self) -> str:
        return "^" if self.primary else "-"


def last_line(source: Source, places: Sequence[Marked]) -> int:
    """The largest line number that a snippet of these places shows."""
    return max(_mark(source, place).last for place in places)


def snippet(source: Source, places: Sequence[Marked], gutter: int, paint: Paint) -> list[str]:
    """The lines of the snippet, without the line that names the file; `gutter` is the numbers' width."""
    marks = sorted(
        (_mark(source, place) for place in places),
        key=lambda mark: (mark.first, not mark.primary, -mark.start),
    )
    tall = [mark for mark in marks if mark.last > mark.first]
    rail = min(tall, key=lambda mark: not mark.primary, default=None)
    bar = paint("frame", " " * gutter + " |")
    out = [bar]
    previous = 0
    for number in _lines_shown(marks, rail):
        if previous and number > previous + 1:
            inside = rail is not None and rail.first < number <= rail.last and previous >= rail.first
            dots = paint("frame", "...")
            out.append(dots + " " * gutter + paint(rail.role, "|") if inside and rail else dots)
        out += _line(source, number, marks, rail, gutter, paint)
        previous = number
    return out


def _mark(source: Source, place: Marked) -> _Mark:
    start = source.position(place.span.start)
    end = source.position(max(place.span.end, place.span.start))
    last, column = end
    if last > start.line and column == 1:  # up to a line's end: the mark ends there
        last -= 1
        column = len(source.line(last)) + 1
    if last == start.line:
        column = max(column, start.column + 1)
    text = sentence(place.text)
    return _Mark(start.line, start.column - 1, last, column - 1, text, place.primary)


def _lines_shown(marks: Sequence[_Mark], rail: _Mark | None) -> list[int]:
    numbers = {mark.first for mark in marks}
    if rail is not None:
        whole = rail.last - rail.first < _WHOLE
        numbers |= set(range(rail.first, rail.last + 1)) if whole else {rail.first, rail.first + 1, rail.last}
    numbers |= {number + 1 for number in numbers if number + 2 in numbers}
    return sorted(numbers)


def _line(
    source: Source, number: int, marks: Sequence[_Mark], rail: _Mark | None, gutter: int, paint: Paint
) -> list[str]:
    """A source line and the rows of signs below it."""
    text = source.line(number)
    here = [mark for mark in marks if mark.first == number and mark is not rail]
    columns = [mark.start for mark in here]
    if rail is not None and number in (rail.first, rail.last):
        columns.append(rail.start if number == rail.first else max(rail.end - 1, 0))
    left, shown = _window(text, columns)
    bar = paint("frame", " " * gutter + " |")
    head = paint("frame", f"{number:>{gutter}} |")
    hugging = rail is not None and not text[: rail.start].strip() and number == rail.first
    inside = rail is not None and rail.first < number <= rail.last
    rail_text = ""
    if rail is not None:
        rail_text = paint(rail.role, "/ ") if hugging else paint(rail.role, "| ") if inside else "  "
    out = [f"{head} {rail_text}{shown}".rstrip()]
    rail_text = paint(rail.role, "| ") if rail and (inside or hugging) else "  " if rail else ""

    def column(at: int) -> int:
        return _column(text, left, at)

    for mark in here:
        end = len(text) if mark.last > number else mark.end
        size = max(column(end) - column(mark.start), 1)
        out.append(f"{bar} {rail_text}{' ' * column(mark.start)}{_signs(mark, size, paint)}")
    if rail is not None and number == rail.first and not hugging:
        out.append(f"{bar}  {paint(rail.role, '_' * (column(rail.start) + 1) + rail.sign)}")
    if rail is not None and number == rail.last:
        line = "|" + "_" * (column(max(rail.end - 1, 0)) + 1)
        out.append(f"{bar} {paint(rail.role, line)}{_signs(rail, 1, paint)}")
    return out


def _signs(mark: _Mark, size: int, paint: Paint) -> str:
    return paint(mark.role, mark.sign * size + (f" {mark.text}" if mark.text else ""))


def _window(text: str, columns: Sequence[int]) -> tuple[int, str]:
    """The first character shown, and the part of the line that is shown, ready for the terminal."""
    if len(text) <= _WINDOW:
        return 0, printable(text)
    left = max(min(columns, default=0) - _BEFORE, 0)
    left = max(min(left, len(text) - _WINDOW), 0)
    right = left + _WINDOW
    before, after = "…" if left else "", "…" if right < len(text) else ""
    return left, before + printable(text[left:right]) + after


def _column(text: str, left: int, at: int) -> int:
    """The column at which character `at` of the line stands, where the window starts at `left`."""
    at = max(left, min(at, left + _WINDOW))
    beyond = max(at - len(text), 0)
    return int(left > 0) + width(printable(text[left:at])) + beyond
