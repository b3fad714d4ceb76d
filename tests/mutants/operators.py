"""The table of mutation operators: small mistakes that a person makes, as edits of the text.

`harm` says how it is known whether a mutant does harm. "shown": by what the mutant then does (see judge.py).
Any other text is the reason why every mutant of the operator does harm, whatever random runs happen to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .places import Edit, Site

Finder = Callable[[Site], Iterator[Edit]]
SHOWN = "shown"


@dataclass(frozen=True)
class Operator:
    """One kind of mistake."""

    name: str
    find: Finder
    harm: str = SHOWN


OPERATORS: dict[str, Operator] = {}


def operator(name: str, harm: str = SHOWN) -> Callable[[Finder], Finder]:
    """Enter a function into the table."""

    def enter(find: Finder) -> Finder:
        assert name not in OPERATORS, name
        OPERATORS[name] = Operator(name, find, harm)
        return find

    return enter
