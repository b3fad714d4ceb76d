"""What nodes, sinks, stores and callers may do wrong, and what the run makes of it."""

from __future__ import annotations

import asyncio
import functools
import gc
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    BarrierDecision,
    BindingError,
    Cancelled,
    DecisionRefused,
    LgcError,
    MemoryStore,
    MutationRejected,
    NodeFailed,
    RunStatus,
    RunUncertain,
    SerializationError,
    Session,
    StorageError,
    TransientMissing,
    decide,
    replay,
    run_sync,
    unbound,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]

TWO = """
state Sub { a: float = 1.0  range 0.0..10.0   ys: list[int] = [] }
state S {
  n: int = 0  range 0..100
  xs: list[int] = []
  sub: Sub
  mutation Add(by: int) { n += by }
  mutation Push(x: int) { xs += [x] }
}
graph g(S) {
  task a { reads *  records Add, Push }
  task b { reads *  records Add, Push }
  start -> a -> b -> end
}
"""


def nodes(**functions: Any) -> Any:
    async def idle(ctx: Any) -> None:
        """Does nothing."""

    class Nodes(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return idle

    return Nodes(**functions)


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Own(BaseException):
    pass


async def cancels_itself(ctx: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


def raises(error: BaseException, *, thread: bool) -> Any:
    async def node(ctx: Any) -> None:
        raise error

    def plain(ctx: Any) -> None:
        raise error

    return plain if thread else node


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        BaseExceptionGroup("several", [GeneratorExit()]),
        GeneratorExit(),
        asyncio.CancelledError(),
        StopIteration(),
        StopAsyncIteration(),
        Mute(),
        Own("own"),
        RuntimeError("\ud800" + "x" * 100_000),
        TimeoutError("its own"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_node_raises_is_its_failure(error: BaseException, thread: bool, compiled: Compile) -> None:
    module = compiled(TWO)

    async def main() -> None:
        store = MemoryStore()
        graph = module.g(nodes(a=raises(error, thread=thread)))
        session = await Session.start(graph, module.S(sub=module.Sub()), store=store, run_id="r")
        with pytest.raises(NodeFailed) as caught:
            await asyncio.wait_for(session.run(), 5)
        assert (caught.value.run, caught.value.node, caught.value.step) == ("r", "a", 0)
        str(caught.value).encode()
        assert len(str(caught.value)) < 20_000
        assert (await store.get_run("r")).status is session.status is RunStatus.FAILED

    asyncio.run(main())


def test_a_node_that_cancels_its_own_task_has_failed(compiled: Compile) -> None:
    module = compiled(TWO)
    with pytest.raises(NodeFailed, match="CancelledError"):
        run_sync(module.g(nodes(a=cancels_itself)), module.S(sub=module.Sub()))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_process_may_be_ended_from_within_a_node(
    error: type[BaseException], compiled: Compile, caplog: pytest.LogCaptureFixture
) -> None:
    module = compiled(TWO)
    with pytest.raises(error):
        run_sync(module.g(nodes(a=raises(error(), thread=False))), module.S(sub=module.Sub()))
    gc.collect()
    assert not caplog.records


def test_everything_that_can_be_called_is_a_node(compiled: Compile) -> None:
    module = compiled(TWO)

    class Async:
        async def __call__(self, ctx: Any) -> None:
            ctx.record(module.Add(by=1))

    class Plain:
        def __call__(self, ctx: Any) -> None:
            ctx.record(module.Add(by=1))

    async def two(by: int, ctx: Any) -> None:
        ctx.record(module.Add(by=by))

    def gives(ctx: Any) -> Any:
        return two(1, ctx)

    every: list[Any] = [Async(), Plain(), functools.partial(two, 1), functools.partial(Async()), gives]
    for function in every:
        result = run_sync(module.g(nodes(a=function)), module.S(sub=module.Sub()))
        assert result.state.n == 1


def test_a_generator_is_no_node(compiled: Compile) -> None:
    module = compiled(TWO)

    async def yields(ctx: Any) -> Any:
        yield ctx

    with pytest.raises(BindingError, match="`a` has a `yield`"):
        module.g(nodes(a=yields))


def test_a_context_kept_after_its_attempt_is_closed(compiled: Compile) -> None:
    module = compiled(TWO)
    kept: list[Any] = []

    async def a(ctx: Any) -> None:
        kept.append(ctx)

    async def b(ctx: Any) -> None:
        assert kept[0].cancelled
        kept[0].emit("nobody hears this")
        with pytest.raises(NodeFailed, match="after this attempt"):
            kept[0].record(module.Add(by=1))

    assert run_sync(module.g(nodes(a=a, b=b)), module.S(sub=module.Sub())).state.n == 0


def test_a_cost_is_a_number(compiled: Compile) -> None:
    module = compiled(TWO)

    async def a(ctx: Any) -> None:
        ctx.set_token_cost(float("nan"))

    with pytest.raises(NodeFailed, match="a cost in tokens"):
        run_sync(module.g(nodes(a=a)), module.S(sub=module.Sub()), store=MemoryStore)


# --- states that others hold ------------------------------------------------------------------------------


def test_nobody_outside_shares_a_runs_collections(compiled: Compile) -> None:
    module = compiled(TWO)
    given = module.S(xs=[1], sub=module.Sub())

    class Spoils:
        async def saved(self, state: Any, frame: Any) -> None:
            state.xs.append(50)
            state.sub.ys.append(50)

    async def a(ctx: Any) -> None:
        given.xs.append(99)
        given.sub.ys.append(99)

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(
            module.g(nodes(a=a)), given, store=store, run_id="r", checkpoint_sink=Spoils()
        )
        session.state.xs.append(98)
        session.state.sub.ys.append(98)
        result = await session.run()
        assert (result.state.xs, result.state.sub.ys) == ([1], [])
        assert await replay(store, "r") == result.state

    asyncio.run(main())


@pytest.mark.parametrize("where", ["n", "a"])
def test_a_run_does_not_start_with_a_state_that_breaks_a_constraint(where: str, compiled: Compile) -> None:
    module = compiled(TWO)
    state = module.S(n=101, sub=module.Sub()) if where == "n" else module.S(sub=module.Sub(a=float("inf")))
    with pytest.raises(SerializationError, match=f"`{where}` is"):
        run_sync(module.g(nodes()), state)


# --- stopping ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_a_node_that_swallows_its_cancellation_is_the_last(store: Any, compiled: Compile) -> None:
    module = compiled(TWO)
    called: list[str] = []

    async def a(ctx: Any) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            called.append("swallowed")

    async def b(ctx: Any) -> None:
        called.append("b")

    async def main() -> None:
        session = await Session.start(
            module.g(nodes(a=a, b=b)), module.S(sub=module.Sub()), store=store() if store else None
        )
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(driver, 2)
        assert session.status is RunStatus.CANCELLED

    asyncio.run(main())
    assert called == ["swallowed"]


def test_a_failure_made_of_a_cancellation_is_not_tried_again(compiled: Compile) -> None:
    module = compiled("""
state S { n: int = 0 }
graph g(S) { task a { retry 3 backoff 20s..30s }  start -> a -> end }
""")

    async def a(ctx: Any) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise RuntimeError("turned into something else") from None

    async def main() -> None:
        session = await Session.start(module.g(nodes(a=a)), module.S())
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(driver, 2)

    asyncio.run(main())


def test_a_thread_that_was_given_up_holds_nobody_up(compiled: Compile) -> None:
    module = compiled(TWO)

    def sleeps(ctx: Any) -> None:
        time.sleep(3)

    async def main() -> None:
        session = await Session.start(module.g(nodes(a=sleeps)), module.S(sub=module.Sub()))
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.cancel()
        with pytest.raises(Cancelled):
            await driver

    since = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - since < 2


class Slow(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.last = asyncio.Event()

    async def commit(self, commit: Any) -> None:
        if commit.status is RunStatus.DONE:
            self.last.set()
        await asyncio.sleep(0.05)
        await super().commit(commit)


def test_a_run_whose_last_step_is_being_committed_is_done(compiled: Compile) -> None:
    module = compiled(TWO)

    async def main() -> None:
        store = Slow()
        session = await Session.start(module.g(nodes()), module.S(sub=module.Sub()), store=store, run_id="r")
        driver = asyncio.create_task(session.run())
        await asyncio.wait_for(store.last.wait(), 2)
        await session.cancel()
        assert (await driver).status is RunStatus.DONE
        assert (await store.get_run("r")).status is session.status is RunStatus.DONE

    asyncio.run(main())


def test_a_run_cancelled_as_it_begins_does_not_run(compiled: Compile) -> None:
    module = compiled(TWO)
    called: list[str] = []

    async def a(ctx: Any) -> None:
        called.append("a")
        raise RuntimeError("first")

    async def main() -> None:
        store = Slow()
        session = await Session.start(
            module.g(nodes(a=a)), module.S(sub=module.Sub()), store=store, run_id="r"
        )
        with pytest.raises(NodeFailed):
            await session.run()
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.01)
        await session.cancel()
        with pytest.raises(Cancelled):
            await driver
        assert (await store.get_run("r")).status is RunStatus.CANCELLED

    asyncio.run(main())
    assert called == ["a"]


def test_a_store_that_raises_anything_ends_the_session(compiled: Compile) -> None:
    module = compiled(TWO)

    class Broken(MemoryStore):
        async def commit(self, commit: Any) -> None:
            if commit.record is not None and commit.record.step == 2:
                raise OSError("no space left")
            await super().commit(commit)

    async def main() -> None:
        store = Broken()
        graph = module.g(nodes())
        session = await Session.start(graph, module.S(sub=module.Sub()), store=store, run_id="r")
        for _ in range(2):
            with pytest.raises(StorageError, match="no space left") as caught:
                await session.run()
            assert (caught.value.run, caught.value.node, caught.value.step) == ("r", "b", 2)
        assert [step.step async for step in store.replay("r")] == [1]

    asyncio.run(main())


# --- effects ----------------------------------------------------------------------------------------------

ONCE = """
state S {
  n: int = 0
  x: int?
  mutation Add(by: int) { n += by }
  mutation Set(to: int) { x = to }
}
graph g(S) {
  task a { records Set  effect once  ensures x }
  task b { records Add }
  start -> a -> b -> end
}
graph again(S) {
  task before { records Add }
  parallel p { branch slow = once  branch fast = quick  join any }
  task once  { effect once }
  task quick { }
  task mid { records Add }
  start -> before -> p -> mid
  mid -> before when n < 3
  mid -> end else
}
"""


def test_an_effect_is_begun_once_in_one_session_too(compiled: Compile) -> None:
    module = compiled(ONCE)
    called: list[int] = []

    async def a(ctx: Any) -> None:
        called.append(1)
        raise RuntimeError("perhaps it happened")

    async def main() -> None:
        session = await Session.start(module.g(nodes(a=a)), module.S(), store=MemoryStore())
        with pytest.raises(NodeFailed):
            await session.run()
        with pytest.raises(RunUncertain):
            await session.run()
        assert session.status is RunStatus.UNCERTAIN

    asyncio.run(main())
    assert called == [1]


def test_a_settlement_holds_for_other_sessions(compiled: Compile) -> None:
    module = compiled(ONCE)

    async def dies(ctx: Any) -> None:
        raise RuntimeError("perhaps it happened")

    async def works(ctx: Any) -> None:
        ctx.record(module.Set(to=1))

    async def main(how: Any, settled: bool) -> None:
        store = MemoryStore()
        session = await Session.start(module.g(nodes(a=dies)), module.S(), store=store, run_id="r")
        with pytest.raises(NodeFailed):
            await session.run()
        graph = module.g(nodes(a=works))
        session = await Session.restore(graph, store=store, run_id="r")
        assert session.status is RunStatus.UNCERTAIN
        if settled:
            await session.settle("a", how, actor="me")
            session = await Session.restore(graph, store=store, run_id="r")
            assert (await session.run()).state.x == 1
        else:
            with pytest.raises((MutationRejected, NodeFailed, DecisionRefused)) as caught:
                await session.settle("a", how, actor="me")
            assert caught.value.run == "r"
            assert (await store.get_run("r")).status is not RunStatus.RUNNING

    asyncio.run(main("retry", True))
    asyncio.run(main([module.Set(to=1)], True))
    asyncio.run(main([module.Add(by=1)], False))
    asyncio.run(main("skip", False))  # the node ensures `x`
    asyncio.run(main("perhaps", False))


def test_an_effect_that_a_join_gave_up_does_not_haunt_the_next_visit(compiled: Compile) -> None:
    module = compiled(ONCE)

    async def once(ctx: Any) -> None:
        await asyncio.sleep(30)

    async def quick(ctx: Any) -> None:
        await asyncio.sleep(0.01)

    async def mid(ctx: Any) -> None:
        ctx.record(module.Add(by=2))

    async def dies(ctx: Any) -> None:
        if ctx.visit == 2:
            raise RuntimeError("in the second pass")

    async def main() -> None:
        store = MemoryStore()
        functions = {"once": once, "quick": quick, "mid": mid}
        session = await Session.start(
            module.again(nodes(before=dies, **functions)), module.S(), store=store, run_id="r"
        )
        with pytest.raises(NodeFailed):
            await session.run()
        assert not await store.attempts("r")
        session = await Session.restore(module.again(nodes(**functions)), store=store, run_id="r")
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


# --- answers ----------------------------------------------------------------------------------------------

ASK = """
enum K { a, b }
record R { k: K  n: int }
state S {
  n: int = 0  range 0..5
  k: K?
  mutation Add(by: int) { n += by }
  mutation SetK(to: K) { k = to }
}
graph g(S) {
  barrier ask {
    timeout 1h  shows n
    decision pick(k2: K, r: R, rs: list[R]) records SetK(k2), Add(r.n)
  }
  start -> ask
  ask -> end on pick
  ask -> end on timeout
}
graph two(S) {
  parallel p {
    branch l { start -> one  one -> end on approve  one -> end on reject  one -> end on timeout }
    branch r { start -> two  two -> end on approve  two -> end on reject  two -> end on timeout }
  }
  barrier one { timeout 1h }
  barrier two { timeout 1h }
  start -> p -> end
}
"""


class Sink:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def wait(self, barrier: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [RuntimeError("broken"), TimeoutError(), asyncio.CancelledError(), "approve", None,
     BarrierDecision.answer("unknown")],
    ids=str,
)  # fmt: skip
def test_a_sink_that_gives_no_good_answer_leaves_the_run_waiting(answer: Any, compiled: Compile) -> None:
    module = compiled(ASK)
    sink = Sink(answer)
    result = run_sync(module.g(nodes()), module.S(), store=MemoryStore, barrier_sink=sink)
    assert result.status is RunStatus.WAITING
    assert sink.asked == 1


def test_an_answer_from_elsewhere_comes_before_a_sink_that_waits(compiled: Compile) -> None:
    module = compiled(ASK)
    asked: list[str] = []

    class Waits:
        async def wait(self, barrier: Any) -> None:
            asked.append(barrier.node)
            await asyncio.sleep(30)

    async def main() -> None:
        session = await Session.start(
            module.two(nodes()), module.S(), store=MemoryStore(), barrier_sink=Waits()
        )
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.decide("one", BarrierDecision.approve(), actor="x")
        await asyncio.sleep(0.02)
        assert [barrier.node for barrier in session.waiting] == ["two"]
        await session.decide("two", BarrierDecision.approve(), actor="x")
        assert (await asyncio.wait_for(driver, 2)).status is RunStatus.DONE

    asyncio.run(main())
    assert asked == ["one", "two"]  # an answer to one barrier does not take the other's question back


def test_a_barrier_is_answered_once(compiled: Compile) -> None:
    module = compiled(ASK)

    async def main() -> None:
        store = MemoryStore()
        graph = module.two(nodes())
        session = await Session.start(graph, module.S(), store=store, run_id="r")
        result = await session.run()
        for address in (result.waiting[0].id, "two"):
            await session.decide(address, BarrierDecision.approve(), actor="ann")
            with pytest.raises(DecisionRefused, match="answered by ann"):
                await session.decide(address, BarrierDecision.reject("late"), actor="bob")
            with pytest.raises(DecisionRefused, match="answered by ann"):
                await decide(graph, store, "r", address, BarrierDecision.approve(), actor="bob")
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


@pytest.mark.parametrize("first", ["p/l/one", "p/r/two"])
def test_an_answer_that_comes_while_all_give_up_is_taken(first: str, compiled: Compile) -> None:
    module = compiled(ASK)

    class Late(MemoryStore):
        looks = 0

        async def decisions(self, run: str, *, waiting: bool = False) -> Any:
            self.looks += 1
            if self.looks == 3:  # both have looked once, and now look for the last time
                await decide(unbound(module.TWO_PLAN), self, run, first, BarrierDecision.approve(), actor="x")
            return await super().decisions(run, waiting=waiting)

    result = run_sync(module.two(nodes()), module.S(), store=Late)
    assert [barrier.node for barrier in result.waiting] == ["two" if first == "p/l/one" else "one"]


def test_a_refused_answer_is_set_aside_for_good(compiled: Compile) -> None:
    module = compiled(ASK)

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(module.g(nodes()), module.S(), store=store, run_id="r")
        one = {"k": "a", "n": 100}
        await session.decide("ask", BarrierDecision.answer("pick", k2="a", r=one, rs=[one]), actor="x")
        assert (await session.run()).status is RunStatus.WAITING
        assert [decision.step for decision in await store.decisions("r")] == [-1]
        kind, record = module.K.a, module.R(k=module.K.b, n=2)
        await session.decide("ask", BarrierDecision.answer("pick", k2=kind, r=record, rs=[record]), actor="x")
        result = await session.run()
        assert (result.status, result.state.k, result.state.n) == (RunStatus.DONE, kind, 2)

    asyncio.run(main())


# --- transient fields -------------------------------------------------------------------------------------

TRANSIENT = """
opaque Model = "builtins:str"
state Sub { a: int = 0  transient model: Model }
state S { sub: Sub  transient model: Model  transient spare: Model? }
graph inner(Sub) { task i { reads * }  start -> i -> end }
graph g(S) {
  task a { reads * }
  subgraph s = inner { on sub }
  barrier ask { timeout 1h }
  task b { reads * }
  start -> a -> s -> ask
  ask -> b on approve
  ask -> end on reject
  ask -> end on timeout
  b -> end
}
"""


def test_transients_of_sub_states(compiled: Compile) -> None:
    module = compiled(TRANSIENT)
    seen: list[Any] = []
    calls: list[int] = []

    async def see(ctx: Any) -> None:
        seen.append((ctx.node, ctx.state.model))

    async def made() -> str:
        calls.append(1)
        return "made"

    async def main() -> None:
        store = MemoryStore()
        functions = nodes(a=see, b=see, i=see)
        graph = bind(module.G_PLAN, functions)
        state = module.S(sub=module.Sub(model="inner"), model="outer")
        session = await Session.start(graph, state, store=store, run_id="r")
        await session.run()
        with pytest.raises(TransientMissing, match=r"`sub\.model`") as caught:
            await Session.restore(graph, store=store, run_id="r", transients={"model": "outer"})
        assert caught.value.run == "r"
        await decide(unbound(module.G_PLAN), store, "r", "ask", BarrierDecision.approve(), actor="x")
        assert (await replay(store, "r", 1, graph=graph)).sub.a == 0
        session = await Session.restore(
            graph, store=store, run_id="r", transients={"model": made, "sub.model": "other"}
        )
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())
    assert seen == [("a", "outer"), ("i", "inner"), ("b", "made")]
    assert calls == [1]


def test_a_provider_that_raises_is_told(compiled: Compile) -> None:
    module = compiled(TRANSIENT)

    def fails() -> str:
        raise OSError("no model here")

    async def main() -> None:
        store = MemoryStore()
        graph = bind(module.G_PLAN, nodes())
        state = module.S(sub=module.Sub(model="inner"), model="outer")
        await Session.start(graph, state, store=store, run_id="r")
        with pytest.raises(TransientMissing, match="`model` failed: OSError: no model here"):
            await Session.restore(
                graph, store=store, run_id="r", transients={"model": fails, "sub.model": "x"}
            )

    asyncio.run(main())


# --- listeners --------------------------------------------------------------------------------------------


def test_listeners_that_raise_take_nothing_from_a_stream(compiled: Compile) -> None:
    module = compiled(TWO)

    class Raises:
        def record(self, event: Any) -> None:
            raise RuntimeError("trace")

        def send(self, chunk: Any) -> None:
            raise RuntimeError("stream")

        async def saved(self, state: Any, frame: Any) -> None:
            raise RuntimeError("checkpoint")

    async def a(ctx: Any) -> None:
        ctx.emit("text")

    async def main() -> list[str]:
        sink = Raises()
        session = await Session.start(
            module.g(nodes(a=a)), module.S(sub=module.Sub()), store=MemoryStore(),
            trace_sink=sink, stream_sink=sink, checkpoint_sink=sink,
        )  # fmt: skip
        return [str(item.kind) async for item in session.stream()]

    kinds = asyncio.run(main())
    assert kinds.count("node_started") == kinds.count("node_completed") == 2
    assert kinds.count("text") == 1
    assert kinds.count("observed_error") == 4
    assert kinds[-1] == "run_completed"


def test_run_sync_within_a_loop_says_what_to_do(compiled: Compile) -> None:
    module = compiled(TWO)

    async def main() -> None:
        run_sync(module.g(nodes()), module.S(sub=module.Sub()))

    with pytest.raises(LgcError, match=r"await session\.run"):
        asyncio.run(main())


# --- time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["swallows", "translates"])
def test_a_timeout_holds_whatever_the_function_makes_of_it(how: str, compiled: Compile) -> None:
    module = compiled("""
state S { n: int = 0  mutation Add(by: int) { n += by } }
graph g(S) {
  task a { records Add  timeout 20ms }
  start -> a -> end
  a -> end on timeout
}
""")

    async def a(ctx: Any) -> None:
        ctx.record(module.Add(by=1))
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            if how == "translates":
                raise RuntimeError("something else") from None

    result = run_sync(module.g(nodes(a=a)), module.S())
    assert result.state.n == 0
    assert "longer than 0.02 s" in result.log[0].error


def test_a_function_that_goes_on_is_told_again_to_stop(compiled: Compile) -> None:
    module = compiled(TWO)

    async def a(ctx: Any) -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        session = await Session.start(module.g(nodes(a=a)), module.S(sub=module.Sub()))
        driver = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        await session.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(driver, 5)

    asyncio.run(main())


def test_steps_of_branches_are_kept_in_order_by_any_store(compiled: Compile) -> None:
    branches = "".join(f"branch b{i} = t{i}  " for i in range(8))
    tasks = "".join(f"task t{i} {{ records Add }}  " for i in range(8))
    module = compiled(f"""
state S {{ n: int = 0  mutation Add(by: int) {{ n += by }} }}
graph g(S) {{ parallel p {{ {branches} }} {tasks} start -> p -> end }}
""")

    class Uneven(MemoryStore):
        async def commit(self, commit: Any) -> None:
            step = commit.record.step if commit.record is not None else 0
            await asyncio.sleep(0.01 if step % 2 else 0)
            await super().commit(commit)

    async def add(ctx: Any) -> None:
        ctx.record(module.Add(by=1))

    functions = SimpleNamespace(**{f"t{i}": add for i in range(8)})
    assert run_sync(module.g(functions), module.S(), store=Uneven).state.n == 8


def test_numbers_that_json_cannot_write_are_refused_where_they_come_in(compiled: Compile) -> None:
    m = compiled("""
    record P { x: float }
    state S { xs: list[float] = []  ps: list[P] = []
      mutation Push(x: float, p: P) { xs += [x]  ps += [p] } }
    graph g(S) { task a { records Push }  start -> a -> end }
    """)
    for bad in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="finite"):
            m.P(x=bad)
        with pytest.raises(ValueError, match="finite"):
            m.Push(x=bad, p=m.P(x=1.0))
