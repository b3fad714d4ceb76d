"""What lies ahead of a node and behind it, compared with walking there node by node."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from lgc.runtime.changes.uses import Uses
from lgc.runtime.compat.cones import Cones
from lgc.runtime.compat.flow import Flow
from lgc.runtime.forms.version import Version

Elements = dict[str, Any]


def version(elements: Elements) -> Version:
    return Version("lg1:" + "0" * 64, json.dumps({"form": "lg1", "elements": elements}))


def random_graph(dice: Random) -> Elements:
    """A graph of tasks and parallels with loops, over a few fields, mutations and a record."""
    elements: Elements = {"graph": {"name": "g", "state": "S", "max_steps": 9}}
    elements["record/R"] = {"fields": {"x": {"type": "int"}}}
    for name in "fgh":
        elements[f"state/field/{name}"] = {"type": ["record", "R"] if name == "h" else "int"}
        body = [{"op": "set", "path": [name], "value": ["param", "p"]}]
        elements[f"state/mutation/Set{name}"] = {"params": [["p", "int"]], "body": body}
    _region(dice, elements, "", 0)
    return elements


def _region(dice: Random, elements: Elements, region: str, depth: int) -> None:
    names = [f"n{len(elements)}x{at}" for at in range(dice.randint(1, 4))]
    for name in names:
        where = {"region": region} if region else {}
        if depth < 2 and dice.random() < 0.3:
            elements[f"node/{name}"] = {"kind": "parallel", "branches": ["a", "b"], "join": "all", **where}
            for branch in "ab":
                _region(dice, elements, f"{name}/{branch}", depth + 1)
        else:
            elements[f"node/{name}"] = {
                "kind": "task",
                "effect": dice.choice(["pure", "once"]),
                "reads": dice.sample("fgh", dice.randint(0, 2)),
                "records": [f"Set{field}" for field in dice.sample("fgh", dice.randint(0, 2))],
                **where,
            }
    start = f"edges/{region}/start" if region else "edges/start"
    elements[start] = {"plain": [{"to": dice.choice([*names, names[0]])}]}
    for at, name in enumerate(names):
        after = names[at + 1] if at + 1 < len(names) else "end"
        back = {"to": dice.choice(names), "guard": ["==", ["field", dice.choice("fgh")], 1]}
        elements[f"edges/{name}"] = {
            "else": [{"to": after}],
            **({"when": [back]} if dice.random() < 0.4 else {}),
        }


def edited(dice: Random, elements: Elements) -> Elements:
    """The same with one small edit somewhere."""
    new: Elements = json.loads(json.dumps(elements))
    id_ = dice.choice([one for one in new if one != "graph"])
    match id_.split("/")[0], new[id_]:
        case "node", {"kind": "task"} as node:
            node[dice.choice(["effect", "records"])] = dice.choice([["Setf"], ["Seth"], []])
        case "edges", edges:
            edges["on error"] = [{"to": "end"}]
        case "state", {"type": _} as field:
            field["default"] = 7
        case "state", mutation:
            mutation["body"][0]["op"] = "add"
        case "record", record:
            record["fields"]["y"] = {"type": "int"}
        case _, other:
            other["join"] = "any"
    return new


class Naive:
    """Walks over the content, without any sharing."""

    def __init__(self, elements: Elements) -> None:
        self.elements = elements
        self.version = version(elements)
        self.flow = Flow(self.version)
        self.uses = Uses(self.version)

    def content(self, ids: Iterator[str] | list[str], behind: bool) -> frozenset[str]:
        todo, seen = list(ids), set[str]()
        while todo:
            id_ = todo.pop()
            if id_ not in seen and id_ in self.elements:
                seen.add(id_)
                todo.extend(self.uses.of(id_))
                if id_.startswith("node/") and not behind:
                    todo.extend(self.uses.shown(id_.removeprefix("node/")))
        return frozenset(f"{id_} {self._written(id_, behind)}" for id_ in seen)

    def _written(self, id_: str, behind: bool) -> str:
        left_out = ("reads", "effect") if behind and id_.startswith("node/") else ()
        kept = {key: value for key, value in self.elements[id_].items() if key not in left_out}
        return json.dumps(kept, sort_keys=True)

    def after(self, node: str) -> list[str]:
        """Who may come next, branches and joins included."""
        region = self.flow.regions[self.elements[f"node/{node}"].get("region", "")]
        at = [*region.nodes].index(node)
        found = [region.nodes[next_] for next_ in region.follows[at]]
        if region.ends[at] and region.id:
            found.append(f"leave {region.id.split('/')[0]}")
        return found

    def ahead(self, node: str) -> frozenset[str]:
        ids, todo, seen = list[str](), [node], set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            bare = name.removeprefix("leave ")
            ids.append(f"edges/{bare}")
            branches = self.elements[f"node/{bare}"].get("branches", ())
            if name != bare or not branches:
                todo.extend(self.after(bare))
            if name == bare:
                ids.append(f"node/{bare}")
                todo.extend([f"leave {bare}"] if branches else [])
                for branch in branches:
                    region = self.flow.regions[f"{bare}/{branch}"]
                    ids.append(region.start)
                    todo.extend(region.nodes[at] for at in region.first)
        return self.content(ids, behind=False)

    def inside(self, node: str) -> Iterator[str]:
        """A completed step of a node, with everything within."""
        yield from (f"node/{node}", f"edges/{node}")
        for branch in self.elements[f"node/{node}"].get("branches", ()):
            region = self.flow.regions[f"{node}/{branch}"]
            yield region.start
            for name in region.nodes:
                yield from self.inside(name)

    def behind(self, node: str) -> frozenset[str]:
        ids, todo, seen = list[str](), [node], set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            region = self.flow.regions[self.elements[f"node/{name}"].get("region", "")]
            at = [*region.nodes].index(name)
            if at in region.first:
                ids.append(region.start)
                if region.id:
                    outer, branch = region.id.split("/")
                    todo.append(outer)
                    for other in self.elements[f"node/{outer}"]["branches"]:
                        if other != branch:
                            beside = self.flow.regions[f"{outer}/{other}"]
                            ids.append(beside.start)
                            ids.extend(id_ for each in beside.nodes for id_ in self.inside(each))
            for before, follows in zip(region.nodes, region.follows, strict=True):
                if at in follows:
                    ids.extend(self.inside(before))
                    todo.append(before)
        return self.content(ids, behind=True)


@pytest.mark.parametrize("seed", range(25))
def test_digests_are_equal_where_what_can_be_walked_to_is(seed: int) -> None:
    dice = Random(seed)
    elements = random_graph(dice)
    old = Naive(elements)
    before = Cones(old.version)
    for _ in range(4):
        new = Naive(edited(dice, elements))
        after = Cones(new.version)
        for name in before.ahead:
            assert (old.ahead(name) == new.ahead(name)) == (before.ahead[name] == after.ahead[name])
            assert (old.behind(name) == new.behind(name)) == (before.behind[name] == after.behind[name])


def test_an_edit_elsewhere_is_seen_from_one_side_only() -> None:
    elements: Elements = {"graph": {"name": "g", "state": "S", "max_steps": 9}}
    for at in range(5):
        elements[f"node/n{at}"] = {"kind": "task", "effect": "pure"}
        elements[f"edges/n{at}"] = {"plain": [{"to": f"n{at + 1}" if at < 4 else "end"}]}
    elements["edges/start"] = {"plain": [{"to": "n0"}]}
    changed = {**elements, "edges/n2": {"plain": [{"to": "n4"}]}}
    old, new = Cones(version(elements)), Cones(version(changed))
    assert [old.ahead[name] == new.ahead[name] for name in old.ahead] == [False] * 3 + [True] * 2
    assert [old.behind[name] == new.behind[name] for name in old.behind] == [True] * 3 + [False] * 2


def test_depth_is_no_limit() -> None:
    """A chain of 2,000 nodes and parallels 200 deep."""
    elements: Elements = {"graph": {"name": "g", "state": "S", "max_steps": 9}}
    elements["edges/start"] = {"plain": [{"to": "n0"}]}
    for at in range(2_000):
        elements[f"node/n{at}"] = {"kind": "task", "effect": "pure"}
        elements[f"edges/n{at}"] = {"plain": [{"to": f"n{at + 1}" if at < 1_999 else "p0"}]}
    for at in range(200):
        region = {"region": f"p{at - 1}/a"} if at else {}
        elements[f"node/p{at}"] = {"kind": "parallel", "branches": ["a"], "join": "all", **region}
        elements[f"edges/p{at}"] = {"plain": [{"to": "end"}]}
        elements[f"edges/p{at}/a/start"] = {"plain": [{"to": f"p{at + 1}" if at < 199 else "end"}]}
    cones = Cones(version(elements))
    assert len({*cones.ahead.values()}) == len({*cones.behind.values()}) == 2_200
