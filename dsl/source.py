"""From bytes to text with positions: the only place that knows lines and columns.

A *span* is a half-open range of character offsets into the text of one source. Offsets are what the
parser, the model and the findings carry; a line and a column (both from 1, columns in characters) exist
only where something is shown to a person or written to a report.
"""

from __future__ import annotations

from bisect import bisect_right

from .frozen import frozen
from .named import NamedTuple


class Span(NamedTuple):
    """A half-open range ``[start, end)`` of character offsets in one source."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(self.start, other.end)


class Position(NamedTuple):
    """A line and a column, both counted from 1; the column counts characters."""

    line: int
    column: int


class _Lines:
    """Room for what a source finds out about itself when it is first asked; no part of its content."""

    __slots__ = ("_starts",)

    _starts: tuple[int, ...]


@frozen
class Source(_Lines):
    """One text that is compiled.

    Attributes:
        path: how the text is named to the user (``-`` or the ``--stdin-name`` for standard input).
        text: the decoded text, without a leading byte order mark, line ends as written.
    """

    path: str
    text: str

    def _line_starts(self) -> tuple[int, ...]:
        """The offset at which each line starts."""
        try:
            return self._starts
        except AttributeError:
            starts = [0]
            find, at = self.text.find, 0
            while (at := find("\n", at) + 1) > 0:
                starts.append(at)
            object.__setattr__(self, "_starts", tuple(starts))
            return self._starts

    def position(self, offset: int) -> Position:
        """The line and column of a character offset (offsets past the end give the end)."""
        offset = max(0, min(offset, len(self.text)))
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its line end."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


class Place(NamedTuple):
    """A span in a named source: where a finding, a node of the model or a label points."""

    source: Source
    span: Span

    @property
    def position(self) -> Position:
        """Line and column of the first character."""
        return self.source.position(self.span.start)

    def __str__(self) -> str:
        line, column = self.position
        return f"{self.source.path}:{line}:{column}"
