"""From a stored run and two versions of its graph to a verdict.

In this order, so that most runs cost little: is it the same graph; is the change one that the run cannot have
noticed, by the places where it stands; can it have noticed it by the steps that it made; and only then is its
log done again, under both versions.

The criterion is compliance with finished iterations left out: Rinderle, Reichert, Dadam, "Correctness
criteria for dynamic changes in workflow systems" (2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import LgcError
from ..forms.version import Version
from ..machine.frame import Frame
from ..migrating.chain import chain_from, versions_between
from ..migrating.moved import Moved, moved
from ..migrating.naming import Names
from ..store.protocols import Store
from ..store.records import RunRecord
from .answers import refused_answers
from .carrying import Pairs
from .counting import uncounted
from .findings import Findings
from .history import History, Trail, Visit, frames_of
from .quick import Surroundings, fits, settled, started_alike
from .replaying import Replaying
from .risks import Risks
from .sites import Sites
from .stored import Past, decisions_of, whole
from .verdict import RunVerdict, Verdict


class Judge:
    """Judges runs of one version for another; what is the same for many runs is worked out once."""

    def __init__(self, old: Version, new: Version) -> None:
        self.old = old
        self.new = new
        self._chain = chain_from(new, old.hash)
        self._between: tuple[Version, ...] | None = None
        self._sites = Sites(old, new)
        self._pairs = Pairs()
        self._around = Surroundings(self._pairs)
        self._risks = Risks(self._around)

    async def judge(self, store: Store, run: RunRecord) -> RunVerdict:
        """The verdict for a run that is under `old`. Reads the store, changes nothing, calls no user code.

        Raises CheckpointCorrupted, StorageError.
        """
        try:
            past = await whole(store, run)
            history = self._history(past)
            sure = history.settle()
            history.mark()
            blank = RunVerdict(
                run.run, self.new.name, run.hash, self.new.hash, Verdict.IDENTICAL, past.step,
                _places(history), notes=_notes(past),
            )  # fmt: skip
            if run.hash == self.new.hash:
                return blank
            return await self._judged(_Case(store, run, past, history, sure), blank)
        except LgcError as error:
            raise error.at(run=run.run) from None

    def _history(self, past: Past) -> History:
        start = None if past.snapshot is None else frames_of(past.snapshot)
        history = History(self._sites, start)
        if past.gone:
            history.begun_alike = self._around.behind(history.standing())
        history.add(past.log)
        return history

    async def _judged(self, case: _Case, blank: RunVerdict) -> RunVerdict:
        findings, carried = Findings(), None
        if not self._unnoticed(case):
            carried = await self._replayed(case, findings)
        answers = await case.store.decisions(case.run.run, waiting=True)
        if answers:
            refused_answers(answers, self._sites.root, Names(self._chain or ()), findings)
        trails = list(case.history.open())
        notes = list(blank.notes)
        if self._around.ahead(trails):
            notes.append("nothing that the run can still execute has changed")
        verdict = Verdict.INCOMPATIBLE if findings else Verdict.COMPATIBLE
        if carried is not None and (self._chain is not None or carried.migrated):
            if not findings:
                notes.append("compatible without the migration")
            verdict = Verdict.INCOMPATIBLE if carried.reasons else Verdict.MIGRATABLE
            findings.take(carried.reasons)
        attempts = await case.store.attempts(case.run.run)
        return replace(
            blank, verdict=verdict, parked=_places(case.history), reasons=findings.reasons,
            risks=self._risks.of(trails, attempts), notes=tuple(notes),
        )  # fmt: skip

    # --- without a state ----------------------------------------------------------------------------------

    def _unnoticed(self, case: _Case) -> bool:
        """Whether the run surely has not noticed the change: by where it stands, or by the steps it made."""
        history = case.history
        if self._chain is not None or not case.sure or not fits(history, self._pairs):
            return False
        if case.past.gone and not history.begun_alike:
            return False
        if not case.past.gone and self._around.behind(history.standing()):
            return True
        return started_alike(history, self._pairs) and all(
            settled(visit, self._pairs) if visit.counts else not self._counted(visit)
            for visit in history.visits
        )

    def _counted(self, visit: Visit) -> bool:
        return visit.record.node in self._pairs.of(visit.site).counted_names

    # --- with both states ---------------------------------------------------------------------------------

    async def _replayed(self, case: _Case, findings: Findings) -> Moved | None:
        """Do the log again under both versions; the position carried over, None where that cannot be done."""
        at = (self._sites.root, "", None)
        try:
            _ = self.old.graph, self.new.graph
        except ValueError as error:
            findings.add("version-unreadable", at, "graph", f"a stored form cannot be read: {error}", "")
            return None
        history, past = case.history, case.past
        decisions = await decisions_of(case.store, case.run, past)
        replaying = Replaying(self._sites, self._pairs, findings, decisions)
        replaying.begin(past.origin, past.snapshot)
        if past.gone and not history.begun_alike:
            text = f"{past.gone}, and what they may have used has changed"
            findings.add("steps-gone", at, "graph", text, "")
        root = replaying.follow(history)
        self._complete(history.root, root)
        plain = moved(replaying.position, self.old, self.new)
        findings.take(plain.reasons)
        if plain.snapshot:
            uncounted(replaying.passes, plain.snapshot, self._sites, findings)
        if self._chain is None:
            return plain
        if self._between is None:
            self._between = await versions_between(self.new, self.old.hash, case.store.get_graph)
        return moved(replaying.position, self.old, self.new, self._chain, between=self._between)

    def _complete(self, trail: Trail, frame: Frame) -> None:
        """Where every frame stands, also those that no step was made in."""
        trail.cursor = frame.node
        for key, child in frame.children.items():
            site = self._sites.child(trail.site, frame.node, key)
            below = trail.below.setdefault(site.path, Trail(site, trail))
            self._complete(below, child)


@dataclass(frozen=True, slots=True)
class _Case:
    """One run to be judged. `sure`: its places are known without its values."""

    store: Store
    run: RunRecord
    past: Past
    history: History
    sure: bool


def _places(history: History) -> tuple[str, ...]:
    return tuple(trail.site.where(trail.cursor) for trail in history.open() if trail.cursor)


def _notes(past: Past) -> tuple[str, ...]:
    notes: list[str] = []
    if past.moved is not None:
        notes.append(f"moved earlier at step {past.moved}: what it did before belongs to another graph")
    if past.parent:
        notes.append(f"the steps before it was forked were made by run `{past.parent}`")
    return tuple(notes)
