"""What a restore under another graph would do, without doing it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..compat.verdict import RunVerdict
from ..errors import GraphMismatch, LgcError
from ..graph import Graph
from ..store.protocols import Store
from ..store.records import AttemptRecord, DecisionRecord
from .modes import RestoreMode
from .moving import Move, Wish, place_of


@dataclass(frozen=True, slots=True)
class Preview:
    """What restoring a run under another graph would do.

    Attributes:
        run, mode: which run, how.
        expected, actual: hashes of the graph that it is under, and of the one given.
        verdict: whether it may; None where the graph is the same, or nobody can tell.
        refused: why it would not be done, all of it, "" where it would.
        why, hint: the same in one sentence where it is not the mode alone, and the way out.
        step: the last step.
        before, after: the durable fields of the state now and then, as JSON; `after` is None where the
            position cannot be carried over.
        parked: where it would stand: each active frame's node, with the frame path in front.
        renamed: begun effects that would go on under another name, by their old and new places.
        cleared: begun effects that would be forgotten.
        aside: answers that would be set aside.
    """

    run: str
    mode: RestoreMode
    expected: str
    actual: str
    verdict: RunVerdict | None
    refused: str
    step: int
    before: dict[str, Any]
    after: dict[str, Any] | None
    parked: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    cleared: tuple[AttemptRecord, ...] = ()
    aside: tuple[DecisionRecord, ...] = ()
    why: str = ""
    hint: str = ""


async def preview(
    store: Store,
    graph: Graph[Any],
    run_id: str,
    mode: RestoreMode = RestoreMode.COMPATIBLE,
    *,
    reason: str = "",
    actor: str = "",
) -> Preview:
    """What `Session.restore` under a graph would make of a run: verdict and state, without writing anything.

    Args:
        graph: the graph to go on under, bound or not.
        mode, reason, actor: as they would be given.

    Raises RunNotFound, CheckpointCorrupted, StorageError.
    """
    run = await store.get_run(run_id)
    mode = RestoreMode(mode)
    move = await Move.of(store, graph, run, Wish(mode, reason, actor, 0.0))
    problem: LgcError | None = None
    found = await move.carried()
    try:
        if run.hash != graph.hash:
            move.refuse()
        move.demand(found)
    except LgcError as error:
        problem = error
    why = ""
    if problem is not None and not isinstance(problem, GraphMismatch):
        why = problem.message
    elif found.reasons:
        why = "; ".join(one.text for one in found.reasons)
    return Preview(
        run.run, mode, run.hash, graph.hash, move.verdict, "" if problem is None else str(problem),
        found.step, _fields(found.before), _fields(found.after) if found.after else None,
        tuple([frame.where() for frame in found.roots[1].active()]) if found.after else (),
        tuple([(place_of(old), place_of(new)) for old, new in found.left.renamed]),
        found.left.cleared, found.left.aside, why, "" if problem is None else problem.hint,
    )  # fmt: skip


def _fields(snapshot: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(snapshot)["root"]["state"]
    return fields
