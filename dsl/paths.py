"""From the path of a file and what it imports to the path of that, all as text: nothing is looked up.

Paths have `/` between their names. Two are compared after normalising them: `a/../b` is `b`.
"""

from __future__ import annotations

from posixpath import dirname, isabs, join, normpath


def importable(written: str) -> bool:
    """Whether an import may be written so: relative, with `/`."""
    return bool(written) and not isabs(written) and "\\" not in written and "\0" not in written


def imported(path: str, written: str) -> str:
    """The file that an import names: it is looked up next to the importing file."""
    return normpath(join(dirname(path), written))


def inside(path: str, root: str) -> bool:
    """Whether a normalised path lies in the folder `root` (both relative, or both absolute)."""
    if isabs(path) != isabs(root):
        return not isabs(path)
    up, names = _steps(path)
    root_up, root_names = _steps(normpath(root))
    if up != root_up:
        return up < root_up and not root_names
    return names[: len(root_names)] == root_names


def _steps(path: str) -> tuple[int, list[str]]:
    """How many folders a normalised path goes up, and the names that it then goes down."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    up = names.count("..")
    return up, names[up:]
