"""What happens between two questions of one session: each of these was found by the simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lgc.runtime import (
    BarrierDecision,
    Cancelled,
    CheckpointNotFound,
    MemoryStore,
    RunFenced,
    RunStatus,
    RunUncertain,
    Session,
    StorageError,
    SystemClock,
    decide,
    replay,
)
from lgc.runtime.machine.position import to_snapshot
from lgc.runtime.store.records import CheckpointRecord, Commit, RunRecord

Compile = Callable[[str], Any]

GRAPH = """
state S { n: int = 0  mutation Add(by: int) { n += by } }
graph g(S) {
  task pay { records Add  effect once }
  start -> pay -> end
}
"""


class Between(MemoryStore):
    """Does something once, right after an operation of that name."""

    def __init__(self) -> None:
        super().__init__()
        self.then: dict[str, Callable[[], Awaitable[object]]] = {}

    async def _after(self, name: str) -> None:
        if name in self.then:
            await self.then.pop(name)()

    async def create_run(self, run: RunRecord) -> None:
        await super().create_run(run)
        await self._after("create_run")

    async def get_run(self, run: str) -> RunRecord:
        found = await super().get_run(run)
        await self._after("get_run")
        return found

    async def commit(self, commit: Commit) -> None:
        await super().commit(commit)
        await self._after("attempt" if commit.attempt else "settled" if commit.settled else "commit")

    async def latest_snapshot(self, run: str, at_most: int | None = None) -> CheckpointRecord | None:
        found = await super().latest_snapshot(run, at_most)
        await self._after("latest_snapshot")
        return found


class Nodes:
    def __init__(self, module: Any) -> None:
        self.module = module
        self.called = 0
        self.dies = False

    async def pay(self, ctx: Any) -> None:
        self.called += 1
        if self.dies:
            raise ValueError("died inside")
        ctx.record(self.module.Add(by=1))


def test_a_run_that_was_taken_up_while_it_was_started_is_not_begun_again(compiled: Compile) -> None:
    module = compiled(GRAPH)
    nodes = Nodes(module)
    graph, store = module.g(nodes), Between()

    async def main() -> None:
        async def take_up() -> None:
            await (await Session.restore(graph, store=store, run_id="r")).run()

        store.then["create_run"] = take_up
        with pytest.raises(RunFenced):
            await Session.start(graph, module.S(), store=store, run_id="r")
        assert nodes.called == 1
        assert (await store.get_run("r")).status is RunStatus.DONE

    asyncio.run(main())


def test_a_run_that_is_cancelled_while_it_is_restored_stays_cancelled(compiled: Compile) -> None:
    module = compiled(GRAPH)
    nodes = Nodes(module)
    graph, store = module.g(nodes), Between()

    async def main() -> None:
        other = await Session.start(graph, module.S(), store=store, run_id="r")
        store.then["get_run"] = other.cancel
        session = await Session.restore(graph, store=store, run_id="r")
        assert session.status is RunStatus.CANCELLED
        with pytest.raises(Cancelled):
            await session.run()
        assert (await store.get_run("r")).status is RunStatus.CANCELLED
        assert nodes.called == 0

    asyncio.run(main())


def test_what_could_not_be_settled_stays_uncertain(compiled: Compile) -> None:
    module = compiled(GRAPH)
    nodes = Nodes(module)
    graph = module.g(nodes)

    class Refusing(Between):
        async def commit(self, commit: Commit) -> None:
            if commit.settled:
                raise StorageError("the disk is full")
            await super().commit(commit)

    async def main() -> None:
        store = Refusing()
        session = await Session.start(graph, module.S(), store=store, run_id="r")
        nodes.dies = True
        with pytest.raises(Exception, match="died inside"):
            await session.run()
        nodes.dies = False
        with pytest.raises(StorageError):
            await session.settle("pay", "retry")
        with pytest.raises(RunUncertain):
            await session.run()
        assert nodes.called == 1

    asyncio.run(main())


class Slow(SystemClock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.more = 0.0
        real = self.monotonic
        self.monotonic = lambda: real() + self.more


def test_an_effect_is_not_begun_after_the_run_was_lost_while_its_record_was_kept(compiled: Compile) -> None:
    module = compiled(GRAPH)
    nodes = Nodes(module)
    graph, store, clock = module.g(nodes), Between(), Slow()

    async def main() -> None:
        session = await Session.start(graph, module.S(), store=store, run_id="r", clock=clock)

        async def lose() -> None:
            clock.more = 60.0  # the answer of the store was long in coming
            await store.take("r", "somebody else")

        store.then["attempt"] = lose
        with pytest.raises(RunFenced):
            await session.run()
        assert nodes.called == 0

    asyncio.run(main())


LOOP = """
state S { n: int = 0  mutation Add(by: int) { n += by } }
graph g(S) {
  task pay { records Add }
  start -> pay
  pay -> pay when n < 9
  pay -> end else
  checkpoint { compact 3 steps }
}
"""


def test_a_log_that_is_truncated_while_it_is_read_is_read_again(compiled: Compile) -> None:
    module = compiled(LOOP)
    graph, store = module.g(Nodes(module)), Between()

    async def main() -> None:
        session = await Session.start(graph, module.S(), store=store, run_id="r")
        await session.run()

        async def truncate() -> None:
            whole = to_snapshot(session._engine.root)  # pyright: ignore[reportPrivateUsage]
            await store.save(CheckpointRecord("r@9", "r", 9, graph.hash, 0.0, whole))
            await store.truncate("r", 10)

        store.then["latest_snapshot"] = truncate
        restored = await Session.restore(graph, store=store, run_id="r")
        assert (restored.step, restored.state.n) == (9, 9)

    asyncio.run(main())


def test_a_step_whose_snapshot_is_gone_is_not_called_corrupted(compiled: Compile) -> None:
    module = compiled(LOOP)
    graph, store = module.g(Nodes(module)), Between()

    async def main() -> None:
        session = await Session.start(graph, module.S(), store=store, run_id="r")
        await session.run()
        snapshots = [c.step for c in reversed(await store.list("r")) if c.snapshot]
        assert len(snapshots) > 1
        await store.truncate("r", snapshots[0] + 1)
        await store.delete(f"r@{snapshots[0]}")
        with pytest.raises(CheckpointNotFound, match=f"step {snapshots[0] + 1} "):
            await replay(store, "r", snapshots[0] + 1, graph=graph)
        assert (await replay(store, "r", graph=graph)).n == 9

    asyncio.run(main())


EARLY = """
state S { n: int = 0  mutation Add(by: int) { n += by } }
graph g(S) {
  task pay { records Add }
  barrier ok { timeout 1h  shows n }
  start -> pay -> ok
  ok -> end on approve
  ok -> end on reject
  ok -> end on timeout
}
"""


def test_an_early_answer_from_elsewhere_comes_before_the_sink(compiled: Compile) -> None:
    module = compiled(EARLY)
    graph, store = module.g(Nodes(module)), Between()

    class Sink:
        async def wait(self, barrier: Any) -> BarrierDecision:
            return BarrierDecision.reject("asked here")

    async def main() -> None:
        session = await Session.start(graph, module.S(), store=store, run_id="r", barrier_sink=Sink())

        async def answer() -> None:
            await decide(graph, store, "r", "ok", BarrierDecision.approve(), actor="elsewhere")

        store.then["commit"] = answer
        await session.run()
        last = [record async for record in store.replay("r")][-1]
        assert last.outcome == "approve"
        assert [one.step for one in await store.decisions("r")] == [2]

    asyncio.run(main())
