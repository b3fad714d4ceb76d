"""From the engine's two planes of events to one stream that a caller reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from .engine import Engine
from .events import GraphEvent, StreamChunk


class EventQueue:
    """Both planes in one order, for `stream`; also passes them to the sinks that were injected."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trace, self._stream = engine.trace_sink, engine.stream_sink
        engine.trace_sink = engine.stream_sink = self
        self._items: deque[GraphEvent | StreamChunk] = deque()
        self._wake: asyncio.Event = asyncio.Event()
        self._closed = False

    def record(self, event: GraphEvent) -> None:
        """One control event."""
        self._items.append(event)
        self._wake.set()
        if self._trace is not None:
            # What it raises is the engine's to catch: the stream has the event already.
            self._trace.record(event)

    def send(self, chunk: StreamChunk) -> None:
        """One chunk."""
        self._items.append(chunk)
        self._wake.set()
        if self._stream is not None:
            self._stream.send(chunk)

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._wake.set()

    def detach(self) -> None:
        """Give the sinks back."""
        if self._engine.trace_sink is self:
            self._engine.trace_sink, self._engine.stream_sink = self._trace, self._stream

    async def __aiter__(self) -> AsyncIterator[GraphEvent | StreamChunk]:
        while True:
            while self._items:
                yield self._items.popleft()
            if self._closed:
                return
            self._wake.clear()
            await self._wake.wait()
