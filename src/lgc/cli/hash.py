"""`lgc hash`: from files to the hashes of their graphs, or to their canonical forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from . import FINE, findings
from .targets import graphs_of, pick_graph, split_target
from .terminal import Failure, out, output_style

if TYPE_CHECKING:
    from ..compiler.model import Graph, Key, Program


@click.command("hash")
@click.argument("paths", nargs=-1, metavar="PATH[:GRAPH]...")
@click.option("--short", is_flag=True, help="Only the first 16 digits.")
@click.option("--elements", is_flag=True, help="The hash of each element too.")
@click.option("--canonical", is_flag=True, help="The canonical JSON that is hashed, one graph a line.")
@click.option(
    "--ops", is_flag=True, help="The operational part instead: retry, timeouts, checkpoints, params."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def hash_command(
    paths: tuple[str, ...],
    short: bool,
    elements: bool,
    canonical: bool,
    ops: bool,
    as_json: bool,
    stdin_name: str,
) -> int:
    """Hashes of graphs.

    The same graph has the same hash everywhere; layout, comments, names of files, the order of
    declarations and operational settings do not count. --elements tells which part differs, --canonical
    shows what is hashed.
    """
    if canonical and (short or elements):
        raise click.UsageError("--canonical shows the form, not hashes: leave out --short and --elements")
    entries: list[dict[str, object]] = []
    for program, graph in _graphs(paths, stdin_name):
        if canonical and not as_json:
            out(_form_text(program, graph.key, ops))
        else:
            entries.append(_entry(program, graph, short, elements, ops, canonical))
    if as_json:
        import json

        out(json.dumps({"version": 1, "graphs": entries}, indent=2, ensure_ascii=False))
    else:
        _write(entries)
    return FINE


def _graphs(paths: tuple[str, ...], stdin_name: str) -> list[tuple[Program, Graph]]:
    targets = [split_target(path) for path in paths]
    found: dict[Key, tuple[Program, Graph]] = {}
    for result in findings.sound_results([target.path for target in targets], stdin_name):
        program = result.checked.program
        given = [source.path for source in result.batch.sources]
        named = [target for target in targets if target.graph]
        for graph in graphs_of(program, given):
            wanted = [target.graph for target in named if _same(target.path, graph.key.path)]
            if not wanted or graph.key.name in wanted:
                found[graph.key] = (program, graph)
        for target in named:
            if any(_same(target.path, path) for path in given):
                pick_graph(program, next(p for p in given if _same(target.path, p)), target.graph)
    if not found:
        raise Failure("no graph in what was given")
    return list(found.values())


def _same(one: str, other: str) -> bool:
    from os.path import normpath

    return normpath(one) == normpath(other)


def _form_text(program: Program, key: Key, ops: bool) -> str:
    from ..compiler import canonical

    return canonical.operational_text(program, key) if ops else canonical.canonical_text(program, key)


def _entry(
    program: Program, graph: Graph, short: bool, elements: bool, ops: bool, form: bool
) -> dict[str, object]:
    from ..compiler import canonical

    key = graph.key
    whole = canonical.operational_hash(program, key) if ops else canonical.graph_hash(program, key)
    entry: dict[str, object] = {
        "graph": key.name,
        "file": key.path,
        "hash": whole.short if short else whole.full,
    }
    if elements:
        parts = (
            canonical.operational_element_hashes(program, key) if ops else canonical.elements(program, key)
        )
        entry["elements"] = {id_: hash_[:16] if short else hash_ for id_, hash_ in parts.items()}
    if form:
        import json

        entry["canonical"] = json.loads(_form_text(program, key, ops))
    return entry


def _write(entries: list[dict[str, object]]) -> None:
    style = output_style()
    for entry in entries:
        out(f"{style.bold(str(entry['hash']))}  {entry['file']}:{entry['graph']}")
        for id_, hash_ in cast("dict[str, str]", entry.get("elements", {})).items():
            out(f"  {style.dim(hash_)}  {id_}")
