"""Restoring: the right graph, the right place, exactly once; replay and fork; forced restores; effects."""

from __future__ import annotations

import asyncio
import gc
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    CheckpointNotFound,
    GraphMismatch,
    LgcError,
    MemoryStore,
    RestoreMode,
    RunExists,
    RunFenced,
    RunNotFound,
    RunStatus,
    RunUncertain,
    Session,
    SqliteStore,
    StorageError,
    TransientMissing,
    replay,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]

TEXT = """
opaque Tool = "anywhere:Tool"
state S {
  xs: list[int] = []
  transient tool: Tool
  mutation Push(x: int) { xs += [x] }
}
graph g(S) {
  task a { reads xs, tool  records Push }
  task b { reads xs  records Push }
  start -> a -> b
  b -> a when len(xs) < LIMIT
  b -> end else
}
"""


def text(limit: int = 6) -> str:
    return TEXT.replace("LIMIT", str(limit))


class Stop(Exception):
    """The process dies here."""


def bound(m: Any, die_at: int = -1) -> Any:
    async def push(ctx: Any) -> None:
        if len(ctx.state.xs) == die_at:
            raise Stop
        ctx.record(m.Push(x=len(ctx.state.xs)))

    return m.g(SimpleNamespace(a=push, b=push))


def test_a_run_goes_on_where_it_stopped(audit: Any, compiled: Compile, tmp_path: Path) -> None:
    m = compiled(text())

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            session = await Session.start(bound(m, 3), m.S(tool="t"), store=store, run_id="r")
            with pytest.raises(LgcError, match="Stop"):
                await session.run()
        async with SqliteStore(tmp_path / "runs.db") as store:
            with pytest.raises(TransientMissing, match="`tool`"):
                await Session.restore(bound(m), store=store, run_id="r")
            session = await Session.restore(
                bound(m), store=store, run_id="r", transients={"tool": lambda: "again"}
            )
            assert session.state.xs == [0, 1, 2] and session.state.tool == "again"
            assert [frame.node for frame in session.frames] == ["b"]
            result = await session.run()
            assert result.state.xs == [0, 1, 2, 3, 4, 5]
            log = await audit(store, bound(m), "r", session)
            assert [s.node for s in log] == ["a", "b", "a", "b", "a", "b"]

    asyncio.run(main())


def test_the_same_id_twice_and_an_unknown_one(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        await Session.start(bound(m), m.S(tool=1), store=store, run_id="r")
        with pytest.raises(RunExists):
            await Session.start(bound(m), m.S(tool=1), store=store, run_id="r")
        with pytest.raises(RunNotFound):
            await Session.restore(bound(m), store=store, run_id="nope", transients={"tool": 1})

    asyncio.run(main())


def test_another_graph_is_refused_with_what_changed(compiled: Compile) -> None:
    old, new = compiled(text(6)), compiled(text(7))

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(old, 3), old.S(tool=1), store=store, run_id="r")
        with pytest.raises(LgcError):
            await session.run()
        with pytest.raises(GraphMismatch) as caught:
            await Session.restore(bound(new), store=store, run_id="r", transients={"tool": 1})
        error = caught.value
        assert (error.expected, error.actual) == (old.G_HASH, new.G_HASH)
        (change,) = error.changes
        assert change.element == "edges/b" and "len(xs) < 6" in change.text and "len(xs) < 7" in change.text
        assert change.text in str(error)
        for actor, reason in (("ann", ""), ("", "because")):
            with pytest.raises(LgcError, match="reason and an actor"):
                await Session.restore(
                    bound(new), store=store, run_id="r", transients={"tool": 1},
                    mode=RestoreMode.FORCE, actor=actor, reason=reason,
                )  # fmt: skip
        session = await Session.restore(
            bound(new), store=store, run_id="r", transients={"tool": 1},
            mode=RestoreMode.FORCE, reason="seven is fine", actor="ann",
        )  # fmt: skip
        assert (await session.run()).state.xs == [0, 1, 2, 3, 4, 5, 6, 7]
        (override,) = await store.overrides("r")
        assert (override.actor, override.reason, override.step) == ("ann", "seven is fine", 3)
        assert (override.expected, override.actual) == (old.G_HASH, new.G_HASH)
        # the next resume is not asked again, and each step knows the graph that it was made under
        session = await Session.restore(bound(new), store=store, run_id="r", transients={"tool": 1})
        assert [step.hash async for step in store.replay("r")] == [old.G_HASH] * 3 + [new.G_HASH] * 5

    asyncio.run(main())


INNER = """
state S { n: int = 0  mutation Add(by: int) { n += by } }
graph inner(S) {
  task i { reads n  records Add }
  start -> i
  i -> i when n < LIMIT
  i -> end else
}
graph g(S) {
  subgraph s = inner {}
  start -> s -> end
}
"""


