"""What Lark's parser would do with further tokens, tried on its table without touching its stacks.

Nothing is copied: a trial keeps how much of the real stack still stands and what it put on top.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Table = dict[int, dict[str, Any]]


def shifts(states: Table, stack: list[int], terminal: str) -> bool:
    """Whether the parser, after the reductions that it would make, has room for a terminal.

    A row of the table may list a terminal that fits only elsewhere, where the same rule ends: the stack
    decides.
    """
    kept = len(stack)
    extra: list[int] = []
    top = stack[-1]
    while True:
        step = states[top].get(terminal)
        if step is None:
            return False
        target = step[1]
        if isinstance(target, int):
            return True
        drop = len(target.expansion) - len(extra)
        if drop > 0:
            kept -= drop
            extra.clear()
        elif target.expansion:
            del extra[-len(target.expansion) :]
        below = extra[-1] if extra else stack[kept - 1]
        top = states[below][target.origin.name][1]
        extra.append(top)


class Trial:
    """One line of thought: the parser's stack as it would be."""

    __slots__ = ("_base", "_end", "_extra", "_kept", "states")

    def __init__(self, states: Table, end: int, stack: list[int], kept: int | None = None) -> None:
        self.states = states
        self._end = end
        self._base = stack
        self._kept = len(stack) if kept is None else kept
        self._extra: list[int] = []

    @property
    def path(self) -> list[int]:
        """The whole stack as it would be; only for short looks."""
        return [*self._base[: self._kept], *self._extra]

    def fork(self) -> Trial:
        """Another trial that starts from here."""
        other = Trial(self.states, self._end, self._base, self._kept)
        other._extra = self._extra[:]
        return other

    @property
    def row(self) -> dict[str, Any]:
        """What the state on top does for each terminal."""
        return self.states[self._extra[-1] if self._extra else self._base[self._kept - 1]]

    def go(self, symbol: str) -> None:
        """Take the step that the state on top has for a list that was read."""
        self._extra.append(self.row[symbol][1])

    def feed(self, terminal: str) -> bool:
        """Take a token; False where it is refused."""
        while True:
            step = self.row.get(terminal)
            if step is None:
                return False
            target = step[1]
            if isinstance(target, int):
                self._extra.append(target)
                return True
            self._drop(len(target.expansion))
            after = self.row[target.origin.name][1]
            self._extra.append(after)
            if terminal == "$END" and after == self._end:
                return True

    def _drop(self, count: int) -> None:
        own = len(self._extra)
        if count >= own:
            self._kept -= count - own
            self._extra.clear()
        elif count:
            del self._extra[-count:]

    def takes(self, terminals: Iterable[str]) -> bool:
        """Whether it would take all of these, one after the other."""
        trial = self.fork()
        return all(trial.feed(terminal) for terminal in terminals)

    def accepted(self) -> set[str]:
        """The terminals that it would take next."""
        return {t for t in self.row if (t.isupper() or t == "$END") and self.takes((t,))}
