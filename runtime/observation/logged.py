"""From control events to records of the standard library's `logging`, and which node other records are from.

`LoggingSink` writes the events; `RunContextFilter` adds the same fields to what a node's own code (or a
library that it calls) logs; `JsonFormatter` writes any record as one line of JSON.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .events import EventKind, GraphEvent

LOGGER = "lgc.run"


class _Place(NamedTuple):
    """Where in a run code is running; `before` is where that began."""

    run: str
    graph: str
    frame: str
    node: str
    step: int
    span: str
    attempt: int
    before: _Place | None


FIELDS = ("run", "graph", "frame", "node", "step", "span", "attempt")

_place: ContextVar[_Place | None] = ContextVar("lgc_place", default=None)

_LEVELS = {
    EventKind.RUN_STARTED: logging.INFO,
    EventKind.RUN_COMPLETED: logging.INFO,
    EventKind.RUN_FAILED: logging.ERROR,
    EventKind.RUN_CANCELLED: logging.WARNING,
    EventKind.RUN_WAITING: logging.INFO,
    EventKind.RUN_STOPPED: logging.WARNING,
    EventKind.NODE_STARTED: logging.DEBUG,
    EventKind.NODE_COMPLETED: logging.INFO,
    EventKind.NODE_FAILED: logging.WARNING,  # the run goes on, or its own failure is an error
    EventKind.NODE_RETRIED: logging.WARNING,
    EventKind.NODE_STOPPED: logging.DEBUG,
    EventKind.BRANCH_STARTED: logging.DEBUG,
    EventKind.BRANCH_COMPLETED: logging.DEBUG,
    EventKind.BARRIER_WAITING: logging.INFO,
    EventKind.BARRIER_RESOLVED: logging.INFO,
    EventKind.CHECKPOINT_SAVED: logging.DEBUG,
    EventKind.OBSERVED_ERROR: logging.WARNING,
}

_NODE_OVER = frozenset({EventKind.NODE_COMPLETED, EventKind.NODE_FAILED, EventKind.NODE_STOPPED})
_RUN_OVER = frozenset(
    {
        EventKind.RUN_COMPLETED, EventKind.RUN_FAILED, EventKind.RUN_CANCELLED, EventKind.RUN_WAITING,
        EventKind.RUN_STOPPED,
    }
)  # fmt: skip

# What of an event's data is told in words, beside what happened and where.
_WORDS = (
    "outcome",
    "next",
    "attempt",
    "pause",
    "branch",
    "barrier",
    "answer",
    "actor",
    "checkpoint",
    "level",
)


class LoggingSink:
    """A trace sink that logs every control event, and lets `RunContextFilter` know where a run is.

    Each record has the attributes `run`, `graph`, `frame`, `node`, `step`, `span`, `attempt`, `event` (the
    kind) and `data` (the event's, without what a barrier shows). Levels: `error` for a failed run, `warning`
    for what went wrong inside a run or ended it early, `info` for runs, completed nodes and barriers, `debug`
    for the rest.

    Args:
        logger: to log to, or its name.
    """

    def __init__(self, logger: logging.Logger | str = LOGGER) -> None:
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._graphs: dict[str, str] = {}

    def record(self, event: GraphEvent) -> None:
        """One event."""
        kind = event.kind
        if kind is EventKind.RUN_STARTED:
            self._graphs[event.run] = str(event.data.get("graph", ""))
        graph = self._graphs.get(event.run, "")
        attempt = int(event.data.get("attempt", 0 if event.node == "" else 1))
        if kind is EventKind.NODE_STARTED or kind is EventKind.RUN_STARTED:
            _enter(event, graph, attempt)
        level = _LEVELS[kind]
        if self.logger.isEnabledFor(level):
            data = {name: value for name, value in event.data.items() if name != "shown"}
            extra = {
                "run": event.run, "graph": graph, "frame": event.frame, "node": event.node,
                "step": event.step, "span": event.span, "attempt": attempt, "event": str(kind), "data": data,
            }  # fmt: skip
            self.logger.log(level, "%s", _text(event), extra=extra)
        here = _place.get()
        if here is not None and here.span == event.span:
            if kind is EventKind.NODE_RETRIED:
                _place.set(here._replace(attempt=attempt + 1))
            elif kind in _NODE_OVER or kind in _RUN_OVER:
                _place.set(here.before)
        if kind in _RUN_OVER:
            self._graphs.pop(event.run, None)


def _enter(event: GraphEvent, graph: str, attempt: int) -> None:
    """The code that this context runs from now on belongs to a node, or a run."""
    before = _place.get()
    if before is not None and before.span == event.span:  # several sinks
        before = before.before
    place = _Place(event.run, graph, event.frame, event.node, event.step, event.span, attempt, before)
    _place.set(place)


def _text(event: GraphEvent) -> str:
    where = f"{event.frame}/{event.node}" if event.frame else event.node
    what = f"{event.run}: {event.kind.replace('_', ' ')}" + (f" {where}" if where else "")
    words = [f"{name}={event.data[name]}" for name in _WORDS if event.data.get(name)]
    if words:
        what += f" ({', '.join(words)})"
    return f"{what}: {event.data['error']}" if event.data.get("error") else what


class RunContextFilter(logging.Filter):
    """Adds `run`, `graph`, `frame`, `node`, `step`, `span` and `attempt` to the records of a handler.

    Records that a node's function causes have those of its visit, `step` being the last one before it;
    others have empty ones, so that a format may name them. Nothing is ever filtered out. Add it to handlers,
    not to loggers (whose filters do not see their children's records), in a process whose sessions have a
    `LoggingSink`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, with its fields."""
        place = _place.get()
        for number, name in enumerate(FIELDS):
            if not hasattr(record, name):
                empty: object = 0 if name in ("step", "attempt") else ""
                setattr(record, name, place[number] if place is not None else empty)
        return True


# What `logging` itself puts into a record.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One line of JSON a record: `time` (UTC), `level`, `logger`, `message`, further fields that it has, and
    `exception` and `stack` where there are. Values that JSON has not are written as text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {
            "time": time, "level": record.levelname.lower(), "logger": record.name,
            "message": record.getMessage(),
        }  # fmt: skip
        for name, value in vars(record).items():
            if name not in _OWN and name not in told and not (value is None or value == ""):
                told[name] = value
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            told["stack"] = self.formatStack(record.stack_info)
        return "{" + ", ".join([f"{json.dumps(name)}: {_dumped(told[name])}" for name in told]) + "}"


def _dumped(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(str(value), ensure_ascii=False)
