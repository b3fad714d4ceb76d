"""From a run in a store to what an archive keeps of it, and back to what its log was."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

from ...errors import CheckpointNotFound
from ..protocols import Store
from ..records import CheckpointRecord, MutationRecord, OverrideRecord, RunRecord, RunStatus
from .archive import FileArchive, Section
from .archived import Archived, GraphRecord

# Runs that nobody goes on with. A failed one can be resumed once its cause is mended.
ENDED = (RunStatus.DONE, RunStatus.CANCELLED)

_HASH = re.compile(r"lg1:[0-9a-f]{64}")


async def records_of(store: Store, run: RunRecord) -> AsyncIterator[Archived]:
    """Everything that a store has of a run. Raises CheckpointCorrupted, StorageError."""
    yield run
    hashes = [run.hash]
    async for record in store.replay(run.run):
        if record.hash not in hashes:
            hashes.append(record.hash)
        yield record
    for checkpoint in await checkpoints_of(store, run.run):
        yield checkpoint
    for decision in await store.decisions(run.run):
        yield decision
    for attempt in await store.attempts(run.run):
        yield attempt
    for override in await store.overrides(run.run):
        hashes += [hash for hash in (override.expected, override.actual) if hash not in hashes]
        yield override
    for hash in hashes:  # grows meanwhile: a graph names those that it runs
        canonical = await store.get_graph(hash)
        if canonical is not None:
            yield GraphRecord(hash, canonical)
            hashes += [one for one in dict.fromkeys(_HASH.findall(canonical)) if one not in hashes]


async def checkpoints_of(store: Store, run: str) -> list[CheckpointRecord]:
    """All checkpoints of a run with the texts of their snapshots, newest first, unlisted ones too."""
    found: dict[str, CheckpointRecord] = {}
    for listed in await store.list(run):
        with suppress(CheckpointNotFound):  # removed meanwhile
            found[listed.id] = await store.load(listed.id)
    for snapshot in await snapshots_of(store, run):
        found.setdefault(snapshot.id, snapshot)
    return sorted(found.values(), key=lambda checkpoint: -checkpoint.step)


async def snapshots_of(store: Store, run: str, at_most: int | None = None) -> list[CheckpointRecord]:
    """The snapshots of a run that are good, newest first; of several of one step, one."""
    found: list[CheckpointRecord] = []
    while (snapshot := await store.latest_snapshot(run, at_most)) is not None:
        found.append(snapshot)
        at_most = snapshot.step - 1
    return found


async def archive_run(store: Store, run: RunRecord, archive: FileArchive, *, delete: bool = False) -> int:
    """Archive a run, and then delete it from the store if that is wanted; how many records it had.

    Raises:
        RunFenced: it was taken or went on meanwhile, and has not been deleted.
        CheckpointCorrupted: it cannot be read; nothing was archived or deleted.
        StorageError: from the store or the archive.
    """
    count = await archive.add(run.run, records_of(store, run), complete=True)
    if delete:
        await store.delete_run(run.run, expect=run)
    return count


def archived_log(sections: Iterable[Section], run: str) -> list[MutationRecord]:
    """The steps of a run that are in an archive, in order: those of its last complete section, and those that
    were removed before."""
    steps: dict[int, MutationRecord] = {}
    for section in sections:
        if section.run == run:
            steps.update((one.step, one) for one in section.records if isinstance(one, MutationRecord))
    return [steps[step] for step in sorted(steps)]


def archived_moves(sections: Iterable[Section], run: str) -> list[OverrideRecord]:
    """The moves of a run to other graphs that are in an archive: those of its last complete section."""
    moves: list[OverrideRecord] = []
    for section in sections:
        if section.run == run and section.complete:
            moves = [one for one in section.records if isinstance(one, OverrideRecord)]
    return moves
