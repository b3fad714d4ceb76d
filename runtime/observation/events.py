"""What can be observed of a run, on two planes that never mix.

`GraphEvent` is what the engine says: control, in order, never dropped. `StreamChunk` is what nodes emit for
display. Both carry where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class EventKind(StrEnum):
    """What happened."""

    RUN_STARTED = "run_started"
    RUN_COMPLETED = "run_completed"
    RUN_FAILED = "run_failed"
    RUN_CANCELLED = "run_cancelled"
    RUN_WAITING = "run_waiting"
    RUN_STOPPED = "run_stopped"  # this session has left it; it can be resumed
    NODE_STARTED = "node_started"
    NODE_COMPLETED = "node_completed"
    NODE_FAILED = "node_failed"
    NODE_RETRIED = "node_retried"
    NODE_STOPPED = "node_stopped"  # neither completed nor failed: nobody needs it any more
    BRANCH_STARTED = "branch_started"
    BRANCH_COMPLETED = "branch_completed"
    BARRIER_WAITING = "barrier_waiting"
    BARRIER_RESOLVED = "barrier_resolved"
    CHECKPOINT_SAVED = "checkpoint_saved"
    OBSERVED_ERROR = "observed_error"


class GraphEvent(NamedTuple):
    """One thing that the engine did.

    Attributes:
        kind: what happened.
        run: the run's id.
        span: the same for all events of one visit of a node (over its attempts, and after a crash), of one
            branch, or of the run, whose span is the run's id.
        frame: path of the frame, "" for the graph's own.
        node: name of the node, "" for events of the run.
        step: the step that was committed, or the last one before.
        time: seconds since the epoch.
        data: what is special to the kind (`docs/running.md` has the table); never changed afterwards.
        parent: the span that this one lies in: of a node the branch, the node that runs its graph, or the
            run; "" for the run itself.
    """

    kind: EventKind
    run: str
    span: str = ""
    frame: str = ""
    node: str = ""
    step: int = 0
    time: float = 0.0
    data: dict[str, Any] = {}  # noqa: RUF012 - never changed: replaced, not filled
    parent: str = ""


class ChunkKind(StrEnum):
    """What a chunk is for."""

    TEXT = "text"
    THINKING = "thinking"
    TOOL_QUEUED = "tool_queued"
    TOOL_STARTED = "tool_started"
    TOOL_FINISHED = "tool_finished"
    TOOL_OUTPUT = "tool_output"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class StreamChunk:
    """Something that a node emits for display; the engine fills in where it comes from."""

    kind: ChunkKind
    text: str = ""
    tool: str = ""
    call: str = ""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    run: str = ""
    frame: str = ""
    node: str = ""
    step: int = 0

    @classmethod
    def of_text(cls, text: str) -> StreamChunk:
        """A piece of text."""
        return cls(ChunkKind.TEXT, text=text)

    @classmethod
    def thinking(cls, text: str) -> StreamChunk:
        """A piece of a model's reasoning."""
        return cls(ChunkKind.THINKING, text=text)

    @classmethod
    def tool_queued(cls, tool: str, call: str = "", **data: Any) -> StreamChunk:
        """A tool call waits."""
        return cls(ChunkKind.TOOL_QUEUED, tool=tool, call=call, data=data)

    @classmethod
    def tool_started(cls, tool: str, call: str = "", **data: Any) -> StreamChunk:
        """A tool call runs."""
        return cls(ChunkKind.TOOL_STARTED, tool=tool, call=call, data=data)

    @classmethod
    def tool_finished(cls, tool: str, call: str = "", **data: Any) -> StreamChunk:
        """A tool call is over."""
        return cls(ChunkKind.TOOL_FINISHED, tool=tool, call=call, data=data)

    @classmethod
    def tool_output(cls, tool: str, text: str, call: str = "") -> StreamChunk:
        """What a tool printed."""
        return cls(ChunkKind.TOOL_OUTPUT, text=text, tool=tool, call=call)

    @classmethod
    def custom(cls, **data: Any) -> StreamChunk:
        """Anything else."""
        return cls(ChunkKind.CUSTOM, data=data)
