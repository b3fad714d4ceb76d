"""From two versions of a graph to which of its steps cannot have noticed the change; no log is needed.

A step of a node is made of its element, the edges that leave it, the mutations it records and the types and
fields that all of these mention. Where none of them differs, the new graph does in that step what the old one
did, whatever the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, cast

from ..forms.version import Version
from ..migrating.data import States
from ..plan import END

_TYPES = frozenset({"enum", "record", "union", "state"})
_SAME_VALUE = ("type", "range", "length", "pattern")


class Unchanged:
    """What of an old version is the same in a new one."""

    def __init__(self, old: Version, new: Version | None) -> None:
        self.old = old
        self.new = new
        self._there: Mapping[str, str] = {} if new is None else new.texts
        self._same: dict[str, bool] = {}
        self._quiet: dict[str, bool] = {}

    def element(self, id: str) -> bool:
        """Whether an element, and all that it mentions, is the same; also where neither version has it."""
        found = self._same.get(id)
        if found is None:
            found = self._same[id] = self.old.texts.get(id) == self._there.get(id) and not (
                id in self.old.elements and self._mentions_changed(self.old.elements[id])
            )
        return found

    def edges(self, source: str) -> bool:
        """Whether all that leaves a source is the same (`a`, `start`, `p/branch/start`)."""
        return self.element(f"edges/{source}")

    def start(self, region: str) -> bool:
        """Whether a region begins as it did."""
        return self.edges(f"{region}/start" if region else "start")

    def mutation(self, name: str) -> bool:
        """Whether a mutation is the same."""
        return self.element(f"state/mutation/{name}")

    def step(self, node: str, recorded: Iterable[str]) -> bool:
        """Whether a step of a node that recorded these mutations is what it would be in the new version."""
        return self.element(f"node/{node}") and self.edges(node) and all(map(self.mutation, recorded))

    def quiet(self, node: str) -> bool:
        """Whether that holds whatever the node records."""
        found = self._quiet.get(node)
        if found is None:
            found = self._quiet[node] = self.step(node, recordable(self.old, node))
        return found

    def whole(self, node: str) -> bool:
        """Whether that holds for all that happens within the node, too."""
        element = self.old.node(node) or {}
        below = self.old.run_by(node)
        if below is not None:
            after = None if self.new is None else self.new.run_by(node)
            if after is None or after.hash != below.hash:
                return False
        if not self.quiet(node):
            return False
        if element.get("kind") != "parallel":
            return True
        inside = [
            id.removeprefix("node/")
            for id, one in self.old.elements.items()
            if id.startswith("node/") and str(one.get("region", "")).startswith(f"{node}/")
        ]
        branches = element.get("branches", ())
        return all(self.start(f"{node}/{branch}") for branch in branches) and all(map(self.whole, inside))

    @cached_property
    def counted(self) -> frozenset[str]:
        """Sources of edges that one of the versions counts and that are not the same in both."""
        return frozenset(
            source
            for version in (self.old, self.new)
            if version is not None
            for id, element in version.elements.items()
            if id.startswith("edges/")
            and any("max_visits" in edge for edges in element.values() for edge in edges)
            and not self.edges(source := id.removeprefix("edges/"))
        )

    @cached_property
    def counted_names(self) -> frozenset[str]:
        """The sources as keys of edges name them: those of all regions begin with `start`."""
        return frozenset(source.rpartition("/")[2] for source in self.counted)

    @cached_property
    def states(self) -> States:
        """Carries states of a run's past from the old version to the new one."""
        return States(self.old, self.old if self.new is None else self.new, earlier=True)

    def start_same(self, node: str) -> bool:
        """Whether the frames below a node surely begin as they did, also those that no step was made in."""
        element = self.old.node(node) or {}
        match element.get("kind"):
            case "parallel":
                branches = element.get("branches", ())
                return self.element(f"node/{node}") and all(self.start(f"{node}/{one}") for one in branches)
            case "subgraph" | "map":
                return self.whole(node)
            case _:
                return True

    def begins(self, region: str) -> bool:
        """Whether a frame begins as it did, given the same values: at the same node, with the same fields."""
        return self.start(region) and (bool(region) or self._same_fields)

    @cached_property
    def _same_fields(self) -> bool:
        fields = {id for id in {*self.old.texts, *self._there} if "/field/" in id}
        return all(self.element(id) for id in fields)

    @cached_property
    def fits(self) -> bool:
        """Whether every state of the old version surely is one of the new one."""
        if self.new is None:
            return False
        for id, element in self.old.elements.items():
            family = id.rpartition("/")[0]
            if family == "state/field" or family.startswith("substate/"):
                after = self.new.elements.get(id)
                if after is None or any(element.get(key) != after.get(key) for key in _SAME_VALUE):
                    return False
                if mentioned(element)[1] & self._changed_types:
                    return False
        return all(
            "default" in element or _optional(element.get("type"))
            for id, element in self.new.elements.items()
            if id.startswith(("state/field/", "substate/")) and id not in self.old.elements
        )

    def parks(self, node: str) -> bool:
        """Whether a run that stands at a node surely has the same place in the new version."""
        if self.new is None or node == END:
            return self.new is not None
        before, after = self.old.node(node), self.new.node(node)
        if before is None or after is None:
            return False
        if before.get("kind") in ("task", "decision"):
            return all(before.get(key) == after.get(key) for key in ("kind", "region"))
        return self.element(f"node/{node}")

    # --- what is mentioned --------------------------------------------------------------------------------

    def _mentions_changed(self, element: Any) -> bool:
        fields, types = mentioned(element)
        return bool(fields & self._changed_fields or types & self._changed_types)

    @cached_property
    def _changed_types(self) -> frozenset[str]:
        """Labels of enums, records, unions and states that differ, or mention one that does."""
        parts: dict[str, list[str]] = {}
        for id in {*self.old.elements, *self._there}:
            family, _, rest = id.partition("/")
            if family in ("enum", "record", "union", "substate"):
                parts.setdefault(rest.partition("/")[0], []).append(id)
        changed = {
            label
            for label, ids in parts.items()
            if any(self.old.texts.get(id) != self._there.get(id) for id in ids)
        }
        uses: dict[str, frozenset[str]] = {
            label: frozenset[str]().union(*(_uses(self.old.elements.get(id)) for id in ids))
            for label, ids in parts.items()
        }
        while more := {label for label in uses if label not in changed and uses[label] & changed}:
            changed |= more
        return frozenset(changed)

    @cached_property
    def _changed_fields(self) -> frozenset[str]:
        return frozenset(
            id.removeprefix("state/field/")
            for id, element in self.old.elements.items()
            if id.startswith("state/field/")
            and (self.old.texts[id] != self._there.get(id) or mentioned(element)[1] & self._changed_types)
        )


