"""Checks of the log: commits are atomic, fenced, in order, and read back as they were written."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import LgcError, RunFenced, RunNotFound, SerializationError, StorageError
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
    log,
    marked,
    refused,
    steps,
)

checks = Checks()


@checks.add()
async def a_step_is_read_as_it_was_written(subject: Subject) -> None:
    """Every field of a record, at the ends of what it may hold."""
    records = [
        a_step(step=1, frame="", edge="a->b when 1", error="it failed", outcome="error", next="", cost=0.0),
        a_step(step=2, mutations="[" + "1" * 5000 + "]", detail="", visit=2**40, attempt=77),
        a_step(step=3, frame="each[3]/check/facts", hash=OTHER_HASH, duration=1e-9, cost=1e300),
        a_step(step=4, node="größe\0 \U0001f600 \u2028'\"", mutations='["\0\ufeff\ud7ff\ue000\U0010ffff"]'),
        a_step(step=5, mutations="x" * 300_000, error="\n", detail="y" * 70_000),
        marked(step=6),
    ]
    async with subject.make() as store:
        fence = await begun(store)
        for record in records:
            await store.commit(Commit("r", fence, record))
        expect(await log(store), records, "the log")


@checks.add()
async def a_commit_is_all_or_nothing(subject: Subject) -> None:
    """A commit one part of which is refused leaves nothing of its other parts."""
    async with subject.make() as store:
        fence = await begun(store, steps=1)
        await store.create_run(a_run("other"))
        foreign = await store.add_decision(a_decision("other"))
        whole = Commit(
            "r", fence, marked(step=2), status=RunStatus.DONE, snapshot=a_snapshot(step=2),
            attempt=AttemptRecord("r", "", "pay", 1, 1, 1.0),
            override=OverrideRecord("r", 1, "ed", "why", HASH, OTHER_HASH, 1.0),
        )  # fmt: skip
        bad = [
            whole._replace(fence=fence - 1),
            whole._replace(decision=foreign),
            whole._replace(snapshot=a_snapshot(step=3)),
            whole._replace(snapshot=a_snapshot("other", 2)),
            whole._replace(record=a_step("other", 2)),
            whole._replace(record=a_step(step=3)),
            whole._replace(record=a_step(step=2, mutations='["\udfff"]')),
        ]
        for commit in bad:
            await refused(store.commit(commit), LgcError, "a commit with a bad part")
            expect(await steps(store), [1], "the log after a refused commit")
            expect(await store.list("r"), [], "the checkpoints after a refused commit")
            expect(list(await store.attempts("r")), [], "the attempts after a refused commit")
            expect(list(await store.overrides("r")), [], "the overrides after a refused commit")
            run = await store.get_run("r")
            expect((run.status, run.hash), (RunStatus.RUNNING, HASH), "the run after a refused commit")
        await store.commit(whole)
        run = await store.get_run("r")
        expect((run.status, run.hash), (RunStatus.DONE, OTHER_HASH), "the run after a commit")
        expect(await steps(store), [1, 2], "the log after a commit")
        expect(len(await store.list("r")), 1, "the checkpoints after a commit")


@checks.add()
async def steps_have_no_gaps_and_no_doubles(subject: Subject) -> None:
    """Only the next step is accepted."""
    async with subject.make() as store:
        fence = await begun(store, steps=2)
        for step in (0, -1, 1, 2, 4, 10**30):
            await refused(store.commit(Commit("r", fence, a_step(step=step))), StorageError, f"step {step}")
        await refused(store.append(a_step(step=2)), StorageError, "appending step 2 again")
        await store.commit(Commit("r", fence, a_step(step=3)))
        await store.append(a_step(step=4))
        await store.commit(Commit("r", fence, a_step(step=5)))
        expect(await steps(store), [1, 2, 3, 4, 5], "the log")


@checks.add()
async def a_batch_is_all_or_nothing(subject: Subject) -> None:
    """Several appended steps, of one or more runs."""
    async with subject.make() as store:
        await store.append_batch([a_step("a", 1), a_step("b", 1), a_step("a", 2)])
        await store.append_batch([])
        batch = [a_step("a", 3), a_step("b", 3)]
        await refused(store.append_batch(batch), StorageError, "a batch with a gap")
        expect((await steps(store, "a"), await steps(store, "b")), ([1, 2], [1]), "the logs")


@checks.add()
async def an_overtaken_session_cannot_commit(subject: Subject) -> None:
    """Two sessions drive one run: who took it first is refused, with everything in its commit."""
    async with subject.two() as (first, second):
        old = await begun(first, steps=2)
        new = await second.take("r", "second")
        if new <= old:
            raise AssertionError(f"a token must grow: {old}, then {new}")
        commit = Commit("r", old, marked(step=3), status=RunStatus.FAILED, snapshot=a_snapshot(step=3))
        await refused(first.commit(commit), RunFenced, "the commit of the overtaken session")
        await refused(first.commit(Commit("r", old, a_step(step=3))), RunFenced, "its step")
        await refused(first.commit(Commit("r", old, status=RunStatus.DONE)), RunFenced, "its status")
        await second.commit(Commit("r", new, a_step(step=3, node="mine")))
        await refused(first.commit(Commit("r", old, a_step(step=3))), RunFenced, "its step, later")
        await refused(first.commit(Commit("r", old, a_step(step=4))), RunFenced, "its next step")
        await refused(first.commit(Commit("r", new + 1, a_step(step=4))), RunFenced, "a token of the future")
        for store in (first, second):
            expect([record.node for record in await log(store)], ["write", "write", "mine"], "the log")
            expect(list(await store.list("r")), [], "the checkpoints")
            run = await store.get_run("r")
            expect((run.status, run.owner, run.fence), (RunStatus.RUNNING, "second", new), "the run")


@checks.add()
async def who_takes_a_run_back_goes_on_from_its_end(subject: Subject) -> None:
    """What a store remembers of a run is not what another one has written meanwhile."""
    async with subject.two() as (first, second):
        await begun(first, steps=2)
        theirs = await second.take("r", "second")
        await second.commit(Commit("r", theirs, a_step(step=3)))
        mine = await first.take("r", "first")
        await refused(first.commit(Commit("r", mine, a_step(step=3))), StorageError, "a step already there")
        await first.commit(Commit("r", mine, a_step(step=4)))
        expect(await steps(second), [1, 2, 3, 4], "the log")


@checks.add()
async def a_commit_needs_its_run(subject: Subject) -> None:
    """Of a run that is not there nothing is kept."""
    async with subject.make() as store:
        await refused(store.commit(Commit("none", 0, a_step("none"))), RunNotFound, "a step of no run")
        await refused(store.commit(Commit("none", 0, status=RunStatus.DONE)), RunNotFound, "a status")
        await store.append(a_step("bare"))
        await refused(store.commit(Commit("bare", 0, a_step("bare", 2))), RunNotFound, "a log without run")
        expect(await steps(store, "none"), [], "the log of no run")
        expect(await steps(store, "bare"), [1], "the log without run")


@checks.add()
async def many_runs_commit_at_once(subject: Subject) -> None:
    """Runs of one event loop do not wait for, mix with or spoil each other; refusals hit their own run."""
    runs = [f"r{number}" for number in range(40)]
    async with subject.make() as store:
        fences = {run: await begun(store, run) for run in runs}

        async def drive(number: int, run: str) -> None:
            for step in range(1, 11):
                if number % 4 == 3 and step == 6:
                    bad = Commit(run, fences[run], a_step(run, step + 1), status=RunStatus.DONE)
                    await refused(store.commit(bad), StorageError, "a gap among good commits")
                    bad = Commit(run, fences[run] + 1, marked(run, step), snapshot=a_snapshot(run, step))
                    await refused(store.commit(bad), RunFenced, "a wrong token among good commits")
                snapshot = a_snapshot(run, step) if number % 3 == 0 else None
                await store.commit(Commit(run, fences[run], a_step(run, step, node=run), snapshot=snapshot))
                known = await steps(store, run, step)
                expect(known, [step], f"what {run} reads of a step that was committed")

        await asyncio.gather(*(drive(number, run) for number, run in enumerate(runs)))
        for number, run in enumerate(runs):
            expect({record.node for record in await log(store, run)}, {run}, f"the nodes of {run}")
            expect(await steps(store, run), list(range(1, 11)), f"the log of {run}")
            expect(len(await store.list(run)), 0 if number % 3 else 10, f"the checkpoints of {run}")


@checks.add()
async def a_cancelled_commit_spoils_nothing(subject: Subject) -> None:
    """A run that is cancelled while it commits does not hold up those that commit with it."""
    async with subject.make() as store:
        fences = {run: await begun(store, run) for run in "abc"}
        for victim in "abc":
            tasks: dict[str, asyncio.Task[None]] = {}
            ends = {run: len(await steps(store, run)) for run in fences}
            for run, fence in fences.items():
                commit = Commit(run, fence, a_step(run, ends[run] + 1))
                tasks[run] = asyncio.create_task(store.commit(commit))
            await asyncio.sleep(0)
            tasks[victim].cancel()
            done = await asyncio.wait_for(asyncio.gather(*tasks.values(), return_exceptions=True), 5)
            for run, outcome in zip("abc", done, strict=True):
                if run != victim:
                    expect(outcome, None, f"the commit of {run}")
        for run in "abc":
            known = await steps(store, run)
            expect(known, list(range(1, len(known) + 1)), f"the log of {run}")
            await store.commit(Commit(run, fences[run], a_step(run, len(known) + 1)))


@checks.add()
async def replay_starts_anywhere(subject: Subject) -> None:
    """Over the borders of whatever a store reads at once."""
    async with subject.make() as store:
        await store.append_batch([a_step(step=step) for step in range(1, 2502)])
        for start in (0, 1, 2, 1000, 1001, 2000, 2500, 2501, 2502, 9999):
            expect(await steps(store, "r", start), list(range(max(start, 1), 2502)), f"steps from {start}")
        expect(await steps(store, "unknown"), [], "steps of an unknown run")


@checks.add()
async def truncate_deletes_and_the_rest_stays_good(subject: Subject) -> None:
    """What was cut is gone; what is left can be read, and goes on with its numbers."""
    async with subject.make() as store:
        fence = await begun(store, steps=6)
        expect(await store.truncate("r", 0), 0, "steps gone")
        expect(await store.truncate("r", 4), 3, "steps gone")
        expect(await store.truncate("r", 3), 0, "steps gone again")
        expect(await steps(store), [4, 5, 6], "the log")
        expect(await steps(store, "r", 2), [4, 5, 6], "the log from a step that is gone")
        await store.commit(Commit("r", fence, a_step(step=7)))
        expect(await store.truncate("r", 100), 4, "steps gone")
        expect(await steps(store), [], "the log")
        await refused(store.commit(Commit("r", fence, a_step(step=1))), StorageError, "a step that was cut")
        await store.commit(Commit("r", fence, a_step(step=8)))
        expect(await steps(store), [8], "the log")
        expect(await store.truncate("unknown", 5), 0, "steps of an unknown run gone")


@checks.add()
async def what_is_no_text_or_number_is_refused(subject: Subject) -> None:
    """Half of a surrogate pair has no bytes: better an error now than a run that cannot be read."""
    async with subject.make() as store:
        fence = await begun(store)
        for field in ("mutations", "detail", "error", "node", "frame"):
            other: dict[str, Any] = {field: '"\ud800"'}
            record = a_step(**other)
            await refused(store.commit(Commit("r", fence, record)), SerializationError, f"a bad {field}")
        bad = a_snapshot(step=0, snapshot='"\udc00"')
        await refused(store.commit(Commit("r", fence, snapshot=bad)), SerializationError, "a bad snapshot")
        await refused(store.create_run(a_run("s", input='"\ud800"')), SerializationError, "a bad input")
        await refused(
            store.add_decision(a_decision(arguments='"\ud800"')), SerializationError, "a bad answer"
        )
        expect(await steps(store), [], "the log")
        expect(list(await store.decisions("r")), [], "the decisions")
        await store.commit(Commit("r", fence, a_step()))


@checks.add("reopen")
async def what_was_committed_is_there_afterwards(subject: Subject) -> None:
    """Closed and opened again."""
    store = subject.make()
    assert subject.reopen is not None
    async with store:
        fence = await begun(store, steps=3)
        await store.commit(Commit("r", fence, marked(step=4), RunStatus.WAITING, snapshot=a_snapshot(step=4)))
        before = (await log(store), await store.get_run("r"), await store.load("r@4"))
    async with subject.reopen(store) as again:
        expect((await log(again), await again.get_run("r"), await again.load("r@4")), before, "what is there")
        await again.commit(Commit("r", fence, a_step(step=5)))
        expect(await steps(again), [1, 2, 3, 4, 5], "the log")
