"""Checks of what is read of many runs at a time: it is what is read of each alone, or nothing."""

from __future__ import annotations

from ..store.bulk import History, histories
from ..store.protocols import Store
from ..store.records import AttemptRecord, Commit, OverrideRecord
from .subject import (
    HASH,
    OTHER_HASH,
    Checks,
    Subject,
    a_decision,
    a_run,
    a_snapshot,
    a_step,
    begun,
    expect,
    log,
)

checks = Checks()

_MANY = 1000


async def _alone(store: Store, run: str) -> History:
    return History(await store.latest_snapshot(run), await log(store, run))


async def _as_alone(store: Store, *runs: str) -> None:
    """Several runs read together are what each of them is alone."""
    found = await histories(store, runs, _MANY)
    expect(list(found), list(runs), "the runs that were read together")
    for run in runs:
        alone = await _alone(store, run)
        expect(found[run].snapshot, alone.snapshot, f"the newest snapshot of {run}")
        expect(list(found[run].log), list(alone.log), f"the log of {run}")
        more = [*await store.decisions(run), *await store.attempts(run), *await store.overrides(run)]
        if more and not found[run].more:
            raise AssertionError(f"what else there is of {run} is not told")


@checks.add()
async def runs_read_together_are_what_each_is_alone(subject: Subject) -> None:
    """With and without steps, snapshots and large values, in any order."""
    async with subject.make() as store:
        large = '[{"m":"add","p":{"x":"%s"}}]' % ("x" * 100_000)
        for run, steps in (("a", 3), ("b", 0), ("c", 1), ("d", 5)):
            fence = await begun(store, run, steps)
            if run == "d":
                await store.commit(Commit("d", fence, snapshot=a_snapshot("d", 2)))
                await store.commit(Commit("d", fence, a_step("d", 6, mutations=large)))
                await store.commit(Commit("d", fence, snapshot=a_snapshot("d", 6, snapshot='{"s":2}')))
        await _as_alone(store, "d", "a", "c", "b")
        await _as_alone(store, "b")
        expect(await histories(store, (), _MANY), {}, "no runs")


@checks.add()
async def a_truncated_log_is_read_together_with_its_snapshot(subject: Subject) -> None:
    """What is left of it."""
    async with subject.make() as store:
        fence = await begun(store, "a", 6)
        await store.commit(Commit("a", fence, snapshot=a_snapshot("a", 4)))
        await store.truncate("a", 4)
        await begun(store, "b", 2)
        await _as_alone(store, "a", "b")


@checks.add()
async def what_else_there_is_is_told(subject: Subject) -> None:
    """Answers, attempts whose end is not known, moves."""
    async with subject.make() as store:
        for run in ("a", "b", "c", "d"):
            await begun(store, run, 2)
        await store.add_decision(a_decision("a"))
        fence = await store.take("b", "me")
        await store.commit(Commit("b", fence, attempt=AttemptRecord("b", "", "write", 1, 1, 5.0)))
        fence = await store.take("c", "me")
        moved = OverrideRecord("c", 2, "me", "why", HASH, OTHER_HASH, 6.0)
        await store.commit(Commit("c", fence, override=moved))
        await _as_alone(store, "a", "b", "c", "d")


@checks.add()
async def what_is_too_long_or_unknown_is_not_read_together(subject: Subject) -> None:
    """The others are."""
    async with subject.make() as store:
        await begun(store, "long", 6)
        await begun(store, "short", 5)
        expect(list(await histories(store, ("long", "none", "short"), 5)), ["short"], "the runs")


@checks.add()
async def what_is_read_together_is_as_new_as_the_store(subject: Subject) -> None:
    """Nothing is remembered from before, whoever has written since."""
    async with subject.two() as (first, second):
        fence = await begun(first, "a", 2)
        await _as_alone(second, "a")
        await first.commit(Commit("a", fence, a_step("a", 3)))
        await first.create_run(a_run("b"))
        await _as_alone(second, "a", "b")


@checks.add("damage")
async def what_is_damaged_is_not_read_together(subject: Subject) -> None:
    """In its log or its newest snapshot; the others are read."""
    assert subject.damage is not None
    async with subject.make() as store:
        for run in ("a", "b", "c"):
            fence = await begun(store, run, 3)
            await store.commit(Commit(run, fence, snapshot=a_snapshot(run, 2)))
        subject.damage(store, "log", "a", 2)
        subject.damage(store, "checkpoint", "b", 2)
        again = subject.reopen(store) if subject.reopen is not None else store
        async with again as fresh:
            expect(list(await histories(fresh, ("a", "b", "c"), _MANY)), ["c"], "the runs")
