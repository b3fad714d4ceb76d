"""Who drives a run, and for how long: leases, and the heartbeat that keeps them up.

The fencing token alone keeps a history whole: whoever took a run last is the only one who can commit. The
lease keeps two processes from calling the same nodes side by side: while its owner is at work, nobody else
takes the run by accident. It is advice, judged by the wall clock, and costs one small commit at the start
and one every third of its length; where a clock is wrong the token still decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from hashlib import blake2b
from os import getpid
from pathlib import Path
from socket import gethostname

from ..errors import RunFenced
from ..store.records import RunRecord, owner_name

# Seconds that an owner who says nothing more counts as being at work.
LEASE = 30.0


def owner() -> str:
    """Who drives a run: host and process for people, then where the process can be looked for, and since when
    it has been there (a process id alone comes back)."""
    pid = getpid()
    place = _place()
    return f"{gethostname()}:{pid}" + (f"~{place}.{_born(pid)}" if place else "")


def refuse_held(run: RunRecord, now: float) -> None:
    """Raise RunFenced where another process is at work on the run."""
    if held(run, now):
        left = f"for {run.lease - now:.0f} s more, unless it goes on"
        raise RunFenced(
            f"the run is being driven by {owner_name(run.owner)} ({left})",
            run=run.run,
            hint="wait for it, cancel the run, or take it over (`take_over=True`, `lgc resume --take-over`)",
        )


def held(run: RunRecord, now: float) -> bool:
    """Whether another process is at work on the run, as far as can be told.

    Sessions of this process are its own business: the newest one takes the run, the token fences the rest.
    """
    return now < run.lease and run.owner != owner() and not _gone(run.owner)


class Heartbeat:
    """Says every third of a lease that its owner is still there.

    Args:
        length: of the lease, in seconds.
        renew: makes the lease durable; called with its length.
        lost: called with what `renew` raised, once, when the run has been taken by somebody else.
    """

    def __init__(
        self, length: float, renew: Callable[[float], Awaitable[None]], lost: Callable[[RunFenced], None]
    ) -> None:
        self._length = length
        self._renew = renew
        self._lost = lost
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._over = False

    def start(self) -> None:
        """Begin to beat; the first beat is due a third of the lease from now."""
        self._over = False
        self._wait()

    async def stop(self) -> None:
        """No further beat; one that is under way is waited for."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._length / 3, self._beat, loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._say())

    async def _say(self) -> None:
        (problem,) = await asyncio.gather(self._renew(self._length), return_exceptions=True)
        if isinstance(problem, RunFenced):
            self._lost(problem)
            return
        # After any other error the store may be there again at the next beat; if not, a commit will tell.
        if not self._over:
            self._wait()


def _gone(name: str) -> bool:
    """Whether an owner certainly does nothing: it ran on this machine, and is dead or stopped."""
    person, _, trace = name.partition("~")
    place, _, born = trace.partition(".")
    pid = person.rpartition(":")[2]
    if not place or place != _place() or not pid.isdigit():
        return False
    return _born(int(pid)) != born or _stopped(int(pid))


@cache
def _place() -> str:
    """This machine since it was started, and the part of it that this process sees; "" where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        seen = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return blake2b(f"{boot} {seen}".encode(), digest_size=4).hexdigest()


def _born(pid: int) -> str:
    """When a process began, in ticks since the machine did; "" where there is no such process."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _stopped(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] in "TtZX"


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()
    except OSError:
        return []
