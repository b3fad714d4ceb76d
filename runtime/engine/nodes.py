"""How each kind of node is run: what happens between a frame's arrival at a node and the commit.

Each function returns whether the frame can go on; False where it waits for somebody outside.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from .. import plan
from ..barriers.answering import run_barrier
from ..errors import FinalFailure, LgcError, NodeFailed, NodeTimedOut, RunUncertain, StepsExceeded, Unrouted
from ..graph import Implementation, load
from ..machine.completion import complete
from ..machine.frame import Frame
from ..observation.events import EventKind
from ..observation.observed import kind_of
from ..store.records import AttemptRecord, Commit
from ..values.typed_json import encode_recorded
from .engine import Engine
from .failures import as_failure, fatal
from .fan import run_joining
from .lane import Lane, stopped, tell_given_up
from .threads import in_thread

# Seconds after which the answer of a store says little about now.
LONG_COMMIT = 1.0


async def run(engine: Engine, lane: Lane, frame: Frame, node: plan.Node) -> bool:
    """Run the node that a frame stands at."""
    match node:
        case plan.Task():
            return await run_task(engine, lane, frame, node)
        case plan.Decision():
            return await run_decision(engine, lane, frame, node)
        case plan.Barrier():
            return await run_barrier(engine, lane, frame, node)
        case plan.Parallel():
            return await run_joining(engine, lane, frame, node)
        case plan.Subgraph() | plan.Map():
            scripted = frame.graph.implementations.get(node.name)
            if scripted is not None:
                return await run_task(engine, lane, frame, stand_in(frame, node))
            return await run_joining(engine, lane, frame, node)


async def run_decision(engine: Engine, lane: Lane, frame: Frame, node: plan.Decision) -> bool:
    """Only route."""
    started = engine.clock.time()
    engine.node_started(frame, node.name, frame.visits(node.name) + 1)
    try:
        done = complete(frame)
    except LgcError as error:
        raise error.at(run=engine.run, node=frame.where(node.name), step=engine.step) from None
    await engine.commit_step(lane, frame, done, started=started, duration=0.0, events=frozenset({"decision"}))
    return True


async def run_task(engine: Engine, lane: Lane, frame: Frame, node: plan.Task) -> bool:
    """Call the node's function, with its retries, and commit what it recorded."""
    name = node.name
    call = frame.graph.implementations[name]
    counted = frame.counts.get(name)
    visit = (frame.visits(name) if counted is None else counted) + 1
    clock = engine.clock
    started, since = clock.time(), clock.monotonic()
    if engine.trace_sink is not None:
        engine.node_started(frame, name, visit)
    attempt = 1
    while True:
        if node.effect == "once":
            await _note_attempt(engine, lane, frame, name, visit, attempt)
        lane.context = context = node.context(node.view(frame.state), node, lane, frame, attempt, visit)
        try:
            if call.is_async and node.timeout is None:
                await call.call(context)
            else:
                await _call(engine, call, context, frame, node)
            if lane.given_up:
                raise asyncio.CancelledError
            context.__lg_over__ = True
            recorded: Sequence[Any] = context.__lg_recorded__
            text = None if engine.store is None else encode_recorded(recorded)
            done = complete(frame, "ok", recorded, context.__lg_goto__, node.ensures)
            break
        except BaseException as error:
            context.__lg_over__ = True
            failure = _failure(engine, lane, frame, name, error)
        if attempt <= _retries(node, failure):
            pause = _pause(node, attempt, clock.jitter())
            engine.say(
                EventKind.NODE_RETRIED, frame, name, visit=visit, attempt=attempt, pause=pause,
                error=str(failure.message), type=kind_of(failure),
            )  # fmt: skip
            await clock.sleep(pause)
            if engine.backlog is not None and engine.backlog.behind:
                await engine.backlog.room()
            attempt += 1
            continue
        await failed(engine, lane, frame, failure, started, clock.monotonic() - since, attempt)
        return True
    duration = clock.monotonic() - since
    if engine.store is None and engine.trace_sink is None and engine.checkpoint_sink is None:
        engine.count_step(frame, name, started, duration)
        return True
    for one in done.applied:
        if one.result is not None:
            text = None  # values that a function computed are stored too
    await engine.commit_step(
        lane, frame, done, started=started, duration=duration, attempt=attempt,
        cost=context.__lg_cost__, text=text, asked=context.__lg_checkpoint__,
        detail=_detail(engine, frame, name, visit),
    )  # fmt: skip
    return True


def _detail(engine: Engine, frame: Frame, name: str, visit: int) -> dict[str, object] | None:
    """What the log says of a call besides what came of it."""
    if type(frame.plan.nodes[name]) is not plan.Task:
        return {"scripted": True}
    if engine.again and (actor := engine.again.pop((frame.path, name, visit), None)) is not None:
        return {"settled": "retry", "actor": actor}
    return None


def _failure(engine: Engine, lane: Lane, frame: Frame, name: str, error: BaseException) -> LgcError:
    """What a node raised, as its failure. Raised again: what is not the node's, or ends more than it."""
    if isinstance(error, (KeyboardInterrupt, SystemExit)) or _closed(error, lane):
        raise error
    if lane.stopping or engine.leaving:
        # Whatever the function made of it: it was told to stop, and is not tried again.
        raise asyncio.CancelledError
    if lane.task is not None:
        while lane.task.cancelling():
            lane.task.uncancel()  # the function cancelled itself: its failure, not a wish of ours
    failure = as_failure(error, frame, name, engine.run)
    if fatal(failure) or isinstance(failure, (Unrouted, StepsExceeded)):
        raise failure.at(step=engine.step) from None
    return failure


