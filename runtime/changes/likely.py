"""From two versions of a graph to the elements that were probably renamed: offered to people, never assumed.

An element that went and one that came are likely the same where what they are, what uses them and what they
are called is alike. Each has one partner at most; where two are equally likely, there is none. Names that
went or came themselves count as unknown, so that several things may be renamed at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias, cast

from ..forms.version import Version
from .unparse import as_list, as_object, json_text
from .uses import Uses

What: TypeAlias = Literal["node", "field", "mutation"]

LEAST = 0.7  # score from which a pair is offered
LEAD = 0.05  # by which it has to be better than any other pair of the two
_ALL_PAIRS = 3_600  # up to so many pairs each is looked at; beyond, those that share something
_EACH = 12  # pairs of one element then
_WEIGHTS = (0.4, 0.4, 0.2)  # what it is, what uses it, its name
_NAME = re.compile(r'"([A-Za-z_]\w*)(!?)"')


@dataclass(frozen=True, slots=True)
class Rename:
    """A likely rename.

    Attributes:
        what: `node`, `field` or `mutation`.
        old, new: the names.
        score: how likely, up to 1.0.
        evidence: what speaks for it, for people.
    """

    what: What
    old: str
    new: str
    score: float
    evidence: tuple[str, ...]


def likely_renames(old: Version, new: Version) -> tuple[Rename, ...]:
    """The likely renames of nodes, fields and mutations of a graph, in this order, by the old name."""
    sides = _Side(old, new), _Side(new, old)
    found: list[Rename] = []
    for what in _PREFIXES:
        pairs = [_judged(what, *sides, *pair) for pair in _candidates(what, *sides)]
        found.extend(sorted(_best(pairs), key=lambda one: one.old))
    return tuple(found)


_PREFIXES: Mapping[What, str] = {
    "node": "node/",
    "field": "state/field/",
    "mutation": "state/mutation/",
}


class _Side:
    """One of the two versions, seen from the other: what only it has, and what surrounds that."""

    def __init__(self, version: Version, other: Version) -> None:
        self.version = version
        self.only: dict[What, list[str]] = {
            what: [
                id_.removeprefix(prefix)
                for id_ in version.elements
                if id_.startswith(prefix) and id_ not in other.elements
            ]
            for what, prefix in _PREFIXES.items()
        }
        self.unknown = frozenset(name for names in self.only.values() for name in names)
        self.around: dict[tuple[What, str], set[str]] = {
            (what, name): set() for what, names in self.only.items() for name in names
        }
        if self.unknown:
            self._look_around()

    def _look_around(self) -> None:
        uses = Uses(self.version)
        for id_ in self.version.elements:
            family, _, rest = id_.partition("/")
            if family == "edges":
                self._look_at_edges(rest)
            if family in ("node", "edges", "state"):
                user = self._known(id_)
                seen = uses.shown(rest) if family == "node" else ()
                for used in dict.fromkeys((*uses.of(id_), *seen)):
                    for what, prefix in _PREFIXES.items():
                        key = (what, used.removeprefix(prefix))
                        if used.startswith(prefix) and key in self.around and used != id_:
                            self.around[key].add(user)

    def _look_at_edges(self, source: str) -> None:
        for trigger, edges in self.version.elements[f"edges/{source}"].items():
            for edge in as_list(edges):
                target = str((as_object(edge) or {}).get("to"))
                if (key := ("node", target)) in self.around:
                    self.around[cast("tuple[What, str]", key)].add(f"from {self._known(source)} {trigger}")
                if (key := ("node", source)) in self.around:
                    self.around[cast("tuple[What, str]", key)].add(f"to {self._known(target)} {trigger}")

    def _known(self, id: str) -> str:
        """An id, without a name that only this side has."""
        head, slash, name = id.rpartition("/")
        return f"{head}{slash}?" if name in self.unknown else id

    def content(self, what: What, name: str) -> Mapping[str, str]:
        """What an element is, part by part, as text without names that only this side has."""
        element = self.version.elements[_PREFIXES[what] + name]
        return {key: self._masked(value) for key, value in element.items()}

    def _masked(self, value: Any) -> str:
        def mask(found: re.Match[str]) -> str:
            return '"?"' if found[1] in self.unknown else found[0]

        return _NAME.sub(mask, json_text(value))


def _candidates(what: What, old: _Side, new: _Side) -> Iterator[tuple[str, str]]:
    gone, come = old.only[what], new.only[what]
    if len(gone) * len(come) <= _ALL_PAIRS:
        yield from ((one, other) for one in gone for other in come)
        return
    shared: dict[str, list[str]] = {}
    for name in come:
        for trait in _traits(what, new, name):
            shared.setdefault(trait, []).append(name)
    for name in gone:
        partners = dict.fromkeys(
            other for trait in _traits(what, old, name) for other in shared.get(trait, ())[:_EACH]
        )
        yield from ((name, other) for other in [*partners][:_EACH])


def _traits(what: What, side: _Side, name: str) -> Iterable[str]:
    """What a partner may be found by, the most telling first."""
    yield from sorted(side.around[what, name])
    yield json_text(dict(side.content(what, name)))


def _judged(what: What, old: _Side, new: _Side, one: str, other: str) -> Rename:
    contents = old.content(what, one), new.content(what, other)
    head = "type" if what == "field" else "kind"
    if contents[0].get(head) != contents[1].get(head):
        return Rename(what, one, other, 0.0, ())
    around = old.around[what, one], new.around[what, other]
    scores = (_alike(*contents), _common(*around), _similar(one, other))
    weights = [weight if score is not None else 0.0 for weight, score in zip(_WEIGHTS, scores, strict=True)]
    total = sum(weight * (score or 0.0) for weight, score in zip(weights, scores, strict=True)) / sum(weights)
    return Rename(what, one, other, round(total, 3), _evidence(what, scores, around[0] & around[1]))


def _evidence(
    what: What, scores: tuple[float, float | None, float], shared: Iterable[str]
) -> tuple[str, ...]:
    found = ["nothing else in it differs" if scores[0] == 1.0 else "most of it is the same"]
    known = [words for words in map(_words, sorted(shared)) if words]
    if known:
        found.append(", ".join(dict.fromkeys(known[:4])) + (" and more" if len(known) > 4 else ""))
    elif scores[1]:
        found.append(f"what uses the {what} is the same")
    if scores[2] >= 0.5:
        found.append("the names are alike")
    return tuple(found)


def _words(trait: str) -> str:
    way, _, rest = trait.partition(" ")
    name = rest.split(" ")[0].rpartition("/")[2] if rest else trait.rpartition("/")[2]
    if name == "?":
        return ""
    if rest:
        return f"reached from `{name}`" if way == "from" else f"leads to `{name}`"
    return f"used by the edges of `{name}`" if trait.startswith("edges/") else f"used by `{name}`"


def _alike(old: Mapping[str, str], new: Mapping[str, str]) -> float:
    """The share of parts that are equal; parts that are nearly so count in part."""
    keys = old.keys() | new.keys()
    total = 0.0
    for key in keys:
        before, after = old.get(key, ""), new.get(key, "")
        total += 1.0 if before == after else 0.5 * _overlap(before, after)
    return total / len(keys) if keys else 1.0


def _overlap(old: str, new: str) -> float:
    parts = {*re.findall(r"\w+", old)}, {*re.findall(r"\w+", new)}
    both = parts[0] | parts[1]
    return len(parts[0] & parts[1]) / len(both) if both else 0.0


def _common(old: set[str], new: set[str]) -> float | None:
    both = old | new
    return len(old & new) / len(both) if both else None


def _similar(old: str, new: str) -> float:
    return SequenceMatcher(None, old.lower(), new.lower()).ratio()


def _best(pairs: Sequence[Rename]) -> Iterator[Rename]:
    """Pairs that are the best for both, by a lead."""
    top: dict[tuple[int, str], list[float]] = {}
    for pair in pairs:
        for key in ((0, pair.old), (1, pair.new)):
            two = top.setdefault(key, [0.0, 0.0])
            two.append(pair.score)
            two.sort(reverse=True)
            two.pop()
    for pair in pairs:
        sides = top[0, pair.old], top[1, pair.new]
        if pair.score >= LEAST and all(best == pair.score >= next_ + LEAD for best, next_ in sides):
            yield pair
