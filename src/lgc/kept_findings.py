"""From findings to data that JSON can hold, and back to the same findings.

An object is written as its class's name and its parts; a source as its path, since its text is in the file
itself. The classes of `dsl.diagnostic` are written by their attributes, whichever these are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .dsl import diagnostic
from .dsl.diagnostic import Diagnostic, Severity, Suppressed
from .dsl.frozen import frozen
from .dsl.source import Place, Source, Span

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

    from .groups import Group

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


# --- parts ------------------------------------------------------------------------------------------------


@frozen
class Part:
    """What was found in one group; `strays` are imports that the group did not foresee."""

    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    files: tuple[str, ...]
    strays: tuple[str, ...] = ()


def sources_in(group: Group, texts: Mapping[str, Source]) -> Callable[[str], Source]:
    """Gives the text of a file of a group; raises for files that are none of it, or no text."""
    from .dsl.read import read_bytes

    def source(path: str) -> Source:
        found = texts.get(path) or read_bytes(path, group.files[path])[0]
        if found is None:
            raise ValueError(f"{path} is no text")
        return found

    return source


def part_to_data(part: Part, source: Callable[[str], Source]) -> Any:
    """A part as data; None where it shows a text that its file does not give back."""
    if not part.findings and not part.suppressed:
        return [list(part.files)]
    try:
        if any(source(one.path) != one for one in sources_of((part.findings, part.suppressed))):
            return None
    except (ValueError, LookupError):
        return None
    return [list(part.files), to_data(part.findings), to_data(part.suppressed)]


def part_from_data(data: Any, source: Callable[[str], Source]) -> Part | None:
    """A part from data; None where the data make none."""
    match data:
        case [[*files]]:
            return Part((), (), tuple(map(str, files)))
        case [[*files], findings, suppressed]:
            seen: dict[str, Source] = {}

            def once(path: str) -> Source:
                return seen.get(path) or seen.setdefault(path, source(path))

            try:
                found = from_data(findings, once), from_data(suppressed, once)
                kinds = Diagnostic, Suppressed
                if all(isinstance(one, kind) for row, kind in zip(found, kinds, strict=True) for one in row):
                    return Part(*found, tuple(map(str, files)))
                return None
            except (ValueError, TypeError, LookupError, AttributeError):
                return None
        case _:
            return None
