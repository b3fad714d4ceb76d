"""Who does something in a simulation: workers that take up runs, people who answer, people who cancel."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

from lgc.runtime import (
    BarrierDecision,
    Cancelled,
    CheckpointNotFound,
    DecisionRefused,
    FinalFailure,
    NodeFailed,
    RunExists,
    RunFenced,
    RunNotFound,
    RunStatus,
    RunUncertain,
    Session,
    StorageError,
)
from lgc.runtime.barriers.deciding import decide, look
from lgc.runtime.observation.events import EventKind, GraphEvent
from lgc.runtime.sessions.lease import held
from lgc.runtime.sessions.replaying import fork
from lgc.runtime.sessions.settling import uncertain

from .checks import look_at_session
from .disk import Handle
from .loop import PROCESS, Process
from .world import SimClock, World

Role = Callable[[World, Process, Handle], Coroutine[Any, Any, None]]

# What may end a session in a world where everything may go wrong; anything else is a mistake of the engine.
EXPECTED = (
    RunFenced,
    StorageError,
    Cancelled,
    NodeFailed,
    RunUncertain,
    RunNotFound,
    CheckpointNotFound,
    DecisionRefused,
    FinalFailure,
)
# Seconds in which a run that is cancelled has to stop, over those that its process was paused.
BOUND = 60.0


class Listener:
    """Takes every event down; it belongs to one session."""

    def __init__(self, world: World) -> None:
        self._world = world

    def record(self, event: GraphEvent) -> None:
        """One event."""
        if self._world.closed:
            return
        if event.kind is EventKind.OBSERVED_ERROR:
            self._world.trace("observed", event.run, f"{event.node}: {event.data.get('error')}")
            self._world.observed.append((event.run, PROCESS.get()))


class Approves:
    """Answers inside the process, at times."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def wait(self, barrier: Any) -> BarrierDecision | None:
        """An answer, late; or none."""
        await asyncio.sleep(self._world.random.random() * 8.0)
        drawn = self._world.random.random()
        return (
            BarrierDecision.approve()
            if drawn < 0.7
            else BarrierDecision.reject("no")
            if drawn < 0.8
            else None
        )


async def worker(world: World, process: Process, handle: Handle) -> None:
    """Starts runs, and takes up those that nobody drives."""
    here: set[str] = set()
    await asyncio.gather(
        *[_work(world, process, handle, here) for _ in range(1 if world.random.random() < 0.7 else 2)]
    )


async def _work(world: World, process: Process, handle: Handle, here: set[str]) -> None:
    while True:
        await asyncio.sleep(0.2 + world.random.random() * 3.0)
        try:
            run = await _choose(world, process, handle)
            if run is None or (run in here and not world.trouble("takeover", 0.3)):
                continue
            here.add(run)
            try:
                await _go_on(world, process, handle, run)
            finally:
                here.discard(run)
        except EXPECTED as error:
            world.trace("ended", error.run or "", f"{type(error).__name__}: {error.message}")
        except RunExists:
            pass
        except Exception as error:
            world.report(f"{type(error).__name__}: {error}")
            raise


async def _choose(world: World, process: Process, handle: Handle) -> str | None:
    """A run that may go on: as `lgc resume --all` chooses, with those that have failed."""
    if world.unstarted and world.random.random() < 0.7:
        return world.random.choice(world.unstarted)
    now = SimClock(world, process).time()
    found: list[str] = []
    for run in await handle.list_runs():
        if run.status in (RunStatus.DONE, RunStatus.CANCELLED):
            continue
        if held(run, now) and not world.trouble("takeover", 0.1):
            continue
        if run.status is RunStatus.WAITING and not await _can_go_on(world, handle, run.run, now):
            continue
        found.append(run.run)
    return world.random.choice(found) if found else None


async def _can_go_on(world: World, handle: Handle, run: str, now: float) -> bool:
    if await handle.decisions(run, waiting=True):
        return True
    # To look costs much: not every time.
    if world.random.random() < 0.6:
        return False
    return any(info.deadline <= now for info in await look(handle, world.shape.unbound, run))


