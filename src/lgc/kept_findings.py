"""From findings to data that JSON can hold, and back to the same findings.

An object is written as its class's name and its parts; a source as its path, since its text is in the file
itself. The classes of `dsl.diagnostic` are written by their attributes, whichever these are.
"""

from __future__ import annotations

from collections.abc import Callable

from .dsl import diagnostic
from .dsl.diagnostic import Severity
from .dsl.source import Place, Source, Span

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

SourceOf = Callable[[str], Source]
"""A file's source by its path. Raises where there is none."""


def to_data(value: Any) -> Any:
    """A finding, or a tuple of some, as lists, texts and numbers. Raises TypeError for what is neither."""
    match value:
        case None | bool() | int():
            return value
        case Severity():
            return ["Severity", value.value]
        case str():
            return value
        case Place():
            return ["Place", value.source.path, value.span.start, value.span.end]
        case Span():
            return ["Span", value.start, value.end]
        case tuple():
            items: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType]
            return ["", *map(to_data, items)]
        case _ if getattr(diagnostic, type(value).__name__, None) is type(value):
            return [type(value).__name__, *(to_data(getattr(value, name)) for name in value.__slots__)]
        case _:
            raise TypeError(f"a {type(value).__name__} is no part of a finding")


def from_data(data: Any, source: SourceOf) -> Any:
    """What `to_data` was given. Raises for other data: ValueError, TypeError, or what `source` raises."""
    if not isinstance(data, list):
        return data
    parts: list[Any] = data  # pyright: ignore[reportUnknownVariableType]
    match parts:
        case ["", *items]:
            return tuple(from_data(item, source) for item in items)
        case ["Place", str(path), int(start), int(end)]:
            return Place(source(path), Span(start, end))
        case ["Span", int(start), int(end)]:
            return Span(start, end)
        case ["Severity", str(value)]:
            return Severity(value)
        case [str(name), *items]:
            made: Any = getattr(diagnostic, name, None)
            if not isinstance(made, type) or len(items) != len(getattr(made, "__slots__", ())):
                raise ValueError(f"no finding has a {name}")
            return made(*(from_data(item, source) for item in items))
        case _:
            raise ValueError("no findings")


def sources_of(value: Any) -> set[Source]:
    """The sources that places of findings lie in."""
    found: set[Source] = set()
    todo: list[Any] = [value]
    while todo:
        at: Any = todo.pop()
        if isinstance(at, Place):
            found.add(at.source)
        elif isinstance(at, tuple):
            todo.extend(at)  # pyright: ignore[reportUnknownArgumentType]
        elif getattr(diagnostic, type(at).__name__, None) is type(at) and not isinstance(at, str):
            todo.extend(getattr(at, name) for name in at.__slots__)
    return found