def test_a_change_inside_a_subgraph_is_told(compiled: Compile) -> None:
    old, new = compiled(INNER.replace("LIMIT", "3")), compiled(INNER.replace("LIMIT", "4"))

    async def main() -> None:
        store = MemoryStore()
        await Session.start(bind(old.G_PLAN, SimpleNamespace(i=print)), old.S(), store=store, run_id="r")
        with pytest.raises(GraphMismatch, match=r"in `inner`: .*`n < 3`.*`n < 4`"):
            await Session.restore(bind(new.G_PLAN, SimpleNamespace(i=print)), store=store, run_id="r")

    asyncio.run(main())


def test_chunks_of_a_thread_arrive_before_its_node_is_done(compiled: Compile) -> None:
    m = compiled(text(1))

    def push(ctx: Any) -> None:
        for i in range(50):
            ctx.emit(str(i))
        ctx.record(m.Push(x=1))

    async def main() -> None:
        session = await Session.start(m.g(SimpleNamespace(a=push, b=push)), m.S(tool=1))
        seen: list[Any] = [item async for item in session.stream()]
        kinds = [str(item.kind) for item in seen]
        done = kinds.index("node_completed")
        assert [item.text for item in seen[:done] if str(item.kind) == "text"] == [str(i) for i in range(50)]

    asyncio.run(main())


def test_a_broken_store_ends_the_session_and_leaves_the_run_whole(compiled: Compile) -> None:
    m = compiled(text())

    class Full(MemoryStore):
        full = False

        async def commit(self, commit: Any) -> None:
            if self.full and commit.record is not None and commit.record.step == 3:
                raise StorageError("disk full")
            await super().commit(commit)

    async def main() -> None:
        store = Full()
        store.full = True
        session = await Session.start(bound(m), m.S(tool=1), store=store, run_id="r")
        for _ in range(2):
            with pytest.raises(StorageError, match="disk full"):
                await session.run()
        store.full = False
        session = await Session.restore(bound(m), store=store, run_id="r", transients={"tool": 1})
        assert session.state.xs == [0, 1]
        assert (await session.run()).state.xs == [0, 1, 2, 3, 4, 5]

    asyncio.run(main())


def test_an_error_text_that_no_store_takes_is_made_storable(compiled: Compile, tmp_path: Path) -> None:
    m = compiled(text().replace("b -> a when", "b -> end on error  b -> a when"))

    async def bad(ctx: Any) -> None:
        raise ValueError("half a pair \ud800" + "x" * 100_000)

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            graph = m.g(SimpleNamespace(a=bad, b=bad))
            session = await Session.start(graph, m.S(tool=1), store=store, run_id="r")
            with pytest.raises(LgcError, match="half a pair"):
                await session.run()
            assert len((await store.get_run("r")).error) < 20_000

    asyncio.run(main())


