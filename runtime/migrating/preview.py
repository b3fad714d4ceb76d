"""From a position and the version that it is to be taken to, to what would become of it: a dry run.

Nothing is stored. For every frame it shows where it stands and each field before and after.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .. import plan
from ..compat.verdict import Reason
from ..errors import CheckpointCorrupted
from ..forms.version import Version
from .chain import chain_from
from .moved import moved
from .naming import Names


@dataclass(frozen=True, slots=True)
class FieldPreview:
    """One field of the new state, or one of the old that is not in it.

    Attributes:
        field: its name; in the new state, where it is there.
        was: the name that it had, "" where it had none.
        how: `kept`, `changed` (another value), `added` (a new field), or `dropped`.
        old, new: the stored values, None where there is none.
    """

    field: str
    was: str
    how: Literal["kept", "changed", "added", "dropped"]
    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class FramePreview:
    """One frame.

    Attributes:
        frame: its path in the old version, "" for the outermost.
        old_node, new_node: where it stands before and after; `new_node` is "" where a move drops the frame.
        fields: of its state.
    """

    frame: str
    old_node: str
    new_node: str
    fields: tuple[FieldPreview, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a position.

    Attributes:
        old, new: hashes.
        steps: hashes that the declared migrations start from, in order; none where no migration is needed.
        frames: outermost first; none where there are reasons.
        reasons: why it cannot be taken there.
    """

    old: str
    new: str
    steps: tuple[str, ...] = ()
    frames: tuple[FramePreview, ...] = ()
    reasons: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)


def previewed(
    snapshot: str,
    old: Version,
    new: Version,
    chain: Sequence[plan.Migration] = (),
    between: Sequence[Version] = (),
) -> Preview:
    """What `moved` would make of a position. Raises CheckpointCorrupted."""
    done = moved(snapshot, old, new, chain, between=between)
    steps = tuple(link.source for link in chain)
    if done.reasons:
        return Preview(old.hash, new.hash, steps, (), done.reasons)
    before, after = json.loads(snapshot)["root"], json.loads(done.snapshot)["root"]
    try:
        frames = tuple(_frames(before, after, old, new, chain, ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointCorrupted(f"the snapshot cannot be read: {type(error).__name__}: {error}") from error
    return Preview(old.hash, new.hash, steps, frames)


def _frames(
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    old: Version,
    new: Version,
    chain: Sequence[plan.Migration],
    path: str,
) -> Iterator[FramePreview]:
    """A frame and those below it; `after` is None where a move drops it."""
    names = Names(chain)
    node = str(before["node"])
    if after is None:
        yield FramePreview(path, node, "")
    else:
        yield FramePreview(
            path, node, str(after["node"]), tuple(_fields(before["state"], after["state"], names))
        )
    below: Mapping[str, Any] = {} if after is None else after.get("children", {})
    where = f"{path}/{node}" if path else node
    for key, child in before.get("children", {}).items():
        inner = old.run_by(node)
        if inner is None:
            yield from _frames(child, below.get(key), old, new, chain, f"{where}/{key}")
            continue
        there = new.run_by(names.node(node)) or inner
        of_inner = chain_from(there, inner.hash)
        if of_inner is None:
            of_inner = tuple(chain) if (old.node(node) or {}).get("lens") == "same" else ()
        at = f"{where}[{key}]" if before["keys"] == "i" else where
        yield from _frames(child, below.get(key), inner, there, of_inner, at)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> Iterator[FieldPreview]:
    kept = {name: there for name in before if (there := names.kept_field(name)) in after}
    was = {there: name for name, there in kept.items()}
    for name, value in sorted(after.items()):
        if name not in was:
            yield FieldPreview(name, "", "added", None, value)
        else:
            old = before[was[name]]
            alike = json.dumps(old, sort_keys=True) == json.dumps(value, sort_keys=True)
            yield FieldPreview(name, was[name], "kept" if alike else "changed", old, value)
    for name, value in sorted(before.items()):
        if name not in kept:
            yield FieldPreview(name, name, "dropped", value, None)
