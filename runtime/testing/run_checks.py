"""Checks of runs, graphs, decisions, attempts and overrides."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..errors import LgcError, RunExists, RunFenced, RunNotFound, StorageError
from ..store.records import AttemptRecord, Commit, OverrideRecord, RunStatus
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
    marked,
    refused,
)

checks = Checks()


@checks.add()
async def a_graph_is_kept_once(subject: Subject) -> None:
    """The first canonical form of a hash stays."""
    async with subject.make() as store:
        expect(await store.get_graph(HASH), None, "a graph that was never put")
        await store.put_graph(HASH, "article", '{"é\0":1}')
        await store.put_graph(HASH, "article", '{"é\0":1}')
        await store.put_graph(OTHER_HASH, "article", "{}")
        expect(await store.get_graph(HASH), '{"é\0":1}', "the graph")
        expect(await store.get_graph(OTHER_HASH), "{}", "the other graph")


@checks.add()
async def a_graph_may_come_after_its_run(subject: Subject) -> None:
    """A hash may be known before its canonical form is."""
    async with subject.make() as store:
        await begun(store, steps=1)
        expect(await store.get_graph(HASH), None, "a graph that was never put")
        await store.put_graph(HASH, "article", "{}")
        expect(await store.get_graph(HASH), "{}", "the graph")


@checks.add()
async def a_run_is_read_as_it_was_written(subject: Subject) -> None:
    """Every field, and only once for each id."""
    run = a_run("Zeno's \U0001f600\0", launch='{"argv":[]}', parent="p@3", owner="me", error="why", fence=7)
    async with subject.make() as store:
        await store.create_run(run)
        expect(await store.get_run(run.run), run, "the run")
        await refused(store.create_run(replace(run, input="{}")), RunExists, "the same run again")
        expect(await store.get_run(run.run), run, "the run after that")
        await refused(store.get_run("none"), RunNotFound, "reading no run")
        await refused(store.take("none", "me"), RunNotFound, "taking no run")
        expect(await store.take(run.run, "you"), 8, "the token")


@checks.add()
async def of_two_with_the_same_token_one_takes_the_run(subject: Subject) -> None:
    """`expect` is compared and changed in one go; a lease is part of it."""
    async with subject.two() as (first, second):
        fence = await begun(first)
        seen = await second.get_run("r")
        expect((seen.fence, seen.lease), (fence, 0.0), "token and lease of a run that was only taken")
        new = await second.take("r", "second", expect=seen, lease=5e9)
        await refused(first.take("r", "first", expect=seen, lease=6e9), RunFenced, "taking it once more")
        seen = await first.get_run("r")
        expect((seen.owner, seen.fence, seen.lease), ("second", new, 5e9), "the run")
        await second.commit(Commit("r", new, lease=5.1e9))
        await refused(
            first.take("r", "first", expect=seen), RunFenced, "taking it after its lease was renewed"
        )
        seen = await first.get_run("r")
        both = await asyncio.gather(
            first.take("r", "a", expect=seen), second.take("r", "b", expect=seen), return_exceptions=True
        )
        expect(sum(isinstance(one, RunFenced) for one in both), 1, "refusals of two at the same moment")
        await refused(second.take("none", "me", expect=seen), RunNotFound, "taking no run")


@checks.add()
async def a_lease_is_kept_up_under_the_token(subject: Subject) -> None:
    """Alone, with a step or with a status; not by a session that was overtaken."""
    async with subject.make() as store:
        fence = await begun(store)
        await store.commit(Commit("r", fence, lease=7e9))
        expect((await store.get_run("r")).lease, 7e9, "the lease")
        await store.commit(Commit("r", fence, a_step()))
        expect((await store.get_run("r")).lease, 7e9, "the lease after a step")
        await store.commit(Commit("r", fence, a_step(step=2), status=RunStatus.DONE, lease=0.0))
        run = await store.get_run("r")
        expect((run.lease, run.status), (0.0, RunStatus.DONE), "the run at its end")
        await store.take("r", "other", lease=8e9)
        await refused(
            store.commit(Commit("r", fence, lease=9e9)), RunFenced, "a lease of an overtaken session"
        )
        expect((await store.get_run("r")).lease, 8e9, "the lease")


@checks.add()
async def runs_are_listed_newest_first(subject: Subject) -> None:
    """By time of creation; filtered by status and graph."""
    async with subject.make() as store:
        for number, run in enumerate(["b", "c", "a", "d"]):
            await store.create_run(a_run(run, created=float(number), graph="g" if run in "ad" else "h"))
        await store.create_run(a_run("e", created=3.0))
        fence = await store.take("c", "me")
        await store.commit(Commit("c", fence, status=RunStatus.DONE))
        await store.append(a_step("only a log"))
        listed = [run.run for run in await store.list_runs()]
        expect(listed, ["e", "d", "a", "c", "b"], "all runs")
        listed = [run.run for run in await store.list_runs(status=RunStatus.RUNNING, graph="g")]
        expect(listed, ["d", "a"], "running runs of g")
        expect([run.run for run in await store.list_runs(status=RunStatus.DONE)], ["c"], "runs done")


@checks.add()
async def a_status_changes_with_its_commit(subject: Subject) -> None:
    """With its error; the time of the last step is the run's."""
    async with subject.make() as store:
        fence = await begun(store, steps=3)
        expect((await store.get_run("r")).status, RunStatus.RUNNING, "the status")
        await store.commit(Commit("r", fence, a_step(step=4, time=4e9), RunStatus.FAILED, "broken"))
        run = await store.get_run("r")
        expect((run.status, run.error, run.updated), (RunStatus.FAILED, "broken", 4e9), "the run")
        await store.commit(Commit("r", fence, status=RunStatus.RUNNING))
        run = await store.get_run("r")
        expect((run.status, run.error), (RunStatus.RUNNING, ""), "the run")


