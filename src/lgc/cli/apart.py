"""From two sides of a comparison to their graphs, the old one read by another process where that pays.

What comes back from there is all that a comparison asks of an old side: forms, and where everything stands.
Its migrations lead to itself and are left out. What the other process could not do, for whatever reason (an
error in a source is one), is done again here.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from .. import parallel, project
from ..runtime.forms.version import Version
from .version_forms import Found, Given, link_all, with_inner

PAYS = 200_000
"""Bytes of sources from which on a second process is faster, as measured."""


def weight(path: str) -> int:
    """How many bytes of sources a path stands for, as they are now; 0 for what is none."""
    try:
        if os.path.isdir(path):
            return sum(os.path.getsize(one) for one in project.files_below(path))
        return os.path.getsize(path) if path.endswith(project.SUFFIX) else 0
    except OSError:
        return 0


def both(old: Callable[[], Given], new: Callable[[], Given]) -> list[Given]:
    """The graphs of both sides; `new` is read here."""
    if parallel.processors() == 1:
        return [old(), new()]
    own = os.getpid()
    here: list[Given] = []

    def do(number: int) -> Any:
        if os.getpid() == own:
            here.append(new())
            return None
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
        return _data(old())

    found = parallel.in_processes([1, 2], do, 2).get(0)
    return [old() if found is None else _from_data(found), here[0]]


def _data(side: Given) -> dict[str, Any]:
    versions = with_inner(one.version for one in side.graphs)
    return {
        "written": side.written,
        "notes": side.notes,
        "versions": [[one.hash, one.canonical, one.places] for one in versions],
        "graphs": [[one.name, one.version.hash, one.file, one.operational] for one in side.graphs],
    }


def _from_data(data: Any) -> Given:
    versions = {
        hash_: Version(hash_, canonical, places=places) for hash_, canonical, places in data["versions"]
    }
    link_all(versions.values())
    graphs = (
        Found(name, versions[hash_], file, operational) for name, hash_, file, operational in data["graphs"]
    )
    return Given(data["written"], tuple(graphs), tuple(data["notes"]))
