"""From a source, a graph's name and its nodes to a graph that can be run; and how a run remembers them."""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import invalidate_caches
from typing import TYPE_CHECKING, Any

import click

from ..modules import Generated, StaleModule
from ..settings import Settings
from . import FINDINGS, findings
from .nodes import load_nodes, transients_of
from .targets import pick_graph
from .terminal import Failure

if TYPE_CHECKING:
    from ..compiler.model import Graph as ModelGraph
    from ..compiler.model import Program
    from ..runtime.graph import Graph
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord


@dataclass(frozen=True, slots=True)
class Launch:
    """What a run was started from: kept with the run, so that it can be resumed without saying it again.

    Attributes:
        source: absolute path of the `.lgraph` file.
        graph: name of the graph.
        nodes: `MODULE[:CLASS]`, "" where every task has an `impl`.
        folder: the working directory at the start, where modules are looked for too.
    """

    source: str
    graph: str
    nodes: str = ""
    folder: str = ""

    def to_json(self) -> str:
        """As it is kept with the run."""
        return json.dumps(asdict(self))


def launch_of(run: RunRecord) -> Launch | None:
    """How a run was started, None where it was not started by this command."""
    try:
        data: Any = json.loads(run.launch) if run.launch else None
        return Launch(**data) if data else None
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph of a checked source, as the compiler sees it.

    Attributes:
        launch: what it was made from; names the graph.
        program, graph: the resolved graph and all that it uses.
        settings: of the source's project.
    """

    launch: Launch
    program: Program
    graph: ModelGraph
    settings: Settings

    @property
    def hash(self) -> str:
        """The graph's hash."""
        from ..compiler.canonical import graph_hash

        return graph_hash(self.program, self.graph.key).full

    async def refuse_other(self, store: Store, run: RunRecord, *, ever: bool = False) -> None:
        """Raise GraphMismatch where a run is under another graph.

        `ever`: one that the run was under before it was moved will do, too.
        """
        if run.hash == self.hash:
            return
        if ever and any(move.expected == self.hash for move in await store.overrides(run.run)):
            return
        from ..runtime.sessions.mismatch import mismatch_of
        from .version_sources import version_of

        raise await mismatch_of(store, version_of(self.program, self.graph.key), run)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A graph ready to be run, or to be looked at.

    Attributes:
        launch: what it was made from.
        plan: the plan in the generated module.
        transients: values of transient fields.
        bound: the graph with its functions, None where none were wanted.
    """

    launch: Launch
    plan: Any
    transients: Mapping[str, object] = field(default_factory=dict[str, object])
    bound: Graph[Any] | None = None

    def unbound(self) -> Graph[Any]:
        """The graph without functions: enough to look and to decide."""
        from ..runtime.barriers.deciding import unbound

        return unbound(self.plan)


def compile_source(launch: Launch, *, quiet: bool = False) -> Compiled:
    """Check the source and find the graph.

    Raises:
        Failure: no such graph.
        Exit: the source has errors, which are reported unless `quiet`.
    """
    shown = os.path.relpath(launch.source) if _below_here(launch.source) else launch.source
    result = findings.one_source(shown, quiet=quiet)
    graph = pick_graph(result.checked.program, result.batch.sources[0].path, launch.graph)
    launch = Launch(launch.source, graph.key.name, launch.nodes, launch.folder)
    return Compiled(launch, result.checked.program, graph, result.batch.settings)


def prepare(compiled: Compiled, *, bind_nodes: bool, quiet: bool = False) -> Prepared:
    """Find or make the generated module, and bind the nodes.

    Raises:
        Failure, BindingError: the nodes cannot be loaded or lack a function.
        Exit: a built module is stale, which is reported unless `quiet`.
    """
    launch, settings, program = compiled.launch, compiled.settings, compiled.program
    # Where it was started comes first: where it is resumed there may be other modules of the same names.
    look_in([launch.folder, os.getcwd(), os.path.dirname(launch.source)], settings)
    modules = Generated(program, {m.path: from_root(m.path, settings) for m in program.modules})
    modules.install()
    if not bind_nodes:
        return Prepared(launch, _plan(modules, compiled.graph, quiet))
    nodes, module = load_nodes(launch.nodes)
    plan = _plan(modules, compiled.graph, quiet)
    from ..runtime.graph import BindingError, bind

    try:
        bound = bind(plan, nodes)
    except BindingError as problem:
        if launch.nodes:
            raise
        hint = "say where the functions are: --nodes MODULE[:CLASS], or `nodes` in lgc.toml"
        raise Failure(problem.message, hint) from problem
    return Prepared(launch, plan, transients_of(nodes, module), bound)


def _below_here(path: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(os.getcwd(), ""))


def from_root(path: str, settings: Settings) -> str:
    """A source's path from its project's folder, by which its module is named."""
    return os.path.relpath(path, settings.root)


def look_in(folders: list[str], settings: Settings) -> None:
    """Put folders where nodes and built modules can lie on Python's path, before all others."""
    folders = [*folders, settings.root]
    if settings.out:
        folders.append(os.path.abspath(settings.path(settings.out)))
    invalidate_caches()  # what was built a moment ago is to be seen
    found = [folder for folder in dict.fromkeys(folders) if folder and os.path.isdir(folder)]
    sys.path[:] = [*found, *(folder for folder in sys.path if folder not in found)]


def _plan(modules: Generated, graph: ModelGraph, quiet: bool) -> Any:
    try:
        return modules.plan_of(graph)
    except StaleModule as stale:
        from ..dsl.diagnostic import error

        finding = error(
            "LG901",
            f"the generated module `{stale.name}` does not match the source",
            graph.place,
            label="built from an earlier version of this graph",
            help=f"run `lgc build`: {stale.file} is stale",
        )
        if not quiet:
            findings.report([finding], 1, to_errors=True)
        raise click.exceptions.Exit(FINDINGS) from stale


def stored_launch(run: RunRecord, source: str = "", nodes: str = "") -> Launch:
    """How to go on with a run: as it was started, unless options say otherwise.

    Raises:
        Failure: neither the run nor an option names the source, or it is not there.
    """
    from .targets import split_target

    kept = launch_of(run)
    graph = run.graph
    if source:
        target = split_target(source)
        path, graph = os.path.abspath(target.path), target.graph or graph
    elif kept is None:
        raise Failure(
            f"run `{run.run}` does not say which file it was started from", "name it: --source FILE[:GRAPH]"
        )
    else:
        path = kept.source
    if not os.path.isfile(path):
        raise Failure(f"{path}: no such file (run `{run.run}` was started from it)", "name it: --source FILE")
    if nodes or kept is None:  # modules that are named now are looked for here first
        return Launch(path, graph, nodes, os.getcwd())
    return Launch(path, graph, kept.nodes, kept.folder)
