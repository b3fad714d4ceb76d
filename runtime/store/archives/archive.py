"""Files that runs are archived to, and read back from: JSON Lines, compressed with Zstandard.

A file is a row of sections, each with the records of one run; what is written later stands behind what was
there. A section is

    a frame that decompressors pass over: b"lgc arch", then the length of what follows as 64 bits, 0 until
    the section is complete;
    a Zstandard frame with a line for the header, one for each record, and one with their number and SHA-256.

So `zstdcat FILE` shows all lines, a section that was never finished is known as such, and one that is damaged
does not hide those behind it. The extra `lgc[archive]` brings what compresses.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import CheckpointCorrupted, LgcError, StorageError
from ..records import Damage
from .archived import Archived, from_line, to_line

VERSION = 1
_TAG = struct.pack("<II8s", 0x184D2A5C, 16, b"lgc arch")
_HEAD = len(_TAG) + 8
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Section:
    """What was archived of one run at one time.

    Attributes:
        run: whose.
        complete: whether it is the whole run, or only what was removed of it.
        time: when it was written (seconds since the epoch).
        records: in the order in which they were written.
    """

    run: str
    complete: bool
    time: float
    records: tuple[Archived, ...]


class FileArchive:
    """An archive in a file, which is made where it is not there, and never loses what it holds.

    Attributes:
        cut: bytes of a section that had never been finished, which were taken away before writing.

    Only one process writes at a time; another one gets StorageError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.cut = 0
        self._known = (0, 0)  # which file was looked through, and up to where

    async def write(self, run: str, records: Sequence[Archived]) -> None:
        """Add records of a run. Raises StorageError."""

        async def all_() -> AsyncIterator[Archived]:
            for record in records:
                yield record

        await self.add(run, all_(), complete=False)

    async def add(self, run: str, records: AsyncIterable[Archived], *, complete: bool) -> int:
        """Add a section: durable, and read back, when this returns; how many records it has.

        Raises StorageError, and whatever `records` raises; the file is then as it was.
        """
        zstandard = _zstandard()
        head = {"archive": "lgc", "version": VERSION, "run": run, "complete": complete, "time": time.time()}
        with self._writing() as (file, start):
            hashed, count = hashlib.sha256(), 0
            file.write(_TAG + bytes(8))
            packer = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()

            def put(line: str) -> None:
                data = line.encode() + b"\n"
                hashed.update(data)
                file.write(packer.compress(data))

            put(json.dumps(head, ensure_ascii=False))
            async for record in records:
                put(to_line(record))
                count += 1
            put(json.dumps({"end": count, "sha256": hashed.hexdigest()}))
            file.write(packer.flush())
            self._finish(file, start)
            if len(_section(file, start, file.seek(0, os.SEEK_END) - start).records) != count:
                raise StorageError(f"what was written to {self.path} cannot be read back")
            self._known = (self._known[0], file.seek(0, os.SEEK_END))
        return count

    def _finish(self, file: BinaryIO, start: int) -> None:
        # First all of it, then that it is complete.
        end = file.tell()
        file.flush()
        os.fsync(file.fileno())
        file.seek(start + len(_TAG))
        file.write(struct.pack("<Q", end - start - _HEAD))
        file.flush()
        os.fsync(file.fileno())

    @contextmanager
    def _writing(self) -> Generator[tuple[BinaryIO, int]]:
        path = Path(self.path)
        try:
            new = not path.exists()
            file: BinaryIO = path.open("x+b" if new else "r+b")
        except (OSError, ValueError) as error:
            raise StorageError(f"the archive {self.path} cannot be written: {_why(error)}") from error
        with file:
            _lock(file, self.path)
            try:
                if new:
                    _sync_folder(path.absolute().parent)
                start = self._end(file)
            except OSError as error:
                raise StorageError(f"the archive {self.path} cannot be written: {_why(error)}") from error
            try:
                yield file, start
            except BaseException as error:
                # `close` would write what is still in the buffer, behind the end.
                with suppress(OSError):
                    file.flush()
                with suppress(OSError):
                    os.ftruncate(file.fileno(), start)
                if isinstance(error, OSError):
                    raise StorageError(
                        f"the archive {self.path} cannot be written: {_why(error)}",
                        hint="free some space; what was to be archived has not been deleted",
                    ) from error
                raise

    def _end(self, file: BinaryIO) -> int:
        """Where the next section goes, behind the last one that is complete."""
        size = file.seek(0, os.SEEK_END)
        node = os.fstat(file.fileno()).st_ino
        end = self._known[1] if self._known[0] == node and self._known[1] <= size else 0
        for at, length, problem in _places(file, size, end):
            if at == 0 and problem == _FOREIGN:
                raise StorageError(
                    f"{self.path} is there and is no archive", hint="give the archive a file of its own"
                )
            if problem == _UNFINISHED:
                self.cut = size - at
                file.truncate(at)
                break
            end = at + length
        self._known = (node, end)
        return file.seek(end)


