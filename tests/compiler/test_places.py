"""Where things stand: everything of a canonical form and every edge has the place at which it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lgc.compiler import check
from lgc.compiler.canonical import elements
from lgc.compiler.codegen.lower import routes
from lgc.compiler.migrations.written import migrations_of
from lgc.compiler.places import places_of
from lgc.dsl.source import Source
from lgc.runtime.plan import DropStep, MoveStep, Places, RenameStep, SetStep

BUILD = Path(__file__).parents[1] / "corpus" / "build"
NAMES = sorted(path.relative_to(BUILD).as_posix() for path in BUILD.rglob("*.lgraph"))


def load(path: str) -> bytes | None:
    found = BUILD / path
    return found.read_bytes() if found.is_file() else None


@pytest.mark.parametrize("name", NAMES)
def test_every_element_and_edge_has_the_place_of_its_name(name: str) -> None:
    program = check([Source(name, (BUILD / name).read_text())], load=load).program
    for key, graph in program.graphs.items():
        found = places_of(program, key)
        edges = {
            edge.key
            for route in routes(graph).values()
            for group in (route.edges, *route.on.values())
            for edge in group
        }
        assert set(found) == {*elements(program, key), *edges}
        for id, place in found.items():
            path, line, column = place.rsplit(":", 2)
            text = (BUILD / path).read_text().splitlines()[int(line) - 1][int(column) - 1 :]
            if "->" not in id and not id.startswith("edges/") and id != "graph":
                assert re.match(r"\w+", text), (id, text)
                last = id.rpartition("/")[2].partition("#")[0]
                assert text.startswith(last), (id, text)


def test_places_in_a_plan_are_those_of_the_program() -> None:
    written = Places({"a.lgraph": "1:7 graph\n2:3 a->b when 1", "b.lgraph": "9:8 node/a"})
    assert dict(written) == {
        "graph": "a.lgraph:1:7",
        "a->b when 1": "a.lgraph:2:3",
        "node/a": "b.lgraph:9:8",
    }
    assert written == dict(written)
    assert written.get("node/b") is None


def test_migrations_are_those_of_the_graph_in_the_order_written() -> None:
    name = "migrations.lgraph"
    program = check([Source(name, (BUILD / name).read_text())], load=load).program
    first, second, third = migrations_of(program, next(iter(program.graphs)))
    assert first.source == "lg1:0123456789abcdef"
    assert first.steps == (
        RenameStep("node", "draft", "plan", f"{name}:38:3"),
        RenameStep("field", "length", "size", f"{name}:39:3"),
        RenameStep("mutation", "Length", "Measure", f"{name}:40:3"),
        DropStep("legacy", f"{name}:41:3"),
        MoveStep("audit", "plan", f"{name}:42:3"),
    )
    assert SetStep("verdict", '["attr",["name","Verdict"],"accept"]', "Verdict.accept", f"{name}:49:3") in (
        second.steps
    )
    assert (third.steps, third.place) == ((), f"{name}:56:9")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("visits(plan)", "LG203"),
        ("1 + steps()", "LG203"),
        ("len(xs = a)", "LG203"),
        ("nothing(1)", "LG203"),
        ("Note(1)", "LG203"),
        ("Note(text = a, text = b)", "LG203"),
        ("-" * 250 + "x", "LG006"),
    ],
)
def test_what_cannot_stand_in_a_migration(value: str, code: str) -> None:
    text = (
        "record Note { text: str }\nstate S { x: int = 0  mutation M(x) }\n"
        "graph g(S) { task a { reads x  records M }  start -> a -> end }\n"
        f'migrate g from "lg1:0000000000000000" {{ set x = {value} }}\n'
    )
    found = check([Source("a.lgraph", text)], load=lambda _: None).diagnostics
    assert code in [one.code for one in found]
