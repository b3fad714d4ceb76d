"""What an engine says of its run, to the sinks that were injected: control events, chunks, checkpoints.

A sink that raises must not harm the run; what it raised is told as an observed error where that is possible.
"""

from __future__ import annotations

import asyncio
from threading import get_ident
from typing import Any

from .clock import Clock
from .errors import text_of
from .events import EventKind, GraphEvent, StreamChunk
from .frame import Frame
from .sinks import CheckpointSink, FrameInfo, StreamSink, TraceSink


class Observed:
    """A run that is watched; the engine is one.

    Attributes:
        root, run, step: the position, the run's id, its last committed step.
        clock: gives events their time.
        trace_sink, stream_sink, checkpoint_sink: who listens; None for nobody.
    """

    def __init__(
        self,
        root: Frame,
        run: str,
        step: int,
        clock: Clock,
        *,
        stream_sink: StreamSink | None,
        trace_sink: TraceSink | None,
        checkpoint_sink: CheckpointSink | None,
    ) -> None:
        self.root = root
        self.run = run
        self.step = step
        self.clock = clock
        self.stream_sink = stream_sink
        self.trace_sink = trace_sink
        self.checkpoint_sink = checkpoint_sink
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def listen_from(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop and thread that sinks are called from, whichever thread a node speaks from."""
        self._loop, self._thread = loop, get_ident()

    def info(self, frame: Frame) -> FrameInfo:
        """A frame, for people."""
        return FrameInfo(
            frame.path, frame.plan.name, frame.region, frame.node, frame.visits(frame.node) + 1, self.step
        )

    def say(
        self,
        kind: EventKind,
        frame: Frame | None = None,
        node: str = "",
        step: int | None = None,
        **data: Any,
    ) -> None:
        """Tell the trace sink."""
        if self.trace_sink is None:
            return
        path = frame.path if frame is not None else ""
        span = self.run
        if frame is not None:
            span = f"{self.run}{frame.instance}"
            if node and kind not in (EventKind.BRANCH_STARTED, EventKind.BRANCH_COMPLETED):
                span += f"/{node}#{data.get('visit') or frame.visits(node) + 1}"
        at = self.step if step is None else step
        event = GraphEvent(kind, self.run, span, path, node, at, self.clock.time(), data)
        try:
            self.trace_sink.record(event)
        except Exception:
            # A broken listener must not harm the run, and there is nobody else to tell.
            return

    def observe(self, frame: Frame | None, what: str, level: str = "degraded") -> None:
        """Tell of an error that the run survives."""
        self.say(EventKind.OBSERVED_ERROR, frame, frame.node if frame else "", level=level, error=what)

    def emit(self, frame: Frame, node: str, chunk: StreamChunk) -> None:
        """Pass a node's chunk on; from a worker thread, by way of the event loop."""
        if self.stream_sink is None:
            return
        if self._loop is not None and get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self._send, frame, node, chunk)
        else:
            self._send(frame, node, chunk)

    def _send(self, frame: Frame, node: str, chunk: StreamChunk) -> None:
        if self.stream_sink is None:
            return
        try:
            self.stream_sink.send(
                StreamChunk(
                    chunk.kind, chunk.text, chunk.tool, chunk.call, chunk.data,
                    self.run, frame.path, node, self.step,
                )
            )  # fmt: skip
        except Exception as error:
            self.observe(frame, f"stream sink: {type(error).__name__}: {text_of(error)}")

    async def tell_checkpoint(self, frame: Frame) -> None:
        """Tell the checkpoint sink, with a copy of the state."""
        if self.checkpoint_sink is None:
            return
        try:
            await self.checkpoint_sink.saved(self.root.state.__lg_copy__(), self.info(frame))
        except Exception as error:
            self.observe(frame, f"checkpoint sink: {type(error).__name__}: {text_of(error)}")
