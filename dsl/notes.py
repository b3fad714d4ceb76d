"""From the comments inside one item of the source to notes among the parts that the item is printed by.

A comment may stand between any two words. It is put between the same two words of the printed item: both
the source and the parts are cut into words, and the two rows of words are laid beside each other. They
differ at most in what the layout may add or drop (commas, empty parentheses, `step` for `steps`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from . import ast
from .layout import Mark, Note, closes
from .named import NamedTuple

_WORD = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|[A-Za-z_]\w*"
    r"|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+|[a-z]+)?"
    r"|->|\.\.|\?\?|\?\.|//|[=!<>+-]=|[^\s]",
    re.DOTALL,
)
_OPTIONAL = frozenset("(){}")


class _Printed(NamedTuple):
    """A word of the parts: which part, and where in it."""

    text: str
    part: int
    offset: int


def with_notes(parts: Sequence[str], text: str, start: int, comments: Sequence[ast.Comment]) -> list[str]:
    """The parts of the item that starts at ``start``, with the comments between its words as notes."""
    printed = [word for index, part in enumerate(parts) for word in _words_of_part(part, index)]
    places: list[tuple[int, int, Note]] = []
    at = _Alignment(printed)
    begin = start
    for comment in comments:
        for word in _words(text, begin, comment.span.start):
            at.step(word)
        begin = comment.span.end
        line_start = text.rfind("\n", start, comment.span.start) + 1 or start
        own_line = not text[line_start : comment.span.start].strip()
        before = at.next_word()
        places.append((before.part, before.offset, Note.of(comment.text.rstrip(), own_line)))
    return _insert(parts, places)


class _Alignment:
    """How far the printed words were met in the source."""

    def __init__(self, printed: list[_Printed]) -> None:
        self.printed = printed
        self.met = 0

    def step(self, word: str) -> None:
        """Pass over the printed word that stands for the next word of the source, if any does."""
        for ahead in range(self.met, len(self.printed)):
            found = self.printed[ahead].text
            if _same(found, word):
                self.met = ahead + 1
                return
            if found not in _OPTIONAL:
                return

    def next_word(self) -> _Printed:
        """The printed word before which a comment belongs that stands here."""
        return self.printed[min(self.met, len(self.printed) - 1)]


def _same(printed: str, written: str) -> bool:
    return printed == written or (printed[:4] == written[:4] == "step") or (printed[0] == written[0] == '"')


def _words(text: str, start: int, end: int) -> Iterator[str]:
    for match in _WORD.finditer(text, start, end):
        if (word := match.group()) != ",":
            yield word


def _words_of_part(part: str, index: int) -> Iterator[_Printed]:
    if type(part) is not Mark:
        for match in _WORD.finditer(part):
            if (word := match.group()) != ",":
                yield _Printed(word, index, match.start())


def _insert(parts: Sequence[str], places: Sequence[tuple[int, int, Note]]) -> list[str]:
    """The parts, cut where a note belongs; a note before a closing bracket goes inside the group."""
    out: list[str] = []
    pending = list(reversed(places))
    for index, part in enumerate(parts):
        done = 0
        while pending and pending[-1][0] == index:
            _, offset, note = pending.pop()
            if offset > done:
                out.append(part[done:offset])
                done = offset
            at = len(out)
            while done == 0 and at > 0 and closes(out[at - 1]):
                at -= 1
            out.insert(at, note)
        out.append(part[done:] if done else part)
    return out
