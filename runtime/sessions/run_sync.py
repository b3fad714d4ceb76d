"""For callers without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import LgcError
from ..graph import Graph
from ..store.protocols import Store
from .session import GraphResult, Session

S = TypeVar("S")


def run_sync(
    graph: Graph[S],
    state: S,
    *,
    store: Store | Callable[[], Store] | None = None,
    run_id: str | None = None,
    **sinks: Any,
) -> GraphResult[S]:
    """Start a run and go on until it is done or waits; see `Session.start` and `Session.run`.

    `store` may be a function that makes one; it is opened and closed here.
    """

    async def main() -> GraphResult[S]:
        made = store() if callable(store) else store
        if made is None:
            session = await Session.start(graph, state, run_id=run_id, **sinks)
            return await session.run()
        async with made:
            session = await Session.start(graph, state, store=made, run_id=run_id, **sinks)
            return await session.run()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    raise LgcError(
        "`run_sync` cannot be called where an event loop runs",
        hint="session = await Session.start(…); result = await session.run()",
    )
