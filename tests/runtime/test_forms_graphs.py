"""A graph made of a form does to a log what generated code does: graphs of every source, driven by chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.runtime.forms_driver import checked_of, fake_module, forms_agree, plans_of
from tests.runtime.test_engine_random import Maker

from lgc.compiler import check
from lgc.dsl.source import Source
from lgc.runtime import plan
from lgc.runtime.forms.version import version_of_plan

TESTS = Path(__file__).parents[1]
CORPUS = TESTS / "corpus"
# ruff: noqa: E501
# What most of the corpus does not have: each kind of statement and merge rule, lenses inside lenses.
RICH = """
enum E { a, b }
record Note { text: str  e: E = E.a  more: dict[str, int] = {}  inner: Part? }
record Part { n: int = 0  tags: set[str] = [] }
record Other { kind: str = "o" }
union U = Note | Other
state Deep { x: int = 0  ys: list[int] = []  mutation Dive(by: int) { x += by  ys += [x] } }
state In {
  m: int = 0 range ..1_000  note: Note?  deep: Deep  notes: dict[str, Note] = {}
  mutation Inc(by: int) { m += by }
  mutation Keep(note2: Note) { note = note2  notes[note2.text] = note2 }
  mutation Reach(by: int) { deep.x += by  deep.ys += [by, m] }
}
state S {
  n: int = 0  f: float = 0.5 range 0..10  d: decimal = 1.5  at: datetime = "2024-01-02T03:04:05Z"  late: duration = 5s
  xs: list[int] = []  s: set[E] = []  t: dict[E, list[int]] = {}  note: Note = Note(text = "-")  u: U = Other()
  maybe: Note?  inner: In  w: str = ""  day: date?  raw: bytes = "x"  id: uuid?  js: json = none
  total: int = 0 merge sum  last: str = "" merge last  log: list[str] = [] merge append  top: int? merge max
  low: float = 9.0 merge min  all: set[E] = [] merge union  joined: dict[str, int] = {} merge union
  odd: list[int] = [] merge custom "form_merges:odd"  ext: int = 0
  mutation Add(by: int) { n += by  f = min(f + 0.25, 9.5)  d = d * 2 - by  late = late * 2 - 1s }
  mutation Pass(of: duration) { at += of  at = max(at, "2024-01-01T00:00:00Z")  late = at - "2024-01-01T00:00:00Z" }
  mutation Put(e: E, ys: list[int]) { t[e] = ys  s += [e]  t += {E.a: xs} }
  mutation Drop(e: E) { s -= [e]  t[e] += [n]  del t[e] }
  mutation Write(text: str) { note.text = text  note.e = E.b  note.more[text] = n  w = w + upper(text)  raw += raw }
  mutation Set(u2: U, m: Note?) { u = u2  maybe = m  xs = [n] + xs + [n + 1]  xs += xs }
  mutation Whole(i: int) { inner.m = i  inner.deep.x += i  inner.notes["k"] = note }
  mutation Mix(id, js) mutation Day(day)
  mutation Rules(by: int, text: str) {
    total += by  last = text  log += [text]  top = by  low = 0.5 * by  all += [E.b]  joined[text] = by  odd += [by]
  }
  mutation Ext(seed: int) = "form_merges:ext" writes ext, xs
}
graph deep(Deep) { task dive { records Dive } barrier ask { timeout 1h } start -> dive
  dive -> ask when visits(dive) < 3 and (x % 2 == 0 or len(ys) in [1, 3])  dive -> end else
  ask -> dive on approve  ask -> end on reject  ask -> end on timeout }
