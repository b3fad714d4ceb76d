"""Migrations: each step, chains of them, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.runtime.positions import kinds, landed, move, named, start, state_of, step, stored, version

from lgc.runtime.forms.version import Version
from lgc.runtime.machine.completion import complete_joined
from lgc.runtime.machine.frame import Frame
from lgc.runtime.migrating.chain import chain_from, versions_between
from lgc.runtime.migrating.moved import moved
from lgc.runtime.migrating.preview import previewed
from lgc.runtime.plan import Migration
from lgc.runtime.values.undo import Undo

TYPES = """
enum E { x, y }
record R { n: int  m: str = "m" }
"""
STATE = """
state S {
  n: int = 1
  f: list[int] = [1]
  e: E = E.x
  r: R = R(n = 2)
  o: str?
  mutation Add(k: int) { n += k }
  mutation Put(o)
}
"""
LINE = "task a { reads *  records Add, Put }  task b {}  task c {}  start -> a -> b -> c -> end"


def source(body: str = LINE, state: str = STATE, types: str = TYPES) -> str:
    return f"{types}{state}graph g(S) {{ {body} }}"


def migrated(text: str, *blocks: tuple[Version, str], graph: str = "g") -> Version:
    """The graph of a source, with migrations from other versions."""
    written = [f'migrate {graph} from "{old.hash}" {{ {steps} }}' for old, steps in blocks]
    return version("\n".join([text, *written]))


def edited(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


OLD = version(source())


def at_b() -> Frame:
    root = start(OLD)
    step(root, named(OLD, "Add", k=4), named(OLD, "Put", o="here"))
    return root


# --- fields -------------------------------------------------------------------------------------------------


def with_field(old: str, new: str) -> str:
    return source(state=edited(STATE, (old, new)))


@pytest.mark.parametrize(
    ("edit", "steps", "field", "value"),
    [
        (("f: list[int] = [1]", "g: list[int] = []"), "rename field f to g", "g", [1]),
        (("f: list[int] = [1]", "g: list[float] = []"), "rename field f to g", "g", [1.0]),
        (("f: list[int] = [1]", ""), "drop field f", "f", None),
        (("f: list[int] = [1]", "f: int"), "set f = len(f) + n", "f", 6),
        (("f: list[int] = [1]", "f: int"), "set f = f[0] * 10", "f", 10),
        (("e: E = E.x", "e: E = E.y  new: float"), "set new = n", "new", 5.0),
        (("e: E = E.x", "e: E = E.x  new: E"), "set new = E.y if n == 5 else E.x", "new", "y"),
        (("e: E = E.x", "e: E = E.x  new: E"), "set new = e", "new", "x"),
        (("e: E = E.x", "e: E = E.x  new: R"), "set new = R(n = n)", "new", {"n": 5, "m": "m"}),
        (("e: E = E.x", "e: E = E.x  new: list[R]"), "set new = [r, R(n = 1, m = o ?? \"\")]", "new",
         [{"n": 2, "m": "m"}, {"n": 1, "m": "here"}]),
        (("e: E = E.x", "e: E = E.x  new: str"), "set new = r.m + o", "new", "mhere"),
        (("e: E = E.x", "e: E = E.x  new: date"), "set new = \"2024-02-29\"", "new", "2024-02-29"),
        (("e: E = E.x", "e: E = E.x  new: duration"), "set new = 90s", "new", "PT1M30S"),
        (("e: E = E.x", "e: E = E.x  new: decimal"), "set new = 1.50", "new", "1.5"),
        (("e: E = E.x", "e: E = E.x  new: bytes"), "set new = \"\\u00ff\"", "new", "w78="),
        (("e: E = E.x", "e: E = E.x  new: set[int]"), "set new = [3, 1, 3]", "new", [1, 3]),
        (("e: E = E.x", "e: E = E.x  new: dict[str, int]"), "set new = {\"a\": n}", "new", {"a": 5}),
        (("e: E = E.x", "e: E = E.x  new: json"), "set new = {\"a\": [n, none]}", "new", {"a": [5, None]}),
        (("e: E = E.x", "e: E = E.x  new: str?"), "set new = none", "new", None),
        (("n: int = 1", "n: int = 1  range 0..9"), "set n = min(n * 3, 9)", "n", 9),
    ],
)  # fmt: skip
def test_a_field(edit: tuple[str, str], steps: str, field: str, value: Any) -> None:
    new = migrated(with_field(*edit), (OLD, steps))
    done = move(at_b(), OLD, new)
    assert state_of(done).get(field) == value
    assert repr(state_of(done).get(field)).count(".") == repr(value).count(".")
    there = landed(done, new)
    assert (there.node, there.counts, done.migrated) == ("b", {"a": 1}, True)
    assert json.loads(stored(there)) == json.loads(done.snapshot)


@pytest.mark.parametrize(
    ("edit", "steps", "kind", "words"),
    [
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = f[7]", "migration-fails",
         "`set new = f[7]` cannot be computed"),
        (("e: E = E.x", "e: E = E.x  new: float"), "set new = n / (n - n)", "migration-fails", "cannot be"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = int(o)", "migration-fails", "cannot be computed"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = nothing + 1", "migration-fails", "`nothing`"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = o", "value-misfit",
         "is `str`, and the new type is `int` (`set new = o`)"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = \"a\"", "value-misfit",
         "would be `str`, and the new type is `int` (`set new = \"a\"`)"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = true", "value-misfit", "would be `bool`"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set new = none", "value-misfit", "would be `none`"),
        (("e: E = E.x", "e: E = E.x  new: list[int]"), "set new = [1, \"a\"]", "value-misfit", "at `[1]`"),
        (("e: E = E.x", "e: E = E.x  new: date"), "set new = \"yesterday\"", "value-misfit", "no `date`"),
        (("n: int = 1", "n: int = 1  range 0..9"), "set n = n * 3", "constraint-broken",
         "field `n` is 15, outside 0..9 (`set n = n * 3`)"),
        (("e: E = E.x", "e: E = E.x  new: int"), "set n = 2", "field-without-value", "`new`"),
        (("f: list[int] = [1]", ""), "set n = 2", "field-gone", "`f`"),
        (("f: list[int] = [1]", ""), "rename field f to n", "values-collide", "would both be field `n`"),
    ],
)  # fmt: skip
def test_a_field_that_is_refused(edit: tuple[str, str], steps: str, kind: str, words: str) -> None:
    done = move(at_b(), OLD, migrated(with_field(*edit), (OLD, steps)))
    (reason,) = [reason for reason in done.reasons if reason.kind == kind]
    assert words in reason.text
    assert reason.condition == ("migration" if kind == "migration-fails" else "data")
    if reason.kind != "field-gone":
        assert reason.place.startswith("g.lgraph:")


def test_names_that_change_places_and_values_that_are_read_before() -> None:
    """All steps of a block see the state before it."""
    two = "state S { p: int = 1  q: int = 2  r: int = 3  mutation Add(p, q) }"
    one = version(source("task a { reads *  records Add }  start -> a -> end", two, ""))
    new = migrated(
        source("task a { reads *  records Add }  start -> a -> end", two + " ", "").replace(
            "r: int", "s: int"
        ),
        (one, "rename field p to q  rename field q to p  drop field r  set s = p * 100 + q * 10 + r"),
    )
    assert state_of(move(start(one), one, new)) == {"p": 2, "q": 1, "s": 123}


def test_a_sub_state_goes_the_way_of_the_graph_that_is_run_on_it() -> None:
    text = (
        f"{INNER} graph h(T) {{ task i {{ records Inc }} start -> i -> end }}"
        " state S { t: T } graph g(S) { subgraph s = h { on t } start -> s -> end }"
    )
    old = version(text)
    renamed = edited(text, ("m: int = 0", "sum: int = 0"), ("m += by", "sum += by"))
    assert "value-misfit" in kinds(move(start(old), old, version(renamed)))
    new = migrated(renamed, (version(text, "h"), "rename field m to sum"), graph="h")
    root = start(old)
    for state in (root.state, root.child("").state):
        named(old.inner["h"], "Inc", by=5).__lg_apply__(getattr(state, "t", state), Undo())
    done = move(root, old, new)
    there = landed(done, new)
    assert (there.state.t.sum, there.children[""].state.sum, done.migrated) == (5, 5, True)
    step(root.child(""))
    complete_joined(root, [""])
    done = move(root, old, new)
    assert (landed(done, new).state.t.sum, done.migrated) == (5, True)  # also where the graph does not run


INNER = "state T { m: int = 0  mutation Inc(by: int) { m += by } }"


# --- nodes --------------------------------------------------------------------------------------------------


def test_a_renamed_node_keeps_its_visits() -> None:
    body = "task a {}  task b {}  start -> a -> b  b -> a when visits(b) < 3 max_visits 9  b -> end else"
    old = version(source(body, "state S { n: int = 0 }", ""))
    root = start(old)
    for _ in range(3):
        step(root)
    assert (root.node, root.counts, root.taken) == ("b", {"a": 2, "b": 1}, {"b->a when 1": 1})
    text = body.replace("task a", "task x").replace("> a", "> x").replace("task b", "task a")
    text = text.replace("-> b", "-> a").replace(" b ->", " a ->").replace("visits(b)", "visits(a)")
    text = text.replace("start -> x", "start -> x").replace("> x -> a", "> x -> a")
    new = migrated(
        source(text, "state S { n: int = 0 }", ""), (old, "rename node a to x  rename node b to a")
    )
    there = landed(move(root, old, new), new)
    assert (there.node, there.counts) == ("a", {"x": 2, "a": 1})
    assert there.taken == {"a->x when 1": 1}


def test_two_nodes_do_not_become_one() -> None:
    new = migrated(source("task c {}  start -> c -> end"), (OLD, "rename node b to c  move a to c"))
    root = at_b()
    step(root)
    step(root)
    assert kinds(move(root, OLD, new)) == ["counters-collide"]


def test_a_run_parked_at_a_node_that_is_gone() -> None:
    ways = "ask -> end on approve  ask -> end on reject  ask -> end on timeout"
    body = f"task a {{}}  barrier ask {{ timeout 1h }}  start -> a -> ask  {ways}"
    new = migrated(source(body), (OLD, "move b to ask  move c to ask"))
    there = landed(move(at_b(), OLD, new, now=99.0), new)
    assert (there.node, there.since, there.counts) == ("ask", 99.0, {"a": 1})
    root = start(OLD)
    there = landed(move(root, OLD, new, now=99.0), new)
    assert (there.node, there.since) == ("a", 1.0)  # not moved: it has waited since it came


FORK = """
  parallel p {
    branch x { start -> one -> two -> end }
    branch y { start -> ask  ask -> end on approve  ask -> end on reject  ask -> end on timeout }
  }
  task one { records Add }
  task two { records Add }
  barrier ask { timeout 1h }
  start -> p -> end