async def _go_on(world: World, process: Process, handle: Handle, run: str) -> None:
    options: dict[str, Any] = {
        "clock": SimClock(world, process), "lease": world.lease, "trace_sink": Listener(world),
    }  # fmt: skip
    if world.random.random() < 0.2:
        options["barrier_sink"] = Approves(world)
    graph = world.shape.graph
    if run in world.unstarted:
        session = await _start(world, handle, run, options)
    else:
        take_over = world.trouble("takeover", 0.2)
        session = await Session.restore(graph, store=handle, run_id=run, take_over=take_over, **options)
        if session.status not in (RunStatus.DONE, RunStatus.CANCELLED):
            look_at_session(world, session, "restored")
    world.trace("session", run, f"at step {session.step}, {session.status}")
    for _ in range(1 + int(world.random.random() * 3)):
        if session.status is RunStatus.UNCERTAIN:
            await _settle(world, session)
        await _drive(world, process, session)
        look_at_session(world, session, "driven")
        if session.status is not RunStatus.WAITING:
            return
        await _answer_here(world, session)


async def _start(world: World, handle: Handle, run: str, options: dict[str, Any]) -> Session[Any]:
    state = world.shape.state(world.inputs[run])
    try:
        session = await Session.start(world.shape.graph, state, store=handle, run_id=run, **options)
    except RunExists:
        world.unstarted = [one for one in world.unstarted if one != run]
        raise
    world.unstarted = [one for one in world.unstarted if one != run]
    return session


async def _settle(world: World, session: Session[Any]) -> None:
    """Say what became of the nodes that the run died in: both answers lead to the same state."""
    for frame, name in uncertain(session._engine):
        if world.random.random() < 0.5:
            await session.settle(frame.where(name), "retry", actor="settler")
        else:
            made = world.shape.records(name, frame.visits(name) + 1, frame.state)
            await session.settle(frame.where(name), made, actor="settler")


async def _drive(world: World, process: Process, session: Session[Any]) -> None:
    """Go on in one of the ways in which a caller may do so."""
    drawn = world.random.random()
    if drawn < 0.15 and world.trouble("leave", 1.0):
        stream: Any = session.stream()
        async with aclosing(stream) as events:
            left = int(world.random.random() * 30)
            async for _ in events:
                left -= 1
                if left <= 0:
                    return
    elif drawn < 0.3 and world.trouble("leave", 1.0):
        async with beside(session.run()) as task:
            await asyncio.wait([task], timeout=world.random.random() * 10.0)
            world.trace("left", session.run_id)
    elif drawn < 0.4 and world.trouble("cancel", 0.3):
        await _cancel_here(world, process, session)
    elif drawn < 0.6:
        async with beside(_note(world, session)):
            await session.run()
    else:
        await session.run()


async def _note(world: World, session: Session[Any]) -> None:
    """Ask for checkpoints while the run goes on."""
    while True:
        await asyncio.sleep(world.random.random() * 4.0)
        try:
            await session.checkpoint()
        except EXPECTED:
            return


