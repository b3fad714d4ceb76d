"""A stream that is read slowly, or not at all: what waits is bounded, and no control event is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.runtime.event_grammar import Grammar, until

from lgc.runtime import (
    BarrierDecision,
    Cancelled,
    ChunkKind,
    GraphEvent,
    MemoryStore,
    RunStatus,
    Session,
    StreamChunk,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]

COUNT = """
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) {
  max_steps 100000
  task a { reads n  records Add SETTINGS }
  start -> a
  a -> a when n < LIMIT
  a -> end else
}
"""
WIDE = """
state One { x: int = 0 }
state S { n: int = 0 }
graph one(One) { task t { reads x } start -> t -> end }
graph g(S) { map each = one { over range as i  in x = i } start -> each -> end }
"""


def looped(compiled: Compile, limit: int, settings: str = "") -> Any:
    return compiled(COUNT.replace("LIMIT", str(limit)).replace("SETTINGS", settings))


async def settled(turns: int = 200) -> None:
    """As much as can happen without the reader has happened."""
    for _ in range(turns):
        await asyncio.sleep(0)


def backlog(session: Session[Any]) -> Any:
    return session._engine.backlog  # pyright: ignore[reportPrivateUsage]


def adding(m: Any, chunks: int = 0) -> Any:
    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number in range(chunks):
                ctx.emit(f"{number} ")

    return bind(m.G_PLAN, N())


@pytest.mark.parametrize("buffer", [1, 2, 16])
def test_a_reader_that_stops_stops_the_run(buffer: int, compiled: Compile) -> None:
    m = looped(compiled, 3000)

    async def main() -> None:
        grammar = Grammar()
        session = await Session.start(adding(m), m.S(), store=MemoryStore(), trace_sink=grammar)
        stream = session.stream(buffer=buffer)
        seen = [await anext(stream)]
        await settled()
        assert backlog(session).waiting <= buffer + 3  # what one node says
        reached = session.step
        assert reached <= buffer
        await settled()
        assert session.step == reached
        async for item in stream:
            seen.append(item)
            assert backlog(session) is None or backlog(session).waiting <= buffer + 3
        assert session.status is RunStatus.DONE and session.step == 3000
        assert seen == grammar.seen and not grammar.wrong

    asyncio.run(main())


def test_chunks_beyond_the_buffer_are_merged_then_dropped_and_counted(compiled: Compile) -> None:
    m = looped(compiled, 1)
    emitted = 60_000
    deepest = 0

    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number in range(emitted):
                ctx.emit(f"{number} ")

    async def main() -> list[Any]:
        nonlocal deepest
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        stream = session.stream(buffer=100)
        seen: list[Any] = [await anext(stream)]
        await settled()
        deepest = backlog(session).waiting
        return [*seen, *[item async for item in stream]]

    seen = asyncio.run(main())
    assert deepest <= 100 + 3
    kinds = [str(item.kind) for item in seen if isinstance(item, GraphEvent)]
    assert kinds == ["run_started", "node_started", "observed_error", "node_completed", "run_completed"]
    (lost,) = [item for item in seen if item.kind == "observed_error"]
    read = "".join([item.text for item in seen if isinstance(item, StreamChunk)]).split()
    assert lost.data["dropped"] + len(read) == emitted
    assert read == [str(number) for number in range(lost.data["dropped"], emitted)]
    # It stands where they are missing: after the node's start, before what was kept of it.
    assert [str(item.kind) for item in seen[:4]] == ["run_started", "node_started", "observed_error", "text"]


def test_nothing_is_lost_where_merging_is_enough_and_nothing_merged_that_differs(compiled: Compile) -> None:
    m = looped(compiled, 1)
    parts = [f"{number};" for number in range(5000)]

    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number, part in enumerate(parts):
                ctx.emit(StreamChunk.thinking(part) if number % 1000 == 0 else part)
            ctx.emit(StreamChunk.tool_started("search", "1"))
            ctx.emit(StreamChunk.tool_output("search", "a", "1"))
            ctx.emit(StreamChunk.tool_output("search", "b", "2"))
            ctx.emit(StreamChunk.custom(done=True))

    async def main() -> list[Any]:
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        stream = session.stream(buffer=60)
        first = await anext(stream)
        await settled()
        return [first, *[item async for item in stream]]

    seen = asyncio.run(main())
    assert "observed_error" not in [item.kind for item in seen]
    chunks = [item for item in seen if isinstance(item, StreamChunk)]
    said = [c for c in chunks if c.kind in (ChunkKind.TEXT, ChunkKind.THINKING)]
    assert "".join([c.text for c in said]) == "".join(parts)
    assert "".join([c.text for c in said if c.kind is ChunkKind.THINKING]) == "".join(parts[::1000])
    tools = [(str(c.kind), c.text, c.call) for c in chunks if c.tool]
    assert tools == [("tool_started", "", "1"), ("tool_output", "a", "1"), ("tool_output", "b", "2")]
    assert chunks[-1].data == {"done": True}


def test_a_reader_who_keeps_up_gets_every_chunk_as_it_was_emitted(compiled: Compile) -> None:
    m = looped(compiled, 200)  # without a store, which would give the reader turns

    async def main() -> list[Any]:
        session = await Session.start(adding(m, chunks=30), m.S())
        return [item async for item in session.stream()]

    chunks = [item for item in asyncio.run(main()) if isinstance(item, StreamChunk)]
    assert [c.text for c in chunks] == [f"{number} " for number in range(30)] * 200


def test_who_awaits_emit_loses_nothing(compiled: Compile) -> None:
    m = looped(compiled, 1)
    deepest = 0

    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number in range(2000):
                await ctx.emit(StreamChunk.custom(number=number))

    async def main() -> list[Any]:
        nonlocal deepest
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        seen: list[Any] = []
        async for item in session.stream(buffer=8):
            seen.append(item)
            deepest = max(deepest, backlog(session).waiting)
            await asyncio.sleep(0)
        return seen

    seen = asyncio.run(main())
    assert [item.data["number"] for item in seen if isinstance(item, StreamChunk)] == list(range(2000))
    assert deepest <= 10


def test_awaiting_emit_without_a_reader_does_not_wait(compiled: Compile) -> None:
    m = looped(compiled, 3)

    class N:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            await ctx.emit("nobody hears this")

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


def test_a_plain_function_waits_for_the_reader(compiled: Compile) -> None:
    m = looped(compiled, 1)
    deepest = 0

    class N:
        def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number in range(1000):
                ctx.emit(StreamChunk.custom(number=number))

    async def main() -> list[Any]:
        nonlocal deepest
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        seen: list[Any] = []
        async for item in session.stream(buffer=300):
            seen.append(item)
            deepest = max(deepest, backlog(session).waiting)
        return seen

    seen = asyncio.run(main())
    assert [item.data["number"] for item in seen if isinstance(item, StreamChunk)] == list(range(1000))
    assert deepest <= 303


def test_a_plain_function_with_a_timeout_is_not_held_up_by_the_reader(compiled: Compile) -> None:
    m = looped(compiled, 1, "timeout 60s")

    class N:
        def a(self, ctx: Any) -> None:
            ctx.record(m.Add())
            for number in range(5000):
                ctx.emit(StreamChunk.custom(number=number))

    async def main() -> list[Any]:
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        stream = session.stream(buffer=10)
        first = await anext(stream)
        await until(lambda: session.step)
        assert backlog(session).waiting <= 23
        return [first, *[item async for item in stream]]

    seen = asyncio.run(main())
    kept = [item.data["number"] for item in seen if isinstance(item, StreamChunk)]
    dropped = sum(item.data["dropped"] for item in seen if item.kind == "observed_error")
    assert kept == list(range(5000))[-len(kept) :] and dropped + len(kept) == 5000


@pytest.mark.parametrize("plain", [False, True])
def test_a_run_that_waits_for_its_reader_can_be_cancelled(plain: bool, compiled: Compile) -> None:
    m = looped(compiled, 3000)

    def act(ctx: Any) -> None:
        ctx.record(m.Add())
        for _ in range(100 if plain else 1):
            ctx.emit("x")

    class Plain:
        def a(self, ctx: Any) -> None:
            act(ctx)

    class Async:
        async def a(self, ctx: Any) -> None:
            act(ctx)

    async def main() -> list[str]:
        session = await Session.start(bind(m.G_PLAN, Plain() if plain else Async()), m.S())
        stream = session.stream(buffer=5)
        seen = [await anext(stream)]
        await until(lambda: backlog(session).full)
        await session.cancel()
        with pytest.raises(Cancelled):
            async for item in stream:
                seen.append(item)
        return [str(item.kind) for item in seen]

    kinds = asyncio.run(asyncio.wait_for(main(), 20))
    assert kinds[-1] == "run_cancelled"
    assert kinds.count("node_started") == kinds.count("node_completed") + kinds.count("node_stopped")


def test_a_stream_that_is_left_while_the_run_waits_leaves_the_run_to_others(compiled: Compile) -> None:
    m = looped(compiled, 300)

    async def main() -> None:
        store = MemoryStore()
        grammar = Grammar()
        session = await Session.start(adding(m, 3), m.S(), store=store, run_id="r", trace_sink=grammar)
        stream = session.stream(buffer=5)
        await anext(stream)
        await settled()
        await stream.aclose()  # type: ignore[attr-defined]
        assert str(grammar.seen[-1].kind) == "run_stopped" and not grammar.wrong
        assert backlog(session) is None
        # The same session without a reader, and then another one.
        run = asyncio.create_task(session.run())
        await settled(20)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
        again = await Session.restore(adding(m), store=store, run_id="r")
        assert (await again.run()).state == m.S(n=300)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_many_lanes_side_by_side_with_little_room(compiled: Compile) -> None:
    m = compiled(WIDE.replace("over range", f"over {list(range(400))}"))
    deepest = 0

    class N:
        async def t(self, ctx: Any) -> None:
            await asyncio.sleep(0)

    async def main() -> tuple[list[Any], Grammar]:
        nonlocal deepest
        grammar = Grammar()
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), trace_sink=grammar)
        stream = session.stream(buffer=20)
        seen: list[Any] = [await anext(stream)]
        await settled(2000)
        deepest = backlog(session).waiting
        async for item in stream:
            seen.append(item)
            deepest = max(deepest, backlog(session).waiting)
        return seen, grammar

    seen, grammar = asyncio.run(asyncio.wait_for(main(), 60))
    assert seen == grammar.seen and not grammar.wrong
    assert len(seen) == 4 + 4 * 400
    # Beside the buffer: what nodes say that were under way, and their branches' ends.
    assert deepest <= 20 + 3 * 20


def test_a_reader_may_answer_a_barrier_while_all_the_rest_waits_for_it(compiled: Compile) -> None:
    m = compiled(
        """
        state S { n: int = 0  total: int = 0 merge sum  mutation Add() { total += 1 } }
        graph g(S) {
          parallel p {
            branch work { start -> w  w -> w when visits(w) < 200  w -> end else }
            branch asks { start -> ok  ok -> end on approve  ok -> end on reject  ok -> end on timeout }
          }
          task w { reads n  records Add }
          barrier ok { timeout 1h }
          start -> p -> end
        }
        """
    )

    class N:
        async def w(self, ctx: Any) -> None:
            ctx.record(m.Add())

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S())
        async for item in session.stream(buffer=1):
            if item.kind == "barrier_waiting":
                await settled(50)
                await session.decide(item.data["barrier"], BarrierDecision.approve(), actor="ann")
        assert session.status is RunStatus.DONE and session.state.total == 200

    asyncio.run(asyncio.wait_for(main(), 20))


def test_a_buffer_holds_at_least_one(compiled: Compile) -> None:
    m = looped(compiled, 1)

    async def main() -> None:
        session = await Session.start(adding(m), m.S())
        with pytest.raises(ValueError, match="at least 1"):
            await anext(session.stream(buffer=0))
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


def test_a_stream_sink_that_always_raises_is_told_once_a_visit(compiled: Compile) -> None:
    m = looped(compiled, 2)

    class Broken:
        def send(self, chunk: StreamChunk) -> None:
            raise RuntimeError("full")

    async def main() -> list[str]:
        session = await Session.start(adding(m, 500), m.S(), stream_sink=Broken())
        return [str(item.kind) async for item in session.stream(buffer=5000)]

    kinds = asyncio.run(main())
    assert kinds.count("observed_error") == 2 and kinds.count("text") == 1000
