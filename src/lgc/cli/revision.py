"""From a git revision to the files as they were then: read from git's objects, the working tree untouched.

Only `git rev-parse`, `ls-tree`, `cat-file` and `merge-base` are run. None of them runs what a repository
configures (filters, text conversions, monitors), so that a foreign repository can be looked at.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import IO

from ..project import SKIPPED, SUFFIX
from ..settings import Projects
from .terminal import Failure

_LINK = "120000"
_FILES = ("100644", "100755", "100664", _LINK)
_MOST_LINKS = 40
# A hook is run with these; the repository that is meant is that of the path.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")


@dataclass(slots=True)
class Revision:
    """A repository at a revision. Paths are those that the files have, or would have, in the working tree.

    Attributes:
        name: the revision as it was written.
        top: the repository's folder, absolute.
        entries: mode and object by path from `top`, with `/`.
    """

    name: str
    top: str
    entries: dict[str, tuple[str, str]]
    _reader: _Objects
    _folders: set[str] = field(default_factory=set[str])

    def close(self) -> None:
        """Nothing is read any more."""
        self._reader.close()

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None where there was none."""
        inside = self._inside(path)
        entry = None if inside is None else self.entries.get(self._resolved(inside))
        return None if entry is None else self._reader.read(entry[1])

    def is_folder(self, path: str) -> bool:
        """Whether there was a folder of that path."""
        inside = self._inside(path)
        if inside is None:
            return False
        if not self._folders:
            self._folders.add("")
            for one in self.entries:
                while (one := one.rpartition("/")[0]) and one not in self._folders:
                    self._folders.add(one)
        return self._resolved(inside) in self._folders

    def below(self, folder: str) -> list[str]:
        """All `.lgraph` files below a folder that are not hidden, sorted, as `project.files_below`."""
        inside = self._inside(folder)
        start = f"{self._resolved(inside)}/" if inside else ""
        found: list[str] = []
        for path in self.entries if inside is not None else ():
            if path.endswith(SUFFIX) and path.startswith(start):
                rest = path[len(start) :].split("/")
                if not any(part.startswith(".") or part in SKIPPED for part in rest):
                    found.append(os.path.normpath(os.path.join(folder, *rest)))
        return sorted(found)

    def projects(self) -> Projects:
        """Finds settings as they were then; above the repository as they are now."""
        return Projects(
            self._text, lambda at: at == self.top or self._text(f"{at}/pyproject.toml") is not None
        )

    def near(self, path: str) -> str:
        """How a path that is not there may have been meant: from the top of the repository, or misspelt."""
        there = {one: os.path.relpath(os.path.join(self.top, one)) for one in self.entries}
        if path in there:
            return there[path]
        names = [one for one in there.values() if one.endswith(SUFFIX)]
        return next(iter(get_close_matches(os.path.normpath(path), names, n=1)), "")

    def _text(self, path: str) -> str | None:
        if self._inside(path) is None:
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
        data = self.read(path)
        return None if data is None else data.decode("utf-8")

    def _inside(self, path: str) -> str | None:
        """A path from the top of the repository, None for one outside."""
        for at, top in (
            (os.path.abspath(path), self.top),
            (os.path.realpath(path), os.path.realpath(self.top)),
        ):
            if at == top:
                return ""
            if at.startswith(os.path.join(top, "")):
                return os.path.relpath(at, top).replace(os.sep, "/")
        return None

    def _resolved(self, inside: str) -> str:
        """The path after following the links in it, as far as they stay in the repository."""
        done: list[str] = []
        parts = inside.split("/")[::-1] if inside else []
        links = 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    return "//outside"
                done.pop()
                continue
            done.append(part)
            mode, object_ = self.entries.get("/".join(done), ("", ""))
            if mode == _LINK:
                links += 1
                target = self._reader.read(object_).decode("utf-8", "surrogateescape")
                if links > _MOST_LINKS or target.startswith("/"):
                    return "//outside"
                done.pop()
                parts += target.split("/")[::-1]
        return "/".join(done)


def open_revision(name: str, near: str) -> Revision:
    """The repository that the path `near` belongs to, at a revision. Raises Failure."""
    folder = _existing(near)
    prefix = _answer(folder, "rev-parse", "--show-prefix").removesuffix("\n")
    depth = len([part for part in prefix.split("/") if part])
    top = os.path.normpath(os.path.join(os.path.abspath(folder), *[".."] * depth))
    tree = _tree(folder, name)
    listed = _run(folder, "ls-tree", "-r", "-z", "--full-tree", tree)
    if listed.returncode:
        raise Failure(f"git:{name} cannot be read: {_told(listed)}", _shallow_hint(folder))
    entries: dict[str, tuple[str, str]] = {}
    for line in listed.stdout.split(b"\0"):
        about, tab, path = line.partition(b"\t")
        if tab:
            mode, _, object_ = about.decode().split()
            if mode in _FILES:
                entries[path.decode("utf-8", "surrogateescape")] = (mode, object_)
    return Revision(name, top, entries, _Objects(folder, name))


