"""From the engine's two planes of events to one stream that a caller reads, as slowly as it likes.

What waits to be read is bounded. Control events are never dropped: where too much waits, each lane of the
engine waits for room before its next node, so that a lane adds no more than what one node says. Chunks cannot
wait in the same way, as `emit` returns at once: where many wait, text of the same node is merged, and
beyond the bound the oldest are dropped, which the reader is told where they are missing.

Both kinds wait in queues of their own, with numbers that give their common order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from ..engine.engine import Engine
from ..errors import text_of
from .events import ChunkKind, EventKind, GraphEvent, StreamChunk

# Events and chunks that may wait to be read.
BUFFER = 1024

# Characters that a merged chunk grows to.
MERGED = 4096

_TEXT = frozenset({ChunkKind.TEXT, ChunkKind.THINKING, ChunkKind.TOOL_OUTPUT})


@dataclass(slots=True)
class _Waiting:
    """Chunks that wait to be read as one."""

    number: int
    parts: list[StreamChunk]
    size: int

    def takes(self, chunk: StreamChunk) -> bool:
        """Whether a chunk goes on with these."""
        first = self.parts[0]
        return (
            chunk.kind in _TEXT
            and (chunk.kind, chunk.tool, chunk.call) == (first.kind, first.tool, first.call)
            and not (chunk.data or first.data)
            and self.size + len(chunk.text) <= MERGED
            and len(self.parts) < MERGED
        )

    def joined(self) -> StreamChunk:
        """What the reader gets."""
        first = self.parts[0]
        return replace(first, text="".join([p.text for p in self.parts])) if len(self.parts) > 1 else first


class EventQueue:
    """Both planes in one order, for `stream`; also passes them to the sinks that were injected.

    Args:
        engine: whose events; its sinks are replaced until `detach`.
        buffer: events and chunks that may wait to be read.

    Raises ValueError for a buffer that holds nothing.
    """

    def __init__(self, engine: Engine, buffer: int = BUFFER) -> None:
        if buffer < 1:
            raise ValueError(f"the buffer of a stream holds at least 1, not {buffer}")
        self._engine = engine
        self._buffer = buffer
        self._trace, self._stream = engine.trace_sink, engine.stream_sink
        engine.trace_sink = engine.stream_sink = engine.backlog = self
        self._events: deque[tuple[int, GraphEvent]] = deque()
        self._chunks: deque[_Waiting] = deque()
        self._last: dict[tuple[str, str], _Waiting] = {}  # by frame and node: what may be merged into
        self._number = 0
        self._dropped = self._gap = 0  # chunks not told of yet, and where the first of them was
        self._told = self._sick = False
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._granted = 0  # lanes that were let go and have not said anything yet
        self._wake: asyncio.Event = asyncio.Event()
        self._closed = False

    # --- the engine's side --------------------------------------------------------------------------------

    def record(self, event: GraphEvent) -> None:
        """One control event."""
        self._add(event)
        if event.kind is EventKind.RUN_STARTED:
            for early in self._engine.early:
                self._add(early)
            self._engine.early = []
        if self._trace is None:
            return
        try:
            self._trace.record(event)
        except Exception as error:
            if not self._sick:
                self._sick = True
                self._add(self._observed(f"trace sink: {type(error).__name__}: {text_of(error)}", event.step))

    def _add(self, event: GraphEvent) -> None:
        self._number += 1
        self._events.append((self._number, event))
        self._last.clear()  # a chunk never passes a control event
        self._wake.set()

    def send(self, chunk: StreamChunk) -> None:
        """One chunk."""
        self._number += 1
        key = (chunk.frame, chunk.node)
        last = self._last.get(key)
        if last is not None and len(self._chunks) > self._buffer // 2 and last.takes(chunk):
            last.parts.append(chunk)
            last.size += len(chunk.text)
        else:
            self._last[key] = last = _Waiting(self._number, [chunk], len(chunk.text))
            self._chunks.append(last)
            if len(self._chunks) > self._buffer:
                self._drop()
        self._wake.set()
        if self._stream is not None:
            self._stream.send(chunk)

    def _drop(self) -> None:
        oldest = self._chunks.popleft()
        if not self._dropped:
            self._gap = oldest.number
        self._dropped += len(oldest.parts)
        self._forget(oldest)
        if not self._told:
            self._told = True
            if self._trace is not None:
                what = "the reader of the stream is slow: chunks are dropped"
                self._trace.record(self._observed(what, self._engine.told))

    def _forget(self, waiting: _Waiting) -> None:
        """A chunk that leaves the queue takes no more text."""
        key = (waiting.parts[0].frame, waiting.parts[0].node)
        if self._last.get(key) is waiting:
            del self._last[key]

    def _observed(self, what: str, step: int, **data: object) -> GraphEvent:
        run, now = self._engine.run, self._engine.clock.time()
        told = {"level": "degraded", "error": what, **data}
        return GraphEvent(EventKind.OBSERVED_ERROR, run, run, step=step, time=now, data=told)

    @property
    def waiting(self) -> int:
        """How many events and chunks wait to be read."""
        return len(self._events) + len(self._chunks)

    @property
    def behind(self) -> bool:
        """Whether the reader should have a turn."""
        return self.waiting * 4 >= self._buffer and not self._closed

    @property
    def full(self) -> bool:
        """Whether the run should wait for the reader."""
        waiting = self.waiting + self._granted + self._engine.handed
        return waiting >= self._buffer and not self._closed

    async def room(self) -> None:
        """Give the reader a turn, and wait until there is room."""
        if not self.full:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter.done() and not waiter.cancelled():
                self._granted -= 1
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            self._admit()

    def _admit(self) -> None:
        """Let as many lanes go on as there is room for."""
        while self._waiters and not self.full:
            waiter = self._waiters.popleft()
            if not waiter.done():  # its lane was stopped just now
                self._granted += 1
                waiter.set_result(None)

    # --- the reader's side --------------------------------------------------------------------------------

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._wake.set()
        self._admit()

    def detach(self) -> None:
        """Give the sinks back; nobody waits for this reader any more."""
        if self._engine.trace_sink is self:
            self._engine.trace_sink, self._engine.stream_sink = self._trace, self._stream
            self._engine.backlog = None
        self.close()

    def _next(self) -> GraphEvent | StreamChunk | None:
        events, chunks = self._events, self._chunks
        if not (events or chunks):
            return None
        event_first = bool(events) and (not chunks or events[0][0] < chunks[0].number)
        number = events[0][0] if event_first else chunks[0].number
        if self._dropped and number > self._gap:
            dropped, self._dropped = self._dropped, 0
            what = f"{dropped} chunk{'s were' if dropped > 1 else ' was'} dropped: the stream is read slowly"
            return self._observed(what, self._engine.told, dropped=dropped)
        if event_first:
            return events.popleft()[1]
        self._forget(chunks[0])
        return chunks.popleft().joined()

    async def __aiter__(self) -> AsyncIterator[GraphEvent | StreamChunk]:
        while True:
            while (item := self._next()) is not None:
                self._admit()
                yield item
            if self._closed:
                return
            self._wake.clear()
            self._admit()
            await self._wake.wait()
