"""From what stands on the command line to texts: files, folders and standard input, by project.

Paths of sources are kept as the user wrote them: findings and reports name them so. Where they are
relative, they are relative to the working directory, and so is the root that the compiler is given.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from .dsl.diagnostic import Diagnostic
from .dsl.frozen import frozen
from .dsl.paths import inside
from .dsl.source import Source
from .settings import STDIN, ProjectError, Projects, Settings

SUFFIX = ".lgraph"
LIMIT = 16 * 1024 * 1024  # of the language; the reader reports what is longer
SKIPPED = frozenset(("node_modules", "__pycache__"))
"""Folders that are never searched, beside hidden ones."""


@frozen
class Named:
    """One file that was asked for, before it is read.

    Attributes:
        path: as shown.
        where: as written, to read it.
        settings: of the project that it belongs to.
        tree: the folder that was given and that it was found in, "" where the file itself was given.
        stdin: whether it is standard input.
    """

    path: str
    where: str
    settings: Settings
    tree: str = ""
    stdin: bool = False


@frozen
class Input:
    """One file that was asked for.

    Attributes:
        path: as shown.
        data: its bytes.
        settings: of the project that it belongs to.
        tree: the folder that was given and that it was found in, "" where the file itself was given.
        from_stdin: whether it was read from standard input.
    """

    path: str
    data: bytes
    settings: Settings
    tree: str
    from_stdin: bool = False

    def with_data(self, data: bytes) -> Input:
        """The same file with other bytes."""
        return Input(self.path, data, self.settings, self.tree, self.from_stdin)


# --- files ------------------------------------------------------------------------------------------------


def inputs(paths: Sequence[str], *, stdin_name: str = "") -> list[Input]:
    """The files that paths name, each once: a folder stands for all `.lgraph` files below it, sorted.

    Without paths, what the settings here call `source`, else everything below the working directory.

    Raises:
        ProjectError: a path does not exist or cannot be read, or a folder holds no such file.
    """
    return [read(one) for one in named(paths, stdin_name=stdin_name)]


def read(one: Named) -> Input:
    """A file with its bytes. Raises ProjectError where it cannot be read."""
    data = _stdin() if one.stdin else _bytes(one.where)
    return Input(one.path, data, one.settings, one.tree, one.stdin)


def named(paths: Sequence[str], *, stdin_name: str = "") -> list[Named]:
    """The same files as `inputs`, not read yet. Raises ProjectError for a folder without any."""
    projects = Projects()
    if not paths:
        here = projects.of("./")
        paths = [here.path(one) for one in here.source] or ["."]
        for path in paths:
            if not os.path.exists(path):
                raise ProjectError(
                    f"{path}: no such file or folder", f"`source` in {here.path(here.origin or '')} names it"
                )
    found: dict[str, Named] = {}  # by the place on the disk
    for path in paths:
        if path == STDIN:
            name = stdin_name or STDIN
            key = os.path.abspath(name) if stdin_name else STDIN
            found.setdefault(key, Named(name, path, projects.of(name), stdin=True))
        elif os.path.isdir(path):
            below = list(files_below(path))
            if not below:
                raise ProjectError(f"no {SUFFIX} file in {path}")
            for one in below:
                found.setdefault(os.path.abspath(one), Named(one, one, projects.of(one, path), path))
        else:
            normal = os.path.normpath(path)
            found.setdefault(os.path.abspath(path), Named(normal, path, projects.of(normal)))
    return list(found.values())


def files_below(folder: str) -> Iterable[str]:
    """All `.lgraph` files below a folder, sorted by path.

    What is hidden is passed over: folders, and files such as the locks of an editor, links to nothing.
    """
    found: list[str] = []
    for at, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and one not in SKIPPED]
        there = [one for one in files if one.endswith(SUFFIX) and not one.startswith(".")]
        found += [os.path.normpath(os.path.join(at, one)) for one in there]
    return sorted(found)


def near(names: Sequence[Named]) -> list[str]:
    """Files that may use those that were asked for: in the folders of these (above the folders that were
    given), and in those above as far as the project goes. Sorted; without the files themselves."""
    starts: dict[str, Named] = {}
    for one in names:
        starts.setdefault(os.path.dirname(os.path.normpath(one.tree) if one.tree else one.path), one)
    folders: set[str] = set()
    for folder, one in starts.items():
        root = os.path.normpath(root_of(one.settings, absolute=os.path.isabs(one.path)))
        while folder not in folders and inside(folder or ".", root):
            folders.add(folder)
            if os.path.normpath(folder or ".") == root or not folder:
                break
            folder = os.path.dirname(folder)
    asked = {one.path for one in names}
    found: list[str] = []
    for folder in folders:
        try:
            there = os.listdir(folder or ".")
        except OSError:
            continue
        visible = [one for one in there if one.endswith(SUFFIX) and not one.startswith(".")]
        found += [os.path.join(folder, one) for one in visible]
    return sorted(path for path in found if path not in asked)


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            # One byte more than the language takes tells the reader that there is too much.
            return file.read(LIMIT + 1)
    except FileNotFoundError:
        if os.path.islink(path):
            raise ProjectError(f"{path}: a link to nothing") from None
        raise ProjectError(f"{path or '(empty path)'}: no such file or folder", _near(path)) from None
    except OSError as error:
        raise ProjectError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def _near(path: str) -> str:
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        there = [one for one in os.listdir(folder or ".") if one.endswith(SUFFIX) and one != name]
    except OSError:
        return ""
    near = get_close_matches(name, there, n=1)
    return f"did you mean {os.path.join(folder, near[0])}?" if near else ""


def _stdin() -> bytes:
    return sys.stdin.buffer.read(LIMIT + 1)


def load(path: str) -> bytes | None:
    """The bytes of an imported file, None where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT + 1)
    except (OSError, ValueError):
        return None


def text_of(path: str) -> Source | None:
    """The text of a file, None where there is none."""
    from .dsl.read import read_bytes

    data = load(path)
    return None if data is None else read_bytes(path, data)[0]


# --- sources ----------------------------------------------------------------------------------------------


@frozen
class Batch:
    """Files of one project, ready for the compiler.

    Attributes:
        settings: of the project.
        root: the project's folder in the form of the paths (relative to the working directory, or absolute).
        sources: the files whose bytes are text.
        findings: about bytes that are not.
    """

    settings: Settings
    root: str
    sources: tuple[Source, ...]
    findings: tuple[Diagnostic, ...]

    def in_project(self, path: str) -> str:
        """The path of a file as it is from the project's folder, with `/`: the same from everywhere."""
        return path if path == STDIN else os.path.relpath(path, self.root).replace(os.sep, "/")


def batches(given: Iterable[Input]) -> list[Batch]:
    """Inputs as texts, those of one project together."""
    from .dsl.read import read_bytes

    by_root: dict[tuple[str, bool], tuple[Settings, list[Source], list[Diagnostic]]] = {}
    for one in given:
        key = (one.settings.root, os.path.isabs(one.path))
        _, sources, findings = by_root.setdefault(key, (one.settings, [], []))
        source, found = read_bytes(one.path, one.data)
        findings += found
        if source is not None:
            sources.append(source)
    return [
        Batch(settings, root_of(settings, absolute=absolute), tuple(sources), tuple(findings))
        for (_, absolute), (settings, sources, findings) in by_root.items()
    ]


def root_of(settings: Settings, *, absolute: bool) -> str:
    """The project's folder in the form of the paths: absolute, or relative to the working directory."""
    return settings.root if absolute else os.path.relpath(settings.root)
