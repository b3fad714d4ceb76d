"""Tasks: what is recorded, refused, retried, timed out, routed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    Cancelled,
    EvaluationError,
    MemoryStore,
    MutationRejected,
    NodeFailed,
    RunStatus,
    Session,
    StepsExceeded,
    Unrouted,
)

Compile = Callable[[str], Any]

LOOP = """
state Count {
  n: int = 0  range 0..5
  note: str?
  mutation Add(by: int) { n += by }
  mutation Say(text: str) { note = text }
  mutation Clear() { note = none }
}
graph loop(Count) {
  task step { reads n, note  records Add, Say, Clear  goto rescue, end }
  task rescue { reads n  records Say }
  start -> step
  step -> step when n < 3
  step -> rescue on error
  step -> end else
  rescue -> end
}
"""


def nodes(**functions: Any) -> SimpleNamespace:
    return SimpleNamespace(**functions)


async def idle(ctx: Any) -> None:
    """Does nothing."""


def run(graph: Any, state: Any) -> Any:
    async def main() -> Any:
        return await (await Session.start(graph, state)).run()

    return asyncio.run(main())


def test_mutations_reach_the_state_and_the_loop_ends(compiled: Compile) -> None:
    m = compiled(LOOP)
    seen: list[int] = []

    async def step(ctx: Any) -> None:
        seen.append(ctx.state.n)
        ctx.record(m.Add(by=1))

    result = run(m.loop(nodes(step=step, rescue=idle)), m.Count())
    assert (result.state.n, seen, result.status) == (3, [0, 1, 2], RunStatus.DONE)
    assert [entry.node for entry in result.log] == ["step", "step", "step"]
    assert all(entry.success for entry in result.log)


def test_a_plain_function_runs_in_a_thread(compiled: Compile) -> None:
    m = compiled(LOOP)
    threads: list[int] = []

    def step(ctx: Any) -> None:
        threads.append(threading.get_ident())
        ctx.record(m.Add(by=3))

    assert run(m.loop(nodes(step=step, rescue=idle)), m.Count()).state.n == 3
    assert threads[0] != threading.get_ident()


def test_a_node_cannot_change_the_state(compiled: Compile) -> None:
    m = compiled(LOOP)

    async def step(ctx: Any) -> None:
        ctx.state.n = 7

    with pytest.raises(NodeFailed, match="n"):
        run(m.loop(nodes(step=step, rescue=step)), m.Count())


def test_a_failed_node_leaves_nothing_and_takes_its_error_edge(compiled: Compile) -> None:
    m = compiled(LOOP)

    async def step(ctx: Any) -> None:
        ctx.record(m.Add(by=1))
        raise ValueError("no luck")

    async def rescue(ctx: Any) -> None:
        ctx.record(m.Say(text=f"n is {ctx.state.n}"))

    result = run(m.loop(nodes(step=step, rescue=rescue)), m.Count())
    assert (result.state.n, result.state.note) == (0, "n is 0")
    assert [(e.node, e.success) for e in result.log] == [("step", False), ("rescue", True)]
    assert "no luck" in result.log[0].error


def test_a_broken_constraint_fails_the_node_before_the_commit(compiled: Compile) -> None:
    m = compiled(LOOP)

    async def step(ctx: Any) -> None:
        ctx.record(m.Say(text="lost"))
        ctx.record(m.Add(by=6))

    result = run(m.loop(nodes(step=step, rescue=idle)), m.Count())
    assert (result.state.n, result.state.note) == (0, None)
    assert "0..5" in result.log[0].error


def test_a_constraint_without_an_error_edge_names_mutation_and_field(compiled: Compile) -> None:
    m = compiled(LOOP.replace("  step -> rescue on error\n", ""))

    async def step(ctx: Any) -> None:
        ctx.record(m.Add(by=6))

    with pytest.raises(MutationRejected, match=r"Add.*`n`") as caught:
        run(m.loop(nodes(step=step, rescue=idle)), m.Count())
    assert caught.value.node == "step"


def test_an_undeclared_mutation_is_refused(compiled: Compile) -> None:
    m = compiled(LOOP)

    async def rescue(ctx: Any) -> None:
        ctx.record(m.Add(by=1))

    async def step(ctx: Any) -> None:
        ctx.goto("rescue")

    with pytest.raises(MutationRejected, match="`rescue` recorded `Add`"):
        run(m.loop(nodes(step=step, rescue=rescue)), m.Count())


def test_goto_and_end_take_only_declared_targets(compiled: Compile) -> None:
    m = compiled(LOOP)

    async def leave(ctx: Any) -> None:
        ctx.end()

    async def astray(ctx: Any) -> None:
        ctx.goto("nowhere")

    assert run(m.loop(nodes(step=leave, rescue=idle)), m.Count()).state.n == 0
    with pytest.raises(NodeFailed, match="may not go to `nowhere`"):
        run(
            m.loop(nodes(step=leave, rescue=idle).__class__(step=idle_to("rescue"), rescue=astray)), m.Count()
        )


def idle_to(target: str) -> Any:
    async def step(ctx: Any) -> None:
        ctx.goto(target)

    return step


POLICY = """
state S {
  n: int = 0
  left: str?
  mutation Inc() { n += 1 }
  mutation Fill(text: str?) { left = text }
}
graph g(S) {
  task work {
    reads n
    records Inc, Fill
    CLAUSES
  }
  task plan_b { reads n }
  start -> work
  work -> end when n < 100
  work -> plan_b else
  EDGE
  plan_b -> end
  max_steps 20
}
"""


def policy(clauses: str = "", edge: str = "") -> str:
    return POLICY.replace("CLAUSES", clauses).replace("EDGE", edge)


def test_retry_calls_again_with_a_new_attempt_and_the_same_key(compiled: Compile) -> None:
    m = compiled(policy("retry 3 backoff 1ms..2ms"))
    calls: list[tuple[int, str]] = []

    async def work(ctx: Any) -> None:
        calls.append((ctx.attempt, ctx.idempotency_key))
        ctx.record(m.Inc())
        if ctx.attempt < 3:
            raise OSError("again")

    result = run(m.g(nodes(work=work, plan_b=idle)), m.S())
    assert result.state.n == 1
    assert [attempt for attempt, _ in calls] == [1, 2, 3]
    assert len({key for _, key in calls}) == 1


def test_retries_are_used_up(compiled: Compile) -> None:
    m = compiled(policy("retry 2 backoff 1ms..1ms"))
    calls: list[int] = []

    async def work(ctx: Any) -> None:
        calls.append(ctx.attempt)
        raise OSError("down")

    with pytest.raises(NodeFailed, match="`work` raised OSError: down"):
        run(m.g(nodes(work=work, plan_b=idle)), m.S())
    assert calls == [1, 2, 3]


def test_retry_on_looks_at_the_class(compiled: Compile) -> None:
    m = compiled(policy('retry 2 backoff 1ms..1ms on "builtins:ConnectionError"'))
    calls: list[int] = []

    async def work(ctx: Any) -> None:
        calls.append(ctx.attempt)
        raise ConnectionResetError("once") if ctx.attempt == 1 else KeyError("other")

    with pytest.raises(NodeFailed, match="KeyError"):
        run(m.g(nodes(work=work, plan_b=idle)), m.S())
    assert calls == [1, 2]


def test_timeout_takes_its_edge_or_fails(compiled: Compile) -> None:
    async def work(ctx: Any) -> None:
        await asyncio.sleep(30)

    m = compiled(policy("timeout 20ms", "work -> plan_b on timeout"))
    result = run(m.g(nodes(work=work, plan_b=idle)), m.S())
    assert [entry.node for entry in result.log] == ["work", "plan_b"]
    m = compiled(policy("timeout 20ms"))
    with pytest.raises(NodeFailed, match=r"longer than 0\.02 s"):
        run(m.g(nodes(work=work, plan_b=idle)), m.S())


def test_timeout_of_a_thread_is_told_through_cancelled(compiled: Compile) -> None:
    m = compiled(policy("timeout 20ms", "work -> plan_b on error"))
    told = threading.Event()

    def work(ctx: Any) -> None:
        for _ in range(500):
            if ctx.cancelled:
                told.set()
                return
            threading.Event().wait(0.01)

    result = run(m.g(nodes(work=work, plan_b=idle)), m.S())
    assert [entry.node for entry in result.log] == ["work", "plan_b"]
    assert told.wait(5)


def test_ensures_is_looked_at_before_the_commit(compiled: Compile) -> None:
    m = compiled(policy("ensures left"))

    async def work(ctx: Any) -> None:
        ctx.record(m.Inc())

    with pytest.raises(NodeFailed, match="ensures `left`"):
        run(m.g(nodes(work=work, plan_b=idle)), m.S())


def test_max_visits_closes_an_edge_and_max_steps_ends_the_run(compiled: Compile) -> None:
    text = """
    state S { n: int = 0  mutation Inc() { n += 1 } }
    graph g(S) {
      task a { reads n  records Inc }
      start -> a
      a -> a when n >= 0 EXTRA
      a -> end else
      max_steps 10
    }
    """

    async def a(ctx: Any) -> None:
        ctx.record(m.Inc())

    m = compiled(text.replace("EXTRA", "max_visits 3"))
    assert run(m.g(nodes(a=a)), m.S()).state.n == 4
    m = compiled(text.replace("EXTRA", "and n < 1000"))
    with pytest.raises(StepsExceeded, match="10 nodes"):
        run(m.g(nodes(a=a)), m.S())


def test_unrouted_shows_each_guard_with_its_value(compiled: Compile) -> None:
    m = compiled("""
    state S { n: int = 0  mutation Inc() { n += 1 } }
    graph g(S) {
      task a { reads n  records Inc }
      start -> a
      // lgc: allow LG401 a run that finds no edge is what is looked at here
      a -> end when n > visits(a)
      a -> a when n == 7 max_visits 2
    }
    """)

    async def a(ctx: Any) -> None:
        ctx.record(m.Inc())

    with pytest.raises(Unrouted) as caught:
        run(m.g(nodes(a=a)), m.S())
    assert [value for _, value in caught.value.guards] == [False, False]
    assert "n > visits(a)" in str(caught.value)


def test_an_evaluation_error_names_expression_and_values(compiled: Compile) -> None:
    m = compiled("""
    state S { xs: list[int] = []  d: dict[str, int] = {}  mutation Put(k: str) { d[k] = xs[2] } }
    graph g(S) {
      task a { records Put }
      start -> a -> end
    }
    """)

    async def a(ctx: Any) -> None:
        ctx.record(m.Put(k="x"))

    with pytest.raises(EvaluationError, match=r"`xs\[2\]` at .*:2:") as caught:
        run(m.g(nodes(a=a)), m.S())
    assert caught.value.node == "a"


def test_cancel_inside_a_node_and_inside_a_pause(compiled: Compile) -> None:
    m = compiled(policy("retry 5 backoff 60s..60s"))

    async def hang(ctx: Any) -> None:
        await asyncio.sleep(60)

    async def fail(ctx: Any) -> None:
        raise OSError

    async def main(work: Any) -> None:
        store = MemoryStore()
        session = await Session.start(m.g(nodes(work=work, plan_b=idle)), m.S(), store=store, run_id="r")
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(running, 1)
        assert session.status is RunStatus.CANCELLED
        assert (await store.get_run("r")).status is RunStatus.CANCELLED

    for work in (hang, fail):
        asyncio.run(main(work))


def test_a_loop_that_never_waits_can_be_cancelled(compiled: Compile) -> None:
    m = compiled("""
    state S { n: int = 0  mutation Inc() { n += 1 } }
    graph g(S) {
      task a { reads n  records Inc }
      start -> a
      a -> a when n >= 0 and n < 1000000000
      a -> end else
      max_steps 1000000000
    }
    """)

    async def a(ctx: Any) -> None:
        ctx.record(m.Inc())

    async def main() -> None:
        session = await Session.start(m.g(nodes(a=a)), m.S())
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0.01)
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(running, 1)
        assert session.state.n > 0

    asyncio.run(main())
