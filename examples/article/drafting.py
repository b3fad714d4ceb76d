"""From ranked sentences, the last draft and its notes to the next draft.

A sentence that is too long is cut at the end of a clause; one with any other fault, or with no place to cut,
is given up for good and the next best one takes its place. So every revision differs and the loop ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ranking import choose
from reading import passages, words

_LONG = 45
_SHORT = 8
_CLAUSE_END = re.compile(r"\s*[;:]\s*|,\s+(?=(?:but|and|nor|except|unless|who|which)\b)")
_VERB = re.compile(r"\b(?:shall|is|are|may|has|have|was|were)\b")


class Piece(NamedTuple):
    """A sentence of a draft: all of the source's sentence `id`, or its beginning."""

    id: int
    text: str
    whole: bool


class Revision(NamedTuple):
    """A draft's sentences in the order of the source, and the ids that were given up on the way."""

    pieces: list[Piece]
    given_up: set[int]


def revise(
    path: str,
    count: int,
    last: Sequence[Piece],
    *,
    too_long: Collection[int],
    faulty: Collection[int],
    given_up: Collection[int],
    limit: float,
) -> Revision:
    """Mend or replace what was found faulty in the last draft and fill up to `count` sentences."""
    kept: list[Piece] = []
    lost: set[int] = set()
    for piece in last:
        mended = _shortened(piece) if piece.id in too_long and piece.id not in faulty else piece
        if piece.id in faulty or mended is None:
            lost.add(piece.id)
        else:
            kept.append(mended)
    kept = kept[:count]
    new = choose(
        path, count - len(kept), taken={p.id for p in kept}, without={*given_up, *lost}, limit=limit
    )  # fmt: skip
    pieces = [*kept, *(Piece(passage.id, passage.text, True) for passage in new)]
    return Revision(sorted(pieces), lost)


def clause_ends(text: str) -> list[int]:
    """Places in a sentence where it can be cut and still be a sentence."""
    return [found.start() for found in _CLAUSE_END.finditer(text) if _VERB.search(text, 0, found.start())]


def rest(path: str, piece: Piece) -> str:
    """What the source says after a sentence that was cut."""
    return passages(path)[piece.id].text[len(piece.text) - 1 :] if not piece.whole else ""


def _shortened(piece: Piece) -> Piece | None:
    for at in reversed(clause_ends(piece.text)):
        if _SHORT <= len(words(piece.text[:at])) <= _LONG:
            return Piece(piece.id, piece.text[:at] + ".", False)
    return None