graph inner(In) {
  task inc { records Inc, Keep, Reach }
  subgraph down = deep { on deep }
  start -> inc -> down
  down -> inc when m < 50 and note != none and note.e == E.a max_visits 2
  down -> end else
}
graph same(S) { task one { records Add, Rules } subgraph on_field = inner { on inner } start -> one -> on_field -> end }
graph g(S) {
  task a { records Add, Pass, Put, Drop, Write, Set  goto ask, end }
  task b { records Whole, Mix, Day, Ext }
  decision which
  subgraph s1 = same
  subgraph s2 = inner { in m = n % 7, note = maybe ?? note, notes = {note.text: note}  out Add(m), Set(Other(), note) }
  map each = inner { over xs as item  in m = item % 5, deep = inner.deep  out Add(item), Rules(item + m, str(len(notes))) on_error collect }
  map keys = deep { over s as k  in x = 1 if k == E.a else 2  out Put(k, ys) }
  parallel p { branch l { start -> pa -> end } branch r { start -> pb -> s3 -> end } branch q = pc  join first 2 on_error collect }
  task pa { records Rules } task pb { records Rules, Ext } task pc { }
  subgraph s3 = inner { on inner }
  barrier ask {
    timeout 1h decides more(n2 = n, why = maybe)  shows n, note
    decision more(n2: int, why: Note?) records Add(n2), Write(why?.text ?? "none"), Set(Other(kind = w), why)
    decision stop modify Day, Mix reroute a, which
  }
  start -> a -> b -> which
  which -> s1 when n > 3 and (u is Other or u is Note) max_visits 2
  which -> s2 when maybe != none and E.a in s and steps() < 20 max_visits 2
  which -> each when at > "2024-06-01T00:00:00Z" or late < 1m max_visits 2
  which -> p when d < 100.5 and f != 0.5 max_visits 2
  which -> keys when get(t, E.a, []) == [] and len(w) > 2 max_visits 2
  which -> ask else
  s1 -> which  s2 -> which  each -> which  each -> ask on error  p -> which  p -> ask on error  keys -> which
  ask -> a on more max_visits 3
  ask -> end on stop
  ask -> which on timeout
}
"""


def odd(before: list[int], values: list[list[int]]) -> list[int]:
    """What no built-in rule gives."""
    return [n for value in values for n in value if n % 2]


def ext(state: Any, mutation: Any) -> dict[str, Any]:
    """What a mutation in Python gives."""
    return {"ext": mutation.seed % 100, "xs": [*state.xs[:2], 1]}


def compute(state: Any, mutation: Any) -> dict[str, Any]:
    """What the corpus asks for."""
    return {"n": mutation.seed}


def same_routes(graph: plan.Graph[Any]) -> None:
    """Keys, targets and limits of edges, and what nodes may do, are told alike."""

    def told(compiled: plan.Graph[Any]) -> Any:
        routes = {
            source: [
                (outcome, edge.key, edge.target, edge.max_visits, edge.guard is None)
                for outcome, edges in [("", route.edges), *sorted(route.on.items())]
                for edge in edges
            ]
            for source, route in compiled.routes.items()
        }
        nodes = {name: _node(node) for name, node in compiled.nodes.items()}
        return routes, nodes, compiled.max_steps, _state(compiled.state)

    assert told(version_of_plan(graph).graph.plan) == told(graph)


def _state(kind: Any) -> Any:
    """What a state is made of, as far as joins ask: which fields are copied, merged, looked at, written how."""
    durable = {name: a for name, a in kind.__lg_fields__.items() if name not in kind.__lg_transients__}
    return (
        {n: (a in kind.__lg_collections__, a in kind.__lg_substates__) for n, a in durable.items()},
        {a for a in durable.values() if a in kind.__lg_substates__},
        {name: rule for name, (rule, _) in kind.__lg_merges__.items()},
        set(kind.__lg_checks__),
        {name: dict(mutation.__lg_writes__) for name, mutation in kind.__lg_mutations__.items()},
    )


def _node(node: plan.Node) -> Any:
    match node:
        case plan.Task():
            records = sorted(kind.__lg_name__ for kind in node.records)
            return node.region, records, sorted(node.ensures), sorted(node.goto), node.effect
        case plan.Barrier():
            modify = sorted(kind.__lg_name__ for kind in node.modify)
            return node.region, sorted(node.answers), modify, sorted(node.reroute)
        case plan.Parallel():
            return node.region, list(node.branches.items()), node.join, node.collect
        case plan.Subgraph():
            lens = node.lens if isinstance(node.lens, plan.OnField) else type(node.lens)
            return node.region, node.graph.hash, node.max_steps, lens
        case plan.Map():
            return node.region, node.graph.hash, node.max_steps, node.collect
        case plan.Decision():
            return node.region


def usable(root: Path, names: list[str], folder: Path) -> list[plan.Graph[Any]]:
    """The plans of files without errors."""
    checked = checked_of(root, *names)
    if any(d.severity == "error" for d in checked.diagnostics):
        return []
    return plans_of(checked, folder)


@pytest.fixture(scope="module", autouse=True)
def modules() -> None:
    """What the corpus names in Python."""
    fake_module("form_merges", odd=odd, ext=ext)
    fake_module("app")
    fake_module("app.models", compute=compute)


def test_every_kind_of_statement_rule_and_lens(tmp_path: Path) -> None:
    checked = check([Source("rich.lgraph", RICH)], load=lambda _: None)
    despite = {"LG502", "LG503", "LG504", "LG401", "LG310"}
    wrong = [d for d in checked.diagnostics if d.severity == "error" and d.code not in despite]
    assert not wrong, [f"{d.place}: {d.code} {d.message}" for d in wrong]
    plans = {graph.name: graph for graph in plans_of(checked, tmp_path)}
    for graph in plans.values():
        same_routes(graph)
    assert sum(forms_agree(plans["g"], seed) for seed in range(8)) > 40
    assert sum(forms_agree(plans["same"], seed) for seed in range(4)) > 10


@pytest.mark.parametrize(("folder", "share"), [("build", 1), ("real", 4)])
def test_the_corpus(folder: str, share: int, tmp_path: Path) -> None:
    steps, root = 0, CORPUS / folder
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*.lgraph"))[::share]
    for graph in usable(root, names, tmp_path):
        same_routes(graph)
        steps += forms_agree(graph, 0)
    assert steps > 20


def test_examples_and_graphs_of_other_tests(tmp_path: Path) -> None:
    steps = 0
    examples = TESTS.parent / "examples"
    for root in (examples / "article", examples / "agent", TESTS / "runtime", TESTS / "chaos"):
        for path in sorted(root.glob("*.lgraph")):
            for graph in usable(root, [path.name], tmp_path):
                same_routes(graph)
                steps += sum(forms_agree(graph, seed) for seed in range(2))
    assert steps > 40


def test_random_graphs(tmp_path: Path) -> None:
    steps = 0
    for seed in range(500, 503):
        checked = check([Source(f"random{seed}.lgraph", Maker(seed).text)], load=lambda _: None)
        for graph in plans_of(checked, tmp_path):
            same_routes(graph)
            steps += forms_agree(graph, seed)
    assert steps > 20
