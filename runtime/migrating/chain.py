"""From the hash of a run to the migrations that lead to a version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .. import plan
from ..forms.version import Version, version_from

SHORTEST = len("lg1:") + 16
"""Characters of a hash that is cut as short as it may be."""


def chain_from(new: Version, hash: str) -> tuple[plan.Migration, ...] | None:
    """The migrations to apply, in order, to a run under `hash`; None where none is declared from there.

    A chain begins with the block whose source is `hash` and goes on with every later block of the graph. A
    source of fewer than 16 digits could be that of many graphs, and is that of none.
    """
    for at, migration in enumerate(new.migrations):
        if len(migration.source) >= SHORTEST and hash.startswith(migration.source):
            return new.migrations[at:]
    return None


async def versions_between(
    new: Version, hash: str, look_up: Callable[[str], Awaitable[str | None]]
) -> tuple[Version, ...]:
    """The versions that the later links of a chain from `hash` start from, as far as their forms are kept.

    Args:
        look_up: the canonical JSON of a hash, as `Store.get_graph`. Hashes that are cut are not looked up.
    """
    found: list[Version] = []
    for migration in (chain_from(new, hash) or ())[1:]:
        try:
            version = await version_from(migration.source, look_up)
        except ValueError:
            continue  # damaged: as if it were not there
        if version is not None:
            found.append(version)
    return tuple(found)
