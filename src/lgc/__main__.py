"""`python -m lgc` is the command `lgc`."""

from __future__ import annotations

import atexit
import os
import sys

_INTERRUPTED = 130


def _run() -> None:
    """Leave with the status of the command.

    Python notes an interrupt that passes through code compiled from a text, as `namedtuple` does it, and with
    `-m` ends by that signal in the end, even if it was dealt with: an interrupted command leaves before that.
    """
    status = _INTERRUPTED

    def leave() -> None:
        if status == _INTERRUPTED:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    atexit.register(leave)  # called last, being the first
    try:
        from .cli import main

        status = main()
    except KeyboardInterrupt:
        pass
    raise SystemExit(status)


if __name__ == "__main__":
    _run()
