"""From a completed node to its durable record: one transaction for a step, with all that belongs to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from .. import plan
from ..clock import Clock
from ..errors import LgcError, StorageError, storable, text_of
from ..machine.completion import Completion
from ..machine.frame import Frame
from ..machine.position import detail_of, to_snapshot
from ..observation.events import EventKind
from ..observation.observed import Observed
from ..observation.sinks import CheckpointSink, StreamSink, TraceSink
from ..store.archives.archived import Archive
from ..store.protocols import Store
from ..store.records import AttemptRecord, CheckpointRecord, Commit, MutationRecord, RunStatus
from ..values.typed_json import encode_mutations
from .failures import fatal
from .lane import Lane
from .policy import Compaction, TriggerPolicy, Triggers
from .retention import Retainer, Retention, RetentionPolicy


class ExecutionEntry(NamedTuple):
    """One committed step, as the process that made it saw it. Times in seconds since the epoch."""

    step: int
    node: str
    start: float
    end: float
    success: bool
    error: str = ""


_MUTATION = frozenset({"mutation"})

# From a tuple to an entry without a call in Python: a run may have very many.
_entry: Callable[[tuple[Any, ...]], ExecutionEntry] = partial(
    tuple.__new__,  # pyright: ignore[reportUnknownMemberType]
    ExecutionEntry,
)


class Committing(Observed):
    """A run whose steps are committed; the engine is one.

    Attributes:
        store, fence: where it is kept, and under which token; None: nowhere.
        triggers, retainer, compaction: the policies that it follows.
        broken: why nothing more can be committed, None while it can.
    """

    def __init__(
        self,
        root: Frame,
        *,
        run: str,
        step: int,
        store: Store | None,
        fence: int,
        clock: Clock,
        triggers: TriggerPolicy | None,
        snapshot_bytes: int,
        attempts: Sequence[AttemptRecord],
        stream_sink: StreamSink | None,
        trace_sink: TraceSink | None,
        checkpoint_sink: CheckpointSink | None,
    ) -> None:
        super().__init__(
            root, run, step, clock,
            stream_sink=stream_sink, trace_sink=trace_sink, checkpoint_sink=checkpoint_sink,
        )  # fmt: skip
        self.store = store
        self.fence = fence
        self.triggers: TriggerPolicy = triggers or Triggers(root.plan.checkpointing, self.clock.time())
        self.retainer: Retainer | None = None
        self.compaction = Compaction(root.plan.checkpointing, snapshot_bytes)
        # Calls of `effect once` nodes that were begun and whose step is not committed: (frame, node, visit).
        self.begun = dict.fromkeys([(a.frame, a.node, a.visit) for a in attempts])  # in their order
        self.again: dict[tuple[str, str, int], str] = {}  # those that a person lets happen again, and who
        # Field after field, made into ExecutionEntry when asked for: a step should not pay for what few look
        # at, nor leave a tuple that the garbage collector looks through.
        self.entries: list[Any] = []
        # Steps are committed in their order, also by lanes side by side: by the store, where it says that it
        # keeps the order in which it is called, otherwise one at a time.
        in_order = store is None or getattr(type(store).commit, "in_order", False)
        self._turn = None if in_order else asyncio.Lock()
        self.broken: LgcError | None = None
        # Whether an element of a map began later than the log can tell: what it waits for counts from then.
        self.began_late = False

    @property
    def log(self) -> tuple[ExecutionEntry, ...]:
        """The steps that this engine committed."""
        entry = iter(self.entries)
        return tuple(map(_entry, zip(*[entry] * len(ExecutionEntry._fields), strict=True)))

    # --- commits ------------------------------------------------------------------------------------------

    def count_step(self, frame: Frame, node: str, started: float, duration: float) -> None:
        """A step that nobody keeps or watches."""
        self.step = step = self.step + 1
        frame.since = ended = started + duration
        where = node if not frame.path else f"{frame.path}/{node}"
        self.entries += (step, where, started, ended, True, "")

    async def commit_step(
        self,
        lane: Lane,
        frame: Frame,
        done: Completion,
        *,
        started: float,
        duration: float,
        attempt: int = 1,
        cost: float = 0.0,
        error: str = "",
        text: str | None = None,
        asked: bool = False,
        joined: bool = False,
        decision: int = 0,
        detail: dict[str, Any] | None = None,
        events: frozenset[str] = frozenset(),
        error_type: str = "",
        resolved: dict[str, Any] | None = None,
    ) -> None:
        """Make a completion durable; the frame has already moved.

        Raises:
            RunFenced, StorageError: the session is over; the store is as before this step.
        """
        self.step = step = self.step + 1
        if error:
            error = storable(error)
        ended = done.next == plan.END and frame.parent is None
        now = started + duration
        frame.since = now
        checkpoint = ""
        if self.store is not None:
            now = frame.since = self.clock.time()
            try:
                checkpoint = await self._store_step(
                    lane, frame, done, now, duration, attempt, cost, error, text, asked, joined, decision,
                    detail, ended, events,
                )  # fmt: skip
            except BaseException as failure:
                raise self._broke(failure, frame, done.node) from failure.__cause__
        where = f"{frame.path}/{done.node}" if frame.path else done.node
        self.entries += (step, where, started, started + duration, not error, error)
        if self.trace_sink is not None:
            self._tell_step(
                frame, done, step, duration, attempt, cost, error, error_type, checkpoint, resolved
            )
        if checkpoint and self.checkpoint_sink is not None and not lane.stopping:
            await self.tell_checkpoint(frame, done.node, done.visit)

    def _tell_step(
        self,
        frame: Frame,
        done: Completion,
        step: int,
        duration: float,
        attempt: int,
        cost: float,
        error: str,
        error_type: str,
        checkpoint: str,
        resolved: dict[str, Any] | None,
    ) -> None:
        """Tell of a step that is durable now."""
        self.told, node, visit = step, done.node, done.visit
        if resolved is not None:
            self.say(EventKind.BARRIER_RESOLVED, frame, node, step, visit=visit, **resolved)
        told: dict[str, Any] = {
            "visit": visit, "attempt": attempt, "next": done.next, "outcome": done.outcome,
            "duration": duration, "cost": cost, "error": error, "checkpoint": checkpoint,
            "mutations": [one.mutation.__lg_name__ for one in done.applied],
        }  # fmt: skip
        if error:
            told["type"] = error_type
        self.node_over(
            EventKind.NODE_FAILED if error else EventKind.NODE_COMPLETED, frame, node, step, **told
        )
        if checkpoint:
            self.say(EventKind.CHECKPOINT_SAVED, frame, node, step, visit=visit, checkpoint=checkpoint)

    async def _store_step(
        self,
        lane: Lane,
        frame: Frame,
        done: Completion,
        now: float,
        duration: float,
        attempt: int,
        cost: float,
        error: str,
        text: str | None,
        asked: bool,
        joined: bool,
        decision: int,
        detail: dict[str, Any] | None,
        ended: bool,
        events: frozenset[str],
    ) -> str:
        """Commit the record of a step; the id of the checkpoint made with it."""
        what = events
        if done.applied:
            what = what | _MUTATION if what else _MUTATION
        if ended:
            what |= {"completion"}
        try:
            due = self.triggers.due(
                events=what, now=now, duration=duration, tokens=cost, effects=len(done.applied)
            )
        except Exception as problem:  # a policy of the caller's must not cost the step
            due = True
            told = f"trigger policy: {type(problem).__name__}: {text_of(problem)}"
            self.observe(frame, told, node=done.node, visit=done.visit)
        checkpoint = f"{self.run}@{self.step}" if due or asked else ""
        if asked and not due:
            self.asked_checkpoint(now)
        found = detail_of(frame, done, joined) | (detail or {}) if joined or detail or done.merged else None
        record = MutationRecord(
            self.run, self.step, frame.path, done.node, done.visit, done.outcome, done.next, done.edge,
            encode_mutations(done.applied) if text is None else text,
            now, duration, attempt, cost, error, checkpoint, self.root.plan.hash,
            _dumps(found) if found else "",
        )  # fmt: skip
        settled = self._settled(frame, done, joined) if self.begun else ()
        await self.commit(
            lane,
            Commit(
                self.run, self.fence, record,
                RunStatus.DONE if ended else None,
                snapshot=self._snapshot(record), decision=decision, settled=settled,
                lease=0.0 if ended else None,
            ),
        )  # fmt: skip
        if checkpoint and self.retainer is not None:
            self.retainer.made()
        return checkpoint

    def retain(self, policy: RetentionPolicy | None, archive: Archive | None, *, listed: int | None) -> None:
        """Look after the checkpoints of the run from now on; `listed` is how many there are, where known."""
        policy = Retention.of(self.root.plan.checkpointing) if policy is None else policy
        if self.store is not None and not (isinstance(policy, Retention) and policy.all):
            self.retainer = Retainer(
                self.store, self.run, policy, self.clock, partial(self.observe, None),
                archive=archive, listed=listed,
            )  # fmt: skip

    def asked_checkpoint(self, now: float) -> None:
        """A checkpoint is made because somebody asked: triggers count from here."""
        made = getattr(self.triggers, "made", None)
        if made is not None:
            made(now)

    def _settled(self, frame: Frame, done: Completion, joined: bool) -> tuple[tuple[str, str, int], ...]:
        """Begun calls that nobody asks for any more: this visit's, and those in children that are left."""
        here = frame.where(done.node)
        self.begun.pop((frame.path, done.node, done.visit), None)
        inside = (f"{here}/", f"{here}[")
        left = [key for key in self.begun if joined and (key[0] == here or key[0].startswith(inside))]
        for key in left:
            del self.begun[key]
        return tuple(left)

    def _broke(self, error: BaseException, frame: Frame, node: str) -> BaseException:
        """A step could not be stored: the frames are ahead of the store now, and must not go on."""
        if isinstance(error, Exception) and not fatal(error):
            what = f"the step could not be stored: {text_of(error)}"
            failure: LgcError = StorageError(what, hint=getattr(error, "hint", None))
            failure.__cause__ = error
            error = failure
        if isinstance(error, LgcError):
            error.at(run=self.run, node=frame.where(node), step=self.step)
        self.broken = error if isinstance(error, LgcError) else StorageError("a commit was interrupted")
        return error

    def _snapshot(self, record: MutationRecord) -> CheckpointRecord | None:
        if not self.compaction.due(len(record.mutations) + len(record.detail) + 100):
            return None
        text = to_snapshot(self.root)
        self.compaction.made(len(text))
        # Triggers decide what people see, compaction only how much of the log a restore has to read.
        return CheckpointRecord(
            f"{self.run}@{record.step}", self.run, record.step, record.hash, record.time, text,
            listed=bool(record.checkpoint),
        )  # fmt: skip

    async def commit(self, lane: Lane | None, commit: Commit) -> None:
        """One transaction; a lane that should stop does so only after it."""
        assert self.store is not None
        if lane is not None:
            lane.committing = True
        try:
            if self._turn is None:
                await self.store.commit(commit)
            else:
                async with self._turn:
                    await self.store.commit(commit)
        except LgcError:
            raise
        except Exception as error:
            raise StorageError(
                f"the store failed: {type(error).__name__}: {text_of(error)}", run=self.run, step=self.step
            ) from error
        finally:
            if lane is not None:
                lane.committing = False


def _dumps(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))
