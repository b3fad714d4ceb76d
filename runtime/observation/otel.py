"""From control events to OpenTelemetry spans; needs the extra `lgc[otel]`.

Names and `gen_ai.*` attributes follow the semantic conventions for generative AI, as far as they are written
(in development, July 2026): `invoke_workflow {graph}` for a run, `invoke_node {node}` for a visit of a node.
What they have no name for is `lgc.*`. States, chunks, and what barriers show are not recorded; texts of
errors are.

A span is made current when its event is recorded. As the events of a node are recorded in the task that
runs it, spans that its function makes (those of a model's client, say) become its children, in a worker
thread too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import LgcError
from .events import EventKind, GraphEvent

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, Tracer

# Runs whose last span is remembered, so that the next session of the same run can link to it.
REMEMBERED = 4096

_RUN_OVER: Mapping[EventKind, str] = {
    EventKind.RUN_COMPLETED: "done",
    EventKind.RUN_FAILED: "failed",
    EventKind.RUN_CANCELLED: "cancelled",
    EventKind.RUN_WAITING: "waiting",
    EventKind.RUN_STOPPED: "stopped",
}

# What of an event's data becomes attributes of its span, `lgc.` before the name.
_NODE = ("visit", "attempt", "outcome", "next", "cost", "checkpoint")
_TOLD = ("attempt", "pause", "barrier", "answer", "actor", "checkpoint", "level", "error", "type", "dropped")


class _Open(NamedTuple):
    """A span that has not ended: the context that it was begun in, and the one that it is current in."""

    span: Span
    before: Context
    within: Context
    began: int


class _Run:
    """The open spans of one session's run, by the ids of events, outermost first."""

    def __init__(self, run: str, graph: str) -> None:
        self.run = run
        self.graph = graph
        self.open: dict[str, _Open] = {}