def _tree(folder: str, name: str) -> str:
    """The tree of a revision. Raises Failure where there is none."""
    meant = _meant(folder, name)
    found = _run(folder, "rev-parse", "--verify", "--quiet", meant)
    if found.returncode == 0:
        tree = _run(folder, "rev-parse", "--verify", "--quiet", f"{found.stdout.decode().strip()}^{{tree}}")
        if tree.returncode == 0:
            return tree.stdout.decode().strip()
        raise Failure(f"git:{name} has no files: it is not a commit", _shallow_hint(folder))
    raise Failure(f"git:{name}: the repository has no revision `{name}`", _revision_hint(folder, name))


def _meant(folder: str, name: str) -> str:
    """`A...B` is the last commit that both have, as for `git diff A...B`."""
    first, dots, second = name.partition("...")
    if not dots:
        return name
    base = _run(folder, "merge-base", "--", first or "HEAD", second or "HEAD")
    if base.returncode:
        said = _told(base) if base.stderr.strip() else "they have no commit in common"
        raise Failure(f"git:{name}: {said}", _shallow_hint(folder))
    return base.stdout.decode().strip()


def _revision_hint(folder: str, name: str) -> str:
    if shallow := _shallow_hint(folder):
        return shallow
    if ".." in name:
        return "give one revision a side: `lgc diff git:A git:B`"
    listed = _run(folder, "for-each-ref", "--format=%(refname:short)")
    names = listed.stdout.decode("utf-8", "replace").split()
    ends = [one for one in names if one.endswith(f"/{name}")]
    near = ends[:1] or get_close_matches(name, names, n=1)
    return f"did you mean `git:{near[0]}`?" if near else "see `git branch --all` and `git log`"


def _shallow_hint(folder: str) -> str:
    """What helps where only the newest commits are there."""
    shallow = _run(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    return (
        "the repository is a shallow clone: run `git fetch --unshallow`, or check out with `fetch-depth: 0`"
        if shallow
        else ""
    )


def _existing(path: str) -> str:
    """The nearest folder of a path that is there now."""
    at = os.path.abspath(path)
    while not os.path.isdir(at):
        at = os.path.dirname(at)
    return at


# --- git --------------------------------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def _run(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, check=False, env=_environment()
        )
    except FileNotFoundError:
        raise Failure("git is not installed", "install it, or compare files") from None
    except ValueError:  # a zero byte in a word
        raise Failure("that is no revision that git knows") from None


def _answer(folder: str, *words: str) -> str:
    """What git prints. Raises Failure with what it says."""
    ran = _run(folder, *words)
    if ran.returncode:
        where = os.path.relpath(folder)
        raise Failure(f"{where}: {_told(ran)}", "git:REV needs a git repository with a working tree")
    return ran.stdout.decode("utf-8", "surrogateescape")


def _told(ran: subprocess.CompletedProcess[bytes]) -> str:
    """The first line that git complains with, in its words."""
    lines = [line for line in ran.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else "git said nothing"


class _Objects:
    """Reads objects one after the other through one process."""

    def __init__(self, folder: str, revision: str) -> None:
        self._folder = folder
        self._revision = revision
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[str, bytes] = {}

    def read(self, object_: str) -> bytes:
        """The bytes of an object. Raises Failure where the repository has not got it."""
        if object_ not in self._known:
            self._known[object_] = self._ask(object_)
        return self._known[object_]

    def _ask(self, object_: str) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "-C", self._folder, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        to, back = self._pipes(self._process)
        try:
            to.write(f"{object_}\n".encode())
            to.flush()
            about = back.readline().split()
            if len(about) == 3 and about[1] == b"blob":
                size = int(about[2])
                data = back.read(size + 1)[:-1]
                if len(data) == size:
                    return data
        except OSError:
            pass
        hint = "the clone may be partial, or damaged: try `git fetch`, then `git fsck`"
        raise Failure(f"git:{self._revision}: the repository lacks the object {object_[:12]}", hint)

    def _pipes(self, process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
        if process.stdin is None or process.stdout is None:
            raise Failure("git cannot be spoken to")
        return process.stdin, process.stdout

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            for pipe in self._pipes(self._process):
                pipe.close()
            self._process.wait()
            self._process = None
