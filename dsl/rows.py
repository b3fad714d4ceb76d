"""From the rows of one block to its lines: columns and trailing comments of neighbours are aligned.

A *row* is one item in at most two columns: the *cell* (a keyword, a field's name, an edge's arrow) and the
rest. Rows that follow each other and have the same key get cells of one width; a blank line, a row with
another key or a block of several lines ends such a run, comment lines do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .layout import WIDTH, lay_out

_FAR = 20  # one long cell does not push its neighbours' second column further than this
_COMMENTS_UNTIL = 80  # comments behind lines longer than this are not aligned


@dataclass(slots=True)
class Row:
    """One item: its two columns, the kind of cell that may share a column, the comment behind it."""

    key: str
    cell: str
    parts: list[str]
    comment: str = ""
    padding: int = 0

    def lines(self, indent: int) -> str:
        """The row's lines, with its cell padded if that costs no line."""
        if not self.cell:
            return lay_out(self.parts, indent)
        plain = lay_out([f"{self.cell} ", *self.parts], indent)
        if not self.padding:
            return plain.rstrip(" ")
        if "\n" not in plain and len(plain) + self.padding > WIDTH:
            return plain
        return lay_out([f"{self.cell} {' ' * self.padding}", *self.parts], indent).rstrip(" ")


Entry = Row | str
"""A row, or finished lines: a blank line (""), a comment, a whole block."""


def render(entries: Sequence[Entry], indent: int) -> list[str]:
    """The lines of a block's entries, each complete (an element may hold several, joined by LF)."""
    _align_cells(entries)
    lines: list[str] = []
    run: list[tuple[int, str]] = []
    for entry in entries:
        if isinstance(entry, str):
            _align_comments(lines, run)
            lines.append(entry)
            continue
        text = entry.lines(indent)
        if not entry.comment or "\n" in text:
            _align_comments(lines, run)
            lines.append(f"{text}  {entry.comment}" if entry.comment else text)
        else:
            run.append((len(lines), entry.comment))
            lines.append(text)
    _align_comments(lines, run)
    return lines


def _align_cells(entries: Sequence[Entry]) -> None:
    run: list[Row] = []
    for entry in entries:
        if isinstance(entry, str):
            if not entry.lstrip().startswith("//"):
                _pad(run)
        else:
            if not entry.key or (run and run[0].key != entry.key):
                _pad(run)
            if entry.key:
                run.append(entry)
    _pad(run)


def _pad(run: list[Row]) -> None:
    if len(run) > 1:
        widths = [len(row.cell) for row in run]
        width = max(widths)
        if width - min(widths) <= _FAR:
            for row in run:
                row.padding = width - len(row.cell)
    run.clear()


def _align_comments(lines: list[str], run: list[tuple[int, str]]) -> None:
    if run:
        width = max(len(lines[index]) for index, _ in run)
        for index, comment in run:
            line = lines[index]
            lines[index] = f"{line.ljust(width) if width <= _COMMENTS_UNTIL else line}  {comment}"
        run.clear()
