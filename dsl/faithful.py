"""Whether a file that was laid out anew still says what it said: looked at before it is written."""

from __future__ import annotations

from collections import Counter
from typing import Any

from . import ast
from .parse import parse
from .source import Source, Span


def faithful(file: ast.File, text: str) -> bool:
    """Whether `text` reads as the same tree as `file`, places aside, with the same comments."""
    again = parse(Source(file.source.path, text))
    if again.diagnostics or not _same(file.declarations, again.file.declarations):
        return False
    return _words(file) == _words(again.file)


def _words(file: ast.File) -> Counter[str]:
    return Counter(comment.text.rstrip() for comment in file.comments)


def _same(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__:
        return False
    match left:
        case Span():
            return True
        case tuple():
            return bool(len(left) == len(right) and all(map(_same, left, right)))  # pyright: ignore
        case ast.StrLit():
            return bool(left.value == right.value)  # a text block may be indented anew
        case str() | int() | float() | bool() | None:
            return bool(left == right)
        case _:
            names: tuple[str, ...] = left.__slots__
            return all(_same(getattr(left, name), getattr(right, name)) for name in names)
