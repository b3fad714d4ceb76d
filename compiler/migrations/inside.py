"""Graphs that the migrated one runs: those with migrations of their own, and those that have changed without.

A run of the outer graph may be parked inside. What it holds there is taken along by the migrations of the
inner graph, and so is a field of the outer state that the inner graph works on. An inner graph without a
migration has to fit as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...dsl import ast
from .. import canonical
from .. import model as m
from ..context import Context, Unit
from .block import Block, short
from .fields import carried, left_over, without_value
from .forms import Forms
from .parking import places
from .shape import Shape, shape_of
from .steps import Steps

Sources = Mapping[m.Key, Sequence[str]]
"""The hashes, as written, that the migrations of each graph are from."""


def migrated_states(program: m.Program, old: Shape, sources: Sources) -> frozenset[str]:
    """The names of states whose values are taken along by the migrations of a graph that is run on them."""
    found: set[str] = set()
    for label, hash in old.graphs.items():
        for key, written in sources.items():
            if key.name == label.partition("#")[0] and any(map(hash.startswith, written)):
                found.add(program.graphs[key].state.name)
    return frozenset(found)


def check_inside(
    program: m.Program,
    unit: Unit,
    written: ast.Migrate,
    key: m.Key,
    old: Shape,
    forms: Forms,
    sources: Sources,
) -> None:
    """Report (LG708) graphs that the graph runs, and inside which a run could not go on."""
    steps = Steps(Unit(Context(), unit.path, unit.file, ()), written)
    for name, spot in old.nodes.items():
        if not spot.graph or name in steps.moves:
            continue
        node = program.graphs[key].node(steps.new_name("node", name))
        hash = old.graphs.get(spot.graph, "")
        if not isinstance(node, m.Subgraph | m.MapNode) or node.graph.name != spot.graph.partition("#")[0]:
            continue
        before = forms.of(hash)
        taken_along = any(map(hash.startswith, sources.get(node.graph, ())))
        if before is None or taken_along or canonical.graph_hash(program, node.graph).full == hash:
            continue
        why = next(_problems(program, unit, node.graph, before, spot.lens), None)
        if why is not None:
            message = f"a run may be parked inside `{name}`, and graph `{node.graph.name}` has changed: {why}"
            help = f'declare `migrate {node.graph.name} from "{short(hash)}"` too'
            unit.error("LG708", message, written.hash.span, help=help)


def _problems(program: m.Program, unit: Unit, key: m.Key, old: Shape, lens: str) -> Iterator[str]:
    """What a migration without any steps would lack."""
    here = Unit(Context(), unit.path, unit.file, ())
    span = unit.file.declarations[0].span
    name, hash = ast.Name(span, key.name), ast.StrLit(span, old.hash, old.hash)
    nothing = ast.Migrate(span, name, hash, (), "")
    block = Block(here, nothing, Steps(here, nothing), old, shape_of(program, key))
    places(block)
    if lens != "same":  # such a state is the outer one's, and migrated with it
        carried(block)
        left_over(block, frozenset())
        without_value(block)
    yield from (found.message for found in here.context.findings)
