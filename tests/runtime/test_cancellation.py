"""Cancellation ends a run in bounded time, wherever it is and whoever cancels it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    Cancelled,
    EventKind,
    MemoryStore,
    NodeTimedOut,
    RunFenced,
    RunStatus,
    Session,
    SqliteStore,
)
from lgc.runtime.engine import lane as lanes
from lgc.runtime.graph import bind
from lgc.runtime.store.records import Commit

Compile = Callable[[str], Any]

# Where the things below wait; a run that is not cancelled would be there for very long.
LONG = 1_000.0
# Seconds in which a cancelled run has to be over, on a slow machine too.
BOUND = 10.0

STATE = """
state In { x: int = 0  mutation Set(to: int) { x = to } }
state S { n: int = 0  items: list[int] = [1, 2, 3, 4, 5]  inner: In  mutation Add(by: int) { n += by } }
"""
PLAIN = "graph g(S) { task a { records Add }  start -> a -> end }"
TIMED = "graph g(S) { task a { records Add  timeout 1h }  start -> a -> end }"
RETRIED = "graph g(S) { task a { retry 3 backoff 1h..1h }  start -> a -> end }"
WAITS = """
graph g(S) {
  barrier ok { timeout 2d }
  start -> ok
  ok -> end on approve
  ok -> end on reject
  ok -> end on timeout
}
"""
LANES = """
graph g(S) {
  parallel p {
    branch one { start -> ok  ok -> end on approve  ok -> end on reject  ok -> end on timeout }
    branch two = a
    branch three = b
  }
  barrier ok { timeout 2d }
  task a { }
  task b { }
  start -> p -> end
}
"""
ELEMENTS = """
graph each(In) { task a { reads x }  start -> a -> end }
graph g(S) { map m = each { over items as item  in x = item  out Add(x)  concurrency 2 }  start -> m -> end }
"""
INSIDE = """
graph low(In) { task a { reads x }  start -> a -> end }
graph each(In) { subgraph s = low { on_same }  start -> s -> end }
graph g(S) {
  parallel p {
    branch one { start -> m -> end }
    branch two = b
  }
  map m = each { over items as item  in x = item  out Add(x) }
  task b { }
  start -> p -> end
}
""".replace("{ on_same }", "{ }")


class Place:
    """Where a run is to be found: its text, its functions, its sinks, and when it has got there."""

    text = PLAIN
    lanes = 1  # that have to be there

    def __init__(self) -> None:
        self.there = 0
        self.arrived = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.release = threading.Event()

    def at(self) -> None:
        self.there += 1
        if self.there >= self.lanes:
            self.loop.call_soon_threadsafe(self.arrived.set)

    async def a(self, ctx: Any) -> None:
        self.at()
        await asyncio.sleep(LONG)

    async def b(self, ctx: Any) -> None:
        await self.a(ctx)

    def sinks(self) -> dict[str, Any]:
        return {}

    def store(self) -> Any:
        return MemoryStore()


class AsyncNode(Place):
    pass


class SwallowsOnce(Place):
    async def a(self, ctx: Any) -> None:
        try:
            await super().a(ctx)
        except asyncio.CancelledError:
            await asyncio.sleep(LONG)


class SwallowsForEver(Place):
    async def a(self, ctx: Any) -> None:
        self.at()
        while not self.release.is_set():
            try:
                await asyncio.sleep(0.01 if ctx.cancelled else LONG)
            except asyncio.CancelledError:
                continue


class TimedNode(Place):
    text = TIMED


class TimedSwallowsForEver(SwallowsForEver):
    text = TIMED


class Thread(Place):
    def a(self, ctx: Any) -> None:  # type: ignore[override]  # pyright: ignore
        self.at()
        self.release.wait(60)


class TimedThread(Thread):
    text = TIMED


class LockedThread(Place):
    lock = threading.Lock()

    def a(self, ctx: Any) -> None:  # type: ignore[override]  # pyright: ignore
        other = threading.Thread(target=self.holds, daemon=True)
        other.start()
        self.release.wait(0.05)
        self.at()
        with self.lock:
            pass

    def holds(self) -> None:
        with self.lock:
            self.release.wait(60)


class RetryPause(Place):
    text = RETRIED

    async def a(self, ctx: Any) -> None:
        self.at()
        raise OSError("down")


class TimeoutRegion(Place):
    async def a(self, ctx: Any) -> None:
        async with asyncio.timeout(LONG):
            await super().a(ctx)


class SinkAnswersNever(Place):
    text = WAITS

    async def wait(self, barrier: Any) -> None:
        self.at()
        await asyncio.sleep(LONG)

    def sinks(self) -> dict[str, Any]:
        return {"barrier_sink": self}


class SinkIgnores(SinkAnswersNever):
    async def wait(self, barrier: Any) -> None:
        self.at()
        while not self.release.is_set():
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                await asyncio.sleep(0.01)


class CheckpointSinkHangs(Place):
    async def a(self, ctx: Any) -> None:
        return

    async def saved(self, state: Any, frame: Any) -> None:
        self.at()
        await asyncio.sleep(LONG)

    def sinks(self) -> dict[str, Any]:
        return {"checkpoint_sink": self}

    text = PLAIN.replace("start -> a -> end", "task c { }  start -> a -> c -> end")


class CheckpointSinkIgnores(CheckpointSinkHangs):
    async def saved(self, state: Any, frame: Any) -> None:
        self.at()
        while not self.release.is_set():
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                await asyncio.sleep(0.01)


class Slow(MemoryStore):
    """Takes its time over steps."""

    def __init__(self, at: Callable[[], None]) -> None:
        super().__init__()
        self.at = at

    async def commit(self, commit: Any) -> None:
        if commit.record is not None:
            self.at()
            await asyncio.sleep(0.3)
        await super().commit(commit)


class SlowCommit(CheckpointSinkHangs):
    def sinks(self) -> dict[str, Any]:
        return {}

    def store(self) -> Any:
        return Slow(self.at)


class BarrierBesideLanes(Place):
    text = LANES
    lanes = 2


class ThreadLimit(Thread):
    """More threads than may be at work: some wait for their turn."""

    text = ELEMENTS.replace("concurrency 2", "")
    lanes = 2


class Parallel(Place):
    text = LANES[: LANES.index("branch one")] + LANES[LANES.index("branch two") :].replace(
        "barrier ok { timeout 2d }", ""
    )
    lanes = 2


class ParallelOneIgnores(Parallel):
    async def b(self, ctx: Any) -> None:
        self.at()
        while not self.release.is_set():
            try:
                await asyncio.sleep(0.01 if ctx.cancelled else LONG)
            except asyncio.CancelledError:
                continue


class MapElements(Place):
    text = ELEMENTS
    lanes = 2


class Nested(Place):
    text = INSIDE
    lanes = 6


class NestedIgnores(SwallowsForEver):
    text = INSIDE
    lanes = 6


PLACES = [
    AsyncNode, SwallowsOnce, SwallowsForEver, TimedNode, TimedSwallowsForEver, Thread, TimedThread,
    LockedThread, RetryPause, TimeoutRegion, SinkAnswersNever, SinkIgnores, CheckpointSinkHangs,
    CheckpointSinkIgnores, SlowCommit, BarrierBesideLanes, ThreadLimit, Parallel, ParallelOneIgnores,
    MapElements, Nested, NestedIgnores,
]  # fmt: skip


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions have less time to clean up, so that tests of those that do not are short."""
    monkeypatch.setattr(lanes, "GRACE", 0.1)
    monkeypatch.setattr(lanes, "AFTER", 0.1)
    monkeypatch.setattr("lgc.runtime.engine.watch.POLL", 0.1)
    monkeypatch.setattr("lgc.runtime.engine.engine.AT_ONCE", 2)


