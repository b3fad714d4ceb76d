"""Where a run is parked is there in the new version, with all that was begun and offered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.runtime.positions import kinds, landed, move, named, start, step, stored, version

from lgc.runtime.forms.version import Version
from lgc.runtime.machine.completion import complete_joined
from lgc.runtime.machine.frame import Frame
from lgc.runtime.migrating.moved import moved

STATE = """
enum E { x, y }
state S {
  n:   int = 0
  xs:  list[int] = [1, 2]
  log: list[str] = []
  t:   T
  mutation Add(k: int)    { n += k }
  mutation Say(line: str) { log += [line] }
}
state T { m: int = 0  mutation Inc(by: int) { m += by } }
"""


def graph(body: str, extra: str = "") -> Version:
    return version(f"{STATE}{extra}graph g(S) {{ {body} }}")


def edited(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


# --- leaves -------------------------------------------------------------------------------------------------

LINE = "task a { records Add, Say }  task b { records Add }  start -> a -> b -> end"


@pytest.mark.parametrize(
    ("new", "kind", "words"),
    [
        (
            LINE.replace("task b ", "task c ").replace("b ->", "c ->").replace("> b", "> c"),
            "node-gone",
            "`b`",
        ),
        (
            edited(LINE, ("task b { records Add }", "decision b")),
            "kind-changed",
            "decision now, it was a task",
        ),
        (
            "task a { records Add }  task b { records Add }  task c {}"
            "  parallel p { branch x = b  branch y = c }  start -> a -> p -> end",
            "region-changed",
            "branch `x` of `p`",
        ),
    ],
)
def test_the_node_where_a_run_is_parked(new: str, kind: str, words: str) -> None:
    old = graph(LINE)
    root = start(old)
    step(root)
    done = move(root, old, graph(new))
    assert kinds(done) == [kind]
    (reason,) = done.reasons
    assert words in reason.text
    assert (reason.condition, reason.element, reason.node) == ("place", "node/b", "b")
    assert bool(reason.place) == (kind != "node-gone")


def test_counters_of_what_is_there_stay() -> None:
    old = graph(LINE)
    root = start(old)
    step(root, named(old, "Add", k=2))
    step(root)
    new = graph("task z { records Add, Say }  task b { records Add }  start -> z -> b -> end")
    there = landed(move(root, old, new), new)
    assert (there.node, there.done, there.counts, there.since) == ("end", 2, {"b": 1}, 1.0)
    assert there.state.n == 2


LOOP = (
    "task a { records Add }  task b { records Add }  start -> a -> b"
    "  b -> a when n < 1 max_visits 5  b -> a when n < 9 max_visits 3  b -> end else"
)


def looped(old: Version) -> Frame:
    root = start(old)
    for _ in range(2):
        step(root)
        step(root)
    step(root)
    step(root, named(old, "Add", k=4))
    assert root.taken == {"b->a when 1": 2, "b->a when 2": 1}
    return root


@pytest.mark.parametrize(
    ("edits", "taken"),
    [
        ([("max_visits 5", "max_visits 9")], {"b->a when 1": 2, "b->a when 2": 1}),
        (
            [("b -> a when n < 1 max_visits 5  b -> a when n < 9 max_visits 3",
              "b -> a when n < 9 max_visits 3  b -> a when n < 1 max_visits 5")],
            {"b->a when 2": 2, "b->a when 1": 1},
        ),
        ([("b -> a when n < 1 max_visits 5", "b -> end when n < -5  b -> a when n < 1 max_visits 5")],
         {"b->a when 2": 2, "b->a when 3": 1}),
        ([("b -> a when n < 1 max_visits 5", "b -> a when n < 2 max_visits 5")], None),
        ([("b -> a when n < 9 max_visits 3", "")], {"b->a when 1": 2}),
        ([("b -> a when n < 9 max_visits 3", "b -> a when n < 8 max_visits 3")], None),
    ],
)  # fmt: skip
def test_counted_edges(edits: list[tuple[str, str]], taken: dict[str, int] | None) -> None:
    old, new = graph(LOOP), graph(edited(LOOP, *edits))
    done = move(looped(old), old, new)
    if taken is None:
        assert kinds(done) == ["counter-ambiguous"]
        assert done.reasons[0].element == "edges/b"
    else:
        assert landed(done, new).taken == taken


def test_the_only_edge_from_here_to_there_keeps_its_count() -> None:
    one = "task a { records Add }  start -> a  a -> a when n < 1 max_visits 5  a -> end else"
    old, new = graph(one), graph(edited(one, ("n < 1", "n < 2 or n == 7")))
    root = start(old)
    step(root)
    assert landed(move(root, old, new), new).taken == {"a->a when 1": 1}


# --- barriers -----------------------------------------------------------------------------------------------

BARRIER = """
  task a {}
  barrier ok {
    timeout 1h
    decision yes
    decision no(why: str, how: E) records Say(why)
    modify Say, Add
    reroute a
  }
  start -> a -> ok  ok -> end on yes  ok -> end on no  ok -> end on timeout
