"""Generated modules really work: states are stored and come back; mutations apply and are taken back."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from lgc.runtime import generated as lg
from lgc.runtime import plan
from lgc.runtime.errors import EvaluationError, TransientMissing

Load = Callable[[str], ModuleType]
Make = Callable[[str], ModuleType]


def applied(state: Any, mutation: Any) -> lg.Undo:
    undo = lg.Undo()
    mutation.__lg_apply__(state, undo)
    return undo


def test_state_is_made_stored_and_restored(load: Load) -> None:
    article, common = load("article"), load("common")
    note = common.Note(author="a", text="b")
    state = article.Article(topic="Zeno", model=object(), notes=[note])
    stored = state.snapshot().model_dump_json()
    assert json.loads(stored) == {
        "topic": "Zeno", "draft": None, "notes": [{"author": "a", "text": "b"}],
        "score": 0.0, "verdict": None, "revision": 0,
    }  # fmt: skip
    checkpoint = article.ArticleCheckpoint.model_validate_json(stored)
    assert article.Article.restore(checkpoint, {"model": state.model}) == state


def test_restoring_asks_for_transients(load: Load) -> None:
    article = load("article")
    checkpoint = article.ArticleCheckpoint(topic="x")
    with pytest.raises(TransientMissing, match="`model`"):
        article.Article.restore(checkpoint, {})


def test_optional_and_defaulted_transients_may_be_missing(load: Load) -> None:
    updates = load("updates")
    state = updates.Updates.restore(updates.UpdatesCheckpoint(), {"middle.inner.client": 1})
    assert state.inner.client is None
    assert state.inner.cache == {}
    assert state.middle.inner.client == 1


def test_every_type_comes_back_from_json(load: Load) -> None:
    types, common = load("types"), load("common")
    values: dict[str, Any] = {
        "ratio": 0.25, "maybe": 1e300, "price": Decimal("10.00"), "raw": b"\x00\xff",
        "at": datetime(2031, 1, 2, 3, 4, 5, 6, UTC), "day": date(2000, 2, 29), "wait": timedelta(-1, 2, 3),
        "id": UUID(int=7), "anything": {"a": (1, 2.5, None, True, {"b": ()})},
        "notes": [common.Note(author="ä\n", text="\u202e")], "tags": {"x", "y"},
        "by_id": {UUID(int=1): common.Note(author="", text="")},
        "by_level": {types.Severity.high: frozenset({3, 1, 2})}, "matrix": [(1.5,), ()],
        "maybe_list": [], "maybe_set": {1}, "maybe_dict": {"k": types.Severity.critical},
        "shape": types.Group(
            shapes=(types.Circle(radius=2.0), types.Polygon(label="p")), named={"g": types.Group()}
        ),
        "shapes": [types.Polygon(corners=[types.Point()], holes=[types.Circle(radius=1.0)])],
        "delivery": types.Mail(), "remarks": [types.Severe(), common.Note(author="q", text="r")],
        "flavour": types.Flavour.name_,
    }  # fmt: skip
    state = types.Types(**values)
    stored = state.snapshot().model_dump_json()
    back = types.Types.restore(types.TypesCheckpoint.model_validate_json(stored), {})
    assert back == state
    assert back.snapshot().model_dump_json() == stored
    kinds = json.loads(stored)
    assert kinds["shape"]["kind"] == "Group" and kinds["shape"]["shapes"][0]["kind"] == "Circle"
    assert kinds["delivery"] == {"kind_": "Mail", "kind": "letter", "weight": "0.1"}
    assert [r["kind"] for r in kinds["remarks"]] == ["Severe", "Note"]
    assert kinds["flavour"] == "name"
    assert kinds["tags"] == ["x", "y"]


def test_defaults_are_what_was_written(load: Load) -> None:
    types = load("types")
    everything = types.Everything()
    assert everything.a == 'it\'s "quoted"\n\0 {{ x }} {% y %} \\'
    assert everything.k == {"a": (1, 2.5, None, True, "x"), "b": {}}
    assert everything.f == Decimal("0.10") and str(everything.f) == "0.10"
    assert everything.i == timedelta(minutes=90)
    assert everything.q == {"zero": types.Point()}
    assert hash(everything) == hash(types.Everything())
    assert types.Types(ratio=0.0).by_level == {types.Severity.low: {1, 2}, types.Severity.high: frozenset()}


def test_defaults_are_not_shared(load: Load) -> None:
    types = load("types")
    one, two = types.Types(ratio=0.0), types.Types(ratio=0.0)
    one.tags.add("z")
    one.by_level.clear()
    assert two.tags == {"a", "b"} and two.by_level


def test_values_are_immutable(load: Load) -> None:
    types = load("types")
    checkpoint = types.Types(ratio=0.0).snapshot()
    with pytest.raises(ValidationError):
        checkpoint.ratio = 1.0
    with pytest.raises(TypeError):
        checkpoint.by_level["x"] = 1
    assert checkpoint.matrix == ((1.0, 2.5),)


def test_models_are_strict(load: Load) -> None:
    types, article = load("types"), load("article")
    for wrong in ({"radius": "1"}, {"radius": 1.0, "other": 1}, {}):
        with pytest.raises(ValidationError):
            types.Circle(**wrong)
    with pytest.raises(ValidationError):
        article.Grade(score=0.1, verdict="accept")


def sample(updates: ModuleType) -> Any:
    return updates.Updates(
        n=5, f=1.5, d=Decimal("2.5"), s="a", xs=[1, 2], words={"x", "y"}, dict={"a": 1, "k": 2},
        more={"k": (9,)}, inner=updates.Inner(items=["i"]),
    )  # fmt: skip


MUTATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Numbers", {"a": 2, "b": 0.5, "c": Decimal(1)}, {"n": 2, "f": 0.5, "d": Decimal("1.5")}),
    ("Texts", {"t": "b", "r": b"c"}, {"s": "AB", "raw": b"c"}),
    ("Times", {"by": timedelta(hours=1)}, {"wait": timedelta(hours=-1), "at": datetime(2031, 12, 24, 17)}),
    ("Lists", {"a": (7,), "b": 3}, {"xs": [3], "ys": []}),
    ("Sets", {"a": {"q"}}, {"words": {"q"}}),
    ("Dicts", {"k": "k", "v": 4}, {"dict": {}, "more": {"k": (1, 2, 4)}}),
    ("Maybes", {"a": None}, {"maybe": None, "word": "xy"}),
    ("Subs", {"t": "t"}, {}),
    ("Nothing", {}, {}),
    ("Whole", {"x": "y"}, {"whole": {"a": (1, "y", None), "y": {"b": 2.5}}}),
]


@pytest.mark.parametrize(("name", "params", "expected"), MUTATIONS, ids=[case[0] for case in MUTATIONS])
def test_mutations_apply_and_roll_back(
    load: Load, name: str, params: dict[str, Any], expected: dict[str, Any]
) -> None:
    updates = load("updates")
    state, before = sample(updates), sample(updates)
    mutation = getattr(updates, name)(**params)
    undo = applied(state, mutation)
    for field, value in expected.items():
        assert getattr(state, field) == value, field
    changed = {field for field in state.__lg_fields__ if getattr(state, field) != getattr(before, field)}
    assert changed <= {path.split(".")[0] for path in mutation.__lg_writes__}
    undo.roll_back()
    assert state == before


def test_mutations_of_sub_states_and_records(load: Load) -> None:
    updates, types = load("updates"), load("types")
    state = sample(updates)
    applied(state, updates.Subs(t="t"))
    assert state.inner.total == 3 and state.middle.inner.total == 1 and state.middle.name == "t"
    assert state.inner.items == ["i", "t"] and state.inner.box.corner.x == 1.0
    undo = applied(state, updates.Records(p=types.Point(x=3.0, y=4.0)))
    assert state.box.corner == types.Point(x=4.0, y=4.0)
    assert state.box.labels == () and state.box.counts == {} and state.box.marks == frozenset({2})
    assert state.lidded.corner == types.Point(x=3.0, y=4.0)
    assert updates.Box.model_validate_json(state.box.model_dump_json()) == state.box
    undo.roll_back()
    assert state.box == updates.Box() and state.lidded is None


def test_mutations_come_back_from_json(load: Load) -> None:
    updates = load("updates")
    one = updates.Times(by=timedelta(seconds=1.5))
    assert updates.Times.model_validate_json(one.model_dump_json()) == one


def test_branches_do_not_see_each_other(load: Load) -> None:
    updates = load("updates")
    state = sample(updates)
    branch = state.__lg_fork__()
    for name, params, _ in MUTATIONS:
        applied(branch, getattr(updates, name)(**params))
    assert state == sample(updates)


def test_kinds_of_writes(load: Load) -> None:
    updates, article = load("updates"), load("article")
    assert article.SetDraft.__lg_writes__ == {"draft": "set", "revision": "add"}
    assert article.AddNote.__lg_writes__ == {"notes": "append"}
    assert updates.Numbers.__lg_writes__ == {"n": "set", "f": "set", "d": "add"}
    assert updates.Sets.__lg_writes__ == {"words": "set"}
    assert updates.AddItem.__lg_writes__ == {"items": "append", "total": "add"}


WRITES = [
    ("n += 1 n -= p", {"n": "add"}),
    ("n = max(n, p)", {"n": "max"}),
    ("n = min(p, n)", {"n": "min"}),
    ("n = max(n, 1) n += 1", {"n": "set"}),
    ("n += n", {"n": "set"}),
    ("xs += [p]", {"xs": "append"}),
    ("xs += xs", {"xs": "set"}),
    ('t += "x"', {"t": "append"}),
    ("ss += [p]", {"ss": "union"}),
    ("ss -= [p]", {"ss": "sub"}),
    ("d += {p: 1}", {"d": "union"}),
    ("d[p] = 1 d[2] = p", {"d": "put"}),
    ("del d[p]", {"d": "delete"}),
    ("d[p] += 1", {"d": "set"}),
    ("d[p] = n n = 1", {"d": "put", "n": "set"}),
    ("r.x = p", {"r.x": "set"}),
    ("r.x += p", {"r.x": "add"}),
]


@pytest.mark.parametrize(("body", "writes"), WRITES, ids=[body for body, _ in WRITES])
def test_kind_of_each_write(make: Make, body: str, writes: dict[str, str]) -> None:
    fields = 'n: int = 0 xs: list[int] = [] t: str = "" ss: set[int] = [] d: dict[int, int] = {} r: R = R()'
    made = make(f"record R {{ x: int = 0 }} state S {{ {fields} mutation M(p: int) {{ {body} }} }}")
    assert made.M.__lg_writes__ == writes


def test_short_form_and_escape_hatch(load: Load) -> None:
    updates = load("updates")
    state = sample(updates)
    state.inner.client = "kept"
    result = updates.ComputedResult(
        n=1,
        xs=(4,),
        dict={"z": 1},
        maybe=None,
        word="w",
        box=updates.Box(),
        inner=updates.InnerCheckpoint(total=8),
    )
    assert updates.Computed.__lg_target__ == "app.models:compute"
    assert updates.Computed.__lg_result__ is updates.ComputedResult
    undo = lg.Undo()
    updates.Computed(seed=1).__lg_assign__(state, undo, result)
    assert (state.n, state.xs, state.dict, state.word) == (1, [4], {"z": 1}, "w")
    assert state.inner.total == 8 and state.inner.client == "kept"
    undo.roll_back()
    state.inner.client = None
    assert state == sample(updates)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("text", "", "`text` has length 0, outside 1..10"),
        ("text", "UPPER", "`text` does not match the pattern"),
        ("count", -1, "`count` is -1, outside 0.."),
        ("ratio", 1.5, "`ratio` is 1.5, outside 0.0..1.0"),
        ("ratio", float("nan"), "`ratio` is nan, not a finite number"),
        ("maybe", float("inf"), "`maybe` is inf, not a finite number"),
        ("maybe", 10.5, "`maybe` is 10.5, outside ..10.0"),
        ("price", Decimal("0.001"), "`price` is 0.001, outside 0.01.."),
        ("raw", b"x" * 101, "`raw` has length 101, outside ..100"),
        ("notes", [None] * 1001, "`notes` has length 1001, outside ..1000"),
    ],
)
def test_checks_say_what_is_broken(load: Load, field: str, value: object, says: str) -> None:
    types = load("types")
    state = types.Types(ratio=0.5, text='a"')
    assert [check(state) for check in state.__lg_checks__.values()] == [None] * len(state.__lg_checks__)
    setattr(state, field, value)
    found = state.__lg_checks__[field](state)
    assert found is not None and found.startswith(says)


def test_merges(load: Load) -> None:
    types = load("types")
    assert types.Types.__lg_merges__ == {
        "count": ("sum", None), "notes": ("append", None), "tags": ("union", None),
        "best": ("custom", "app.models:best"),
    }  # fmt: skip


def test_plan_of_every_kind_of_node(load: Load) -> None:
    graphs = load("graphs")
    outer = graphs.OUTER_PLAN
    nodes = outer.nodes
    assert {name: type(node).__name__ for name, node in nodes.items()} == {
        "once": "Subgraph", "part": "Subgraph", "same": "Subgraph", "each": "Map", "which": "Decision",
        "both": "Parallel", "inner": "Parallel", "l1": "Task", "r1": "Task", "a1": "Task", "b1": "Task",
        "wait": "Barrier", "last": "Barrier", "final": "Task",
    }  # fmt: skip
    assert nodes["part"].lens == plan.OnField("part", "part") and nodes["same"].lens == plan.SameState()
    assert nodes["both"].join == 2 and nodes["both"].collect and nodes["inner"].join == 1
    assert nodes["both"].branches == {"left": "both/left", "right": "both/right", "third": "both/third"}
    assert nodes["r1"].retry == plan.Retry(2, errors=("app.models:Oops", "app.models:Ouch"))
    assert nodes["r1"].timeout == 1.5 and nodes["l1"].effect == "pure"
    assert nodes["final"].goto == ("end", "which") and nodes["final"].impl == "app.models:final"
    assert nodes["inner"].region == "both/left" and nodes["a1"].region == "inner/a"
    assert nodes["last"].reroute == ("which",) and nodes["last"].modify == (graphs.Level, graphs.Good)
    assert outer.checkpointing == plan.Checkpointing(
        every_steps=10, on=frozenset({"barrier", "decision"}),
        adaptive=plan.Adaptive(1.0, 1000.0, 10000.0, 100.0),
        keep=604800.0, compact_steps=100,
    )  # fmt: skip


def test_routes_and_keys(load: Load) -> None:
    routes = load("graphs").OUTER_PLAN.routes
    assert set(routes) == {
        "start", "once", "part", "same", "each", "both", "which", "last", "start:both/left", "l1", "inner",
        "start:both/right", "r1", "start:both/third", "wait", "start:inner/a", "a1", "start:inner/b", "b1",
    }  # fmt: skip
    assert [edge.key for edge in routes["which"].edges] == ["which->last when 1", "which->final else"]
    assert routes["which"].edges[0].max_visits == 5
    assert routes["both"].on["error"][0] == plan.Edge("both->last on error", "last", max_visits=2)
    assert set(routes["wait"].on) == {"yes", "no", "timeout"}
    assert [edge.target for edge in routes["start:both/right"].edges] == ["r1"]
    assert [edge.target for edge in routes["r1"].edges] == ["end"]


def test_lenses_and_answers(load: Load) -> None:
    graphs, common = load("graphs"), load("common")
    client = object()
    outer = graphs.Outer(
        part=graphs.Review(text="p", client=client), client=client, good=4, drafts=["d", "e"]
    )
    nodes = graphs.OUTER_PLAN.nodes
    inner = nodes["once"].lens.enter(outer)
    assert (inner.text, inner.limit, inner.client) == ("x", 5, client)
    note = common.Note(author="n", text="t")
    applied(inner, graphs.Remark(note=note))
    assert nodes["once"].lens.leave(inner) == (graphs.AddNotes(more=(note,)), graphs.Good(n=0))
    each = nodes["each"]
    assert each.over(outer) == ["d", "e"] and each.over(outer) is not outer.drafts
    assert each.enter(outer, "d").text == "d"
    assert each.leave(inner, "d") == (graphs.AddNotes(more=(note,)), graphs.Word(text="d"))
    yes = nodes["wait"].answers["yes"]
    assert yes.records(outer, yes.arguments(n=3)) == (
        graphs.Good(n=3), graphs.AddNotes(more=(common.Note(author="x", text="yes"),)),
    )  # fmt: skip
    name, arguments = nodes["last"].timeout_answer
    assert name == "reject" and arguments(outer).reason == "late"


def test_views_show_what_is_read(load: Load) -> None:
    article, common, nested = load("article"), load("common"), load("sub.deep.nested")
    state = article.Article(topic="t", model="m", notes=[common.Note(author="a", text="b")])
    view = article.WriteView(state)
    assert (view.topic, view.model, list(view.notes)) == ("t", "m", state.notes)
    with pytest.raises(AttributeError):
        view.topic = "u"
    with pytest.raises(EvaluationError):
        _ = article.GradeView(state).draft
    assert not hasattr(view, "draft")
    review = load("graphs").Review(text="r", client=None)
    shown = nested.ShowView(nested.Nested(review=review))
    assert shown.review.text == "r" and shown.review.verdict is None
    with pytest.raises(AttributeError):
        shown.review.text = "s"


def test_binding(load: Load) -> None:
    article = load("article")

    class Nodes:
        def __getattr__(self, name: str) -> Any:
            return len

    graph = article.article(Nodes())
    assert graph.plan is article.ARTICLE_PLAN and graph.hash == article.ARTICLE_HASH
    graphs = load("graphs")
    review = graphs.review(Nodes())
    assert graphs.outer(Nodes(), review=review, plain=graphs.plain(Nodes())).subgraphs["review"] is review


def test_hostile_names_work(load: Load) -> None:
    hostile = load("hostile")
    state = hostile.State(json={"a": 1}, copy=3, schema="s", _private=4, self_=5, list=hostile.Object())
    stored = json.loads(state.snapshot().model_dump_json(exclude_defaults=True))
    assert stored == {"json": {"a": 1}, "copy": 3, "schema": "s", "_private": 4, "self": 5,
                      "list": stored["list"]}  # fmt: skip
    text = state.snapshot().model_dump_json()
    assert hostile.State.restore(hostile.StateStateCheckpoint.model_validate_json(text), {}) == state
    mutation = hostile.Mutation(
        json=None, copy=1, model_dump=2.0, model_config=True, schema=None, _private=1, _=2, private_=3
    )
    undo = applied(state, mutation)
    assert (state.copy, state.private__, state.x_, state.private_) == (1, 1, 2, 3)
    undo.roll_back()
    assert state.private__ == 4
    assert hostile.Mutation.model_validate_json(mutation.model_dump_json()) == mutation
    assert hostile.Str.title_.value == "title" and hostile.Str("name") is hostile.Str.name_
    edges = hostile.RUN_PLAN.routes["list"].edges
    assert edges[0].guard.test(state, None) is False
    assert set(hostile.RUN_PLAN.nodes) == {
        "property", "write", "Write", "self", "lg", "Awaitable", "str", "list",
    }  # fmt: skip


def test_strings_are_never_read_as_code(make: Make) -> None:
    nasty = ['"', "'", '"""', "\\", "\n", "\r\n", "{{ 1 }}", "{% raw %}", "{#", "\x00", "\u202e", "\u2028",
             "%s", "{x}", "é\u0301", "漢字", "# x", "\\N{DASH}", "'''", "\\\"", "a" * 200]  # fmt: skip
    defaults = " ".join(f"f{i}: str = {json.dumps(text)}" for i, text in enumerate(nasty))
    docs = "\n".join(f"/// {text}" for text in nasty if not {"\n", "\r", "\x00"} & set(text))
    made = make(f"{docs}\nrecord R {{ {defaults} }}\nstate S {{ x: int = 0 }}")
    record = made.R()
    assert [getattr(record, f"f{i}") for i in range(len(nasty))] == nasty


def test_pydantics_own_names_are_known() -> None:
    from lgc.compiler.codegen.names import MODEL_ATTRIBUTES

    own = {name for name in dir(lg.Mutation) if not name.startswith("_")}
    assert own <= MODEL_ATTRIBUTES


def test_generated_code_imports_only_what_the_runtime_offers(load: Load) -> None:
    for name in ("article", "graphs", "guards", "hostile", "types", "updates"):
        path = load(name).__file__
        assert path is not None
        text = Path(path).read_text(encoding="utf-8")
        assert set(re.findall(r"\b_?lg\.(\w+)", text)) - {"plan"} <= set(lg.__all__) | {"Field"}


def test_records_survive_copying(load: Load) -> None:
    types = load("types")
    everything = types.Everything()
    assert copy.deepcopy(everything) == everything


def test_plans_are_values(load: Load) -> None:
    assert dataclasses.is_dataclass(load("article").ARTICLE_PLAN)
