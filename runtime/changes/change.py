"""One difference between two canonical forms, as data, and the collector that words it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .unparse import same

Kind: TypeAlias = Literal["added", "removed", "changed"]
Show: TypeAlias = Callable[[Any], str]
Forms: TypeAlias = tuple[str | None, str | None]  # old and new

LONGEST = 200  # characters of an old or new form in a sentence


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        element: id of the element, as in the canonical form (`state/field/score`, `edges/grade`).
        kind: what happened to that which stands at `path`.
        path: where inside the element (`type`, `reads/draft`, `when/sign_off/guard`); "" is all of it.
        old: the old form as lgraph text; None where there was none.
        new: the new form as lgraph text; None where there is none.
        text: one sentence for people, without a full stop.
        name: the kind of change in the table of `lgc.runtime.changes.kinds` (`node-removed`), "" before it is
            classified.
    """

    element: str
    kind: Kind
    path: str
    old: str | None
    new: str | None
    text: str
    name: str = ""


def kind_of(old: object, new: object) -> Kind:
    """Which kind of change leads from `old` to `new`, None standing for nothing there."""
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def shortened(text: str) -> str:
    """The text, cut where it would make a sentence unreadable."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@dataclass(slots=True)
class Notes:
    """Collects the changes of one element; `subject` is what sentences about it begin with."""

    element: str
    subject: str
    changes: list[Change] = field(default_factory=list[Change])

    def add(self, path: str, forms: Forms, text: str) -> None:
        """Note a change with its old and new form and its sentence."""
        self.changes.append(Change(self.element, kind_of(*forms), path, *forms, text))

    def whole(self, old: str | None, new: str | None) -> None:
        """Note that all of the element was added or removed."""
        self.add("", (old, new), f"{self.subject} was {kind_of(old, new)}")

    def value(self, path: str, words: str, old: Any, new: Any, show: Show) -> None:
        """Compare one property; None where it is not there."""
        if same(old, new):
            return
        before = None if old is None else show(old)
        after = None if new is None else show(new)
        if before is None:
            text = f"{self.subject} now has the {words} `{shortened(after or '')}`"
        elif after is None:
            text = f"{self.subject} no longer has the {words} `{shortened(before)}`"
        else:
            text = f"{self.subject} changed its {words} from `{shortened(before)}` to `{shortened(after)}`"
        self.add(path, (before, after), text)

    def names(self, path: str, verb: tuple[str, str], old: Collection[str], new: Collection[str]) -> None:
        """Compare two sets of names; `verb` is how the subject gains and loses one (`now reads`, …)."""
        for name in sorted({*old} - {*new}):
            self.add(f"{path}/{name}", (name, None), f"{self.subject} {verb[1]} `{name}`")
        for name in sorted({*new} - {*old}):
            self.add(f"{path}/{name}", (None, name), f"{self.subject} {verb[0]} `{name}`")

    def order(self, path: str, words: str, old: Sequence[str], new: Sequence[str]) -> None:
        """Compare the order of what both have."""
        before = [name for name in old if name in new]
        after = [name for name in new if name in old]
        if before != after:
            texts = ", ".join(before), ", ".join(after)
            sentence = f"{self.subject} changed the order of its {words}"
            self.add(path, texts, f"{sentence} from `{shortened(texts[0])}` to `{shortened(texts[1])}`")
