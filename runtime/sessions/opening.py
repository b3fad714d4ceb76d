"""From a graph and a store to an engine that stands where a run does: at its beginning, or where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from ..clock import Clock
from ..engine.engine import Engine
from ..engine.policy import TriggerPolicy, Triggers
from ..errors import LgcError, SerializationError
from ..graph import Graph
from ..machine.position import begin
from ..observation.sinks import BarrierSink, CheckpointSink, StreamSink, TraceSink
from ..store.protocols import Store
from ..store.records import RunRecord, RunStatus
from ..values.state import broken_constraint, transients_of
from ..values.typed_json import decode_checkpoint, encode_state
from .lease import owner, refuse_held
from .moving import Moving, Wish
from .replaying import put_graphs
from .restore import provided, rebuild
from .settling import uncertain


class Sinks(NamedTuple):
    """Who is told of a run, by the engine's names."""

    stream_sink: StreamSink | None
    trace_sink: TraceSink | None
    checkpoint_sink: CheckpointSink | None
    barrier_sink: BarrierSink | None


async def begun(
    graph: Graph[Any],
    state: Any,
    sinks: Sinks,
    *,
    store: Store | None,
    run_id: str | None,
    launch: str,
    clock: Clock,
    triggers: TriggerPolicy | None,
) -> Engine:
    """Begin a run; see `Session.start`."""
    now = clock.time()
    run = run_id or f"{graph.name}-{uuid4().hex[:12]}"
    text = encode_state(state)
    if (broken := broken_constraint(state)) is not None:
        raise SerializationError(f"the state `{type(state).__name__}` to start with: {broken}", run=run)
    # Read back from what is stored: the run has the values that a restored one would have, and its own.
    kind: Any = graph.plan.state
    copy = kind.restore(decode_checkpoint(kind, text), transients_of(state))
    try:
        root = begin(graph, copy, now)
    except LgcError as error:
        raise error.at(run=run) from None
    fence = 0
    if store is not None:
        await put_graphs(store, graph.plan)
        record = RunRecord(run, graph.name, graph.hash, RunStatus.RUNNING, text, now, now, launch=launch)
        await store.create_run(record)
        # Someone may have taken it up meanwhile: then it is not ours to start from the beginning.
        fence = await store.take(run, owner(), expect=record)
    return Engine(
        root, run=run, step=0, store=store, fence=fence, clock=clock, triggers=triggers, **sinks._asdict()
    )


async def taken(
    graph: Graph[Any],
    sinks: Sinks,
    *,
    store: Store,
    run_id: str,
    wish: Wish,
    transients: Mapping[str, object],
    take_over: bool,
    clock: Clock,
    triggers: TriggerPolicy | None,
) -> tuple[Engine, RunStatus]:
    """Take a stored run over, and to another graph if that is wanted; see `Session.restore`."""
    run = await store.get_run(run_id)
    if not take_over:
        refuse_held(run, clock.time())
    # Whatever speaks against it is found before another session is overtaken.
    moving = Moving(store, graph, wish)
    await moving.look(run)
    values = await provided(graph, run, transients)
    moving.fit(values)
    fence = await store.take(run_id, owner(), expect=None if take_over else run)
    moved = await moving.go(fence, values)
    run = await store.get_run(run_id)  # it may have ended meanwhile; now it cannot
    position = await rebuild(store, graph, run, values)
    engine = Engine(
        position.root, run=run_id, step=position.step, store=store, fence=fence, clock=clock,
        snapshot_bytes=position.snapshot_bytes,
        triggers=triggers or await Triggers.resumed(graph.plan.checkpointing, store, run),
        decisions=await store.decisions(run_id, waiting=True),
        attempts=await store.attempts(run_id), **sinks._asdict(),
    )  # fmt: skip
    engine.compaction.resumed(position.log_steps, position.log_bytes)
    for told in moved:
        engine.observe(None, told.text, "warning", **told.data)
    for warning in store.warnings():
        engine.observe(None, warning, "warning")
    over = run.status in (RunStatus.DONE, RunStatus.CANCELLED)
    return engine, RunStatus.UNCERTAIN if not over and uncertain(engine) else run.status