def test_a_session_that_was_overtaken_cannot_commit(audit: Any, compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        gate = asyncio.Event()

        async def slow(ctx: Any) -> None:
            await gate.wait()
            ctx.record(m.Push(x=99))

        first = await Session.start(
            m.g(SimpleNamespace(a=slow, b=slow)), m.S(tool=1), store=store, run_id="r"
        )
        running = asyncio.create_task(first.run())
        await asyncio.sleep(0.01)
        second = await Session.restore(bound(m), store=store, run_id="r", transients={"tool": 1})
        result = await second.run()
        gate.set()
        with pytest.raises(RunFenced):
            await running
        assert result.state.xs == [0, 1, 2, 3, 4, 5]
        assert (await store.get_run("r")).status is RunStatus.DONE
        await audit(store, bound(m), "r", second)

    asyncio.run(main())


def test_replay_rebuilds_every_step_and_calls_no_node(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        await (await Session.start(bound(m), m.S(tool=1), store=store, run_id="r")).run()
        graph = m.g(SimpleNamespace(a=None, b=None)) if False else bound(m, 0)
        for step in range(7):
            state = await replay(store, "r", step, graph=graph)
            assert state.xs == list(range(step))
        assert (await replay(store, "r")).xs == [0, 1, 2, 3, 4, 5]  # a graph bound here is found by its hash
        with pytest.raises(CheckpointNotFound):
            await replay(store, "r", 8, graph=graph)

    asyncio.run(main())


def test_fork_starts_a_new_run_from_a_step(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(bound(m), m.S(tool=1), store=store, run_id="r")
        await session.run()
        fork = await session.fork(2, run_id="f")
        assert fork.state.xs == [0, 1] and fork.step == 0
        result = await fork.run()
        assert result.state.xs == [0, 1, 2, 3, 4, 5]
        assert (await store.get_run("f")).parent == "r@2"
        assert len([s async for s in store.replay("f")]) == 4
        assert len([s async for s in store.replay("r")]) == 6

    asyncio.run(main())


LONG = """
state S {
  xs: list[str] = []
  d: dict[str, int] = {}
  n: int = 0
  mutation Push(x: str) { xs += [x]  n += 1  d["k" + str(n % 7)] = n }
}
graph g(S) {
  task a { reads n  records Push }
  parallel p { branch u = u1  branch v = v1 }
  task u1 { records Push2 }
  task v1 { records Push2 }
  start -> a
  a -> p when n % 10 == 0
  a -> a when n < 300
  a -> end else
  p -> a
  CHECKPOINT
}
"""


@pytest.mark.parametrize(
    ("setting", "snapshots"),
    [("", range(1, 12)), ("checkpoint { every 1 step compact 50 steps }", range(2, 3))],
)
def test_snapshots_are_made_and_used(
    compiled: Compile, tmp_path: Path, setting: str, snapshots: range
) -> None:
    long = LONG.replace("CHECKPOINT", setting).replace("Push2", "See")
    long = long.replace(
        "mutation Push", "seen: set[str] = []\n  mutation See(s: str) { seen += [s] }\n  mutation Push"
    )
    m = compiled(long)

    async def push(ctx: Any) -> None:
        ctx.record(m.Push(x="x" * 1000))

    async def see(ctx: Any) -> None:
        ctx.record(m.See(s=f"{ctx.node}{ctx.visit}"))

    graph = m.g(SimpleNamespace(a=push, u1=see, v1=see))

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            session = await Session.start(graph, m.S(), store=store, run_id="r")
            result = await session.run()
            kept = [c for c in await store.list("r") if c.snapshot] or [
                c for c in await store.list("r") if (await store.load(c.id)).snapshot
            ]
            assert len(kept) in snapshots
            log = [s async for s in store.replay("r")]
            for step in (len(log), kept[0].step, kept[-1].step - 1, kept[-1].step + 1):
                state = await replay(store, "r", step, graph=graph)
                assert state.n == sum(s.node == "a" for s in log[:step])
            again = await Session.restore(graph, store=store, run_id="r")
            assert again.state == result.state

    asyncio.run(main())


ONCE = """
state S { paid: int = 0  mutation Paid(n: int) { paid += n } }
graph g(S) {
  task pay { records Paid  effect once }
  task done { reads paid }
  start -> pay -> done -> end
}
"""


@pytest.mark.parametrize(("how", "paid"), [("retry", 1), ("skip", 0), ("records", 7)])
def test_a_run_that_died_inside_an_effect_once_node_is_uncertain(
    audit: Any, compiled: Compile, how: str, paid: int
) -> None:
    m = compiled(ONCE)
    calls: list[int] = []

    async def hang(ctx: Any) -> None:
        calls.append(1)
        await asyncio.sleep(60)

    async def pay(ctx: Any) -> None:
        calls.append(1)
        ctx.record(m.Paid(n=1))

    async def idle(ctx: Any) -> None:
        """Does nothing."""

    async def main() -> None:
        store = MemoryStore()
        session = await Session.start(
            m.g(SimpleNamespace(pay=hang, done=idle)), m.S(), store=store, run_id="r"
        )
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0.02)
        running.cancel()  # the process ends; nothing is committed
        await asyncio.gather(running, return_exceptions=True)
        graph = m.g(SimpleNamespace(pay=pay, done=idle))
        session = await Session.restore(graph, store=store, run_id="r")
        assert session.status is RunStatus.UNCERTAIN
        with pytest.raises(RunUncertain, match="`pay`"):
            await session.run()
        assert calls == [1]
        await session.settle("pay", [m.Paid(n=7)] if how == "records" else how, actor="ann")
        result = await session.run()
        assert (result.state.paid, len(calls)) == (paid, 2 if how == "retry" else 1)
        await audit(store, graph, "r", session)

    asyncio.run(main())


PURE = """
state S {
  a: int = 1
  b: list[str] = []
  mutation Compute(k: int) = "pure_functions:compute" writes a, b
  c: int = 0  merge custom "pure_functions:join"
  mutation Set(to: int) { c = to }
}
graph g(S) {
  task t { records Compute }
  parallel p { branch x = x1  branch y = y1 }
  task x1 { records Set }
  task y1 { records Set }
  start -> t -> p -> end
}
"""


def test_functions_are_called_once_and_their_results_kept(
    audit: Any, compiled: Compile, tmp_path: Path
) -> None:
    calls: list[str] = []

    def compute(state: Any, parameters: Any) -> dict[str, Any]:
        calls.append("compute")
        return {"a": state.a + parameters.k, "b": ["made", *state.b]}

    def join(before: int, values: list[int]) -> int:
        calls.append("join")
        return before + max(values) * 100

    module = types.ModuleType("pure_functions")
    module.compute, module.join = compute, join  # type: ignore[attr-defined]
    sys.modules["pure_functions"] = module
    try:
        m = compiled(PURE)

        async def t(ctx: Any) -> None:
            ctx.record(m.Compute(k=41))

        async def x1(ctx: Any) -> None:
            ctx.record(m.Set(to=2))

        async def y1(ctx: Any) -> None:
            ctx.record(m.Set(to=3))

        async def main() -> None:
            async with SqliteStore(tmp_path / "runs.db") as store:
                graph = m.g(SimpleNamespace(t=t, x1=x1, y1=y1))
                session = await Session.start(graph, m.S(), store=store, run_id="r")
                result = await session.run()
                assert (result.state.a, result.state.b, result.state.c) == (42, ["made"], 300)
                del sys.modules["pure_functions"]
                await audit(store, graph, "r", session)
                assert calls == ["compute", "join"]

        asyncio.run(main())
    finally:
        sys.modules.pop("pure_functions", None)


def test_stream_gives_both_planes_in_order_and_can_be_left(compiled: Compile) -> None:
    m = compiled(text())

    async def main() -> None:
        async def push(ctx: Any) -> None:
            ctx.emit("hello")
            await asyncio.sleep(0.01)
            ctx.record(m.Push(x=1))

        store = MemoryStore()
        graph = m.g(SimpleNamespace(a=push, b=push))
        session = await Session.start(graph, m.S(tool=1), store=store, run_id="r")
        seen = [str(item.kind) async for item in session.stream()]
        assert seen[:4] == ["run_started", "node_started", "text", "node_completed"]
        assert seen[-1] == "run_completed"
        assert seen.count("text") == 6
        session = await Session.start(graph, m.S(tool=1), store=store, run_id="left")
        async for item in session.stream():
            if str(item.kind) == "node_completed":
                break
        assert (await store.get_run("left")).status is RunStatus.RUNNING
        session = await Session.restore(graph, store=store, run_id="left", transients={"tool": 1})
        assert (await session.run()).status is RunStatus.DONE

    asyncio.run(main())


def test_a_stream_that_is_left_after_the_run_has_failed(compiled: Compile) -> None:
    m = compiled(text())
    unseen: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))

        async def broken(ctx: Any) -> None:
            raise ValueError("no")

        graph = m.g(SimpleNamespace(a=broken, b=broken))
        session = await Session.start(graph, m.S(tool=1), store=MemoryStore(), run_id="r")
        stream = session.stream()
        assert str((await anext(stream)).kind) == "run_started"
        await asyncio.sleep(0.1)
        assert session.status is RunStatus.FAILED
        await stream.aclose()  # type: ignore[attr-defined]
        del stream
        gc.collect()

    asyncio.run(main())
    assert not unseen


