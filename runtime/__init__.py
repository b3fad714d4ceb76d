"""Run compiled graphs: sessions, stores, decisions, events, errors.

Names are imported when they are first used, so that a tool which needs one of them pays for that one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if __name__ != "lgc.runtime":
    raise ImportError("this package is lgc.runtime; import it by that name")

if TYPE_CHECKING:
    from .barriers.barrier import BarrierDecision, BarrierInfo
    from .barriers.deciding import decide, unbound
    from .clock import Clock, SystemClock
    from .compat.drift import Drift, Drifting, drift
    from .compat.verdict import Reason, Risk, RunVerdict, Verdict
    from .engine.committing import ExecutionEntry
    from .engine.policy import TriggerPolicy, Triggers
    from .engine.retention import Retention, RetentionPolicy
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
    from .forms.version import Version, version_of_plan
    from .graph import BindingError, Graph
    from .observation.events import ChunkKind, EventKind, GraphEvent, StreamChunk
    from .observation.logged import JsonFormatter, LoggingSink, RunContextFilter
    from .observation.otel import OpenTelemetrySink
    from .observation.sinks import (
        BarrierSink,
        CheckpointSink,
        FrameInfo,
        StreamSink,
        StreamSinks,
        TraceSink,
        TraceSinks,
    )
    from .sessions.modes import RestoreMode
    from .sessions.previewing import Preview, preview
    from .sessions.replaying import replay
    from .sessions.run_sync import run_sync
    from .sessions.session import GraphResult, Session
    from .sessions.settling import Settlement
    from .store import MemoryStore, PostgresStore, SqliteStore, open_store
    from .store.archives.archive import FileArchive, read_archive
    from .store.codec import Codec, JsonCodec
    from .store.encrypted import EncryptedCodec
    from .store.protocols import CheckpointStore, MutationLogStore, Store
    from .store.records import (
        AttemptRecord,
        CheckpointRecord,
        Commit,
        Damage,
        DecisionRecord,
        MutationRecord,
        OverrideRecord,
        RunRecord,
        RunStatus,
        StoreStats,
    )

_HOMES = {
    "barriers.barrier": ("BarrierDecision", "BarrierInfo"),
    "clock": ("Clock", "SystemClock"),
    "barriers.deciding": ("decide", "unbound"),
    "compat.drift": ("Drift", "Drifting", "drift"),
    "compat.verdict": ("Reason", "Risk", "RunVerdict", "Verdict"),
    "engine.committing": ("ExecutionEntry",),
    "errors": (
        "BarrierTimeout", "Cancelled", "CheckpointCorrupted", "CheckpointNotFound", "DecisionRefused",
        "EvaluationError", "FinalFailure", "GraphMismatch", "LgcError", "MergeConflict", "MutationRejected",
        "NodeFailed", "NodeTimedOut", "RunExists", "RunFenced", "RunNotFound", "RunUncertain",
        "SerializationError", "StepsExceeded", "StorageError", "TransientMissing", "Unrouted",
    ),
    "forms.version": ("Version", "version_of_plan"),
    "observation.events": ("ChunkKind", "EventKind", "GraphEvent", "StreamChunk"),
    "graph": ("BindingError", "Graph"),
    "observation.logged": ("JsonFormatter", "LoggingSink", "RunContextFilter"),
    "observation.otel": ("OpenTelemetrySink",),
    "engine.policy": ("TriggerPolicy", "Triggers"),
    "sessions.modes": ("RestoreMode",),
    "sessions.previewing": ("Preview", "preview"),
    "sessions.replaying": ("replay",),
    "engine.retention": ("Retention", "RetentionPolicy"),
    "sessions.run_sync": ("run_sync",),
    "sessions.session": ("GraphResult", "Session"),
    "sessions.settling": ("Settlement",),
    "observation.sinks": (
        "BarrierSink", "CheckpointSink", "FrameInfo", "StreamSink", "StreamSinks", "TraceSink", "TraceSinks",
    ),
    "store": ("MemoryStore", "PostgresStore", "SqliteStore", "open_store"),
    "store.archives.archive": ("FileArchive", "read_archive"),
    "store.codec": ("Codec", "JsonCodec"),
    "store.encrypted": ("EncryptedCodec",),
    "store.protocols": ("CheckpointStore", "MutationLogStore", "Store"),
    "store.records": (
        "AttemptRecord", "CheckpointRecord", "Commit", "Damage", "DecisionRecord", "MutationRecord",
        "OverrideRecord", "RunRecord", "RunStatus", "StoreStats",
    ),
}  # fmt: skip

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AttemptRecord", "BarrierDecision", "BarrierInfo", "BarrierSink", "BarrierTimeout", "BindingError",
    "Cancelled", "CheckpointCorrupted", "CheckpointNotFound", "CheckpointRecord", "CheckpointSink",
    "CheckpointStore", "ChunkKind", "Clock", "Codec", "Commit", "Damage", "DecisionRecord",
    "DecisionRefused", "Drift", "Drifting", "EncryptedCodec", "EvaluationError", "EventKind",
    "ExecutionEntry", "FileArchive", "FinalFailure", "FrameInfo", "Graph", "GraphEvent", "GraphMismatch",
    "GraphResult", "JsonCodec", "JsonFormatter", "LgcError", "LoggingSink", "MemoryStore", "MergeConflict",
    "MutationLogStore", "MutationRecord", "MutationRejected", "NodeFailed", "NodeTimedOut",
    "OpenTelemetrySink", "OverrideRecord", "PostgresStore", "Preview", "Reason", "RestoreMode", "Retention",
    "RetentionPolicy", "Risk", "RunContextFilter", "RunExists", "RunFenced", "RunNotFound", "RunRecord",
    "RunStatus", "RunUncertain", "RunVerdict", "SerializationError", "Session", "Settlement", "SqliteStore",
    "StepsExceeded", "StorageError", "Store", "StoreStats", "StreamChunk", "StreamSink", "StreamSinks",
    "SystemClock", "TraceSink", "TraceSinks", "TransientMissing", "TriggerPolicy", "Triggers", "Unrouted",
    "Verdict", "Version", "decide", "drift", "open_store", "preview", "read_archive", "replay", "run_sync",
    "unbound", "version_of_plan",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
