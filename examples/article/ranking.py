"""From sentences to those that say most: LexRank (Erkan and Radev, 2004), and a choice without repetition.

Sentences are vectors of term weights (tf-idf); two sentences that share terms vote for each other; the votes'
stationary distribution is the rank. A sentence is taken if it is not too similar to one already taken.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache

from reading import Passage, passages, terms, words

Vector = dict[str, float]

_DAMPING = 0.85
_ROUNDS = 60
_LEAST_TERMS = 5
_COMFORTABLE = 40  # words; what a longer sentence says more is not for a summary


def vectors(texts: Sequence[str]) -> list[Vector]:
    """Unit tf-idf vectors of texts."""
    counted = [Counter(terms(text)) for text in texts]
    frequency = Counter(term for counts in counted for term in counts)
    weights = {term: math.log(1 + len(texts) / count) for term, count in frequency.items()}
    return [_unit({term: n * weights[term] for term, n in counts.items()}) for counts in counted]


def similarity(one: Vector, other: Vector) -> float:
    """Cosine of two unit vectors: 0.0 nothing in common, 1.0 the same."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(weight * large[term] for term, weight in small.items() if term in large)


@lru_cache(maxsize=4)
def ranked(path: str) -> tuple[tuple[Passage, float], ...]:
    """All sentences of a text with their rank (1.0 is the best), best first."""
    source = passages(path)
    spread = vectors([one.text for one in source])
    votes = [[similarity(a, b) if a is not b else 0.0 for b in spread] for a in spread]
    votes = [[vote if vote >= 0.1 else 0.0 for vote in row] for row in votes]
    totals = [sum(row) or 1.0 for row in votes]
    rank = [1.0 / len(source)] * len(source)
    for _ in range(_ROUNDS):
        passed = [share / total for share, total in zip(rank, totals, strict=True)]
        rank = [
            (1 - _DAMPING) / len(source)
            + _DAMPING * sum(v * p for v, p in zip(row, passed, strict=True) if v)
            for row in votes
        ]
    rank = [
        share * min(1.0, _COMFORTABLE / len(words(one.text))) for share, one in zip(rank, source, strict=True)
    ]
    best = max(rank)
    order = sorted(range(len(source)), key=lambda at: (-rank[at], at))
    return tuple((source[at], rank[at] / best) for at in order)


def choose(
    path: str, count: int, *, taken: Collection[int], without: Collection[int], limit: float
) -> list[Passage]:
    """The best sentences, one from each place; none is given up or more similar than `limit` to another."""
    order = ranked(path)
    vector = dict(zip((p.id for p, _ in order), vectors([p.text for p, _ in order]), strict=True))
    kept = list(taken)
    places = {passage.place for passage, _ in order if passage.id in kept}
    found: list[Passage] = []
    for passage, _ in order:
        if len(found) == count:
            break
        if passage.id in without or passage.place in places:
            continue
        if len(set(terms(passage.text))) < _LEAST_TERMS:
            continue
        if all(similarity(vector[passage.id], vector[other]) <= limit for other in kept):
            found.append(passage)
            kept.append(passage.id)
            places.add(passage.place)
    return found


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {term: weight / length for term, weight in vector.items()}
