"""Checks of checkpoints, and of what is no longer what was written."""

from __future__ import annotations

from ..errors import CheckpointCorrupted, CheckpointNotFound, SerializationError
from ..store.protocols import Store
from ..store.records import CheckpointRecord, Commit
from .subject import (
    HASH,
    Checks,
    Subject,
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


def shown(checkpoint: CheckpointRecord) -> tuple[object, ...]:
    """Everything but the checksum, which is the store's."""
    one = checkpoint
    return one.id, one.run, one.step, one.hash, one.created, one.snapshot


async def ids(store: Store, run: str = "r") -> list[str]:
    """The ids of a run's checkpoints as the store lists them."""
    return [checkpoint.id for checkpoint in await store.list(run)]


async def filled(store: Store) -> int:
    """Seven steps: checkpoints by reference at 2, 3, 5, 6, 7, snapshots at 1 and 4."""
    fence = await begun(store)
    for step in range(1, 8):
        if step in (1, 4):
            await store.commit(Commit("r", fence, marked(step=step), snapshot=a_snapshot(step=step)))
        else:
            await store.commit(Commit("r", fence, marked(step=step)))
    return fence


@checks.add()
async def a_checkpoint_is_read_as_it_was_written(subject: Subject) -> None:
    """With its snapshot; saved alone, in place of one of the same id, or with a step."""
    async with subject.make() as store:
        await store.save(a_snapshot("s", 3, snapshot='{"é\0":' + "1" * 100_000 + "}"))
        await store.save(a_snapshot("s", 3, snapshot='{"t":2}', created=2.5))
        await store.save(a_snapshot("s", 9, id="by hand"))
        loaded = await store.load("s@3")
        expect(shown(loaded), ("s@3", "s", 3, HASH, 2.5, '{"t":2}'), "the checkpoint")
        expect((await store.load("by hand")).step, 9, "the one with a name of its own")
        expect(await ids(store, "s"), ["by hand", "s@3"], "the list")
        bad = a_snapshot("s", 10, snapshot="\ud800")
        await refused(store.save(bad), SerializationError, "a snapshot that is no text")
        expect(len(await ids(store, "s")), 2, "checkpoints after that")


@checks.add()
async def a_checkpoint_by_reference_is_a_checkpoint(subject: Subject) -> None:
    """It can be loaded and listed, and has no snapshot."""
    async with subject.make() as store:
        await filled(store)
        loaded = await store.load("r@3")
        expect(shown(loaded), ("r@3", "r", 3, HASH, 1003.0, ""), "the checkpoint")
        expect(await ids(store), [f"r@{step}" for step in range(7, 0, -1)], "the list, newest first")
        expect((await store.load("r@4")).snapshot, '{"s":1}', "the snapshot")
        expect((await store.load_latest("r")).id, "r@7", "the newest")
        for id in ("r@8", "r@0", "r@-1", "r@03", "r@", "r", "@", "", "x@1", "r@99999999999999999999", "r@²"):
            await refused(store.load(id), CheckpointNotFound, f"loading {id!r}")
            expect(await store.delete(id), False, f"deleting {id!r}")
        await refused(store.load_latest("none"), CheckpointNotFound, "the newest of no run")
        expect(await ids(store, "none"), [], "the list of no run")


@checks.add()
async def a_deleted_checkpoint_is_gone_and_the_log_stays(subject: Subject) -> None:
    """Of both kinds."""
    async with subject.make() as store:
        await filled(store)
        before = await log(store)
        for id in ("r@3", "r@4"):
            expect(await store.delete(id), True, f"deleting {id}")
            expect(await store.delete(id), False, f"deleting {id} again")
            await refused(store.load(id), CheckpointNotFound, f"loading {id}")
        expect(await ids(store), ["r@7", "r@6", "r@5", "r@2", "r@1"], "the list")
        expect(await log(store), before, "the log")


@checks.add()
async def the_latest_snapshot_is_found(subject: Subject) -> None:
    """The newest one that is not too new."""
    async with subject.make() as store:
        await filled(store)
        for at_most, wanted in ((None, 4), (7, 4), (4, 4), (3, 1), (1, 1)):
            found = await store.latest_snapshot("r", at_most)
            expect(found and found.step, wanted, f"the snapshot up to {at_most}")
            expect(found and found.snapshot, '{"s":1}', "its text")
        expect(await store.latest_snapshot("r", 0), None, "the snapshot before the first")
        expect(await store.latest_snapshot("none"), None, "the snapshot of no run")
        expect(list(store.warnings()), [], "the warnings")


@checks.add()
async def snapshots_but_the_newest_two_are_given_up(subject: Subject) -> None:
    """Their steps stay checkpoints, by reference; what the log cannot give back stays whole."""
    async with subject.make() as store:
        fence = await begun(store)
        await store.save(a_snapshot(step=0))
        for step in range(1, 7):
            await store.commit(Commit("r", fence, marked(step=step), snapshot=a_snapshot(step=step)))
            if step == 2:
                await store.save(a_snapshot(step=2, id="by hand"))
        expect(await ids(store), ["r@6", "r@5", "r@4", "r@3", "by hand", "r@2", "r@1", "r@0"], "the list")
        held = [(await store.load(id)).snapshot != "" for id in await ids(store)]
        expect(held, [True, True, False, False, True, False, False, True], "which of them have a snapshot")
        expect(await steps(store), [1, 2, 3, 4, 5, 6], "the log")
        for at_most, wanted in ((None, 6), (5, 5), (4, 2), (1, 0)):
            found = await store.latest_snapshot("r", at_most)
            expect(found and found.step, wanted, f"the snapshot up to {at_most}")


@checks.add()
async def a_truncated_log_keeps_the_snapshot_that_it_starts_from(subject: Subject) -> None:
    """However many are written after it."""
    async with subject.make() as store:
        fence = await filled(store)
        await store.truncate("r", 5)
        for step in range(8, 12):
            await store.commit(Commit("r", fence, marked(step=step), snapshot=a_snapshot(step=step)))
        expect((await store.load("r@4")).snapshot, '{"s":1}', "the snapshot")
        expect(await steps(store), [5, 6, 7, 8, 9, 10, 11], "the log")
        held = [(await store.load(f"r@{step}")).snapshot != "" for step in range(8, 12)]
        expect(held, [False, False, True, True], "which of the later ones have a snapshot")


@checks.add()
async def prune_keeps_what_the_kept_ones_need(subject: Subject) -> None:
    """The newest ones, and, no longer listed, the snapshot before them."""
    async with subject.make() as store:
        await filled(store)
        expect(await store.prune("r", 10), 0, "pruned with enough to keep")
        expect(await store.prune("r", 2), 5, "pruned")
        expect(await ids(store), ["r@7", "r@6"], "what is left")
        found = await store.latest_snapshot("r")
        expect(found and (found.step, found.snapshot), (4, '{"s":1}'), "the snapshot that they need")
        await refused(store.load("r@4"), CheckpointNotFound, "loading it as a checkpoint")
        expect(await store.delete("r@4"), False, "deleting it as a checkpoint")
        expect(await store.latest_snapshot("r", 3), None, "the snapshot before that")
        expect(await store.prune("r", 2), 0, "pruned again")
        expect(await steps(store), [1, 2, 3, 4, 5, 6, 7], "the log")
        expect(await store.prune("none", 1), 0, "pruned of no run")
        expect(await store.prune("r", 0), 2, "pruned entirely: the whole log is still there")
        expect(await ids(store), [], "what is left")
        await refused(store.load_latest("r"), CheckpointNotFound, "the newest of none")


@checks.add()
async def prune_keeps_what_a_truncated_log_needs(subject: Subject) -> None:
    """Without its beginning a log needs a snapshot to start from."""
    async with subject.make() as store:
        await filled(store)
        await store.truncate("r", 5)
        expect(await store.prune("r", 0), 5, "pruned")
        expect(await ids(store), [], "what is left")
        found = await store.latest_snapshot("r")
        expect(found and found.step, 4, "the snapshot that the log needs")


@checks.add()
async def what_a_run_cannot_do_without_is_never_removed(subject: Subject) -> None:
    """Where its log begins, and where a forked run does."""
    async with subject.make() as store:
        fence = await filled(store)
        await store.commit(Commit("r", fence, snapshot=a_snapshot(step=0)))
        expect(await store.prune("r", 0), 8, "pruned")
        found = await store.latest_snapshot("r")
        expect(found and found.step, 0, "the snapshot that the run begins with")
        fence = await begun(store, "t", steps=4)
        await store.commit(Commit("t", fence, marked("t", 5), snapshot=a_snapshot("t", 5)))
        await store.truncate("t", 6)
        expect(await store.delete("t@5"), True, "deleting the checkpoint before a truncated log")
        expect(await ids(store, "t"), [], "the list")
        found = await store.latest_snapshot("t")
        expect(found and found.step, 5, "the snapshot that the log needs")


@checks.add()
async def a_snapshot_need_not_be_a_checkpoint(subject: Subject) -> None:
    """One that is not listed shortens the log, and is no recovery point until one of its id is."""
    async with subject.make() as store:
        fence = await begun(store, steps=2)
        await store.commit(Commit("r", fence, a_step(step=3), snapshot=a_snapshot(step=3, listed=False)))
        expect(await ids(store), [], "the list")
        await refused(store.load("r@3"), CheckpointNotFound, "loading it")
        found = await store.latest_snapshot("r")
        expect(found and (found.step, found.listed), (3, False), "the snapshot")
        await store.commit(Commit("r", fence, snapshot=a_snapshot(step=3)))
        expect(await ids(store), ["r@3"], "the list, once it is listed")
        expect((await store.load("r@3")).listed, True, "whether it is listed")


@checks.add("damage")
async def a_damaged_record_is_reported_with_its_place(subject: Subject) -> None:
    """Never skipped, never returned."""
    assert subject.damage is not None
    async with subject.make() as store:
        await begun(store, steps=9)
        subject.damage(store, "log", "r", 5)
        good: list[int] = []
        try:
            async for record in store.replay("r"):
                good.append(record.step)
        except CheckpointCorrupted as error:
            expect((error.run, error.step), ("r", 5), "the place of the damage")
        else:
            raise AssertionError("a damaged record was not noticed")
        if good != list(range(1, len(good) + 1)) or len(good) > 4:
            raise AssertionError(f"steps {good} were handed out around the damage")
        expect(await steps(store, "r", 7), [7, 8, 9], "the log after the damage")


@checks.add("damage")
async def a_damaged_snapshot_is_passed_over(subject: Subject) -> None:
    """For the one before it, with a warning."""
    assert subject.damage is not None
    async with subject.make() as store:
        await filled(store)
        subject.damage(store, "checkpoint", "r", 4)
        await refused(store.load("r@4"), CheckpointCorrupted, "loading a damaged checkpoint")
        found = await store.latest_snapshot("r")
        expect(found and found.step, 1, "the snapshot before it")
        warnings = list(store.warnings())
        if len(warnings) != 1 or "r@4" not in warnings[0]:
            raise AssertionError(f"one warning should name r@4: {warnings}")
        expect(list(store.warnings()), [], "warnings, once they were read")
        subject.damage(store, "checkpoint", "r", 1)
        expect(await store.latest_snapshot("r"), None, "the snapshot when both are damaged")


@checks.add("damage")
async def a_damaged_record_does_not_spoil_other_runs(subject: Subject) -> None:
    """Each run has a chain of its own."""
    assert subject.damage is not None
    async with subject.make() as store:
        await begun(store, "a", steps=3)
        fence = await begun(store, "b", steps=3)
        subject.damage(store, "log", "a", 2)
        await store.commit(Commit("b", fence, a_step("b", 4)))
        expect(await steps(store, "b"), [1, 2, 3, 4], "the log of the other run")
