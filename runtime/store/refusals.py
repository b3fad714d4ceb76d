"""The errors of a log, in the same words for every store."""

from __future__ import annotations

from ..errors import RunFenced, RunNotFound, StorageError
from .records import MutationRecord, owner_name


def unknown(run: str) -> RunNotFound:
    """The error for a run that is not there."""
    return RunNotFound("no such run in the store", run=run, hint="`lgc runs` lists those that are there")


def fenced(run: str, given: int, current: int, owner: str) -> RunFenced:
    """The error for a session that was overtaken."""
    by = f" by {owner_name(owner)}" if owner else ""
    return RunFenced(f"the run was taken over{by} (token {current}, this session has {given})", run=run)


def out_of_order(record: MutationRecord, last: int) -> StorageError:
    """The error for a step that is not the next one."""
    what = "is already in the log" if record.step <= last else "would leave a gap in the log"
    return StorageError(
        f"step {record.step} {what}: the last one is {last}",
        run=record.run,
        node=record.node,
        step=record.step,
        hint="restore the run from the store and go on from there",
    )


def changed(run: str) -> RunFenced:
    """The error for a run that is not to be deleted as it stands now."""
    return RunFenced(
        "the run was taken, or went on, since it was looked at", run=run, hint="look at it again"
    )
