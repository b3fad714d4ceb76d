"""From the writes of parallel branches to those whose order matters, by the algebra of updates.

Branches are joined by applying their updates one branch after the other. Two updates of one path give the
same in either order, or keep what both branches did, only where they compose in the same way: add with add,
append with append, union with union, maximum with maximum. Everything else overwrites.
`runtime/machine/join.py` asks the same of the branches that really ran; the two must agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...dsl.named import NamedTuple
from . import Write
from .mentions import Path

COMPOSING = frozenset({"add", "append", "union", "max", "min", "sub"})


class Entry(NamedTuple):
    """A write and the number of the branch that does it."""

    branch: int
    write: Write


class Writers:
    """Who writes which path: the first of each kind, and the first two branches, at a path and below it.

    Looking up takes as long as the path is deep, however many branches there are.
    """

    __slots__ = ("_at", "_below", "_kinds", "tops")

    def __init__(self) -> None:
        self._kinds: dict[Path, dict[str, Entry]] = {}
        self._at: dict[Path, list[Entry]] = {}
        self._below: dict[Path, list[Entry]] = {}
        self.tops: dict[Path, list[Entry]] = {}
        """By field of the state itself: the first two branches that write it or something in it."""

    def add(self, branch: int, writes: Iterable[Write]) -> None:
        """Take down what a branch writes; branches come one after the other."""
        for write in writes:
            entry, path = Entry(branch, write), write.path
            self._kinds.setdefault(path, {}).setdefault(write.kind, entry)
            _keep(self._at, path, entry)
            _keep(self.tops, path[:1], entry)
            for end in range(1, len(path)):
                _keep(self._below, path[:end], entry)

    def against(self, write: Write) -> Entry | None:
        """The first write of the branches so far that does not compose with one of a further branch."""
        path = write.path
        for end in range(1, len(path)):
            if path[:end] in self._at:
                return self._at[path[:end]][0]
        for kind, entry in self._kinds.get(path, {}).items():
            if kind != write.kind or kind not in COMPOSING:
                return entry
        return self._below[path][0] if path in self._below else None

    def other(self, path: Path, branch: int) -> Entry | None:
        """A write of a path, of what is around it or below it, by another branch."""
        for end in range(1, len(path) + 1):
            for entry in self._at.get(path[:end], ()):
                if entry.branch != branch:
                    return entry
        for entry in self._below.get(path, ()):
            if entry.branch != branch:
                return entry
        return None


def _keep(entries: dict[Path, list[Entry]], path: Path, entry: Entry) -> None:
    kept = entries.get(path)
    if kept is None:
        entries[path] = [entry]
    elif len(kept) == 1 and kept[0].branch != entry.branch:
        kept.append(entry)
