"""From the hash of a run to the migrations that lead to a version."""

from __future__ import annotations

from .. import plan
from ..forms.version import Version


def chain_from(new: Version, hash: str) -> tuple[plan.Migration, ...] | None:
    """The migrations to apply, in order, to a run under `hash`; None where none is declared from there.

    A chain begins with the block whose source is `hash` and goes on with every later block of the graph.
    """
    for at, migration in enumerate(new.migrations):
        if hash.startswith(migration.source):
            return new.migrations[at:]
    return None
