"""The engine on a database: the same runs as in the other stores, also stopped, forked and fought over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import Place
from tests.runtime.test_engine_random import Approves, Maker, Nodes

from lgc.runtime import MemoryStore, RunFenced, RunStatus, Session, SqliteStore, open_store, replay
from lgc.runtime.graph import bind

Compile = Callable[..., Any]


async def rows(store: Any, run: str = "r") -> list[tuple[Any, ...]]:
    return sorted(
        [(r.frame, r.node, r.visit, r.outcome, r.next, r.mutations, r.error) async for r in store.replay(run)]
    )


@pytest.mark.parametrize("seed", [1, 4, 7, 10])
def test_the_same_run_in_every_store(
    seed: int, compiled: Compile, audit: Any, postgres: Place, tmp_path: Path
) -> None:
    maker = Maker(seed)
    module = compiled(maker.text)
    graph = bind(module.G_PLAN, Nodes(maker, module))

    async def whole(store: Any) -> tuple[Any, list[tuple[Any, ...]]]:
        async with store:
            session = await Session.start(
                graph, module.S(inner=module.In()), store=store, run_id="r", barrier_sink=Approves()
            )
            result = await session.run()
            assert result.status is RunStatus.DONE
            await audit(store, graph, "r", session)
            return result.state, await rows(store)

    async def main() -> None:
        schema = postgres.schema()
        expected = await whole(MemoryStore())
        assert await whole(SqliteStore(tmp_path / "runs.db")) == expected
        assert await whole(open_store(postgres.store(schema))) == expected
        async with open_store(postgres.store(schema)) as store:
            last = len(await rows(store))
            for step in sorted({1, last // 2, last}):
                session = await Session.restore(graph, store=store, run_id="r")
                fork = await session.fork(step, run_id=f"fork{step}")
                assert fork.state == await replay(store, "r", step, graph=graph)
            assert await store.verify() == []

    asyncio.run(main())


@pytest.mark.parametrize("seed", [2, 5])
def test_a_run_that_is_stopped_again_and_again(
    seed: int, compiled: Compile, audit: Any, postgres: Place
) -> None:
    maker = Maker(seed)
    module = compiled(maker.text)
    graph = bind(module.G_PLAN, Nodes(maker, module))

    async def main() -> None:
        calm = MemoryStore()
        session = await Session.start(
            graph, module.S(inner=module.In()), store=calm, run_id="r", barrier_sink=Approves()
        )
        expected = await session.run()
        url = postgres.store()
        async with open_store(url) as store:
            await Session.start(graph, module.S(inner=module.In()), store=store, run_id="r")
        done = False
        for life in range(200):
            async with open_store(url) as store:
                again = await Session.restore(
                    graph, store=store, run_id="r", barrier_sink=Approves(), take_over=True
                )
                driving = asyncio.create_task(again.run())
                await asyncio.wait([driving], timeout=0.02 * (life + 1))
                if driving.done():
                    done = True
                    assert (await driving).state == expected.state
                    await audit(store, graph, "r", again)
                    assert await rows(store) == await rows(calm)
                    break
                driving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await driving
        assert done

    asyncio.run(main())


def test_of_many_that_resume_a_run_one_goes_on(compiled: Compile, audit: Any, postgres: Place) -> None:
    maker = Maker(3)
    module = compiled(maker.text)
    graph = bind(module.G_PLAN, Nodes(maker, module))

    async def resume(url: str, calls: list[str]) -> None:
        async with open_store(url) as store:
            try:
                session = await Session.restore(
                    graph, store=store, run_id="r", barrier_sink=Approves(), take_over=True
                )
                await session.run()
                calls.append("done")
            except RunFenced:
                calls.append("fenced")

    async def main() -> None:
        url = postgres.store()
        async with open_store(url) as store:
            await Session.start(graph, module.S(inner=module.In()), store=store, run_id="r")
            calls: list[str] = []
            await asyncio.gather(*(resume(url, calls) for _ in range(6)))
            assert len(calls) == 6
            assert "done" in calls
            assert (await store.get_run("r")).status is RunStatus.DONE
            await audit(store, graph, "r")

    asyncio.run(main())


def test_many_runs_side_by_side(compiled: Compile, audit: Any, postgres: Place) -> None:
    maker = Maker(6)
    module = compiled(maker.text)
    graph = bind(module.G_PLAN, Nodes(maker, module))

    async def main() -> None:
        async with open_store(postgres.store()) as store:

            async def one(run: str) -> Any:
                session = await Session.start(
                    graph, module.S(inner=module.In()), store=store, run_id=run, barrier_sink=Approves()
                )
                return (await session.run()).state

            states = await asyncio.gather(*(one(f"r{number}") for number in range(25)))
            assert all(state == states[0] for state in states)
            for number in (0, 24):
                await audit(store, graph, f"r{number}")
            assert len(await store.list_runs(status=RunStatus.DONE)) == 25

    asyncio.run(main())
