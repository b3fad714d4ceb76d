"""Answer a barrier from a process that runs nothing: only the plan is needed, no node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from .. import plan
from ..clock import Clock, SystemClock
from ..errors import DecisionRefused
from ..graph import Graph
from ..sessions.restore import looked_at
from ..store.protocols import Store
from ..store.records import DecisionRecord
from .addressing import Standing, addressed, overtaken
from .barrier import BarrierDecision, BarrierInfo, to_record
from .standing import waiting_barriers

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
    position = await looked_at(store, graph, await store.get_run(run_id))
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
        DecisionRefused: it does not fit, comes too late or second, or what was shown has changed.
        MutationRejected: a mutation that the barrier does not let the decider record.
    """
    demand_actor(actor, run_id)
    now = (clock or SystemClock()).time()
    record = to_record(graph.plan, run_id, barrier, decision, actor, now)
    run = await store.get_run(run_id)
    position = await looked_at(store, graph, run)
    standing = Standing(run_id, position.root, run.status, await store.decisions(run_id), record.time)
    return await keep(store, replace(record, barrier=addressed(standing, barrier)))


def demand_actor(actor: str, run: str) -> None:
    """Refuse an answer that nobody gives. Raises DecisionRefused."""
    if not actor.strip():
        raise DecisionRefused("an answer needs an actor: who gives it", run=run)


async def keep(store: Store, record: DecisionRecord) -> int:
    """Store an answer; its id. Raises DecisionRefused where another process was faster."""
    id = await store.add_decision(record)
    if (refused := overtaken(await store.decisions(record.run), replace(record, id=id))) is not None:
        raise refused
    return id
