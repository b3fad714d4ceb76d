"""Any order of what has no order gives the same hash; the model is shuffled, not the text."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.compiler import canonical, check
from lgc.compiler import model as m
from lgc.dsl.source import Source

T = TypeVar("T")
CORPUS = Path(__file__).parents[1] / "corpus" / "hash"


def compiled(path: Path) -> m.Program:
    """The resolved graphs of a file of the corpus."""
    files = {each.name: each.read_bytes() for each in path.parent.glob("*.lgraph")}
    result = check([Source(path.name, path.read_text())], load=files.get)
    assert result.usable
    return result.program


PROGRAMS = [
    compiled(CORPUS / name) for name in ("rich/main.lgraph", "article/article.lgraph", "types.lgraph")
]


def shuffled(random: Random, items: Sequence[T]) -> tuple[T, ...]:
    return tuple(random.sample(items, len(items)))


def shuffled_edges(random: Random, edges: Sequence[m.Edge]) -> tuple[m.Edge, ...]:
    """Edges in any order, except those of one source and trigger."""
    groups: dict[tuple[str, str, str | None], list[m.Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.source, edge.trigger, edge.outcome), []).append(edge)
    turns = shuffled(random, [group for group, members in groups.items() for _ in members])
    return tuple(groups[turn].pop(0) for turn in turns)


def shuffled_node(random: Random, node: m.Node) -> m.Node:
    match node:
        case m.Task():
            return replace(
                node,
                reads=shuffled(random, node.reads),
                records=shuffled(random, node.records),
                ensures=shuffled(random, node.ensures),
                goto=shuffled(random, node.goto),
                params=shuffled(random, node.params),
            )
        case m.Barrier():
            return replace(
                node,
                answers=shuffled(random, node.answers),
                modify=shuffled(random, node.modify),
                reroute=shuffled(random, node.reroute),
            )
        case m.Subgraph(lens=m.InOut() as lens):
            return replace(node, lens=replace(lens, inputs=shuffled(random, lens.inputs)))
        case m.MapNode():
            return replace(node, lens=replace(node.lens, inputs=shuffled(random, node.lens.inputs)))
        case _:
            return node


def shuffled_program(random: Random, program: m.Program) -> m.Program:
    """The same program with everything in another order that has none."""
    return replace(
        program,
        modules=shuffled(random, program.modules),
        enums={
            key: replace(enum, members=shuffled(random, enum.members))
            for key, enum in shuffled(random, [*program.enums.items()])
        },
        records={
            key: replace(record, fields=shuffled(random, record.fields))
            for key, record in shuffled(random, [*program.records.items()])
        },
        unions={
            key: replace(union, members=shuffled(random, union.members))
            for key, union in shuffled(random, [*program.unions.items()])
        },
        states={
            key: replace(
                state, fields=shuffled(random, state.fields), mutations=shuffled(random, state.mutations)
            )
            for key, state in shuffled(random, [*program.states.items()])
        },
        graphs={
            key: replace(
                graph,
                nodes=shuffled(random, [shuffled_node(random, node) for node in graph.nodes]),
                regions=shuffled(
                    random,
                    [
                        replace(
                            region,
                            nodes=shuffled(random, region.nodes),
                            edges=shuffled_edges(random, region.edges),
                        )
                        for region in graph.regions
                    ],
                ),
            )
            for key, graph in shuffled(random, [*program.graphs.items()])
        },
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PROGRAMS), st.randoms(use_true_random=False))
def test_order_is_no_meaning(program: m.Program, random: Random) -> None:
    other = shuffled_program(random, program)
    for key in program.graphs:
        assert canonical.canonical_text(other, key) == canonical.canonical_text(program, key)
        assert canonical.graph_hash(other, key) == canonical.graph_hash(program, key)
        assert canonical.operational_hash(other, key) == canonical.operational_hash(program, key)


def clashing(folder: str) -> str:
    """The form of a graph that uses three records of one name, its files standing in some folder.

    The checker refuses it (LG102); the form keeps the three apart all the same.
    """
    path = CORPUS / "clash"
    source = Source(f"{folder}/main.lgraph", (path / "main.lgraph").read_text())
    result = check([source], load=lambda name: (path / name.removeprefix(f"{folder}/")).read_bytes())
    return canonical.canonical_text(result.program, m.Key(source.path, "g"))


def test_records_of_one_name_stay_apart_wherever_they_stand() -> None:
    form = json.loads(clashing("a"))["elements"]
    fields = [form[f"record/{name}"]["fields"] for name in ("Note", "Note#2", "Note#3")]
    assert [list(each) for each in fields] == [["text"], ["author"], ["score"]]
    assert clashing("a") == clashing("zz")


SCRIPT = """
from pathlib import Path
from lgc.compiler import canonical as c, check
from lgc.dsl.source import Source
folder = Path({folder!r})
source = Source("main.lgraph", (folder / "main.lgraph").read_text())
program = check([source], load=lambda path: (folder / path).read_bytes()).program
for key in sorted(program.graphs):
    print(key.name, c.graph_hash(program, key), c.operational_hash(program, key))
"""


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_another_process_with_another_hash_seed_agrees(seed: str) -> None:
    folder = CORPUS / "rich"
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(folder=str(folder))],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    program = PROGRAMS[0]
    assert ran.stdout.splitlines() == [
        f"{key.name} {canonical.graph_hash(program, key)} {canonical.operational_hash(program, key)}"
        for key in sorted(program.graphs)
    ]
