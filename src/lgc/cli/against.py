"""From what stands behind `--against` to the stored forms that migrations are checked against.

FILE                 canonical JSON: one form, one a line, or what `lgc hash --canonical --json` prints
-                    the same on standard input
FILE.lgraph, FOLDER  the graphs of sources, as for `lgc diff`
git:REV              those of the project's sources at a revision; git:REV:PATH those of one path
store:URL            every graph that a store keeps for its runs; with #HASH that one
"""

# Paths are text here: as the user wrote them.

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import project
from ..compiler.migrations.forms import Forms
from ..runtime.forms.version import Version, version_from
from ..settings import STDIN
from . import findings
from .stores import shown, with_store
from .targets import split_target
from .terminal import Failure
from .version_forms import from_text, with_inner
from .version_sources import from_inputs
from .versions import versions_of
from .wording import short_hash

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store

_STORE = "store:"
_GIT = "git:"
_MARK = "\ufeff"


def forms_of(written: Sequence[str], paths: Sequence[str]) -> Forms:
    """The forms, each graph once.

    Args:
        written: all that was given as `--against`.
        paths: what is checked; standard input can be only one of the two.

    Raises:
        Failure: something cannot be read, or is no form of a graph.
        Exit: a source has errors, which are reported.
    """
    if [*written, *paths].count(STDIN) > 1:
        raise Failure(
            "standard input can be given once: as what is checked, or as what it is checked against"
        )
    homes: dict[str, str] = {}
    texts: dict[str, str] = {}
    for one in written:
        for version in with_inner(_versions(one)):
            homes.setdefault(version.hash, one)
            texts.setdefault(version.hash, version.canonical)
    forms = Forms()
    for hash, text in texts.items():
        try:
            forms.add(text)
        except ValueError as problem:
            home = homes[hash]
            where = f"{_STORE}{shown(home.removeprefix(_STORE))}" if home.startswith(_STORE) else home
            raise Failure(f"{where}: {problem}") from None
    return forms


def _versions(written: str) -> list[Version]:
    if written.startswith(_STORE) and "#" not in written:
        return with_store(written.removeprefix(_STORE), _all, reading=True)
    if written == STDIN or (os.path.isfile(written) and not written.endswith(project.SUFFIX)):
        where = "standard input" if written == STDIN else written
        return [found.version for found in from_text(where, _text(written, where))]
    if written.startswith((_GIT, _STORE)):
        return list(versions_of(written).values())
    path, graph = split_target(written)
    sources = from_inputs(findings.read_inputs([path]), graph, f"what is checked against ({written})")
    return [found.version for found in sources]


def _text(written: str, where: str) -> str:
    try:
        if written == STDIN:
            data = sys.stdin.buffer.read()
        else:
            with open(written, "rb") as file:
                data = file.read()
    except OSError as error:
        raise Failure(f"{where}: {(error.strerror or str(error)).lower()}") from error
    try:
        text = data.decode().removeprefix(_MARK)
    except UnicodeDecodeError:
        raise Failure(f"{where}: not canonical JSON: not UTF-8") from None
    if not text.strip():
        raise Failure(f"{where} is empty", "a canonical form is what `lgc hash --canonical` prints")
    return text


async def _all(store: Store) -> list[Version]:
    """Every graph that a run is or was under. The store is only read."""
    from ..runtime.store.records import RunStatus

    runs = await store.list_runs()
    hashes = dict.fromkeys(run.hash for run in runs)
    for run in runs:
        if run.status not in (RunStatus.DONE, RunStatus.CANCELLED):  # nobody moves the others any more
            hashes |= dict.fromkeys(move.expected for move in await store.overrides(run.run))
    found: list[Version] = []
    for hash in hashes:
        text = await store.get_graph(hash)
        if text is None:
            continue  # of an older edition of the store
        try:
            found.append(await version_from(hash, store.get_graph) or Version(hash, text))
        except ValueError as problem:
            raise Failure(f"the store's form of {short_hash(hash)} is damaged: {problem}") from None
    if not found:
        hint = "a store keeps the form of each graph that a run was started under"
        raise Failure("the store holds no graph", hint)
    return found
