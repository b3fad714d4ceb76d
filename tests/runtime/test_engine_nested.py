"""Parallels, subgraphs and maps: isolation, joins, failures, and what is left of them in the log."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import MemoryStore, MergeConflict, NodeFailed, RunStatus, Session, TraceSink
from lgc.runtime.graph import bind

Compile = Callable[..., Any]

STATE = """
state S {
  xs: list[str] = []
  n: int = 0
  best: int = 0
  seen: set[str] = []
  table: dict[str, int] = {}
  total: int = 0  merge sum
  log: list[str] = []  merge append
  last: str = "-"  merge last
  top: int = 3  merge max
  low: int = 3  merge min
  all: set[str] = []  merge union
  owner: str = "none"
  mutation Push(x: str) { xs += [x] }
  mutation Add(by: int) { n += by }
  mutation Best(of: int) { best = max(best, of) }
  mutation See(x: str) { seen += [x] }
  mutation Total(to: int) { total = to }
  mutation Log(x: str) { log += [x] }
  mutation Last(x: str) { last = x }
  mutation Top(x: int) { top = x }
  mutation Low(x: int) { low = x }
  mutation All(x: str) { all += [x] }
  mutation Own(by: str) { owner = by }
  mutation Put(k: str, v: int) { table[k] = v }
}
"""

EVERYTHING = "reads *  records Push, Add, Best, See, Total, Log, Last, Top, Low, All"


def fork(settings: str = "", rescued: bool = True, also: str = "") -> str:
    everything = EVERYTHING + also
    lost = f"task lost {{ {everything} }}  p -> lost on error  lost -> end"
    return (
        STATE
        + f"""
