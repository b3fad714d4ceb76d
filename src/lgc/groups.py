"""From texts to groups that have nothing to do with each other: files joined by imports, in either direction.

Imports are looked for as text, without parsing. That may see one where there is none, in a comment say, and
joins files for nothing; and it may miss one that only the parser makes out, so whoever relies on a group
compares it with the files that were really asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from .dsl.frozen import frozen
from .dsl.paths import importable, imported, inside

Load = Callable[[str], bytes | None]
_IMPORT = rb'\bfrom\b(?:\s|//[^\n]*\n)*"((?:[^"\\\n]|\\.)*)"'


@frozen
class Group:
    """Files that import each other, directly or not.

    Attributes:
        given: those that were asked for, in that order.
        files: all of them with their bytes.
        missing: what is imported and not there.
        beside: those that were not asked for, but use what was.
    """

    given: tuple[str, ...]
    files: Mapping[str, bytes]
    missing: frozenset[str]
    beside: tuple[str, ...] = ()


def grouped(
    given: Mapping[str, bytes], load: Load, root: str, beside: Mapping[str, bytes] | None = None
) -> list[Group]:
    """The groups of the files, by their first. Paths are normalised; `load` and `root` as for `check`.

    `beside`: files that were not asked for, from `users`.
    """
    beside = beside or {}
    files = {**given, **beside}
    missing: set[str] = set()
    leader: dict[str, str] = {}
    todo = list(files)
    while todo:
        path = todo.pop()
        for other in _imports(path, files[path], root):
            if other not in files and other not in missing:
                data = load(other)
                if data is None:
                    missing.add(other)
                else:
                    files[other] = data
                    todo.append(other)
            _join(leader, path, other)
    members: dict[str, list[str]] = {}
    for path in (*files, *missing):
        members.setdefault(_leader(leader, path), []).append(path)
    groups: list[Group] = []
    for paths in members.values():
        there = {path: files[path] for path in paths if path in files}
        asked = tuple(path for path in there if path in given)
        lost = frozenset(path for path in paths if path not in files)
        groups.append(Group(asked, there, lost, tuple(path for path in there if path in beside)))
    return groups


def users(given: Mapping[str, bytes], near: Mapping[str, bytes], root: str) -> dict[str, bytes]:
    """Those of the files nearby that import one of the given with a graph in it, directly or not."""
    importers: dict[str, list[str]] = {}
    for path, data in near.items():
        for other in _imports(path, data, root):
            importers.setdefault(other, []).append(path)
    found: dict[str, bytes] = {}
    todo = [path for path, data in given.items() if b"graph" in data]
    while todo:
        for path in importers.get(todo.pop(), ()):
            if path not in found and path not in given:
                found[path] = near[path]
                todo.append(path)
    return found


def merged(groups: list[Group]) -> Group:
    """Several groups as one; their files in the order of the groups."""
    return Group(
        tuple(path for one in groups for path in one.given),
        {path: data for one in groups for path, data in one.files.items()},
        frozenset[str]().union(*(one.missing for one in groups)),
        tuple(path for one in groups for path in one.beside),
    )


def _imports(path: str, data: bytes, root: str) -> set[str]:
    if b"from" not in data:
        return set()
    written = {_text(found) for found in re.findall(_IMPORT, data)}
    named = {imported(path, text) for text in written if importable(text)}
    return {one for one in named if inside(one, root)}


def _text(written: bytes) -> str:
    text = written.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return ""


def _leader(leader: dict[str, str], path: str) -> str:
    at = path
    while (above := leader.get(at, at)) != at:
        leader[at] = leader.get(above, above)  # halves the way for the next one
        at = above
    return at


def _join(leader: dict[str, str], one: str, other: str) -> None:
    a, b = _leader(leader, one), _leader(leader, other)
    if a != b:
        leader[b] = a
