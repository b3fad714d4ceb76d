"""One `migrate` block as it is written, and between the two graphs that it connects."""

from __future__ import annotations

from collections.abc import Iterable

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.source import Place
from ..context import Unit
from .fitting import Fitting
from .shape import Shape
from .steps import Steps


class Written:
    """One block as written: its steps, and where findings about it go."""

    def __init__(self, unit: Unit, written: ast.Migrate, steps: Steps) -> None:
        self.unit, self.written, self.steps = unit, written, steps

    def error(
        self, code: str, message: str, name: ast.Name | ast.StrLit, help: str = "", *labels: Label
    ) -> None:
        """Report a finding at something written."""
        self.unit.error(code, message, name.span, help=help, related=labels)


class Block(Written):
    """One block of which both graphs are known."""

    def __init__(
        self,
        unit: Unit,
        written: ast.Migrate,
        steps: Steps,
        old: Shape,
        new: Shape,
        migrated: frozenset[str] = frozenset(),
    ) -> None:
        """`migrated` are the sub-states whose values are taken along by the migrations of inner graphs."""
        super().__init__(unit, written, steps)
        self.old, self.new = old, new
        self.fitting = Fitting(old, new, migrated)

    def missing(self, code: str, message: str, help: str, *labels: Label) -> None:
        """Report what the block does not say, at the hash that it is from."""
        self.error(code, message, self.written.hash, help, *labels)

    def at(self, what: str, old: str) -> ast.Name | ast.StrLit:
        """Where something of the old graph is mentioned: its rename, or else the hash."""
        rename = self.steps.renames[what].get(old)
        return self.written.hash if rename is None else rename.new

    def called(self, what: str, old: str) -> str:
        """Its name or names, for a message."""
        new = self.steps.new_name(what, old)
        return f"`{new}`" if new == old else f"`{old}`, now `{new}`,"


def labels(place: Place | None, text: str) -> tuple[Label, ...]:
    """A label at the other place, where that is in a source."""
    return () if place is None else (Label(place, text),)


def only(names: Iterable[str]) -> str | None:
    """The one name that there is."""
    found = list(names)
    return found[0] if len(found) == 1 else None


def region_words(id: str) -> str:
    """A region for a message."""
    parallel, slash, branch = id.partition("/")
    return f"branch `{branch}` of `{parallel}`" if slash else "the graph's own region"


def short(hash: str) -> str:
    """A hash as it is shown: its first 16 digits."""
    return hash[: len("lg1:") + 16]
