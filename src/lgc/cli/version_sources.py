"""From `.lgraph` files, on the disk or at a git revision, to versions of their graphs."""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import click

from .. import project
from ..accepting import Accepting
from ..baseline import Baseline, read_baseline
from ..dsl.diagnostic import Diagnostic, Severity
from ..runtime.forms.version import Version
from ..settings import ProjectError
from . import FINDINGS, findings
from .targets import graphs_of, pick_graph
from .terminal import Failure, counted, say
from .version_forms import Found, link

if TYPE_CHECKING:
    from ..compiler.model import Key, Program
    from ..judged import Result
    from .revision import Revision

Load: TypeAlias = Callable[[str], bytes | None]
Against: TypeAlias = Callable[[Sequence[str]], Sequence[Diagnostic]]


def from_inputs(inputs: Sequence[project.Input], graph: str, side: str) -> list[Found]:
    """The graphs of files; the one of that name, if one is given.

    Raises:
        Failure: there is none of that name.
        Exit: a file has errors, which are reported; `side` says which of two sources is meant.
    """
    return _graphs(findings.check_inputs(inputs), graph, side, project.load)


def from_revision(revision: Revision, paths: Sequence[str], graph: str, side: str) -> list[Found]:
    """The graphs of files and folders as they were. Raises as `from_inputs`."""
    projects = revision.projects()
    inputs: dict[str, project.Input] = {}
    for path in paths:
        folder = path if revision.is_folder(path) else ""
        for one in revision.below(path) if folder else [os.path.normpath(path)]:
            data = revision.read(one)
            if data is None:
                raise Failure(f"git:{revision.name}:{one}: a link to nothing")
            data = data[: project.LIMIT + 1]
            inputs[one] = project.Input(one, data, projects.of(one, folder), folder)
    accepting = Accepting(read=lambda path: _baseline(revision, path))
    results = findings.check_inputs(inputs.values(), load=revision.read, accepting=accepting)
    return _graphs(results, graph, side, revision.read)


def _graphs(results: Sequence[Result], name: str, side: str, load: Load) -> list[Found]:
    _demand_sound(results, side)
    found: list[Found] = []
    for result in results:
        program = result.checked.program
        paths = [source.path for source in result.batch.sources]
        graphs = [pick_graph(program, paths[0], name)] if name else graphs_of(program, paths)
        made: dict[Key, Version] = {}
        against = partial(_against, result, load)
        found += [_found(program, graph.key, made, against) for graph in graphs]
    return found


def _demand_sound(results: Sequence[Result], side: str) -> None:
    """Leave where there are errors; they are reported, and whose they are."""
    if all(result.sound for result in results):
        return
    errors = [one for result in results for one in result.findings if one.severity is Severity.ERROR]
    findings.report(errors, sum(len(result.files) for result in results), to_errors=True)
    if side:
        say(f"{side} has {counted(len(errors), 'error')}: nothing can be compared with it")
    raise click.exceptions.Exit(FINDINGS)


def _baseline(revision: Revision, path: str) -> Baseline:
    data = revision.read(path)
    if data is None:
        raise ProjectError(f"git:{revision.name}:{path}: no such file")
    try:
        return read_baseline(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ProjectError(f"git:{revision.name}:{path} is not UTF-8") from None


def _found(program: Program, key: Key, made: dict[Key, Version], against: Against) -> Found:
    from ..compiler.canonical import operational_text

    version = version_of(program, key, made)
    return Found(key.name, version, key.path, operational_text(program, key), against)


def _against(result: Result, load: Load, texts: Sequence[str]) -> Sequence[Diagnostic]:
    """What speaks against the migrations from some older graphs; sources of other graphs are not judged."""
    from ..compiler import check
    from ..compiler.migrations.forms import Forms

    batch = result.batch
    checked = check(batch.sources, load=load, root=batch.root, forms=Forms(texts))
    return [
        one
        for one in checked.diagnostics
        if one.severity is Severity.ERROR and one.code.startswith("LG7") and one.code != "LG701"
    ]


def version_of(program: Program, key: Key, made: dict[Key, Version] | None = None) -> Version:
    """The version that a graph of a checked program is, with those of the graphs that it runs.

    `made` remembers versions between calls for one program.
    """
    from ..compiler import model
    from ..compiler.canonical import canonical_text, graph_hash
    from ..compiler.migrations.written import migrations_of
    from ..compiler.places import places_of

    made = {} if made is None else made
    waiting = [key]
    while waiting:
        at = waiting[-1]
        nodes = program.graphs[at].nodes
        run = [node.graph for node in nodes if isinstance(node, model.Subgraph | model.MapNode)]
        missing = [inner for inner in run if inner not in made]
        waiting += missing
        if not missing:
            waiting.pop()
            version = Version(
                graph_hash(program, at).full,
                canonical_text(program, at),
                places=places_of(program, at),
                migrations=migrations_of(program, at),
            )
            link(version, {made[inner].hash: made[inner] for inner in run})
            made[at] = version
    return made[key]
