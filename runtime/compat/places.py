"""From two versions of a graph to what can be said of every run, by the place where it is parked.

Where a node is called compatible, every run that is parked there is: its values fit whatever they are, the
place is there, and nothing that it can have come past has changed in a way that a step could have noticed.
(Left aside are answers that were given early to barriers which the run has not reached, logs that were cut,
and integers beyond what a `float` holds exactly.) Where that is not so, either no run can stand there
(`sure`), or what it did and holds decides: then the verdict is the worst that can be.

The conditions are those of Rinderle, Reichert and Dadam, "Correctness criteria for dynamic changes in
workflow systems" (2004), asked of all histories at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..forms.version import Version
from ..migrating.chain import chain_from
from .numbered import Reasons
from .standing import Standing
from .verdict import GraphVerdict, PlaceVerdict, Reason, Verdict

MOST_REASONS = 12  # that are listed for one place
MOST_PLACES = 50_000  # nodes inside of graphs that are run are listed up to there


def judge_graph(old: Version, new: Version) -> GraphVerdict:
    """The verdict without any run.

    Raises ValueError for a form that says nonsense of its own nodes.
    """
    return Places(old, new).verdict()


class Places:
    """Judges the places of two versions; graphs that are run are looked at once, however often they are."""

    def __init__(self, old: Version, new: Version) -> None:
        self._old, self._new = old, new
        self._reasons = Reasons()
        self._known: dict[tuple[str, str], Standing] = {}
        self._count = 0

    def verdict(self) -> GraphVerdict:
        """See `judge_graph`."""
        old, new = self._old, self._new
        if old.hash == new.hash:
            alike = tuple(PlaceVerdict(name, Verdict.IDENTICAL) for name in _named(old))
            return GraphVerdict(new.name, old.hash, new.hash, Verdict.IDENTICAL, (), alike)
        try:
            root = self._standing(old, new, "")
            places = tuple(self._places(root, "", 0, 0))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"not a canonical form: {type(error).__name__}: {error}") from error
        worst = max((place.verdict for place in places), key=lambda one: one.rank, default=Verdict.COMPATIBLE)
        return GraphVerdict(new.name, old.hash, new.hash, worst, root.changes, places)

    def _standing(self, old: Version, new: Version, prefix: str) -> Standing:
        key = (old.hash, new.hash)
        found = self._known.get(key)
        if found is None:
            chain = chain_from(new, old.hash) or ()
            found = self._known[key] = Standing(old, new, self._reasons, prefix, chain, self._standing)
        return found

    def _places(self, at: Standing, path: str, sure: int, maybe: int) -> Iterator[PlaceVerdict]:
        """The places of a graph, each followed by those inside of it."""
        sure |= at.value_sure
        maybe |= at.value_maybe
        for id_ in at.old.elements:
            if not id_.startswith("node/"):
                continue
            node = id_.removeprefix("node/")
            here = at.surely(node)
            yield self._place(f"{path}{node}", sure | here, maybe | at.place[node] | at.inside[node], at)
            inner = at.old.run_by(node)
            if inner is None or self._count > MOST_PLACES or at.names.cursor(node).moved:
                continue
            now = at.new.run_by(at.names.cursor(node).node)
            if now is None:
                continue  # nothing to say that is not said of the node
            below = at.below(node, inner, now)
            beside = below.noticed | below.standing if at.old.elements[id_].get("kind") == "map" else 0
            entry = below.fresh | at.inside_of(node) | beside
            yield from self._places(below, f"{path}{node}/", sure | here, maybe | at.place[node] | entry)

    def _place(self, name: str, sure: int, maybe: int, at: Standing) -> PlaceVerdict:
        self._count += 1
        good = Verdict.MIGRATABLE if at.chain else Verdict.COMPATIBLE
        if not sure and not maybe:
            return PlaceVerdict(name, good)
        return PlaceVerdict(name, Verdict.INCOMPATIBLE, bool(sure), self._listed(sure or maybe))

    def _listed(self, bits: int) -> tuple[Reason, ...]:
        found = self._reasons.of(bits, MOST_REASONS)
        left = bits.bit_count() - len(found)
        if left > 0:
            found.append(replace(found[-1], element="", node="", place="", text=f"and {left} more"))
        return tuple(found)


def _named(version: Version) -> Iterator[str]:
    """The names of all places of a version."""
    work = [("", version)]
    count = 0
    while work and count <= MOST_PLACES:
        path, at = work.pop()
        for id_ in at.elements:
            if id_.startswith("node/"):
                node = id_.removeprefix("node/")
                yield path + node
                count += 1
                if (inner := at.run_by(node)) is not None:
                    work.append((f"{path}{node}/", inner))
