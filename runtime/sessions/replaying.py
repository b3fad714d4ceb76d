"""A run as it was: its state after any step, and new runs that start from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import plan
from ..errors import GraphMismatch
from ..graph import Graph
from ..machine.position import to_snapshot
from ..store.protocols import Store
from ..store.records import CheckpointRecord, Commit, RunRecord, RunStatus
from ..values.typed_json import encode_state
from .legs import graph_of as graph_of_hash
from .legs import leg_at, legs_of
from .mismatch import mismatch, short
from .restore import blanks, looked_at, rebuild


async def replay(
    store: Store,
    run_id: str,
    to_step: int | None = None,
    *,
    graph: Graph[Any] | None = None,
    transients: Mapping[str, object] | None = None,
) -> Any:
    """The state of a run after a step (the last by default), rebuilt from the log. Calls no node.

    A step that was made before the run was moved to another graph gives the state that it had then, under the
    graph of that time. `graph` may be left out: then a graph of the hash that was bound in this process is
    taken, or one that is made of the stored form.

    Raises RunNotFound, GraphMismatch, CheckpointCorrupted, CheckpointNotFound.
    """
    run = await store.get_run(run_id)
    if graph is None:
        graph = await graph_of_hash(store, leg_at(await legs_of(store, run), to_step).hash)
    return (await looked_at(store, graph, run, to_step, transients)).root.state


async def fork(store: Store, graph: Graph[Any], run_id: str, step: int, new: str, now: float) -> None:
    """Make a new run that starts from the position after a step of another, also in the middle of a branch.

    What waits there waits anew: its time counts from `now`. Answers and begun effects stay where they are.
    The new run is under the graph that the step was made under; at a step after which the run was moved,
    it may be either.

    Raises CheckpointNotFound, GraphMismatch, RunExists.
    """
    run = await store.get_run(run_id)
    legs = await legs_of(store, run)
    leg = leg_at(legs, step, graph.hash)
    if leg.hash != graph.hash:
        if not any(one.hash == graph.hash for one in legs):
            raise await mismatch(store, graph, run)
        raise GraphMismatch(
            leg.hash, graph.hash, (), run=run_id, step=step,
            message=f"step {step} was made under graph {short(leg.hash)}, the graph given is"
            f" {short(graph.hash)}: a run that starts from there is one of {short(leg.hash)}",
            hint="fork with the graph of that time, or from a step behind the move",
        )  # fmt: skip
    position = await rebuild(store, graph, run, blanks(graph), step)
    for frame in position.root.active():
        frame.since = now
    # Cancelled until the place is there, too: it must not be begun from `start` should this process die now.
    record = RunRecord(
        new, run.graph, graph.hash, RunStatus.CANCELLED, encode_state(position.root.state), now, now,
        error="its fork was interrupted", launch=run.launch, parent=f"{run_id}@{step}",
    )  # fmt: skip
    await store.create_run(record)
    fence = await store.take(new, "")
    snapshot = CheckpointRecord(f"{new}@0", new, 0, graph.hash, now, to_snapshot(position.root))
    await store.commit(Commit(new, fence, status=RunStatus.RUNNING, snapshot=snapshot))


async def put_graphs(store: Store, compiled: plan.Graph[Any]) -> None:
    """Keep the canonical form of a graph and of those it uses."""
    await store.put_graph(compiled.hash, compiled.name, compiled.canonical)
    for node in compiled.nodes.values():
        if isinstance(node, (plan.Subgraph, plan.Map)):
            await put_graphs(store, node.graph)
