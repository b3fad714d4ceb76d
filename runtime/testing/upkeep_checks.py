"""Checks of what keeps a store in order: deleting runs, counting, verifying, giving space back."""

from __future__ import annotations

from ..errors import LgcError, RunFenced, RunNotFound
from ..store.protocols import Store
from ..store.records import AttemptRecord, Commit, RunStatus
from .checkpoint_checks import filled
from .subject import (
    HASH,
    Checks,
    Subject,
    a_decision,
    a_run,
    a_snapshot,
    a_step,
    begun,
    expect,
    log,
    marked,
    refused,
    steps,
)

checks = Checks()


async def everything(store: Store, run: str) -> tuple[object, ...]:
    """All that a store tells of a run."""
    return (
        await store.get_run(run),
        await log(store, run),
        [checkpoint.id for checkpoint in await store.list(run)],
        await store.latest_snapshot(run),
        list(await store.decisions(run)),
        list(await store.attempts(run)),
        list(await store.overrides(run)),
    )


async def full(store: Store, run: str) -> int:
    """A run with something of every kind."""
    fence = await begun(store, run, steps=2)
    await store.add_decision(a_decision(run))
    attempt = AttemptRecord(run, "", "pay", 9, 1, 1.0)
    await store.commit(Commit(run, fence, marked(run, 3), snapshot=a_snapshot(run, 3), attempt=attempt))
    return fence


@checks.add()
async def a_deleted_run_is_gone_with_all_that_was_its(subject: Subject) -> None:
    """And nothing of any other run is."""
    async with subject.make() as store:
        await store.put_graph(HASH, "article", "{}")
        for run in ("a", "b", "c"):
            await full(store, run)
        before = [await everything(store, run) for run in ("a", "c")]
        expect(await store.delete_run("b"), True, "deleting a run")
        expect(await store.delete_run("b"), False, "deleting it again")
        expect(await store.delete_run("none"), False, "deleting no run")
        await refused(store.get_run("b"), RunNotFound, "reading it")
        expect(sorted(run.run for run in await store.list_runs()), ["a", "c"], "the runs")
        expect(await log(store, "b"), [], "its log")
        expect(list(await store.list("b")), [], "its checkpoints")
        expect(await store.latest_snapshot("b"), None, "its snapshot")
        expect(list(await store.decisions("b")), [], "its decisions")
        expect(list(await store.attempts("b")), [], "its attempts")
        expect([await everything(store, run) for run in ("a", "c")], before, "the other runs")
        expect(await store.get_graph(HASH), "{}", "the graph")
        expect(list(await store.verify()), [], "what is damaged")


@checks.add()
async def a_run_is_deleted_only_as_it_was_seen(subject: Subject) -> None:
    """By its token and status, when they are given."""
    async with subject.two() as (store, other):
        fence = await begun(store, steps=1)
        seen = await other.get_run("r")
        await store.commit(Commit("r", fence, status=RunStatus.FAILED))
        await refused(other.delete_run("r", expect=seen), RunFenced, "deleting a run that has failed since")
        seen = await other.get_run("r")
        await store.take("r", "second")
        await refused(other.delete_run("r", expect=seen), RunFenced, "deleting a run that was taken since")
        expect(await steps(store), [1], "the log after that")
        expect(await other.delete_run("r", expect=await other.get_run("r")), True, "deleting it as it is")


@checks.add()
async def a_session_of_a_deleted_run_cannot_commit(subject: Subject) -> None:
    """Not into nothing, and not into a run that was added later, under the same id or another one."""
    async with subject.two() as (store, other):
        fence = await begun(store, steps=2)
        expect(await other.delete_run("r"), True, "deleting a run that is driven")
        await refused(store.commit(Commit("r", fence, a_step(step=3))), RunNotFound, "its next commit")
        for run in ("r", "s"):
            await begun(other, run, steps=2)
        await refused(store.commit(Commit("r", fence, a_step(step=3))), LgcError, "a commit to the new run")
        status = Commit("r", fence, status=RunStatus.FAILED)
        await refused(store.commit(status), LgcError, "a status for the new run")
        for run in ("r", "s"):
            expect(await steps(other, run), [1, 2], f"the log of {run}")
            expect((await other.get_run(run)).status, RunStatus.RUNNING, f"the status of {run}")


