"""From a git revision to the files as they were then: read from git's objects, the working tree untouched.

Only `git rev-parse`, `ls-tree`, `cat-file` and `merge-base` are run. None of them runs what a repository
configures (filters, text conversions, monitors), so that a foreign repository can be looked at.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
from dataclasses import dataclass, field
from difflib import get_close_matches

from ..project import SKIPPED, SUFFIX
from ..settings import Projects
from .git import Objects, answer, run, told
from .terminal import Failure

_LINK = "120000"
_FILES = ("100644", "100755", "100664", _LINK)
_MOST_LINKS = 40


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
    _reader: Objects
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
    prefix = answer(folder, "rev-parse", "--show-prefix").removesuffix("\n")
    depth = len([part for part in prefix.split("/") if part])
    top = os.path.normpath(os.path.join(os.path.abspath(folder), *[".."] * depth))
    tree = _tree(folder, name)
    entries: dict[str, tuple[str, str]] = {}
    for line in _listed(folder, name, tree) if tree else ():
        about, tab, path = line.partition(b"\t")
        if tab:
            mode, _, object_ = about.decode().split()
            if mode in _FILES:
                entries[path.decode("utf-8", "surrogateescape")] = (mode, object_)
    return Revision(name, top, entries, Objects(folder, name))


def _listed(folder: str, name: str, tree: str) -> list[bytes]:
    listed = run(folder, "ls-tree", "-r", "-z", "--full-tree", tree)
    if listed.returncode:
        raise Failure(f"git:{name} cannot be read: {told(listed)}", _shallow_hint(folder))
    return listed.stdout.split(b"\0")


def _tree(folder: str, name: str) -> str:
    """The tree of a revision, "" for HEAD before the first commit. Raises Failure where there is none."""
    meant = _meant(folder, name)
    found = run(folder, "rev-parse", "--verify", "--quiet", meant)
    if found.returncode == 0:
        tree = run(folder, "rev-parse", "--verify", "--quiet", f"{found.stdout.decode().strip()}^{{tree}}")
        if tree.returncode == 0:
            return tree.stdout.decode().strip()
        raise Failure(f"git:{name} has no files: it is not a commit", _shallow_hint(folder))
    if name == "HEAD" and run(folder, "symbolic-ref", "--quiet", "HEAD").returncode == 0:
        return ""
    raise Failure(f"git:{name}: the repository has no revision `{name}`", _revision_hint(folder, name))


def _meant(folder: str, name: str) -> str:
    """`A...B` is the last commit that both have, as for `git diff A...B`."""
    first, dots, second = name.partition("...")
    if not dots:
        return name
    base = run(folder, "merge-base", "--", first or "HEAD", second or "HEAD")
    if base.returncode:
        said = told(base) if base.stderr.strip() else "they have no commit in common"
        raise Failure(f"git:{name}: {said}", _shallow_hint(folder))
    return base.stdout.decode().strip()


def _revision_hint(folder: str, name: str) -> str:
    if shallow := _shallow_hint(folder):
        return shallow
    if ".." in name:
        return "give one revision a side: `lgc diff git:A git:B`"
    listed = run(folder, "for-each-ref", "--format=%(refname:short)")
    names = listed.stdout.decode("utf-8", "replace").split()
    ends = [one for one in names if one.endswith(f"/{name}")]
    near = ends[:1] or get_close_matches(name, names, n=1)
    return f"did you mean `git:{near[0]}`?" if near else "see `git branch --all` and `git log`"


def _shallow_hint(folder: str) -> str:
    """What helps where only the newest commits are there."""
    shallow = run(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
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
