"""Cycles that nothing limits: against the definition, set by set, on small random graphs; and in time.

A set of nodes is a cycle where a run can go round in it and visit all of it. It is unlimited where no node
of it can leave it by an edge whose choice depends on what the set changes. Here every set is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise
from random import Random

import pytest

from lgc.compiler import check
from lgc.compiler.effects.components import components
from lgc.dsl.source import Source

FIELDS = ("a", "b")
STATE = """
state S {
  a: int = 0
  b: int = 0
  mutation A() { a += 1 }
  mutation B() { b += 1 }
}
"""


class Small:
    """A random graph, as text and as what its text means.

    Attributes:
        ways: where each node leads without `max_visits`.
        leaves: per node, targets with the fields that choosing them depends on; None: always changing.
        changes: per node, the fields that it changes.
    """

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        names = [f"n{number}" for number in range(random.randint(1, 5))]
        self.ways: dict[str, list[str]] = {}
        self.leaves: dict[str, list[tuple[str, set[str] | None]]] = {}
        self.changes: dict[str, set[str]] = {}
        self.barriers: set[str] = set()
        lines = [f"  start -> {names[0]}"]
        for name in names:
            self.ways[name], self.leaves[name], self.changes[name] = [], [], set()
            if random.random() < 0.08:
                self.barriers.add(name)
                lines.append(f"  barrier {name} {{ timeout 1h }}")
                lines += [f"  {name} -> {random.choice([*names, 'end'])} on approve"]
                lines += [f"  {name} -> end on reject", f"  {name} -> end on timeout"]
                continue
            self.changes[name] = {field for field in FIELDS if random.random() < 0.25}
            records = ", ".join(sorted(field.upper() for field in self.changes[name]))
            lines.append(f"  task {name} {{ {'records ' + records if records else ''} }}")
            self._edges(random, name, [*names, "end"], lines)
        self.names = names
        self.text = STATE + "graph g(S) {\n" + "\n".join(lines) + "\n}\n"

    def _edges(self, random: Random, name: str, targets: list[str], lines: list[str]) -> None:
        asked: set[str] = set()
        counting = False
        edges = random.randint(0, 3)
        for number in range(edges):
            target = random.choice(targets)
            limit = " max_visits 2" if random.random() < 0.15 else ""
            if random.random() < 0.08:
                counting = True
                guard = f"visits({name}) > {number}"
            else:
                field = random.choice(FIELDS)
                asked.add(field)
                guard = f"{field} > {number}"
            lines.append(f"  {name} -> {target} when {guard}{limit}")
            self._way(name, target, None if counting else set(asked), limit)
        target = random.choice(targets)
        lines.append(f"  {name} -> {target}{' else' if edges else ''}")
        self._way(name, target, None if counting else set(asked), "")
        if random.random() < 0.1:
            target = random.choice(targets)
            lines.append(f"  {name} -> {target} on error")
            if target != "end":
                self.ways[name].append(target)

    def _way(self, name: str, target: str, asked: set[str] | None, limit: str) -> None:
        self.leaves[name].append((target, asked))
        if target != "end" and not limit:
            self.ways[name].append(target)

    def unlimited(self) -> list[set[str]]:
        """Every set of nodes that is an unlimited cycle."""
        nodes = [name for name in self.names if name not in self.barriers]
        found: list[set[str]] = []
        for size in range(1, len(nodes) + 1):
            for chosen in map(set, combinations(nodes, size)):
                if [set(part) for part in components(sorted(chosen), self.ways)] != [chosen]:
                    continue
                changed = set[str]().union(*(self.changes[name] for name in chosen))
                deciding = any(
                    target not in chosen and (asked is None or asked & changed)
                    for name in chosen
                    for target, asked in self.leaves[name]
                )
                if not deciding:
                    found.append(chosen)
        return found


def codes(text: str) -> list[str]:
    """What the shape rules find, in the order of the text."""
    found = check([Source("t.lgraph", text)], load=lambda path: None).diagnostics
    return [d.code for d in found if d.code.startswith("LG3") and d.code != "LG307"]


@pytest.mark.parametrize("block", range(10))
def test_agrees_with_the_definition_on_small_graphs(block: int) -> None:
    some = none = 0
    for seed in range(block * 200, block * 200 + 200):
        small = Small(seed)
        found = codes(small.text)
        if set(found) - {"LG310"}:
            continue  # unreachable nodes, or no way to `end`: said there
        expected = small.unlimited()
        assert ("LG310" in found) == bool(expected), (seed, expected, small.text)
        assert len(found) <= len(expected)
        some += bool(expected)
        none += not expected
    assert some > 10 and none > 10


def test_components_are_those_of_the_definition() -> None:
    for seed in range(300):
        random = Random(seed)
        names = [f"n{number}" for number in range(random.randint(1, 7))]
        ways = {name: [other for other in names if random.random() < 0.25] for name in names}
        nodes = [name for name in names if random.random() < 0.85]
        after: dict[str, set[str]] = {}
        for name in nodes:
            todo, after[name] = [name], set()
            while todo:
                new = {n for n in ways[todo.pop()] if n in nodes} - after[name]
                after[name] |= new
                todo.extend(new)
        expected = {
            tuple(other for other in nodes if other in after[name] and name in after[other])
            for name in nodes
            if name in after[name]
        }
        assert {tuple(part) for part in components(nodes, ways)} == expected


def test_a_long_way_round_is_shortened() -> None:
    names = [f"n{number}" for number in range(12)]
    edges = "".join(f"  {a} -> {b}\n" for a, b in pairwise(names))
    tasks = "".join(f"  task {name}\n" for name in names)
    text = (
        STATE + f"graph g(S) {{\n{tasks}  start -> n0\n{edges}  n11 -> end when a > 1\n  n11 -> n0 else\n}}\n"
    )
    (finding,) = [
        d for d in check([Source("t.lgraph", text)], load=lambda path: None).diagnostics if d.code == "LG310"
    ]
    assert "`n0 -> n1 -> n2 -> n3 -> … -> n11 -> n0`" in finding.message
    assert "`n11 -> n0`" in finding.help and "`a`" in finding.help
    assert ["`a` decides here" in label.text for label in finding.related] == [True]


def dense(nodes: int, ways: int) -> str:
    """Every node leads to many others, asking for a field that only half of the nodes change."""
    random = Random(7)
    lines = [STATE, "graph g(S) {", "  start -> n0"]
    for number in range(nodes):
        lines.append(f"  task n{number} {{ {'records A' if number % 2 else ''} }}")
        lines += [f"  n{number} -> n{random.randrange(nodes)} when a > {way}" for way in range(ways)]
        lines.append(f"  n{number} -> {'end' if number == nodes - 1 else f'n{number + 1}'} else")
    return "\n".join([*lines, "}", ""])


def test_effort_grows_with_the_size(effort: Callable[[Callable[[], object]], int]) -> None:
    from lgc.compiler.analyses import Analyses
    from lgc.compiler.context import Context
    from lgc.compiler.effects.cycles import circles
    from lgc.compiler.graph_view import GraphView
    from lgc.compiler.project import load_project
    from lgc.compiler.resolve import resolve

    def spent(nodes: int) -> int:
        context = Context()
        project = load_project(context, [Source("t.lgraph", dense(nodes, 9))], lambda path: None, None)
        resolved = resolve(context, project)
        ((key, graph),) = resolved.program.graphs.items()
        view = GraphView(graph, resolved.gaps[key], Analyses(resolved.program, resolved.gaps))
        found: list[int] = []
        calls = effort(lambda: found.extend(len(one) for _, one, _ in circles(view)))
        assert sum(found) > 0
        return calls

    assert spent(4000) < 12 * spent(500)
