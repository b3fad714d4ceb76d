"""From files that change to a command that is run again: `--watch`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable

from .terminal import Failure, note, say

_PAUSE = 0.3  # seconds between two looks
_MARGIN = 20_000_000  # nanoseconds that the clock of files may lag behind


def watch(run: Callable[[], Iterable[str]]) -> None:
    """Run, then again whenever a file that `run` looked at has changed, until the user stops it.

    `run` gives the paths to look at: files, and folders in which files may appear. Where it fails, but did
    not before, that is said, and the same paths are watched on.
    """
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
            time.sleep(_PAUSE)


def _stamps(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        try:
            seen = os.stat(path)
            found[path] = (seen.st_mtime_ns, seen.st_size)
        except OSError:
            found[path] = (0, 0)
    return found
