"""Who listens: the protocols of injected sinks, and what they are handed.

A sink that raises does not harm the run: what it raised becomes an `observed_error` event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .events import GraphEvent, StreamChunk

if TYPE_CHECKING:
    from .barrier import BarrierDecision, BarrierInfo


class FrameInfo(NamedTuple):
    """One active frame: where a run stands.

    Attributes:
        path: `""` for the graph's own frame, `check/facts`, `review`, `each[3]` … below it.
        graph: name of the graph that the frame runs.
        region: `""`, or `parallel/branch`.
        node: the node that the frame stands at, or `end`.
        visit: which visit of it that is, from 1.
        step: the last committed step of the run.
    """

    path: str
    graph: str
    region: str
    node: str
    visit: int
    step: int


class StreamSink(Protocol):
    """Takes what nodes emit for display."""

    def send(self, chunk: StreamChunk) -> None:
        """One chunk, in order."""
        ...


class TraceSink(Protocol):
    """Takes every control event."""

    def record(self, event: GraphEvent) -> None:
        """One event, in order."""
        ...


class CheckpointSink(Protocol):
    """Is told about each checkpoint, after its commit."""

    async def saved(self, state: Any, frame: FrameInfo) -> None:
        """The state after the step (a copy), and where."""
        ...


class BarrierSink(Protocol):
    """Answers barriers inside the process."""

    async def wait(self, barrier: BarrierInfo) -> BarrierDecision | None:
        """Wait for an answer. None: nobody here answers; the run stops as waiting.

        Raises BarrierTimeout to say that the barrier's time is over.
        """
        ...
