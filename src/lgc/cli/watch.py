"""From files that change to a command that is run again: `--watch`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from .terminal import Failure, note, say

_PAUSE = 0.3  # seconds between two looks
_MARGIN = 20_000_000  # nanoseconds that the clock of files may lag behind


def watch(run: Callable[[], Iterable[str]]) -> None:
    """Run, then again whenever a file that `run` looked at has changed, until the user stops it.

    `run` gives the paths to look at: files, and folders in which files may appear. Where it fails, but did
    not before, that is said, and the same paths are watched on.
    """
    with _interrupts() as interrupted:
        _watch(run, interrupted)


def _watch(run: Callable[[], Iterable[str]], interrupted: Callable[[], bool]) -> None:
    paths: list[str] = []
    while True:
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[2J\x1b[H")
        began = time.time_ns() - _MARGIN
        failed = False
        try:
            paths = list(run())
        except Failure as problem:  # a file that is gone, or settings half written: it may be well soon
            if not paths:
                raise
            failed = True
            say(problem.message, problem.hint)
        sys.stdout.flush()
        before = _stamps(paths)
        if any(changed > began or (not changed and not failed) for changed, _ in before.values()):
            time.sleep(_PAUSE)
            continue  # it changed while it ran
        note("watching for changes; Ctrl-C ends")
        while _stamps(paths) == before:
            if interrupted():
                raise KeyboardInterrupt
            time.sleep(_PAUSE)


@contextmanager
def _interrupts() -> Generator[Callable[[], bool], None, None]:
    """Gives what tells whether the user has interrupted since.

    An interrupt is an exception, and one that comes while a callback of Python's own runs, in an import say,
    is only told of and lost.
    """
    seen = False

    def note_it(signum: int, frame: FrameType | None) -> None:
        nonlocal seen
        seen = True
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    ours = before is signal.default_int_handler and current_thread() is main_thread()
    if ours:
        signal.signal(signal.SIGINT, note_it)
    try:
        yield lambda: seen
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def _stamps(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        try:
            seen = os.stat(path)
            found[path] = (seen.st_mtime_ns, seen.st_size)
        except OSError:
            found[path] = (0, 0)
    return found
