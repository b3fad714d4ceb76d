"""From text to its comments: doc comments by what they stand above, all others in order.

A doc comment is `///` (not `////`) that is the first on its line; lines above the same word are one doc.
Whether a word takes a doc is for the parser to know; what it does not take is kept as a plain comment.
"""

from __future__ import annotations

import re
from functools import cache

from . import ast
from .named import NamedTuple
from .source import Span

# A long string runs to the end of the text where its quotes are missing: no second look at the same text.
_PIECES = r'(?s:"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"""|\Z)|"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?|//[^\n]*)'
_NEXT = r"(?:[ \t\r\n\f]+|//[^\n]*)*"
_compiled = cache(re.compile)  # of these two, each where it is needed first


class Docs(NamedTuple):
    """Doc comments by the offset of the word below, and the offsets of their lines."""

    texts: dict[int, str]
    lines: dict[int, list[int]]


def _is_doc(text: str, start: int, piece: str) -> bool:
    if not piece.startswith("///") or piece.startswith("////"):
        return False
    line = text.rfind("\n", 0, start) + 1
    return not text[line:start].strip(" \t\f")


def find_docs(text: str) -> Docs:
    """Every doc comment of a text."""
    texts: dict[int, list[str]] = {}
    lines: dict[int, list[int]] = {}
    below = -1
    if "///" not in text:
        return Docs({}, {})
    next_word = _compiled(_NEXT)
    for match in _compiled(_PIECES).finditer(text):
        start, piece = match.start(), match.group()
        if piece[0] == "/" and _is_doc(text, start, piece):
            if below < start:
                gap = next_word.match(text, start)
                below = gap.end() if gap else start
            words = piece[3:].rstrip("\r")
            texts.setdefault(below, []).append(words.removeprefix(" ").rstrip())
            lines.setdefault(below, []).append(start)
    return Docs({at: "\n".join(parts) for at, parts in texts.items()}, lines)


def find_comments(text: str, divisions: list[int], docs: Docs) -> tuple[ast.Comment, ...]:
    """Every comment that is no doc: `docs.texts` holds the docs that nothing took.

    `divisions` are the offsets of `//` that the parser read as an operator.
    """
    if "//" not in text:
        return ()
    taken = {line for at, lines in docs.lines.items() if at not in docs.texts for line in lines}
    skip = set(divisions)
    found: list[ast.Comment] = []
    search, at = _compiled(_PIECES).search, 0
    while (match := search(text, at)) is not None:
        start, at = match.span()
        if text[start] != "/":
            continue
        if start in skip:
            at = start + 2
        elif start not in taken:
            piece = match.group().rstrip("\r")
            found.append(ast.Comment(Span(start, start + len(piece)), piece))
    return tuple(found)
