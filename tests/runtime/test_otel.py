"""OpenTelemetry spans: names, parents, times, errors, links; none is left open, whatever happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from tests.runtime.event_grammar import Keeping, until
from tests.runtime.test_engine_random import Approves, Maker, Nodes

from lgc.runtime import BarrierDecision, LgcError, MemoryStore, OpenTelemetrySink, RunStatus, Session
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]


class Kept(SpanProcessor):
    """Spans that were begun, and those that have ended, in order."""

    def __init__(self) -> None:
        self.begun: list[Span] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        self.begun.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.ended if span.name == name]
        return found

    def tree(self) -> dict[str, str]:
        """The name of each span's parent, "" for none."""
        names = {span.context.span_id: span.name for span in self.ended if span.context}
        return {span.name: names[span.parent.span_id] if span.parent else "" for span in self.ended}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def tracer(kept: Kept) -> trace.Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(kept)
    return provider.get_tracer("test")


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


ALL = """
state In { y: int = 0  mutation Y(to: int) { y = to } }
state S { n: int = 0  xs: list[int] = []  inner: In
  mutation Push(x: int) { xs += [x] }  mutation Set(to: int) { n = to } }
graph small(In) { task deep { reads y  records Y  retry 2 backoff 1ms..2ms } start -> deep -> end }
graph g(S) {
  parallel p { branch a = one  branch b { start -> sub -> end } }
  task one { reads n }
  subgraph sub = small { on inner }
  map each = small { over [1, 2] as i  in y = i  out Push(y) }
  decision choose
  barrier ok { timeout 1h  shows n }
  task plain { reads n  records Set }
  start -> p -> each -> choose
  choose -> ok when n == 0
  choose -> end else
  ok -> plain on approve
  ok -> end on reject
  ok -> end on timeout
  plain -> end
  checkpoint { every 1 steps }
}
"""


def functions(m: Any, tracer: trace.Tracer) -> Any:
    class N:
        async def one(self, ctx: Any) -> None:
            with tracer.start_as_current_span("chat in one"):
                await asyncio.sleep(0.01)

        async def deep(self, ctx: Any) -> None:
            with tracer.start_as_current_span(f"chat {ctx.idempotency_key} {ctx.attempt}"):
                await asyncio.sleep(0.01)
            if ctx.attempt == 1 and "sub" in ctx.idempotency_key:
                raise OSError("busy")

        def plain(self, ctx: Any) -> None:
            tracer.start_span("chat in a thread").end()
            ctx.record(m.Set(to=1))

    return bind(m.G_PLAN, N())


def test_every_kind_of_node_has_its_span_in_its_place(
    kept: Kept, tracer: trace.Tracer, compiled: Compile
) -> None:
    m = compiled(ALL)

    async def main() -> None:
        session = await Session.start(
            functions(m, tracer), m.S(inner=m.In()), store=MemoryStore(), run_id="r",
            trace_sink=OpenTelemetrySink(tracer), barrier_sink=Approves(),
        )  # fmt: skip
        with tracer.start_as_current_span("request"):
            await session.run()
            assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]

    asyncio.run(main())
    assert len(kept.begun) == len(kept.ended)
    tree = kept.tree()
    assert tree | {"invoke_node deep": ""} == {
        "request": "",
        "invoke_workflow g": "request",
        "invoke_node p": "invoke_workflow g",
        "branch a": "invoke_node p",
        "invoke_node one": "branch a",
        "chat in one": "invoke_node one",
        "branch b": "invoke_node p",
        "invoke_node sub": "branch b",
        "invoke_node deep": "",
        "chat r/p#1/b/sub#1/deep#1 1": "invoke_node deep",
        "chat r/p#1/b/sub#1/deep#1 2": "invoke_node deep",
        "invoke_node each": "invoke_workflow g",
        "branch 0": "invoke_node each",
        "chat r/each#1[0]/deep#1 1": "invoke_node deep",
        "branch 1": "invoke_node each",
        "chat r/each#1[1]/deep#1 1": "invoke_node deep",
        "invoke_node choose": "invoke_workflow g",
        "invoke_node ok": "invoke_workflow g",
        "invoke_node plain": "invoke_workflow g",
        "chat in a thread": "invoke_node plain",
    }
    deep = {told(s)["lgc.span"]: s for s in kept.ended if s.name == "invoke_node deep"}
    names = {s.context.span_id: s.name for s in kept.ended if s.context}
    assert {key: names[s.parent.span_id] for key, s in deep.items() if s.parent} == {
        "r/p#1/b/sub#1/deep#1": "invoke_node sub",
        "r/each#1[0]/deep#1": "branch 0",
        "r/each#1[1]/deep#1": "branch 1",
    }
    retried = deep["r/p#1/b/sub#1/deep#1"]
    assert told(retried)["lgc.attempt"] == 2 and retried.status.is_ok
    assert [e.name for e in retried.events] == ["lgc.node_retried"]
    whole = told(kept.named("invoke_workflow g"))
    assert whole["gen_ai.operation.name"] == "invoke_workflow"
    assert whole["gen_ai.workflow.name"] == "g" and whole["gen_ai.conversation.id"] == "r"
    assert whole["lgc.status"] == "done" and whole["lgc.graph.hash"] == m.G_HASH
    plain = told(kept.named("invoke_node plain"))
    assert plain["gen_ai.operation.name"] == "invoke_node" and plain["gen_ai.node.name"] == "plain"
    assert (plain["lgc.visit"], plain["lgc.outcome"], plain["lgc.next"]) == (1, "ok", "end")
    assert plain["lgc.checkpoint"] == f"r@{plain['lgc.step']}" and plain["lgc.graph"] == "g"
    asked = kept.named("invoke_node ok")
    assert [e.name for e in asked.events] == ["lgc.barrier_waiting", "lgc.barrier_resolved"]
    assert dict(asked.events[1].attributes or {})["lgc.answer"] == "approve"
    for span in kept.ended:
        assert span.start_time and span.end_time and span.start_time <= span.end_time
    one, sub = kept.named("invoke_node one"), kept.named("invoke_node sub")
    assert one.start_time and sub.end_time and one.start_time < sub.end_time  # side by side


