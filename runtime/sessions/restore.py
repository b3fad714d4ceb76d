"""From a stored run to its position: is the graph the right one, and where does the run stand."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from inspect import isawaitable
from typing import Any, NamedTuple

from .. import plan
from ..changes.change import Change
from ..changes.compare import compare
from ..engine.catching_up import redo_all
from ..errors import (
    CheckpointCorrupted,
    CheckpointNotFound,
    GraphMismatch,
    LgcError,
    TransientMissing,
    text_of,
)
from ..graph import Graph, known
from ..machine.frame import Frame
from ..machine.position import begin, from_snapshot, to_snapshot, unfold
from ..store.protocols import Store
from ..store.records import CheckpointRecord, Commit, OverrideRecord, RunRecord, RunStatus
from ..store.segments import segments
from ..values.state import Transients
from ..values.typed_json import decode_checkpoint, encode_state


class RestoreMode(StrEnum):
    """Which graphs a run may go on under.

    `strict`: the one it was made under. `force`: any; the override is recorded with actor and reason.
    `compatible` and `migrate` are refused until the comparison of a run's history is there.
    """

    STRICT = "strict"
    COMPATIBLE = "compatible"
    MIGRATE = "migrate"
    FORCE = "force"


async def restorable(
    store: Store, graph: Graph[Any], run: RunRecord, mode: RestoreMode, reason: str, actor: str, now: float
) -> OverrideRecord | None:
    """Accept or refuse a graph for a run; the override to record where it is forced.

    Raises:
        GraphMismatch: with the element-wise changes, where the old canonical form is in the store.
        LgcError: a forced restore without reason or actor.
    """
    if run.hash == graph.hash:
        return None
    if mode is not RestoreMode.FORCE:
        raise await mismatch(store, graph, run)
    if not reason.strip() or not actor.strip():
        raise LgcError("a forced restore needs a reason and an actor", run=run.run)
    step = 0
    async for record in store.replay(run.run):
        step = record.step
    return OverrideRecord(run.run, step, actor, reason, run.hash, graph.hash, now)


async def mismatch(store: Store, graph: Graph[Any], run: RunRecord) -> GraphMismatch:
    """The error that says what changed between the graph of a run and the one given."""
    old = await store.get_graph(run.hash)
    changes = await _compare(store, old, graph.plan) if old is not None else ()
    return GraphMismatch(run.hash, graph.hash, changes, run=run.run)


async def _compare(store: Store, old: str, new: plan.Graph[Any]) -> tuple[Change, ...]:
    """What differs between a stored canonical form and a plan, that of changed subgraphs included."""
    inner = {n.graph.name: n.graph for n in new.nodes.values() if isinstance(n, (plan.Subgraph, plan.Map))}
    found: list[Change] = []
    for change in compare(old, new.canonical):
        found.append(change)
        name = change.element.removeprefix("subgraph/")
        if name == change.element or change.kind != "changed" or name not in inner:
            continue
        below = await store.get_graph(change.old or "")
        if below is not None:
            found.extend(
                replace(c, element=f"{change.element}/{c.element}", text=f"in `{name}`: {c.text}")
                for c in await _compare(store, below, inner[name])
            )
    return tuple(found)


class Position(NamedTuple):
    """Where a run stands: its frames, the last step, the sizes of the snapshot and of the log behind it that
    it was read from."""

    root: Frame
    step: int
    snapshot_bytes: int
    log_steps: int = 0
    log_bytes: int = 0


async def rebuild(
    store: Store,
    graph: Graph[Any],
    run: RunRecord,
    transients: Mapping[str, object],
    to_step: int | None = None,
) -> Position:
    """The position after a step (the last one by default). Calls no node.

    Raises:
        CheckpointCorrupted, StorageError, SerializationError, TransientMissing, CheckpointNotFound.
    """
    tried = -1
    while True:
        try:
            return await _rebuilt(store, graph, run, transients, to_step)
        except _Gap as gap:
            newest = await store.latest_snapshot(run.run)
            there = -1 if newest is None else newest.step
            # Somebody may have truncated the log just when it was read: then there is a newer snapshot.
            if not (tried < there and gap.first <= there + 1 and (to_step is None or there <= to_step)):
                raise _truncated(run, gap.first, to_step, there) from None
            tried = there


class _Gap(Exception):
    """The log does not go on where the snapshot ends, but with step `first`."""

    def __init__(self, first: int) -> None:
        super().__init__(first)
        self.first = first


async def _rebuilt(
    store: Store, graph: Graph[Any], run: RunRecord, transients: Mapping[str, object], to_step: int | None
) -> Position:
    snapshot = await store.latest_snapshot(run.run, to_step)
    if snapshot is not None:
        root, step = from_snapshot(graph, snapshot.snapshot, transients), snapshot.step
    elif run.parent:
        # Its input is the state that it was forked with, but not the place.
        raise CheckpointCorrupted(
            f"the snapshot that the run was forked with, from {run.parent}, is not there", run=run.run,
            hint="fork again, under another id",
        )  # fmt: skip
    else:
        kind = graph.plan.state
        checkpoint = decode_checkpoint(kind, run.input)
        root, step = begin(graph, kind.restore(checkpoint, transients), run.created), 0
    since, size = step, 0
    # A long log makes many small objects at once; collecting garbage meanwhile finds nothing.
    collecting = gc.isenabled()
    gc.disable()
    try:
        if to_step is None or step < to_step:
            async for records in segments(store, run.run, step + 1):
                if to_step is not None:
                    records = records[: to_step - step]
                for due, record in enumerate(records, step + 1):
                    if record.step != due:
                        raise _Gap(record.step)
                redo_all(root, records)
                step = records[-1].step
                size += sum([len(record.mutations) + len(record.detail) for record in records])
                if step == to_step:
                    break
    finally:
        if collecting:
            gc.enable()
    if snapshot is None and not step and to_step != 0:
        await _refuse_lost(store, run)
    if to_step is not None and step != to_step:
        raise CheckpointNotFound(f"run `{run.run}` has no step {to_step} (its last is {step})", run=run.run)
    unfold(root)
    return Position(root, step, len(snapshot.snapshot) if snapshot is not None else 0, step - since, size)


async def looked_at(
    store: Store,
    graph: Graph[Any],
    run: RunRecord,
    to_step: int | None = None,
    transients: Mapping[str, object] | None = None,
) -> Position:
    """The position of a run after a step (the last by default), for looking at it and not for driving it.

    Raises GraphMismatch, and what `rebuild` raises.
    """
    if run.hash != graph.hash:
        raise await mismatch(store, graph, run)
    return await rebuild(store, graph, run, blanks(graph, transients), to_step)


async def _refuse_lost(store: Store, run: RunRecord) -> None:
    """Raise CheckpointCorrupted where a run without a log has made checkpoints, with bad snapshots only."""
    begun = any(checkpoint.step for checkpoint in await store.list(run.run))
    # Where nothing was warned of, its first steps have been made this moment.
    if begun and (warnings := store.warnings()):
        raise CheckpointCorrupted(
            f"the run has no log, and no snapshot of it is good: {'; '.join(warnings)}", run=run.run
        )


def _truncated(run: RunRecord, first: int, to_step: int | None, newest: int) -> LgcError:
    """The error for steps that are no longer in the log. `newest` is the step of the newest snapshot."""
    if to_step is not None and (to_step < first - 1 or to_step < newest):
        start = max(first - 1, newest) if to_step >= first - 1 else first - 1
        return CheckpointNotFound(
            f"step {to_step} of run `{run.run}` is gone: its log was truncated and begins with step {first}",
            run=run.run,
            hint=f"the states from step {start} on are there; the archive may have the steps before",
        )
    return CheckpointCorrupted(
        f"the log goes on with step {first}, but there is no good snapshot of step {first - 1} or later to"
        " start from",
        run=run.run, step=first,
    )  # fmt: skip


async def provided(graph: Graph[Any], run: RunRecord, transients: Mapping[str, object]) -> Transients:
    """The values of transient fields: as given, or made by the functions given.

    Raises TransientMissing naming the field.
    """
    values = Transients()
    for name, value in transients.items():
        if callable(value) and _is_provider(value):
            try:
                made: Any = value()
                values[name] = await made if isawaitable(made) else made
            except Exception as error:
                why = f"{type(error).__name__}: {text_of(error)}"
                raise TransientMissing(
                    f"the provider of transient field `{name}` failed: {why}", run=run.run
                ) from error
        else:
            values[name] = value
    kind = graph.plan.state
    try:
        kind.restore(decode_checkpoint(kind, run.input), values)
    except TransientMissing as error:
        raise error.at(run=run.run) from None
    except LgcError:
        pass  # an input of an older graph: the position may fit all the same
    return values


def blanks(graph: Graph[Any], transients: Mapping[str, object] | None = None) -> Transients:
    """What is given, and nothing for every other transient field: for looking at a run without running it."""
    return Transients({**dict.fromkeys(graph.plan.state.__lg_transients__), **(transients or {})}, blank=True)


def _is_provider(value: Any) -> bool:
    # A plain function or bound method makes the value; an object that happens to be callable is one.
    return type(value).__name__ in ("function", "method", "builtin_function_or_method", "partial")


async def replay(
    store: Store,
    run_id: str,
    to_step: int | None = None,
    *,
    graph: Graph[Any] | None = None,
    transients: Mapping[str, object] | None = None,
) -> Any:
    """The state of a run after a step (the last by default), rebuilt from the log. Calls no node.

    `graph` may be left out where a graph of the run's hash was bound in this process.

    Raises RunNotFound, GraphMismatch, CheckpointCorrupted, CheckpointNotFound.
    """
    run = await store.get_run(run_id)
    graph = graph or known(run.hash)
    if graph is None:
        raise LgcError(
            f"no graph `{run.graph}` with the hash {run.hash[:20]} is bound in this process",
            run=run_id,
            hint="import the generated module, bind the graph, and pass it as graph=…",
        )
    return (await looked_at(store, graph, run, to_step, transients)).root.state


async def fork(store: Store, graph: Graph[Any], run_id: str, step: int, new: str, now: float) -> None:
    """Make a new run that starts from the position after a step of another, also in the middle of a branch.

    What waits there waits anew: its time counts from `now`. Answers and begun effects stay where they are.

    Raises CheckpointNotFound, GraphMismatch, RunExists.
    """
    run = await store.get_run(run_id)
    position = await looked_at(store, graph, run, step)
    for frame in position.root.active():
        frame.since = now
    # Cancelled until the place is there, too: it must not be begun from `start` should this process die now.
    record = RunRecord(
        new, run.graph, run.hash, RunStatus.CANCELLED, encode_state(position.root.state), now, now,
        error="its fork was interrupted", launch=run.launch, parent=f"{run_id}@{step}",
    )  # fmt: skip
    await store.create_run(record)
    fence = await store.take(new, "")
    snapshot = CheckpointRecord(f"{new}@0", new, 0, run.hash, now, to_snapshot(position.root))
    await store.commit(Commit(new, fence, status=RunStatus.RUNNING, snapshot=snapshot))


async def put_graphs(store: Store, compiled: plan.Graph[Any]) -> None:
    """Keep the canonical form of a graph and of those it uses."""
    await store.put_graph(compiled.hash, compiled.name, compiled.canonical)
    for node in compiled.nodes.values():
        if isinstance(node, (plan.Subgraph, plan.Map)):
            await put_graphs(store, node.graph)
