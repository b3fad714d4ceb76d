"""From a stored run to all that can be told about it without running anything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from .launch import compile_source, prepare, stored_launch
from .moves import move_json, move_text
from .progress import barrier_json, barrier_lines, state_json
from .runs import step_json
from .stores import get_run, store_words
from .terminal import Failure, Style, printable
from .wording import moment, short_hash

if TYPE_CHECKING:
    from ..runtime.barriers.barrier import BarrierInfo
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import DecisionRecord, MutationRecord, OverrideRecord, RunRecord

_RECENT = 10  # steps that are shown


@dataclass(slots=True)
class Seen:
    """What is known of a run.

    Attributes:
        run, steps: its row and how many steps it has committed.
        state: its durable fields, None where they could not be rebuilt.
        note: why not, or from when the state is.
        frames, barriers: where it stands; known only where its graph is at hand.
        recent, decisions, overrides: its history.
        warnings: what the store passed over.
    """

    run: RunRecord
    steps: int = 0
    state: dict[str, Any] | None = None
    note: str = ""
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    barriers: tuple[BarrierInfo, ...] = ()
    recent: list[MutationRecord] = field(default_factory=list["MutationRecord"])
    decisions: list[DecisionRecord] = field(default_factory=list["DecisionRecord"])
    overrides: list[OverrideRecord] = field(default_factory=list["OverrideRecord"])
    uncertain: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON data."""
        run = self.run
        return {
            "version": 1,
            "run": run.run,
            "graph": run.graph,
            "hash": run.hash,
            "status": str(run.status),
            "step": self.steps,
            "created": run.created,
            "updated": run.updated,
            "owner": run.owner,
            "lease": run.lease,
            "error": run.error,
            "parent": run.parent,
            "state": self.state,
            "note": self.note,
            "frames": self.frames,
            "waiting": [barrier_json(barrier) for barrier in self.barriers],
            "uncertain": self.uncertain,
            "recent": [step_json(record) for record in self.recent],
            "decisions": [_decision_json(one) for one in self.decisions],
            "overrides": [move_json(one) for one in self.overrides],
            "warnings": self.warnings,
        }

    def barrier_lines(self, style: Style, given_store: str) -> list[str]:
        """The barriers that wait, with the commands that answer them."""
        words = store_words(given_store)
        return [line for barrier in self.barriers for line in barrier_lines(barrier, style, words)]

    def histories(self) -> list[tuple[str, list[str]]]:
        """Titles and lines of what happened."""
        steps = [
            f"{one.step:>4}  {one.frame + '/' if one.frame else ''}{one.node}"
            + (f" {one.outcome}" if one.outcome != "ok" else "")
            + (f" -> {one.next}" if one.next else "")
            for one in self.recent
        ]
        title = f"last {len(steps)} of {self.steps} steps" if self.steps > len(steps) else "steps"
        decided = [
            f"{moment(one.time)}  {one.node}: {one.answer} by {printable(one.actor)}"
            + ("" if one.step else " (not applied yet)")
            for one in self.decisions
        ]
        all_ = (
            (
                "uncertain",
                [f"{node}: `lgc settle {self.run.run} {node} retry|skip`" for node in self.uncertain],
            ),
            (title, steps),
            ("decisions", decided),
            ("moved to other graphs", [move_text(one) for one in self.overrides]),
            ("warnings", self.warnings),
        )
        return [(name, lines) for name, lines in all_ if lines]


async def look(store: Store, run: str) -> Seen:
    """Read everything about a run. Raises Failure where there is none."""
    found = await get_run(store, run)
    seen = Seen(found)
    async for record in store.replay(found.run):
        seen.recent.append(record)
        del seen.recent[:-_RECENT]
        seen.steps = record.step
    seen.decisions = list(await store.decisions(found.run))
    seen.overrides = list(await store.overrides(found.run))
    seen.uncertain = [f"{a.frame}/{a.node}" if a.frame else a.node for a in await store.attempts(found.run)]
    await _position(store, found, seen)
    seen.warnings = list(store.warnings())
    return seen


async def _position(store: Store, run: RunRecord, seen: Seen) -> None:
    """State, frames and barriers: by the graph where it is at hand, else what the newest snapshot holds."""
    from ..runtime.barriers.standing import waiting_barriers
    from ..runtime.errors import LgcError
    from ..runtime.sessions.legs import graph_of
    from ..runtime.sessions.restore import blanks, rebuild

    graph, reason = None, ""
    try:
        compiled = compile_source(stored_launch(run), quiet=True)
        if compiled.hash == run.hash:
            graph = prepare(compiled, bind_nodes=False, quiet=True).unbound()
        else:
            reason = f"the graph in {compiled.launch.source} is another one now: {short_hash(compiled.hash)}"
    except (Failure, click.exceptions.Exit) as problem:
        reason = problem.message if isinstance(problem, Failure) else "the source has errors, or is not built"
    if graph is None:
        try:
            graph = await graph_of(store, run.hash)
        except LgcError:
            await _snapshot(store, run, seen, reason)
            return
    try:
        position = await rebuild(store, graph, run, blanks(graph))
    except LgcError as error:
        seen.note = error.message
        return
    seen.note = f"({reason})" if reason else ""
    seen.state = state_json(position.root.state)
    if run.status not in ("done", "cancelled"):
        seen.frames = [
            {
                "path": frame.path,
                "graph": frame.plan.name,
                "node": frame.node,
                "visit": frame.visits(frame.node) + 1,
            }
            for frame in position.root.active()
        ]
        seen.barriers = waiting_barriers(run.run, position.root)


async def _snapshot(store: Store, run: RunRecord, seen: Seen, reason: str) -> None:
    newest = await store.latest_snapshot(run.run)
    if newest is not None:
        seen.state = json.loads(newest.snapshot)["root"]["state"]
        seen.note = f"as of step {newest.step} ({reason})"
    else:
        seen.state = json.loads(run.input)
        seen.note = f"as of the start ({reason})"


def _decision_json(one: DecisionRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "barrier": one.barrier,
        "node": one.node,
        "answer": one.answer,
        "arguments": json.loads(one.arguments or "{}"),
        "mutations": json.loads(one.mutations or "[]"),
        "actor": one.actor,
        "time": one.time,
        "step": one.step,
    }
