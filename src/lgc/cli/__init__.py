"""From the words on the command line to an exit status: the entry point of `lgc`.

Exit status, everywhere: 0 fine, 1 findings (errors, stale output, failed scenario, failed run), 2 wrong
usage or unreadable input or store, 130 interrupted. What goes wrong is told in a sentence; `--debug`
shows the traceback.
"""

from __future__ import annotations

import sys

FINE = 0
FINDINGS = 1
USAGE = 2
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run `lgc`; the words after the command's name, those of the process without any. Returns the status."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:
        # Asked for by scripts and prompts, often: nothing is imported for it.
        from .. import __version__

        sys.stdout.write(f"lgc {__version__}\n")
        return FINE
    import gc

    # What is loaded and checked stays until the end: looking for garbage in it takes a sixth of the time.
    # Commands that last collect again (see guard).
    collecting = gc.isenabled()
    gc.disable()
    try:
        from .guard import guarded

        return guarded(words)
    except KeyboardInterrupt:  # before the guard was there, or a second one while it told of the first
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED
    finally:
        if argv is None:
            gc.freeze()  # nor when Python leaves
        if collecting:
            gc.enable()
