"""What is said of a run, or of a graph, that is to go on under another version: data, and its JSON.

Terms:
* *condition*: what is asked of a run: its `data` have a place in the new state, the `place` where it is
  parked is there, and its `history` is one that the new graph allows;
* *reason*: one violation of a condition;
* *risk*: what would happen if the run went on, whatever the verdict.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from ..changes.change import Change


class Verdict(StrEnum):
    """From the best to the worst."""

    IDENTICAL = "identical"
    COMPATIBLE = "compatible"
    MIGRATABLE = "migratable"
    INCOMPATIBLE = "incompatible"

    @property
    def rank(self) -> int:
        """0 for the best; to compare two."""
        return _ORDER.index(self)


_ORDER = tuple(Verdict)

Condition: TypeAlias = Literal["data", "place", "history", "migration"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run is not compatible.

    Attributes:
        kind: short name of the reason, with hyphens (`routed-elsewhere`); see `lgc.runtime.compat.kinds`.
        condition: which condition it breaks.
        element: id in the canonical form (`edges/grade`), behind `subgraph/NAME/` inside a graph that is run.
        text: one sentence for people, without a full stop.
        node: the node concerned, with its frame path in front (`check/facts/check_facts`), "" for none.
        step: the step of the history where it was noticed, None where no step is concerned.
        place: `file:line:column` in the new source, "" where that is not known or where nothing stands there.
    """

    kind: str
    condition: Condition
    element: str
    text: str
    node: str = ""
    step: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    """What would happen if the run went on under the new graph.

    Attributes:
        kind: `effect-again`: an effect (`once`, `idempotent`) that was performed would be performed again;
            `barrier-passed`: the run would go on past a barrier without having been approved there.
        text, node, step, place: as in `Reason`.
    """

    kind: Literal["effect-again", "barrier-passed"]
    text: str
    node: str
    step: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """What is said of one run.

    Attributes:
        run, graph: its id and the name of its graph.
        old, new: the hashes of the graph that it is under and of the one that it is judged for ("" where
            there is none of that name).
        verdict: see `Verdict`.
        step: the last step that was looked at.
        parked: where it stands: each active frame's node, with the frame path in front.
        reasons: all that speaks against it; for `migratable`, what the migration mends.
        risks: what would happen if it went on.
        notes: further remarks, one sentence each (`nothing that it can still execute has changed`).
    """

    run: str
    graph: str
    old: str
    new: str
    verdict: Verdict
    step: int = 0
    parked: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    risks: tuple[Risk, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PlaceVerdict:
    """What can be said of every run that is parked at one node.

    Attributes:
        node: its name, inside graphs that are run `NODE/NODE`.
        verdict: for all runs parked there.
        sure: False where it depends on what a run did before: then the verdict is the worst that can be, and
            only the history of a run decides.
        reasons: what decides.
    """

    node: str
    verdict: Verdict
    sure: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphVerdict:
    """What can be said of two versions of a graph without any run.

    Attributes:
        graph: the name of the new version (of the old one, where it was removed).
        old, new: hashes, "" where there is no such version.
        verdict: the worst of all places, `migratable` where a migration is declared and sound.
        changes: element by element.
        places: for each node of the old version as a parking place.
    """

    graph: str
    old: str
    new: str
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    places: tuple[PlaceVerdict, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)
