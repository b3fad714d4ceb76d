"""Run compiled graphs: sessions, stores, decisions, events, errors.

Names are imported when they are first used, so that a tool which needs one of them pays for that one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if __name__ != "lgc.runtime":
    raise ImportError("this package is lgc.runtime; import it by that name")

if TYPE_CHECKING:
    from .barrier import BarrierDecision, BarrierInfo
    from .clock import Clock, SystemClock
    from .deciding import decide, unbound
    from .engine import ExecutionEntry
    from .errors import (
        BarrierTimeout,
        Cancelled,
        CheckpointCorrupted,
        CheckpointNotFound,
        DecisionRefused,
        EvaluationError,
        FinalFailure,
        GraphMismatch,
        LgcError,
        MergeConflict,
        MutationRejected,
        NodeFailed,
        NodeTimedOut,
        RunExists,
        RunFenced,
        RunNotFound,
        RunUncertain,
        SerializationError,
        StepsExceeded,
        StorageError,
        TransientMissing,
        Unrouted,
    )
    from .events import ChunkKind, EventKind, GraphEvent, StreamChunk
    from .graph import BindingError, Graph
    from .logged import JsonFormatter, LoggingSink, RunContextFilter
    from .otel import OpenTelemetrySink
    from .policy import TriggerPolicy, Triggers
    from .restore import RestoreMode, replay
    from .retention import Retention, RetentionPolicy
    from .run_sync import run_sync
    from .session import GraphResult, Session
    from .settling import Settlement
    from .sinks import (
        BarrierSink,
        CheckpointSink,
        FrameInfo,
        StreamSink,
        StreamSinks,
        TraceSink,
        TraceSinks,
    )
    from .store import MemoryStore, PostgresStore, SqliteStore, open_store
    from .store.protocols import (
        CheckpointRecord,
        CheckpointStore,
        DecisionRecord,
        MutationLogStore,
        MutationRecord,
        RunRecord,
        RunStatus,
        Store,
    )

_HOMES = {
    "barrier": ("BarrierDecision", "BarrierInfo"),
    "clock": ("Clock", "SystemClock"),
    "deciding": ("decide", "unbound"),
    "engine": ("ExecutionEntry",),
    "errors": (
        "BarrierTimeout", "Cancelled", "CheckpointCorrupted", "CheckpointNotFound", "DecisionRefused",
        "EvaluationError", "FinalFailure", "GraphMismatch", "LgcError", "MergeConflict", "MutationRejected",
        "NodeFailed", "NodeTimedOut", "RunExists", "RunFenced", "RunNotFound", "RunUncertain",
        "SerializationError", "StepsExceeded", "StorageError", "TransientMissing", "Unrouted",
    ),
    "events": ("ChunkKind", "EventKind", "GraphEvent", "StreamChunk"),
    "graph": ("BindingError", "Graph"),
    "logged": ("JsonFormatter", "LoggingSink", "RunContextFilter"),
    "otel": ("OpenTelemetrySink",),
    "policy": ("TriggerPolicy", "Triggers"),
    "restore": ("RestoreMode", "replay"),
    "retention": ("Retention", "RetentionPolicy"),
    "run_sync": ("run_sync",),
    "session": ("GraphResult", "Session"),
    "settling": ("Settlement",),
    "sinks": (
        "BarrierSink", "CheckpointSink", "FrameInfo", "StreamSink", "StreamSinks", "TraceSink", "TraceSinks",
    ),
    "store": ("MemoryStore", "PostgresStore", "SqliteStore", "open_store"),
    "store.protocols": (
        "CheckpointRecord", "CheckpointStore", "DecisionRecord", "MutationLogStore", "MutationRecord",
        "RunRecord", "RunStatus", "Store",
    ),
}  # fmt: skip

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BarrierDecision", "BarrierInfo", "BarrierSink", "BarrierTimeout", "BindingError", "Cancelled",
    "CheckpointCorrupted", "CheckpointNotFound", "CheckpointRecord", "CheckpointSink", "CheckpointStore",
    "ChunkKind", "Clock", "DecisionRecord", "DecisionRefused", "EvaluationError", "EventKind",
    "ExecutionEntry", "FinalFailure", "FrameInfo", "Graph", "GraphEvent", "GraphMismatch", "GraphResult",
    "JsonFormatter", "LgcError", "LoggingSink", "MemoryStore", "MergeConflict", "MutationLogStore",
    "MutationRecord", "MutationRejected", "NodeFailed", "NodeTimedOut", "OpenTelemetrySink",
    "PostgresStore", "RestoreMode", "Retention", "RetentionPolicy", "RunContextFilter", "RunExists",
    "RunFenced", "RunNotFound", "RunRecord",
    "RunStatus", "RunUncertain", "SerializationError", "Session", "Settlement", "SqliteStore",
    "StepsExceeded", "StorageError", "Store", "StreamChunk", "StreamSink", "StreamSinks", "SystemClock",
    "TraceSink", "TraceSinks", "TransientMissing", "TriggerPolicy", "Triggers", "Unrouted", "decide",
    "open_store", "replay", "run_sync", "unbound",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
