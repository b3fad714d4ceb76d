"""What must hold of a simulation: of a session while it lives, and of everything in the end."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.runtime.conftest import same

from lgc.runtime import BarrierDecision, MemoryStore, Session, plan
from lgc.runtime.machine.frame import Frame
from lgc.runtime.machine.position import begin, from_snapshot, locate, redo
from lgc.runtime.sessions.restore import blanks, rebuild
from lgc.runtime.store.records import MutationRecord, RunStatus
from lgc.runtime.values.typed_json import decode_checkpoint

from .disk import at_once
from .ledger import RunLedger
from .loop import PROCESS, Process
from .shapes import shape

if TYPE_CHECKING:
    from .world import World

Step = tuple[Any, ...]


def look_at_session(world: World, session: Session[Any], when: str) -> None:
    """The state that a session holds is the one that the log gives."""
    engine = session._engine
    ledger = world.ledger.runs[session.run_id]
    if PROCESS.get().dead or engine.broken is not None or engine.fence != ledger.fence:
        return
    if session.step != len(ledger.log):
        world.report(f"{session.run_id}: {when}, it is at step {session.step}, the log at {len(ledger.log)}")
        return
    core, graph = world.disk.core, world.shape.graph
    run = at_once(core.get_run(session.run_id))
    position = at_once(rebuild(core, graph, run, blanks(graph), session.step))
    try:
        same(engine.root, position.root)
    except AssertionError as error:
        world.report(f"{session.run_id}: {when}, it is not what its log says: {str(error).splitlines()[0]}")


def look_back(world: World) -> None:
    """Everything that can be said once all runs are over."""
    world.ledger.look(world.disk.core)
    for run, ledger in world.ledger.runs.items():
        _look_at_run(world, run, ledger)
    _look_at_decisions(world)
    gc.collect()  # so that tasks whose errors nobody has seen say so
    for error in world.loop.errors:
        task: Any = error.get("task") or error.get("future")
        world.report(f"{error['message']}: {error.get('exception')!r} {task!r}")


def _look_at_run(world: World, run: str, ledger: RunLedger) -> None:
    shape, core = world.shape, world.disk.core
    if ledger.status is not RunStatus.DONE and run not in world.cancels and run not in world.forks:
        world.report(f"{run}: ended as {ledger.status}, and nobody cancelled it")
    graph = shape.graph
    values = blanks(graph)
    root = _beginning(world, run)
    if root is None:
        return
    snapshots = {c.step: c for c in core._histories[run].checkpoints.values() if c.snapshot}
    keys: set[str] = set()
    for step in ledger.log:
        frame = locate(root, step.frame)
        key = f"{run}{frame.instance}/{step.node}#{step.visit}"
        if isinstance(frame.plan.nodes[step.node], plan.Task):
            if key in keys:
                world.report(f"{key} stands for two steps, one of them {step.step}")
            if key not in world.calls and '"settled"' not in step.detail:
                world.report(f"{key} was committed as step {step.step}, and was never called")
            keys.add(key)
        redo(root, step)
        if step.step in snapshots:
            try:
                same(root, from_snapshot(graph, snapshots[step.step].snapshot, values))
            except AssertionError as error:
                world.report(f"{run}: the snapshot of step {step.step} is not the log's: {error}")
    if ledger.status is RunStatus.DONE and not world.shape.loose:
        state, steps = undisturbed(shape.number, world.inputs[world.forks.get(run, run)])
        if run not in world.forks and steps != (found := comparable(ledger.log)):
            world.report(
                f"{run}: the steps differ from the undisturbed: {dict(found - steps)} / {dict(steps - found)}"
            )
        if state != root.state.snapshot():
            world.report(f"{run}: the state is {root.state.snapshot()}, undisturbed it is {state}")


def _beginning(world: World, run: str) -> Frame | None:
    """Where a run began: what it was given, or the place that it was forked from."""
    graph, core = world.shape.graph, world.disk.core
    values = blanks(graph)
    record = at_once(core.get_run(run))
    if run not in world.forks:
        start = decode_checkpoint(graph.plan.state, record.input)
        return begin(graph, graph.plan.state.restore(start, values), record.created)
    given = world.origins.get(run)
    return None if given is None else from_snapshot(graph, given, values)


def _look_at_decisions(world: World) -> None:
    for run, ledger in world.ledger.runs.items():
        applied = Counter[int]()
        for step in ledger.log:
            id = int(_detail(step).get("decision", 0))
            applied.update([id] if id else [])
            if id and ledger.applied.get(id) != step.step:
                world.report(f"{run}: step {step.step} applied decision {id}, which does not say so")
        for id, count in applied.items():
            if count > 1:
                world.report(f"{run}: decision {id} was applied {count} times")
        for id, number in ledger.applied.items():
            if number > 0 and not applied[id]:
                world.report(f"{run}: decision {id} says step {number}, which says nothing of it")
        if ledger.status is RunStatus.DONE:
            for _, id in [one for one in world.ledger.answered if one[0] == run]:
                _look_for_loss(world, run, ledger, id)
    told, seen = Counter(world.ledger.set_aside), Counter(world.observed)
    for (run, process), count in told.items():
        if not process.dead and seen[run, process] < count:
            world.report(
                f"{run}: {count} decisions were set aside in {process.name}, {seen[run, process]} told"
            )


def _look_for_loss(world: World, run: str, ledger: RunLedger, id: int) -> None:
    """Whether an answer that was accepted waits for ever, although a barrier that it fits was passed."""
    if id in ledger.applied or world.troubles & {"slow", "pause", "store", "skew"}:
        return
    given = ledger.decisions[id]
    for step in ledger.log:
        info = str(_detail(step).get("barrier", ""))
        fits = given.barrier == info if given.barrier else info.partition("#")[0].endswith(given.node)
        late = ledger.when[f"decision {id}"] + 2.0 > ledger.when[f"step {step.step}"]
        if info and fits and not late:
            world.report(f"{run}: decision {id} was accepted for {info}, step {step.step} went on without it")


def _detail(step: MutationRecord) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(step.detail) if step.detail else {}
    return detail


def comparable(log: list[MutationRecord]) -> Counter[Step]:
    """Steps without times and tokens, in any order; a barrier's whatever the answer was."""
    return Counter(
        [
            (r.frame, r.node, r.visit, "answered" if '"barrier"' in r.detail else r.outcome, r.next,
             "" if '"barrier"' in r.detail else r.edge, r.mutations, r.error)
            for r in log
        ]
    )  # fmt: skip


class Quiet:
    """A world in which nothing happens."""

    def called(self, ctx: Any, policy: str) -> Any:
        """Nothing goes wrong."""
        return _Fine()

    def returned(self, call: Any) -> None:
        """Nobody asks."""

    def in_thread(self) -> float:
        """No time."""
        return 0.0


class _Fine:
    pause = None
    fault = ""


class _Approves:
    async def wait(self, barrier: Any) -> BarrierDecision:
        return BarrierDecision.approve()


@cache
def undisturbed(number: int, given: int) -> tuple[Any, Counter[Step]]:
    """The state and the steps of a run of that shape and input that nobody disturbs."""
    one = shape(number)
    store = MemoryStore()

    async def main() -> Any:
        PROCESS.set(Process("quiet", Quiet()))
        session = await Session.start(
            one.graph, one.state(given), store=store, run_id="r", barrier_sink=_Approves()
        )
        return (await session.run()).state.snapshot()

    state = asyncio.run(main())
    return state, comparable(store._histories["r"].log)
