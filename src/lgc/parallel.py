"""From pieces of work to their results, shared out to forked processes.

A child is forked with everything loaded and the work in memory; only results travel, as JSON. Whatever a
child could not do, for whatever reason, has no result, and the caller does it. Nobody outlives the caller:
children are killed when it is interrupted, and stop by themselves when it is gone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .dsl.frozen import frozen


@frozen
class _Child:
    """A process at work: its id, where its results come from, and the numbers of its pieces."""

    process: int
    results: int
    pieces: tuple[int, ...]


def processors() -> int:
    """Processors that this process may use by forking: 1 where it may not, or where threads are running."""
    # A child has one thread: a lock that another one held would never be released in it.
    if not hasattr(os, "fork") or len(sys._current_frames()) > 1:  # pyright: ignore[reportPrivateUsage]
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shares(weights: Sequence[int], count: int) -> list[list[int]]:
    """The numbers of the pieces, shared out by weight: the heaviest first, each to who has least."""
    bins: list[list[int]] = [[] for _ in range(count)]
    sums = [0] * count
    for number in sorted(range(len(weights)), key=lambda n: -weights[n]):
        least = sums.index(min(sums))
        bins[least].append(number)
        sums[least] += weights[number]
    return [sorted(one) for one in bins if one]


def in_processes(weights: Sequence[int], do: Callable[[int], Any], count: int) -> Mapping[int, Any]:
    """What `do` gives for each number of a piece, as JSON gives it back; without those that failed.

    Args:
        weights: how long each piece takes, in any unit.
        do: does one piece; called in this process and in others.
        count: processes, this one included.
    """
    mine, *others = shares(weights, count)
    children: list[_Child] = []
    results: dict[int, Any] = {}
    try:
        for pieces in others:
            children.append(_start(tuple(pieces), do))
        for number in mine:
            results[number] = do(number)
        while children:
            text = _read(children[-1].results)
            results.update(_ended(children.pop(), text))
    finally:
        for child in children:
            _stop(child)
    return results


def _start(pieces: tuple[int, ...], do: Callable[[int], Any]) -> _Child:
    receiver, sender = os.pipe()
    parent = os.getpid()
    process = os.fork()
    if process:
        os.close(sender)
        return _Child(process, receiver, pieces)
    status = 1
    try:
        os.close(receiver)
        results: list[Any] = []
        for number in pieces:
            if os.getppid() != parent:
                break
            results.append(do(number))
        else:
            with open(sender, "wb") as out:
                out.write(json.dumps(results).encode())
            status = 0
    finally:
        # Nothing of the parent's is to happen twice: no buffers written, nothing cleaned up, no traceback.
        os._exit(status)


def _read(results: int) -> bytes:
    """All that a child writes, until it ends."""
    with open(results, "rb", closefd=False) as file:
        return file.read()


def _ended(child: _Child, text: bytes) -> dict[int, Any]:
    """The results of a child that has ended; none if it did not come to its end."""
    os.close(child.results)
    _, status = os.waitpid(child.process, 0)
    try:
        found: list[Any] = json.loads(text)
    except ValueError:
        return {}
    return {} if status else dict(zip(child.pieces, found, strict=True))


def _stop(child: _Child) -> None:
    """End a child that is still at work, and forget it."""
    try:
        os.kill(child.process, 9)
        os.waitpid(child.process, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    os.close(child.results)