FAILS = """
state S { n: int = 0 }
graph g(S) {
  task a { reads n }
  task b { reads n }
  start -> a
  a -> b
  a -> b on error
  b -> end
}
"""


def test_failures(kept: Kept, tracer: trace.Tracer, compiled: Compile) -> None:
    m = compiled(FAILS)

    class N:
        async def a(self, ctx: Any) -> None:
            raise ValueError("no number")

        async def b(self, ctx: Any) -> None:
            raise KeyError("gone")

    async def main() -> None:
        session = await Session.start(bind(m.G_PLAN, N()), m.S(), trace_sink=OpenTelemetrySink(tracer))
        with pytest.raises(LgcError):
            await session.run()

    asyncio.run(main())
    a, b = kept.named("invoke_node a"), kept.named("invoke_node b")
    assert (told(a)["error.type"], told(a)["lgc.outcome"], told(a)["lgc.next"]) == (
        "ValueError",
        "error",
        "b",
    )
    assert told(b)["error.type"] == "KeyError"
    assert told(kept.named("invoke_workflow g"))["error.type"] == "NodeFailed"
    for span in (a, b, kept.named("invoke_workflow g")):
        assert span.status.status_code is trace.StatusCode.ERROR
        assert [e.name for e in span.events] == ["exception"]
    assert "no number" in str(dict(a.events[0].attributes or {})["exception.message"])


def test_a_run_that_waits_ends_its_spans_and_the_next_session_links_to_them(
    kept: Kept, tracer: trace.Tracer, compiled: Compile
) -> None:
    m = compiled(ALL)
    store, sink = MemoryStore(), OpenTelemetrySink(tracer)

    async def main() -> None:
        graph = functions(m, tracer)
        session = await Session.start(graph, m.S(inner=m.In()), store=store, run_id="r", trace_sink=sink)
        assert (await session.run()).status is RunStatus.WAITING
        assert len(kept.begun) == len(kept.ended)
        await session.decide("ok", BarrierDecision.approve(), actor="ann")
        again = await Session.restore(graph, store=store, run_id="r", trace_sink=sink)
        assert (await again.run()).status is RunStatus.DONE

    asyncio.run(main())
    assert len(kept.begun) == len(kept.ended)
    first, second = [s for s in kept.ended if s.name == "invoke_workflow g"]
    assert told(first)["lgc.status"] == "waiting" and told(second)["lgc.status"] == "done"
    assert first.status.is_unset and not first.links and told(second)["lgc.resumed"] is True
    assert [link.context for link in second.links] == [first.context]
    waited = [s for s in kept.ended if s.name == "invoke_node ok"]
    assert told(waited[0])["lgc.outcome"] == "waiting" and told(waited[1])["lgc.outcome"] == "approve"
    assert told(first)["gen_ai.conversation.id"] == told(second)["gen_ai.conversation.id"] == "r"