async def elsewhere(store: Any) -> None:
    """What `lgc cancel` does in another process."""
    fence = await store.take("r", "elsewhere")
    await store.commit(Commit("r", fence, status=RunStatus.CANCELLED, lease=0.0))


async def begun(m: Any, place: Place, trace: Any = None) -> tuple[Any, Any, asyncio.Task[Any]]:
    functions = SimpleNamespace(a=place.a, b=place.b, c=place.a)
    store = place.store()
    session = await Session.start(
        bind(m.G_PLAN, functions),
        m.S(inner=m.In()),
        store=store,
        run_id="r",
        trace_sink=trace,
        **place.sinks(),
    )
    driver = asyncio.create_task(session.run())
    arriving = asyncio.create_task(place.arrived.wait())
    await asyncio.wait((driver, arriving), timeout=BOUND, return_when=asyncio.FIRST_COMPLETED)
    assert place.arrived.is_set(), driver
    await asyncio.sleep(0.02)
    return session, store, driver


@pytest.mark.parametrize("who", ["here", "elsewhere", "twice", "together"])
@pytest.mark.parametrize("kind", PLACES)
def test_a_cancelled_run_is_over_soon(
    kind: type[Place], who: str, compiled: Compile, caplog: pytest.LogCaptureFixture
) -> None:
    m = compiled(STATE + kind.text)

    async def main() -> None:
        place = kind()
        try:
            session, store, driver = await begun(m, place)
            if who == "here":
                await session.cancel()
            elif who == "twice":
                await session.cancel()
                await asyncio.sleep(0.01)
                await session.cancel()
            elif who == "together":
                await asyncio.gather(session.cancel(), session.cancel())
            else:
                await elsewhere(store)
            with pytest.raises(Cancelled) as caught:
                await asyncio.wait_for(driver, BOUND)
            assert caught.value.run == "r"
            assert session.status is RunStatus.CANCELLED
            assert (await store.get_run("r")).status is RunStatus.CANCELLED
            steps = [step.step async for step in store.replay("r")]
            assert len(steps) <= 1
            with pytest.raises(Cancelled):
                await session.run()
        finally:
            place.release.set()
        await asyncio.sleep(0.1)  # whatever was given up comes to its end, and nothing of it is kept
        assert [step.step async for step in store.replay("r")] == steps

    asyncio.run(main())
    gc.collect()
    assert not caplog.records


