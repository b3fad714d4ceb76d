"""From an expression of a canonical form to what it looks at, and how."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, cast

Constants: TypeAlias = tuple[int | float, ...]


class Cut:
    """How a number counts: by where it lies between constants, in order."""

    __slots__ = ("constants",)

    def __init__(self, constants: Iterable[int | float] = ()) -> None:
        self.constants: Constants = tuple(sorted(set(constants)))

    def of(self, value: Any) -> str | None:
        """Where a value lies; None where it counts as it is."""
        if type(value) is not int and type(value) is not float:
            return None
        return f"{bisect_left(self.constants, value)}:{bisect_right(self.constants, value)}"


EXACT = None
"""A value counts as it is."""

Looks: TypeAlias = dict[str, Cut | None]


def number(form: Any) -> int | float | None:
    """The number that a form is; None for everything else."""
    match form:
        case bool():
            return None
        case int() | float():
            return form
        case ["float", str() as text]:
            return float(text)
        case _:
            return None


def is_field(form: Any) -> bool:
    """Whether a form is a field of the state, and no more."""
    match form:
        case ["field", str()]:
            return True
        case _:
            return False


def named(word: str, form: Any) -> Iterator[str]:
    """The names that stand behind a word in a form."""
    for part in _lists(form):
        match part:
            case [str() as head, str() as name] if head == word:
                yield name
            case _:
                pass


def words(form: Any) -> Iterator[str]:
    """All texts in the lists of a form."""
    for part in _lists(form):
        yield from (one for one in part if isinstance(one, str))


def _lists(form: Any) -> Iterator[list[Any]]:
    todo = [form]
    while todo:
        part: Any = todo.pop()
        match part:
            case list():
                items: list[Any] = []
                items += part
                yield items
                todo.extend(items)
            case dict():
                todo.extend(cast("dict[str, Any]", part).values())
            case _:
                pass