graph g(S) {{
  task before {{ {everything} }}
  parallel p {{
    branch a {{ start -> a1 -> a2 -> end }}
    branch b = b1
    branch c = c1
    {settings}
  }}
  task a1 {{ {everything} }}
  task a2 {{ {everything} }}
  task b1 {{ {everything} }}
  task c1 {{ {everything} }}
  task after {{ {everything} }}
  start -> before -> p -> after -> end
  {lost if rescued else ""}
}}
"""
    )


def nodes(default: Any = None, **functions: Any) -> Any:
    async def idle(ctx: Any) -> None:
        """Does nothing."""

    class Nodes(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return default or idle

    return Nodes(**functions)


class Events(TraceSink):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def record(self, event: Any) -> None:
        self.seen.append(event)


def run(audit: Any, graph: Any, state: Any, expect: str = "done") -> tuple[Any, list[Any]]:
    async def main() -> Any:
        store = MemoryStore()
        session = await Session.start(graph, state, store=store, run_id="r")
        try:
            result = await session.run()
            assert result.status == expect
        except BaseException:
            await audit(store, graph, "r", session)
            raise
        return result, await audit(store, graph, "r", session)

    result: tuple[Any, list[Any]] = asyncio.run(main())
    return result


def recording(*mutations: Any, delay: float = 0.0, fail: str = "") -> Any:
    async def node(ctx: Any) -> None:
        for mutation in mutations:
            ctx.record(mutation)
        await asyncio.sleep(delay)
        if fail:
            raise RuntimeError(fail)

    return node


def test_commuting_writes_are_joined_in_branch_order(audit: Any, compiled: Compile) -> None:
    m = compiled(fork())
    functions = {
        "a1": recording(m.Push(x="a1"), m.Add(by=1), m.Best(of=5), m.See(x="a"), delay=0.02),
        "a2": recording(m.Push(x="a2"), m.Add(by=10)),
        "b1": recording(m.Push(x="b1"), m.Add(by=100), m.Best(of=9), m.See(x="b")),
        "c1": recording(m.Push(x="c1"), m.Best(of=7)),
        "before": recording(m.Push(x="0")),
    }
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == ["0", "a1", "a2", "b1", "c1"]
    assert (result.state.n, result.state.best, result.state.seen) == (111, 9, {"a", "b"})
    assert [(s.frame, s.node) for s in log if not s.frame] == [("", "before"), ("", "p"), ("", "after")]
    assert sorted((s.frame, s.node) for s in log if s.frame) == [
        ("p/a", "a1"), ("p/a", "a2"), ("p/b", "b1"), ("p/c", "c1"),
    ]  # fmt: skip


def test_branches_do_not_see_each_other(audit: Any, compiled: Compile) -> None:
    m = compiled(fork())
    seen: dict[str, Any] = {}

    async def look(ctx: Any) -> None:
        await asyncio.sleep(0.02)
        seen[ctx.node] = (list(ctx.state.xs), ctx.state.n)
        ctx.record(m.Push(x=ctx.node))

    result, _ = run(
        audit,
        bind(m.G_PLAN, nodes(look, before=recording(m.Push(x="0")), a1=recording(m.Push(x="a1")))),
        m.S(),
    )
    assert seen["b1"] == (["0"], 0)
    assert seen["a2"] == (["0", "a1"], 0)
    assert seen["after"] == (["0", "a1", "a2", "b1", "c1"], 0)
    assert result.state.xs == ["0", "a1", "a2", "b1", "c1", "after"]


def test_merge_rules(audit: Any, compiled: Compile) -> None:
    m = compiled(fork())
    functions = {
        "before": recording(m.Total(to=10), m.Log(x="0"), m.All(x="0")),
        "a1": recording(m.Total(to=11), m.Log(x="a"), m.Last(x="a"), m.Top(x=1), m.Low(x=9), m.All(x="a")),
        "b1": recording(m.Total(to=30), m.Log(x="b"), m.Last(x="b"), m.Top(x=8), m.Low(x=1), m.All(x="b")),
        "c1": recording(m.Log(x="c")),
    }
    state = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())[0].state
    assert (state.total, state.log, state.last, state.top, state.low) == (31, ["0", "a", "b", "c"], "b", 8, 1)
    assert state.all == {"0", "a", "b"}


def test_conflicting_writes_are_refused_even_if_never_checked(audit: Any, compiled: Compile) -> None:
    m = compiled(fork(rescued=False, also=", Own, Put"), despite="LG502")
    functions = {"a1": recording(m.Own(by="a")), "c1": recording(m.Own(by="c"))}
    with pytest.raises(MergeConflict, match="`a` and `c` both write `owner`"):
        run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    state = run(audit, bind(m.G_PLAN, nodes(a1=recording(m.Own(by="a")))), m.S())[0].state
    assert state.owner == "a"
    with pytest.raises(MergeConflict, match="`table`"):
        run(
            audit,
            bind(m.G_PLAN, nodes(a1=recording(m.Put(k="x", v=1)), b1=recording(m.Put(k="x", v=2)))),
            m.S(),
        )


def test_join_any_takes_the_first_and_stops_the_rest(audit: Any, compiled: Compile) -> None:
    m = compiled(fork("join any"))
    functions = {
        "a1": recording(m.Push(x="a"), delay=30),
        "b1": recording(m.Push(x="b"), delay=0.01),
        "c1": recording(m.Push(x="c"), delay=30),
    }
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == ["b"]
    assert [s.detail for s in log if s.node == "p"] == ['{"won":["b"]}']


def test_join_any_survives_a_failure_while_it_can_be_reached(audit: Any, compiled: Compile) -> None:
    m = compiled(fork("join any"))
    functions = {
        "a1": recording(fail="a"), "b1": recording(m.Push(x="b"), delay=0.02), "c1": recording(fail="c"),
    }  # fmt: skip
    assert run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())[0].state.xs == ["b"]
    functions["b1"] = recording(fail="b")
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == [] and log[-1].node == "lost"


def test_join_first_two_keeps_branch_order(audit: Any, compiled: Compile) -> None:
    m = compiled(fork("join first 2"))
    functions = {
        "a1": recording(m.Push(x="a"), delay=0.03),
        "b1": recording(m.Push(x="b"), delay=30),
        "c1": recording(m.Push(x="c"), delay=0.01),
    }
    assert run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())[0].state.xs == ["a", "c"]


def test_fail_leaves_nothing_of_any_branch(audit: Any, compiled: Compile) -> None:
    m = compiled(fork())
    functions = {
        "a1": recording(m.Push(x="a")), "b1": recording(m.Push(x="b"), delay=0.02, fail="broken"),
        "c1": recording(m.Push(x="c"), delay=30), "lost": recording(m.Push(x="lost")),
    }  # fmt: skip
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == ["lost"]
    (join,) = [s for s in log if s.node == "p"]
    assert join.outcome == "error" and "broken" in join.error and join.next == "lost"


def test_collect_waits_for_all_and_keeps_what_succeeded(audit: Any, compiled: Compile) -> None:
    m = compiled(fork("on_error collect"))
    functions = {
        "a1": recording(m.Push(x="a"), delay=0.03), "b1": recording(fail="broken"),
        "c1": recording(m.Push(x="c")), "lost": recording(m.Push(x="lost")),
    }  # fmt: skip
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == ["a", "c", "lost"]
    assert '"failed":{"b":' in next(s.detail for s in log if s.node == "p")


def test_a_failure_without_an_edge_fails_the_run_and_can_be_resumed(audit: Any, compiled: Compile) -> None:
    m = compiled(fork(rescued=False))
    calls: list[str] = []
    broken = True

    async def a1(ctx: Any) -> None:
        calls.append("a1")
        ctx.record(m.Push(x="a"))

    async def b1(ctx: Any) -> None:
        calls.append("b1")
        await asyncio.sleep(0.02)
        if broken:
            raise RuntimeError("down")
        ctx.record(m.Push(x="b"))

    async def main() -> None:
        nonlocal broken
        store = MemoryStore()
        graph = bind(m.G_PLAN, nodes(a1=a1, b1=b1))
        session = await Session.start(graph, m.S(), store=store, run_id="r")
        with pytest.raises(NodeFailed, match="down"):
            await session.run()
        assert (await store.get_run("r")).status is RunStatus.FAILED
        broken = False
        session = await Session.restore(graph, store=store, run_id="r")
        result = await session.run()
        assert result.state.xs == ["a", "b"]
        assert calls == ["a1", "b1", "b1"]  # what was committed is not run again
        await audit(store, graph, "r", session)

    asyncio.run(main())


def test_visits_and_steps_inside_branches(audit: Any, compiled: Compile) -> None:
    m = compiled(
        STATE
        + """
    graph g(S) {
      task before {}
      parallel p {
        branch a { start -> a1  a1 -> a1 when visits(a1) < 4 and visits(before) == 1  a1 -> end else }
        branch b { start -> b1  b1 -> b1 when steps() < 3  b1 -> end else }
      }
      task a1 { records Add }
      task b1 { records Push }
      task after {}
      start -> before -> p -> after
      after -> p when visits(a1) < 8 max_visits 5
      after -> end else
    }
    """
    )
    functions = {"a1": recording(m.Add(by=1)), "b1": recording(m.Push(x="b"))}
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    # the second time `visits(a1) < 4` no longer holds: one visit each
    assert result.state.n == 8
    assert [s.visit for s in log if s.node == "a1"] == list(range(1, 9))


NESTED = (
    STATE
    + f"""