@pytest.mark.parametrize("kind", PLACES)
def test_a_caller_that_is_cancelled_leaves_a_run_to_be_resumed(
    kind: type[Place], compiled: Compile, caplog: pytest.LogCaptureFixture
) -> None:
    m = compiled(STATE + kind.text)

    async def main() -> None:
        place = kind()
        try:
            _, store, driver = await begun(m, place)
            driver.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(driver), BOUND)
            run = await store.get_run("r")
            assert run.status in (RunStatus.RUNNING, RunStatus.WAITING)
            assert run.lease == 0.0
        finally:
            place.release.set()

    asyncio.run(main())
    gc.collect()
    assert not caplog.records


def test_the_end_of_the_loop_does_not_wait_for_what_was_given_up(compiled: Compile) -> None:
    """`asyncio.run` cancels every task that is left and waits for it; it is not given one that never ends."""
    m = compiled(STATE + PLAIN)
    over = threading.Event()

    def work() -> None:
        async def main() -> None:
            place = SwallowsForEver()
            session, _, driver = await begun(m, place)
            await session.cancel()
            with pytest.raises(Cancelled):
                await driver

        asyncio.run(main())
        over.set()

    threading.Thread(target=work, daemon=True).start()
    assert over.wait(BOUND)


def test_what_a_given_up_function_records_is_refused(compiled: Compile) -> None:
    m = compiled(STATE + PLAIN)
    heard: list[Any] = []
    refused: list[BaseException] = []

    class Late(SwallowsForEver):
        async def a(self, ctx: Any) -> None:
            await super().a(ctx)
            try:
                ctx.record(m.Add(by=1))
            except Exception as error:
                refused.append(error)

    class Trace:
        def record(self, event: Any) -> None:
            heard.append(event)

    async def main() -> None:
        place = Late()
        session, store, driver = await begun(m, place, Trace())
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(driver, BOUND)
        place.release.set()
        await asyncio.sleep(0.1)
        assert session.state.n == 0
        assert not [step async for step in store.replay("r")]

    asyncio.run(main())
    assert len(refused) == 1
    kinds = [event.kind for event in heard]
    (told,) = [event for event in heard if event.kind is EventKind.OBSERVED_ERROR]
    assert "`a` did not stop" in told.data["error"]
    assert kinds.index(EventKind.OBSERVED_ERROR) < kinds.index(EventKind.RUN_CANCELLED)


def test_a_branch_that_lost_and_does_not_stop_does_not_hold_the_join(compiled: Compile) -> None:
    m = compiled(STATE + PLAIN.replace("task a { records Add }  start -> a -> end", """
      parallel p { branch one = a  branch two = b  join any }
      task a { records Add }  task b { records Add }  start -> p -> end
    """))  # fmt: skip

    class First(SwallowsForEver):
        async def b(self, ctx: Any) -> None:
            await asyncio.sleep(0.05)
            ctx.record(m.Add(by=1))

    async def main() -> None:
        place = First()
        functions = SimpleNamespace(a=place.a, b=place.b)
        session = await Session.start(m.g(functions), m.S(inner=m.In()), store=MemoryStore(), run_id="r")
        result = await asyncio.wait_for(session.run(), BOUND)
        assert (result.status, result.state.n) == (RunStatus.DONE, 1)
        place.release.set()
        await asyncio.sleep(0.05)

    asyncio.run(main())