_UNFINISHED = "a section was never finished"
_FOREIGN = "this is not the beginning of a section"


def read_archive(path: str | os.PathLike[str], *, damages: list[Damage] | None = None) -> Iterator[Section]:
    """The sections of an archive, in the order in which they were written.

    Args:
        path: the file.
        damages: gets what is damaged or was never finished, and reading goes on behind it; None: that is
            raised.

    Raises:
        StorageError: the file cannot be read, or is no archive.
        CheckpointCorrupted: something in it is not what was written.
    """
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            for at, length, problem in _places(file, size):
                if at == 0 and problem == _FOREIGN:
                    raise StorageError(f"{os.fspath(path)} is no archive")
                try:
                    if problem:
                        raise CheckpointCorrupted(problem)
                    yield _section(file, at, length)
                except CheckpointCorrupted as error:
                    what = f"the archive {os.fspath(path)}, at byte {at}: {error.message}"
                    if damages is None:
                        raise CheckpointCorrupted(what, hint=_HINT) from error
                    damages.append(Damage(what))
    except OSError as error:
        raise StorageError(f"the archive {os.fspath(path)} cannot be read: {_why(error)}") from error


_HINT = "what stands before and behind it can be read all the same"


def _places(file: BinaryIO, size: int, at: int = 0) -> Iterator[tuple[int, int, str]]:
    """Where sections begin, how long they are with their heads, and what is wrong there."""
    while at < size:
        file.seek(at)
        head = file.read(_HEAD)
        if head[: len(_TAG)] != _TAG[: len(head)]:
            length, problem = _next(file, at + 1, size) - at, _FOREIGN
        else:
            length = struct.unpack("<Q", head[len(_TAG) :])[0] + _HEAD if len(head) == _HEAD else 0
            problem = ""
            if length <= _HEAD or at + length > size:
                length = _next(file, at + 1, size) - at
                problem = _UNFINISHED if at + length == size else "the length of a section is wrong"
        yield at, length, problem
        at += length


def _next(file: BinaryIO, at: int, size: int) -> int:
    """Where the next section begins, or the end of the file."""
    while at < size:
        file.seek(at)
        piece = file.read(_PIECE)
        found = piece.find(_TAG)
        if found >= 0:
            return at + found
        at += max(len(piece) - len(_TAG) + 1, 1) if len(piece) == _PIECE else len(piece) or size
    return size


def _section(file: BinaryIO, at: int, length: int) -> Section:
    """Read a section back. Raises CheckpointCorrupted."""
    hashed = hashlib.sha256()
    lines: list[bytes] = []
    try:
        for line in _lines(file, at + _HEAD, length - _HEAD):
            lines.append(line)
        head, end = json.loads(lines[0]), json.loads(lines[-1])
        for line in lines[:-1]:
            hashed.update(line + b"\n")
        if end != {"end": len(lines) - 2, "sha256": hashed.hexdigest()}:
            raise ValueError("its checksum is wrong")
        if head["archive"] != "lgc" or head["version"] != VERSION:
            raise ValueError(f"version {head['version']} of the format is not known to this lgc")
        records = tuple(from_line(line) for line in lines[1:-1])
        return Section(str(head["run"]), bool(head["complete"]), float(head["time"]), records)
    except LgcError:
        raise
    except Exception as error:
        raise CheckpointCorrupted(f"a section is not what was written: {error}") from error


def _lines(file: BinaryIO, at: int, length: int) -> Iterator[bytes]:
    unpacker = _zstandard().ZstdDecompressor().decompressobj()
    file.seek(at)
    rest = b""
    while length > 0:
        piece = file.read(min(length, _PIECE))
        if not piece:
            raise ValueError("the file ends too early")
        length -= len(piece)
        *whole, rest = (rest + unpacker.decompress(piece)).split(b"\n")
        yield from whole
        if unpacker.eof:
            break
    if not unpacker.eof or unpacker.unused_data or length or rest:
        raise ValueError("it does not end where it should")


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise StorageError(
            "archives are compressed with `zstandard`, which is not installed",
            hint="install it: pip install 'lgc[archive]'",
        ) from error
    return zstandard


def _lock(file: BinaryIO, path: str) -> None:
    try:
        import fcntl
    except ImportError:  # not on this system: there, who archives sees to it that only one does
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StorageError(
            f"another process is writing to the archive {path}", hint="wait for it, or name another file"
        ) from error


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
