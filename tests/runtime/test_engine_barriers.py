"""Barriers: waiting, answering from here and elsewhere, early, late, wrong; timeouts."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    BarrierDecision,
    BarrierTimeout,
    DecisionRefused,
    MemoryStore,
    MutationRejected,
    RunStatus,
    Session,
    SystemClock,
    decide,
    unbound,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]

TEXT = """
record Line { who: str  text: str }
state S {
  amount: int = 1
  lines: list[Line] = []
  mutation Say(line: Line) { lines += [line] }
  mutation Set(to: int) { amount = to }
}
graph g(S) {
  task ask { reads amount  records Set }
  barrier ok {
    shows amount, lines
    timeout 1h TIMEOUT
    decision approve
    decision reject(reason: str, level: int) records Say(Line(who = "boss", text = reason + str(level)))
    modify Set
    reroute ask
  }
  task pay { reads amount  records Say }
  start -> ask -> ok
  ok -> pay on approve
  ok -> end on reject
  EDGE
  pay -> end
}
"""


class Clock(SystemClock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        real, self.offset = self.time, 0.0
        self.time = lambda: real() + self.offset


async def idle(ctx: Any) -> None:
    """Does nothing."""


def text(timeout: str = "", edge: str = "ok -> end on timeout") -> str:
    return TEXT.replace("TIMEOUT", timeout).replace("EDGE", edge)


def bound(m: Any, **more: Any) -> Any:
    return m.g(SimpleNamespace(**{"ask": idle, "pay": idle, **more}))


def test_a_run_waits_and_another_session_answers(audit: Any, compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(m), m.S(), store=store, run_id="r")
        result = await session.run()
        assert result.status is RunStatus.WAITING
        (barrier,) = result.waiting
        assert (barrier.node, barrier.visit, dict(barrier.shown)) == ("ok", 1, {"amount": 1, "lines": []})
        assert list(barrier.answers) == ["approve", "reject"]
        assert (await store.get_run("r")).status is RunStatus.WAITING
        # a process without the functions of the nodes records the answer
        await decide(unbound(m.G_PLAN), store, "r", "ok", BarrierDecision.reject("no", level=3), actor="ann")
        session = await Session.restore(bound(m), store=store, run_id="r")
        assert session.status is RunStatus.WAITING
        result = await session.run()
        assert result.status is RunStatus.DONE
        assert [line.text for line in result.state.lines] == ["no3"]
        log = await audit(store, bound(m), "r", session)
        assert log[-1].outcome == "reject" and '"actor":"ann"' in log[-1].detail
        (decision,) = await store.decisions("r")
        assert (decision.actor, decision.step) == ("ann", 2)

    asyncio.run(main())


def test_a_restored_run_waits_again(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(m), m.S(), store=store, run_id="r")
        first = (await session.run()).waiting
        again = await Session.restore(bound(m), store=store, run_id="r")
        assert (await again.run()).waiting == first

    asyncio.run(main())


def test_modify_comes_before_routing_and_reroute_goes_where_it_says(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        session = await Session.start(bound(m), m.S(), store=MemoryStore(), run_id="r")
        await session.run()
        await session.decide("ok", BarrierDecision.reroute("ask").with_mutations(m.Set(to=9)), actor="a")
        result = await session.run()
        assert result.status is RunStatus.WAITING and result.waiting[0].visit == 2
        assert result.waiting[0].shown["amount"] == 9
        await session.decide("ok", BarrierDecision.approve(), actor="a")
        assert (await session.run()).state.amount == 9

    asyncio.run(main())


@pytest.mark.parametrize(
    ("barrier", "decision", "message"),
    [
        ("nope", BarrierDecision.approve(), "`nope` is not a barrier"),
        ("ok", BarrierDecision.answer("maybe"), "no decision `maybe`"),
        ("ok", BarrierDecision.reject("why"), "level"),
        ("ok", BarrierDecision.reject("why", level="high"), "level"),
        ("ok", BarrierDecision.reroute("pay"), "cannot be rerouted to `pay`"),
        ("ok#7@000000000000", BarrierDecision.approve(), "does not wait at"),
    ],
)
def test_wrong_answers_are_refused(
    compiled: Compile, barrier: str, decision: BarrierDecision, message: str
) -> None:
    m = compiled(text())

    async def main() -> None:
        session = await Session.start(bound(m), m.S(), store=MemoryStore(), run_id="r")
        await session.run()
        with pytest.raises(DecisionRefused, match=message):
            await session.decide(barrier, decision, actor="a")
        with pytest.raises(MutationRejected, match="may not be recorded at `ok`"):
            line = m.Say(line=m.Line(who="x", text="y"))
            await session.decide("ok", BarrierDecision.approve().with_mutations(line), actor="a")
        assert (await session.run()).status is RunStatus.WAITING

    asyncio.run(main())


def test_an_answer_to_what_was_shown_before_is_refused(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        session = await Session.start(bound(m), m.S(), store=MemoryStore(), run_id="r")
        old = (await session.run()).waiting[0].id
        await session.decide(old, BarrierDecision.reroute("ask").with_mutations(m.Set(to=82_000)), actor="a")
        new = (await session.run()).waiting[0].id
        assert old != new
        with pytest.raises(DecisionRefused):
            await session.decide(old, BarrierDecision.approve(), actor="a")
        await session.decide(new, BarrierDecision.approve(), actor="a")
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


def test_an_early_answer_by_node_is_taken_on_arrival(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        session = await Session.start(bound(m), m.S(), store=MemoryStore(), run_id="r")
        await session.decide("ok", BarrierDecision.approve(), actor="early")
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


@pytest.mark.parametrize(
    ("timeout", "edge", "visited"),
    [
        ("", "ok -> end on timeout", ["ask", "ok"]),
        ('decides reject("late", 0)', "", ["ask", "ok"]),
        ("decides approve", "", ["ask", "ok", "pay"]),
    ],
)
def test_time_that_passes_while_nobody_runs(
    audit: Any, compiled: Compile, timeout: str, edge: str, visited: list[str]
) -> None:
    m = compiled(text(timeout, edge))

    async def main() -> None:
        store, clock = MemoryStore(), Clock()
        session = await Session.start(bound(m), m.S(), store=store, run_id="r", clock=clock)
        assert (await session.run()).status is RunStatus.WAITING
        clock.offset = 3601
        session = await Session.restore(bound(m), store=store, run_id="r", clock=clock)
        result = await session.run()
        assert result.status is RunStatus.DONE
        log = await audit(store, bound(m), "r", session)
        assert [s.node for s in log] == visited
        if "reject" in timeout:
            assert [line.text for line in result.state.lines] == ["late0"]

    asyncio.run(main())


def test_a_sink_answers_inside_the_process(compiled: Compile) -> None:
    m = compiled(text())

    class Sink:
        async def wait(self, barrier: Any) -> BarrierDecision:
            await asyncio.sleep(0.01)
            return BarrierDecision.approve()

    async def main() -> None:
        session = await Session.start(bound(m), m.S(), barrier_sink=Sink())
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


SHOWN = """
state In { x: int = 3  transient t: int = 0 }
state S { inner: In  copy: str = "c"  schema: list[int] = [1]
  mutation M(x2: int) { inner.x = x2  copy = "d" } }
