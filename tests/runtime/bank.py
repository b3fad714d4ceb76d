"""A process that dies by its own kill -9 in an effect: `python bank.py FOLDER STORE GRAPH WHERE`.

WHERE is `inside` (the function has been called), or `before` (the attempt is kept, the function not called
yet). Each call is noted in the file `calls` with its idempotency key.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def note(folder: Path, line: str) -> None:
    """Add a line to `calls`."""
    handle = os.open(folder / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


async def drive(folder: Path, url: str, name: str, where: str) -> None:
    """Run until the process is killed."""
    from lgc.runtime import RunNotFound, Session, SqliteStore
    from lgc.runtime.graph import bind

    lg: Any = import_module("bank_lg")

    async def pay(ctx: Any) -> None:
        note(folder, ctx.idempotency_key)
        os.kill(os.getpid(), signal.SIGKILL)

    async def tell(ctx: Any) -> None:
        await asyncio.sleep(1_000)

    class Dies(SqliteStore):
        async def commit(self, commit: Any) -> None:
            await super().commit(commit)
            if commit.attempt is not None and where == "before":
                os.kill(os.getpid(), signal.SIGKILL)

    graph = bind(getattr(lg, f"{name.upper()}_PLAN"), SimpleNamespace(pay=pay, tell=tell))
    async with Dies(url) as store:
        try:
            session: Any = await Session.restore(graph, store=store, run_id="r")
        except RunNotFound:
            session = await Session.start(graph, lg.S(inner=lg.E()), store=store, run_id="r")
        await session.run()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    asyncio.run(drive(Path(sys.argv[1]), *sys.argv[2:]))
