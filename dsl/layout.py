"""From parts (words, and marks where a line may break) to lines within the width.

A *part* is a piece of text that stays on one line, or a *mark*. Marks are strings too: their text is what
they print while everything stays on one line, so joining the parts gives the one-line form. Groups nest:
a bracketed *list* puts each item on its own line once it does not fit, and gets a trailing comma; a *chain*
(operators) breaks before every operator; outside of all groups a line is broken only where the next words
would pass the width.

A *note* is a comment that stands inside the parts. Whatever comes behind it starts a new line.
"""

from __future__ import annotations

from itertools import accumulate

from .named import NamedTuple

WIDTH = 100
INDENT = 2
CONTINUE = 4


class Mark(str):
    """A place where the layout may break a line; compared by identity."""

    __slots__ = ()


LIST = Mark("")  # behind "[" or "(": opens a list
SPACED_LIST = Mark(" ")  # behind "{": opens a list that is spaced inside, and never hugs a tall string
CHAIN = Mark("")
BREAK = Mark(" ")
GAP = Mark("  ")
COMMA = Mark("")  # behind the last item of a list: the comma that a broken list gets
CLOSE = Mark("")
SPACED_CLOSE = Mark(" ")


class Note(str):
    """A comment among parts; `own_line` tells whether it had its line for itself."""

    own_line: bool

    @staticmethod
    def of(text: str, own_line: bool) -> Note:
        """A note with its text, slashes included."""
        note = Note(text)
        note.own_line = own_line
        return note


def bracketed(part: str) -> bool:
    """Whether the part opens a list, whose items stand one on a line when it is broken."""
    return part is LIST or part is SPACED_LIST


def opens(part: str) -> bool:
    """Whether the part is a mark that opens a group."""
    return bracketed(part) or part is CHAIN


def closes(part: str) -> bool:
    """Whether the part is a mark that closes a group."""
    return part is CLOSE or part is SPACED_CLOSE


def lay_out(parts: list[str], indent: int) -> str:
    """The parts from column ``indent`` on, in one line if they fit and hold no note.

    Returns the lines joined by LF, the first one with its indentation, without a final line end.
    """
    flat = "".join(parts)
    if "\r" in flat:  # in a string over several lines; its value does not depend on the line ends
        parts = [part.replace("\r\n", "\n") if "\r" in part else part for part in parts]
    if indent + len(flat) <= WIDTH and "\n" not in flat and not any(type(part) is Note for part in parts):
        return " " * indent + flat
    return _Layout(parts, indent).run()


class _Group(NamedTuple):
    """An open group: whether it is broken, the indentation of its lines, and that of the line it began on."""

    mark: str
    broken: bool
    indent: int
    outside: int


class _Layout:
    """One run over the parts; `pending` is the indentation of the line that the next text will start."""

    def __init__(self, parts: list[str], indent: int) -> None:
        self.parts = parts
        self.lines: list[str] = []
        self.line: str | None = None
        self.pending: int | None = indent
        self.indent = indent
        self.ended = False  # by a comment
        self.groups = [_Group("", True, indent + CONTINUE, indent)]
        self.ends = _matching(parts)
        self.widths = [0, *accumulate(0 if type(part) is Note else len(part) for part in parts)]
        self.notes = [0, *accumulate(int(type(part) is Note) for part in parts)]
        self.tall = [0, *accumulate(int("\n" in part) for part in parts)]

    def run(self) -> str:
        for index, part in enumerate(self.parts):
            if isinstance(part, Note):
                self.note(part)
            elif type(part) is not Mark:
                self.write(part)
            elif opens(part):
                self.open(index, part)
            elif closes(part):
                self.close(part)
            elif part is COMMA:
                self.write("," if self.groups[-1].broken else "")
            else:
                self.may_break(index, part)
        self.end_line()
        return "\n".join(self.lines)

    # -- text

    def column(self) -> int:
        if self.pending is not None or self.line is None:
            return self.pending or 0
        return len(self.line) - (self.line.rfind("\n") + 1)

    def write(self, text: str) -> None:
        if self.pending is not None:
            text = text.lstrip(" ")
            if text:
                self.start_line(text)
        elif self.line is not None:
            self.line += text

    def start_line(self, text: str) -> None:
        self.end_line()
        self.indent = self.pending or 0
        self.line = " " * self.indent + text
        self.pending = None
        self.ended = False

    def end_line(self) -> None:
        if self.line is not None:
            self.lines.append(self.line.rstrip(" "))

    def note(self, note: Note) -> None:
        after = self.pending if self.pending is not None else self.groups[-1].indent
        if note.own_line or self.line is None or self.ended:
            self.pending = after
            self.start_line(str(note))
        else:
            self.line = self.line.rstrip(" ") + "  " + note
        self.pending = after
        self.ended = True

    # -- marks

    def open(self, index: int, part: str) -> None:
        broken = self.groups[-1].broken and not self.fits(index)
        outside = self.indent if self.pending is None else self.pending
        indent = outside + (INDENT if bracketed(part) else CONTINUE)
        self.groups.append(_Group(part, broken, indent, outside))
        if broken and bracketed(part):
            self.pending = indent
        else:
            self.write(part)

    def close(self, part: str) -> None:
        group = self.groups.pop()
        if group.broken and bracketed(group.mark):
            self.pending = group.outside
        else:
            self.write(part)

    def may_break(self, index: int, part: str) -> None:
        group = self.groups[-1]
        if not group.broken or (len(self.groups) == 1 and self.next_fits(index)):
            self.write(part)
        elif self.pending is None:
            self.pending = group.indent

    # -- measuring

    def fits(self, index: int) -> bool:
        """Whether the group that opens at ``index`` and what clings to its end fit on this line."""
        end = self.ends[index]
        if self.notes[end] > self.notes[index]:
            return False
        if self.tall[end] > self.tall[index]:
            flat = "".join(self.parts[index : end + 1])
            return self.parts[index] is not SPACED_LIST and self.column() + flat.index("\n") <= WIDTH
        width = self.widths[end + 1] - self.widths[index] + self.clinging(end + 1)
        return self.column() + width <= WIDTH

    def clinging(self, index: int) -> int:
        """The width of the text from ``index`` to the next place where the line can end."""
        width, depth = 0, len(self.groups) - 1
        for at in range(index, len(self.parts)):
            part = self.parts[at]
            if isinstance(part, Note) or part is BREAK or part is GAP or opens(part):
                break
            if closes(part):
                if self.groups[depth].broken and bracketed(self.groups[depth].mark):
                    break
                depth -= 1
            if "\n" in part:
                return width + part.index("\n")
            width += len(part)
        return width

    def next_fits(self, index: int) -> bool:
        """Whether the words between the break at ``index`` and the group's next break fit here."""
        width, depth = len(self.parts[index]), 0
        for at in range(index + 1, len(self.parts)):
            part = self.parts[at]
            if isinstance(part, Note) or (depth == 0 and (part is BREAK or part is GAP)):
                break
            if "\n" in part:
                width += part.index("\n")
                break
            width += len(part)
            depth += opens(part) - closes(part)
            if depth < 0:
                break
        return self.column() + width <= WIDTH


def _matching(parts: list[str]) -> dict[int, int]:
    """For each mark that opens a group, the index of the one that closes it."""
    ends: dict[int, int] = {}
    stack: list[int] = []
    for index, part in enumerate(parts):
        if type(part) is Mark:
            if opens(part):
                stack.append(index)
            elif closes(part):
                ends[stack.pop()] = index
    return ends
