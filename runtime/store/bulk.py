"""From a store to the histories of many runs at a time: one by one, each would be several questions.

What is read is as well checked as what is read one by one. Whatever is not as it should be with a run (it is
not there, is damaged, or its log is too long to be held) is left out: who needs it asks for that run alone,
and is told what is the matter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ..errors import LgcError
from .protocols import Store
from .records import CheckpointRecord, MutationRecord
from .segments import segments

# So many runs at a time: a store is asked seldom, and nobody who writes to it is kept waiting.
BATCH = 200


class History(NamedTuple):
    """What a store holds of one run, read at one moment.

    Attributes:
        snapshot: the newest one.
        log: all steps that are left.
        more: whether there may be answers to the run, attempts whose end is not known, or moves.
    """

    snapshot: CheckpointRecord | None
    log: Sequence[MutationRecord]
    more: bool = True


Histories: TypeAlias = Callable[[Any, Sequence[str], int], Awaitable[Mapping[str, History]]]
R = TypeVar("R", bound=Callable[..., object])


def in_bulk(histories: Histories) -> Callable[[R], R]:
    """Mark a store's `replay` and its `latest_snapshot`: for many runs, that function has what both give.

    A store without the marks, also one that wraps or overrides one of the two, is asked run by run.
    """

    def mark(method: R) -> R:
        method.in_bulk = histories  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
        return method

    return mark


async def histories(store: Store, runs: Sequence[str], most: int) -> Mapping[str, History]:
    """The histories of some runs (at most `BATCH`), each of one moment, in the order given.

    Args:
        most: longer logs are left out, as are runs that are not as they should be.

    Raises StorageError where the store cannot be read at all.
    """
    quick: Histories | None = getattr(type(store).replay, "in_bulk", None)
    both = quick is getattr(type(store).latest_snapshot, "in_bulk", None)
    if quick is not None and both:
        return await quick(store, runs, most)
    found: dict[str, History] = {}
    for run in runs:
        try:
            one = await _history(store, run, most)
        except LgcError:
            continue
        if one is not None:
            found[run] = one
    return found


async def _history(store: Store, run: str, most: int) -> History | None:
    await store.get_run(run)
    snapshot = await store.latest_snapshot(run)
    log: list[MutationRecord] = []
    async for piece in segments(store, run, 1):
        log.extend(piece)
        if len(log) > most:
            return None
    return History(snapshot, log) if sound(snapshot, log) else None


def sound(snapshot: CheckpointRecord | None, log: Sequence[MutationRecord]) -> bool:
    """Whether a log goes on where the snapshot ends, or before it: it could have been cut between the two."""
    begins = log[0].step if log else 1
    return begins == 1 or (snapshot is not None and begins - 1 <= snapshot.step)
