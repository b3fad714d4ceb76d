"""From a snapshot under one version of a graph to a snapshot under another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import plan
from ..compat.verdict import Reason
from ..forms.version import Version


@dataclass(frozen=True, slots=True)
class Moved:
    """A position that was taken to another version of its graph.

    Attributes:
        snapshot: the position as JSON (`lgc.runtime.machine.position`), "" where there are reasons.
        reasons: why it cannot be taken there (conditions `data` and `place`, or `migration`).
    """

    snapshot: str
    reasons: tuple[Reason, ...] = ()


def moved(snapshot: str, old: Version, new: Version, chain: Sequence[plan.Migration] = ()) -> Moved:
    """Take a position from `old` to `new`, through a chain of migrations (none: as it is).

    Every durable value is read by its old type and written by its new one; new fields take their defaults;
    every place where the run is parked must be there. Nothing is guessed: what has no place is a reason.

    Raises CheckpointCorrupted for a snapshot that is none of `old`.
    """
    raise NotImplementedError
