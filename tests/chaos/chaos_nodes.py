"""The tasks of chaos.lgraph: each notes that it started, waits a moment, and records its own key."""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from typing import Any
from zlib import crc32

lg: Any = import_module("chaos_lg")  # generated when the kills begin


# Where starts are noted, one line each: a file that is only appended to survives the process whole.
STARTED = -1
# Seconds that a node takes at most.
PAUSE = 0.002


def note(ctx: Any) -> tuple[str, int]:
    """Write down that this attempt starts; its key, and a number made from it."""
    key = str(ctx.idempotency_key)
    if STARTED >= 0:
        os.write(STARTED, f"{key} {ctx.attempt}\n".encode())
    return key, crc32(key.encode())


async def work(ctx: Any) -> tuple[str, int]:
    """One attempt: note it, wait for as long as the key says, give the key and an amount."""
    key, number = note(ctx)
    await asyncio.sleep(number % 5 / 4 * PAUSE)
    return key, number % 7 - 2


class ChaosNodes:
    """Everything that the four graphs call."""

    async def begin(self, ctx: Any, /) -> None:
        key, _ = await work(ctx)
        ctx.record(lg.Round(key=key))

    async def finish(self, ctx: Any, /) -> None:
        key, _ = await work(ctx)
        ctx.record(lg.Round(key=key))

    async def a_one(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.OnA(key=key, amount=amount))

    async def a_two(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        if ctx.attempt == 1 and amount % 2:
            raise ConnectionError("as networks do")
        ctx.record(lg.OnA(key=key, amount=amount))

    a_three = a_one

    async def b_one(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.OnB(key=key, amount=amount))

    b_two = b_one

    async def s_one(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.OnX(key=key, amount=amount))

    s_two = s_one

    def p_one(self, ctx: Any, /) -> None:
        """A plain function: runs in a worker thread."""
        key, number = note(ctx)
        ctx.record(lg.Pack(key=key, amount=number % 7 - 2))

    async def p_two(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.Pack(key=key, amount=amount))

    async def e_open(self, ctx: Any, /) -> None:
        key, _ = await work(ctx)
        ctx.record(lg.Open(key=key))

    async def e_left(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.Left(key=key, amount=amount + ctx.state.n))

    e_left_on = e_left

    async def e_right(self, ctx: Any, /) -> None:
        key, amount = await work(ctx)
        ctx.record(lg.Right(key=key, amount=amount))
