"""How a frame waits at a barrier, and how the answer is found, applied and committed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from .. import plan
from ..engine.engine import Engine
from ..engine.failures import fatal
from ..engine.lane import Lane, stopped, tell_given_up
from ..errors import BarrierTimeout, LgcError, RunFenced, Unrouted, text_of
from ..machine.completion import complete
from ..machine.frame import Frame
from ..store.records import Commit, DecisionRecord
from .addressing import doubles
from .barrier import (
    BarrierDecision,
    BarrierInfo,
    Resolution,
    describe,
    fitting,
    resolve,
    timed_out,
    to_record,
)
from .deciding import keep

# A sink whose answers are refused is asked again, but not for ever.
MOST_ASKED = 10
# Seconds between two looks at the clock while a barrier waits.
LONGEST_PAUSE = 60.0


async def run_barrier(engine: Engine, lane: Lane, frame: Frame, node: plan.Barrier) -> bool:
    """Wait for an answer and take it; False where nobody in this process answers."""
    arrived = engine.clock.time()
    asked, fresh, stalled, late = 0, False, False, False
    sink = engine.barrier_sink is not None
    info = describe(engine.run, frame, node)
    engine.node_started(frame, node.name, info.visit)
    while True:
        if await _answered(engine, lane, frame, node, info, arrived):
            return True
        if engine.clock.time() >= info.deadline:
            if not late:
                # An answer that another process recorded in time comes before the timeout.
                late = True
                await refresh(engine)
                continue
            await _time_over(engine, lane, frame, node, info, arrived)
            return True
        if stalled:
            return False
        if not asked:
            engine.waits(
                frame, node.name, visit=info.visit, barrier=info.id,
                shown=dict(info.shown), answers=list(info.answers), deadline=info.deadline,
            )  # fmt: skip
        asked += 1
        if sink and not fresh:
            # What another process has answered early is not asked again here.
            fresh = True
            if await refresh(engine):
                continue
        if sink and asked <= MOST_ASKED:
            try:
                sink = await _ask(engine, frame, info)
                if sink:
                    continue
            except BarrierTimeout:
                await refresh(engine)
                if not await _answered(engine, lane, frame, node, info, arrived):
                    await _time_over(engine, lane, frame, node, info, arrived)
                return True
        if not fresh:
            fresh = True
            await refresh(engine)
        elif await _wait(engine, info) == "stalled":
            # The last look before stopping: another process may have answered meanwhile.
            await refresh(engine)
            stalled = True


async def _answered(
    engine: Engine, lane: Lane, frame: Frame, node: plan.Barrier, info: BarrierInfo, arrived: float
) -> bool:
    """Take the first answer that fits; those that are out of date or refused are set aside."""
    while True:
        record, stale = fitting(engine.decisions, info)
        for old in stale:
            await _set_aside(engine, lane, old)
            engine.observe(frame, f"answer `{old.answer}` to `{node.name}` is out of date", "warning")
        if record is None:
            return False
        try:
            await _take(engine, lane, frame, node, resolve(frame, node, record), info, arrived)
        except LgcError as error:
            if fatal(error) or isinstance(error, Unrouted):
                raise
            await _set_aside(engine, lane, record)
            engine.observe(frame, f"answer `{record.answer}` to `{node.name}` refused: {error.message}")
            continue
        return True


async def _set_aside(engine: Engine, lane: Lane, record: DecisionRecord) -> None:
    """An answer that no step will ever apply waits no longer."""
    _strike(engine, record)
    if engine.store is not None:
        await engine.commit(lane, Commit(engine.run, engine.fence, decision=record.id))


def _strike(engine: Engine, record: DecisionRecord) -> None:
    engine.taken.add(record.id)
    engine.decisions = [d for d in engine.decisions if d.id != record.id]


async def refresh(engine: Engine) -> bool:
    """Read answers that other processes have left; whether there were any."""
    if engine.store is None:
        return False
    there = await engine.store.decisions(engine.run, waiting=True)
    known = {record.id for record in engine.decisions}
    new = [record for record in there if record.id not in known and record.id not in engine.taken]
    engine.decisions.extend(new)
    return bool(new)


class Witness:
    """Looks for what other processes have done to a run that is driven here."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._step = -1
        self._asked = False  # at the last look: every second one is enough

    async def look(self) -> bool:
        """Wake barriers that were answered elsewhere; stop where somebody else has taken the run.

        False where there was no need: a run that commits steps is told by the next one.
        """
        engine = self._engine
        if engine.waiters and await refresh(engine):
            engine.wake("decision")
        asked, self._asked = self._asked, not self._asked
        if asked or engine.step != self._step:
            self._step = engine.step
            return False
        try:
            await engine.commit(None, Commit(engine.run, engine.fence))  # nothing, but under the token
        except RunFenced as error:
            engine.lose(error)
        return True