@checks.add()
async def decisions_wait_until_a_step_applies_them(subject: Subject) -> None:
    """In the order in which they came; each is applied once."""
    async with subject.two() as (store, other):
        fence = await begun(store)
        before = await store.data_version()
        first = await other.add_decision(a_decision(arguments='{"reason":"ü\0"}', mutations='[{"m":"x"}]'))
        if await store.data_version() == before:
            raise AssertionError("data_version does not show that a decision has come")
        second = await other.add_decision(a_decision(barrier="", answer="reject"))
        if not 0 < first < second:
            raise AssertionError(f"ids of decisions must grow: {first}, then {second}")
        kept = list(await store.decisions("r", waiting=True))
        wanted = a_decision(arguments='{"reason":"ü\0"}', mutations='[{"m":"x"}]', id=first)
        expect(kept, [wanted, a_decision(barrier="", answer="reject", id=second)], "the decisions")
        await store.commit(Commit("r", fence, a_step(), decision=first))
        expect([one.id for one in await other.decisions("r", waiting=True)], [second], "those that wait")
        expect([one.step for one in await other.decisions("r")], [1, 0], "the steps that applied them")
        again = Commit("r", fence, a_step(step=2), decision=first)
        await refused(store.commit(again), StorageError, "a decision applied twice")
        await store.commit(Commit("r", fence, decision=second))
        expect([one.step for one in await store.decisions("r")], [1, -1], "one applied, one set aside")
        await refused(store.add_decision(a_decision("none")), RunNotFound, "a decision for no run")
        expect(list(await store.decisions("none")), [], "the decisions of no run")


@checks.add()
async def an_attempt_is_open_until_its_visit_is_committed(subject: Subject) -> None:
    """By frame, node and visit, or until a person has settled it."""
    first = AttemptRecord("r", "each[1]", "pay", 1, 1, 3.0)
    again = AttemptRecord("r", "each[1]", "pay", 1, 2, 4.0)
    other = AttemptRecord("r", "each[2]", "pay", 1, 1, 5.0)
    async with subject.two() as (store, looker):
        fence = await begun(store)
        for attempt in (first, again, other):
            await store.commit(Commit("r", fence, attempt=attempt))
        expect(list(await looker.attempts("r")), [first, again, other], "the open attempts")
        await store.commit(Commit("r", fence, a_step(frame="each[1]", node="pay", visit=2)))
        await store.commit(Commit("r", fence, a_step(step=2, frame="", node="pay", visit=1)))
        expect(len(await looker.attempts("r")), 3, "open attempts after other visits")
        fence = await looker.take("r", "second")
        await looker.commit(Commit("r", fence, a_step(step=3, frame="each[1]", node="pay", visit=1)))
        expect(list(await store.attempts("r")), [other], "the open attempts")
        await looker.commit(Commit("r", fence, settled=(("each[2]", "pay", 1),)))
        expect(list(await store.attempts("r")), [], "the open attempts")
        expect(list(await store.attempts("none")), [], "the attempts of no run")


@checks.add()
async def an_override_puts_the_run_under_the_other_graph(subject: Subject) -> None:
    """With who, why and from where."""
    override = OverrideRecord("r", 1, "ed", "a typo\0", HASH, OTHER_HASH, 9.5)
    async with subject.make() as store:
        fence = await begun(store, steps=1)
        await store.commit(Commit("r", fence, override=override))
        expect(list(await store.overrides("r")), [override], "the overrides")
        expect((await store.get_run("r")).hash, OTHER_HASH, "the run's hash")
        await store.commit(Commit("r", fence, a_step(step=2, hash=OTHER_HASH)))
        expect(list(await store.overrides("none")), [], "the overrides of no run")


