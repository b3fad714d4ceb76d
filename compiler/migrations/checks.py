"""All `migrate` blocks of a program: which belong together, which graph each is from, and where each leads.

The blocks of one graph, in the order written, are a chain: a run enters at the block of its hash and goes
through all later ones. So a block leads to the graph that the next one is from, the last to the graph itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...dsl import ast
from ...dsl.diagnostic import Label, Severity
from .. import canonical
from .. import model as m
from ..context import Context, Unit
from ..resolve import Resolved
from .block import Block, Written, short
from .fields import carried, left_over, values, without_value
from .forms import FEWEST_DIGITS, Forms
from .inside import check_inside, migrated_states
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
    checks = _Checks(context, resolved, forms, chains)
    for key, blocks in chains.items():
        if resolved.program.graphs[key].state in resolved.program.states:
            checks.chain(key, blocks)


class _Checks:
    """The checks of all chains.

    Attributes:
        usable: whether nothing but migrations may be wrong, so that graphs have hashes.
    """

    def __init__(
        self,
        context: Context,
        resolved: Resolved,
        forms: Forms | None,
        chains: Mapping[m.Key, Sequence[Pair]],
    ) -> None:
        self.resolved, self.program, self.forms = resolved, resolved.program, forms
        self.usable = not any(found.severity is Severity.ERROR for found in context.findings)
        self._readers = {unit.path: unit for unit in resolved.project.units}
        self._sources = {key: [one.hash.value for _, one in blocks] for key, blocks in chains.items()}

    def chain(self, key: m.Key, blocks: Sequence[Pair]) -> None:
        """The blocks of one graph."""
        graph, own = self.program.graphs[key], [one for one in blocks if one[0].path == key.path]
        for unit, written in blocks:
            if unit.path != key.path:
                _elsewhere(unit, written, graph)
        _same_source(own)
        sources = [_source(unit, written, self.forms) for unit, written in own]
        if self.usable and own:
            _from_itself(own, canonical.graph_hash(self.program, key))
        for number, (unit, written) in enumerate(own):
            if number + 1 < len(own):
                self._block(unit, written, sources[number], sources[number + 1])
                continue
            fields = self.program.states[graph.state].fields
            transient = frozenset(field.name for field in fields if field.transient)
            now = shape_of(self.program, key)
            self._block(unit, written, sources[number], now, transient, self._whole(graph))
            if (old := sources[number]) is not None and self.forms is not None and self.usable:
                check_inside(self.program, unit, written, key, old, self.forms, self._sources)

    def _whole(self, graph: m.Graph) -> bool:
        """Whether all of a graph could be read, so that what is missing in it is really not there."""
        paths = (graph.key.path, graph.state.path)
        broken = any(self._readers[path].broken for path in paths if path in self._readers)
        return not (broken or self.resolved.gaps[graph.key].broken)

    def _block(
        self,
        unit: Unit,
        written: ast.Migrate,
        old: Shape | None,
        new: Shape | None,
        transient: frozenset[str] = frozenset(),
        whole: bool = True,
    ) -> None:
        steps = Steps(unit, written)
        Names(Written(unit, written, steps), old, new, transient).check()
        if old is None or new is None:
            return
        migrated = migrated_states(self.program, old, self._sources)
        block = Block(unit, written, steps, old, new, migrated)
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


def _same_source(blocks: Sequence[Pair]) -> None:
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