async def _ask(engine: Engine, frame: Frame, info: BarrierInfo) -> bool:
    """Ask the sink, until it answers or something else may have; whether it is worth looking again."""
    assert engine.barrier_sink is not None
    sink = engine.barrier_sink

    async def wait() -> BarrierDecision | None:
        return await sink.wait(info)

    loop = asyncio.get_running_loop()
    asked = loop.create_task(wait())
    asked.add_done_callback(_seen)
    try:
        while not asked.done() and engine.clock.time() < info.deadline:
            if fitting(engine.decisions, info)[0] is not None:
                return True
            # Woken by any answer, also to another barrier: the question stays.
            waiter = engine.waiters[info.id] = loop.create_future()
            pause = _pause(engine, info)
            await asyncio.wait((asked, waiter), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
    finally:
        engine.waiters.pop(info.id, None)
        if withdrawn := not asked.done():
            await _withdraw(engine, frame, asked)
    if withdrawn:
        return True
    try:
        decision = asked.result()
        if decision is None:
            return False
        if not isinstance(decision, BarrierDecision):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a `{type(decision).__name__}` is not a BarrierDecision")
        record = to_record(
            engine.root.plan, engine.run, info.id, decision, "barrier sink", engine.clock.time()
        )
    except BarrierTimeout:
        raise
    except (Exception, asyncio.CancelledError) as error:
        engine.observe(frame, f"barrier sink: {type(error).__name__}: {text_of(error)}")
        return False
    await add(engine, record)
    return True


async def _withdraw(engine: Engine, frame: Frame, asked: asyncio.Task[BarrierDecision | None]) -> None:
    """Tell a sink that its answer is no longer asked for."""
    try:
        await stopped(asked)
    finally:
        if not asked.done():
            tell_given_up(engine, frame, "")


def _seen(asked: asyncio.Task[BarrierDecision | None]) -> None:
    """What a sink raises after, or just when, its barrier has no more use for it is nobody's failure."""
    if not asked.cancelled():
        asked.exception()


async def add(engine: Engine, record: DecisionRecord) -> None:
    """Keep an answer and let waiting barriers look at it."""
    if engine.store is not None:
        id = await keep(engine.store, record)
    else:
        id = len(engine.decisions) + len(engine.taken) + 1
    if id not in engine.taken and not any(known.id == id for known in engine.decisions):
        engine.decisions.append(replace(record, id=id))
    engine.wake("decision")


async def _wait(engine: Engine, info: BarrierInfo) -> str:
    """Wait until something may have changed: an answer, the deadline, or that no lane can go on."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[str] = loop.create_future()
    engine.waiters[info.id] = waiter

    def over() -> None:
        if not waiter.done():
            waiter.set_result("deadline")

    timer = loop.call_later(_pause(engine, info), over)
    engine.park()
    try:
        return await waiter
    finally:
        engine.unpark()
        timer.cancel()
        engine.waiters.pop(info.id, None)


def _pause(engine: Engine, info: BarrierInfo) -> float:
    """Until the deadline, or the next look at the clock: it may be set, or the machine sleep."""
    return min(max(0.0, info.deadline - engine.clock.time()), LONGEST_PAUSE)


async def _time_over(
    engine: Engine, lane: Lane, frame: Frame, node: plan.Barrier, info: BarrierInfo, arrived: float
) -> None:
    try:
        await _take(engine, lane, frame, node, timed_out(frame, node), info, arrived)
    except Unrouted as error:
        raise BarrierTimeout(
            f"nobody answered `{node.name}` in time, and nothing says what then",
            run=engine.run, node=frame.where(node.name), step=engine.step,
            hint="give it an `on timeout` edge, or `timeout … decides …`",
        ) from error  # fmt: skip


async def _take(
    engine: Engine,
    lane: Lane,
    frame: Frame,
    node: plan.Barrier,
    resolution: Resolution,
    info: BarrierInfo,
    arrived: float,
) -> None:
    done = complete(frame, resolution.outcome, resolution.mutations, resolution.goto, then=resolution.records)
    record = resolution.record
    left = doubles(engine.root.plan, engine.decisions, info)
    detail: dict[str, object] = {"barrier": info.id, "shown": dict(info.shown)}
    if record is not None:
        detail["actor"] = record.actor
        detail["decision"] = record.id
        _strike(engine, record)
    await engine.commit_step(
        lane, frame, done, started=arrived, duration=max(0.0, engine.clock.time() - arrived),
        decision=record.id if record is not None else 0, detail=detail,
        events=frozenset({"barrier"}),
        resolved={
            "barrier": info.id, "answer": resolution.outcome,
            "actor": record.actor if record is not None else "",
        },
    )  # fmt: skip
    for other in left:
        if record is None or other.id != record.id:
            await _set_aside(engine, lane, other)
            engine.observe(frame, f"answer `{other.answer}` to `{node.name}` came second", "warning")
