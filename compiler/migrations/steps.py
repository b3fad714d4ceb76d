"""The steps of one `migrate` block, by what they do, and what contradicts itself among them (LG707)."""

from __future__ import annotations

from ...dsl import ast
from ...dsl.diagnostic import Label
from ..context import Unit

KINDS = ("node", "field", "mutation")
MISSING = {"node": "LG704", "field": "LG705", "mutation": "LG706"}


class Steps:
    """The steps of one block; of two that contradict each other the first counts.

    Attributes:
        renames: for nodes, fields and mutations the steps by their old names.
        sets, drops, moves: by field and by node.
    """

    def __init__(self, unit: Unit, written: ast.Migrate) -> None:
        self.unit = unit
        self.renames: dict[str, dict[str, ast.Rename]] = {kind: {} for kind in KINDS}
        self.sets: dict[str, ast.SetField] = {}
        self.drops: dict[str, ast.DropField] = {}
        self.moves: dict[str, ast.Move] = {}
        self._targets: dict[tuple[str, str], ast.Rename] = {}
        for item in written.items:
            match item:
                case ast.Rename():
                    if item.what.text in KINDS:
                        self._rename(item)
                case ast.SetField(field=field):
                    first = self.sets.setdefault(field.text, item)
                    if first is not item:
                        self._again(f"field `{field.text}` is set twice", field, first.field)
                case ast.DropField(field=field):
                    dropped = self.drops.setdefault(field.text, item)
                    if dropped is not item:
                        self._again(f"field `{field.text}` is dropped twice", field, dropped.field)
                case ast.Move(old=old):
                    moved = self.moves.setdefault(old.text, item)
                    if moved is not item:
                        self._again(f"node `{old.text}` is moved twice", old, moved.old)
        self._between()

    def new_name(self, what: str, old: str) -> str:
        """What something of the old graph is called after the block."""
        rename = self.renames[what].get(old)
        return old if rename is None else rename.new.text

    def renamed_to(self, what: str, new: str) -> ast.Rename | None:
        """The step that gives this name."""
        return self._targets.get((what, new))

    def region(self, id: str) -> str:
        """The new id of a region: that of a branch begins with the name of its parallel."""
        parallel, slash, branch = id.partition("/")
        return f"{self.new_name('node', parallel)}/{branch}" if slash else id

    # --- contradictions -------------------------------------------------------------------------------------

    def _again(self, message: str, name: ast.Name, first: ast.Name, label: str = "first here") -> None:
        related = (Label(self.unit.place(first.span), label),)
        self.unit.error("LG707", message, name.span, related=related)

    def _rename(self, item: ast.Rename) -> None:
        what, old, new = item.what.text, item.old.text, item.new.text
        if old == new:
            self.unit.error(
                "LG707", f"{what} `{old}` is renamed to itself", item.new.span, help="leave it out"
            )
            return
        first = self.renames[what].setdefault(old, item)
        if first is not item:
            self._again(f"{what} `{old}` is renamed twice", item.old, first.old)
            return
        other = self._targets.setdefault((what, new), item)
        if other is not item:
            self._again(f"`{other.old.text}` and `{old}` would both be {what} `{new}`", item.new, other.new)

    def _between(self) -> None:
        """Steps of different kinds about one thing."""
        for name, drop in self.drops.items():
            if (rename := self.renames["field"].get(name)) is not None:
                self._again(f"field `{name}` is dropped and renamed", drop.field, rename.old, "renamed here")
            elif (given := self.sets.get(name)) is not None and not self.renamed_to("field", name):
                message = f"field `{name}` is dropped and set"
                self._again(message, drop.field, given.field, "set here")
        for name, given in self.sets.items():
            if (rename := self.renamed_to("field", name)) is not None:
                message = f"field `{name}` is set, and takes the value of `{rename.old.text}`"
                self._again(message, given.field, rename.new, "renamed here")
        for name, move in self.moves.items():
            if (rename := self.renames["node"].get(name)) is not None:
                self._again(f"node `{name}` is moved and renamed", move.old, rename.old, "renamed here")
