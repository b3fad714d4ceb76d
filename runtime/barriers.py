"""How a frame waits at a barrier, and how the answer is found, applied and committed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from . import plan
from .barrier import BarrierInfo, Resolution, describe, fitting, resolve, timed_out, to_record
from .engine import Engine, fatal
from .errors import BarrierTimeout, LgcError, Unrouted
from .events import EventKind
from .frame import Frame
from .lane import Lane
from .machine import complete
from .store.protocols import DecisionRecord


async def run_barrier(engine: Engine, lane: Lane, frame: Frame, node: plan.Barrier) -> bool:
    """Wait for an answer and take it; False where nobody in this process answers."""
    arrived = engine.clock.time()
    announced = fresh = False
    while True:
        info = describe(engine.run, frame, node)
        record, stale = fitting([d for d in engine.decisions if d.id not in engine.refused], info)
        for old in stale:
            engine.refused.add(old.id)
            engine.observe(frame, f"answer `{old.answer}` to `{node.name}` is out of date", "warning")
        if record is not None:
            try:
                resolution = resolve(frame, node, record)
                await _take(engine, lane, frame, node, resolution, info, arrived)
            except LgcError as error:
                if fatal(error) or isinstance(error, Unrouted):
                    raise
                engine.refused.add(record.id)
                engine.observe(frame, f"answer `{record.answer}` to `{node.name}` refused: {error.message}")
                continue
            return True
        if engine.clock.time() >= info.deadline:
            await _time_over(engine, lane, frame, node, info, arrived)
            return True
        if not announced:
            announced = True
            engine.say(
                EventKind.BARRIER_WAITING, frame, node.name, visit=info.visit, barrier=info.id,
                shown=dict(info.shown), answers=list(info.answers), deadline=info.deadline,
            )  # fmt: skip
        if engine.barrier_sink is not None:
            try:
                if await _ask(engine, info):
                    continue
            except BarrierTimeout:
                await _time_over(engine, lane, frame, node, info, arrived)
                return True
        if not fresh:
            fresh = True
            await refresh(engine)
            continue
        if await _wait(engine, info) == "stalled":
            # The last look before stopping: another process may have answered meanwhile.
            before = len(engine.decisions)
            await refresh(engine)
            if len(engine.decisions) == before:
                return False


async def refresh(engine: Engine) -> None:
    """Read answers that other processes have left."""
    if engine.store is None:
        return
    known = {record.id for record in engine.decisions}
    for record in await engine.store.decisions(engine.run, waiting=True):
        if record.id not in known:
            engine.decisions.append(record)


async def _ask(engine: Engine, info: BarrierInfo) -> bool:
    """Ask the sink; whether it is worth looking again."""
    assert engine.barrier_sink is not None
    limit = asyncio.timeout(max(0.0, info.deadline - engine.clock.time()))
    try:
        async with limit:
            decision = await engine.barrier_sink.wait(info)
    except TimeoutError:
        if limit.expired():
            return True
        raise
    if decision is None:
        return False
    record = to_record(engine.root.plan, engine.run, info.id, decision, "barrier sink", engine.clock.time())
    await add(engine, record)
    return True


async def add(engine: Engine, record: DecisionRecord) -> None:
    """Keep an answer and let waiting barriers look at it."""
    id = await engine.store.add_decision(record) if engine.store is not None else len(engine.decisions) + 1
    engine.decisions.append(replace(record, id=id))
    engine.wake("decision")


async def _wait(engine: Engine, info: BarrierInfo) -> str:
    """Wait until something may have changed: an answer, the deadline, or that no lane can go on."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[str] = loop.create_future()
    engine.waiters[info.id] = waiter
    pause = max(0.0, info.deadline - engine.clock.time())

    def over() -> None:
        if not waiter.done():
            waiter.set_result("deadline")

    timer = loop.call_later(min(pause, 86_400.0), over)
    engine.park()
    try:
        return await waiter
    finally:
        engine.unpark()
        timer.cancel()
        engine.waiters.pop(info.id, None)


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
    detail: dict[str, object] = {"barrier": info.id, "shown": dict(info.shown)}
    if record is not None:
        detail["actor"] = record.actor
        detail["decision"] = record.id
        engine.decisions = [d for d in engine.decisions if d.id != record.id]
    await engine.commit_step(
        lane, frame, done, started=arrived, duration=max(0.0, engine.clock.time() - arrived),
        decision=record.id if record is not None else 0, detail=detail,
        events=frozenset({"barrier"}),
    )  # fmt: skip
    engine.say(
        EventKind.BARRIER_RESOLVED, frame, node.name, visit=info.visit, barrier=info.id,
        answer=resolution.outcome, actor=record.actor if record is not None else "",
    )  # fmt: skip