def test_a_union_that_the_graph_does_not_use_makes_no_state_unreadable(compiled: Compile) -> None:
    """Its records carry a tag in JSON, and the hash of the graph is the same with it and without."""
    text = """
        record Note { text: str }
        record Link { url: str }
        {union}
        state S {
          notes: list[Note] = []
          last:  Note?
          mutation Add(note: Note) { notes += [note]  last = note }
        }
        graph g(S) {
          task write { records Add }
          barrier ok { timeout 1d  decision yes }
          start -> write -> ok
          ok -> end on yes
          ok -> end on timeout
        }
    """
    tagged = compiled(text.replace("{union}", "union Either = Note | Link"))
    plain = compiled(text.replace("{union}", ""))
    assert tagged.G_HASH == plain.G_HASH

    def nodes(module: Any) -> Any:
        def write(ctx: Any) -> None:
            ctx.record(module.Add(note=module.Note(text="one")))

        return SimpleNamespace(write=write)

    async def main() -> None:
        for made, other in ((tagged, plain), (plain, tagged)):
            store = MemoryStore()
            session = await Session.start(made.g(nodes(made)), made.S(), store=store, run_id="r")
            await session.run()
            await session.checkpoint()
            again = await Session.restore(other.g(nodes(other)), store=store, run_id="r")
            assert again.state.notes == [other.Note(text="one")]
            assert again.state.last == other.Note(text="one")
            at_first = await replay(store, "r", 1, graph=other.g(nodes(other)))
            assert at_first.notes == [other.Note(text="one")]

    asyncio.run(main())
