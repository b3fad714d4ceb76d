"""From a text file to its sentences, each with the place where it stands."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_HEADING = re.compile(r"(Article|Amendment|Section) [IVXL\d]+|Preamble|Amendments")
_BOUNDARY = re.compile(r"(?<=[.?!])\s+(?=[\"']?[A-Z])")
_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|\d+(?:[.,]\d+)*")

STOP_WORDS = frozenset({
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "each", "every", "for", "from",
    "had", "has", "have", "he", "her", "him", "his", "if", "in", "into", "is", "it", "its", "may", "more",
    "no", "nor", "not", "of", "on", "one", "or", "other", "same", "shall", "she", "such", "than", "that",
    "the", "their", "them", "then", "there", "they", "this", "those", "to", "under", "upon", "was",
    "when", "where", "which", "who", "whom", "whose", "will", "with", "without",
})  # fmt: skip


class Passage(NamedTuple):
    """One sentence of the source: its number, its words as written, its place ("Article I, Section 2")."""

    id: int
    text: str
    place: str


@lru_cache(maxsize=4)
def passages(path: str) -> tuple[Passage, ...]:
    """All sentences of a text, in order.

    Paragraphs are separated by empty lines; one that only names an article or section is a heading.

    Raises:
        OSError: the file cannot be read.
    """
    found: list[Passage] = []
    article = section = ""
    for block in re.split(r"\n\s*\n", Path(path).read_text(encoding="utf-8")):
        text = " ".join(block.split())
        heading = _HEADING.fullmatch(text)
        if heading is not None:
            article, section = (article, text) if text.startswith("Section") else (text, "")
        elif article and not text.startswith("Passed by Congress"):
            place = f"{article}, {section}" if section else article
            found += [Passage(len(found) + at, one, place) for at, one in enumerate(_BOUNDARY.split(text))]
    return tuple(found)


def words(text: str) -> list[str]:
    """All words and numbers, as written."""
    return _WORD.findall(text)


@lru_cache(maxsize=4096)
def terms(text: str) -> tuple[str, ...]:
    """The words that carry sense, in lower case, without endings of the plural."""
    lower = (word.lower() for word in words(text))
    return tuple(_stem(word) for word in lower if word not in STOP_WORDS and len(word) > 2)


def _stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
