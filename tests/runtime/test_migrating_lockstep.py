"""A run whose names were all changed goes on as one whose names were not, step by step."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from tests.runtime.positions import move, start, stored, version

from lgc.runtime import plan
from lgc.runtime.forms.version import Version
from lgc.runtime.machine.completion import complete, complete_joined
from lgc.runtime.machine.frame import Frame
from lgc.runtime.machine.position import from_snapshot, locate, unfold
from lgc.runtime.values.state import Transients

SOURCE = """
state Inner {
  depth: int = 0
  words: list[str] = []
  mutation Dig(by: int)  { depth += by }
  mutation Tell(w: str)  { words += [w] }
}
state Outer {
  total: int = 0
  words: list[str] = []
  items: list[int] = [4, 5]
  best:  int = 0  merge max
  held:  Inner
  mutation Add(by: int)  { total += by }
  mutation Tell(w: str)  { words += [w] }
  mutation Best(best)
}
graph review(Inner) {
  task digs { records Dig, Tell }
  barrier sure { timeout 1h  decision yes  decision no(why: str) records Tell(why)  modify Dig }
  start -> digs -> sure
  sure -> digs on no max_visits 2
  sure -> end on no
  sure -> end on yes
  sure -> end on timeout
}
graph same(Outer) {
  task adds { records Add, Tell }
  task ends { records Add }
  start -> adds  adds -> adds when total < 3 max_visits 2  adds -> ends else  ends -> end
}
graph g(Outer) {
  task first { records Add, Best }
  parallel fork {
    branch a {
      start -> loops
      loops -> loops when visits(loops) < 2 max_visits 3
      loops -> asks else
      asks -> end on yes
      asks -> loops on no max_visits 1
      asks -> end on no
      asks -> end on timeout
    }
    branch b { start -> every -> end }
    branch c { start -> field -> whole -> end }
  }
  task loops { records Tell, Best }
  barrier asks { timeout 1h  decision yes  decision no }
  map every = review { over items as item  in depth = item  out Tell(str(depth)) }
  subgraph field = review { on held }
  subgraph whole = same { }
  task last { records Add, Best }
  start -> first -> fork -> last
  last -> first when total < 9 max_visits 2
  last -> end else
}
"""
FIELDS = {"g": ("total", "words", "items", "best", "held"), "review": ("depth", "words"), "same": ()}
MUTATIONS = {"g": ("Add", "Tell", "Best"), "review": ("Dig", "Tell"), "same": ()}
NODES = {
    "g": ("first", "fork", "loops", "asks", "every", "field", "whole", "last"),
    "review": ("digs", "sure"),
    "same": ("adds", "ends"),
}


def renaming(pick: random.Random) -> dict[str, str]:
    """New names for everything that a migration can rename; some take each other's."""
    found: dict[str, str] = {}
    for names in (FIELDS, MUTATIONS, NODES):
        words = sorted({word for group in names.values() for word in group})
        new = [f"{word}2" if pick.random() < 0.5 else word for word in words]
        pick.shuffle(new)
        found.update(zip(words, new, strict=True))
    return found


def spoken(text: str, names: dict[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda found: names.get(found[0], found[0]), text)


def blocks(old: Version, names: dict[str, str]) -> str:
    """The migrations that say so, one for each graph."""
    told: list[str] = []
    for graph, version_ in {"g": old, **old.inner}.items():
        steps = [
            f"rename {what} {word} to {names[word]}"
            for what, groups in (("field", FIELDS), ("mutation", MUTATIONS), ("node", NODES))
            for word in (*groups[graph], *(groups["g"] if graph == "same" and what != "node" else ()))
            if names[word] != word
        ]
        told.append(f'migrate {graph} from "{version_.hash}" {{ {" ".join(steps)} }}')
    return "\n".join(told)


def choices(root: Frame) -> list[tuple[str, str]]:
    """What can be done next: a frame's path and `leaf` or `join`."""
    unfold(root)
    found: list[tuple[str, str]] = []
    for frame in root.active():
        node = frame.plan.nodes.get(frame.node)
        if isinstance(node, (plan.Task, plan.Barrier)):
            found.append((frame.path, "leaf"))
        elif node is not None and all(child.node == plan.END for child in frame.children.values()):
            found.append((frame.path, "join"))
    return found


def act(root: Frame, path: str, what: str, chance: int, names: dict[str, str]) -> None:
    """Do it, under other names; what is recorded depends on `chance` only."""
    frame = locate(root, spoken(path, names))
    unfold(frame)
    node: Any = frame.plan.nodes[frame.node]
    if what == "join":
        first = list(node.branches) if isinstance(node, plan.Parallel) else range(len(frame.children))
        keys: list[str | int] = [""] if "" in frame.children else list(first)
        complete_joined(frame, keys)
    elif isinstance(node, plan.Barrier):
        answer = ("yes", "no", "timeout")[chance % 3]
        given = node.answers.get(answer)
        arguments = {"why": "because"} if given and "why" in given.arguments.model_fields else {}
        recorded = given.records(frame.state, given.arguments(**arguments)) if given else ()
        complete(frame, answer, recorded)
    else:
        kinds: dict[str, Any] = {str(kind.__lg_name__): kind for kind in node.records}
        back = {new: old for old, new in names.items()}
        chosen = sorted(kinds, key=lambda name: str(back.get(name, name)))[chance % len(kinds)]
        (parameter,) = kinds[chosen].model_fields
        value: Any = f"w{chance}" if kinds[chosen].model_fields[parameter].annotation is str else chance % 3
        complete(frame, "ok", (kinds[chosen](**{parameter: value}),))


def ran(root: Frame, pick: random.Random, others: list[Frame], names: dict[str, str], most: int) -> None:
    """Go on by chance, in lockstep with others under other names."""
    for _ in range(most):
        there = choices(root)
        if not there:
            return
        path, what = pick.choice(there)
        chance = pick.randrange(1_000)
        act(root, path, what, chance, {})
        for other in others:
            act(other, path, what, chance, names)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_run_under_other_names(seed: int) -> None:
    pick = random.Random(seed)
    old = version(SOURCE)
    names = renaming(pick)
    new = version(spoken(SOURCE, names) + blocks(old, names))
    root = start(old)
    ran(root, pick, [], {}, pick.randrange(40))
    before = stored(root)
    done = move(root, old, new)
    assert not done.reasons, done.reasons
    assert json.loads(done.snapshot) == json.loads(spoken(before, names))
    twin = from_snapshot(new.graph, done.snapshot, Transients(blank=True))
    ran(root, pick, [twin], names, 60)
    assert json.loads(stored(twin)) == json.loads(spoken(stored(root), names))