async def _cancel_here(world: World, process: Process, session: Session[Any]) -> None:
    async with beside(session.run()) as task:
        await asyncio.wait([task], timeout=world.random.random() * 6.0)
        since, rested = world.loop.time(), process.rested
        world.cancels.add(session.run_id)
        world.trace("cancel", session.run_id)
        await session.cancel()
        await asyncio.wait([task])
        took = world.loop.time() - since - (process.rested - rested)
        if took > BOUND:
            world.report(f"{session.run_id}: cancelled, it took {took:.0f} s to stop")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any]) -> AsyncGenerator[asyncio.Task[Any]]:
    """Something that goes on beside the block, and is stopped at its end; what it raised is expected."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if (
            not task.cancelled()
            and (error := task.exception()) is not None
            and not isinstance(error, EXPECTED)
        ):
            raise error


async def _answer_here(world: World, session: Session[Any]) -> None:
    for info in session.waiting:
        if world.random.random() < 0.5:
            await session.decide(info.id, BarrierDecision.approve(), actor="here")


async def decider(world: World, process: Process, handle: Handle) -> None:
    """Answers barriers from outside: right and wrong, early, late and twice."""
    clock = SimClock(world, process)
    seen: list[tuple[str, str]] = []
    while True:
        await asyncio.sleep(0.5 + world.random.random() * 9.0)
        run = world.random.choice(list(world.inputs))
        try:
            waiting = await look(handle, world.shape.unbound, run)
            drawn = world.random.random()
            if waiting:
                info = world.random.choice(waiting)
                seen.append((run, info.id))
                address = info.id if drawn < 0.7 else info.node
            elif seen and drawn < 0.3 and world.trouble("dither", 0.5):
                run, address = world.random.choice(seen)  # late, or a second time
            elif (nodes := world.shape.barriers) and world.trouble("dither", 0.2):
                address = world.random.choice(nodes)  # early
            else:
                continue
            answer = (
                BarrierDecision.approve() if world.random.random() < 0.7 else BarrierDecision.reject("no")
            )
            if world.trouble("dither", 0.1):
                answer = BarrierDecision.answer("shrug")
            times = 2 if world.trouble("dither", 0.3) else 1
            await asyncio.gather(
                *[
                    decide(world.shape.unbound, handle, run, address, answer, actor=process.name, clock=clock)
                    for _ in range(times)
                ]
            )
        except EXPECTED as error:
            world.trace("refused", run, f"{type(error).__name__}: {error.message}")
        except Exception as error:
            world.report(f"{type(error).__name__}: {error}")
            raise


async def canceller(world: World, process: Process, handle: Handle) -> None:
    """Cancels a run from another process, some time."""
    await asyncio.sleep(world.random.random() * 40.0)
    run = world.random.choice(list(world.inputs))
    if world.random.random() < 0.5:
        return
    for _ in range(20):
        try:
            session = await Session.restore(
                world.shape.graph, store=handle, run_id=run, take_over=True, clock=SimClock(world, process)
            )
            if session.status in (RunStatus.DONE, RunStatus.CANCELLED):
                return
            world.cancels.add(run)
            world.trace("cancel", run)
            await session.cancel()
            return
        except EXPECTED as error:
            world.trace("ended", run, f"{type(error).__name__}: {error.message}")
            await asyncio.sleep(world.random.random() * 3.0)


async def operator(world: World, process: Process, handle: Handle) -> None:
    """Looks after the store: removes checkpoints, truncates logs, forks runs."""
    clock = SimClock(world, process)
    while not world.healed:
        await asyncio.sleep(2.0 + world.random.random() * 20.0)
        run = world.random.choice(list(world.inputs))
        try:
            match world.random.randrange(3):
                case 0:
                    await handle.prune(run, world.random.randrange(4))
                case 1:
                    snapshot = await handle.latest_snapshot(run)
                    if snapshot is not None:
                        gone = await handle.truncate(run, snapshot.step + 1)
                        world.trace("truncated", run, str(gone))
                case _ if not world.forks:
                    await _fork(world, handle, run, clock)
                case _:
                    pass
        except EXPECTED as error:
            world.trace("refused", run, f"{type(error).__name__}: {error.message}")
        except Exception as error:
            world.report(f"{type(error).__name__}: {error}")
            raise


async def _fork(world: World, handle: Handle, run: str, clock: SimClock) -> None:
    steps = [record.step async for record in handle.replay(run)]
    new = f"{run}f"
    world.forks[new] = run
    await fork(handle, world.shape.graph, run, world.random.choice(steps or [0]), new, clock.time())
    world.inputs[new] = world.inputs[run]
    world.trace("forked", new)


ROLES: dict[str, Role] = {"w": worker, "d": decider, "c": canceller, "o": operator}
