"""Nodes that run others: branches of a parallel, a subgraph, the elements of a map, and their join.

A failure inside is the node's failure once the join cannot be reached any more; in `collect` mode all are
waited for, what succeeded is kept, and then the error edge is taken. Children that are not needed are
stopped before the join is committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from .. import plan
from ..errors import LgcError, NodeFailed, StepsExceeded, Unrouted, storable
from ..machine.completion import complete_joined
from ..machine.frame import Frame
from ..observation.observed import kind_of
from .engine import Engine
from .failures import fatal
from .lane import Lane, ended


class Outcome(NamedTuple):
    """How the children ended: those that succeeded in the order they did, those that failed, and whether
    some wait."""

    won: list[str | int]
    failures: dict[str | int, LgcError]
    waiting: bool


async def run_joining(
    engine: Engine, lane: Lane, frame: Frame, node: plan.Parallel | plan.Subgraph | plan.Map
) -> bool:
    """Run the children of a node and join them; False where some of them wait."""
    started, since = engine.clock.time(), engine.clock.monotonic()
    name = node.name
    engine.node_started(frame, name, frame.visits(name) + 1)
    try:
        outcome = await _children(engine, lane, frame, node)
    except LgcError as error:
        if fatal(error):
            raise
        outcome = Outcome([], {"": error}, False)
    if outcome.waiting:
        return False
    engine.abandon(frame)
    won = _in_order(frame, node, outcome.won)
    if outcome.failures and not _reached(node, frame, len(won)):
        return await _failed(engine, lane, frame, node, outcome, won, started, since)
    if outcome.failures:
        _observe_partial(engine, frame, outcome)
    try:
        done = complete_joined(frame, won)
    except (Unrouted, StepsExceeded) as error:
        raise error.at(run=engine.run, step=engine.step) from None
    except LgcError as error:
        return await _failed(engine, lane, frame, node, Outcome([], {"": error}, False), [], started, since)
    await engine.commit_step(
        lane, frame, done, started=started, duration=engine.clock.monotonic() - since, joined=True
    )
    return True


def _observe_partial(engine: Engine, frame: Frame, outcome: Outcome) -> None:
    """Tell which children failed although their node goes on."""
    lost = ", ".join(f"`{key}`: {storable(error.message)}" for key, error in outcome.failures.items())
    engine.observe(frame, lost, "partial_failure")


def _in_order(frame: Frame, node: plan.Node, won: list[str | int]) -> list[str | int]:
    """The winners in branch or element order; no more than the join asks for."""
    if isinstance(node, plan.Parallel):
        chosen = set(won[: node.join])
        return [key for key in node.branches if key in chosen]
    return sorted(won, key=lambda key: key if isinstance(key, int) else 0)


def _reached(node: plan.Node, frame: Frame, won: int) -> bool:
    match node:
        case plan.Parallel():
            return won >= node.join
        case plan.Map():
            return won >= len(frame.elements(node))
        case _:
            return won > 0


async def _children(
    engine: Engine, lane: Lane, frame: Frame, node: plan.Parallel | plan.Subgraph | plan.Map
) -> Outcome:
    match node:
        case plan.Parallel():
            return await _fan(engine, lane, frame, list(node.branches), node.join, node.collect, None)
        case plan.Map():
            keys = list(range(len(frame.elements(node))))
            return await _fan(engine, lane, frame, keys, len(keys), node.collect, node.concurrency)
        case plan.Subgraph():
            child = frame.child("")
            try:
                ended = await engine.follow(lane, child) == "end"
            except LgcError as error:
                if fatal(error):
                    raise
                return Outcome([], {"": error}, False)
            return Outcome([""] if ended else [], {}, not ended)


async def _fan(
    engine: Engine,
    lane: Lane,
    frame: Frame,
    keys: Sequence[str | int],
    need: int,
    collect: bool,
    limit: int | None,
) -> Outcome:
    """Run children side by side, at most `limit` at a time, until the join is reached or cannot be."""
    won: list[str | int] = []
    failures: dict[str | int, LgcError] = {}
    pending: deque[str | int] = deque()
    for key in keys:
        known = frame.children.get(key)
        (won if known is not None and known.node == plan.END else pending).append(key)
    # A restored run: those that were over, in the order in which they were.
    won.sort(key=lambda key: frame.children[key].since)
    active: dict[Lane, str | int] = {}
    over: deque[Lane] = deque()
    waiting = 0
    wake: asyncio.Future[None] | None = None

    def finished(child: Lane) -> None:
        over.append(child)
        if wake is not None and not wake.done():
            wake.set_result(None)

    def settled() -> bool:
        if len(won) >= need and (need < len(keys) or not (pending or active)):
            return True
        return bool(failures) and not collect and len(keys) - len(failures) < need

    lane.fanning = True
    try:
        while not settled():
            while pending and (limit is None or len(active) < limit):
                if engine.backlog is not None and engine.backlog.behind:
                    await engine.backlog.room()
                    if over:
                        break  # first what has ended meanwhile
                key = pending.popleft()
                try:
                    child = frame.child(key)
                except LgcError as error:
                    failures[key] = error
                    if settled():
                        break
                    continue
                if limit is not None and isinstance(key, int) and key >= limit:
                    _begin_late(engine, frame, child)
                one = Lane(engine, child)
                active[one] = key
                engine.running += 1
                engine.branch_started(child, frame.node)
                one.start(finished)
            if settled() or not active:
                break
            if not over:
                wake = asyncio.get_running_loop().create_future()
                engine.park()
                try:
                    await wake
                finally:
                    engine.unpark()
            while over:
                one = over.popleft()
                key = active.pop(one)
                engine.running -= 1
                waiting += _note(engine, one, key, won, failures)
    finally:
        try:
            await _stop(engine, active, over)
        finally:
            lane.fanning = False
    return Outcome(won, failures, waiting > 0 and not settled())


def _begin_late(engine: Engine, frame: Frame, child: Frame) -> None:
    """An element that had to wait for its turn: what it waits for counts from then."""
    fresh = [one for one in child.active() if one.since == frame.since]
    if fresh:
        now = engine.clock.time()
        engine.began_late = True
        for one in fresh:
            one.since = now


def _note(
    engine: Engine, one: Lane, key: str | int, won: list[str | int], failures: dict[str | int, LgcError]
) -> int:
    """Take down how a child ended; 1 where it waits."""
    if one.error is not None:
        if not isinstance(one.error, LgcError) or fatal(one.error):
            raise one.error
        failures[key] = one.error
        engine.branch_over(one.frame, "failed", one.error.message)
        return 0
    if one.outcome == "stopped":
        raise asyncio.CancelledError  # nobody of ours told it to: the loop is being closed
    if one.outcome == "end":
        won.append(key)
        engine.branch_over(one.frame, "end")
        return 0
    return 1


async def _stop(engine: Engine, active: dict[Lane, str | int], over: deque[Lane]) -> None:
    """Stop the children that are still at work, and wait until they are over."""
    for one in active:
        if one not in over:
            one.stop()
    cancelled = await ended(list(active))
    engine.running -= len(active)
    active.clear()
    if cancelled:
        raise asyncio.CancelledError


async def _failed(
    engine: Engine,
    lane: Lane,
    frame: Frame,
    node: plan.Parallel | plan.Subgraph | plan.Map,
    outcome: Outcome,
    won: list[str | int],
    started: float,
    since: float,
) -> bool:
    """Take the error edge, keeping what succeeded in `collect` mode; raise where there is none."""
    first = next(iter(outcome.failures.values()))
    route = frame.plan.routes.get(node.name)
    if route is None or "error" not in route.on:
        if isinstance(first, (Unrouted, StepsExceeded)):
            raise first
        raise first.at(run=engine.run, node=frame.where(node.name), step=engine.step)
    keep = won if isinstance(node, (plan.Parallel, plan.Map)) and node.collect else []
    if keep:
        _observe_partial(engine, frame, outcome)
    try:
        done = complete_joined(frame, keep, "error")
    except LgcError as error:
        raise NodeFailed(
            f"`{node.name}` failed ({first.message}), and its error edge cannot be taken: {error.message}",
            run=engine.run, node=frame.where(node.name), step=engine.step,
        ) from error  # fmt: skip
    failures = {str(key): storable(error.message) for key, error in outcome.failures.items()}
    await engine.commit_step(
        lane, frame, done, started=started, duration=engine.clock.monotonic() - since, joined=True,
        error=first.message, error_type=kind_of(first), detail={"failed": failures},
    )  # fmt: skip
    return True
