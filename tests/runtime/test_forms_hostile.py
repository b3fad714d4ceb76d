"""Forms that nobody compiled: refused with the element named, and nothing of them becomes Python."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from lgc.runtime import EvaluationError, LgcError
from lgc.runtime.forms.version import Version, version_of_plan
from lgc.runtime.machine.completion import complete
from lgc.runtime.machine.position import begin
from lgc.runtime.values.typed_json import decode_checkpoint, decode_mutations, encode_state

Compile = Callable[..., Any]

# ruff: noqa: E501
TEXT = """
enum E { a, b }
record R { n: int = 0  e: E = E.a  next: R? }
record Q { t: str = "" }
union U = R | Q
state In { x: int = 0  mutation Inc() { x += 1 } }
state S {
  n: int = 0 range 0..9  s: str = "x" length ..5 pattern "^x"  r: R = R(n = 1)  u: U?  xs: list[int] = []
  d: dict[str, R] = {}  e: E = E.a  inner: In  low: float = 1.5 merge custom "no_such_module_1:f"
  mutation Add(by: int) { n += by  xs += [n]  r.n = max(r.n, by)  d["k"] = r }
  mutation Set(u2: U) { u = u2 }
  mutation Ext(seed: int) = "no_such_module_2:f" writes n, xs
}
graph inner(In) { task inc { records Inc } start -> inc -> end }
graph g(S) {
  task t { reads *  records Add, Ext, Set  ensures u  goto end }
  decision which
  subgraph sub = inner { on inner }
  map each = inner { over xs as x2 in x = x2 out Add(x) }
  parallel p { branch l = pl branch r = pr join first 1 }
  task pl { records Add } task pr { records Add }
  barrier ask { timeout 1h decides stop  decision stop decision more(by: int) records Add(by) modify Set reroute t }
  start -> t -> which
  which -> sub when n > 1 and (u is R or e in [E.a]) and visits(t) < 3 max_visits 2
  which -> each when len(xs) > 1 and get(d, "k", r).n != 2
  which -> p else
  sub -> ask  each -> ask  p -> ask
  ask -> end on stop  ask -> t on more max_visits 3  ask -> end on timeout
}
"""

# What replaces a part of the form, by its path; the element that the refusal names.
PLANTED: tuple[tuple[str, Any, str], ...] = (
    ("graph/state", "Nope Nope", "graph"),
    ("graph/max_steps", "many", "graph"),
    ("state/field/n|type", "opaque", "state/field/n"),
    ("state/field/n|type", ["record", "Nope"], "state/field/n"),
    ("state/field/n|type", ["state", "S"], "state/field/n"),
    ("state/field/n|default", "text", "state/field/n"),
    ("state/field/n|default", ["field", "s"], "state/field/n"),
    ("state/field/n|range", [1], "state/field/n"),
    ("state/field/s|pattern", "(", "state/field/s"),
    ("state/field/low|merge", ["custom"], "state/field/low"),
    ("state/field/low|merge", "mix", "state/field/low"),
    ("enum/E|members", ["a", "__class__"], "enum/E"),
    ("record/R|fields", {"n": {"type": ["list"]}}, "record/R"),
    ("union/U|members", ["E"], "union/U"),
    ("state/mutation/Add|body", [{"path": ["nope"], "op": "set", "value": 1}], "state/mutation/Add"),
    ("state/mutation/Add|body", [{"path": ["n"], "op": "pow", "value": 1}], "state/mutation/Add"),
    ("state/mutation/Add|body", [{"path": ["n", "m"], "op": "set", "value": 1}], "state/mutation/Add"),
    ("state/mutation/Add|params", [["by", "int"], ["by", "int"]], "state/mutation/Add"),
    ("state/mutation/Ext|writes", ["nope"], "state/mutation/Ext"),
    ("node/t|kind", "robot", "node/t"),
    ("node/t|records", ["Nope"], "node/t"),
    ("node/t|goto", ["nope"], "node/t"),
    ("node/t|ensures", ["nope"], "node/t"),
    ("node/t|effect", "twice", "node/t"),
    ("node/sub|graph", "nope", "node/sub"),
    ("node/sub|on", "n", "node/sub"),
    ("node/each|over", ["field", "n"], "node/each"),
    ("node/each|in", {"nope": 1}, "node/each"),
    ("node/each|out", [["Nope", {}]], "node/each"),
    ("node/p|join", "some", "node/p"),
    ("node/p|branches", ["l", "l"], "node/p"),
    ("node/ask|timeout", ["nope", {}], "node/ask"),
    ("node/ask|decisions", {"more": {"params": [["__x__", "int"]]}}, "node/ask"),
    ("edges/which|when", [{"to": "sub", "guard": ["call", "__import__", "os"]}], "edges/which"),
    ("edges/which|when", [{"to": "sub", "guard": ["attr", ["field", "r"], "__class__"]}], "edges/which"),
    ("edges/which|when", [{"to": "sub", "guard": ["attr", ["field", "s"], "format"]}], "edges/which"),
    ("edges/which|when", [{"to": "sub", "guard": ["left", ["field", "s"], "*", 1000000000]}], "edges/which"),
    ("edges/which|when", [{"to": "nope", "guard": True}], "edges/which"),
    ("edges/which|when", [{"to": "sub"}], "edges/which"),
    ("edges/t", {"sometimes": []}, "edges/t"),
)  # fmt: skip


@pytest.fixture(scope="module")
def version() -> Version:
    """The version of a sound form."""
    import types

    from lgc.compiler import check
    from lgc.compiler.codegen import generate
    from lgc.dsl.source import Source

    checked = check([Source("hostile.lgraph", TEXT)], load=lambda path: None)
    module = types.ModuleType("hostile_forms_lg")
    sys.modules[module.__name__] = module
    code = generate(checked.program, checked.program.modules[0], version="0")
    exec(compile(code, "hostile_forms_lg.py", "exec"), module.__dict__)  # noqa: S102
    return version_of_plan(module.G_PLAN)


def changed(version: Version, form: Any) -> Version:
    """A version with another form."""
    return Version(version.hash, json.dumps(form), version.inner)


def test_the_sound_form_is_one(version: Version) -> None:
    assert set(version.graph.plan.nodes) == {"t", "which", "sub", "each", "p", "pl", "pr", "ask"}


@pytest.mark.parametrize(("path", "value", "element"), PLANTED, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_refused_by_element(version: Version, path: str, value: Any, element: str) -> None:
    form = json.loads(version.canonical)
    id_, _, key = path.partition("|")
    if id_.startswith("graph/"):
        id_, _, key = id_.partition("/")
    if key:
        form["elements"][id_][key] = value
    else:
        form["elements"][id_] = value
    with pytest.raises(ValueError, match=element) as refused:
        _ = changed(version, form).graph
    assert not isinstance(refused.value.__cause__, ImportError)


@pytest.mark.parametrize("id_", ["node/start", "node/__init__", "node/a b", "state/field/__lg_shared__", "enum/",
                                 "record/R#x", "state/mutation/", "edges/nope", "substate/In/field/a-b"])  # fmt: skip
def test_names_that_are_none_are_refused(version: Version, id_: str) -> None:
    form = json.loads(version.canonical)
    pattern = {"node": "node/t", "enum": "enum/E", "record": "record/R", "edges": "edges/t"}
    family = id_.partition("/")[0]
    same = pattern.get(family, "state/mutation/Add" if "mutation" in id_ else "state/field/n")
    form["elements"][id_] = form["elements"][same]
    with pytest.raises(ValueError, match="element"):
        _ = changed(version, form).graph


JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", "x", "__class__", "a b", "x" * 300, [], {}, [[]], ["field", "nope"], ["list"],
    ["call", "eval", "1"], 10**30, ["record", "Nope", {}], {"a": 1}, ["enum", "E", "z"], ["optional", "int"],
    "#", "A#2", "start", "end", ["and"], ["left"], ["left", 1, "+"], ["if", 1], ["dict", [1]], {"to": "nope"},
)  # fmt: skip


def spoil(form: Any, random: Random) -> None:
    """Put, drop or move parts of a form."""
    places: list[tuple[Any, Any]] = []
    todo: list[Any] = [form["elements"]]
    while todo:
        at = todo.pop()
        keys: list[Any] = list(at.keys() if hasattr(at, "keys") else range(len(at)))
        places += [(at, key) for key in keys]
        todo += [at[key] for key in keys if isinstance(at[key], (dict, list))]
    for _ in range(random.choice((1, 1, 2))):
        holder, key = random.choice(places)
        other, there = random.choice(places)
        turn = random.random()
        try:
            if turn < 0.6:
                holder[key] = copy.deepcopy(random.choice(JUNK))
            elif turn < 0.75:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(other[there])
        except (KeyError, IndexError):
            continue


def test_spoilt_forms_are_refused_or_work(version: Version) -> None:
    random, refused, made = Random(5), 0, 0
    for _ in range(120):
        form = json.loads(version.canonical)
        spoil(form, random)
        try:
            spoilt = changed(version, form)
        except ValueError:
            refused += 1
            continue
        try:
            plan = spoilt.graph.plan
        except ValueError as error:
            assert "element `" in str(error)
            refused += 1
            continue
        made += 1
        kind: Any = plan.state
        try:
            decode_mutations(kind, '[{"m":"Add","p":{"by":1}}]')
            begin(spoilt.graph, kind.restore(decode_checkpoint(kind, "{}"), {}), 0.0)
        except LgcError:
            pass
    assert refused > 50 and made > 5


def test_functions_of_the_user_are_never_imported(version: Version) -> None:
    graph = version.graph
    kind: Any = graph.plan.state
    root = begin(graph, kind(), 0.0)
    before = encode_state(root.state)
    with pytest.raises(EvaluationError, match="`no_such_module_2:f` is not called"):
        complete(root, "ok", [kind.__lg_mutations__["Ext"](seed=1)], goto="which")
    assert encode_state(root.state) == before
    rule, function = kind.__lg_merges__["low"]
    assert rule == "custom" and not isinstance(function, str)
    with pytest.raises(EvaluationError, match="`no_such_module_1:f` is not called"):
        function(1.0, [2.0])
    assert not any(name.startswith("no_such_module") for name in sys.modules)


@pytest.mark.parametrize("depth", [190, 400, 50_000])
def test_deep_expressions_and_types(version: Version, depth: int) -> None:
    def with_guard(text: str) -> Version:
        form = json.loads(version.canonical)
        form["elements"]["edges/t"] = {"when": [{"to": "which", "guard": "HERE"}], "else": [{"to": "end"}]}
        return Version(version.hash, json.dumps(form).replace('"HERE"', text), version.inner)

    nested = '["not",' * depth + "true" + "]" * depth
    deep_type = '["list",' * depth + '"int"' + "]" * depth
    if depth < 200:
        graph = with_guard(nested).graph
        guard = graph.plan.routes["t"].edges[0].guard
        assert guard is not None and guard.test(None, graph) is True  # type: ignore[arg-type]  # pyright: ignore
    else:
        with pytest.raises(ValueError, match=r"nested|recursion"):
            _ = with_guard(nested).graph
    with pytest.raises(ValueError, match=r"nested|recursion"):
        _ = Version(
            version.hash, version.canonical.replace('"type":"str"', f'"type":{deep_type}'), version.inner
        ).graph


def test_a_long_expression_is_not_a_deep_one(version: Version) -> None:
    form = json.loads(version.canonical)
    form["elements"]["edges/t"]["plain"] = []
    long = ["left", 1, *["+", 1] * 4_000]
    form["elements"]["edges/t"] = {"when": [{"to": "which", "guard": ["==", long, 4_001]}]}
    edge = changed(version, form).graph.plan.routes["t"].edges[0]
    assert edge.guard is not None and edge.guard.test(None, None)  # type: ignore[arg-type]  # pyright: ignore


def test_two_records_of_one_name(compiled: Compile, tmp_path: Any) -> None:
    from tests.runtime.forms_driver import checked_of, forms_agree, plans_of

    (tmp_path / "a.lgraph").write_text("record Note { text: str }\nrecord Pair { one: Note  n: int = 0 }\n")
    (tmp_path / "b.lgraph").write_text("record Note { mark: int  why: str? }\nrecord More { two: Note }\n")
    (tmp_path / "main.lgraph").write_text(
        'from "./a.lgraph" import Pair\nfrom "./b.lgraph" import More, Note\n'
        "state S { p: Pair?  m: More?  ns: list[Note] = []\n"
        "  mutation P(p) mutation M(m) mutation N(n: Note) { ns += [n] } }\n"
        "graph g(S) { task t { records P, M, N }  start -> t  t -> t when len(ns) < 3 max_visits 4  t -> end else }\n"
    )
    (plan,) = plans_of(checked_of(tmp_path, "main.lgraph"), tmp_path)
    version = version_of_plan(plan)
    assert {"record/Note", "record/Note#2"} <= set(version.elements)
    assert sum(forms_agree(plan, seed) for seed in range(4)) > 4


def test_what_would_never_end_is_refused(version: Version) -> None:
    def refused(element: str, **more: Any) -> None:
        form = json.loads(version.canonical)
        form["elements"] |= {id_.replace("__", "/"): value for id_, value in more.items()}
        with pytest.raises(ValueError, match=element):
            _ = changed(version, form).graph

    nothing: dict[str, Any] = {}
    again = {"type": ["record", "R"], "default": ["record", "R", nothing]}
    refused("record/R.*needs itself", record__R={"fields": {"n": again}})
    # By way of another record.
    through = {"type": ["record", "Q"], "default": ["record", "Q", nothing]}
    refused("needs itself", record__R={"fields": {"n": through}}, record__Q={"fields": {"t": again}})
    refused("states inside each other", substate__In__field__x={"type": ["state", "In"]})
    twice = {
        f"substate__A{n}__field__{side}": {"type": ["state", f"A{n + 1}"]} for n in range(60) for side in "lr"
    }
    last = {"substate__A60__field__x": {"type": "int", "default": 0}}
    refused("states inside each other", state__field__a={"type": ["state", "A0"]}, **twice, **last)
    long = {f"substate__A{n}__field__x": {"type": ["state", f"A{n + 1}"]} for n in range(400)}
    last = {"substate__A400__field__x": {"type": "int", "default": 0}}
    refused("states inside each other", state__field__a={"type": ["state", "A0"]}, **long, **last)


def test_a_default_may_make_its_own_record_as_long_as_it_ends(version: Version) -> None:
    form = json.loads(version.canonical)
    made = ["record", "R", {"next": None}]
    form["elements"]["record/R"]["fields"]["next"] = {"type": ["optional", ["record", "R"]], "default": made}
    kind: Any = changed(version, form).graph.plan.state
    state = json.loads(encode_state(kind()))
    assert state["r"]["next"] == {"n": 0, "e": "a", "next": None}
