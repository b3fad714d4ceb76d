"""What an archive holds, and what an archive must promise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

from ..records import (
    AttemptRecord,
    CheckpointRecord,
    DecisionRecord,
    MutationRecord,
    OverrideRecord,
    RunRecord,
    RunStatus,
)


@dataclass(frozen=True, slots=True)
class GraphRecord:
    """The canonical form of a graph that a run was made under."""

    hash: str
    canonical: str


Archived: TypeAlias = (
    RunRecord
    | GraphRecord
    | MutationRecord
    | CheckpointRecord
    | DecisionRecord
    | AttemptRecord
    | OverrideRecord
)

_KINDS: dict[str, Any] = {
    "run": RunRecord,
    "graph": GraphRecord,
    "step": MutationRecord,
    "checkpoint": CheckpointRecord,
    "decision": DecisionRecord,
    "attempt": AttemptRecord,
    "override": OverrideRecord,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class Archive(Protocol):
    """Takes what is about to be deleted."""

    async def write(self, run: str, records: Sequence[Archived]) -> None:
        """Make records of a run durable. Where this raises, nothing of them is deleted."""
        ...


def to_line(record: Archived) -> str:
    """A record as one line of JSON, without the line end."""
    names = record._fields if isinstance(record, MutationRecord) else type(record).__dataclass_fields__
    fields = {name: getattr(record, name) for name in names}
    return json.dumps({"record": _NAMES[type(record)], **fields}, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str | bytes) -> Archived:
    """The record of such a line. Raises ValueError where it is none."""
    read: object = json.loads(line)
    fields: dict[str, Any] = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    kind = _KINDS.get(fields.pop("record", ""))
    if kind is None:
        raise ValueError("a line is no record of a known kind")
    try:
        if "status" in fields:
            fields["status"] = RunStatus(fields["status"])
        found: Archived = kind(**fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"a record has not the fields that it should have: {error}") from None
    return found
