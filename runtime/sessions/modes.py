"""Under which graphs a run may go on."""

from __future__ import annotations

from enum import StrEnum

from ..compat.verdict import RunVerdict, Verdict


class RestoreMode(StrEnum):
    """Under which graphs a run may go on; whatever is not `strict` moves it, which its history keeps.

    `strict`: the one that it is under. `compatible`: also one that could have done all that the run did so
    far. `migrate`: also one that declares a migration from the run's graph which fits this run. `force`: any
    to which the position can be carried over; needs a reason and an actor.
    """

    STRICT = "strict"
    COMPATIBLE = "compatible"
    MIGRATE = "migrate"
    FORCE = "force"

    def accepts(self, verdict: RunVerdict | None) -> bool:
        """Whether a run of which this is said may go on."""
        if self is RestoreMode.FORCE:
            return True
        return verdict is not None and verdict.verdict.rank <= _WORST[self].rank


_WORST = {
    RestoreMode.STRICT: Verdict.IDENTICAL,
    RestoreMode.COMPATIBLE: Verdict.COMPATIBLE,
    RestoreMode.MIGRATE: Verdict.MIGRATABLE,
}
