"""Control events of random graphs, run, cut, cancelled, broken and resumed, obey their grammar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from tests.runtime.event_grammar import Grammar, Keeping, until
from tests.runtime.test_engine_random import Approves, Maker, Nodes

from lgc.runtime import (
    BarrierDecision,
    GraphEvent,
    LgcError,
    MemoryStore,
    RunStatus,
    Session,
    TraceSinks,
    replay,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]
SEEDS = range(100, 112)


class Disturbed(Nodes):
    """Does `deed` at its n-th call, and goes on."""

    def __init__(self, maker: Maker, module: Any, at: int, deed: Callable[[], Any]) -> None:
        super().__init__(maker, module)
        self.at, self.deed = at, deed

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)

        async def node(ctx: Any) -> None:
            ctx.emit("now")
            await function(ctx)
            if self.calls == self.at:
                outcome = self.deed()
                if asyncio.iscoroutine(outcome):
                    await outcome

        return node


def fine(grammar: Grammar) -> None:
    assert not grammar.wrong, "\n".join(grammar.wrong)
    assert not grammar.going


@pytest.mark.parametrize("seed", SEEDS)
def test_random_graphs(seed: int, compiled: Compile) -> None:
    maker = Maker(seed)
    module = compiled(maker.text)
    random = Random(seed)

    async def main() -> None:
        # Undisturbed, seen on both planes.
        store = Keeping()
        grammar = Grammar(store)
        graph = bind(module.G_PLAN, Disturbed(maker, module, 0, lambda: None))
        state = module.S(inner=module.In())
        session = await Session.start(
            graph, state, store=store, run_id="r", trace_sink=grammar, barrier_sink=Approves()
        )
        seen = [item async for item in session.stream(buffer=random.choice((1, 2, 10, 1000)))]
        assert session.status is RunStatus.DONE
        fine(grammar)
        assert [item for item in seen if isinstance(item, GraphEvent)] == grammar.seen
        assert len(grammar.done) == session.step == len(store.kept)
        assert await replay(store, "r", graph=graph) is not None
        calls = len([e for e in grammar.seen if e.kind == "node_started"])
        for _ in range(4):
            await disturbed(maker, module, random, calls)

    asyncio.run(main())


async def disturbed(maker: Maker, module: Any, random: Random, calls: int) -> None:
    """Stopped in one way or another, then taken up by new sessions until it is over."""
    deed = random.choice(("cancel", "leave", "fail", "disk"))
    store = Keeping(fails=random.randint(1, calls) if deed == "disk" else 0)
    grammar = Grammar(store)
    sessions: list[Session[Any]] = []
    tasks: list[asyncio.Task[Any]] = []

    def act() -> Any:
        match deed:
            case "cancel":
                return sessions[0].cancel()
            case "leave":
                tasks[0].cancel()
                return asyncio.sleep(1)
            case "fail":
                raise LookupError("out of order")
            case _:
                return None

    graph = bind(module.G_PLAN, Disturbed(maker, module, random.randint(1, calls), act))
    sink = Approves() if random.random() < 0.7 else None
    sessions.append(
        await Session.start(
            graph, module.S(inner=module.In()), store=store, run_id="r", trace_sink=grammar, barrier_sink=sink
        )
    )
    tasks.append(asyncio.create_task(sessions[0].run()))
    with suppress(LgcError, asyncio.CancelledError):
        await tasks[0]
    fine(grammar)
    store.fails = 0
    calm = bind(module.G_PLAN, Nodes(maker, module))
    for _ in range(100):
        run = await store.get_run("r")
        if run.status in (RunStatus.DONE, RunStatus.CANCELLED):
            break
        again = Grammar(store)
        session = await Session.restore(calm, store=store, run_id="r", trace_sink=again)
        await session.run()
        fine(again)
        assert again.seen[0].data["resumed"] is (again.seen[0].step > 0)
        # The same session, answered and run again, tells of the barrier again.
        for barrier in session.waiting:
            await session.decide(barrier.id, BarrierDecision.approve(), actor="ann")
        if session.waiting:
            await session.run()
            fine(again)
    else:
        raise AssertionError("the run does not end")


def test_spans_are_the_same_at_every_attempt_and_lie_in_each_other(compiled: Compile) -> None:
    m = compiled(
        """
        state In { y: int = 0  mutation Y(to: int) { y = to } }
        state S { n: int = 0  xs: list[int] = []  inner: In
          mutation Push(x: int) { xs += [x] } }
        graph small(In) { task deep { reads y  records Y  retry 2 backoff 1ms..2ms } start -> deep -> end }
        graph g(S) {
          parallel p { branch a = one  branch b { start -> sub -> end } }
          task one { reads n }
          subgraph sub = small { on inner }
          map each = small { over [1, 2] as i  in y = i  out Push(y) }
          start -> p -> each -> end
        }
        """
    )
    grammar = Grammar()

    class N:
        async def one(self, ctx: Any) -> None:
            assert ctx.idempotency_key == "r/p#1/a/one#1"

        async def deep(self, ctx: Any) -> None:
            if ctx.attempt == 1 and "each" not in ctx.idempotency_key:
                raise OSError("busy")

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S(inner=m.In()), run_id="r", trace_sink=grammar)
        await session.run()

    asyncio.run(main())
    fine(grammar)
    parents = {e.span: e.parent for e in grammar.seen}
    assert parents == {
        "r": "",
        "r/p#1": "r",
        "r/p#1/a": "r/p#1",
        "r/p#1/a/one#1": "r/p#1/a",
        "r/p#1/b": "r/p#1",
        "r/p#1/b/sub#1": "r/p#1/b",
        "r/p#1/b/sub#1/deep#1": "r/p#1/b/sub#1",
        "r/each#1": "r",
        "r/each#1[0]": "r/each#1",
        "r/each#1[0]/deep#1": "r/each#1[0]",
        "r/each#1[1]": "r/each#1",
        "r/each#1[1]/deep#1": "r/each#1[1]",
    }
    (retried,) = [e for e in grammar.seen if e.kind == "node_retried"]
    assert retried.span == "r/p#1/b/sub#1/deep#1"
    assert (retried.data["attempt"], retried.data["type"]) == (1, "OSError")
    done = [e for e in grammar.seen if e.kind == "node_completed" and e.span == retried.span]
    assert done[0].data["attempt"] == 2


FIRST = """
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) {
  parallel p {
    join first 1
    branch quick = a
    branch slow = b
    branch asks {
      start -> c
      c -> end on approve
      c -> end on reject
      c -> end on timeout
    }
    branch late { start -> d -> e -> end }
  }
  task a { reads n }
  task b { reads n }
  barrier c { timeout 1h }
  task d { reads n }
  task e { reads n }
  start -> p -> end
}
"""


def test_branches_that_nobody_needs_are_stopped_before_their_node_completes(compiled: Compile) -> None:
    m = compiled(FIRST)
    grammar = Grammar()

    class N:
        async def a(self, ctx: Any) -> None:
            await asyncio.sleep(0.02)

        async def b(self, ctx: Any) -> None:
            await asyncio.sleep(1000)

        async def d(self, ctx: Any) -> None:
            """Done before the others."""

        async def e(self, ctx: Any) -> None:
            await asyncio.sleep(1000)

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), run_id="r", trace_sink=grammar)
        await session.run()

    asyncio.run(main())
    fine(grammar)
    ends = {e.span.removeprefix("r/p#1"): str(e.kind) for e in grammar.seen if e.span != "r"}
    assert ends == {
        "": "node_completed",
        "/quick": "branch_completed",
        "/quick/a#1": "node_completed",
        "/slow": "branch_completed",
        "/slow/b#1": "node_stopped",
        "/asks": "branch_completed",
        "/asks/c#1": "node_stopped",
        "/late": "branch_completed",
        "/late/d#1": "node_completed",
        "/late/e#1": "node_stopped",
    }
    outcomes = {e.data["branch"]: e.data["outcome"] for e in grammar.seen if e.kind == "branch_completed"}
    assert outcomes == {"quick": "end", "slow": "stopped", "asks": "stopped", "late": "stopped"}


def test_a_node_that_was_committed_is_told_of_although_the_run_is_cancelled_meanwhile(
    compiled: Compile,
) -> None:
    m = compiled(FIRST[: FIRST.index("graph")] + "graph g(S) { task a { records Add } start -> a -> end }")
    store = Keeping()
    grammar = Grammar(store)
    store.in_doubt = 50

    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), store=store, run_id="r", trace_sink=grammar)
        run = asyncio.create_task(session.run())
        await until(lambda: any(e.kind == "node_started" for e in grammar.seen))
        await asyncio.sleep(0)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
        assert await replay(store, "r", graph=bind(m.G_PLAN, N())) == m.S(n=1)

    asyncio.run(main())
    fine(grammar)
    assert "node_completed" in [e.kind for e in grammar.seen]


def test_replay_and_restore_tell_nothing_and_settling_is_a_visit(compiled: Compile) -> None:
    m = compiled(
        """
        state S { n: int = 0  mutation Add() { n += 1 } }
        graph g(S) { task pay { records Add  effect once } start -> pay -> end }
        """
    )
    store = MemoryStore()
    grammar = Grammar()

    class N:
        async def pay(self, ctx: Any) -> None:
            raise KeyboardInterrupt

    async def main() -> None:
        graph = bind(m.G_PLAN, N())
        session = await Session.start(graph, m.S(), store=store, run_id="r")
        with suppress(BaseException):
            await session.run()

    with suppress(KeyboardInterrupt):
        asyncio.run(main())

    async def after() -> None:
        graph = bind(m.G_PLAN, N())
        session = await Session.restore(graph, store=store, run_id="r", trace_sink=grammar)
        await replay(store, "r", graph=graph)
        assert grammar.seen == []
        with pytest.raises(LgcError):
            await session.run()
        assert [str(e.kind) for e in grammar.seen] == ["run_started", "run_failed"]
        assert grammar.seen[-1].data["type"] == "RunUncertain"
        grammar.seen.clear()
        await session.settle("pay", [m.Add()], actor="ann")

    asyncio.run(after())
    assert [str(e.kind) for e in grammar.seen] == ["node_started", "node_completed", "checkpoint_saved"]
    assert {e.span for e in grammar.seen} == {"r/pay#1"}


def test_several_sinks_are_all_told_though_one_raises(compiled: Compile) -> None:
    m = compiled("state S { n: int = 0 }\ngraph g(S) { task a { reads n } start -> a -> end }")

    class Raises:
        def record(self, event: GraphEvent) -> None:
            raise RuntimeError("no")

    class N:
        async def a(self, ctx: Any) -> None:
            """Nothing."""

    first, last = Grammar(), Grammar()

    async def main() -> None:
        sinks = TraceSinks(first, Raises(), last)
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), trace_sink=sinks)
        await session.run()

    asyncio.run(main())
    fine(first)
    assert first.seen == last.seen and len(first.seen) == 4


def test_a_function_that_does_not_stop_leaves_nothing_open_and_says_nothing_later(
    compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgc.runtime.engine.lane.GRACE", 0.05)
    m = compiled("state S { n: int = 0 }\ngraph g(S) { task a { reads n } start -> a -> end }")
    grammar, free = Grammar(), asyncio.Event()

    class N:
        async def a(self, ctx: Any) -> None:
            while not free.is_set():
                with suppress(asyncio.CancelledError):
                    await free.wait()
            ctx.emit("late")
            raise ValueError("late")

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), trace_sink=grammar)
        run = asyncio.create_task(session.run())
        await until(lambda: len(grammar.seen) == 2)
        await session.cancel()
        with suppress(LgcError):
            await run
        told = len(grammar.seen)
        free.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(grammar.seen) == told

    asyncio.run(asyncio.wait_for(main(), 20))
    fine(grammar)
    kinds = [str(e.kind) for e in grammar.seen]
    assert kinds == ["run_started", "node_started", "observed_error", "node_stopped", "run_cancelled"]


def test_what_a_store_warned_of_at_the_restore_is_in_the_stream(compiled: Compile) -> None:
    m = compiled("state S { n: int = 0 }\ngraph g(S) { task a { reads n } start -> a -> end }")

    class Warns(MemoryStore):
        def warnings(self) -> list[str]:
            return ["a checkpoint is damaged; the one before it was taken"]

    class N:
        async def a(self, ctx: Any) -> None:
            """Nothing."""

    async def main() -> list[GraphEvent]:
        store, graph = Warns(), bind(m.G_PLAN, N())
        await Session.start(graph, m.S(), store=store, run_id="r")
        session = await Session.restore(graph, store=store, run_id="r")
        return [item async for item in session.stream() if isinstance(item, GraphEvent)]

    seen = asyncio.run(main())
    assert [str(e.kind) for e in seen[:3]] == ["run_started", "observed_error", "node_started"]
    assert seen[1].data["level"] == "warning" and "damaged" in seen[1].data["error"]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_run_that_is_left_anywhere_is_told_to_have_ended(at: int, compiled: Compile) -> None:
    m = compiled("state S { n: int = 0 }\ngraph g(S) { task a { reads n } start -> a -> end }")
    grammar = Grammar()

    class N:
        async def a(self, ctx: Any) -> None:
            """Nothing."""

    async def main() -> None:
        session = await Session.start(
            bind(m.G_PLAN, N()), m.S(), store=Keeping(), run_id="r", trace_sink=grammar
        )
        run = asyncio.create_task(session.run())
        for _ in range(at * 3):
            await asyncio.sleep(0)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run

    asyncio.run(main())
    fine(grammar)
    assert grammar.seen[-1].kind in ("run_stopped", "run_completed")
