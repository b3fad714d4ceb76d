"""From a stored run to its position: the newest snapshot of the graph asked for, and the log after it."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, NamedTuple

from ..engine.catching_up import redo_all
from ..errors import (
    CheckpointCorrupted,
    CheckpointNotFound,
    LgcError,
    SerializationError,
    TransientMissing,
    text_of,
)
from ..graph import Graph
from ..machine.frame import Frame
from ..machine.position import begin, from_snapshot, to_snapshot, unfold
from ..migrating.chain import chain_from, versions_between
from ..migrating.moved import moved
from ..store.protocols import Store
from ..store.records import CheckpointRecord, RunRecord
from ..store.segments import segments
from ..values.state import Transients
from ..values.typed_json import decode_checkpoint
from .legs import Leg, before_move, graph_from, graph_of, leg_at, legs_of, version_of
from .mismatch import mismatch


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

    Args:
        graph: what the run was under then. Where it was moved just after the step, its hash says which of the
            two positions is meant.

    Raises:
        CheckpointCorrupted, StorageError, SerializationError, TransientMissing, CheckpointNotFound.
    """
    legs = await legs_of(store, run)
    leg = leg_at(legs, to_step, graph.hash)
    try:
        position = await as_left(Reading(store, graph, run, transients, legs, leg, to_step))
    except (CheckpointCorrupted, SerializationError):
        if to_step is None and await legs_of(store, run) != legs:  # it was moved at just this moment
            raise await mismatch(store, graph, await store.get_run(run.run)) from None
        raise
    unfold(position.root)
    return position


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read back: a run, under the graph of one of its legs, up to a step (None: to the end of it)."""

    store: Store
    graph: Graph[Any]
    run: RunRecord
    transients: Mapping[str, object]
    legs: Sequence[Leg]
    leg: Leg
    to_step: int | None = None


async def as_left(asked: Reading) -> Position:
    """The position, with those frames only that steps have touched. Raises as `rebuild` does."""
    run, to_step = asked.run, asked.to_step
    tried = -1
    while True:
        try:
            return await _rebuilt(asked)
        except _Gap as gap:
            newest = await asked.store.latest_snapshot(run.run)
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


async def _rebuilt(asked: Reading) -> Position:
    store, run, to_step = asked.store, asked.run, asked.to_step
    root, start, snapshot_bytes = await _begun(asked)
    step, size = start, 0
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
    if not snapshot_bytes and not step and to_step != 0:
        await _refuse_lost(store, run)
    if to_step is not None and step != to_step:
        raise CheckpointNotFound(f"run `{run.run}` has no step {to_step} (its last is {step})", run=run.run)
    return Position(root, step, snapshot_bytes, step - start, size)


async def _begun(asked: Reading) -> tuple[Frame, int, int]:
    """What the log is done again from: a position, its step, and how many bytes it was read from."""
    graph, run, transients = asked.graph, asked.run, asked.transients
    snapshot = await _snapshot(asked)
    if snapshot is not None:
        text = snapshot.snapshot
        return from_snapshot(graph, text, transients), snapshot.step, len(text)
    if asked.leg.move is not None:
        text = await _moved_again(asked)
        return from_snapshot(graph, text, transients), asked.leg.first, len(text)
    if run.parent:
        # Its input is the state that it was forked with, but not the place.
        raise CheckpointCorrupted(
            f"the snapshot that the run was forked with, from {run.parent}, is not there", run=run.run,
            hint="fork again, under another id",
        )  # fmt: skip
    kind = graph.plan.state
    checkpoint = decode_checkpoint(kind, run.input)
    return begin(graph, kind.restore(checkpoint, transients), run.created), 0, 0


async def _snapshot(asked: Reading) -> CheckpointRecord | None:
    """The newest good snapshot of a leg, not after a step."""
    store, run, leg, to_step = asked.store, asked.run, asked.leg, asked.to_step
    at_most = to_step
    if leg.last is not None and to_step == leg.last:
        # Snapshots of this step may be of a later leg, also under the same graph: only the name tells.
        try:
            found = await store.load(before_move(run.run, leg.last, leg.number + 1))
            if found.snapshot and found.hash == leg.hash:
                return found
        except (CheckpointNotFound, CheckpointCorrupted):
            pass
        at_most = leg.last - 1
    while at_most is None or at_most >= leg.first:
        newest = await store.latest_snapshot(run.run, at_most)
        if newest is None or newest.step < leg.first:
            return None
        if newest.hash == leg.hash:
            return newest
        at_most = newest.step - 1
    return None


async def _moved_again(asked: Reading) -> str:
    """The position that a leg begins with, where its snapshot is damaged, or was never made: runs that an
    earlier edition forced over have none."""
    store, run, leg = asked.store, asked.run, asked.leg
    before = asked.legs[leg.number - 1]
    assert leg.move is not None
    old, new = await version_of(store, before.hash), await version_of(store, leg.hash, asked.graph)
    chain = () if new is None else chain_from(new, before.hash)
    what = (
        f"the snapshot of the move after step {leg.first} is not there, or damaged, and cannot be made again"
    )
    if old is None or new is None or (chain is None and leg.move.mode == "migrate"):
        raise CheckpointCorrupted(what, run=run.run, step=leg.first)
    under = graph_from(old)
    position = await as_left(Reading(store, under, run, blanks(under), asked.legs, before, leg.first))
    between = await versions_between(new, before.hash, store.get_graph)
    again = moved(to_snapshot(position.root), old, new, chain or (), between=between, now=leg.move.time)
    if again.reasons:
        why = "; ".join(reason.text for reason in again.reasons)
        raise CheckpointCorrupted(f"{what}: {why}", run=run.run, step=leg.first)
    return again.snapshot


async def looked_at(
    store: Store,
    graph: Graph[Any],
    run: RunRecord,
    to_step: int | None = None,
    transients: Mapping[str, object] | None = None,
) -> Position:
    """The position of a run after a step (the last by default), for looking at it and not for driving it.

    A step that was made under an earlier graph of the run is looked at under that one.

    Raises GraphMismatch where the graph is none that the run was ever under (or, without a step, is under
    now), and what `rebuild` raises.
    """
    legs = await legs_of(store, run)
    leg = leg_at(legs, to_step, graph.hash)
    if leg.hash != graph.hash:
        if to_step is None or not any(one.hash == graph.hash for one in legs):
            raise await mismatch(store, graph, run)
        graph = await graph_of(store, leg.hash)
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
