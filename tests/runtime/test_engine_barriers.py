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
