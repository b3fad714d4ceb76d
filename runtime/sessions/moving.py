"""Taking a run to another graph: what would become of it, and doing it in one commit.

The position is rebuilt under the graph that the run is under, as that is stored, and carried over as JSON
(`lgc.runtime.migrating`). Then one commit writes who moved it how and why, both positions, the run's new
hash, and what becomes of begun effects and of answers. Before it nothing has changed, after it all has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import plan
from ..barriers.standing import waiting_barriers
from ..compat.verdict import Reason, RunVerdict
from ..errors import GraphMismatch, LgcError, RunFenced
from ..forms.version import Version, version_of_plan
from ..graph import Graph
from ..machine.frame import Frame
from ..machine.position import from_snapshot, to_snapshot, unfold
from ..migrating.chain import chain_from, versions_between
from ..migrating.moved import moved
from ..store.protocols import Store
from ..store.records import (
    AttemptRecord,
    CheckpointRecord,
    Commit,
    OverrideRecord,
    RunRecord,
    RunStatus,
)
from ..values.state import Transients
from .leftovers import Leftovers, leftovers
from .legs import Leg, after_move, before_move, graph_from, legs_of, version_of
from .mismatch import changes_of, mismatch, refusal, short, verdict_of
from .modes import RestoreMode
from .replaying import put_graphs
from .restore import Reading, as_left, blanks

OVER = (RunStatus.DONE, RunStatus.CANCELLED)


class Wish(NamedTuple):
    """How a run is to be moved: in which mode, why, by whom, and when (0.0: not at all)."""

    mode: RestoreMode
    reason: str
    actor: str
    time: float


class Told(NamedTuple):
    """Something that is observed of a move: a sentence, and data for its event."""

    text: str
    data: dict[str, Any]


class Carried(NamedTuple):
    """A position under two graphs.

    Attributes:
        step: the last one.
        before, after: as JSON; `after` is "" where there are reasons.
        reasons: why it cannot be carried over.
        roots: the frames of both; the old ones twice where there are reasons.
        left: what becomes of attempts and answers.
    """

    step: int
    before: str
    after: str
    reasons: tuple[Reason, ...]
    roots: tuple[Frame, Frame]
    left: Leftovers


class Move:
    """One run on its way to another graph. Made by `of`.

    Attributes:
        verdict: whether it may go on there; None where nobody can tell.
    """

    def __init__(
        self, store: Store, graph: Graph[Any], run: RunRecord, wish: Wish, versions: tuple[Version, Version],
        legs: list[Leg], verdict: RunVerdict | None,
    ) -> None:  # fmt: skip
        self.verdict = verdict
        self._store = store
        self._graph = graph
        self._run = run
        self._wish = wish
        self._old, self._new = versions
        self._legs = legs
        self._chain: Sequence[plan.Migration] = chain_from(self._new, run.hash) or ()

    @classmethod
    async def of(cls, store: Store, graph: Graph[Any], run: RunRecord, wish: Wish) -> Move:
        """Judge the run. Raises GraphMismatch where the graph that it is under is not known."""
        new = version_of_plan(graph.plan)
        try:
            old = await version_of(store, run.hash)
        except LgcError as error:
            raise await mismatch(store, graph, run) from error
        if old is None:
            raise await mismatch(store, graph, run)
        return await cls._judged(store, graph, run, wish, (old, new))

    async def again(self, run: RunRecord) -> Move:
        """The same, judged anew: the run may have gone on, under the graph that it was under."""
        return await self._judged(self._store, self._graph, run, self._wish, (self._old, self._new))

    @classmethod
    async def _judged(
        cls, store: Store, graph: Graph[Any], run: RunRecord, wish: Wish, versions: tuple[Version, Version]
    ) -> Move:
        verdict = await verdict_of(store, *versions, run)
        return cls(store, graph, run, wish, versions, await legs_of(store, run), verdict)

    def refuse(self) -> None:
        """Raise GraphMismatch where the mode does not allow the move, LgcError where reason or actor miss."""
        mode, reason, actor, _ = self._wish
        if mode is RestoreMode.FORCE and self._run.status not in OVER:
            if not (reason.strip() and actor.strip()):
                raise LgcError("a forced restore needs a reason and an actor", run=self._run.run)
            return
        # Old workers must not take back what newer ones have moved, however harmless it looks.
        back = any(leg.hash == self._new.hash for leg in self._legs)
        if back or self._run.status in OVER or not mode.accepts(self.verdict):
            raise self._refusal(())

    async def carried(self) -> Carried:
        """The position, carried over. Changes nothing. Raises CheckpointCorrupted, StorageError."""
        store, run = self._store, self._run
        under = graph_from(self._old)
        position = await as_left(Reading(store, under, run, blanks(under), self._legs, self._legs[-1]))
        before = to_snapshot(position.root)
        between = await versions_between(self._new, run.hash, store.get_graph)
        now = self._wish.time or None
        result = moved(before, self._old, self._new, self._chain, between=between, now=now)
        unfold(position.root)
        if result.reasons:
            roots = position.root, position.root
            return Carried(position.step, before, "", result.reasons, roots, Leftovers((), (), ()))
        new_root = from_snapshot(self._graph, result.snapshot, blanks(self._graph))
        unfold(new_root)
        roots = position.root, new_root
        left = leftovers(
            run.run, roots, (self._old, self._new), self._chain, await store.attempts(run.run),
            await store.decisions(run.run, waiting=True),
        )  # fmt: skip
        return Carried(position.step, before, result.snapshot, (), roots, left)

    def demand(self, found: Carried) -> Carried:
        """The same. Raises GraphMismatch where it cannot be carried over at all."""
        if found.reasons:
            raise self._refusal(found.reasons)
        return found

    def fit(self, found: Carried, values: Transients) -> None:
        """Raise TransientMissing where a value is not given that the run will need."""
        try:
            from_snapshot(self._graph, found.after, values)
        except LgcError as error:
            raise error.at(run=self._run.run) from None

    async def commit(self, fence: int, values: Transients) -> Sequence[Told]:
        """Move the run, under the token; what a person should know of it.

        Raises GraphMismatch, TransientMissing, RunFenced, StorageError: nothing has happened.
        """
        store, run, wish = self._store, self._run, self._wish
        found = self.demand(await self.carried())
        self.fit(found, values)
        await put_graphs(store, self._graph.plan)
        number, step = len(self._legs), found.step
        override = OverrideRecord(
            run.run, step, wish.actor, wish.reason, run.hash, self._new.hash, wish.time, str(wish.mode)
        )
        ids = before_move(run.run, step, number), after_move(run.run, step, number)
        gone = [*(old for old, _ in found.left.renamed), *found.left.cleared]
        await store.commit(
            Commit(
                run.run, fence, status=self._status(found), error=run.error, override=override,
                kept=(CheckpointRecord(ids[0], run.run, step, run.hash, wish.time, found.before),),
                snapshot=CheckpointRecord(ids[1], run.run, step, self._new.hash, wish.time, found.after),
                settled=tuple([(one.frame, one.node, one.visit) for one in gone]),
                attempts=tuple([new for _, new in found.left.renamed]),
                aside=tuple([one.id for one in found.left.aside]),
            )
        )  # fmt: skip
        return self._told(override, found.left)

    def _told(self, move: OverrideRecord, left: Leftovers) -> Sequence[Told]:
        """One sentence for the move, and one for each thing that did not come along."""
        head = f"the run was moved from graph {short(move.expected)} to {short(move.actual)} ({move.mode})"
        data = {
            "mode": move.mode, "actor": move.actor, "reason": move.reason, "expected": move.expected,
            "actual": move.actual, "step": move.step,
        }  # fmt: skip
        lines = [f"`{place_of(old)}`, which was begun, is `{place_of(new)}` now" for old, new in left.renamed]
        lines += [
            f"`{place_of(one)}` was begun, and whether it happened is no longer asked" for one in left.cleared
        ]
        lines += [
            f"the answer `{one.answer}` to `{one.node}` by {one.actor} fits nothing now: it was set aside"
            for one in left.aside
        ]
        return [Told(head, {"moved": data}), *(Told(line, {}) for line in lines)]

    def _status(self, found: Carried) -> RunStatus | None:
        """The status of the run, where the move changes it."""
        old, new = (len(waiting_barriers(self._run.run, root)) for root in found.roots)
        match self._run.status:
            case RunStatus.WAITING if old != new:
                return RunStatus.RUNNING  # it stands elsewhere now, and can go on
            case RunStatus.UNCERTAIN if found.left.cleared:
                return RunStatus.RUNNING  # whoever takes it up says so again where something is left
            case _:
                return None

    def _refusal(self, reasons: Sequence[Reason]) -> GraphMismatch:
        why = [f"- {reason.text}" + (f" ({reason.place})" if reason.place else "") for reason in reasons]
        if why:
            why = ["the position of the run cannot be carried over:", *why]
        moves = [leg.move for leg in self._legs if leg.move and leg.move.expected == self._new.hash]
        error = refusal(
            self._run, self._new, changes_of(self._old, self._new), self.verdict,
            moves[-1] if moves else None, why=why,
        )  # fmt: skip
        if reasons:
            error.hint = (
                "write a migration that says what becomes of it (`lgc migrate` drafts one; `move` takes a run"
                " from a node that is gone), and restore in mode migrate"
            )
        return error


class Moving:
    """What `Session.restore` does where the graph given is not the run's.

    It looks before the run is taken, so that a refusal disturbs nobody, and moves it after, when nobody else
    can change it any more.
    """

    def __init__(self, store: Store, graph: Graph[Any], wish: Wish) -> None:
        self._store = store
        self._graph = graph
        self._wish = wish
        self._run: RunRecord | None = None
        self._found: tuple[Move, Carried] | None = None

    async def look(self, run: RunRecord) -> None:
        """Raises GraphMismatch, LgcError where the run is not to be moved."""
        self._run = run
        if run.hash == self._graph.hash:
            return
        try:
            move = await Move.of(self._store, self._graph, run, self._wish)
            move.refuse()
            self._found = move, move.demand(await move.carried())
        except LgcError:
            await self._still_there(run)  # what was wrong may be that it was moved while it was looked at
            raise

    def fit(self, values: Transients) -> None:
        """Raises TransientMissing where a value is not given that the run will need there."""
        if self._found is not None:
            move, found = self._found
            move.fit(found, values)

    async def go(self, fence: int, values: Transients) -> Sequence[Told]:
        """Move the run if need be, under the token of who has taken it; what a person should know of it.

        Raises RunFenced where somebody else was faster, else as `look`.
        """
        assert self._run is not None
        run = await self._still_there(self._run)
        if self._found is None:
            return ()
        # Judged once more: it may have gone on until it was taken.
        move = await self._found[0].again(run)
        move.refuse()
        return await move.commit(fence, values)

    async def _still_there(self, run: RunRecord) -> RunRecord:
        now = await self._store.get_run(run.run)
        if now.hash != run.hash:
            what = f"the run was moved to graph {short(now.hash)} by somebody else just now"
            raise RunFenced(what, run=run.run)
        return now


def place_of(attempt: AttemptRecord) -> str:
    return f"{attempt.frame}/{attempt.node}" if attempt.frame else attempt.node
