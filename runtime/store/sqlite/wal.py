"""From the files of a write-ahead log to what in it SQLite would pass over without a word.

SQLite takes a log up to the first frame whose checksum is wrong: a transaction that was torn by a loss of
power ends there, and is not missed, as nobody was told of it. A frame that is damaged later ends it, too, and
takes every transaction behind it along. The difference: with full durability a transaction is only begun when
the one before it was safe on the disk. So one transaction behind the end may be torn; of two the first was
whole once.

The format: https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from shutil import copyfile
from struct import unpack, unpack_from
from time import sleep

from ...errors import CheckpointCorrupted

# Where the copy of a damaged log is kept.
COPY = "-wal-damaged"

_HEADER = 32
_FRAME = 24
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


def demand_header(path: str) -> None:
    """Raise CheckpointCorrupted where the head of a log is damaged, as SQLite would ignore all of the log."""
    for wait in (0.01, 0.05, None):
        head = _read(f"{path}-wal", 0, _HEADER)
        if len(head) < _HEADER or _good(head):
            return
        if wait is not None:  # another process may be writing it at this moment
            sleep(wait)
    raise CheckpointCorrupted(
        f"the head of the write-ahead log {path}-wal is damaged: what was committed last cannot be read",
        hint=f"look for a better copy of both files; to go on without it, remove {path}-wal",
    )


def _good(head: bytes) -> bool:
    order = _MAGIC.get(unpack_from(">I", head)[0])
    if order is None:
        return False
    first = second = 0
    words = unpack(f"{order}6I", head[:24])
    for left, right in zip(words[::2], words[1::2], strict=True):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return (first, second) == unpack(">2I", head[24:])


def lost_transactions(path: str, connection: sqlite3.Connection) -> int:
    """How many transactions stand in the log behind its end: 1 may have been torn, 2 are a damage.

    The connection has to have read something, so that SQLite has found the end.
    """
    if not _commits_behind(path):
        return 0
    try:
        connection.execute("BEGIN IMMEDIATE")  # so that it is not one that is being written
    except sqlite3.Error:
        return 0  # whoever writes now found the log good
    try:
        return _commits_behind(path)
    finally:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def keep_copy(path: str) -> None:
    """Keep a damaged log: SQLite removes it when the store is closed. Raises OSError."""
    if not Path(f"{path}{COPY}").exists():
        copyfile(f"{path}-wal", f"{path}{COPY}")


def copied(path: str) -> bool:
    """Whether there is the copy of a damaged log, which nobody has removed yet."""
    return Path(f"{path}{COPY}").exists()


def _commits_behind(path: str) -> int:
    index = _index(f"{path}-shm")
    log = f"{path}-wal"
    head = _read(log, 0, _HEADER)
    if len(index) < 48 or len(head) < _HEADER:
        return 0
    size = unpack_from(">I", head, 8)[0] + _FRAME
    salts, end = head[16:24], unpack_from("=I", index, 16)[0]
    found, at = 0, _HEADER + end * size
    try:
        with Path(log).open("rb") as file:
            while True:
                file.seek(at)
                frame = file.read(_FRAME)
                if len(frame) < _FRAME:
                    return found
                # Only the last frame of a transaction says how long the file is after it.
                if frame[8:16] == salts and frame[4:8] != bytes(4):
                    found += 1
                at += size
    except OSError:
        return found


def _index(path: str) -> bytes:
    """The head of the log's index, through the handle that SQLite has on it; b"" where that cannot be found.

    It must not be opened here, nor the database itself: closing any handle on them takes away all locks that
    this process has on them (POSIX). The next process to come would take the index for abandoned, cut it to
    nothing, and so kill this one (SIGBUS) or damage the file. The log is never locked, and may be opened.
    """
    try:
        wanted = Path(path).stat()
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if os.path.samestat(os.fstat(int(entry.name)), wanted):
                    return os.pread(int(entry.name), 48, 0)
    except OSError:
        pass  # no such folder on this system
    return b""


def _read(path: str, at: int, size: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            file.seek(at)
            return file.read(size)
    except (OSError, ValueError):
        return b""


def damaged(path: str) -> CheckpointCorrupted:
    """The error for a log with transactions behind its end."""
    return CheckpointCorrupted(
        f"the write-ahead log of {path} was damaged: what was committed last cannot be read",
        hint=f"look for a better copy of both files; to go on with what can be read, remove {path}{COPY}",
    )
