"""From marked places of one source to the lines of a snippet: source lines with what is marked underlined.

    12 |   grade -> end when verdct == none
       |   -----             ^^^^^^ no such field
       |   |
       |   of this node

One marked place over several lines is drawn with a rail at the left; further ones are underlined on their
first line only. Long lines are cut to a window around what is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .named import NamedTuple
from .printable import printable, sentence, width
from .source import Source, Span

_WINDOW = 120  # characters shown of a line
_BEFORE = 40  # of these before the first marked one
_AROUND = 20  # of these at least behind the start of the last marked one
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
    """A source line and the rows of signs below it; twice, where what is marked is too far apart."""
    text = source.line(number)
    here = [mark for mark in marks if mark.first == number and mark is not rail]
    if rail is not None and number in (rail.first, rail.last):
        at = rail.start if number == rail.first else max(rail.end - 1, 0)
        return _piece(text, number, here, rail, at, gutter, paint)
    out: list[str] = []
    for together in _windows(text, here):
        out += _piece(text, number, together, rail, None, gutter, paint)
    return out


def _piece(
    text: str,
    number: int,
    here: Sequence[_Mark],
    rail: _Mark | None,
    rail_at: int | None,
    gutter: int,
    paint: Paint,
) -> list[str]:
    """What a window shows of a source line, and the rows below it."""
    left, shown = _window(text, [mark.start for mark in here] if rail_at is None else [rail_at])
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

    for row in _rows([_sized(mark, text, number, column) for mark in here], paint):
        out.append(f"{bar} {rail_text}{row}".rstrip())
    if rail is not None and number == rail.first and not hugging:
        out.append(f"{bar}  {paint(rail.role, '_' * (column(rail.start) + 1) + rail.sign)}")
    if rail is not None and number == rail.last:
        line = "|" + "_" * (column(max(rail.end - 1, 0)) + 1)
        words = f" {rail.text}" if rail.text else ""
        out.append(f"{bar} {paint(rail.role, line)}{paint(rail.role, rail.sign + words)}")
    return out


# --- rows of signs ----------------------------------------------------------------------------------------


class _Drawn(NamedTuple):
    """A mark on its line: the column of its first sign, how many there are, and its words."""

    at: int
    size: int
    mark: _Mark

    @property
    def end(self) -> int:
        return self.at + self.size


def _sized(mark: _Mark, text: str, number: int, column: Callable[[int], int]) -> _Drawn:
    end = len(text) if mark.last > number else mark.end
    at = column(mark.start)
    return _Drawn(at, max(column(end) - at, 1), mark)


def _rows(drawn: Sequence[_Drawn], paint: Paint) -> list[str]:
    """Marks that stand side by side share a row; each that overlaps another gets one of its own.

    In a shared row the words of the last mark stand behind it, those of the others hang below.
    """
    side: list[_Drawn] = []
    over: list[_Drawn] = []
    for one in drawn:  # the primary one comes first
        apart = all(one.end < other.at or other.end < one.at for other in side)
        (side if apart else over).append(one)
    side.sort(key=lambda one: one.at)
    if not side:
        return []
    *others, last = side
    hanging = [one for one in others if one.mark.text]
    signs = [(one.at, paint(one.mark.role, one.mark.sign * one.size), one.size) for one in side]
    words = f" {last.mark.text}" if last.mark.text else ""
    rows = [_row(signs) + paint(last.mark.role, words)]
    if hanging:
        rows.append(_row([(one.at, paint(one.mark.role, "|"), 1) for one in hanging]))
    while hanging:
        one = hanging.pop()
        bars = [(other.at, paint(other.mark.role, "|"), 1) for other in hanging]
        rows.append(_row([*bars, (one.at, paint(one.mark.role, one.mark.text), 0)]))
    for one in over:
        words = f" {one.mark.text}" if one.mark.text else ""
        rows.append(" " * one.at + paint(one.mark.role, one.mark.sign * one.size + words))
    return rows


def _row(pieces: Sequence[tuple[int, str, int]]) -> str:
    """Pieces (column, text, width) of one row, from left to right."""
    out, at = "", 0
    for column, text, size in pieces:
        out += " " * (column - at) + text
        at = column + size
    return out


# --- long lines -------------------------------------------------------------------------------------------


def _windows(text: str, marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """The marks of a line by the windows that show them, the first mark's window first."""
    if len(text) <= _WINDOW or not marks:
        return [list(marks)]
    out: list[list[_Mark]] = []
    for mark in marks:
        for together in out:
            starts = [one.start for one in (*together, mark)]
            if max(starts) - min(starts) <= _WINDOW - _BEFORE - _AROUND:
                together.append(mark)
                break
        else:
            out.append([mark])
    return out


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