"""


def forked() -> tuple[Version, Frame]:
    old = version(source(FORK))
    root = start(old)
    step(root.child("x"), named(old, "Add", k=3))
    root.child("y")
    return old, root


@pytest.mark.parametrize(
    ("edits", "steps", "cursors"),
    [
        ([("task two", "task three"), ("-> two", "-> three")], "rename node two to three", ("three", "ask")),
        ([("task two { records Add }", ""), ("-> two", "")], "move two to one", ("one", "ask")),
        ([("barrier ask { timeout 1h }", "task say {}"), ("start -> ask ", "start -> say -> end "),
          ("ask -> end on approve  ask -> end on reject  ask -> end on timeout", "")],
         "move ask to say", ("two", "say")),
        ([("parallel p", "parallel q"), ("start -> p", "start -> q")], "rename node p to q", ("two", "ask")),
        ([("Add(k: int)", "More(k: int)"), ("records Add", "records More")],
         "rename mutation Add to More", ("two", "ask")),
        ([("  n: int = 1", "  m: int = 1"), ("n += k", "m += k")], "rename field n to m", ("two", "ask")),
    ],
)  # fmt: skip
def test_in_branches(edits: list[tuple[str, str]], steps: str, cursors: tuple[str, str]) -> None:
    old, root = forked()
    new = migrated(edited(source(FORK), *edits), (old, steps))
    there = landed(move(root, old, new), new)
    assert (there.children["x"].node, there.children["y"].node) == cursors
    (effect,) = there.children["x"].effects
    assert effect.applied.mutation.k == 3
    fields = there.children["x"].state.__lg_fields__
    assert getattr(there.children["x"].state, "m" if "m" in fields else "n") == 4


@pytest.mark.parametrize(
    ("body", "steps", "kind"),
    [
        (FORK.replace("task two { records Add }", "").replace("-> two", "") + "task z {}  p -> z -> end",
         "move two to z", "region-changed"),
        ("task a {}  start -> a -> end", "move two to a  move ask to a", "node-gone"),
    ],
)  # fmt: skip
def test_no_way_out_of_a_branch(body: str, steps: str, kind: str) -> None:
    old, root = forked()
    text = source(body.replace("start -> p -> end\n", "start -> p\n") if "z {}" in body else body)
    assert kind in kinds(move(root, old, migrated(text, (old, steps))))


def test_what_a_node_had_open_is_dropped() -> None:
    old, root = forked()
    new = migrated(source("task a {}  start -> a -> end"), (old, "move p to a"))
    there = landed(move(root, old, new), new)
    assert (there.node, there.children, there.counts) == ("a", {}, {})
    assert there.state.n == 1  # what a branch has done is not joined


def test_the_short_form_of_a_mutation_goes_by_the_new_name_of_its_field() -> None:
    body = (
        "parallel p { branch x { start -> one -> two -> end }  branch y = ask }"
        "  task one { records Put }  task two {}  task ask {}  start -> p -> end"
    )
    old = version(source(body))
    root = start(old)
    step(root.child("x"), named(old, "Put", o="kept"))
    text = edited(source(body), ("o: str?", "q: str?"), ("Put(o)", "Lay(q)"), ("records Put", "records Lay"))
    new = migrated(text, (old, "rename field o to q  rename mutation Put to Lay"))
    there = landed(move(root, old, new), new)
    (effect,) = there.children["x"].effects
    assert (effect.applied.mutation.q, there.children["x"].state.q) == ("kept", "kept")


# --- graphs in graphs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
def test_a_graph_on_the_same_state(own: bool) -> None:
    """It goes by its own migration; where it has none, by what is said of the state."""
    inner = "graph h(S) { task i { records Add } task j { records Add } start -> i -> j -> end }"
    text = f"{STATE}{inner} graph g(S) {{ subgraph s = h {{ }} start -> s -> end }}"
    old = version(TYPES + text)
    root = start(old)
    step(root.child(""), named(old.inner["h"], "Add", k=2))
    renamed = TYPES + edited(text, ("n: int = 1", "m: int = 1"), ("n += k", "m += k"))
    blocks = f'migrate g from "{old.hash}" {{ rename field n to m }}'
    if own:
        blocks += f' migrate h from "{old.inner["h"].hash}" {{ rename field n to m  set f = [] }}'
    new = version(renamed + blocks)
    there = landed(move(root, old, new), new)
    below = there.children[""]
    assert (there.state.m, below.node, below.state.m, below.state.f) == (1, "j", 3, [] if own else [1])


def test_frames_of_a_map_go_by_the_migration_of_their_graph() -> None:
    text = (
        f"{STATE}{INNER} graph h(T) {{ task i {{ records Inc }} task j {{}} start -> i -> j -> end }}"
        " graph g(S) { map s = h { over f as x  in m = x  out Add(m) } start -> s -> end }"
    )
    old = version(TYPES + text)
    root = start(old)
    step(root.child(0), named(old.inner["h"], "Inc", by=6))
    edits = (
        ("m: int = 0", "sum: int = 0"), ("m += by", "sum += by"), ("in m = x", "in sum = x"),
        ("Add(m)", "Add(sum)"), ("task j {}", "task k {}"), ("-> j ->", "-> k ->"),
    )  # fmt: skip
    renamed = TYPES + edited(text, *edits)
    inner_hash = old.inner["h"].hash
    new = version(f'{renamed} migrate h from "{inner_hash}" {{ rename field m to sum  rename node j to k }}')
    done = move(root, old, new)
    there = landed(done, new)
    assert (there.children[0].node, there.children[0].state.sum, done.migrated) == ("k", 7, True)


# --- chains -------------------------------------------------------------------------------------------------


def chain_of_three() -> list[Version]:
    """`n` becomes `m`, then `m` in tenths, then `m` as text beside a field that came in between."""
    line = "task a {}  task b {}  start -> a -> b -> end"
    one = version(source(line, "state S { n: int = 1 }", ""))
    second = source(
        line.replace("task b", "task c").replace("-> b", "-> c"), "state S { m: int  k: int = 7 }", ""
    )
    two = migrated(second, (one, "rename field n to m  rename node b to c"))
    third = second.replace("m: int ", "m: float ")
    three = migrated(third, (one, "rename field n to m  rename node b to c"), (two, "set m = m / 10"))
    last = third.replace("m: float", "t: str").replace("k: int = 7", "l: int = 0")
    four = migrated(
        last,
        (one, "rename field n to m  rename node b to c"),
        (two, "set m = m / 10"),
        (three, "set t = str(m)  drop field m  rename field k to l"),
    )
    return [one, two, three, four]


def test_a_chain_leads_from_wherever_a_run_is() -> None:
    versions = chain_of_three()
    last = versions[-1]
    expected = [{"t": "0.5", "l": 7}, {"t": "0.5", "l": 7}, {"t": "5.0", "l": 7}]
    for old, state in zip(versions, expected, strict=False):
        root = start(
            old,
            **{
                "n" if old is versions[0] else "m": 5
                if "int" in old.texts.get("state/field/m", "int")
                else 5.0
            },
        )
        step(root)
        chain = chain_from(last, old.hash)
        assert chain is not None
        done = moved(stored(root), old, last, chain, between=versions[1:-1])
        assert state_of(done) == state
        assert landed(done, last).node == "c"
    assert chain_from(last, last.hash) is None
    assert chain_from(last, "lg1:" + "0" * 64) is None


def test_what_a_version_between_would_have_given_is_not_guessed() -> None:
    versions = chain_of_three()
    one, last = versions[0], versions[-1]
    root = start(one, n=5)
    done = move(root, one, last)
    assert kinds(done) == ["step-unfit"]
    assert "rename field k to l" in done.reasons[0].text
    forms = {other.hash: other.canonical for other in versions}

    async def look_up(hash: str) -> str | None:
        return forms.get(hash)

    between = asyncio.run(versions_between(last, one.hash, look_up))
    assert [other.hash for other in between] == [other.hash for other in versions[1:-1]]
    assert state_of(move(root, one, last, between=between)) == {"t": "0.5", "l": 7}
    forms[versions[2].hash] = "{"
    assert len(asyncio.run(versions_between(last, one.hash, look_up))) == 1


def test_a_short_hash_is_enough_to_say_where_a_migration_is_from() -> None:
    text = edited(source(), ("o: str?", "p: str?"), ("Put(o)", "Put(p)"))
    new = version(f'{text} migrate g from "{OLD.hash[:20]}" {{ rename field o to p }}')
    chain = chain_from(new, OLD.hash)
    assert chain is not None
    assert state_of(move(at_b(), OLD, new))["p"] == "here"


# --- a dry run ----------------------------------------------------------------------------------------------


def test_a_dry_run_shows_every_field() -> None:
    edits = (
        ("task b", "task d"), ("-> b", "-> d"), ("n: int = 1", "n: float = 0.0"), ("f: list[int] = [1]", ""),
        ("o: str?", "p: str?"), ("Put(o)", "Put(p)"), ("e: E = E.x", "e: E = E.x  new: int = 3"),
        ("Add(k: int)", "Add(k: float)"),
    )  # fmt: skip
    text = edited(source(), *edits)
    new = migrated(text, (OLD, "rename node b to d  drop field f  rename field o to p  set e = E.y"))
    found = previewed(stored(at_b()), OLD, new, new.migrations)
    (frame,) = found.frames
    assert (frame.frame, frame.old_node, frame.new_node) == ("", "b", "d")
    rows = {row.field: (row.was, row.how, row.old, row.new) for row in frame.fields}
    assert rows == {
        "e": ("e", "changed", "x", "y"),
        "f": ("f", "dropped", [1], None),
        "n": ("n", "changed", 5, 5.0),
        "new": ("", "added", None, 3),
        "p": ("o", "kept", "here", "here"),
        "r": ("r", "kept", {"n": 2, "m": "m"}, {"n": 2, "m": "m"}),
    }
    assert json.loads(json.dumps(found.to_json()))["steps"] == [OLD.hash]


def test_a_dry_run_shows_frames_that_are_dropped_and_reasons() -> None:
    old, root = forked()
    new = migrated(source("task a {}  start -> a -> end"), (old, "move p to a"))
    found = previewed(stored(root), old, new, new.migrations)
    assert [(frame.frame, frame.old_node, frame.new_node) for frame in found.frames] == [
        ("", "p", "a"), ("p/x", "two", ""), ("p/y", "ask", ""),
    ]  # fmt: skip
    found = previewed(stored(root), old, new)
    assert (found.frames, [reason.kind for reason in found.reasons]) == ((), ["node-gone"])


@pytest.mark.parametrize("source", ["", "lg1:", OLD.hash[:8], OLD.hash[:19]])
def test_a_hash_of_few_digits_is_that_of_no_graph(source: str) -> None:
    """It could be that of many, and a run would be moved by the wrong block."""
    unclear = Version(OLD.hash, OLD.canonical, migrations=(Migration(source),))
    assert chain_from(unclear, OLD.hash) is None
    cut = Version(OLD.hash, OLD.canonical, migrations=(Migration(OLD.hash[:20]),))
    assert chain_from(cut, OLD.hash) == cut.migrations