class OpenTelemetrySink:
    """A trace sink that makes spans: one for the run, below it one for each visit of a node and each branch.

    May be shared by any number of sessions. When a run ends, fails, is cancelled, left or waits at a barrier,
    every span of it is ended. The session that goes on with it begins a new trace (or goes on with its
    caller's), linked to the earlier one where this process made that; `gen_ai.conversation.id` and
    `lgc.run.id`, the run's id, are the same in all of them.

    Args:
        tracer: an OpenTelemetry tracer; None: that of the global provider.

    Raises LgcError where the package `opentelemetry-api` is missing.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError:
            raise LgcError("OpenTelemetry is not installed", hint="pip install 'lgc[otel]'") from None
        self._context, self._trace = context, trace
        self._tracer = tracer if tracer is not None else trace.get_tracer("lgc")
        self._key = context.create_key("lgc-run")
        self._earlier: OrderedDict[str, SpanContext] = OrderedDict()

    def record(self, event: GraphEvent) -> None:
        """One event."""
        kind = event.kind
        if kind is EventKind.RUN_STARTED:
            self._run_started(event)
            return
        found = self._context.get_value(self._key)
        run = found if isinstance(found, _Run) and found.run == event.run else None
        if kind in _RUN_OVER:
            self._run_over(run, event)
            return
        if run is None:  # outside of a run, as for a node that is settled: a trace of its own
            run = _Run(event.run, "")
        match kind:
            case EventKind.NODE_STARTED:
                name = f"invoke_node {event.node}"
                self._begin(run, event, name, {**_node(event), **self._common(run, event)})
            case EventKind.BRANCH_STARTED:
                branch = str(event.data.get("branch", ""))
                attributes = {**self._common(run, event), "lgc.branch": branch}
                self._begin(run, event, f"branch {branch}", attributes)
            case EventKind.NODE_COMPLETED | EventKind.NODE_FAILED | EventKind.NODE_STOPPED:
                self._node_over(run, event)
            case EventKind.BRANCH_COMPLETED:
                self._over(run, event, {"lgc.outcome": str(event.data.get("outcome", ""))})
            case EventKind.CHECKPOINT_SAVED if event.node:
                pass  # said with the node's end already
            case _:
                self._tell(run, event)

    # --- runs ---------------------------------------------------------------------------------------------

    def _run_started(self, event: GraphEvent) -> None:
        graph = str(event.data.get("graph", ""))
        run = _Run(event.run, graph)
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": graph,
            **self._common(run, event),
            "lgc.graph.hash": str(event.data.get("hash", "")),
            "lgc.resumed": bool(event.data.get("resumed")),
        }
        earlier = self._earlier.get(event.run)
        links = [self._trace.Link(earlier, {"lgc.run.id": event.run})] if earlier is not None else []
        self._begin(run, event, f"invoke_workflow {graph}", attributes, links)

    def _run_over(self, run: _Run | None, event: GraphEvent) -> None:
        if run is None:
            return
        status = _RUN_OVER[event.kind]
        for id in list(reversed(run.open)):
            if id != event.span:
                self._over(run, event, {"lgc.outcome": status}, id)
        whole = run.open.get(event.span)
        if whole is not None:
            self._earlier[event.run] = whole.span.get_span_context()
            self._earlier.move_to_end(event.run)
            if len(self._earlier) > REMEMBERED:
                self._earlier.popitem(last=False)
        self._over(run, event, {"lgc.status": status, "lgc.step": event.step})

    # --- spans --------------------------------------------------------------------------------------------

    def _begin(
        self, run: _Run, event: GraphEvent, name: str, attributes: Mapping[str, Any], links: Any = ()
    ) -> None:
        before, now = self._context.get_current(), _nanoseconds(event.time)
        above = run.open.get(event.parent)
        span = self._tracer.start_span(
            name, above.within if above is not None else before,
            self._trace.SpanKind.INTERNAL, attributes, links, now,
        )  # fmt: skip
        within = self._trace.set_span_in_context(span, self._context.set_value(self._key, run, before))
        run.open[event.span] = _Open(span, before, within, now)
        if event.kind is not EventKind.BRANCH_STARTED:  # said by the task of the parent, which goes on
            self._context.attach(within)

    def _node_over(self, run: _Run, event: GraphEvent) -> None:
        if event.kind is EventKind.NODE_STOPPED:
            self._over(run, event, {"lgc.outcome": "stopped"})
            return
        done = {f"lgc.{name}": event.data[name] for name in _NODE if event.data.get(name)}
        done["lgc.step"] = event.step
        self._over(run, event, done)

    def _over(self, run: _Run, event: GraphEvent, attributes: Mapping[str, Any], id: str = "") -> None:
        """End a span (the event's own, if no other is named)."""
        found = run.open.pop(id or event.span, None)
        if found is None:
            return
        span, now = found.span, max(found.began, _nanoseconds(event.time))  # clocks are set back
        span.set_attributes(attributes)
        error = event.data.get("error") if not id else None
        if error:
            kind = str(event.data.get("type") or "_OTHER")
            span.set_attribute("error.type", kind)
            told = {"exception.type": kind, "exception.message": str(error)}
            span.add_event("exception", told, now)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, str(error)))
        span.end(now)
        # Not by a token: another task may be the one that ends it.
        if self._trace.get_current_span() is span:
            self._context.attach(found.before)

    def _tell(self, run: _Run, event: GraphEvent) -> None:
        """Anything else is an event of the span that it belongs to."""
        found = run.open.get(event.span) or run.open.get(event.parent) or run.open.get(event.run)
        if found is not None:
            told = {f"lgc.{name}": event.data[name] for name in _TOLD if event.data.get(name)}
            found.span.add_event(f"lgc.{event.kind}", told, _nanoseconds(event.time))

    def _common(self, run: _Run, event: GraphEvent) -> dict[str, Any]:
        found = {"gen_ai.conversation.id": event.run, "lgc.run.id": event.run}
        if run.graph:
            found["lgc.graph"] = run.graph
        if event.frame:
            found["lgc.frame"] = event.frame
        return found


def _node(event: GraphEvent) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "invoke_node",
        "gen_ai.node.name": event.node,
        "lgc.span": event.span,
        "lgc.visit": int(event.data.get("visit", 1)),
    }


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
