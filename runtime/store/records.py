"""The records that a store keeps of a run, and what is written together.

All times are seconds since the epoch (UTC). Texts that hold data of a run (`input`, `mutations`, `snapshot`,
`arguments`) are JSON and pass through the store's codec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run.

    Attributes:
        run: the run id, which is also the trace id.
        graph: name of the graph.
        hash: hash of the graph that the run is now under.
        status: where it stands.
        input: the durable fields of the state that the run started with, as JSON.
        created, updated: times.
        owner: who drives it, for people ("" for nobody).
        fence: the fencing token; it only grows.
        error: why it failed, "" otherwise.
        launch: how it was started (JSON; the command line's business), "" where unknown.
        parent: `RUN@STEP` of the run that it was forked from, "" for none.
        lease: until when the owner counts as being at work (seconds since the epoch), 0.0 for not at all.
    """

    run: str
    graph: str
    hash: str
    status: RunStatus
    input: str
    created: float
    updated: float
    owner: str = ""
    fence: int = 0
    error: str = ""
    launch: str = ""
    parent: str = ""
    lease: float = 0.0


def owner_name(name: str) -> str:
    """An owner without the trace by which its process can be found: for people."""
    return name.partition("~")[0]


class MutationRecord(NamedTuple):
    """One committed step. (A tuple: reading back a long log makes very many of them.)

    Attributes:
        run, step: whose and which, from 1.
        frame: path of the frame, "" for the graph's own (`check/facts`, `review`, `each[3]/check/facts`).
        node, visit: which node completed, for which time in its frame.
        outcome: `ok`, `error`, `timeout`, the name of an answer, `reroute`, `skip`.
        next: the node that the frame goes on with, `end`, or "" where the frame has failed.
        edge: key of the edge taken where its `max_visits` is counted, "" otherwise.
        mutations: JSON array of `{"m": name, "p": parameters}`; see `lgc.runtime.store.codec`.
        time: of the commit.
        duration: seconds that the node took.
        attempt: which attempt succeeded.
        cost: tokens.
        error: text of the error that an `error` outcome took, "" otherwise.
        checkpoint: id of the checkpoint made with this step, "" for none.
        hash: hash of the graph that the step was made under.
        detail: JSON object with what else replaying needs (merged values, the answer), "" for nothing.
    """

    run: str
    step: int
    frame: str
    node: str
    visit: int
    outcome: str
    next: str
    edge: str
    mutations: str
    time: float
    duration: float
    attempt: int
    cost: float
    error: str
    checkpoint: str
    hash: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A named recovery point.

    `snapshot` is the whole position as JSON where compaction put one, "" where the checkpoint refers to the
    nearest earlier snapshot and the log after it. `checksum` covers everything else in the record. One that
    is not `listed` is no recovery point for people (any more): its snapshot only saves reading the log.

    Where a run was moved to another graph, the log alone does not lead from one to the other: checkpoints
    with a snapshot and a name of their own, of the step after which it was moved, stay.
    """

    id: str
    run: str
    step: int
    hash: str
    created: float
    snapshot: str = ""
    checksum: str = ""
    listed: bool = True


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """An answer to a barrier: a command, never part of the state.

    Attributes:
        id: given by the store, growing; 0 before it is stored.
        barrier: exact barrier id, or "" where addressed by node.
        node: the barrier's node (with its frame path in front where nested), for any visit.
        answer: name of the answer, or `reroute`.
        arguments: JSON object of the answer's arguments (`{"node": …}` for a reroute).
        mutations: JSON array like a log record's: what the decider records.
        actor: who.
        time: when.
        step: the step that applied it, 0 while it waits, -1 where it was set aside.
    """

    run: str
    barrier: str
    node: str
    answer: str
    arguments: str
    mutations: str
    actor: str
    time: float
    id: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """A call of an `effect once` node about to be made; settled by the step that commits the visit."""

    run: str
    frame: str
    node: str
    visit: int
    attempt: int
    time: float


@dataclass(frozen=True, slots=True)
class OverrideRecord:
    """A move: who took a run from one graph to another, how, and why.

    Attributes:
        run, step: whose, and the last step before it.
        actor, reason: who and why; the reason is "" where none had to be given.
        expected, actual: hashes of the graph that the run was under, and of the one that it is under now.
        time: when.
        mode: `compatible`, `migrate` or `force`.
    """

    run: str
    step: int
    actor: str
    reason: str
    expected: str
    actual: str
    time: float
    mode: str = "force"


class Commit(NamedTuple):
    """Everything that becomes durable together. (A tuple: every step makes one.)

    Attributes:
        run, fence: whose, under which token.
        record: the step, or None where only the rest changes.
        status: the run's new status, or None to leave it.
        error: the run's new error text (only with a status).
        snapshot: a checkpoint with its materialised snapshot to keep, or None. Older snapshots of the run,
            all but the newest two, are given up with it: those of steps that are checkpoints become
            checkpoints by reference, those that are not listed go. Kept are those which the log cannot give
            back: of step 0, of a name of their own, and the oldest that a truncated log can start from.
        decision: id of the decision that this step applied, 0 for none. Without a record it is set aside
            (its step becomes -1): it no longer waits and no step has applied it.
        attempt: an attempt to record before its call, or None.
        settled: (frame, node, visit) of attempts that a person has settled; they are forgotten.
        override: a move to record (the run's hash becomes `override.actual`), or None.
        lease: until when the owner now counts as being at work (0.0: no longer), or None to leave it.
        kept: further checkpoints with snapshots, older than `snapshot`.
        attempts: further attempts to record.
        aside: ids of decisions that are set aside.
    """

    run: str
    fence: int
    record: MutationRecord | None = None
    status: RunStatus | None = None
    error: str = ""
    snapshot: CheckpointRecord | None = None
    decision: int = 0
    attempt: AttemptRecord | None = None
    settled: tuple[tuple[str, str, int], ...] = ()
    override: OverrideRecord | None = None
    lease: float | None = None
    kept: tuple[CheckpointRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    aside: tuple[int, ...] = ()


class RunSize(NamedTuple):
    """How much one run takes: bytes of its log and snapshots."""

    run: str
    steps: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much a store holds.

    Attributes:
        runs: how many runs of each status.
        steps, checkpoints, snapshots, decisions, graphs, values: how many records; `checkpoints` counts those
            that are listed, with and without snapshots, `values` the large values that are kept once each.
        bytes: what they take, by kind (`log`, `snapshots`, `values`, `graphs`, `other`), and `total`: what
            the store takes on its medium, indices and free space included.
        free: bytes of `total` that are free for new records.
        biggest: the runs that take most, at most ten, the biggest first.
    """

    runs: Mapping[RunStatus, int]
    steps: int
    checkpoints: int
    snapshots: int
    decisions: int
    graphs: int
    values: int
    bytes: Mapping[str, int]
    free: int = 0
    biggest: Sequence[RunSize] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """Something stored that is not what was written. `run` is "" and `step` None where that is not known."""

    what: str
    run: str = ""
    step: int | None = None
