"""Random runs, stopped anywhere and moved to a next version by a process that has never seen the old code."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgc.runtime import MemoryStore, RestoreMode, RunStatus, Session, StorageError, replay
from lgc.runtime.graph import bind

_path = Path(__file__).parent / "test_engine_random.py"
_spec = importlib.util.spec_from_file_location("random_graphs_moved", _path)
assert _spec is not None and _spec.loader is not None
_random: Any = importlib.util.module_from_spec(_spec)
sys.modules["random_graphs_moved"] = _random
_spec.loader.exec_module(_random)


class Full(MemoryStore):
    """Takes so many steps and no more."""

    room = 10**9

    async def commit(self, commit: Any) -> None:
        if commit.record is not None and commit.record.step > self.room:
            raise StorageError("full")
        await super().commit(commit)


@pytest.mark.parametrize("seed", [103, 111])
def test_a_run_that_was_moved_anywhere_ends_as_the_undisturbed_one(
    seed: int, compiled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = _random.Maker(seed)
    texts = [maker.text, maker.text.replace("state S {", "state S {\n  extra: int = 7")]
    modules = [compiled(text) for text in texts]
    nodes = [_random.Nodes(maker, module) for module in modules]
    graphs: list[Any] = [bind(module.G_PLAN, node) for module, node in zip(modules, nodes, strict=True)]
    # Only what the store has kept tells of the old version.
    monkeypatch.setattr("lgc.runtime.sessions.legs.known", dict[str, Any]().get)

    async def start(store: Full) -> Any:
        state = modules[0].S(inner=modules[0].In())
        return await Session.start(graphs[0], state, store=store, run_id="r", barrier_sink=_random.Approves())

    async def main() -> None:
        whole = await (await start(Full())).run()
        last = whole.log[-1].step
        for room in sorted({last * part // 6 for part in range(6)}):
            store = Full()
            session = await start(store)
            states = [session.state]
            store.room = room
            with pytest.raises(StorageError):
                await session.run()
            store.room = 10**9
            moved: Any = await Session.restore(
                graphs[1], store=store, run_id="r", mode=RestoreMode.COMPATIBLE,
                barrier_sink=_random.Approves(),
            )  # fmt: skip
            assert moved.state.extra == 7
            result = await moved.run()
            assert (result.status, moved.step) == (RunStatus.DONE, last)
            ended = result.state.snapshot().model_dump()
            assert ended.pop("extra") == 7
            assert ended == whole.state.snapshot().model_dump(), room
            # Before the move the old version, by its form; after it the new one.
            for step in range(last + 1):
                state: Any = await replay(store, "r", step, graph=graphs[1])
                assert hasattr(state, "extra") == (step >= room)
            early: Any = await replay(store, "r", 0, graph=graphs[1])
            if room:
                assert early.snapshot().model_dump() == states[0].snapshot().model_dump()

    asyncio.run(main())
