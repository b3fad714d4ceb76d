"""Checks of large values: read as they were written wherever they stand, kept once, gone with their last run.

A store that keeps them where they stand says that it has none (`StoreStats.values`): it has to keep the same
promises but for the space.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..store.protocols import Store
from ..store.records import Commit
from .subject import (
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

SIZE = 50_000


def a_value(letter: str, size: int = SIZE) -> str:
    """A JSON string of that many bytes, with what is awkward in one."""
    start = f'"{letter}\\"[{{é😀\\u00e9\\\\ '
    return start + letter * (size - len(start.encode()) - 1) + '"'


def around(value: str) -> tuple[str, str, str]:
    """Mutations, a snapshot and an input with the value in them."""
    return (
        f'[{{"m":"add","p":{{"text":{value},"n":1}}}},{{"m":"end","p":{{}}}}]',
        f'{{"state":{{"texts":[{value}, 2]}}}}',
        f'{{"text":{value}}}',
    )


async def used(store: Store, value: str, run: str, steps: int) -> int:
    """A run with the value in its input, launch, steps, a snapshot of each, and an answer; its token."""
    mutations, snapshot, input = around(value)
    await store.create_run(a_run(run, input=input, launch=input))
    fence = await store.take(run, "first")
    for step in range(1, steps + 1):
        record = a_step(run, step, mutations=mutations, detail=snapshot)
        await store.commit(Commit(run, fence, record, snapshot=a_snapshot(run, step, snapshot=snapshot)))
    await store.add_decision(a_decision(run, arguments=input, mutations=mutations))
    return fence


async def read_back(store: Store, value: str, run: str, steps: Sequence[int]) -> None:
    """Expect everything of the run to be what was written."""
    mutations, snapshot, input = around(value)
    record = await store.get_run(run)
    expect((record.input, record.launch), (input, input), "the input and the launch")
    found = await log(store, run, min(steps, default=1))
    expect([one.step for one in found], list(steps), "the steps")
    expect({one.mutations for one in found} <= {mutations}, True, "the mutations")
    expect({one.detail for one in found} <= {snapshot}, True, "the details")
    (answer,) = await store.decisions(run)
    expect((answer.arguments, answer.mutations), (input, mutations), "the answer")
    latest = await store.latest_snapshot(run)
    if latest is not None:
        expect(latest.snapshot, snapshot, "the newest snapshot")
        expect((await store.load(latest.id)).snapshot, snapshot, "the same by its id")


@checks.add()
async def a_large_value_is_read_as_it_was_written_and_kept_once(subject: Subject) -> None:
    """In inputs, steps, details, snapshots and answers of many runs: together they take its space once."""
    async with subject.make() as store:
        value = a_value("a")
        for run in "rst":
            await used(store, value, run, 5)
        for run in "rst":
            await read_back(store, value, run, range(1, 6))
        stats = await store.stats()
        if not stats.values:
            return
        expect(stats.values, 1, "large values")
        expect(SIZE <= stats.bytes["values"] < SIZE + 1000, True, f"{stats.bytes['values']} bytes of values")
        for kind in ("log", "snapshots", "other"):
            expect(stats.bytes[kind] < SIZE, True, f"{stats.bytes[kind]} bytes of {kind}")


@checks.add()
async def many_large_values_in_one_text(subject: Subject) -> None:
    """Each by itself, in order, also the same twice, beside texts that are as long and have nothing large."""
    async with subject.make() as store:
        fence = await begun(store)
        values = [a_value(letter) for letter in "abcab"]
        words = "[" + ",".join(['"words"'] * 3000) + "]"
        flat = "x" * SIZE
        texts = [f"[{','.join(values)},3]", f'[{{"a":{words},"b":{words}}}]', flat, "é" * 20_000]
        for step, text in enumerate(texts, 1):
            await store.commit(Commit("r", fence, a_step(step=step, mutations=text)))
        expect([one.mutations for one in await log(store)], texts, "the texts")
        expect((await store.stats()).values in (0, 4), True, "three different values, and the list")


@checks.add()
async def a_large_value_stays_while_anything_uses_it(subject: Subject) -> None:
    """Whatever else is deleted; and goes with the last that does."""
    async with subject.make() as store:
        value, other = a_value("a"), a_value("b")
        await used(store, value, "r", 4)
        fence = await used(store, value, "s", 4)
        mutations, snapshot, _ = around(other)
        await store.commit(Commit("s", fence, a_step("s", 5, mutations=mutations)))
        await store.commit(Commit("s", fence, a_step("s", 6), snapshot=a_snapshot("s", 6, snapshot=snapshot)))
        inline = not (await store.stats()).values
        expect(inline or (await store.stats()).values == 2, True, "two values")
        await store.truncate("r", 3)
        await store.prune("r", 1)
        await read_back(store, value, "r", [3, 4])
        await store.truncate("s", 7)
        expect((await store.load("s@6")).snapshot, snapshot, "the snapshot after its steps have gone")
        await store.save(a_snapshot("s", 6))
        expect(inline or (await store.stats()).values == 1, True, "the value of a snapshot that was replaced")
        expect(await store.delete_run("s"), True, "deleting a run")
        await read_back(store, value, "r", [3, 4])
        expect(await store.delete_run("r"), True, "deleting the other")
        expect((await store.stats()).values, 0, "values after the last run that used any")
        expect((await store.stats()).bytes["values"], 0, "their bytes")


@checks.add()
async def a_commit_that_is_refused_leaves_no_large_value(subject: Subject) -> None:
    """All of it is kept or nothing."""
    async with subject.make() as store:
        fence = await begun(store, steps=1)
        mutations, snapshot, _ = around(a_value("a"))
        for bad in (
            Commit("r", fence + 1, a_step(step=2, mutations=mutations)),
            Commit("r", fence, a_step(step=3, mutations=mutations)),
            Commit("r", fence, a_step(step=2, mutations=mutations), snapshot=a_snapshot("s", 2)),
            Commit("r", fence, a_step(step=2), snapshot=a_snapshot(step=2, snapshot=snapshot), decision=99),
        ):
            try:
                await store.commit(bad)
            except Exception:
                expect((await store.stats()).values, 0, "values after a refusal")
            else:
                raise AssertionError(f"a bad commit was accepted: {bad!r:.200}")
        expect([one.step for one in await log(store)], [1], "the steps")
