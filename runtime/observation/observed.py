"""What an engine says of its run, to the sinks that were injected: control events, chunks, checkpoints.

Each thing that is started is ended, whichever way the engine leaves it: what has begun and is not over is
kept in `_open` (a frame runs one node at a time), and closed as stopped where nobody else does. A sink that
raises must not harm the run; what it raised is told as an observed error where that is possible.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from threading import Event, Lock, get_ident
from typing import TYPE_CHECKING, Any, Protocol

from ..clock import Clock
from ..errors import LgcError, NodeFailed, text_of
from ..machine.frame import Frame
from .events import EventKind, GraphEvent, StreamChunk
from .sinks import CheckpointSink, FrameInfo, StreamSink, TraceSink

if TYPE_CHECKING:
    from ..engine.lane import Lane

# Chunks of worker threads that may wait for the event loop; a thread that emits more waits for it.
HANDED = 1024
PAUSE = 0.02  # seconds between two looks of a thread that waits

_ENDS = frozenset({EventKind.NODE_COMPLETED, EventKind.NODE_FAILED, EventKind.NODE_STOPPED})
_BRANCH = frozenset({EventKind.BRANCH_STARTED, EventKind.BRANCH_COMPLETED})


class Backlog(Protocol):
    """What a reader has not read yet."""

    @property
    def behind(self) -> bool:
        """Whether the reader should have a turn."""
        ...

    @property
    def full(self) -> bool:
        """Whether the run should wait for the reader."""
        ...

    async def room(self) -> None:
        """Give the reader a turn, and wait until there is room."""
        ...


class Room:
    """Given by `emit`: who awaits it is no faster than the reader of the stream."""

    __slots__ = ("_observed",)

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def __await__(self) -> Generator[Any, None, None]:
        backlog = self._observed.backlog
        if backlog is not None and backlog.behind:
            yield from backlog.room().__await__()


class Observed:
    """A run that is watched; the engine is one.

    Attributes:
        root, run, step: the position, the run's id, its last step (which may not be durable yet).
        told: the last step that is durable, as far as events tell.
        clock: gives events their time.
        trace_sink, stream_sink, checkpoint_sink: who listens; None for nobody.
        backlog: of the stream that somebody reads, None where nobody does.
        early: events from before the run went on, for a stream that begins later.
        room: what `emit` gives.
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
        self.step = self.told = step
        self.clock = clock
        self.stream_sink = stream_sink
        self.trace_sink = trace_sink
        self.checkpoint_sink = checkpoint_sink
        self.backlog: Backlog | None = None
        self.early: list[GraphEvent] = []
        self.room = Room(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._open: dict[tuple[Frame, bool], GraphEvent] = {}  # by frame, and whether it is a branch
        self._going = False
        self._complained: set[Frame] = set()
        self._handed: deque[tuple[Frame, str, StreamChunk]] = deque()
        self._handing = Lock()
        self._draining = False
        self._warned = False

    def listen_from(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop and thread that sinks are called from, whichever thread a node speaks from."""
        self._loop, self._thread = loop, get_ident()

    def info(self, frame: Frame) -> FrameInfo:
        """A frame, for people."""
        return FrameInfo(
            frame.path, frame.plan.name, frame.region, frame.node, frame.visits(frame.node) + 1, self.step
        )

    # --- control events -----------------------------------------------------------------------------------

    def say(
        self,
        kind: EventKind,
        frame: Frame | None = None,
        node: str = "",
        step: int | None = None,
        **data: Any,
    ) -> None:
        """Tell the trace sink."""
        if self.trace_sink is not None:
            self._record(self._event(kind, frame, node, self.told if step is None else step, data))

    def _event(
        self, kind: EventKind, frame: Frame | None, node: str, step: int, data: dict[str, Any]
    ) -> GraphEvent:
        now = self.clock.time()
        if frame is None or not (node or frame.parent):
            return GraphEvent(kind, self.run, self.run, "", "", step, now, data)
        inner = f"{self.run}{frame.instance}"
        if kind in _BRANCH:
            assert frame.parent is not None
            parent = f"{self.run}{frame.parent.instance}/{node}#{frame.visit}"
            return GraphEvent(kind, self.run, inner, frame.path, node, step, now, data, parent)
        begun = self._open.get((frame, False))
        if "visit" not in data:  # the frame may have moved on
            same = begun is not None and begun.node == node
            data["visit"] = begun.data["visit"] if begun is not None and same else frame.visits(node) + 1
        span = f"{inner}/{node}#{data['visit']}"
        return GraphEvent(kind, self.run, span, frame.path, node, step, now, data, inner)

    def _record(self, event: GraphEvent) -> None:
        if self.trace_sink is None:
            return
        try:
            self.trace_sink.record(event)
        except Exception:
            # A broken listener must not harm the run.
            if not self._warned:
                self._warned = True
                logging.getLogger("lgc.run").warning("a trace sink raised", exc_info=True)

    def run_started(self, **data: Any) -> None:
        """This session goes on with the run."""
        self._open.clear()
        self._going = True
        self.told = self.step
        self.say(EventKind.RUN_STARTED, self.root, **data)

    def run_over(self, kind: EventKind, **data: Any) -> None:
        """This session has ended the run, or leaves it; what is still open is stopped, or waits with it."""
        self._going = False
        if kind is not EventKind.RUN_WAITING:
            self.abandon(None)
        self.say(kind, self.root, **data)
        self._open.clear()
        self._complained.clear()

    def run_left(self) -> None:
        """This session leaves a run of which no end was told: it can be resumed."""
        if self._going:
            self.run_over(EventKind.RUN_STOPPED)

    def node_started(self, frame: Frame, node: str, visit: int) -> None:
        """A visit begins, unless it has begun already and only waited."""
        if self.trace_sink is None:
            return
        begun = self._open.get((frame, False))
        if begun is not None and (begun.node, begun.data["visit"]) == (node, visit):
            return
        event = self._event(EventKind.NODE_STARTED, frame, node, self.told, {"visit": visit})
        self._open[frame, False] = event
        self._record(event)

    def node_over(
        self, kind: EventKind, frame: Frame, node: str, step: int | None = None, **data: Any
    ) -> None:
        """A visit has ended: completed, failed or stopped."""
        self.say(kind, frame, node, step, **data)
        self._open.pop((frame, False), None)
        self._complained.discard(frame)

    def waits(self, frame: Frame, node: str, **data: Any) -> None:
        """A barrier waits; told once."""
        begun = self._open.get((frame, False))
        if begun is None or "waiting" not in begun.data:
            if begun is not None:
                self._open[frame, False] = begun._replace(data={**begun.data, "waiting": True})
            self.say(EventKind.BARRIER_WAITING, frame, node, **data)

    def branch_started(self, child: Frame, node: str) -> None:
        """A branch of a parallel, or an element of a map, begins; `node` is the parent's."""
        if self.trace_sink is None or (child, True) in self._open:
            return
        data = {"branch": str(child.key)}
        event = self._event(EventKind.BRANCH_STARTED, child, node, self.told, data)
        self._open[child, True] = event
        self._record(event)

    def branch_over(self, child: Frame, outcome: str, error: str = "") -> None:
        """It has ended: `end`, `failed` or `stopped`."""
        if self.trace_sink is None:
            return
        begun = self._open.pop((child, True), None)
        if begun is not None:
            self.say(
                EventKind.BRANCH_COMPLETED, child, begun.node,
                branch=str(child.key), outcome=outcome, error=error,
            )  # fmt: skip

    def give_up(self, lane: Lane, frame: Frame, error: BaseException) -> None:
        """The node that a frame runs has ended with an error that nothing at the frame takes up."""
        if self.trace_sink is None or lane.given_up or isinstance(error, GeneratorExit):
            return
        self.abandon(frame)
        begun = self._open.get((frame, False))
        if begun is None:
            return
        if isinstance(error, LgcError):
            self.node_over(
                EventKind.NODE_FAILED, frame, begun.node,
                visit=begun.data["visit"], error=error.message, type=kind_of(error),
            )  # fmt: skip
        else:
            self.node_over(EventKind.NODE_STOPPED, frame, begun.node, visit=begun.data["visit"])

    def abandon(self, frame: Frame | None) -> None:
        """Close what is open below a frame (None: anywhere): nobody needs it any more."""
        if self.trace_sink is None:
            return
        for inner, is_branch in reversed(list(self._open)):
            if frame is not None and not _below(inner, frame):
                continue
            if is_branch:
                self.branch_over(inner, "stopped")
            else:
                begun = self._open[inner, False]
                self.node_over(EventKind.NODE_STOPPED, inner, begun.node, visit=begun.data["visit"])

    def observe(
        self,
        frame: Frame | None,
        what: str,
        level: str = "degraded",
        *,
        node: str | None = None,
        **data: Any,
    ) -> None:
        """Tell of an error that the run survives."""
        name = node if node is not None else frame.node if frame is not None else ""
        event = self._event(
            EventKind.OBSERVED_ERROR, frame, name, self.told, {"level": level, "error": what, **data}
        )
        if frame is None and not self._going:
            self.early.append(event)
        self._record(event)

    # --- chunks and checkpoints ---------------------------------------------------------------------------

    def emit(
        self, frame: Frame, node: str, chunk: StreamChunk, over: Callable[[], bool], patient: bool
    ) -> None:
        """Pass a node's chunk on; from a worker thread, by way of the event loop.

        Args:
            over: whether the attempt that emits is over; a thread then waits no longer.
            patient: whether a thread may be made to wait for the reader of the stream.
        """
        if self.stream_sink is None:
            return
        if self._loop is None or get_ident() == self._thread:
            self._send(frame, node, chunk)
            return
        pause = Event()
        while not self._hand(frame, node, chunk, patient):
            pause.wait(PAUSE)
            if over() or self._loop.is_closed():
                return
        if not self._draining:
            self._draining = True
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._drain)

    def _hand(self, frame: Frame, node: str, chunk: StreamChunk, patient: bool) -> bool:
        """Put a thread's chunk where the loop takes it from; False where there is no room."""
        with self._handing:
            backlog = self.backlog
            if len(self._handed) >= HANDED or (patient and backlog is not None and backlog.full):
                return False
            self._handed.append((frame, node, chunk))
            return True

    @property
    def handed(self) -> int:
        """Chunks of worker threads that wait for the event loop."""
        return len(self._handed)

    def _drain(self) -> None:
        self._draining = False
        while self._handed:
            self._send(*self._handed.popleft())

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
            if frame not in self._complained:  # once a visit: a node may emit very much
                self._complained.add(frame)
                self.observe(frame, f"stream sink: {type(error).__name__}: {text_of(error)}", node=node)

    async def tell_checkpoint(self, frame: Frame, node: str, visit: int) -> None:
        """Tell the checkpoint sink, with a copy of the state."""
        if self.checkpoint_sink is None:
            return
        try:
            await self.checkpoint_sink.saved(self.root.state.__lg_copy__(), self.info(frame))
        except Exception as error:
            what = f"checkpoint sink: {type(error).__name__}: {text_of(error)}"
            self.observe(frame, what, node=node, visit=visit)


def kind_of(error: BaseException) -> str:
    """The class of what went wrong, for those who count errors: what the function raised, where it did."""
    cause = error.__cause__ if type(error) is NodeFailed and error.__cause__ is not None else error
    kind = type(cause)
    ours = kind.__module__ == "builtins" or isinstance(cause, LgcError)
    return kind.__qualname__ if ours else f"{kind.__module__}.{kind.__qualname__}"


def _below(inner: Frame, frame: Frame) -> bool:
    above = inner.parent
    while above is not None:
        if above is frame:
            return True
        above = above.parent
    return False
