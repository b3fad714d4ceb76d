"""From `FILE[:GRAPH]` to a graph of a checked program."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..dsl.named import NamedTuple
from .terminal import Failure

if TYPE_CHECKING:
    from ..compiler.model import Graph, Program


class Target(NamedTuple):
    """A file (or folder, or -) and the name of one of its graphs, "" for none named."""

    path: str
    graph: str


def split_target(written: str, exists: Callable[[str], bool] = os.path.exists) -> Target:
    """Take `FILE:GRAPH` apart; a file whose own name has a colon is still found."""
    path, colon, graph = written.rpartition(":")
    # pathlib would be slow to import here.
    if colon and graph.isidentifier() and not exists(written):
        return Target(path, graph)
    return Target(written, "")


def graphs_of(program: Program, paths: Sequence[str]) -> list[Graph]:
    """The graphs that files declare, by file in the order given, then as written."""
    by_path = {module.path: module for module in program.modules}
    return [
        program.graphs[key]
        for path in paths
        if path in by_path
        for key in by_path[path].declares
        if key in program.graphs
    ]


def pick_graph(program: Program, path: str, name: str) -> Graph:
    """The graph of that name in a file; without a name the only one, or the one that no other of them runs.

    Raises:
        Failure: there is none, or there are several.
    """
    there = graphs_of(program, [path])
    names = [graph.key.name for graph in there]
    if name:
        for graph in there:
            if graph.key.name == name:
                return graph
        from difflib import get_close_matches

        near = get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"it declares: {', '.join(names) or 'no graph'}"
        raise Failure(f"no graph `{name}` in {path}", hint)
    if not there:
        raise Failure(f"{path} declares no graph")
    run_by_others = {getattr(node, "graph", None) for graph in there for node in graph.nodes}
    tops = [graph for graph in there if graph.key not in run_by_others]
    if len(tops) != 1:
        raise Failure(
            f"{path} declares several graphs: {', '.join(names)}", f"name one of them: {path}:{names[0]}"
        )
    return tops[0]
