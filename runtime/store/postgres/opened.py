"""Everything that works on an open database, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ..codec import Codec
from .answers import Answers
from .batches import Writer
from .bulk import Bulk
from .checkpoints import Checkpoints
from .group import CommitGroup
from .heads import Heads
from .log import Log
from .opening import prepare
from .registry import Registry
from .server import Server
from .target import Target
from .texts import Texts
from .upkeep import Upkeep


class Opened:
    """Everything that works on an open database."""

    def __init__(self, server: Server, codec: Codec) -> None:
        self.server = server
        self.heads = Heads(server)
        texts = Texts(server, codec)
        self.log = Log(server, self.heads, texts)
        self.checkpoints = Checkpoints(server, self.heads, texts, self.log)
        self.bulk = Bulk(server, self.heads, texts, self.log, self.checkpoints)
        self.registry = Registry(server, self.heads, texts)
        self.answers = Answers(server, self.heads, texts)
        self.upkeep = Upkeep(server, self.heads, texts)
        self.writer = Writer(server, self.heads, texts)
        self.group = CommitGroup(self.writer)

    async def close(self) -> None:
        """Write what is waiting, and close all connections."""
        try:
            await self.group.finish()
        finally:
            await asyncio.shield(self.writer.close())
            await asyncio.shield(self.server.close())

    def warnings(self) -> Sequence[str]:
        """What was passed over since the last call."""
        found = [*self.registry.warnings, *self.checkpoints.warnings]
        self.registry.warnings.clear()
        self.checkpoints.warnings.clear()
        return found


async def opened(
    target: Target, *, codec: Codec, durability: str, patience: float, pool_size: int, readonly: bool
) -> Opened:
    """Connect, and see to it that the schema holds a store. Raises StorageError."""
    server = Server(target, durability=durability, timeout=patience, pool_size=pool_size, readonly=readonly)
    try:
        first = await server.connect()  # says why, where it cannot be; the pool would not
        await first.close()
        await prepare(server, target.schema, codec.name, readonly)
        state = Opened(server, codec)
        if not readonly:
            await state.writer.open()
    except BaseException:
        await asyncio.shield(server.close())
        raise
    return state
