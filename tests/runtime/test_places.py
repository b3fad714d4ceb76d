"""The verdict for a graph without runs, node by node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lgc.compiler import canonical, check
from lgc.compiler.model import Key, MapNode, Subgraph
from lgc.dsl.source import Source
from lgc.runtime import plan
from lgc.runtime.changes.kind import GATHER
from lgc.runtime.compat.places import judge_graph
from lgc.runtime.compat.verdict import PlaceVerdict, Verdict
from lgc.runtime.forms.version import Version

ROOT = Path(__file__).parents[2]

LOOP = """\
enum Size { small, large }
record Note { text: str }

state S {
  n:    int = 0  range 0..9
  size: Size?
  all:  list[Note] = []

  mutation Add(k: int)      { n += k }
  mutation Keep(note: Note) { all += [note] }
}

graph g(S) {
  task a { reads n  records Add }
  parallel p {
    branch one = b
    branch two { start -> c -> d -> end }
  }
  task b { reads n  records Keep }
  task c { reads n  records Keep }
  task d { reads n  records Keep }
  barrier ok { timeout 1d }
  task e { reads n, size, all }

  start -> a -> p -> ok
  ok -> a on reject max_visits 3
  ok -> e on approve
  ok -> end on timeout
  e -> end
}
"""


def version(text: str, migrations: tuple[plan.Migration, ...] = ()) -> Version:
    program = check([Source("x.lgraph", text)], load=lambda path: None).program

    def make(key: Key) -> Version:
        run = [node.graph for node in program.graphs[key].nodes if isinstance(node, Subgraph | MapNode)]
        inner = {one.name: make(one) for one in run}
        canonical_text = canonical.canonical_text(program, key)
        whole = canonical.graph_hash(program, key).full
        return Version(whole, canonical_text, inner, {"edges/a": "x.lgraph:30:3"}, migrations)

    return make([*program.graphs][-1])


def judged(text: str, *edits: tuple[str, str]) -> dict[str, str]:
    """By place: the verdict in one word."""
    new = text
    for old, other in edits:
        assert old in new
        new = new.replace(old, other)
    return {place.node: word(place) for place in judge_graph(version(text), version(new)).places}


def word(place: PlaceVerdict) -> str:
    if place.verdict is Verdict.INCOMPATIBLE:
        return "no" if place.sure else "perhaps"
    return str(place.verdict)


def places(fine: str, perhaps: str = "", no: str = "") -> dict[str, str]:
    words = ((fine, "compatible"), (perhaps, "perhaps"), (no, "no"))
    return {name: word for names, word in words for name in names.split()}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        # behind some, ahead of others; what a node dominates in a loop is a finished pass
        ((("p -> ok\n", "p -> x -> ok\n"), ("  task e", "  task x { reads n }\n  task e")),
         places("a b c d p", "ok e")),
        ((("ok -> e on approve", "ok -> end on approve"),), places("a b c d p ok", "e")),
        ((("max_visits 3", "max_visits 4"),), places("a b c d ok p", "e")),
        ((("reject max_visits 3", "reject"), ("approve\n", "approve max_visits 9\n")),
         places("", "a b c d e ok p")),
        ((("start -> c -> d -> end", "start -> c -> end"), ("  task d { reads n  records Keep }\n", "")),
         places("a c", "b p ok e", "d")),
        ((("start -> c -> d", "start -> x -> c -> d"), ("  task e", "  task x { reads n }\n  task e")),
         places("a", "b c d p ok e")),
        # noticed by no step
        ((("reads n  records Add", "reads n, all  records Add, Keep"),), places("a b c d e ok p")),
        ((("small, large", "small, large, huge"),), places("a b c d e ok p")),
        ((("Note { text: str }", 'Note { text: str  by: str = "" }'),), places("a b c d e ok p")),
        ((("0  range 0..9", "0  range 0..99"),), places("a b c d e ok p")),
        ((("size: Size?", "size: Size?\n  more: str?"), ("reads n, size", "reads n, more, size")),
         places("a b c d e ok p")),
        # values decide, or nothing helps
        ((("0  range 0..9", "0  range 0..5"),), places("", "a b c d e ok p")),
        ((("small, large", "small"),), places("", "a b c d e ok p")),
        ((("text: str }", "text: str  by: str }"),), places("", "a b c d e ok p")),
        ((("size: Size?", "size: Size?\n  owner: str"), ("reads n, size", "reads n, owner, size")),
         places("", "", "a b c d e ok p")),
        ((("n:    int = 0  range 0..9", "n:    str = \"\""), ("n += k", "n += str(k)")),
         places("", "", "a b c d e ok p")),
        # a node in a branch, and who may stand beside it
        ((("branch one = b", "branch one = x"), ("task b", "task x")), places("a", "c d e ok p", "b")),
        ((("barrier ok { timeout 1d }", "barrier ok { timeout 1d  decision approve }"), (
            "  ok -> a on reject max_visits 3\n", "")), places("a b c d p", "e", "ok")),
        ((("n += k", "n += k + 1"),), places("a", "b c d e ok p")),
    ],
)  # fmt: skip
def test_each_node_as_a_parking_place(edits: tuple[tuple[str, str], ...], expected: dict[str, str]) -> None:
    assert judged(LOOP, *edits) == expected


def test_nodes_inside_graphs_that_are_run() -> None:
    told = judged(GATHER, ("start -> load -> end", "start -> load -> tidy -> end"), (
        "graph fetch(Page) {", "graph fetch(Page) {\n  task tidy { reads text }"))  # fmt: skip
    assert told["first/load"] == "compatible"
    assert told["rest/load"] == "perhaps"  # another element may be done
    assert told["first"] == told["rest"] == told["report"] == "perhaps"
    gone = judged(GATHER, ("task load", "task fetch_it"), ("start -> load", "start -> fetch_it"))
    assert gone["first/load"] == gone["rest/load"] == "no"


def test_the_reasons_say_what_and_where() -> None:
    new = LOOP.replace("start -> a -> p", "start -> a -> e2 -> p").replace(
        "  task e ", "  task e2 { reads n }\n  task e "
    )
    found = judge_graph(version(LOOP), version(new))
    (place,) = [place for place in found.places if place.node == "e"]
    (reason,) = [reason for reason in place.reasons if reason.element == "edges/a"]
    assert reason.kind == "changed-behind"
    assert reason.condition == "history"
    assert reason.text.startswith("edge `a -> p` now leads to `e2`")
    assert reason.place == "x.lgraph:30:3"
    assert found.verdict is Verdict.INCOMPATIBLE
    assert json.loads(json.dumps(found.to_json()))["places"]


def test_the_same_graph() -> None:
    found = judge_graph(version(GATHER), version(GATHER))
    assert found.verdict is Verdict.IDENTICAL
    assert {place.node for place in found.places} == {"first", "first/load", "rest", "rest/load", "report"}
    assert found.changes == ()


def test_a_declared_migration_gives_names_a_home() -> None:
    old = version(LOOP)
    text = LOOP.replace("task a {", "task first {").replace("start -> a", "start -> first")
    text = text.replace("-> a on", "-> first on").replace("size", "extent")
    steps = (plan.RenameStep("node", "a", "first"), plan.RenameStep("field", "size", "extent"))
    migrated = judge_graph(old, version(text, (plan.Migration(old.hash, steps),)))
    assert migrated.verdict is Verdict.MIGRATABLE
    assert {place.verdict for place in migrated.places} == {Verdict.MIGRATABLE}
    half = judge_graph(old, version(text, (plan.Migration(old.hash, steps[1:]),)))
    assert {place.node for place in half.places if place.verdict is Verdict.INCOMPATIBLE} == {"a"}
    without = judge_graph(old, version(text))
    assert all(place.verdict is Verdict.INCOMPATIBLE and place.sure for place in without.places)


def test_many_changes_are_cut_and_counted() -> None:
    def chain(extra: dict[str, Any]) -> Version:
        elements: dict[str, Any] = {"graph": {"name": "g", "state": "S", "max_steps": 9}}
        elements["edges/start"] = {"plain": [{"to": "n000"}]}
        for at in range(100):
            elements[f"node/n{at:03}"] = {"kind": "task", "effect": "pure"}
            after = f"n{at + 1:03}" if at < 99 else "end"
            elements[f"edges/n{at:03}"] = {"plain": [{"to": after}], **extra}
        hash = f"lg1:{len(extra)}"
        return Version(hash, json.dumps({"form": "lg1", "elements": elements}))

    found = judge_graph(chain({}), chain({"when": [{"to": "end", "guard": True}]}))
    assert found.places[0].verdict is Verdict.COMPATIBLE
    assert [len(place.reasons) for place in found.places[1:15]] == [*range(1, 13), 13, 13]
    assert found.places[99].reasons[-1].text == "and 87 more"


def test_where_it_says_compatible_the_judge_agrees() -> None:
    """The short form of the search: random edits of real graphs, and runs of the old ones."""
    command = [sys.executable, "-m", "tests.runtime.places_search", "--seeds", "4", "--cases", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'compatible'" in done.stdout
