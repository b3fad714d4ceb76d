"""Answer a barrier from a process that runs nothing: only the plan is needed, no node."""

from __future__ import annotations

from typing import Any, TypeVar

from . import plan
from .barrier import BarrierDecision, BarrierInfo, refuse_second, to_record
from .clock import Clock, SystemClock
from .errors import LgcError
from .graph import Graph
from .restore import blanks, mismatch, rebuild
from .store.protocols import Store
from .waiting import refuse_stale, waiting_barriers

S = TypeVar("S")


def unbound(compiled: plan.Graph[S]) -> Graph[S]:
    """A graph without functions: enough to look at runs and to decide, not to run."""
    inner: dict[str, Graph[Any]] = {}
    for node in compiled.nodes.values():
        if isinstance(node, (plan.Subgraph, plan.Map)):
            inner[node.graph.name] = unbound(node.graph)
    return Graph(compiled, {}, inner)


async def look(store: Store, graph: Graph[Any], run_id: str) -> tuple[BarrierInfo, ...]:
    """The barriers that a stored run waits at. Raises RunNotFound, GraphMismatch, CheckpointCorrupted."""
    run = await store.get_run(run_id)
    if run.hash != graph.hash:
        raise await mismatch(store, graph, run)
    blank = blanks(graph)
    position = await rebuild(store, graph, run, blank)
    return waiting_barriers(run_id, position.root)


async def decide(
    graph: Graph[Any],
    store: Store,
    run_id: str,
    barrier: str,
    decision: BarrierDecision,
    *,
    actor: str,
    clock: Clock | None = None,
) -> int:
    """Record an answer; whoever drives the run applies it. Returns the decision's id.

    Raises:
        RunNotFound, GraphMismatch, StorageError.
        DecisionRefused: it does not fit, or what was shown has changed.
    """
    if not actor.strip():
        raise LgcError("a decision needs an actor", run=run_id)
    run = await store.get_run(run_id)
    waiting = await look(store, graph, run_id)
    refuse_stale(barrier, waiting, run.status)
    refuse_second(await store.decisions(run_id, waiting=True), waiting, barrier)
    record = to_record(graph.plan, run_id, barrier, decision, actor, (clock or SystemClock()).time())
    return await store.add_decision(record)
