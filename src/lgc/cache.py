"""From what was found in files to a folder that remembers it, and back, as long as nothing has changed.

Two kinds of file lie in the folder. A *run* answers for one list of files that was asked for: it holds the
stamps (size, times, inode) of all files that took part, and what was found. If every stamp is the same,
nothing is read, parsed or even imported. *Parts* answer by content: what was found in files that import each
other, under a digest of all that went in, so that a file that comes back as it was is not checked again.

The first line of each file names the format, the edition of the tool and a checksum of the rest. Whatever is
wrong with a file or its folder, it is not used; every entry can be deleted at any time, and is put in place
in one step, so that any number of processes can share a folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from zlib import crc32

from .dsl.frozen import frozen
from .dsl.named import NamedTuple
from .settings import Settings

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
NAME = ".lgc_cache"
LARGEST = 8 * 1024 * 1024
"""Bytes of the largest file that is written, and of all parts together."""
MOST_RUNS = 48
"""Runs that are remembered; the oldest is dropped."""
SETTLED = 2_000_000_000
"""Nanoseconds after which a change must show in a file's times, even where those are coarse."""
_LEFT_BEHIND = 3_600  # seconds after which an unfinished file has no writer any more
_PARTS = "parts"


class Stamp(NamedTuple):
    """What tells without reading that a file is the same; times in nanoseconds."""

    size: int
    modified: int
    changed: int
    inode: int


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a file, None where there is none."""
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return None
    return Stamp(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)


def settled(stamp: Stamp, now: int) -> bool:
    """Whether a file that had this stamp at `now` cannot change any more and keep it."""
    return stamp.modified < now - SETTLED and stamp.changed < now - SETTLED


@frozen
class Run:
    """What is remembered of one list of files.

    Attributes:
        files: the stamps of all files that took part, by path.
        missing: the files that were imported and not there.
        found: what was found, as data.
    """

    files: Mapping[str, Stamp]
    missing: tuple[str, ...]
    found: Any

    def holds(self) -> bool:
        """Whether every file is as it was."""
        return all(stamp_of(path) == stamp for path, stamp in self.files.items()) and not any(
            os.path.lexists(path) for path in self.missing
        )


# --- where ------------------------------------------------------------------------------------------------


def folder_for(settings: Settings) -> str | None:
    """Where a project's cache lies, None where it wants none.

    `LGC_CACHE_DIR` comes before the setting `cache`. Without either: `.lgc_cache` in the folder of a project,
    and the user's own cache for files that belong to none.
    """
    given = os.environ.get("LGC_CACHE_DIR", "")
    if given:
        return os.path.abspath(given)
    if settings.cache is not None:
        return os.path.join(settings.root, settings.cache) if settings.cache else None
    marks = ("pyproject.toml", ".git")
    if settings.origin is not None or any(os.path.exists(os.path.join(settings.root, m)) for m in marks):
        return os.path.join(settings.root, NAME)
    own = os.environ.get("XDG_CACHE_HOME", "")
    base = own if os.path.isabs(own) else os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "lgc") if os.path.isabs(base) else None


def edition() -> str:
    """What tells this tool from any other: format, Python, and the stamps of all that decides on findings.

    An installation that is edited changes without changing its version. Raises OSError where the tool is no
    folder of files.
    """
    here = os.path.dirname(__file__)
    seen: list[str] = [f"{FORMAT} {sys.hexversion}"]
    todo = [here, *(os.path.join(here, part) for part in ("dsl", "compiler", "grammar"))]
    while todo:
        folder = todo.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith((".py", ".lark", ".json")):
                    stat = entry.stat()
                    seen.append(f"{folder[len(here) :]}/{name} {stat.st_size} {stat.st_mtime_ns}")
                elif folder != here and not name.startswith("__") and entry.is_dir():
                    todo.append(entry.path)
    text = "\n".join(sorted(seen)).encode()
    return f"{crc32(text):08x}{crc32(text[::-1]):08x}"


# --- files ------------------------------------------------------------------------------------------------


class Cache:
    """The cache in one folder. No method raises for what the folder or its files are like."""

    def __init__(self, folder: str, tool: str) -> None:
        self.folder = folder
        self.head = f"lgc-cache {FORMAT} {tool} "
        self._parts: dict[str, str] | None = None
        self._new: dict[str, str] = {}

    def run(self, asked: str) -> Run | None:
        """What is remembered of a request, whether or not it still holds."""
        text = self._read(_run_name(asked))
        if text is None:
            return None
        try:
            data = json.loads(text)
            if data["asked"] != asked:
                return None
            files = {path: Stamp(*stamp) for path, *stamp in data["files"]}
            return Run(files, tuple(data["missing"]), data["found"])
        except Exception:
            return None

    def keep_run(self, asked: str, run: Run) -> None:
        """Remember a request; nothing is kept while files are so new that their times say little."""
        data = {
            "asked": asked,
            "files": [[path, *stamp] for path, stamp in run.files.items()],
            "missing": run.missing,
            "found": run.found,
        }
        self._write(_run_name(asked), json.dumps(data, separators=(",", ":")))
        self._drop_old_runs()

    def part(self, digest: str) -> Any:
        """What was found in files with this digest, as data; None where that is not known."""
        if self._parts is None:
            text = self._read(_PARTS) or ""
            rows = (line.partition(" ") for line in text.splitlines())
            self._parts = {key: found for key, _, found in rows if found}
        found = self._parts.get(digest)
        try:
            return None if found is None else json.loads(found)
        except ValueError:
            return None

    def keep_part(self, digest: str, found: Any) -> None:
        """Remember what was found; written by `flush`."""
        self._new[digest] = json.dumps(found, separators=(",", ":"))

    def flush(self) -> None:
        """Write the parts that came new, the oldest dropped where there are too many."""
        if not self._new:
            return
        rows = {**(self._parts or {}), **self._new}
        self._new = {}
        lines: list[str] = []
        left = LARGEST // 2
        for digest, found in reversed(rows.items()):  # the newest first
            left -= len(digest) + len(found) + 2
            if left < 0:
                break
            lines.append(f"{digest} {found}\n")
        self._write(_PARTS, "".join(reversed(lines)))

    def _read(self, name: str) -> str | None:
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                head, _, body = file.read(2 * LARGEST).partition(b"\n")
            if head.decode() == f"{self.head}{crc32(body):08x}":
                return body.decode()
        except (OSError, ValueError):
            pass
        return None

    def _write(self, name: str, text: str) -> None:
        body = text.encode()  # JSON with escapes: ASCII
        if len(body) > LARGEST:
            return
        target = os.path.join(self.folder, name)
        unfinished = f"{target}.{os.getpid()}.tmp"
        try:
            self._make_folder()
            with open(unfinished, "xb") as file:
                file.write(f"{self.head}{crc32(body):08x}\n".encode() + body)
            os.replace(unfinished, target)
        except OSError:
            _remove(unfinished)

    def _make_folder(self) -> None:
        """The folder, with what tells git and backups that it needs no keeping."""
        if os.path.isdir(self.folder):
            return
        os.makedirs(self.folder, exist_ok=True)
        words = (
            "Signature: 8a477f597d28d172789f06886806bc55\n# Findings that lgc remembers; safe to delete.\n"
        )
        for name, text in (("CACHEDIR.TAG", words), (".gitignore", "*\n")):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def _drop_old_runs(self) -> None:
        try:
            with os.scandir(self.folder) as entries:
                found = [(entry.stat().st_mtime, entry.name) for entry in entries]
        except OSError:
            return
        runs = sorted((when, name) for when, name in found if name.startswith("run-"))
        old = time.time() - _LEFT_BEHIND
        finished = [one for one in runs if not one[1].endswith(".tmp")]
        surplus = finished[: max(0, len(finished) - MOST_RUNS)]
        surplus += [one for one in found if one[1].endswith(".tmp") and one[0] < old]
        for _, name in surplus:
            _remove(os.path.join(self.folder, name))


def cache_for(settings: Settings) -> Cache | None:
    """The cache of a project, None where it wants none or the tool cannot be told from others."""
    try:
        folder = folder_for(settings)
        return Cache(folder, edition()) if folder is not None else None
    except OSError:
        return None


def _remove(path: str) -> None:
    try:  # noqa: SIM105 - `contextlib` takes longer to import than this to do
        os.unlink(path)
    except OSError:
        pass


def _run_name(asked: str) -> str:
    return f"run-{crc32(asked.encode('utf-8', 'surrogateescape')):08x}"


def request(settings: Settings, root: str, paths: Iterable[str]) -> str:
    """What was asked for as one text: the project, the form of its paths, where they start, the files."""
    return json.dumps([settings.root, root, os.getcwd(), *paths])
