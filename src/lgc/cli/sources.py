"""From what a run was started from to its graph, for many runs: each source is compiled once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from .launch import Compiled, Launch, compile_source, launch_of, prepare
from .terminal import Failure
from .wording import short_hash

if TYPE_CHECKING:
    from ..runtime.engine.retention import Retention
    from ..runtime.graph import Graph
    from ..runtime.store.records import RunRecord


@dataclass(slots=True)
class Sources:
    """Remembers what it has compiled. Where a run's graph is not to be had, it says why in a sentence."""

    _compiled: dict[tuple[str, str], Compiled | str] = field(
        default_factory=dict[tuple[str, str], Compiled | str]
    )
    _graphs: dict[str, Any] = field(default_factory=dict[str, Any])

    def compiled(self, run: RunRecord) -> Compiled | str:
        """The graph of a run as the compiler sees it."""
        launch = launch_of(run)
        if launch is None:
            return "it does not say which file it was started from"
        key = launch.source, run.graph
        if key not in self._compiled:
            self._compiled[key] = _compile(Launch(launch.source, run.graph, launch.nodes, launch.folder))
        found = self._compiled[key]
        if isinstance(found, str) or found.hash == run.hash:
            return found
        return f"{launch.source} has another graph by now: {short_hash(found.hash)}"

    def retention(self, run: RunRecord) -> Retention | str:
        """How many checkpoints of a run stay, as its graph says."""
        from ..runtime.engine.retention import Retention

        found = self.compiled(run)
        if isinstance(found, str):
            return found
        setting = found.graph.checkpointing
        return Retention(setting.keep_count, None if setting.keep_ms is None else setting.keep_ms / 1000)

    def graph(self, run: RunRecord) -> Graph[Any] | str:
        """The graph of a run, without functions: enough to rebuild its position."""
        found = self.compiled(run)
        if isinstance(found, str):
            return found
        if run.hash not in self._graphs:
            try:
                self._graphs[run.hash] = prepare(found, bind_nodes=False, quiet=True).unbound()
            except Failure as problem:
                self._graphs[run.hash] = problem.message
            except click.exceptions.Exit:
                self._graphs[run.hash] = f"the module built from {found.launch.source} is stale"
        graph: Graph[Any] | str = self._graphs[run.hash]
        return graph


def _compile(launch: Launch) -> Compiled | str:
    if not os.path.isfile(launch.source):
        return f"{launch.source} is not there any more"
    try:
        return compile_source(launch, quiet=True)
    except Failure as problem:
        return problem.message
    except click.exceptions.Exit:
        return f"{launch.source} has errors"
