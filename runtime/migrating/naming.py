"""From the steps of a chain of migrations to what each name of the old version is in the new one.

The renames of one block are done at once: two that swap names work. A move concerns only where a run is
parked: counters and finished visits of a node that is gone stay its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from .. import plan
from ..plan import END


class Cursor(NamedTuple):
    """Where a frame stands in the new version; `moved`: it arrives there anew."""

    node: str
    moved: bool


class Names:
    """The names of one graph through a chain of migrations."""

    def __init__(self, chain: Sequence[plan.Migration]) -> None:
        self.chain = tuple(chain)
        self._nodes = [renamed(link, "node") for link in chain]
        self._mutations = [renamed(link, "mutation") for link in chain]
        self._fields = [renamed(link, "field") for link in chain]
        self._moves = [
            {step.old: step.new for step in link.steps if isinstance(step, plan.MoveStep)} for link in chain
        ]

    def node(self, name: str) -> str:
        """The new name of a node."""
        return _through(self._nodes, name)

    def mutation(self, name: str) -> str:
        """The new name of a mutation."""
        return _through(self._mutations, name)

    def field(self, name: str) -> str:
        """The new name of a field."""
        return _through(self._fields, name)

    def kept_field(self, name: str) -> str | None:
        """The new name of a field; None where it is dropped on the way."""
        at = name
        for link, renames in zip(self.chain, self._fields, strict=True):
            if any(isinstance(step, plan.DropStep) and step.field == at for step in link.steps):
                return None
            at = renames.get(at, at)
        return at

    def region(self, id: str) -> str:
        """The new id of a region: that of a branch begins with the name of its parallel."""
        parallel, slash, branch = id.partition("/")
        return f"{self.node(parallel)}/{branch}" if slash else id

    def cursor(self, name: str) -> Cursor:
        """Where a frame that is parked at a node goes on."""
        moved = False
        for renames, moves in zip(self._nodes, self._moves, strict=True):
            if name == END:
                break
            if name in moves:
                name, moved = moves[name], True
            else:
                name = renames.get(name, name)
        return Cursor(name, moved)


def renamed(link: plan.Migration, what: Literal["node", "field", "mutation"]) -> Mapping[str, str]:
    """The renames of one block, from old to new."""
    return {
        step.old: step.new for step in link.steps if isinstance(step, plan.RenameStep) and step.what == what
    }


def _through(links: Sequence[Mapping[str, str]], name: str) -> str:
    for renames in links:
        name = renames.get(name, name)
    return name
