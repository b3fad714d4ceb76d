"""From a snapshot that was carried to the same with every default filled in, if the new graph takes it.

The new version's graph, made of its form, reads the snapshot as a restore would. What it refuses is a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from .. import plan
from ..changes.unparse import as_list, as_object
from ..compat.kinds import condition_of
from ..compat.verdict import Reason
from ..errors import LgcError
from ..forms.version import Version
from ..machine.frame import Frame
from ..machine.position import from_snapshot, to_snapshot
from ..values.state import Transients, broken_constraint

_BLANK = Transients(blank=True)


class Confirmed(NamedTuple):
    """A complete snapshot, "" where there are reasons."""

    snapshot: str
    reasons: tuple[Reason, ...] = ()


def confirmed(snapshot: str, before: str, old: Version, new: Version) -> Confirmed:
    """The snapshot, complete, or why the new graph refuses it.

    Args:
        snapshot: of `new`; fields at their defaults may be missing.
        before: the same position under `old`.
    """
    try:
        graph = new.graph
    except ValueError:  # a form that no graph can be made of: the generated one has the last word
        return Confirmed(snapshot)
    try:
        maps = '"keys":"i"' in snapshot
        if maps and (other := list(_other_elements(old, before, new, snapshot))):
            return Confirmed("", tuple(other))
        root = from_snapshot(graph, snapshot, _BLANK)
        if maps and (other := list(_compared(from_snapshot(old.graph, before, _BLANK), root))):
            return Confirmed("", tuple(other))  # of maps inside of maps
        found = [
            _refused(broken, frame) for frame in _all(root) if (broken := broken_constraint(frame.state))
        ]
        whole: Any = json.loads(to_snapshot(root))
    except LgcError as error:
        return Confirmed("", (_refused(str(error)),))
    if found:
        return Confirmed("", tuple(found))
    filled = _filled(json.loads(snapshot), whole)
    return Confirmed(json.dumps(filled, ensure_ascii=False, separators=(",", ":")))


def _refused(text: str, frame: Frame | None = None) -> Reason:
    where = "" if frame is None else frame.path
    kind = "position-refused"
    return Reason(kind, condition_of(kind), "graph", f"the new graph refuses the position: {text}", where)


def _all(frame: Frame) -> Iterator[Frame]:
    yield frame
    for child in frame.children.values():
        yield from _all(child)


def _filled(carried: Any, whole: Any) -> Any:
    """What was carried, with what only the other has."""
    if carried == whole:
        return carried
    mine, theirs = as_object(carried), as_object(whole)
    if mine is not None and theirs is not None:
        both = {key: _filled(value, theirs[key]) if key in theirs else value for key, value in mine.items()}
        return {**theirs, **both}
    if isinstance(carried, list):
        return list(map(_filled, as_list(carried), as_list(whole)))
    return carried


# --- maps ---------------------------------------------------------------------------------------------------


def _other_elements(old: Version, before: str, new: Version, after: str) -> Iterator[Reason]:
    """The maps that would run over other elements, outermost first."""
    bare = [_without_elements(json.loads(text)) for text in (before, after)]
    roots = [
        from_snapshot(version.graph, json.dumps(data), _BLANK)
        for version, data in zip((old, new), bare, strict=True)
    ]
    yield from _compared(roots[0], roots[1])


def _without_elements(data: Any) -> Any:
    """A stored position without the frames of maps."""
    match data:
        case {"root": root, **rest}:
            return {**rest, "root": _without_elements(root)}
        case {"keys": "i", **rest}:
            return {key: value for key, value in rest.items() if key != "children"}
        case {"children": children, **rest}:
            below: Any = children
            return {**rest, "children": {key: _without_elements(child) for key, child in below.items()}}
        case _:
            return data


def _compared(old: Frame, new: Frame) -> Iterator[Reason]:
    match old.plan.nodes.get(old.node), new.plan.nodes.get(new.node):
        case plan.Map() as node, plan.Map() as there if not _alike(old.elements(node), new.elements(there)):
            kind = "elements-differ"
            text = f"map `{there.name}` would run over other elements"
            yield Reason(kind, condition_of(kind), f"node/{there.name}", text, old.where())
        case _:
            pass
    for key, child in old.children.items():
        if key in new.children:
            yield from _compared(child, new.children[key])


def _alike(old: Any, new: Any) -> bool:
    """Whether a value of the new version is that of the old one, but for what is new in it."""
    before, after = _plain(old), _plain(new)
    fields, others = as_object(before), as_object(after)
    if fields is not None and others is not None:
        return all(key in others and _alike(value, others[key]) for key, value in fields.items())
    if isinstance(before, list) and isinstance(after, list):
        one, other = as_list(before), as_list(after)
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(before == after)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
