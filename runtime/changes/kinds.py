"""The table of the kinds of changes between two versions of a graph.

Every change that `compare` finds is of one of these kinds (`Change.name`). Ids are permanent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .classify import OTHER
from .kind import BEARINGS, Bearing, ChangeKind
from .kinds_of_data import DATA
from .kinds_of_edges import EDGES
from .kinds_of_nodes import NODES
from .kinds_of_regions import REGIONS
from .kinds_of_types import TYPES

__all__ = ["BEARINGS", "KINDS", "Bearing", "ChangeKind"]

_FORM = '{"elements":{"graph":{"max_steps":9,"name":"g","state":"S"}},"form":"lg1"}'

_UNKNOWN: tuple[ChangeKind, ...] = (
    ChangeKind(
        "form-changed", "the form is written in another edition",
        "The name of the canonical form (`lg1`).",
        "history",
        "The two cannot be compared element by element with certainty: what one edition leaves out, the"
        " other may hold.",
        _FORM, (('"lg1"', '"lg0"'),),
    ),
    ChangeKind(
        OTHER, "something that this edition has no word for",
        "A stored form holds more than this edition of lgc knows.",
        "history",
        "It was written by a newer edition. It is taken for something that a run may have noticed.",
        _FORM, (('"max_steps"', '"mood":"calm","max_steps"'),),
    ),
)  # fmt: skip

KINDS: Mapping[str, ChangeKind] = MappingProxyType(
    {kind.id: kind for kind in (*DATA, *TYPES, *NODES, *REGIONS, *EDGES, *_UNKNOWN)}
)
"""Every kind by its id, in the order in which they are listed."""
