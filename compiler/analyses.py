"""From a program to what is known of its graphs beyond their edges.

An analysis is made when it is first asked for. Rules share them, so that a parallel of ten thousand branches
is summed up once and not once a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .model import Key, OptionalOf, Program
from .resolve.graph import Gaps

if TYPE_CHECKING:
    from .effects import Effects
    from .presence import Presence
    from .routing.formulas import Budget


class Analyses:
    """The analyses of one program; `waiting` says, where it was asked, which graphs hold a barrier."""

    __slots__ = ("_effects", "_guesswork", "_optional", "_presence", "gaps", "program", "waiting")

    def __init__(self, program: Program, gaps: Mapping[Key, Gaps]) -> None:
        self.program = program
        self.gaps = gaps
        self._effects: Effects | None = None
        self._optional: dict[Key, bool] = {}
        self._presence: Presence | None = None
        self._guesswork: Budget | None = None
        self.waiting: dict[Key, bool] = {}

    def may_be_none(self, state: Key) -> bool:
        """Whether some field of a state is optional: without any, nothing is to be known of them."""
        found = self._optional.get(state)
        if found is None:
            fields = self.program.states[state].fields
            found = self._optional[state] = any(isinstance(field.type, OptionalOf) for field in fields)
        return found

    @property
    def effects(self) -> Effects:
        """What nodes, regions and graphs read and write."""
        if self._effects is None:
            from .effects import Effects

            self._effects = Effects(self.program)
        return self._effects

    @property
    def presence(self) -> Presence:
        """Which optional fields surely have a value, and where."""
        if self._presence is None:
            from .presence import Presence

            self._presence = Presence(self)
        return self._presence

    @property
    def guesswork(self) -> Budget:
        """The work that may still be done on the guards of all graphs."""
        if self._guesswork is None:
            from .routing.decide import allowance

            self._guesswork = allowance()
        return self._guesswork