def test_a_timeout_holds_for_a_function_that_never_stops(compiled: Compile) -> None:
    m = compiled(STATE + TIMED.replace("timeout 1h", "timeout 20ms"))

    async def main() -> None:
        place = SwallowsForEver()
        functions = SimpleNamespace(a=place.a)
        session = await Session.start(m.g(functions), m.S(inner=m.In()), store=MemoryStore(), run_id="r")
        with pytest.raises(NodeTimedOut):
            await asyncio.wait_for(session.run(), BOUND)
        place.release.set()
        await asyncio.sleep(0.05)

    asyncio.run(main())


def test_a_run_that_somebody_else_took_is_left_while_its_node_works(
    compiled: Compile, tmp_path: Path
) -> None:
    """Another process took the run: the one that lost it does not go on working on it for long."""
    m = compiled(STATE + PLAIN)

    async def main() -> None:
        class Shared(AsyncNode):
            def store(self) -> Any:
                return mine

        async with SqliteStore(tmp_path / "runs.db") as mine, SqliteStore(tmp_path / "runs.db") as other:
            _, _, driver = await begun(m, Shared())
            await other.take("r", "somebody")
            with pytest.raises(RunFenced):
                await asyncio.wait_for(driver, BOUND)

    asyncio.run(main())


def test_a_run_that_waits_for_a_slow_reader_is_cancelled_all_the_same(compiled: Compile) -> None:
    m = compiled(STATE + """
    graph g(S) {
      task a { records Add }
      start -> a
      a -> a when n >= 0 and n < 1000000
      a -> end else
      max_steps 10000000
    }
    """)  # fmt: skip

    async def a(ctx: Any) -> None:
        ctx.record(m.Add(by=1))

    async def main() -> None:
        store = MemoryStore()
        graph = m.g(SimpleNamespace(a=a))
        session = await Session.start(graph, m.S(inner=m.In()), store=store, run_id="r")
        stream = session.stream()
        first = await anext(stream)
        await asyncio.sleep(0.2)  # the run has said all that may wait to be read
        before = session.step
        await asyncio.sleep(0.05)
        assert session.step == before > 0
        await session.cancel()
        for _ in range(1_000):
            if (await store.get_run("r")).status is RunStatus.CANCELLED:
                break
            await asyncio.sleep(0.01)
        assert (await store.get_run("r")).status is RunStatus.CANCELLED  # nothing has been read meanwhile
        kinds = [first.kind]
        with pytest.raises(Cancelled):
            async for item in stream:
                kinds.append(item.kind)
        assert kinds[-1] is EventKind.RUN_CANCELLED
        assert kinds.count(EventKind.NODE_COMPLETED) == session.step

    asyncio.run(main())


def test_cancelling_before_the_start_and_after_the_end(compiled: Compile) -> None:
    m = compiled(STATE + PLAIN)

    async def quick(ctx: Any) -> None:
        return

    async def main() -> None:
        graph = m.g(SimpleNamespace(a=quick))
        store = MemoryStore()
        session = await Session.start(graph, m.S(inner=m.In()), store=store, run_id="r")
        await session.cancel()
        with pytest.raises(Cancelled):
            await session.run()
        assert (await store.get_run("r")).status is RunStatus.CANCELLED
        session = await Session.start(graph, m.S(inner=m.In()), store=store, run_id="r2")
        await session.run()
        await session.cancel()
        assert session.status is (await store.get_run("r2")).status is RunStatus.DONE

    asyncio.run(main())


def test_a_cancellation_that_could_not_be_kept_can_be_tried_again(compiled: Compile) -> None:
    m = compiled(STATE + PLAIN)

    class Fails(MemoryStore):
        times = 1

        async def commit(self, commit: Any) -> None:
            if commit.status is RunStatus.CANCELLED and self.times:
                self.times -= 1
                raise OSError("no space left")
            await super().commit(commit)

    async def main() -> None:
        store = Fails()
        graph = m.g(SimpleNamespace(a=AsyncNode().a))
        session = await Session.start(graph, m.S(inner=m.In()), store=store, run_id="r")
        with pytest.raises(Exception, match="no space left"):
            await session.cancel()
        await session.cancel()
        assert (await store.get_run("r")).status is RunStatus.CANCELLED

    asyncio.run(main())
