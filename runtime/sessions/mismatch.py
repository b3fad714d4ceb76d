"""From a run and a graph that it is not under to the refusal: what changed, whether that matters to this run,
and how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..changes.change import Change
from ..changes.compare import compare
from ..compat.judge import Judge
from ..compat.verdict import Reason, Risk, RunVerdict, Verdict
from ..errors import GraphMismatch, LgcError
from ..forms.version import Version, version_of_plan
from ..graph import Graph
from ..store.protocols import Store
from ..store.records import OverrideRecord, RunRecord, RunStatus
from .legs import version_of

# So many changes, reasons and risks are told in words; the error holds them all.
TOLD = 8
_HASH = 20  # `lg1:` and 16 digits

_OVER = (RunStatus.DONE, RunStatus.CANCELLED)


def short(hash: str) -> str:
    """A hash for people."""
    return hash[:_HASH]


async def mismatch(store: Store, graph: Graph[Any], run: RunRecord) -> GraphMismatch:
    """The refusal of a graph that a run is not under.

    Raises CheckpointCorrupted, StorageError where the run cannot even be looked at.
    """
    return await mismatch_of(store, version_of_plan(graph.plan), run)


async def mismatch_of(store: Store, new: Version, run: RunRecord) -> GraphMismatch:
    """The same for a version."""
    unknown = "the graph of the run is not in the store"
    try:
        old = await version_of(store, run.hash)
    except LgcError as error:
        old, unknown = None, error.message
    changes = () if old is None else changes_of(old, new)
    verdict = None if old is None else await verdict_of(store, old, new, run)
    moves = [move for move in await store.overrides(run.run) if move.expected == new.hash]
    back = moves[-1] if moves else None
    return refusal(run, new, changes, verdict, back, unknown="" if old is not None else unknown)


async def verdict_of(store: Store, old: Version, new: Version, run: RunRecord) -> RunVerdict | None:
    """Whether a run can go on under another version; None where the stored form, or the log, is such that
    nobody can tell."""
    try:
        _ = old.graph  # raises ValueError for a form that is none: only then the judge can rely on it
        return await Judge(old, new).judge(store, run)
    except (LgcError, ValueError, RecursionError):
        return None


def changes_of(old: Version, new: Version) -> tuple[Change, ...]:
    """What differs between two versions, that inside of graphs that they run included."""
    found: list[Change] = []
    for change in compare(old.canonical, new.canonical):
        found.append(change)
        name = change.element.removeprefix("subgraph/")
        if name == change.element or change.kind != "changed":
            continue
        before, after = old.inner.get(name), new.inner.get(name)
        if before is not None and after is not None:
            found.extend(
                replace(one, element=f"{change.element}/{one.element}", text=f"in `{name}`: {one.text}")
                for one in changes_of(before, after)
            )
    return tuple(found)


def refusal(
    run: RunRecord,
    new: Version,
    changes: Sequence[Change],
    verdict: RunVerdict | None,
    moved_away: OverrideRecord | None = None,
    *,
    unknown: str = "",
    why: Sequence[str] = (),
) -> GraphMismatch:
    """The error, in words.

    Args:
        moved_away: the move that took the run away from just this graph, if one did.
        unknown: why it is not known what changed, "" where it is.
        why: lines that say why a mode that was asked for does not do.
    """
    told = list(why)
    if moved_away is not None:
        told.append(
            f"the run was under this graph before and was moved from it to {short(moved_away.actual)}"
            f" after step {moved_away.step}{_by(moved_away)}"
        )
    if unknown:
        told.append(f"what changed is not known: {unknown}")
    elif changes:
        told += ["what changed:", *_cut([f"- {change.text}" for change in changes])]
    if verdict is not None:
        told += verdict_lines(verdict)
    return GraphMismatch(
        run.hash, new.hash, changes, verdict=verdict, told=told, run=run.run,
        hint=_hint(run, verdict, moved_away is not None),
    )  # fmt: skip


def verdict_lines(verdict: RunVerdict) -> list[str]:
    """What is to be said of a run, line by line."""
    at = ", ".join(f"`{place}`" for place in verdict.parked)
    stands = f"this run, at {at} after step {verdict.step}," if at else "this run"
    match verdict.verdict:
        case Verdict.IDENTICAL:
            lines = [f"{stands} is under the same graph"]
        case Verdict.COMPATIBLE:
            lines = [f"{stands} can go on: all that it did so far the graph given could have done, too"]
        case Verdict.MIGRATABLE:
            lines = [f"{stands} can be taken over by the migration that is declared"]
        case Verdict.INCOMPATIBLE:
            lines = [f"{stands} cannot simply go on under the graph given:"]
    lines += _cut([f"- {_placed(reason)}" for reason in verdict.reasons])
    if verdict.risks:
        lines += ["if it went on:", *_cut([f"- {_placed(risk)}" for risk in verdict.risks])]
    return lines + [f"note: {note}" for note in verdict.notes[:TOLD]]


def _placed(one: Reason | Risk) -> str:
    told = one.step is None or f"step {one.step}" in one.text
    places = [] if told else [f"step {one.step}"]
    places += [one.place] if one.place else []
    return f"{one.text} ({', '.join(places)})" if places else one.text


def _cut(lines: list[str]) -> list[str]:
    rest = len(lines) - TOLD
    # One line more is not worth a line that says so.
    return lines if rest <= 1 else [*lines[:TOLD], f"- … and {rest} more"]


def _by(move: OverrideRecord) -> str:
    actor = f" by {move.actor}" if move.actor else ""
    reason = f": {move.reason}" if move.reason else ""
    return f", mode {move.mode}{actor}{reason}"


def _hint(run: RunRecord, verdict: RunVerdict | None, back: bool) -> str:
    force = f"force it with a reason and an actor ({_way(run, 'force')})"
    if run.status in _OVER:
        return f"a run that is {run.status} stays under its graph; look at it under that one, or fork it"
    if back:
        return f"go on with the graph that the run is under now; to take it back, {force}"
    match None if verdict is None else verdict.verdict:
        case Verdict.IDENTICAL | Verdict.COMPATIBLE:
            return f"go on in mode compatible ({_way(run, 'compatible')})"
        case Verdict.MIGRATABLE:
            return f"go on in mode migrate ({_way(run, 'migrate')})"
        case Verdict.INCOMPATIBLE:
            return (
                "go on with the graph that the run was started with, write a migration (`lgc migrate` drafts"
                f" one), or {force}"
            )
        case None:
            return f"go on with the graph that the run was started with, or {force}"


def _way(run: RunRecord, mode: str) -> str:
    more = " --reason TEXT --actor NAME" if mode == "force" else ""
    return f"`mode=RestoreMode.{mode.upper()}`, `lgc resume {run.run} --mode {mode}{more}`"