"""


@pytest.mark.parametrize(
    ("edits", "kind", "words"),
    [
        ([("    decision yes\n", ""), ("ok -> end on yes", "")], "decision-gone", "no longer offers `yes`"),
        ([("why: str, how: E", "why: str")], "decision-parameters-changed", "no longer takes `how`"),
        ([("why: str, how: E", "why: str?, how: E"), ("Say(why)", "Say(why ?? \"\")")],
         "decision-parameters-changed", "takes `why` as `str?`, it was `str`"),
        ([("how: E", "how: E, more: int")], "decision-parameters-changed", "takes `more` now"),
        ([("modify Say, Add", "modify Add")], "modify-gone", "no longer allows `Say`"),
        ([("    reroute a\n", "")], "reroute-gone", "no longer send a run to `a`"),
        ([("decision yes", "decision yes\n decision maybe"),
          ("ok -> end on yes", "ok -> end on yes ok -> a on maybe")],
         "", ""),
        ([("timeout 1h", "timeout 2h"), ("records Say(why)", "")], "", ""),
        ([("reroute a", "reroute a, ok")], "", ""),
    ],
)  # fmt: skip
def test_a_barrier_offers_what_it_offered(edits: list[tuple[str, str]], kind: str, words: str) -> None:
    old, new = graph(BARRIER), graph(edited(BARRIER, *edits))
    root = start(old)
    assert kinds(move(root, old, new)) == []  # not parked there yet
    step(root)
    done = move(root, old, new)
    assert kinds(done) == ([kind] if kind else [])
    if kind:
        assert words in done.reasons[0].text
        assert (done.reasons[0].element, done.reasons[0].node) == ("node/ok", "ok")


def test_an_answer_that_could_be_given_can_be_given() -> None:
    old = graph(BARRIER)
    root = start(old)
    step(root)
    narrower = version(f"{STATE}graph g(S) {{ {BARRIER} }}".replace("enum E { x, y }", "enum E { x }"))
    assert kinds(move(root, old, narrower)) == ["decision-parameters-changed"]
    wider = version(f"{STATE}graph g(S) {{ {BARRIER} }}".replace("enum E { x, y }", "enum E { x, y, z }"))
    assert kinds(move(root, old, wider)) == []


# --- branches -----------------------------------------------------------------------------------------------

FORK = """
  task a {}
  parallel p {
    branch x { start -> one -> two -> end }
    branch y { start -> wait  wait -> end on approve  wait -> end on reject  wait -> end on timeout }
  }
  task one { records Add }
  task two { records Say }
  barrier wait { timeout 1h }
  start -> a -> p -> end
