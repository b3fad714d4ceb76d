"""Random states and random sound migrations: what no step names stays as it is, there and back."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.positions import version

from lgc.runtime.forms.version import Version
from lgc.runtime.migrating.moved import moved

TYPES = """
enum E { x, y }
record R { n: int  m: str? }
record Q { e: E  r: list[R] = [] }
union U = R | Q
state T { k: int = 0  u: U? }
"""
R1, Q1 = {"n": 3, "m": None}, {"e": "y", "r": [{"n": -1, "m": "ä"}]}
VALUES: dict[str, list[Any]] = {
    "int": [0, -7, 2**70],
    "float": [0.5, -0.0, 1e300],
    "str": ["", "ä\u2028🙂", '"\\'],
    "bool": [True, False],
    "bytes": ["", "__79Pz8-"],
    "decimal": ["1.50", "-0"],
    "datetime": ["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000001+02:00"],
    "date": ["2024-02-29"],
    "duration": ["PT1.5S", "-P1D"],
    "uuid": ["12345678-1234-5678-1234-567812345678"],
    "json": [{"a": [1, None, {"b": "c"}]}, [], "text", 5],
    "E": ["x", "y"],
    "R": [R1],
    "U": [{"kind": "R", **R1}, {"kind": "Q", **Q1}],
    "T": [{"k": 1, "u": None}, {"k": 2, "u": {"kind": "R", **R1}}],
    "int?": [None, 4],
    "list[U]": [[], [{"kind": "Q", **Q1}, {"kind": "R", **R1}]],
    "set[int]": [[], [-2, 1, 5]],
    "dict[int, list[str]]": [{}, {"-3": ["a"], "5": []}],
    "dict[E, R]": [{}, {"y": R1}],
}
NODES = ("a", "b", "c", "d")


class Drawn(NamedTuple):
    """An old version, a position under it, a new version with a migration, and what has to come of it."""

    old: Version
    new: Version
    position: dict[str, Any]
    expected: dict[str, Any]
    block: str


def text(fields: dict[str, str], nodes: tuple[str, ...], more: str = "") -> str:
    declared = "\n".join(f"  {name}: {type_}" for name, type_ in fields.items())
    tasks = " ".join(f"task {node} {{}}" for node in nodes)
    way = " -> ".join(("start", *nodes, "end"))
    return f"{TYPES}state S {{\n{declared}\n{more}\n}}\ngraph g(S) {{ {tasks} {way} }}\n"


def drawn(pick: random.Random, *, only_renames: bool) -> Drawn:
    types = pick.choices(list(VALUES), k=pick.randint(1, 8))
    fields = {f"f{at}": type_ for at, type_ in enumerate(types)}
    state = {name: pick.choice(VALUES[type_]) for name, type_ in fields.items()}
    renames = shuffled(pick, list(fields))
    nodes = shuffled(pick, list(NODES))
    steps = [f"rename field {old} to {new}" for old, new in renames.items() if old != new]
    steps += [f"rename node {old} to {new}" for old, new in nodes.items() if old != new]
    dropped = set[str]() if only_renames else {name for name in fields if pick.random() < 0.2}
    steps = [step for step in steps if step.split()[1] == "node" or step.split()[2] not in dropped]
    steps += [f"drop field {name}" for name in dropped]
    there = {renames[name]: type_ for name, type_ in fields.items() if name not in dropped}
    after = {renames[name]: value for name, value in state.items() if name not in dropped}
    more = ""
    if not only_renames:
        more, after["more"], after["copy"] = "  more: int = 5\n  copy: str", 5, f"{len(fields)} of them"
        steps.append(f'set copy = str({len(fields)}) + " of them"')
    pick.shuffle(steps)
    at = pick.randrange(len(NODES))
    counts = {node: pick.randint(1, 3) for node in NODES[:at]}
    position = {
        "node": NODES[at], "since": 1.5, "counts": counts, "taken": {}, "done": sum(counts.values()),
        "state": state,
    }  # fmt: skip
    expected = {
        **position, "node": nodes[NODES[at]], "state": after,
        "counts": {nodes[node]: count for node, count in counts.items()},
    }  # fmt: skip
    old = version(text(fields, NODES))
    block = f'migrate g from "{old.hash}" {{ {" ".join(steps)} }}'
    new = version(text(there, tuple(nodes[node] for node in NODES), more) + block)
    return Drawn(old, new, position, expected, block)


def shuffled(pick: random.Random, names: list[str]) -> dict[str, str]:
    """New names: some of the old ones in another place, some that nobody had."""
    fresh = [f"{name}_" if pick.random() < 0.3 else name for name in names]
    if pick.random() < 0.7:
        pick.shuffle(fresh)
    return dict(zip(names, fresh, strict=True))


def snapshot(position: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "root": position})


def root_of(text: str) -> Any:
    return json.loads(text)["root"]


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_no_step_names_stays(pick: random.Random) -> None:
    one = drawn(pick, only_renames=False)
    done = moved(snapshot(one.position), one.old, one.new, one.new.migrations)
    assert not done.reasons, (one.block, done.reasons)
    assert json.dumps(root_of(done.snapshot), sort_keys=True) == json.dumps(one.expected, sort_keys=True)


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_there_and_back_is_where_it_was(pick: random.Random) -> None:
    one = drawn(pick, only_renames=True)
    there = moved(snapshot(one.position), one.old, one.new, one.new.migrations)
    names = [line.split() for line in one.block.split("rename ")[1:]]
    inverse = " ".join(f"rename {words[0]} {words[3]} to {words[1]}" for words in names)
    source = text({name: field_type(one.old, name) for name in one.position["state"]}, NODES)
    home = version(f'{source}migrate g from "{one.new.hash}" {{ {inverse} }}')
    assert home.hash == one.old.hash
    back = moved(there.snapshot, one.new, home, home.migrations)
    assert not back.reasons, (one.block, back.reasons)
    assert json.dumps(root_of(back.snapshot), sort_keys=True) == json.dumps(one.position, sort_keys=True)


def field_type(old: Version, name: str) -> str:
    from lgc.runtime.changes.unparse import type_text

    return type_text(old.elements[f"state/field/{name}"]["type"])


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_version_that_differs_in_nothing_stored_changes_nothing(pick: random.Random) -> None:
    types = pick.choices(list(VALUES), k=6)
    fields = {f"f{at}": type_ for at, type_ in enumerate(types)}
    state = {name: pick.choice(VALUES[type_]) for name, type_ in fields.items()}
    old = version(text(fields, NODES))
    new = version(text(fields, NODES).replace("-> end", "-> end  max_steps 99"))
    position = {"node": "c", "since": 2.0, "counts": {"a": 1, "b": 1}, "taken": {}, "done": 2, "state": state}
    done = moved(snapshot(position), old, new)
    assert not done.reasons
    assert json.dumps(root_of(done.snapshot), sort_keys=True) == json.dumps(position, sort_keys=True)
    assert moved(snapshot(position), old, old).snapshot == snapshot(position)