graph inner(S) {{
  task i1 {{ {EVERYTHING} }}
  task i2 {{ {EVERYTHING} }}
  start -> i1 -> i2 -> end
}}
state Outer {{
  sub: S
  k: int = 0
  names: list[str] = ["x", "y", "z"]
  got: list[str] = []
  mutation Got(x: str) {{ got += [x] }}
  mutation Count() {{ k += 1 }}
}}
"""
)


def test_subgraph_on_the_same_state(audit: Any, compiled: Compile) -> None:
    m = compiled(
        NESTED
        + """
    graph g(S) {
      subgraph s = inner {}
      task lost {}
      start -> s -> end
      s -> lost on error
      lost -> end
    }
    """
    )
    functions = {"i1": recording(m.Push(x="i1")), "i2": recording(m.Push(x="i2"))}
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == ["i1", "i2"]
    assert [(s.frame, s.node) for s in log] == [("s", "i1"), ("s", "i2"), ("", "s")]
    functions["i2"] = recording(m.Push(x="i2"), fail="broken")
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.S())
    assert result.state.xs == []  # a subgraph that fails leaves nothing behind either
    assert log[-1].node == "lost"


def test_subgraph_on_a_field(audit: Any, compiled: Compile) -> None:
    m = compiled(
        NESTED
        + """
    graph g(Outer) {
      subgraph s = inner { on sub }
      task t { reads sub  records Count }
      start -> s -> t
      t -> s when k < 2
      t -> end else
    }
    """
    )
    functions = {
        "i1": recording(m.Push(x="i1"), m.Add(by=2)), "i2": recording(m.Push(x="i2")),
        "t": recording(m.Count()),
    }  # fmt: skip
    result, _ = run(audit, bind(m.G_PLAN, nodes(**functions)), m.Outer())
    assert (result.state.sub.xs, result.state.sub.n) == (["i1", "i2", "i1", "i2"], 4)


def test_subgraph_in_and_out(audit: Any, compiled: Compile) -> None:
    m = compiled(
        NESTED
        + """
    graph g(Outer) {
      subgraph s = inner { in owner = names[0], n = 5  out Got(owner), Got(str(n + len(xs))) }
      start -> s -> end
    }
    """
    )
    functions = {"i1": recording(m.Push(x="i1")), "i2": recording(m.Add(by=1))}
    result, log = run(audit, bind(m.G_PLAN, nodes(**functions)), m.Outer())
    assert result.state.got == ["x", "7"]
    assert result.state.sub.xs == []
    assert log[-1].mutations == '[{"m":"Got","p":{"x":"x"}},{"m":"Got","p":{"x":"7"}}]'


MAP = (
    NESTED
    + """
