"""The resolved program: what short forms stand for, what is filled in, how values become typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from lgc.compiler import check
from lgc.compiler import model as m
from lgc.dsl.source import Source

FILES = Path(__file__).parent.parent / "corpus" / "build"
FLOAT, INT = m.Scalar("float"), m.Scalar("int")


def program(text: str) -> m.Program:
    """The program of a text without errors."""
    checked = check([Source("t.lgraph", text)], load=lambda path: None)
    assert checked.usable
    return checked.program


def state(text: str) -> m.State:
    """The one state of a text."""
    (found,) = program(text).states.values()
    return found


def graph(items: str, more: str = "") -> m.Graph:
    """A graph over a small state."""
    text = f"""
    enum Verdict {{ accept, revise }}
    state Job {{
      size: int = 0  score: float = 0  verdict: Verdict?  xs: list[int] = []
      transient fast: bool = false
      mutation Grow(by: int) {{ size += by }}
      mutation Rate(score)
    }}
    graph work(Job) {{ {items} }}
    {more}
    """
    return program(text).graphs[m.Key("t.lgraph", "work")]


def test_the_sample_is_clean_and_whole() -> None:
    source = Source("article.lgraph", (FILES / "article.lgraph").read_text("utf-8"))
    checked = check([source], load=lambda path: (FILES / path).read_bytes(), root=".")
    assert checked.diagnostics == ()
    found = checked.program.graphs[m.Key("article.lgraph", "article")]
    assert [node.name for node in found.nodes] == [
        "write", "check", "check_facts", "check_style", "soften", "grade", "sign_off", "publish",
    ]  # fmt: skip
    assert [region.id for region in found.regions] == ["", "check/facts", "check/style"]
    assert found.max_steps == 200
    assert found.checkpointing == m.Checkpointing(every_steps=1, keep_count=20)
    module = checked.program.modules[0]
    assert [scenario.title for scenario in module.scenarios] == ["revised once, then published"]


def test_literals_become_values_of_the_wanted_type() -> None:
    found = state("""
    state S {
      a: float = 1
      b: decimal = -0.10
      c: date = "2031-12-24"
      d: datetime = "2031-12-24T18:00:00Z"
      e: uuid = "12345678-1234-1234-1234-123456789ABC"
      f: bytes = "é"
      g: duration = 90s
      h: int = 123456789012345678901234567890
      i: str? = none
      j: set[int] = [1, 1]
    }""")
    values = {f.name: f.default.value for f in found.fields if isinstance(f.default, m.Const)}
    assert values == {
        "a": 1.0,
        "b": Decimal("-0.10"),
        "c": date(2031, 12, 24),
        "d": datetime(2031, 12, 24, 18, tzinfo=UTC),
        "e": UUID("12345678-1234-1234-1234-123456789abc"),
        "f": "é".encode(),
        "g": timedelta(seconds=90),
        "h": 123456789012345678901234567890,
        "i": None,
    }
    assert type(values["a"]) is float
    last = found.fields[-1].default
    assert isinstance(last, m.MakeList) and last.type == m.SetOf(INT)


def test_bounds_are_numbers_of_the_type() -> None:
    found = state('state S { a: float range 0..  b: decimal range ..0.5  c: str length 1..2 pattern "a" }')
    a, b, c = found.fields
    assert (a.range, type(a.range and a.range.low)) == (m.Bounds(0.0, None), float)
    assert b.range == m.Bounds(None, Decimal("0.5"))
    assert (c.length, c.pattern) == (m.Bounds(1, 2), "a")


def test_mutations_are_spelled_out() -> None:
    found = state("""
    state S {
      a: int = 0  b: float = 0  c: dict[str, int] = {}  d: int = 0
      mutation Short(b, a)
      mutation Best(x: int) { a = max(a, x)  b = min(x, b)  d = max(1, d) }
      mutation Entry(k: str) { c[k] = a  del c[k]  d -= 1 }
      mutation Hatch(x: int) = "app.tools:hatch" writes c, a
    }""")
    short, best, entry, hatch = found.mutations
    assert [(s.target.path, s.op) for s in short.body if isinstance(s, m.Assign)] == [
        (("b",), "set"),
        (("a",), "set"),
    ]
    assert short.writes == ("a", "b")
    assert [p.type for p in short.params] == [FLOAT, INT]
    ops = [(s.op, s.value) for s in best.body if isinstance(s, m.Assign)]
    assert [op for op, _ in ops] == ["max", "min", "max"]
    assert isinstance(ops[0][1], m.ParamRef)
    assert isinstance(ops[1][1], m.Widen)
    assert [type(s).__name__ for s in entry.body] == ["Assign", "Delete", "Assign"]
    assert entry.writes == ("c", "d")
    assert str(hatch.external) == "app.tools:hatch"
    assert (hatch.body, hatch.writes) == ((), ("a", "c"))


def test_parts_of_sub_states_are_written_by_path() -> None:
    found = program("""
    state Inner { n: int = 0  d: dict[str, int] = {} }
    state S { inner: Inner  mutation M() { inner.n = min(inner.n, 2)  inner.d["a"] = 1 } }
    """).states[m.Key("t.lgraph", "S")]
    first, second = found.mutations[0].body
    assert isinstance(first, m.Assign) and isinstance(second, m.Assign)
    assert (first.target.path, first.op) == (("inner", "n"), "min")
    assert (second.target.path, second.target.type) == (("inner", "d"), INT)
    assert isinstance(second.target.key, m.Const)


def test_reads_of_everything() -> None:
    found = graph(
        "task a { reads *, verdict! }  start -> a when verdict != none  start -> end else  a -> end"
    ).nodes[0]
    assert isinstance(found, m.Task)
    assert [(r.field, r.required) for r in found.reads] == [
        ("size", False), ("score", False), ("verdict", True), ("xs", False), ("fast", False),
    ]  # fmt: skip


def test_a_barrier_without_decisions_has_two() -> None:
    found = graph('barrier w { timeout 1d decides reject("late") }  start -> w -> end').nodes[0]
    assert isinstance(found, m.Barrier)
    assert [(a.name, [p.name for p in a.params]) for a in found.answers] == [
        ("approve", []),
        ("reject", ["reason"]),
    ]
    assert not found.declared
    assert found.timeout_decides is not None and found.timeout_decides.answer == "reject"
    assert found.timeout_ms == 86_400_000


def test_regions_and_their_edges() -> None:
    found = graph("""
    parallel p {
      branch one = a
      branch two { start -> b  b -> c when size > 1  b -> end else  c -> end }
      join first 1
    }
    task a  task b  task c { goto d }  task d { goto end }
    start -> p -> end
    """)
    own, one, two = found.regions
    assert (own.id, own.nodes) == ("", ("p",))
    assert (one.id, one.parallel, one.branch) == ("p/one", "p", "one")
    assert [(e.source, e.target, e.trigger) for e in one.edges] == [
        ("start", "a", "plain"),
        ("a", "end", "plain"),
    ]
    assert two.nodes == ("b", "c", "d")
    assert [e.trigger for e in two.edges] == ["plain", "when", "else", "plain"]
    parallel = found.node("p")
    assert isinstance(parallel, m.Parallel)
    assert (parallel.join, parallel.join_count) == ("first", 1)


def test_guards_are_typed_by_what_is_known_there() -> None:
    found = graph(
        "task a  start -> a  a -> end when verdict != none and verdict == Verdict.accept  a -> end else"
    )
    guard = found.regions[0].edges[1].guard
    assert isinstance(guard, m.Binary) and isinstance(guard.right, m.Binary)
    assert isinstance(guard.right.left, m.FieldRef)
    assert guard.right.left.type == m.EnumType(m.Key("t.lgraph", "Verdict"))
    assert isinstance(guard.left, m.Binary) and isinstance(guard.left.right, m.Const)
    assert guard.left.right.type == m.NoneOnly()


def test_int_beside_float_is_widened_in_arithmetic_only() -> None:
    found = graph("task a  start -> a  a -> end when size + score > 1 and size < score  a -> end else")
    guard = found.regions[0].edges[1].guard
    assert isinstance(guard, m.Binary)
    total, compared = guard.left, guard.right
    assert isinstance(total, m.Binary) and isinstance(total.left, m.Binary)
    assert isinstance(total.left.left, m.Widen)
    assert isinstance(total.right, m.Const) and total.right.value == 1.0
    assert isinstance(compared, m.Binary) and isinstance(compared.left, m.FieldRef)


def test_lenses_of_inner_graphs() -> None:
    inner = "state In { n: int  note: str? }  graph inner(In) { start -> end }"
    node = "map k = inner { over xs as x  in n = x + len(xs)  out Grow(n + x), Grow(by = 1) }"
    found = graph(node + "  start -> k -> end", inner)
    mapped = found.nodes[0]
    assert isinstance(mapped, m.MapNode)
    assert (mapped.item, mapped.concurrency, mapped.on_error) == ("x", None, "fail")
    assert [name for name, _ in mapped.lens.inputs] == ["n"]
    first, second = mapped.lens.outputs
    assert (first.mutation, second.mutation) == ("Grow", "Grow")
    value = first.args[0][1]
    assert isinstance(value, m.Binary)
    assert isinstance(value.left, m.FieldRef) and isinstance(value.right, m.ItemRef)


def test_checkpoint_policies() -> None:
    found = graph("start -> end  checkpoint { every 5m  on mutation, barrier  keep 7d  compact 10 steps }")
    assert found.checkpointing == m.Checkpointing(
        every_steps=None,
        every_ms=300_000,
        events=("barrier", "mutation"),
        keep_ms=604_800_000,
        compact_steps=10,
    )
    assert graph("start -> end  checkpoint { keep 3 }").checkpointing.every_steps == 1
    assert graph("start -> end  checkpoint { manual }").checkpointing == m.Checkpointing(
        every_steps=None, manual=True
    )
    assert graph("start -> end").max_steps == 10_000


def test_records_and_their_defaults() -> None:
    found = program("record R { a: str  b: str?  c: list[R] = [] }").records[m.Key("t.lgraph", "R")]
    a, b, c = found.fields
    assert a.default is None
    assert isinstance(b.default, m.Const) and b.default.value is None
    assert isinstance(c.default, m.MakeList)
