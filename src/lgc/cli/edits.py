"""From a file's old and new text to a diff on the terminal, or to the file on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EACCES

from .terminal import Style


def diff_lines(path: str, old: str, new: str, style: Style) -> Iterator[str]:
    """What changes, as `diff -u` tells it, in colours."""
    from difflib import unified_diff

    for line in unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), path, path):
        text = line.rstrip("\n")
        if text.startswith("+"):
            text = style.green(text)
        elif text.startswith("-"):
            text = style.red(text)
        elif text.startswith("@@"):
            text = style.cyan(text)
        yield text + "\n"


def write_whole(path: str, data: bytes) -> None:
    """Write a file at once: whoever reads it sees the old bytes or the new ones.

    Raises:
        OSError: it cannot be written, or nobody may write it; the old file stays.
    """
    from pathlib import Path

    target = Path(path).resolve()
    # Putting another file in its place asks the folder only, and an administrator may write everything.
    if target.exists() and (not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK)):
        raise PermissionError(EACCES, "is read-only, and was not written", path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(data)
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
