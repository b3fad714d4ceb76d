"""From a node of the old version, where a frame is parked, to why it cannot be parked in the new one.

Asked is only what a parked frame needs: the node is there, of the same kind, in the same region, and what it
has offered or begun is still possible. What it does when it goes on may have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..changes.unparse import type_text
from ..forms.version import Version
from .naming import Names
from .values import Carrier

Element = Mapping[str, Any]


class Trouble(NamedTuple):
    """Why a node is no place: the kind of the reason and a sentence."""

    kind: str
    text: str


class Place:
    """Compares the nodes of one graph as parking places."""

    def __init__(self, old: Version, new: Version, names: Names, values: Carrier) -> None:
        self._old, self._new, self._names, self._values = old, new, names, values

    def troubles(self, old: str, new: str, moved: bool, region: str, entered: Sequence[str]) -> list[Trouble]:
        """Why a frame parked at `old` cannot go on at `new`.

        Args:
            moved: a migration puts it there; what `old` was does not matter.
            region: of the frame, in the new version.
            entered: the branches that it has frames in.
        """
        there = self._new.node(new)
        if there is None:
            was = f"node `{new}`" if old == new or moved else f"node `{old}`, now `{new}`,"
            return [Trouble("node-gone", f"{was} is not there")]
        found: list[Trouble] = []
        if str(there.get("region", "")) != region:
            where = str(there.get("region", ""))
            found.append(
                Trouble("region-changed", f"node `{new}` is in {_region(where)}, not in {_region(region)}")
            )
        before = self._old.node(old)
        if not moved and before is not None:
            if before["kind"] != there["kind"]:
                text = f"node `{new}` is a {there['kind']} now, it was a {before['kind']}"
                found.append(Trouble("kind-changed", text))
            else:
                found.extend(self._same_kind(new, before, there, entered))
        return found

    def _same_kind(
        self, node: str, before: Element, there: Element, entered: Sequence[str]
    ) -> Iterator[Trouble]:
        match before["kind"]:
            case "barrier":
                yield from self._barrier(node, before, there)
            case "parallel":
                for branch in entered:
                    if branch not in there["branches"]:
                        yield Trouble("branch-gone", f"branch `{branch}` of `{node}` is not there")
            case "subgraph" | "map":
                yield from self._graph(node, before, there)
            case _:
                pass

    def _barrier(self, node: str, before: Element, there: Element) -> Iterator[Trouble]:
        offered: Mapping[str, Any] = there["decisions"]
        for answer, was in before["decisions"].items():
            if answer not in offered:
                yield Trouble("decision-gone", f"barrier `{node}` no longer offers `{answer}`")
            elif (why := self._parameters(was["params"], offered[answer]["params"])) is not None:
                yield Trouble("decision-parameters-changed", f"`{answer}` of barrier `{node}` {why}")
        for target in before.get("reroute", ()):
            name = self._names.node(target)
            if name not in there.get("reroute", ()):
                yield Trouble("reroute-gone", f"barrier `{node}` can no longer send a run to `{name}`")
        for mutation in before.get("modify", ()):
            name = self._names.mutation(mutation)
            if name not in there.get("modify", ()):
                yield Trouble("modify-gone", f"barrier `{node}` no longer allows `{name}`")

    def _parameters(self, before: Sequence[Any], there: Sequence[Any]) -> str | None:
        """What is different, for somebody who was told what an answer takes."""
        old, new = dict(before), dict(there)
        for name, type_ in old.items():
            if name not in new:
                return f"no longer takes `{name}`"
            if type_ != new[name]:
                return f"takes `{name}` as `{type_text(new[name])}`, it was `{type_text(type_)}`"
            if not self._values.covers(type_):
                return f"no longer takes every `{type_text(type_)}` for `{name}` that it took"
        more = [name for name in new if name not in old]
        return f"takes `{more[0]}` now" if more else None

    def _graph(self, node: str, before: Element, there: Element) -> Iterator[Trouble]:
        old, new = self._old.inner.get(str(before["graph"])), self._new.inner.get(str(there["graph"]))
        if old is None or new is None or old.name != new.name:
            runs = str(there["graph"])
            yield Trouble(
                "runs-another-graph", f"node `{node}` runs `{runs}` now, it ran `{before['graph']}`"
            )
        field = before.get("on")
        if before["lens"] != there["lens"] or (field and self._names.field(field) != there["on"]):
            yield Trouble("lens-changed", f"node `{node}` reaches its state in another way")


def _region(id: str) -> str:
    parallel, slash, branch = id.partition("/")
    return f"branch `{branch}` of `{parallel}`" if slash else "the graph's own region"