def _closed(error: BaseException, lane: Lane) -> bool:
    """Whether Python is throwing the coroutine away, rather than the function raising."""
    if not isinstance(error, GeneratorExit):
        return False
    try:
        return asyncio.current_task() is not lane.task
    except RuntimeError:
        return True


async def _call(engine: Engine, call: Implementation, context: Any, frame: Frame, node: plan.Task) -> None:
    if call.is_async:
        await _timed(engine, call, context, frame, node)
        return
    async with engine.threads:  # the time of an attempt does not run while it waits for a thread
        await _timed(engine, call, context, frame, node)


async def _timed(engine: Engine, call: Implementation, context: Any, frame: Frame, node: plan.Task) -> None:
    if node.timeout is None:
        await _invoke(call, context)
        return
    # In a task of its own: one that ignores its cancellation can be given up.
    attempt = asyncio.get_running_loop().create_task(_invoke(call, context))
    try:
        await asyncio.wait((attempt,), timeout=node.timeout)
    except asyncio.CancelledError:
        await _end(engine, attempt, context, frame)
        raise
    if attempt.done():
        attempt.result()
        return
    await _end(engine, attempt, context, frame)
    # Whatever the function made of its cancellation: an error of its own, or nothing.
    failure = None if not attempt.done() or attempt.cancelled() else attempt.exception()
    if failure is not None and not isinstance(failure, Exception):
        raise failure
    raise NodeTimedOut(f"`{node.name}` took longer than {node.timeout:g} s") from failure


async def _end(engine: Engine, attempt: asyncio.Task[None], context: Any, frame: Frame) -> None:
    """Stop a call, or give it up."""
    try:
        await stopped(attempt)
    finally:
        context.__lg_over__ = True
        if not attempt.done():
            tell_given_up(engine, frame, context.node)


async def _invoke(call: Implementation, context: Any) -> None:
    if call.is_async:
        await call.call(context)
        return
    result = await in_thread(call.call, context)
    if inspect.isawaitable(result):
        await result


async def _note_attempt(
    engine: Engine, lane: Lane, frame: Frame, name: str, visit: int, attempt: int
) -> None:
    key = (frame.path, name, visit)
    if key in engine.begun:
        raise RunUncertain(
            f"the run died inside `{name}`, which is `effect once`: it may or may not have happened",
            run=engine.run, node=frame.where(name), step=engine.step,
        )  # fmt: skip
    engine.begun[key] = None
    if engine.store is not None:
        since = engine.clock.monotonic()
        note = AttemptRecord(engine.run, frame.path, name, visit, attempt, engine.clock.time())
        await engine.commit(lane, Commit(engine.run, engine.fence, attempt=note))
        if engine.clock.monotonic() - since > LONG_COMMIT:
            # The answer came late: others may have taken the run meanwhile, and said what became of the call.
            await engine.commit(lane, Commit(engine.run, engine.fence))
        if lane.stopping:
            raise asyncio.CancelledError


def _retries(node: plan.Task, failure: LgcError) -> int:
    """How many more attempts a failure may have: none where it must not happen twice."""
    if node.retry is None or node.effect == "once":
        return 0
    cause = failure.__cause__ if type(failure) is NodeFailed and failure.__cause__ else failure
    if isinstance(cause, FinalFailure) or (
        isinstance(cause, LgcError) and not isinstance(cause, NodeTimedOut)
    ):
        return 0
    if node.retry.errors:
        classes = tuple([load(path) for path in node.retry.errors])
        seen = TimeoutError() if isinstance(cause, NodeTimedOut) else cause
        if not isinstance(seen, classes):
            return 0
    return node.retry.attempts


def _pause(node: plan.Task, attempt: int, chance: float) -> float:
    """Exponential from `low` to `high`, the upper half of it by chance, never below `low`."""
    retry = node.retry
    assert retry is not None
    full = min(retry.high, retry.low * 2.0 ** (attempt - 1))
    return max(retry.low, full * (0.5 + chance / 2)) if full > 0 else 0.0


async def failed(
    engine: Engine,
    lane: Lane,
    frame: Frame,
    failure: LgcError,
    started: float,
    duration: float,
    attempt: int = 1,
) -> None:
    """Take a node's error edge, or raise its failure where it has none."""
    name = frame.node
    failure.at(run=engine.run, node=frame.where(name), step=engine.step)
    route = frame.plan.routes.get(name)
    on: Mapping[str, object] = route.on if route is not None else {}
    outcome = "timeout" if isinstance(failure, NodeTimedOut) and "timeout" in on else "error"
    if outcome not in on:
        engine.node_over(
            EventKind.NODE_FAILED, frame, name,
            error=failure.message, type=kind_of(failure), attempt=attempt, duration=duration,
        )  # fmt: skip
        raise failure
    try:
        done = complete(frame, outcome)
    except LgcError:
        raise failure from None
    await engine.commit_step(
        lane, frame, done, started=started, duration=duration, attempt=attempt, error=failure.message,
        error_type=kind_of(failure),
        detail={"scripted": True} if type(frame.plan.nodes[name]) is not plan.Task else None,
    )  # fmt: skip


def stand_in(frame: Frame, node: plan.Subgraph | plan.Map) -> plan.Task:
    """A subgraph or map that a scenario scripts: a task that may record anything of its state."""
    from ..context import TaskContext
    from ..values.views import View

    return plan.Task(
        node.name, node.region, TaskContext, View,
        records=tuple(type(frame.state).__lg_mutations__.values()),
    )  # fmt: skip
