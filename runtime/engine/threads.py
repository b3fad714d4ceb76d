"""From a plain function to something that can be awaited: each call gets a thread of its own.

The event loop's executor will not do: it has few threads, a call that was given up (a timeout, a cancelled
run) keeps one of them, and the loop waits for all of them when it closes. These threads are daemons: what
was given up holds nobody up, not even the end of the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

# Calls of one run that are awaited at a time; further ones wait for their turn.
AT_ONCE = 64


async def in_thread(call: Callable[[Any], Any], argument: Any) -> Any:
    """What `call(argument)` gives or raises. Cancelled, it returns at once and the thread is given up."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = copy_context()

    def deliver(result: Any, error: BaseException | None) -> None:
        if not over.done():
            over.set_result((result, error))

    def work() -> None:
        result, error = None, None
        try:
            result = context.run(call, argument)
        except BaseException as raised:  # whatever it is, it is for whoever awaits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=work, name=f"lgc {getattr(argument, 'node', '')}", daemon=True).start()
    # As a pair: a future takes no StopIteration as its exception.
    result, error = await over
    if error is not None:
        raise error
    return result
