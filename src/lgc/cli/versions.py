"""From what a person writes on the command line to versions of graphs.

    FILE  FILE:GRAPH     the graphs of a source
    FOLDER               those of all `.lgraph` files below it
    -                    a source, or canonical JSON, on standard input
    git:REV              the other side's path, else the project's sources, as they were at a revision
    git:REV:PATH         a path of them
    store:URL#HASH       a graph that a store keeps; without #HASH what the newest run of each graph is under
    FILE                 canonical JSON: one form, or one a line (`lgc hash --canonical`)

A source gives versions that know where everything stands and which migrations are declared; a stored form
gives neither. Errors in a source are reported and end the command with 1, what cannot be read with 2.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .. import project
from ..runtime.forms.version import Version
from ..settings import STDIN, Projects
from . import findings
from .targets import Target, split_target
from .terminal import Failure
from .version_forms import STORE, Found, Given, from_store, from_text, link_all
from .version_sources import from_inputs, from_revision

__all__ = ["Found", "Given", "both_sides", "versions_of"]

_GIT = "git:"
_MARK = b"\xef\xbb\xbf"  # of bytes that are UTF-8


@dataclass(frozen=True, slots=True)
class _Asked:
    """One side as written, taken apart.

    Attributes:
        written: all of it.
        side: how it is called in messages, "" where there is one side only.
        target: path and graph; the path is "" where none was given.
        revision: the git revision, "" for none.
        stdin_name: what standard input is called.
        implied: whether the path was taken from the other side.
        empty: whether it is fine that a folder holds no sources.
    """

    written: str
    side: str
    target: Target
    revision: str = ""
    stdin_name: str = ""
    implied: bool = False
    empty: bool = False


def versions_of(*written: str, stdin_name: str = "", side: str = "") -> dict[str, Version]:
    """The versions that words of a command line mean, by the graphs' names.

    Args:
        written: see the head of this file; none at all means the project's sources.
        stdin_name: what standard input is called.
        side: put before messages about errors in a source (`the old side`).

    Raises:
        Failure: something cannot be read, no graph was found, or two different ones have the same name.
        Exit: a source has errors, which are reported.
    """
    found: dict[str, Found] = {}
    for one in written or _sources_here():
        for graph in _read(_asked(one, side, stdin_name)).graphs:
            other = found.setdefault(graph.name, graph)
            if other.version.hash != graph.version.hash:
                homes = " and ".join(home or "what was given" for home in (other.file, graph.file))
                hint = f"name one: {graph.file}:{graph.name}" if graph.file else "name one of them"
                raise Failure(f"two graphs are called `{graph.name}`, in {homes}", hint)
    if not found:
        raise Failure("no graph in what was given")
    link_all(one.version for one in found.values())
    return {name: one.version for name, one in found.items()}


def both_sides(old: str, new: str, stdin_name: str = "") -> tuple[Given, Given]:
    """Two sides of a comparison; a git revision without a path means the path of the other side.

    Raises as `versions_of`; two graphs of one name are left to the caller.
    """
    if old == new == STDIN:
        raise Failure("standard input can be one side only")
    asked = [
        _asked(old, f"the old side ({old})", stdin_name),
        _asked(new, f"the new side ({new})", stdin_name),
    ]
    asked = [_completed(asked[0], asked[1]), _completed(asked[1], asked[0])]
    sides = _both(asked[0], asked[1])
    if not any(side.graphs for side in sides):
        raise Failure(f"no graph in {old} and none in {new}")
    for one, side in zip(asked, sides, strict=True):
        if not side.graphs and not (one.implied or one.empty):
            raise Failure(f"no graph in {one.written}")
    link_all(graph.version for side in sides for graph in side.graphs)
    return _meant(sides[0], asked[1]), _meant(sides[1], asked[0])


def _both(old: _Asked, new: _Asked) -> list[Given]:
    """Both sides; two large sources side by side."""
    from .apart import PAYS, both, weight

    sources = all(one.target.path not in ("", STDIN) for one in (old, new))
    if not sources or new.revision or weight(new.target.path) < PAYS:
        return [_read(old), _read(new)]
    return both(lambda: _read(old), lambda: _read(new))


def _meant(side: Given, other: _Asked) -> Given:
    """A side with several graphs, of which the other side names one."""
    named = tuple(graph for graph in side.graphs if graph.name == other.target.graph)
    return Given(side.written, named, side.notes) if named and len(side.graphs) > 1 else side


# --- words ------------------------------------------------------------------------------------------------


def _asked(written: str, side: str, stdin_name: str) -> _Asked:
    if written.startswith(_GIT):
        revision, path = _split_revision(written.removeprefix(_GIT))
        if not revision or revision.startswith("-"):
            raise Failure(f"{written} names no revision", "write git:REV or git:REV:PATH, as in `git:main`")
        return _Asked(written, side, Target(path, ""), revision, stdin_name)
    if written.startswith(STORE):
        return _Asked(written, side, Target("", ""))
    return _Asked(written, side, split_target(written), "", stdin_name)


def _split_revision(rest: str) -> tuple[str, str]:
    """`REV:PATH` at the first colon that is not in braces: `HEAD@{10:30}` is one revision."""
    depth = 0
    for at, char in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == ":" and depth <= 0:
            return rest[:at], rest[at + 1 :]
    return rest, ""


def _completed(one: _Asked, other: _Asked) -> _Asked:
    """A side with what it takes from the other one."""
    empty = bool(other.revision) and not one.revision
    target, implied = one.target, False
    if one.revision and not target.path and (other.target.path or other.revision):
        target, implied = other.target, True
        if target.path == STDIN:
            target = Target(other.stdin_name, "")
    return _Asked(one.written, one.side, target, one.revision, one.stdin_name, implied, empty)


def _sources_here(projects: Projects | None = None) -> Sequence[str]:
    here = (projects or Projects()).of("./")
    return [here.path(one) for one in here.source] or ["."]


# --- reading ----------------------------------------------------------------------------------------------


def _read(asked: _Asked) -> Given:
    path, graph = asked.target
    if asked.written.startswith(STORE):
        found, notes = from_store(asked.written)
        return Given(asked.written, tuple(found), tuple(notes))
    if asked.revision:
        return _read_revision(asked)
    if path == STDIN:
        data = sys.stdin.buffer.read()
        if _is_json(data) and not asked.stdin_name.endswith(project.SUFFIX):
            return Given(asked.written, tuple(from_text("standard input", _decoded(data), graph)))
        name = asked.stdin_name or STDIN
        inputs = [project.Input(name, data[: project.LIMIT + 1], Projects().of(name), "", True)]
        return Given(asked.written, tuple(from_inputs(inputs, graph, asked.side)))
    if os.path.isdir(path) and asked.empty and not list(project.files_below(path)):
        return Given(asked.written, ())
    if os.path.isfile(path) and not path.endswith(project.SUFFIX):
        with open(path, "rb") as file:
            data = file.read()
        if _is_json(data):
            return Given(asked.written, tuple(from_text(path, _decoded(data), graph)))
    return Given(asked.written, tuple(from_inputs(findings.read_inputs([path]), graph, asked.side)))


def _read_revision(asked: _Asked) -> Given:
    from contextlib import closing

    from .revision import open_revision

    path, graph = asked.target
    with closing(open_revision(asked.revision, path or ".")) as revision:
        if not path:
            paths = _sources_here(revision.projects())
            there = [one for one in paths if revision.is_folder(one) or revision.read(one) is not None]
            return Given(asked.written, tuple(from_revision(revision, there, "", asked.side)))
        if not graph and not revision.is_folder(path):
            path, graph = split_target(path, lambda one: revision.read(one) is not None)
        if not revision.is_folder(path):
            data = revision.read(path)
            if data is None and asked.implied:
                note = f"{path} is not in git:{asked.revision}: its graphs count as new"
                return Given(asked.written, (), (note,))
            if data is None:
                near = revision.near(path)
                hint = f"did you mean git:{asked.revision}:{near}?" if near else ""
                raise Failure(f"git:{asked.revision} has no {path}", hint)
            if _is_json(data) and not path.endswith(project.SUFFIX):
                return Given(asked.written, tuple(from_text(asked.written, _decoded(data), graph)))
        return Given(asked.written, tuple(from_revision(revision, [path], graph, asked.side)))


def _is_json(data: bytes) -> bool:
    return data.removeprefix(_MARK).lstrip()[:1] in (b"{", b"[")


def _decoded(data: bytes) -> str:
    return data.removeprefix(_MARK).decode("utf-8", "replace")