graph g(S) {
  barrier ok { shows inner, copy, schema  timeout 1h  modify M }
  start -> ok  ok -> end on approve  ok -> end on reject  ok -> end on timeout
}
"""


def test_a_sub_state_can_be_shown_and_so_can_a_field_of_any_name(compiled: Compile) -> None:
    m = compiled(SHOWN)

    async def main() -> None:
        session = await Session.start(m.g(SimpleNamespace()), m.S())
        result = await session.run()
        (waiting,) = result.waiting
        assert waiting.shown == {"inner": {"x": 3}, "copy": "c", "schema": [1]}

    asyncio.run(main())


RACED = """
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) {
  parallel p {
    branch person { start -> ok  ok -> end on approve  ok -> end on reject  ok -> end on timeout }
    branch quick = quick
    join any
  }
  barrier ok { shows n  timeout 1h }
  task quick { records Add }
  start -> p -> end
}
"""


@pytest.mark.parametrize("early", [0, 1, 2, 3, 4])
def test_a_sink_that_gives_up_while_its_branch_is_cancelled(compiled: Compile, early: int) -> None:
    """Whichever comes first, the other is no error that nobody looked at."""
    m = compiled(RACED)
    unseen: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unseen.append(context))
        over = asyncio.Event()

        class Sink:
            async def wait(self, barrier: Any) -> BarrierDecision:
                try:
                    await over.wait()
                finally:
                    raise BarrierTimeout("nobody there")

        async def quick(ctx: Any) -> None:
            await asyncio.sleep(0.01)
            over.set()
            for _ in range(early):
                await asyncio.sleep(0)

        session = await Session.start(m.g(SimpleNamespace(quick=quick)), m.S(), barrier_sink=Sink())
        assert (await session.run()).status is RunStatus.DONE
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(main())
    assert not unseen


BRANCHES = """
state S { xs: list[str] = []  mutation Push(x: str) { xs += [x] } }
graph g(S) {
  parallel p {
    branch a { start -> ok_a  ok_a -> a1 on approve  ok_a -> a1 on reject  a1 -> end }
    branch b { start -> b1 -> ok_b  ok_b -> end on approve  ok_b -> end on reject }
    branch c = c1
  }
  barrier ok_a { timeout 1h decides approve  reroute a1 }
  barrier ok_b { timeout 1h decides approve }
  task a1 { records Push }
  task b1 { records Push }
  task c1 { records Push }
  start -> p -> end
}
"""


def test_several_barriers_in_branches(audit: Any, compiled: Compile) -> None:
    m = compiled(BRANCHES)

    async def push(ctx: Any) -> None:
        await asyncio.sleep(0.01)
        ctx.record(m.Push(x=ctx.node))

    async def main() -> None:
        store = MemoryStore()
        graph = m.g(SimpleNamespace(a1=push, b1=push, c1=push))
        session = await Session.start(graph, m.S(), store=store, run_id="r")
        result = await session.run()
        assert sorted(b.id.partition("#")[0] for b in result.waiting) == ["p/a/ok_a", "p/b/ok_b"]
        await session.decide("ok_b", BarrierDecision.approve(), actor="x")
        result = await session.run()
        assert [b.node for b in result.waiting] == ["ok_a"]
        session = await Session.restore(graph, store=store, run_id="r")
        await session.decide(result.waiting[0].id, BarrierDecision.approve(), actor="x")
        result = await session.run()
        assert result.status is RunStatus.DONE and result.state.xs == ["a1", "b1", "c1"]
        await audit(store, graph, "r", session)

    asyncio.run(main())


def test_an_answer_wakes_a_branch_while_another_runs(compiled: Compile) -> None:
    m = compiled(BRANCHES)
    order: list[str] = []

    async def push(ctx: Any) -> None:
        await asyncio.sleep({"c1": 0.2}.get(ctx.node, 0.01))
        order.append(ctx.node)

    async def main() -> None:
        session = await Session.start(m.g(SimpleNamespace(a1=push, b1=push, c1=push)), m.S())
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0.05)
        await session.decide("ok_a", BarrierDecision.approve(), actor="x")
        await session.decide("ok_b", BarrierDecision.approve(), actor="x")
        result = await running
        assert result.status is RunStatus.DONE and order == ["b1", "a1", "c1"]

    asyncio.run(main())


# --- when answers and deadlines come ----------------------------------------------------------------------

TWICE = """
state S { n: int = 0  said: list[str] = []  mutation Say(text: str) { said += [text] } }
graph g(S) {
  task ask { }
  barrier ok {
    shows n
    timeout 1h
    decision approve
    decision reject(reason: str, level: int) records Say(reason)
  }
  barrier last { timeout 1h decides reject("nobody") }
  start -> ask -> ok
  ok -> last on approve
  ok -> ask on reject
  ok -> last on timeout
  last -> end on approve
  last -> end on reject
}
"""


async def stands(m: Any, clock: Any = None, **more: Any) -> tuple[Any, Any, Any]:
    """A run that waits at its first barrier, its store, and its graph without functions."""
    store = MemoryStore()
    session = await Session.start(
        m.g(SimpleNamespace(ask=idle)), m.S(), store=store, run_id="r", clock=clock, **more
    )
    await session.run()
    return session, store, unbound(m.G_PLAN)


def test_an_answer_in_time_counts_also_where_it_is_applied_late(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main(restored: bool) -> None:
        clock = Clock()
        session, store, graph = await stands(m, clock)
        await decide(graph, store, "r", "ok", BarrierDecision.reject("in time", level=1), actor="ann")
        clock.offset = 3_601.0
        if restored:
            session = await Session.restore(
                m.g(SimpleNamespace(ask=idle)), store=store, run_id="r", clock=clock
            )
        await session.run()
        assert session.state.said == ["in time"]

    asyncio.run(main(True))
    asyncio.run(main(False))


def test_an_answer_after_the_time_is_refused_to_whoever_gives_it(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main() -> None:
        clock = Clock()
        session, store, graph = await stands(m, clock)
        clock.offset = 3_601.0
        with pytest.raises(DecisionRefused, match="the time of `ok` is over"):
            await session.decide("ok", BarrierDecision.approve(), actor="ann")
        await session.run()
        with pytest.raises(DecisionRefused, match="does not get to `ok` any more"):
            await session.decide("ok", BarrierDecision.approve(), actor="ann")
        with pytest.raises(DecisionRefused, match="does not get to `ok` any more"):
            await decide(graph, store, "r", "ok", BarrierDecision.approve(), actor="ann")
        # The clock of another process is slow: it is in time by that, and counts.
        (waiting,) = session.waiting
        assert waiting.node == "last" and waiting.deadline > clock.time() + 3_500
        clock.offset += 3_601.0
        await decide(graph, store, "r", "last", BarrierDecision.approve(), actor="slow clock")
        assert (await session.run()).status is RunStatus.DONE
        assert [step.outcome async for step in store.replay("r")][-1] == "approve"

    asyncio.run(main())


def test_times_that_are_over_one_after_the_other(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main() -> None:
        clock = Clock()
        session, store, _ = await stands(m, clock)
        for offset, node in ((10_000.0, "last"), (20_000.0, "end")):
            clock.offset = offset
            graph = m.g(SimpleNamespace(ask=idle))
            session = await Session.restore(graph, store=store, run_id="r", clock=clock)
            await session.run()
            assert session._engine.root.node == node  # pyright: ignore[reportPrivateUsage]
        assert [step.outcome async for step in store.replay("r")] == ["ok", "timeout", "reject"]

    asyncio.run(main())


def test_a_clock_that_goes_back_moves_no_deadline_forward(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main() -> None:
        clock = Clock()
        session, store, _ = await stands(m, clock)
        (before,) = session.waiting
        clock.offset = -10_000.0
        graph = m.g(SimpleNamespace(ask=idle))
        session = await Session.restore(graph, store=store, run_id="r", clock=clock)
        assert (await session.run()).waiting == (before,)
        await session.decide("ok", BarrierDecision.approve(), actor="ann")
        clock.offset = 0.0
        assert [info.node for info in (await session.run()).waiting] == ["last"]

    asyncio.run(main())


def test_late_and_second_answers_are_told(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main() -> None:
        store = MemoryStore()
        session: Any = await Session.start(
            m.g(SimpleNamespace(ask=idle)), m.S(), store=store, run_id="r", clock=Clock()
        )
        graph = unbound(m.G_PLAN)
        await session.decide("ok", BarrierDecision.approve(), actor="ann")
        with pytest.raises(DecisionRefused, match="has an early answer already by ann: `approve`"):
            await decide(graph, store, "r", "ok", BarrierDecision.approve(), actor="bob")
        await session.run()
        for second in (session.decide, None):
            with pytest.raises(DecisionRefused, match="`ok` has been answered by ann: `approve`"):
                if second is not None:
                    await second("ok", BarrierDecision.reject("no", level=1), actor="bob")
                else:
                    await decide(graph, store, "r", "ok", BarrierDecision.approve(), actor="bob")
        for actor in ("", "  \n"):
            with pytest.raises(DecisionRefused, match="needs an actor"):
                await session.decide("last", BarrierDecision.approve(), actor=actor)
            with pytest.raises(DecisionRefused, match="needs an actor"):
                await decide(graph, store, "r", "last", BarrierDecision.approve(), actor=actor)
        (record,) = await store.decisions("r")
        assert (record.actor, record.step) == ("ann", 2)

    asyncio.run(main())


def test_a_session_that_was_overtaken_answers_the_run_as_it_is(compiled: Compile) -> None:
    m = compiled(TWICE)

    async def main() -> None:
        old, store, _ = await stands(m)
        new = await Session.restore(m.g(SimpleNamespace(ask=idle)), store=store, run_id="r")
        await new.decide("ok", BarrierDecision.approve(), actor="ann")
        await new.run()
        with pytest.raises(DecisionRefused, match="answered by ann"):
            await old.decide("ok", BarrierDecision.approve(), actor="bob")
        await old.decide("last", BarrierDecision.approve(), actor="bob")
        assert (await new.run()).status is RunStatus.DONE
        with pytest.raises(DecisionRefused, match="the run is done"):
            await old.decide("last", BarrierDecision.approve(), actor="bob")

    asyncio.run(main())


def test_answers_of_a_run_without_a_store_are_told_apart(compiled: Compile) -> None:
    m = compiled(BRANCHES)

    async def main() -> None:
        session: Any = await Session.start(m.g(SimpleNamespace(a1=idle, b1=idle, c1=idle)), m.S())
        await session.run()
        await session.decide("ok_a", BarrierDecision.approve(), actor="x")
        await session.decide("ok_b", BarrierDecision.approve(), actor="x")
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


ELEMENTS = """
state E { x: int = 0  mutation Set(to: int) { x = to } }
state S { items: list[int] = [1, 2, 3]  out: list[int] = []  mutation Push(x: int) { out += [x] } }
graph each(E) {
  FIRST
  barrier ok { shows x  timeout 1h }
  task late { reads x  records Set }
  start -> BEGIN
  ok -> end on approve
  ok -> end on reject
  ok -> late on timeout
  late -> end
}
graph g(S) {
  map m = each { over items as item  in x = item  out Push(x)  concurrency 1 }
  start -> m -> end
}
"""


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("sink", [False, True])
def test_an_element_that_waits_for_its_turn_has_its_whole_time(
    first: bool, sink: bool, compiled: Compile
) -> None:
    text = ELEMENTS.replace("FIRST", "task work { reads x }" if first else "")
    m = compiled(text.replace("BEGIN", "work -> ok" if first else "ok"))
    store, clock = MemoryStore(), Clock()
    asked: list[tuple[str, float]] = []

    class Sink:
        async def wait(self, barrier: Any) -> BarrierDecision | None:
            asked.append((barrier.frame, barrier.deadline - clock.time()))
            if barrier.frame == "m[2]":
                return None
            clock.offset += 3_000.0  # not long enough for one, too long for two
            return BarrierDecision.approve()

    async def late(ctx: Any) -> None:
        ctx.record(m.Set(to=-ctx.state.x))

    async def main() -> None:
        graph = bind(m.G_PLAN, SimpleNamespace(work=idle, late=late))
        more: Any = {"barrier_sink": Sink()} if sink else {}
        session: Any = await Session.start(graph, m.S(), store=store, run_id="r", clock=clock, **more)
        result = await session.run()
        assert result.status is RunStatus.WAITING
        last = result.waiting[-1]
        assert last.frame == "m[2]" and abs(last.deadline - clock.time() - 3_600) < 60
        if sink:
            assert [frame for frame, _ in asked] == ["m[0]", "m[1]", "m[2]"]
            assert all(abs(left - 3_600) < 60 for _, left in asked)
        # Another process: the deadline is the same, and passes while nobody runs.
        clock.offset += 1_800.0
        session = await Session.restore(graph, store=store, run_id="r", clock=clock)
        assert session.waiting[-1] == last
        assert (await session.run()).waiting[-1] == last
        clock.offset += 1_801.0
        session = await Session.restore(graph, store=store, run_id="r", clock=clock)
        result = await session.run()
        assert result.status is RunStatus.DONE
        assert result.state.out == ([1, 2, -3] if sink else [-1, -2, -3])

    asyncio.run(main())


def test_a_sink_that_ignores_its_end_does_not_hold_the_answer_of_another(
    compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgc.runtime.engine.lane.GRACE", 0.05)
    m = compiled(TWICE)
    over = asyncio.Event()

    class Ignores:
        async def wait(self, barrier: Any) -> None:
            while not over.is_set():
                try:
                    await over.wait()
                except asyncio.CancelledError:
                    await asyncio.sleep(0.01)

    async def main() -> None:
        graph = m.g(SimpleNamespace(ask=idle))
        session: Any = await Session.start(
            graph, m.S(), store=MemoryStore(), run_id="r", barrier_sink=Ignores()
        )
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.05)
        for node in ("ok", "last"):
            await session.decide(node, BarrierDecision.approve(), actor="ann")
            await asyncio.sleep(0.4)
        assert (await asyncio.wait_for(driver, 10)).status is RunStatus.DONE
        over.set()
        await asyncio.sleep(0.05)

    asyncio.run(main())