@pytest.mark.parametrize("how", ["cancel", "leave", "fail in a branch", "disk"])
def test_no_span_is_left_open(how: str, kept: Kept, tracer: trace.Tracer, compiled: Compile) -> None:
    m = compiled(
        """
        state S { n: int = 0 }
        graph g(S) {
          parallel p { branch a = one  branch b = two }
          task one { reads n }
          task two { reads n }
          start -> p -> end
        }
        """
    )
    going = asyncio.Event()
    after: list[trace.Span] = []

    class N:
        async def one(self, ctx: Any) -> None:
            going.set()
            if how == "fail in a branch":
                raise RuntimeError("no")
            if how != "disk":
                await asyncio.sleep(1000)

        async def two(self, ctx: Any) -> None:
            await asyncio.sleep(1000)

    async def main() -> None:
        session = await Session.start(
            bind(m.G_PLAN, N()), m.S(), store=Keeping(fails=1 if how == "disk" else 0),
            trace_sink=OpenTelemetrySink(tracer),
        )  # fmt: skip
        run = asyncio.create_task(session.run())
        await going.wait()
        await asyncio.sleep(0)
        if how == "cancel":
            await session.cancel()
        elif how == "leave":
            run.cancel()
        with suppress(LgcError, asyncio.CancelledError):
            await run
        after.append(trace.get_current_span())

    asyncio.run(main())
    assert after == [trace.INVALID_SPAN]
    assert len(kept.begun) == len(kept.ended) == 6
    outcome = {
        "cancel": "cancelled", "leave": "stopped", "fail in a branch": "failed", "disk": "failed",
    }[how]  # fmt: skip
    assert told(kept.named("invoke_workflow g"))["lgc.status"] == outcome
    assert told(kept.named("invoke_node two"))["lgc.outcome"] == "stopped"


@pytest.mark.parametrize("seed", range(200, 204))
def test_random_graphs_leave_no_span_open(
    seed: int, kept: Kept, tracer: trace.Tracer, compiled: Compile
) -> None:
    maker = Maker(seed)
    module = compiled(maker.text)
    sink = OpenTelemetrySink(tracer)

    async def one(name: str) -> None:
        session = await Session.start(
            bind(module.G_PLAN, Nodes(maker, module)), module.S(inner=module.In()),
            store=MemoryStore(), run_id=name, trace_sink=sink, barrier_sink=Approves(),
        )  # fmt: skip
        await session.run()

    async def main() -> None:
        await asyncio.gather(*[one(f"r{number}") for number in range(3)])

    asyncio.run(main())
    assert len(kept.begun) == len(kept.ended)
    spans = {span.context.span_id: span for span in kept.ended if span.context}
    for span in kept.ended:
        assert span.name.startswith("invoke_workflow") or span.parent
        if span.parent:  # runs side by side do not mix
            assert told(spans[span.parent.span_id])["lgc.run.id"] == told(span)["lgc.run.id"]


def test_a_settled_node_has_a_trace_of_its_own(kept: Kept, tracer: trace.Tracer, compiled: Compile) -> None:
    m = compiled(
        "state S { n: int = 0 }\n"
        "graph g(S) { task pay { reads n  effect once } task z { reads n } start -> pay -> z -> end }"
    )
    store, going = Keeping(), asyncio.Event()

    class N:
        async def pay(self, ctx: Any) -> None:
            going.set()
            await asyncio.sleep(1000)

        async def z(self, ctx: Any) -> None:
            """Nothing."""

    async def main() -> None:
        graph = bind(m.G_PLAN, N())
        session = await Session.start(graph, m.S(), store=store, run_id="r")
        run = asyncio.create_task(session.run())
        await until(going.is_set)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
        again = await Session.restore(
            graph, store=store, run_id="r", trace_sink=OpenTelemetrySink(tracer), take_over=True
        )
        await again.settle("pay", "skip", actor="ann")
        await again.run()

    asyncio.run(main())
    assert len(kept.begun) == len(kept.ended) == 3
    assert kept.tree() == {
        "invoke_node pay": "", "invoke_workflow g": "", "invoke_node z": "invoke_workflow g",
    }  # fmt: skip


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(LgcError) as caught:
        OpenTelemetrySink()
    assert "lgc[otel]" in str(caught.value.hint)


def test_nothing_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, lgc.runtime as r; r.Session, r.TraceSink, r.LoggingSink; "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