graph g(Outer) {
  map each = inner { over names as name  in owner = name  out Got(owner + ":" + str(n))  SETTINGS }
  task lost { records Got }
  start -> each -> end
  each -> lost on error
  lost -> end
}
"""
)


def test_map_records_in_element_order(audit: Any, compiled: Compile) -> None:
    m = compiled(MAP.replace("SETTINGS", ""))
    running = 0
    most = 0

    async def i1(ctx: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep({"x": 0.03, "y": 0.01, "z": 0.02}[ctx.state.owner])
        running -= 1
        ctx.record(m.Add(by=ord(ctx.state.owner)))

    result, log = run(audit, bind(m.G_PLAN, nodes(i1=i1)), m.Outer())
    assert result.state.got == ["x:120", "y:121", "z:122"]
    assert most == 3
    assert sorted({s.frame for s in log}) == ["", "each[0]", "each[1]", "each[2]"]
    m = compiled(MAP.replace("SETTINGS", "concurrency 1"))
    most = 0
    run(audit, bind(m.G_PLAN, nodes(i1=recording())), m.Outer())


def test_map_concurrency_is_a_limit(audit: Any, compiled: Compile) -> None:
    m = compiled(MAP.replace("SETTINGS", "concurrency 2"))
    running: list[str] = []
    most: list[int] = []

    async def i1(ctx: Any) -> None:
        running.append(ctx.state.owner)
        most.append(len(running))
        await asyncio.sleep(0.01)
        running.remove(ctx.state.owner)

    names = [f"n{i}" for i in range(20)]
    result, _ = run(audit, bind(m.G_PLAN, nodes(i1=i1)), m.Outer(names=names))
    assert max(most) == 2
    assert result.state.got == [f"{name}:0" for name in names]


RULED = """
state Item { n: int = 0 }
graph one(Item) { task look { reads n }  start -> look -> end }
state S {
  xs:     list[int] = [5, -2, 3]
  top:    int = 1           merge max
  low:    int = 1           merge min
  last:   int = 0           merge last
  total:  int = 100         merge sum
  log:    list[int] = [0]   merge append
  seen:   dict[str, int] = {"a": 0}  merge union
  own:    list[int] = []    merge custom "tests_runtime_merges:longest"
  plain:  list[int] = []
  mutation All(n: int) {
    top = n  low = n  last = n  total = total + n  log = log + [n]  seen[str(n)] = n  own = own + [n, n]
  }
  mutation Plain(n: int) { plain += [n] }
}
graph g(S) {
  WHERE
  map each = one { over xs as x  in n = x  out All(n), Plain(n) }
}
"""


@pytest.mark.parametrize("where", ["alone", "in a branch"])
def test_map_joins_fields_by_their_rules(where: str, audit: Any, compiled: Compile, monkeypatch: Any) -> None:
    calls: list[Any] = []

    def longest(before: Any, values: Any) -> Any:
        calls.append(values)
        return [*before, *max(values)]

    monkeypatch.setitem(sys.modules, "tests_runtime_merges", SimpleNamespace(longest=longest))
    edges = "start -> each -> end"
    if where != "alone":
        edges = "parallel p { branch a = each  branch b = idle }  task idle {}  start -> p -> end"
    m = compiled(RULED.replace("WHERE", edges))
    state = run(audit, bind(m.G_PLAN, nodes()), m.S())[0].state
    assert (state.top, state.low, state.last, state.total) == (5, -2, 3, 106)
    assert (state.log, state.plain) == ([0, 5, -2, 3], [5, -2, 3])
    assert state.seen == {"a": 0, "5": 5, "-2": -2, "3": 3}
    assert state.own == [5, 5]
    assert calls[0] == [[5, 5], [-2, -2], [3, 3]]
    assert len(calls) == (1 if where == "alone" else 2)  # a stored step is not computed again


def test_map_over_nothing_goes_on(audit: Any, compiled: Compile) -> None:
    m = compiled(MAP.replace("SETTINGS", ""))
    result, log = run(audit, bind(m.G_PLAN, nodes()), m.Outer(names=[]))
    assert result.state.got == [] and [s.node for s in log] == ["each"]


def test_map_failures(audit: Any, compiled: Compile) -> None:
    async def i1(ctx: Any) -> None:
        await asyncio.sleep(0.01)
        if ctx.state.owner == "y":
            raise RuntimeError("y is bad")

    for settings, got in (("", ["lost"]), ("on_error collect", ["x:0", "z:0", "lost"])):
        m = compiled(MAP.replace("SETTINGS", settings))
        result, _ = run(audit, bind(m.G_PLAN, nodes(i1=i1, lost=recording(m.Got(x="lost")))), m.Outer())
        assert result.state.got == got


DEEP = (
    NESTED
    + f"""
