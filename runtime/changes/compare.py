"""From two canonical forms to what changed between them, element by element.

A refused restore says with this why it was refused. The input is the canonical JSON of `lgc hash --canonical`
(text, or already parsed): `{"elements": {ID: ELEMENT, …}, "form": "lg1"}`. Nothing is looked up anywhere
else, and what the JSON holds beyond the known forms is still compared, only worded less well: for every
element that differs there is at least one change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from ..forms.version import Version
from . import details
from .change import Change, Kind, Notes, shortened
from .classify import family_of, kind_name
from .edges import edges
from .unparse import as_object, json_text, same

__all__ = ["Change", "Kind", "between", "compare"]

Form: TypeAlias = Mapping[str, Any]

_NOTHING: Form = {}


def compare(old: str | Form, new: str | Form) -> tuple[Change, ...]:
    """What changed from one canonical form to another: data first, then nodes, edges and graphs run.

    Raises:
        ValueError: a text is not the JSON of a canonical form.
    """
    before, after = _read(old), _read(new)
    versions = [str(form.get("form")) for form in (before, after)]
    found: list[Change] = []
    if versions[0] != versions[1]:
        text = f"the canonical form is written as `{versions[1]}`, not as `{versions[0]}`"
        found.append(Change("form", "changed", "", versions[0], versions[1], text))
    old_elements, new_elements = (as_object(form.get("elements")) or _NOTHING for form in (before, after))
    ids = [
        id_
        for id_ in old_elements.keys() | new_elements.keys()
        if not same(old_elements.get(id_), new_elements.get(id_))
    ]
    return _classified([*found, *_elements(ids, old_elements, new_elements)], old_elements, new_elements)


def between(old: Version, new: Version) -> tuple[Change, ...]:
    """What changed from one version of a graph to another; the quicker way for large graphs."""
    if old.hash == new.hash:
        return ()
    ids = [id_ for id_ in old.texts.keys() | new.texts.keys() if old.texts.get(id_) != new.texts.get(id_)]
    return _classified(_elements(ids, old.elements, new.elements), old.elements, new.elements)


def _elements(ids: Iterable[str], old: Form, new: Form) -> Iterator[Change]:
    for id_ in sorted(ids, key=_rank):
        yield from _element(id_, as_object(old.get(id_)), as_object(new.get(id_)))


def _classified(found: Iterable[Change], old: Form, new: Form) -> tuple[Change, ...]:
    return tuple(replace(one, name=kind_name(one, old, new)) for one in found)


def _read(form: str | Form) -> Form:
    if not isinstance(form, str):
        return form
    try:
        value = as_object(json.loads(form))
    except RecursionError as error:
        raise ValueError("not a canonical form: nested too deep") from error
    except ValueError as error:
        raise ValueError(f"not a canonical form: {error}") from error
    if value is None or as_object(value.get("elements")) is None:
        raise ValueError('not a canonical form: it must be an object with "elements"')
    return value


_ORDER = ("graph", "state", "substate", "enum", "record", "union", "node", "edges", "subgraph")


def _rank(id_: str) -> tuple[int, str]:
    family = id_.partition("/")[0]
    return (_ORDER.index(family) if family in _ORDER else len(_ORDER)), id_


def _element(id_: str, old: Form | None, new: Form | None) -> list[Change]:
    """The changes of one element."""
    notes = Notes(id_, _subject(id_, old, new))
    family = family_of(id_)
    if family == "edges":
        edges(notes, old or _NOTHING, new or _NOTHING)
    elif old is None or new is None:
        show: Callable[[Form], str] = _SHORT.get(family, json_text)
        notes.whole(None if old is None else show(old), None if new is None else show(new))
    elif family in _DETAILS:
        _DETAILS[family](notes, old, new)
    if not notes.changes:  # something that this version does not know
        texts = json_text(old), json_text(new)
        notes.add(
            "", texts, f"{notes.subject} changed from `{shortened(texts[0])}` to `{shortened(texts[1])}`"
        )
    return notes.changes


def _subject(id_: str, old: Form | None, new: Form | None) -> str:
    first, *rest = id_.split("/")
    match first, rest:
        case "graph", []:
            return f"graph `{(new or old or _NOTHING).get('name')}`"
        case "state", [kind, name]:
            return f"{kind} `{name}`"
        case "substate", [state, kind, name]:
            return f"{kind} `{name}` of state `{state}`"
        case (("enum" | "record" | "union" | "node" | "subgraph"), [name]):
            return f"{first} `{name}`"
        case _:
            return f"`{id_}`"


def _node_text(form: Form) -> str:
    return str(form.get("kind"))


_DETAILS: dict[str, Callable[[Notes, Form, Form], None]] = {
    "graph": details.graph,
    "field": details.field,
    "mutation": details.mutation,
    "enum": details.members,
    "record": details.record,
    "union": details.members,
    "node": details.node,
    "subgraph": details.subgraph,
}
_SHORT: dict[str, Callable[[Form], str]] = {
    "field": details.field_text,
    "mutation": details.mutation_text,
    "enum": details.members_text,
    "record": details.record_text,
    "union": details.members_text,
    "node": _node_text,
}
