"""From a canonical form to which of its elements mention which.

Nodes and edges mention mutations and fields, these mention types. Rather too much is taken for a mention than
too little: who asks wants to know what cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..forms.version import Version
from .unparse import as_list, as_object

_MENTION = re.compile(r'\["(field|enum|record|union|state)","([\w#]+)"')
_IS = re.compile(r'"([\w#]+)"\]')  # `["is", OPERAND, RECORD]` has its record at the end


class Uses:
    """Which elements of a version mention which."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._substates: dict[str, list[str]] = {}
        for id_ in version.elements:
            if id_.startswith("substate/"):
                self._substates.setdefault(id_.split("/")[1], []).append(id_)
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, id: str) -> tuple[str, ...]:
        """The elements that one mentions itself, without those that it only shows to a function."""
        text = self._version.texts.get(id, "")
        if id.startswith("edges/") and '["' not in text:
            return ()
        key = text if id.startswith(("node/", "edges/")) else id  # many nodes say the same
        found = self._known.get(key)
        if found is None:
            there = self._version.elements
            found = tuple(dict.fromkeys(one for one in self._mentions(id) if one in there))
            self._known[key] = found
        return found

    def shown(self, node: str) -> tuple[str, ...]:
        """The fields that a task reads."""
        names = [str(name).removesuffix("!") for name in as_list(self._element(f"node/{node}").get("reads"))]
        there = self._version.elements
        if "*" in names:
            return tuple(id_ for id_ in there if id_.startswith("state/field/"))
        return tuple(f"state/field/{name}" for name in names if f"state/field/{name}" in there)

    def recordable(self, node: str) -> tuple[str, ...]:
        """The mutations that a step of a node may hold, by name."""
        element = self._element(f"node/{node}")
        names = [*as_list(element.get("records")), *as_list(element.get("modify"))]
        calls = [*as_list(element.get("out"))]
        for decision in (as_object(element.get("decisions")) or {}).values():
            calls.extend(as_list((as_object(decision) or {}).get("records")))
        names.extend(call[0] for call in calls if as_list(call))
        return tuple(dict.fromkeys(map(str, names)))

    def _element(self, id: str) -> Mapping[str, Any]:
        return self._version.elements.get(id, {})

    def _mentions(self, id: str) -> Iterator[str]:
        text = self._version.texts.get(id, "")
        for family, name in _MENTION.findall(text):
            if family == "field":
                yield f"state/field/{name}"
            elif family == "state":
                yield from self._substates.get(name, ())
            else:
                yield f"{family}/{name}"
        if '["is",' in text:
            for name in _IS.findall(text):
                yield f"record/{name}"
        element = self._element(id)
        if id.startswith("node/"):
            for name in self.recordable(id.removeprefix("node/")):
                yield f"state/mutation/{name}"
            fields: Iterable[Any] = [*as_list(element.get("ensures")), element.get("on")]
            yield from (f"state/field/{name}" for name in fields)
        elif "/mutation/" in id:
            yield from (f"state/field/{name}" for name in as_list(element.get("writes")))
            for statement in as_list(element.get("body")):
                path: Sequence[Any] = as_list((as_object(statement) or {}).get("path"))
                yield f"state/field/{path[0] if path else ''}"
        elif id.startswith("union/"):
            yield from (f"record/{name}" for name in as_list(element.get("members")))