"""


def forked(old: Version, *mutations: Any) -> Frame:
    root = start(old)
    step(root)
    step(root.child("x"), *mutations)
    root.child("y")
    return root


@pytest.mark.parametrize(
    ("edits", "kind", "node"),
    [
        ([("branch x { start -> one -> two -> end }", "branch z { start -> one -> two -> end }")],
         "branch-gone", "p"),
        ([("start -> one -> two -> end", "start -> one -> end"), ("task two { records Say }", "")],
         "node-gone", "p/x/two"),
        ([("start -> one -> two -> end", "start -> one -> three -> end"), ("task two", "task three")],
         "node-gone", "p/x/two"),
        ([("barrier wait { timeout 1h }", "barrier wait { timeout 1h  decision approve }"),
          ("wait -> end on reject", "")], "decision-gone", "p/y/wait"),
    ],
)  # fmt: skip
def test_a_branch_has_its_place(edits: list[tuple[str, str]], kind: str, node: str) -> None:
    old, new = graph(FORK), graph(edited(FORK, *edits))
    done = move(forked(old), old, new)
    assert (kind, node) in [(reason.kind, reason.node) for reason in done.reasons]
    assert all(reason.condition == "place" for reason in done.reasons)


def test_a_new_branch_begins_fresh_and_a_finished_one_stays_finished() -> None:
    old = graph(FORK)
    edits = [
        ("branch x {", "branch w = more\n branch x {"),
        ("task one", "task more { } task one"),
        ("-> two -> end", "-> end"),
        ("task two { records Say }", ""),
    ]
    new = graph(edited(FORK, *edits))
    root = forked(old, named(old, "Add", k=3))
    step(root.child("x"))
    assert root.child("x").node == "end"
    there = landed(move(root, old, new), new)
    assert set(there.children) == {"x", "y"}  # `w` is made when it is needed
    assert (there.children["x"].node, there.children["x"].state.n) == ("end", 3)
    assert there.child("w").node == "more"
    (effect,) = there.children["x"].effects
    assert effect.applied.mutation.k == 3


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([("Add(k: int)    { n += k }", "Plus(k: int) { n += k }"), ("records Add", "records Plus")],
         "there is no mutation `Add`"),
        ([("Add(k: int)    { n += k }", "Add(k: str) { log += [k] }")], "`k` is `int`"),
        ([("Add(k: int)    { n += k }", "Add(l: int) { n += l }")], "with `k`, which it no longer takes"),
        ([("Add(k: int)    { n += k }", "Add(k: int, l: int) { n += k + l }")], "takes `l: int` now"),
        ([("Add(k: int)    { n += k }", "Add(k: int) = \"m:f\" writes n")], "computed in another way"),
        ([("Add(k: int)    { n += k }", "Add(k: int?, l: int?) { n += k ?? l ?? 0 }")], ""),
    ],
)  # fmt: skip
def test_what_a_branch_keeps_for_the_join(edits: list[tuple[str, str]], words: str) -> None:
    text = f"{STATE}graph g(S) {{ {FORK} }}"
    old, new = version(text), version(edited(text, *edits))
    done = move(forked(old, named(old, "Add", k=3)), old, new)
    if words:
        assert kinds(done) == ["effect-unreadable"]
        assert words in done.reasons[0].text
        assert done.reasons[0].element.startswith("state/mutation/")
    else:
        (effect,) = landed(done, new).children["x"].effects
        assert (effect.applied.mutation.k, effect.applied.mutation.l) == (3, None)


# --- graphs in graphs ---------------------------------------------------------------------------------------

INNER = """
graph inner(T) {
  task i { records Inc }
  task j { records Inc }
  start -> i -> j -> end
}
"""
NODES = {
    "field": "subgraph s = inner { on t }",
    "values": "subgraph s = inner { in m = n  out Add(m) }",
    "map": "map s = inner { over xs as x  in m = x  out Add(m) }",
}


def nested(node: str, inner: str = INNER) -> Version:
    return graph(f"task a {{}}  {node}  start -> a -> s -> end", inner)


def inside(old: Version) -> Frame:
    root = start(old)
    step(root)
    key = 1 if "map" in old.texts["node/s"] else ""
    step(root.child(key), named(old.inner["inner"], "Inc", by=4))
    return root


@pytest.mark.parametrize("kind", NODES)
def test_a_graph_inside_has_its_own_version(kind: str) -> None:
    old = nested(NODES[kind])
    new = nested(NODES[kind], edited(INNER, ("j -> end", "j -> k -> end"), ("task j", "task k {} task j")))
    root: Any = inside(old)
    there = landed(move(root, old, new), new)
    key = 1 if kind == "map" else ""
    assert (there.child(key).node, there.child(key).state.m) == ("j", root.child(key).state.m)
    assert there.child(key).state.m >= 4
    gone = nested(NODES[kind], edited(INNER, ("task j", "task k"), ("-> j ->", "-> k ->")))
    (reason,) = move(root, old, gone).reasons
    where = "s[1]/j" if kind == "map" else "s/j"
    assert (reason.kind, reason.node, reason.element) == ("node-gone", where, "subgraph/inner/node/j")


@pytest.mark.parametrize(
    ("old", "new", "inner", "kind"),
    [
        ("field", NODES["values"], INNER, "lens-changed"),
        ("values", "subgraph s = other { in m = n  out Add(m) }", INNER.replace("graph inner", "graph other"),
         "runs-another-graph"),
        ("values", NODES["map"], INNER, "kind-changed"),
        ("map", NODES["map"].replace("over xs", "over [n, 2]"), INNER, "elements-differ"),
        ("map", NODES["map"].replace("over xs", "over [n]"), INNER, "elements-differ"),
        ("map", NODES["map"].replace("over xs", "over xs + [3]"), INNER, "elements-differ"),
        ("map", NODES["map"].replace("over xs", "over [1, 2]"), INNER, ""),
    ],
)  # fmt: skip
def test_a_node_that_runs_a_graph(old: str, new: str, inner: str, kind: str) -> None:
    before, after = nested(NODES[old]), nested(new, inner)
    done = move(inside(before), before, after)
    assert kinds(done) == ([kind] if kind else [])
    assert all(reason.element == "node/s" and reason.node == "s" for reason in done.reasons)


def test_what_a_graph_on_a_field_has_done_in_a_branch() -> None:
    text = """
      task a {}
      parallel p { branch x { start -> s -> after -> end }  branch y = other }
      subgraph s = inner { on t }
      task after {}
      task other {}
      start -> a -> p -> end
    """
    old = graph(text, INNER)
    root = start(old)
    step(root)
    below = root.child("x").child("")
    step(below, named(old.inner["inner"], "Inc", by=4))
    step(below)
    complete_joined(root.child("x"), [""])
    assert [effect.lens for effect in root.child("x").effects or ()] == [("t",)]
    more = (("m: int = 0", "m: float = 0.0  o: int = 1"), ("Inc(by: int)", "Inc(by: float)"))
    new = version(
        edited(f"{STATE}{INNER}graph g(S) {{ {text} }}", *more).replace("in m = n", "in m = float(n)")
    )
    there = landed(move(root, old, new), new)
    (effect,) = there.children["x"].effects
    assert (effect.lens, repr(effect.applied.mutation.by)) == (("t",), "4.0")
    renamed = version(
        f"{STATE}{INNER}graph g(S) {{ {text} }}".replace("Inc(", "More(").replace("s Inc", "s More")
    )
    assert kinds(move(root, old, renamed)) == ["effect-unreadable"]


def test_a_position_that_the_new_graph_refuses() -> None:
    """To take up a frame of an inner graph is to make it first."""
    old = nested(NODES["values"])
    new = nested("subgraph s = inner { in m = xs[7]  out Add(m) }")
    done = move(inside(old), old, new)
    assert kinds(done) == ["position-refused"]
    assert "`xs[7]`" in done.reasons[0].text


def test_moved_keeps_the_text_of_what_it_does_not_know() -> None:
    """Times, and names that are no ASCII, are as they were."""
    old, new = graph(LINE), graph(LINE + "  max_steps 7")
    root = start(old)
    step(root, named(old, "Say", line="ä🙂\u2028"))
    text = stored(root)
    assert json.loads(moved(text, old, new).snapshot) == json.loads(text)
