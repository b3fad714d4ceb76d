"""From a snapshot under one version of a graph to a snapshot under another."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import plan
from ..compat.verdict import Reason
from ..errors import CheckpointCorrupted
from ..forms.version import Version
from ..machine.position import SNAPSHOT_VERSION
from .confirmed import confirmed
from .frames import Frames


@dataclass(frozen=True, slots=True)
class Moved:
    """A position that was taken to another version of its graph.

    Attributes:
        snapshot: the position as JSON (`lgc.runtime.machine.position`), "" where there are reasons.
        reasons: why it cannot be taken there (conditions `data` and `place`, or `migration`).
        migrated: whether a declared migration was applied: one of the chain, or one of a graph that is run
            inside.
    """

    snapshot: str
    reasons: tuple[Reason, ...] = ()
    migrated: bool = False


def moved(
    snapshot: str,
    old: Version,
    new: Version,
    chain: Sequence[plan.Migration] = (),
    *,
    between: Sequence[Version] = (),
    now: float | None = None,
) -> Moved:
    """Take a position from `old` to `new`, through a chain of migrations (none: as it is).

    Every durable value is read by its old type and written by its new one; new fields take their defaults;
    every place where the run is parked must be there. Nothing is guessed: what has no place is a reason.

    Args:
        between: the versions that the later migrations start from, as far as they are known: a field that one
            of them has brought has its default there (`lgc.runtime.migrating.chain.versions_between`).
        now: when a run that a migration moves to another node arrives there, in seconds since the epoch;
            None: when it arrived where it was.

    Raises CheckpointCorrupted for a snapshot that is none of `old`.
    """
    if old.hash == new.hash and not chain:
        return Moved(snapshot)
    reasons: list[Reason] = []
    try:
        frames = Frames(old, new, chain, between, now)
        data: Any = json.loads(snapshot)
        if data["version"] != SNAPSHOT_VERSION:
            raise ValueError(f"it has version {data['version']}, this lgc reads {SNAPSHOT_VERSION}")
        root = frames.carry(data["root"], "", "", reasons)
        if reasons:
            return Moved("", tuple(reasons), frames.migrated)
        made = {"version": SNAPSHOT_VERSION, "root": root}
        text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        return Moved(*confirmed(text, snapshot, old, new), frames.migrated)
    except (
        KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, re.error,
    ) as error:  # fmt: skip
        why = f"{type(error).__name__}: {error}"
        raise CheckpointCorrupted(f"the snapshot is none of `{old.name}` {old.hash[:20]}: {why}") from error
