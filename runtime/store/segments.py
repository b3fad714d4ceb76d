"""From a store to its log in pieces: record by record would be most of the cost of reading a long one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from .protocols import MutationLogStore
from .records import MutationRecord

Segments: TypeAlias = Callable[[Any, str, int], AsyncIterator[Sequence[MutationRecord]]]
R = TypeVar("R", bound=Callable[..., object])

# So many records at a time: enough to be quick, few enough to leave the event loop free for others.
SEGMENT = 1000


def in_segments(segments: Segments) -> Callable[[R], R]:
    """Mark a store's `replay`: the same records can be had as sequences (none empty) from that function.

    A store without the mark, also one that wraps or overrides another's `replay`, is asked for one at a time.
    """

    def mark(replay: R) -> R:
        replay.segments = segments  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
        return replay

    return mark


async def segments(
    store: MutationLogStore, run: str, from_step: int
) -> AsyncIterator[Sequence[MutationRecord]]:
    """The log of a run from a step on; the event loop gets a turn after each piece."""
    quick: Segments | None = getattr(type(store).replay, "segments", None)
    if quick is not None:
        async for piece in quick(store, run, from_step):
            yield piece
            await asyncio.sleep(0)
        return
    records: list[MutationRecord] = []
    async for record in store.replay(run, from_step):
        records.append(record)
        if len(records) == SEGMENT:
            yield records
            records = []
    if records:
        yield records
