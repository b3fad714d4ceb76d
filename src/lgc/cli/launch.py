"""From a source, a graph's name and its nodes to a graph that can be run; and how a run remembers them."""

# ruff: noqa: PTH

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click

from .. import project
from ..modules import Generated, StaleModule
from . import FINDINGS, findings
from .nodes import load_nodes, transients_of
from .targets import pick_graph
from .terminal import Failure

if TYPE_CHECKING:
    from ..compiler.model import Graph as ModelGraph
    from ..compiler.model import Program
    from ..runtime.graph import Graph
    from ..runtime.store.protocols import RunRecord


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
        data = json.loads(run.launch) if run.launch else None
        return Launch(**data) if isinstance(data, dict) else None
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A graph ready to be run, or to be looked at.

    Attributes:
        launch: what it was made from.
        program, graph: as the compiler sees them.
        plan: the plan in the generated module.
        modules: where generated modules come from.
        settings: of the source's project.
    """

    launch: Launch
    program: Program
    graph: ModelGraph
    plan: Any
    modules: Generated
    settings: project.Settings
    transients: Mapping[str, object] = field(default_factory=dict[str, object])
    bound: Graph[Any] | None = None

    def unbound(self) -> Graph[Any]:
        """The graph without functions: enough to look and to decide."""
        from ..runtime.decide import unbound

        return unbound(self.plan)


def prepare(launch: Launch, *, bind_nodes: bool, quiet: bool = False) -> Prepared:
    """Compile the source, find or make its module, and bind the nodes.

    Raises:
        Failure, BindingError: the nodes cannot be loaded or lack a function.
        Exit: the source has errors, or a built module is stale; both are reported unless `quiet`.
    """
    shown = os.path.relpath(launch.source) if _below_here(launch.source) else launch.source
    result = findings.one_source(shown, quiet=quiet)
    program, settings = result.checked.program, result.batch.settings
    graph = pick_graph(program, result.batch.sources[0].path, launch.graph)
    look_in([os.getcwd(), launch.folder, os.path.dirname(launch.source)], settings)
    modules = Generated(program, {m.path: from_root(m.path, settings) for m in program.modules})
    modules.install()
    launch = Launch(launch.source, graph.key.name, launch.nodes, launch.folder)
    if not bind_nodes:
        return Prepared(launch, program, graph, _plan(modules, graph, quiet), modules, settings)
    nodes, module = load_nodes(launch.nodes)
    plan = _plan(modules, graph, quiet)
    from ..runtime.graph import bind

    return Prepared(
        launch, program, graph, plan, modules, settings, transients_of(nodes, module), bind(plan, nodes)
    )


def _below_here(path: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(os.getcwd(), ""))


def from_root(path: str, settings: project.Settings) -> str:
    """A source's path from its project's folder, by which its module is named."""
    return os.path.relpath(path, settings.root)


def look_in(folders: list[str], settings: project.Settings) -> None:
    """Put folders where nodes and built modules can lie on Python's path, before all others."""
    folders = [*folders, str(settings.root)]
    if settings.out:
        folders.append(os.path.abspath(settings.path(settings.out)))
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
    kept_nodes = kept.nodes if kept is not None else ""
    return Launch(path, graph, nodes or kept_nodes, kept.folder if kept is not None else "")
