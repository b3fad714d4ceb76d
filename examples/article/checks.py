"""From a draft's sentences to what is wrong with them: pairs of a sentence's id and a remark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

import readability  # pyright: ignore[reportMissingTypeStubs]

from drafting import Piece, rest
from ranking import similarity, vectors
from reading import passages, words

Finding = tuple[int, str]

_CONDITION = re.compile(
    r"\W*(?:and if|but|if|except|unless|provided|until|nor|or|who|which)\b", re.IGNORECASE
)
_POINTER = re.compile(
    r"(?:But|And|Such|He|They|It|This|These|Those|Thereupon|Thereafter|The same)\b|.*\b(?:said|mentioned)\b"
)
_NAME = re.compile(r"(?<!^)(?<![.;:] )\b[A-Z][A-Za-z-]+|\b\d+\b")


def unsupported(path: str, draft: Sequence[Piece]) -> Iterator[Finding]:
    """Sentences, names and numbers that the source does not have at that place."""
    source = passages(path)
    for piece in draft:
        original = source[piece.id].text if 0 <= piece.id < len(source) else ""
        if piece.text.rstrip(".") not in original:
            unknown = sorted(set(_NAME.findall(piece.text)) - set(words(original)))
            what = f"not in the source: {', '.join(unknown)}" if unknown else "not the source's words"
            yield piece.id, what


def clipped(path: str, draft: Sequence[Piece]) -> Iterator[Finding]:
    """Cut sentences whose lost end limits what they say."""
    for piece in draft:
        lost = rest(path, piece)
        if _CONDITION.match(lost):
            yield piece.id, f"the source goes on: {' '.join(lost.split()[:8])} ..."


def dangling(path: str, draft: Sequence[Piece]) -> Iterator[Finding]:
    """Sentences that point back to one which does not stand before them in the draft."""
    there = {piece.id for piece in draft if piece.whole}
    for piece in draft:
        found = _POINTER.match(piece.text)
        if found is not None and piece.id - 1 not in there:
            yield piece.id, f"`{found[0].split()[-1]}` points to a sentence that is not here"


def too_long(draft: Sequence[Piece], limit: int) -> Iterator[Finding]:
    """Sentences of more words than `limit`."""
    for piece in draft:
        count = len(words(piece.text))
        if count > limit:
            yield piece.id, f"{count} words, {limit} are enough"


def repeated(draft: Sequence[Piece], limit: float) -> Iterator[Finding]:
    """Sentences that say what an earlier one says, and words written twice in a row."""
    spread = vectors([piece.text for piece in draft])
    for (one, a), (other, b) in combinations(zip(draft, spread, strict=True), 2):
        alike = similarity(a, b)
        if alike > limit:
            yield other.id, f"{alike:.0%} like the sentence from {one.id}"
    for piece in draft:
        for found in re.finditer(r"\b(\w+)\s+\1\b", piece.text, re.IGNORECASE):
            yield piece.id, f"`{found[0]}` twice"


def reading_ease(draft: Sequence[Piece]) -> float:
    """Flesch reading ease of the whole: 100 is very easy, below 30 very hard."""
    return _grades([piece.text for piece in draft])["FleschReadingEase"] if draft else 0.0


def hard(draft: Sequence[Piece], grade: float) -> Iterator[Finding]:
    """Sentences whose Flesch-Kincaid grade (years of school) is above `grade`."""
    for piece in draft:
        years = _grades([piece.text])["Kincaid"]
        if years > grade:
            yield piece.id, f"asks for {years:.0f} years of school"


def _grades(sentences: list[str]) -> dict[str, float]:
    spaced = [" ".join(words(text)) + " ." for text in sentences]
    measured = readability.getmeasures(spaced, lang="en")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return {name: float(value) for name, value in measured["readability grades"].items()}  # pyright: ignore
