"""What the runtime asks of the real world, put on simulated ground: threads, owners, the store's clock."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from .loop import PROCESS


async def in_thread(call: Callable[[Any], Any], argument: Any) -> Any:
    """A call that takes a while and goes on when nobody waits for it any more, as a thread does."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = copy_context()

    def work() -> None:
        result, error = None, None
        try:
            result = context.run(call, argument)
        except BaseException as raised:
            error = raised
        if not over.done():
            over.set_result((result, error))

    loop.call_later(PROCESS.get().world.in_thread(), work)
    result, error = await over
    if error is not None:
        raise error
    return result


def owner() -> str:
    """The simulated process."""
    return f"simulated:{PROCESS.get().name}"


@contextmanager
def simulated() -> Generator[None]:
    """Everything that is not given to a session, while a simulation runs."""
    clock = SimpleNamespace(time=lambda: 0.0)
    collecting = gc.isenabled()
    gc.disable()  # when garbage is found must not depend on what else this process does
    try:
        with (
            patch("lgc.runtime.engine.nodes.in_thread", in_thread),
            patch("lgc.runtime.sessions.session.owner", owner),
            patch("lgc.runtime.sessions.opening.owner", owner),
            patch("lgc.runtime.sessions.lease.owner", owner),
            patch("lgc.runtime.store.memory.store.time", clock),
            patch.dict("lgc.runtime.engine.watch._watches", clear=True),
        ):
            yield
    finally:
        if collecting:
            gc.enable()
