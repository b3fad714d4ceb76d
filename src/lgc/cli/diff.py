"""`lgc diff`: from two versions of graphs to what changed between them, element by element."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from . import FINE, findings
from .targets import graphs_of, pick_graph, split_target
from .terminal import Failure, Style, out, output_style
from .wording import short_hash

if TYPE_CHECKING:
    from ..runtime.changes.change import Change

Forms = dict[str, tuple[str, str]]
"""By a graph's name: its hash and its canonical JSON."""


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff_command(old: str, new: str, form: str) -> int:
    """What changed between two versions of a graph.

    OLD and NEW are FILE[:GRAPH], folders, or files with canonical JSON (from `lgc hash --canonical`).
    Graphs of the same name are compared; two single graphs are compared whatever they are called.
    """
    before, after = _forms(old), _forms(new)
    if len(before) == len(after) == 1:
        (name,) = after
        before = {name: next(iter(before.values()))}
    told = [
        _compare(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())
    ]
    if form == "json":
        out(json.dumps({"version": 1, "graphs": told}, indent=2, ensure_ascii=False))
        return FINE
    style = output_style()
    for one in told:
        _write(one, style)
    return FINE


def _forms(written: str) -> Forms:
    from ..compiler import canonical

    stored = _stored(written)
    if stored is not None:
        return stored
    target = split_target(written)
    forms: Forms = {}
    for result in findings.sound_results([target.path]):
        program = result.checked.program
        paths = [source.path for source in result.batch.sources]
        graphs = [pick_graph(program, paths[0], target.graph)] if target.graph else graphs_of(program, paths)
        for graph in graphs:
            whole = canonical.graph_hash(program, graph.key).full
            forms[graph.key.name] = (whole, canonical.canonical_text(program, graph.key))
    if not forms:
        raise Failure(f"no graph in {written}")
    return forms


def _stored(written: str) -> Forms | None:
    """A file with a canonical form, None for other files."""
    path = Path(written)
    if path.suffix == ".lgraph" or not path.is_file():
        return None
    from ..compiler import canonical

    forms: Forms = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.strip():
            try:
                whole = canonical.hash_of_text(line).full
            except ValueError as problem:
                raise Failure(f"{written}: {problem}") from problem
            forms[json.loads(line)["elements"]["graph"]["name"]] = (whole, line)
    return forms


def _compare(name: str, old: tuple[str, str] | None, new: tuple[str, str] | None) -> dict[str, object]:
    from ..runtime.changes.compare import compare

    told: dict[str, object] = {
        "graph": name,
        "old": old[0] if old else None,
        "new": new[0] if new else None,
    }
    if old is None or new is None:
        return {**told, "verdict": "added" if old is None else "removed", "changes": []}
    same = old[0] == new[0]
    changes = [] if same else [_change(one) for one in compare(old[1], new[1])]
    return {**told, "verdict": "identical" if same else "changed", "changes": changes}


def _change(one: Change) -> dict[str, object]:
    return {
        "element": one.element,
        "kind": one.kind,
        "path": one.path,
        "old": one.old,
        "new": one.new,
        "text": one.text,
    }


def _write(one: dict[str, object], style: Style) -> None:
    old, new, verdict = one["old"], one["new"], str(one["verdict"])
    paint = style.green if verdict == "identical" else style.yellow
    hashes = [short_hash(str(whole)) for whole in (old, new) if whole is not None]
    arrow = hashes[0] if old == new or len(hashes) == 1 else " -> ".join(hashes)
    out(f"{style.bold(str(one['graph']))}: {paint(verdict)} {style.dim(arrow)}")
    for change in cast("list[dict[str, str]]", one["changes"]):
        mark = {"added": style.green("+"), "removed": style.red("-")}.get(change["kind"], style.yellow("~"))
        out(f"  {mark} {change['text']}")
