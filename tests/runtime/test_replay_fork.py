"""Replay gives each state that a run ever had, and calls nothing; a fork goes on from any of them."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    BarrierDecision,
    CheckpointNotFound,
    GraphMismatch,
    MemoryStore,
    NodeFailed,
    RunExists,
    RunStatus,
    RunUncertain,
    Session,
    SystemClock,
    open_store,
    replay,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]

_path = Path(__file__).parent / "test_engine_random.py"
_spec = importlib.util.spec_from_file_location("random_graphs", _path)
assert _spec is not None and _spec.loader is not None
_random: Any = importlib.util.module_from_spec(_spec)
sys.modules["random_graphs"] = _random
_spec.loader.exec_module(_random)

EXTERNAL = """
state S {
  n: int = 0
  best: list[int] = []  merge custom "MODULE:longer"
  mutation Add(by: int) { n += by }
  mutation Take(x: int) { best += [x] }
  mutation Count(by: int) = "MODULE:count" writes n
}
graph g(S) {
  task a { reads n  records Count, Take }
  parallel p { branch l = left  branch r = right }
  task left { records Take, Add }
  task right { records Take, Add }
  start -> a -> p
  p -> a when n < 20
  p -> end else
}
"""


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Any]:
    """Opens a store of a kind, always the same one; it is read again from its medium each time."""
    memory = MemoryStore()
    urls: list[str] = []

    @asynccontextmanager
    async def store(kind: str) -> AsyncGenerator[Any]:
        if kind == "memory":
            yield memory
            return
        if not urls:
            place = request.getfixturevalue("postgres") if kind == "postgres" else None
            urls.append(place.store() if place is not None else str(tmp_path / "runs.db"))
        async with open_store(urls[0]) as found:
            yield found

    return store


class Watched:
    """The state after each commit, as the session has it, and no call of a node meanwhile."""

    def __init__(self, store: Any) -> None:
        self.states: dict[int, Any] = {}
        self.session: Any = None
        commit = store.commit

        async def watched(one: Any) -> None:
            await commit(one)
            if one.record is not None and self.session is not None:
                engine = self.session._engine
                if engine.step == one.record.step:  # no branch has moved on meanwhile
                    self.states[one.record.step] = self.session.state

        self.commit = watched


async def compare(store: Any, graph: Any, run: str, states: dict[int, Any], of: Any) -> None:
    """Each state that is known is what replay gives."""
    for step, state in states.items():
        assert await replay(store, run, step, graph=graph) == state, (of, step)


@pytest.mark.parametrize(
    ("seed", "kind"),
    [(100, "memory"), (101, "memory"), (101, "sqlite"), (102, "sqlite"), (103, "sqlite"), (100, "postgres")],
)
def test_replay_gives_each_state_of_a_random_run(
    seed: int, kind: str, compiled: Compile, opened: Callable[[str], Any]
) -> None:
    maker = _random.Maker(seed)
    module = compiled(maker.text)
    nodes = _random.Nodes(maker, module)

    async def main() -> None:
        graph = bind(module.G_PLAN, nodes)
        async with opened(kind) as store:
            watched = Watched(store)
            store.commit = watched.commit
            session: Any = await Session.start(
                graph, module.S(inner=module.In()), store=store, run_id="r", barrier_sink=_random.Approves()
            )
            watched.session = session
            watched.states[0] = session.state
            result = await session.run()
            del store.commit
            assert result.status is RunStatus.DONE
            assert len(watched.states) > 1
            called = nodes.calls
            await compare(store, graph, "r", watched.states, seed)
        async with opened(kind) as store:
            await compare(store, graph, "r", watched.states, "opened again")
            again: Any = await Session.restore(graph, store=store, run_id="r")
            await again.checkpoint()
            await store.prune("r", 1)
            await compare(store, graph, "r", watched.states, "pruned")
            gone = result.log[-1].step // 2
            kept = await store.latest_snapshot("r", gone)
            await store.truncate("r", (kept.step if kept else 0) + 1)
            for step, state in watched.states.items():
                if kept is None or step >= kept.step:
                    assert await replay(store, "r", step, graph=graph) == state
                else:
                    with pytest.raises(CheckpointNotFound):
                        await replay(store, "r", step, graph=graph)
        assert nodes.calls == called
        async with opened(kind) as store:
            with pytest.raises(CheckpointNotFound):
                await replay(store, "r", 10_000, graph=graph)

    asyncio.run(main())


def test_replay_calls_no_function_of_anybody(
    compiled: Compile, tmp_path: Path, opened: Callable[[str], Any]
) -> None:
    """Neither nodes, nor external mutations, nor custom merges: their results are in the log."""
    name = f"pure_{tmp_path.name}"
    calls: list[str] = []

    def count(state: Any, mutation: Any) -> dict[str, int]:
        calls.append("count")
        return {"n": state.n + mutation.by + len(calls)}

    def longer(before: Any, values: Any) -> Any:
        calls.append("longer")
        return max(values, key=len)

    functions: Any = SimpleNamespace(count=count, longer=longer)
    sys.modules[name] = functions
    m = compiled(EXTERNAL.replace("MODULE", name))

    async def a(ctx: Any) -> None:
        ctx.record(m.Count(by=3))
        ctx.record(m.Take(x=ctx.state.n))

    async def left(ctx: Any) -> None:
        ctx.record(m.Take(x=1))

    async def right(ctx: Any) -> None:
        ctx.record(m.Take(x=2))
        ctx.record(m.Take(x=3))
        ctx.record(m.Add(by=1))

    async def main() -> None:
        graph = bind(m.G_PLAN, SimpleNamespace(a=a, left=left, right=right))
        async with opened("sqlite") as store:
            watched = Watched(store)
            store.commit = watched.commit
            session: Any = await Session.start(graph, m.S(), store=store, run_id="r")
            watched.session = session
            await session.run()
            assert {"count", "longer"} == set(calls)
            before = len(calls)
            await compare(store, graph, "r", watched.states, "external")
            assert len(calls) == before

    try:
        asyncio.run(main())
    finally:
        del sys.modules[name]


# --- forks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "kind"), [(103, "memory"), (111, "memory"), (100, "sqlite"), (111, "sqlite"), (103, "postgres")]
)
def test_a_fork_from_any_step_ends_as_the_run_did(
    seed: int, kind: str, compiled: Compile, opened: Callable[[str], Any]
) -> None:
    maker = _random.Maker(seed)
    module = compiled(maker.text)
    nodes = _random.Nodes(maker, module)

    async def main() -> None:
        graph = bind(module.G_PLAN, nodes)
        async with opened(kind) as store:
            state = module.S(inner=module.In())
            session: Any = await Session.start(
                graph, state, store=store, run_id="r", barrier_sink=_random.Approves()
            )
            result = await session.run()
            last = session.step
            for step in sorted({last * number // 7 for number in range(8)}):
                fork: Any = await session.fork(step, run_id=f"f{step}")
                assert fork.state == await replay(store, "r", step, graph=graph)
                assert (await store.get_run(f"f{step}")).parent == f"r@{step}"
                second: Any = await fork.fork(0, run_id=f"f{step}again")
                for one in (fork, second):
                    going: Any = await Session.restore(
                        graph, store=store, run_id=one.run_id, barrier_sink=_random.Approves()
                    )
                    ended = await going.run()
                    assert (ended.status, ended.state) == (RunStatus.DONE, result.state), step
                    assert going.step == last - step
                    assert await replay(store, one.run_id, graph=graph) == result.state
            assert [one.step async for one in store.replay("r")] == list(range(1, last + 1))

    asyncio.run(main())


FORKED = """
state S { keys: list[str] = []  n: int = 0  mutation Key(of: str) { keys += [of] } }
graph g(S) {
  task first { records Key }
  barrier ok { shows n  timeout 1h  decision approve  decision reject }
  task pay { records Key  effect once }
  start -> first -> ok
  ok -> pay on approve
  ok -> end on reject
  ok -> end on timeout
  pay -> end
}
"""


class Late(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        real, self.offset = self.time, 0.0
        self.time = lambda: real() + self.offset


def test_answers_effects_and_time_are_not_inherited(compiled: Compile) -> None:
    m = compiled(FORKED)

    async def key(ctx: Any) -> None:
        ctx.record(m.Key(of=ctx.idempotency_key))

    async def dies(ctx: Any) -> None:
        raise OSError("no answer")

    async def main() -> None:
        store, clock = MemoryStore(), Late()
        graph = bind(m.G_PLAN, SimpleNamespace(first=key, pay=key))
        broken = bind(m.G_PLAN, SimpleNamespace(first=key, pay=dies))
        session: Any = await Session.start(broken, m.S(), store=store, run_id="r", clock=clock)
        await session.run()
        await session.decide("ok", BarrierDecision.approve(), actor="ann")
        with pytest.raises(NodeFailed):
            await session.run()
        with pytest.raises(RunUncertain):
            await session.run()
        await session.cancel()
        clock.offset = 3_000.0
        # Of a cancelled run, from before the barrier, that waited for nearly all of its time.
        again: Any = await Session.restore(graph, store=store, run_id="r", clock=clock)
        fork: Any = await again.fork(1, run_id="f")
        clock.offset = 6_000.0
        assert (await fork.run()).status is RunStatus.WAITING
        assert not await store.decisions("f") and not await store.attempts("f")
        (mine,) = fork.waiting
        assert mine.run == "f"
        await fork.decide(mine.id, BarrierDecision.approve(), actor="bob")
        result = await fork.run()
        assert result.status is RunStatus.DONE
        assert [key.partition("/")[0] for key in result.state.keys] == ["r", "f"]
        # From inside the effect: a fork has not begun it.
        other: Any = await again.fork(2, run_id="f2")
        assert (await other.run()).state.keys[1].startswith("f2/")
        for wrong in (99, -1):
            with pytest.raises(CheckpointNotFound):
                await again.fork(wrong, run_id="f3")
        with pytest.raises(RunExists):
            await again.fork(1, run_id="f")

    asyncio.run(main())


def test_a_fork_that_was_interrupted_is_no_run_that_can_go_on(compiled: Compile) -> None:
    m = compiled(FORKED)

    async def idle(ctx: Any) -> None:
        return

    class Dies(MemoryStore):
        async def take(self, run: str, *rest: Any, **more: Any) -> int:
            if run == "f":
                raise OSError("the process is gone")
            return await super().take(run, *rest, **more)

    async def main() -> None:
        store = Dies()
        graph = bind(m.G_PLAN, SimpleNamespace(first=idle, pay=idle))
        session: Any = await Session.start(graph, m.S(), store=store, run_id="r")
        await session.run()
        with pytest.raises(OSError, match="gone"):
            await session.fork(1, run_id="f")
        half = await store.get_run("f")
        assert (half.status, half.error) == (RunStatus.CANCELLED, "its fork was interrupted")

    asyncio.run(main())


def test_a_fork_under_another_graph_is_refused(compiled: Compile) -> None:
    from lgc.runtime.sessions.replaying import fork

    m, other = compiled(FORKED), compiled(FORKED.replace("n: int = 0", "n: int = 1"))

    async def idle(ctx: Any) -> None:
        return

    async def main() -> None:
        store = MemoryStore()
        functions = SimpleNamespace(first=idle, pay=idle)
        session: Any = await Session.start(bind(m.G_PLAN, functions), m.S(), store=store, run_id="r")
        await session.run()
        with pytest.raises(GraphMismatch):
            await fork(store, bind(other.G_PLAN, functions), "r", 1, "f", 0.0)

    asyncio.run(main())