@checks.add()
async def what_there_is_can_be_counted(subject: Subject) -> None:
    """Runs by status, records by kind, bytes in all, and the biggest runs."""
    async with subject.make() as store:
        empty = await store.stats()
        expect((sum(empty.runs.values()), empty.steps, empty.checkpoints), (0, 0, 0), "an empty store")
        await store.put_graph(HASH, "article", "{}")
        fence = await filled(store)
        await store.commit(Commit("r", fence, status=RunStatus.DONE))
        await begun(store, "long", steps=40)
        await store.create_run(a_run("idle"))
        await store.add_decision(a_decision("idle"))
        stats = await store.stats()
        expect(
            {status: count for status, count in stats.runs.items() if count},
            {RunStatus.RUNNING: 2, RunStatus.DONE: 1},
            "the runs",
        )
        counted = stats.steps, stats.checkpoints, stats.snapshots, stats.decisions, stats.graphs
        expect(counted, (47, 7, 2, 1, 1), "steps, checkpoints, snapshots, decisions, graphs")
        for kind in ("log", "snapshots", "values", "graphs", "other", "total"):
            if stats.bytes.get(kind, -1) < 0:
                raise AssertionError(f"the stats have no bytes of `{kind}`: {stats.bytes}")
        if stats.bytes["log"] < 47 or stats.bytes["snapshots"] < 14:
            raise AssertionError(f"the log and the snapshots take more than {stats.bytes}")
        biggest = [(size.run, size.steps) for size in stats.biggest]
        expect(biggest[0] if biggest else None, ("long", 40), "the biggest run")
        await store.prune("r", 1)
        expect((await store.stats()).checkpoints, 1, "checkpoints once they were pruned")


@checks.add()
async def a_whole_store_has_no_damage(subject: Subject) -> None:
    """Also one that was truncated, pruned, and emptied of runs; verifying changes nothing."""
    async with subject.make() as store:
        expect(list(await store.verify()), [], "damage of an empty store")
        for run in ("a", "b"):
            await full(store, run)
        fence = await filled(store)
        await store.truncate("r", 5)
        await store.prune("r", 1)
        await store.delete_run("b")
        before = await everything(store, "a"), await everything(store, "r")
        expect(list(await store.verify()), [], "damage")
        expect((await everything(store, "a"), await everything(store, "r")), before, "what there is")
        await store.commit(Commit("r", fence, a_step(step=8)))


@checks.add("damage")
async def each_damage_is_found_with_its_place(subject: Subject) -> None:
    """One does not hide another, in the same run or the next."""
    assert subject.damage is not None
    async with subject.make() as store:
        await filled(store)
        await begun(store, "a", steps=9)
        await begun(store, "whole", steps=3)
        subject.damage(store, "log", "r", 2)
        subject.damage(store, "checkpoint", "r", 4)
        subject.damage(store, "log", "a", 3)
        subject.damage(store, "log", "a", 7)
        found = {(damage.run, damage.step) for damage in await store.verify()}
        for place in (("r", 2), ("r", 4), ("a", 3), ("a", 7)):
            if place not in found:
                raise AssertionError(f"the damage of run {place[0]}, step {place[1]} is not among {found}")
        if any(run == "whole" for run, _ in found):
            raise AssertionError(f"the run that is whole counts as damaged: {found}")


@checks.add()
async def a_shrunk_store_holds_the_same(subject: Subject) -> None:
    """And a session that was open goes on."""
    async with subject.two() as (store, other):
        fence = await full(store, "a")
        await begun(store, "gone", steps=200)
        await other.delete_run("gone")
        before = await everything(store, "a")
        await other.shrink()
        expect(await everything(store, "a"), before, "the run")
        await store.commit(Commit("a", fence, a_step("a", 4)))
        expect(await steps(other, "a"), [1, 2, 3, 4], "the log")
        stats = await other.stats()
        if stats.free > stats.bytes["total"]:
            raise AssertionError(f"more is free than there is: {stats}")
        expect(stats.steps, 4, "the steps")
