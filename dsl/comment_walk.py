"""From the comments of a file to the places where the formatter prints them, from top to bottom.

A comment on a line of its own stays before what it precedes, a comment behind something stays behind it.
"""

from __future__ import annotations

import re

from . import ast

_COMMENT = re.compile(r"//[^\n]*")


class Comments:
    """The comments of a file, each printed once: `at` is the next one, `next` where it starts."""

    def __init__(self, file: ast.File) -> None:
        self.text = file.source.text
        self.comments = file.comments
        self.at = 0
        self.end = len(self.text) + 1
        self.next = self.comments[0].span.start if self.comments else self.end

    def take(self) -> ast.Comment:
        """The next comment, which counts as printed from now on."""
        comment = self.comments[self.at]
        self.at += 1
        self.next = self.comments[self.at].span.start if self.at < len(self.comments) else self.end
        return comment

    def inside(self, end: int) -> list[ast.Comment]:
        """All comments up to ``end``."""
        found: list[ast.Comment] = []
        while self.next < end:
            found.append(self.take())
        return found

    def behind(self, start: int, end: int) -> ast.Comment | None:
        """The comment behind what ends at ``start``, if it begins before ``end``, where the next item starts.

        A comma of the list may stand before it. One that looks like a doc comment, but stands before the
        comma, would be the doc of the next item if it got a line of its own.
        """
        if self.next >= end:
            return None
        last_line = self.text[start : self.next].rpartition("\n")
        if last_line[1] and not last_line[2].strip():
            comment = self.comments[self.at]
            if not comment.text.startswith("///") or "," not in self.text[comment.span.end : end]:
                return None
        return self.take()

    def blank(self, start: int, end: int) -> bool:
        """Whether there is an empty line (a comma may stand on a line of its own)."""
        if self.text.count("\n", start, end) < 2:
            return False
        return not all(line.strip() for line in self.text[start:end].split("\n")[1:-1])

    def gap(self, start: int, end: int, doc: str, indent: int) -> list[str]:
        """What stands between two items: comments, doc lines, and "" for each blank line."""
        pad = " " * indent
        docs = [f"{pad}/// {line}".rstrip() for line in doc.split("\n")] if doc else []
        if self.next >= end:
            if not doc and self.text.find("///", start, end) >= 0:
                docs = [f"{pad}///"]  # an empty doc comment
            end = max(self.text.find("///", start), start) if docs else end
            return ["", *docs] if self.blank(start, end) else docs
        lines: list[str] = []
        printed = 0
        for piece in _COMMENT.finditer(self.text, start, end):
            if self.blank(start, piece.start()):
                lines.append("")
            if piece.start() == self.next:
                lines.append(pad + self.take().text.rstrip())
            elif printed < len(docs):
                lines.append(docs[printed])
                printed += 1
            else:
                lines.append(f"{pad}///")
            start = piece.end()
        lines += docs[printed:]
        if self.blank(start, end) and not (docs and lines[-1] is docs[-1]):
            lines.append("")
        return lines
