"""The names that a `migrate` block uses, in the old graph and in the new one (LG704-LG707)."""

from __future__ import annotations

from collections.abc import Mapping

from ...dsl import ast
from ..model import END
from .block import Written, labels, short
from .shape import Shape
from .steps import KINDS, MISSING


class Names:
    """Looks up the names of one block; either graph may be unknown."""

    def __init__(
        self, block: Written, old: Shape | None, new: Shape | None, transient: frozenset[str]
    ) -> None:
        """`transient` are the fields of the new state that are not stored."""
        self._block, self._steps = block, block.steps
        self._graph = block.written.graph.text
        self._old, self._new, self._transient = old, new, transient

    def check(self) -> None:
        """Report names that are not there, and things that are said to be gone and are there."""
        steps = self._steps
        for what in KINDS:
            for rename in steps.renames[what].values():
                self._was(what, rename.old)
                self._is(what, rename.new)
        for given in steps.sets.values():
            self._is("field", given.field)
        for drop in steps.drops.values():
            self._was("field", drop.field)
        for move in steps.moves.values():
            self._was("node", move.old)
            if move.new.text != END:
                self._is("node", move.new)
        if self._new is not None:
            self._still_there(self._new)
        if self._old is not None:
            self._meetings(self._old)

    def _was(self, what: str, name: ast.Name) -> None:
        if self._old is not None and name.text not in (known := _named(self._old, what)):
            owner = f"graph `{self._graph}` had no {what}"
            self._block.unit.undefined(owner, name, known, code=MISSING[what])

    def _is(self, what: str, name: ast.Name) -> None:
        if self._new is None or name.text in (known := _named(self._new, what)):
            return
        if what == "field" and name.text in self._transient:
            message = f"field `{name.text}` is transient: it is in no stored state"
            help = "a transient field is made anew when a run is restored"
            self._block.error(MISSING[what], message, name, help)
            return
        has = "has" if not self._new.hash else f"had, as {short(self._new.hash)},"
        self._block.unit.undefined(f"graph `{self._graph}` {has} no {what}", name, known, code=MISSING[what])

    def _still_there(self, new: Shape) -> None:
        steps = self._steps
        for name, drop in steps.drops.items():
            if name in new.fields and not steps.renamed_to("field", name) and name not in steps.sets:
                message = f"field `{name}` is dropped, but the new state has it"
                self._block.error("LG707", message, drop.field, "", *labels(new.fields[name].place, _HERE))
        for name, rename in steps.renames["node"].items():
            if name in new.nodes and not steps.renamed_to("node", name):
                message = f"node `{name}` is renamed, but the new graph has it"
                self._block.error("LG707", message, rename.old, "", *labels(new.nodes[name].place, _HERE))

    def _meetings(self, old: Shape) -> None:
        """Two things of the old graph that would be one in the new."""
        steps = self._steps
        gone = {"field": set(steps.drops), "node": set(steps.moves), "mutation": set[str]()}
        for what in KINDS:
            for rename in steps.renames[what].values():
                new = rename.new.text
                stays = new not in steps.renames[what] and new not in gone[what]
                if stays and new in _named(old, what):
                    message = f"`{rename.old.text}` and `{new}` would both be {what} `{new}`"
                    help = f"graph `{old.name}` had a {what} `{new}` already"
                    self._block.error("LG707", message, rename.new, help)


_HERE = "it is here"


def _named(shape: Shape, what: str) -> Mapping[str, object]:
    return {"node": shape.nodes, "field": shape.fields, "mutation": shape.mutations}[what]
