"""All `migrate` blocks of a program: which belong together, which graph each is from, and where each leads.

The blocks of one graph, in the order written, are a chain: a run enters at the block of its hash and goes
through all later ones. So a block leads to the graph that the next one is from, the last to the graph itself.
"""

from __future__ import annotations

from ...dsl import ast
from ...dsl.diagnostic import Label, Severity
from .. import canonical
from .. import model as m
from ..context import Context, Unit
from ..resolve import Resolved
from .block import Block, Written, short
from .fields import carried, left_over, values, without_value
from .forms import FEWEST_DIGITS, Forms
from .names import Names
from .parking import logged, places
from .shape import Shape, shape_of
from .steps import Steps

Pair = tuple[Unit, ast.Migrate]


def check_migrations(context: Context, resolved: Resolved, forms: Forms | None) -> None:
    """Report LG701-LG709 for every block whose graph is known; without `forms`, only what needs none."""
    chains: dict[m.Key, list[Pair]] = {}
    for unit in resolved.project.units:
        for written in unit.file.declarations:
            if isinstance(written, ast.Migrate):
                symbol = unit.symbols.get(written.graph.text)
                if symbol is not None and symbol.kind == "graph" and symbol.key in resolved.program.graphs:
                    chains.setdefault(symbol.key, []).append((unit, written))
    usable = not any(found.severity is Severity.ERROR for found in context.findings)
    for key, blocks in chains.items():
        if resolved.program.graphs[key].state in resolved.program.states:
            _chain(resolved, key, blocks, forms, usable)


def _chain(resolved: Resolved, key: m.Key, blocks: list[Pair], forms: Forms | None, usable: bool) -> None:
    program = resolved.program
    graph, own = program.graphs[key], [one for one in blocks if one[0].path == key.path]
    for unit, written in blocks:
        if unit.path != key.path:
            _elsewhere(unit, written, graph)
    _same_source(own)
    sources = [_source(unit, written, forms) for unit, written in own]
    if usable and own:
        _from_itself(own, canonical.graph_hash(program, key))
    now = shape_of(program, key)
    transient = frozenset(field.name for field in program.states[graph.state].fields if field.transient)
    readers = {unit.path: unit for unit in resolved.project.units}
    broken = any(readers[path].broken for path in (key.path, graph.state.path) if path in readers)
    whole = not (broken or resolved.gaps[key].broken)
    for number, (unit, written) in enumerate(own):
        if number + 1 == len(own):
            _block(unit, written, sources[number], now, transient, whole)
        else:
            _block(unit, written, sources[number], sources[number + 1])


def _block(
    unit: Unit,
    written: ast.Migrate,
    old: Shape | None,
    new: Shape | None,
    transient: frozenset[str] = frozenset(),
    whole: bool = True,
) -> None:
    """One block; `whole`: all of the new graph could be read, so that what is missing is really not there."""
    steps = Steps(unit, written)
    Names(Written(unit, written, steps), old, new, transient).check()
    if old is None or new is None:
        return
    block = Block(unit, written, steps, old, new)
    values(block)
    if whole and not unit.has_errors(written.span):
        carried(block)
        left_over(block, transient)
        without_value(block)
        places(block)
        logged(block)


def _elsewhere(unit: Unit, written: ast.Migrate, graph: m.Graph) -> None:
    message = f"a migration of `{graph.key.name}` stands in another file than the graph"
    help = f"move it to {graph.key.path}: the order of a graph's migrations is that in which they are written"
    label = Label(graph.place, "the graph")
    unit.error("LG707", message, written.graph.span, help=help, related=(label,))


def _same_source(blocks: list[Pair]) -> None:
    first: list[Pair] = []
    for unit, written in blocks:
        value = written.hash.value
        for other, before in first:
            if value.startswith(before.hash.value) or before.hash.value.startswith(value):
                label = Label(other.place(before.hash.span), "first here")
                message = "two migrations are from the same graph"
                help = "put their steps into one block"
                unit.error("LG707", message, written.hash.span, help=help, related=(label,))
                break
        else:
            first.append((unit, written))


def _from_itself(blocks: list[Pair], now: canonical.GraphHash) -> None:
    for unit, written in blocks:
        if now.matches(written.hash.value):
            message = f"graph `{written.graph.text}` has this hash now: nothing is to be migrated from it"
            help = "name the hash that the graph had when the runs were started"
            unit.error("LG707", message, written.hash.span, help=help)


def _source(unit: Unit, written: ast.Migrate, forms: Forms | None) -> Shape | None:
    """The graph that a block is from; reports where there is none (LG701)."""
    value, name = written.hash.value, written.graph.text
    if forms is None or not value.startswith("lg1:"):
        return None
    found = forms.of(value)
    if found is None:
        _unknown(unit, written, forms)
    elif found.name != name:
        message = f"{short(found.hash)} is the hash of graph `{found.name}`, not of `{name}`"
        unit.error("LG701", message, written.hash.span, help=_there(forms, name))
        return None
    return found


def _unknown(unit: Unit, written: ast.Migrate, forms: Forms) -> None:
    value, span = written.hash.value, written.hash.span
    begin = forms.beginning(value)
    if len(value) < len("lg1:") + FEWEST_DIGITS:
        message = f"a hash is written with at least {FEWEST_DIGITS} digits"
        one = len(begin) == 1 and len(value) > len("lg1:")
        help = f"write `{short(begin[0])}`" if one else _there(forms, written.graph.text)
        unit.error("LG701", message, span, help=help)
        return
    message = f"no graph with this hash is among the forms given: {short(value)}"
    unit.error("LG701", message, span, help=_there(forms, written.graph.text))


def _there(forms: Forms, graph: str) -> str:
    """Which forms of the graph there are."""
    hashes = sorted(map(short, forms.named(graph)))
    if not hashes:
        return f"none of them is of graph `{graph}`"
    more = f" and {len(hashes) - 3} more" if len(hashes) > 3 else ""
    return f"of `{graph}` there {'is' if len(hashes) == 1 else 'are'} {', '.join(hashes[:3])}{more}"
