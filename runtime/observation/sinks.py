"""Who listens: the protocols of injected sinks, and what they are handed.

A sink that raises does not harm the run: what it raised becomes an `observed_error` event (a trace sink's one
in the stream, and otherwise a warning in the log). `record` and `send` are called on the event loop and must
not block: what takes long belongs into a queue of the sink's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from .events import GraphEvent, StreamChunk

if TYPE_CHECKING:
    from ..barriers.barrier import BarrierDecision, BarrierInfo

T = TypeVar("T")


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
    """Takes every control event.

    Events of a node are recorded in the asyncio task (and so in the context) that runs the node: what a sink
    sets in a context variable at `node_started`, the node's function sees, in a worker thread too.
    """

    def record(self, event: GraphEvent) -> None:
        """One event, in order."""
        ...


class TraceSinks:
    """Several trace sinks as one; each is told everything, also where another one raises.

    Raises what a sink raised, after all were told; an ExceptionGroup where several did.
    """

    def __init__(self, *sinks: TraceSink) -> None:
        self.sinks = sinks

    def record(self, event: GraphEvent) -> None:
        """One event, in order."""
        _each([sink.record for sink in self.sinks], event)


class StreamSinks:
    """Several stream sinks as one; as `TraceSinks`."""

    def __init__(self, *sinks: StreamSink) -> None:
        self.sinks = sinks

    def send(self, chunk: StreamChunk) -> None:
        """One chunk, in order."""
        _each([sink.send for sink in self.sinks], chunk)


def _each(told: list[Callable[[T], None]], what: T) -> None:
    errors: list[Exception] = []
    for tell in told:
        try:
            tell(what)
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("several sinks raised", errors)


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
