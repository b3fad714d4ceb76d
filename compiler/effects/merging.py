"""From a path of a state to the field whose merge rule decides about it at a join.

A rule of a field decides about all that is in it: of several on a path the outermost counts.
`runtime/machine/merging.py` asks the same of states that run.
"""

from __future__ import annotations

from .. import model as m
from ..model import Key, Program
from .mentions import Path


class Merging:
    """The merge rules of one state and of the states in it."""

    __slots__ = ("_known", "_program", "_state")

    def __init__(self, program: Program, state: Key) -> None:
        self._program = program
        self._state = state
        self._known: dict[Path, tuple[Path, m.Field] | None] = {}

    def of(self, path: Path) -> tuple[Path, m.Field] | None:
        """The path of the field that decides, and the field; None: no rule does."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def __contains__(self, path: Path) -> bool:
        return self.of(path) is not None

    def _find(self, path: Path) -> tuple[Path, m.Field] | None:
        at: Key | None = self._state
        for end, name in enumerate(path, 1):
            declared = None if at is None else self._program.states.get(at)
            field = None if declared is None else declared.field(name)
            if field is None:
                return None
            if field.merge is not None and field.merge.rule != "error":
                return path[:end], field
            at = field.type.key if isinstance(field.type, m.StateType) else None
        return None