graph mid(S) {{
  parallel q {{ branch u = u1  branch v {{ start -> s2 -> end }} }}
  task u1 {{ {EVERYTHING} }}
  subgraph s2 = inner {{}}
  start -> q -> end
}}
graph g(S) {{
  parallel p {{
    branch a {{ start -> s1 -> a1 -> end }}
    branch b = b1
  }}
  subgraph s1 = mid {{}}
  task a1 {{ {EVERYTHING} }}
  task b1 {{ {EVERYTHING} }}
  start -> p -> end
}}
"""
)


def test_parallels_in_subgraphs_in_parallels(audit: Any, compiled: Compile) -> None:
    m = compiled(DEEP)

    async def push(ctx: Any) -> None:
        ctx.record(m.Push(x=ctx.node))
        ctx.record(m.Log(x=ctx.node))
        ctx.record(m.Add(by=1))

    result, log = run(audit, bind(m.G_PLAN, nodes(push)), m.S())
    assert result.state.xs == ["u1", "i1", "i2", "a1", "b1"]
    assert result.state.log == ["u1", "i1", "i2", "a1", "b1"]
    assert result.state.n == 5
    frames = {s.frame for s in log}
    assert frames == {"", "p/a", "p/b", "p/a/s1", "p/a/s1/q/u", "p/a/s1/q/v", "p/a/s1/q/v/s2"}


def test_events_of_branches_carry_their_frame(compiled: Compile) -> None:
    m = compiled(fork())
    events = Events()

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, nodes()), m.S(), trace_sink=events)
        await session.run()

    asyncio.run(main())
    kinds = [str(e.kind) for e in events.seen]
    assert kinds[0] == "run_started" and kinds[-1] == "run_completed"
    started = {(e.frame, e.node) for e in events.seen if e.kind == "node_started"}
    assert ("p/a", "a2") in started and ("", "p") in started
    assert kinds.count("branch_started") == kinds.count("branch_completed") == 3