def mentioned(form: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The fields and the labels of types that a canonical form mentions; rather too many than too few."""
    fields: set[str] = set()
    types: set[str] = set()
    todo = [form]
    while todo:
        part: Any = todo.pop()
        match part:
            case ["field", str() as name]:
                fields.add(name)
            case [str() as word, str() as label, *rest] if word in _TYPES:
                types.add(label)
                todo.extend(rest)
            case ["is", inner, str() as label]:
                types.add(label)
                todo.append(inner)
            case [*items]:
                todo.extend(items)
            case dict():
                held = cast("dict[str, Any]", part)
                todo.extend(held.values())
                path: list[Any] = held.get("path") or []
                fields.update(str(name) for name in path[:1])
                if isinstance(on := held.get("on"), str):
                    fields.add(on)
                for key in ("ensures", "writes"):
                    fields.update(map(str, held.get(key) or ()))
            case _:
                pass
    return frozenset(fields), frozenset(types)


def _uses(element: Any) -> frozenset[str]:
    """The labels that the declaration of a type mentions."""
    if element is None:
        return frozenset()
    members = element.get("members", ())
    return mentioned(element)[1] | frozenset(map(str, members))


def _optional(type_: Any) -> bool:
    match type_:
        case ["optional", _]:
            return True
        case _:
            return False


@lru_cache(maxsize=4096)
def recordable(version: Version, node: str) -> tuple[str, ...]:
    """The mutations that a step of a node may hold."""
    element = version.node(node) or {}
    found: list[str] = [*element.get("records", ()), *element.get("modify", ())]
    answers: Mapping[str, Mapping[str, Any]] = element.get("decisions") or {}
    for answer in answers.values():
        found.extend(call[0] for call in answer.get("records", ()))
    found.extend(call[0] for call in element.get("out", ()))
    return tuple(dict.fromkeys(map(str, found)))