@checks.add()
async def a_move_is_kept_with_all_that_belongs_to_it(subject: Subject) -> None:
    """How, both positions, attempts under their new names, and what is forgotten: in one commit or not."""
    override = OverrideRecord("r", 2, "ed", "", HASH, OTHER_HASH, 9.5, "migrate")
    before = a_snapshot(step=2, id="r@2 before", snapshot='{"old":1}')
    after = a_snapshot(step=2, id="r@2 after", hash=OTHER_HASH, snapshot='{"new":1}')
    attempts = [AttemptRecord("r", "", name, 1, 1, 3.0) for name in ("pay", "charge", "bill")]
    async with subject.make() as store:
        fence = await begun(store, steps=2)
        for _ in range(3):
            await store.add_decision(a_decision())
        ids = [one.id for one in await store.decisions("r")]
        await store.commit(Commit("r", fence, attempt=attempts[0]))
        move = Commit(
            "r", fence, override=override, kept=(before,), snapshot=after, settled=(("", "pay", 1),),
            attempts=tuple(attempts[1:]), aside=(ids[0], ids[2]), lease=0.0,
        )  # fmt: skip
        bad = [
            move._replace(fence=fence - 1),
            move._replace(kept=(a_snapshot("s", 2),)),
            move._replace(kept=(a_snapshot(step=3),)),
            move._replace(aside=(ids[0], 4711)),
            move._replace(attempts=(AttemptRecord("s", "", "pay", 1, 1, 3.0),)),
        ]
        for commit in bad:
            await refused(store.commit(commit), LgcError, "a bad move")
            expect(list(await store.overrides("r")), [], "the moves after a refused one")
            expect(list(await store.list("r")), [], "the checkpoints after a refused move")
            expect([one.step for one in await store.decisions("r")], [0, 0, 0], "the decisions then")
            expect(list(await store.attempts("r")), attempts[:1], "the attempts then")
            expect((await store.get_run("r")).hash, HASH, "the run's hash then")
        await store.commit(move)
        expect(list(await store.overrides("r")), [override], "the moves")
        expect((await store.get_run("r")).hash, OTHER_HASH, "the run's hash")
        expect([one.id for one in await store.list("r")], ["r@2 after", "r@2 before"], "the checkpoints")
        expect((await store.load("r@2 before")).snapshot, '{"old":1}', "the position before")
        newest = await store.latest_snapshot("r")
        expect(newest and (newest.hash, newest.snapshot), (OTHER_HASH, '{"new":1}'), "the newest snapshot")
        expect(list(await store.attempts("r")), attempts[1:], "the attempts")
        expect([one.step for one in await store.decisions("r")], [-1, 0, -1], "the decisions")
        await store.commit(Commit("r", fence, a_step(step=3, node="charge", frame="", visit=1)))
        expect(list(await store.attempts("r")), attempts[2:], "the attempts after one was committed")


@checks.add()
async def where_a_run_was_moved_its_snapshots_stay(subject: Subject) -> None:
    """The log does not lead from one graph to the other: they are not folded, not pruned, not counted."""
    async with subject.make() as store:
        fence = await begun(store)
        await store.commit(Commit("r", fence, marked(step=1)))
        await store.save(a_snapshot(step=1, id="by hand"))
        await store.commit(Commit("r", fence, marked(step=2)))
        move = OverrideRecord("r", 2, "ed", "", HASH, OTHER_HASH, 9.5, "compatible")
        before = a_snapshot(step=2, id="r@2 before")
        after = a_snapshot(step=2, id="r@2 after", hash=OTHER_HASH)
        await store.commit(Commit("r", fence, override=move, kept=(before,), snapshot=after))
        for step in range(3, 7):
            await store.commit(Commit("r", fence, marked(step=step), snapshot=a_snapshot(step=step)))
        listed = ["r@6", "r@5", "r@4", "r@3", "r@2 after", "r@2 before", "r@2", "by hand", "r@1"]
        expect([one.id for one in await store.list("r")], listed, "the list")
        held = [(await store.load(id)).snapshot != "" for id in listed]
        expect(held, [True, True, False, False, True, True, False, True, False], "which have a snapshot")
        expect(await store.prune("r", 2), 5, "pruned")
        left = ["r@6", "r@5", "r@2 after", "r@2 before"]
        expect([one.id for one in await store.list("r")], left, "what is left")
        expect(await store.prune("r", 0), 2, "pruned entirely")
        expect([one.id for one in await store.list("r")], left[2:], "what is left then")
        expect(await store.delete("r@2 after"), True, "deleting it by name")
        found = await store.latest_snapshot("r", 2)
        expect(found and (found.id, found.listed), ("r@2 after", False), "the snapshot, which is still there")
        await store.truncate("r", 3)
        expect(await store.prune("r", 0), 0, "pruned once the log is truncated")
        found = await store.latest_snapshot("r", 2)
        expect(found and found.id, "r@2 after", "the snapshot that the log starts from")


@checks.add("reopen")
async def reading_does_not_disturb_a_writer(subject: Subject) -> None:
    """Another view sees each commit, and the writer goes on."""
    async with subject.two() as (store, looker):
        fence = await begun(store)
        for step in range(1, 20):
            await store.commit(Commit("r", fence, a_step(step=step), snapshot=a_snapshot(step=step)))
            numbers = [record.step async for record in looker.replay("r")]
            expect(numbers, list(range(1, step + 1)), "the log, seen from elsewhere")
            latest = await looker.latest_snapshot("r")
            expect(latest and latest.step, step, "the snapshot, seen from elsewhere")
