"""From two versions of a graph to one drawing plan: all nodes and edges of both, with what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..forms.version import Version
from .edges import partners
from .unparse import as_list, as_object, expression_text, json_text

State: TypeAlias = Literal["same", "added", "removed", "changed"]

_TRIGGERS = ("plain", "when", "else")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node. `region`: the branch that it is in, "" for none; `detail`: what is said below its name."""

    name: str
    kind: str
    region: str
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge. `source` and `target` are nodes, or `start` and `end`, of `region`; `loose`: no edge as such,
    but where code or a decider may send the run."""

    region: str
    source: str
    target: str
    label: str
    state: State
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """All of two versions. `branches`: by parallel, the ids of its regions."""

    nodes: Mapping[str, Drawn]
    arrows: Sequence[Arrow]
    branches: Mapping[str, Sequence[str]]

    def parallel_of(self, region: str) -> str:
        """The parallel that a region is a branch of."""
        return region.partition("/")[0]

    def around(self, node: str) -> Iterator[str]:
        """The parallels that hold a node, from the inside out."""
        region = self.nodes[node].region
        while region and (outer := self.parallel_of(region)) in self.nodes:
            yield outer
            region = self.nodes[outer].region


def merged(old: Version, new: Version) -> Merged:
    """Both versions as one; the same version twice gives just that one."""
    nodes: dict[str, Drawn] = {}
    branches: dict[str, list[str]] = {}
    for version in (new, old):
        for id_, element in version.elements.items():
            name = id_.removeprefix("node/")
            if id_.startswith("node/") and name not in nodes:
                nodes[name] = _drawn(name, old, new)
            if id_.startswith("node/") and element.get("kind") == "parallel":
                known = branches.setdefault(name, [])
                known.extend(
                    id_
                    for branch in as_list(element.get("branches"))
                    if (id_ := f"{name}/{branch}") not in known
                )
    parallels = {id_ for ids in branches.values() for id_ in ids}
    for name, drawn in nodes.items():
        if drawn.region and drawn.region not in parallels:  # a form that says nonsense: drawn outside
            nodes[name] = Drawn(name, drawn.kind, "", drawn.state, drawn.detail)
    return Merged(nodes, [*_arrows(nodes, old, new)], branches)


def _drawn(name: str, old: Version, new: Version) -> Drawn:
    before, after = old.node(name), new.node(name)
    element = after or before or {}
    return Drawn(
        name,
        str(element.get("kind")),
        str(element.get("region", "")),
        _state(_whole(old, name), _whole(new, name)),
        _detail(element),
    )


def _whole(version: Version, name: str) -> str | None:
    """The text of a node and of the graph that it runs."""
    text = version.texts.get(f"node/{name}")
    if text is None:
        return None
    element = version.elements[f"node/{name}"]
    return text + version.texts.get(f"subgraph/{element.get('graph', '')}", "")


def _state(old: str | None, new: str | None) -> State:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "same" if old == new else "changed"


def _detail(element: Mapping[str, Any]) -> str:
    match element.get("kind"):
        case "barrier":
            return "waits for a decision"
        case "subgraph":
            return f"runs {element.get('graph')}"
        case "map":
            return f"runs {element.get('graph')} for each"
        case "parallel":
            return f"join {element.get('join')}" + (f" {count}" if (count := element.get("count")) else "")
        case "task" if element.get("effect") == "once":
            return "effect once"
        case _:
            return ""


# --- arrows -------------------------------------------------------------------------------------------------


def _arrows(nodes: Mapping[str, Drawn], old: Version, new: Version) -> Iterator[Arrow]:
    ids = [id_ for id_ in new.elements if id_.startswith("edges/")]
    ids += [id_ for id_ in old.elements if id_.startswith("edges/") and id_ not in new.elements]
    for id_ in ids:
        region, _, source = id_.removeprefix("edges/").rpartition("/")
        if not region and source != "start":
            if source not in nodes:
                continue
            region = nodes[source].region
        groups = old.elements.get(id_, {}), new.elements.get(id_, {})
        triggers = sorted({*groups[0], *groups[1]}, key=_rank)
        for trigger in triggers:
            sides = [[as_object(edge) or {} for edge in as_list(group.get(trigger))] for group in groups]
            for edge, state in _paired(*sides):
                yield Arrow(region, source, str(edge.get("to")), _label(trigger, edge), state)
    for name, drawn in nodes.items():
        for key in ("goto", "reroute"):
            before, after = (
                [str(one) for one in as_list((version.node(name) or {}).get(key))] for version in (old, new)
            )
            for target in dict.fromkeys([*after, *before]):
                ways: tuple[str | None, str | None] = (
                    key if target in before else None,
                    key if target in after else None,
                )
                yield Arrow(drawn.region, name, target, key, _state(*ways), loose=True)


def _rank(trigger: str) -> tuple[int, str]:
    return (_TRIGGERS.index(trigger) if trigger in _TRIGGERS else len(_TRIGGERS)), trigger


def _paired(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], State]]:
    pairs = partners(old, new)
    back = {after: before for before, after in pairs.items()}
    for at, edge in enumerate(new):
        if at not in back or old[back[at]].get("to") != edge.get("to"):
            yield edge, "added"
        else:
            yield edge, "same" if json_text(old[back[at]]) == json_text(edge) else "changed"
    for at, edge in enumerate(old):
        if at not in pairs or new[pairs[at]].get("to") != edge.get("to"):
            yield edge, "removed"


def _label(trigger: str, edge: Mapping[str, Any]) -> str:
    parts = [expression_text(edge["guard"])] if "guard" in edge else [trigger] * (trigger != "plain")
    if "max_visits" in edge:
        parts.append(f"at most {json_text(edge['max_visits'])} times")
    return " ".join(parts)
