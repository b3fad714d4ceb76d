"""From a written graph to the model's: its nodes, its regions with their edges, its settings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.frozen import frozen
from .. import model
from ..context import Unit, kind_with_article
from ..model import END, START, Key
from .clauses import Clauses
from .constraints import count
from .expressions import Scope, Typer
from .inner import map_node, subgraph
from .nodes import Around, barrier, decision, parallel, task
from .regions import Arrow, Block, Layout, lay_out
from .settings import checkpointing

MAX_STEPS = 10_000
Trigger: TypeAlias = Literal["plain", "when", "else", "on"]


@frozen
class Gaps:
    """What of a graph is not known, because its text could not be read or names something undefined.

    Attributes:
        broken: a part of the text could not be read; nothing is said about where edges lead.
        excused: nodes about whose edges nothing is said.
        uses: the declarations that the graph's expressions name.
        unclear: sources, each with its region, of which a trigger or an `ensures` was reported; nothing is
            said about when their edges hold, and what may have no value after them.
    """

    broken: bool
    excused: frozenset[str]
    uses: frozenset[Key]
    unclear: frozenset[tuple[str, str]] = frozenset()


def graph_state(unit: Unit, written: ast.Graph) -> Key | None:
    """The state that a graph works on; reports LG101 and LG201."""
    symbol = unit.symbol(written.state.text)
    if symbol is None:
        states = (name for name, s in unit.symbols.items() if s.kind == "state")
        near = unit.undefined("state", written.state, states)
        return None if near is None else unit.symbols[near].key
    if symbol.kind == "state":
        return symbol.key
    if symbol.kind != "unknown":
        message = f"a graph works on a state, but `{written.state.text}` is {kind_with_article(symbol.kind)}"
        unit.error("LG201", message, written.state.span)
    return None


def graph(unit: Unit, written: ast.Graph) -> tuple[model.Graph, Gaps]:
    """The graph of the model, and what of it is not known."""
    tables = unit.context.tables
    key = unit.key(written.name.text)
    state = tables.graph_states.get(key)
    nodes = _node_names(unit, written)
    fields = {} if state is None else tables.states.get(state, {})
    around = Around(
        unit,
        key,
        state,
        fields,
        {name: shape.type for name, shape in fields.items()},
        {} if state is None else tables.mutations.get(state, {}),
        nodes,
        set(),
    )
    layout = lay_out(unit, written, nodes)
    edges = Edges(around)
    result = model.Graph(
        key,
        state if state is not None else unit.key(written.state.text),
        tuple(_node(around, node, layout) for node in nodes.values()),
        tuple(edges.region(block) for block in layout.blocks),
        _max_steps(unit, written),
        checkpointing(unit, [i for i in written.items if isinstance(i, ast.CheckpointSetting)]),
        written.doc,
        unit.place(written.name.span),
    )
    broken, excused = unit.has_errors(written.span), frozenset(layout.excused)
    vague = {(name, layout.home[name]) for name, node in nodes.items() if _vague(node, fields)}
    return result, Gaps(broken, excused, frozenset(around.uses), frozenset(edges.unclear | vague))


def _vague(node: ast.Node, fields: Collection[str]) -> bool:
    """Whether a task ensures a field that is not defined."""
    return any(
        name.text not in fields
        for clause in node.clauses
        if isinstance(clause, ast.EnsuresClause)
        for name in clause.fields
    )


def _node_names(unit: Unit, written: ast.Graph) -> dict[str, ast.Node]:
    nodes: dict[str, ast.Node] = {}
    for item in written.items:
        if isinstance(item, ast.Node) and item.name.text not in (START, END):
            first = nodes.setdefault(item.name.text, item)
            if first is not item:
                unit.twice("node", item.name, unit.place(first.name.span))
    return nodes


def _node(around: Around, node: ast.Node, layout: Layout) -> model.Node:
    clauses, region = Clauses(around.unit, node), layout.home[node.name.text]
    match node.kind:
        case "task":
            return task(around, node, clauses, region)
        case "decision":
            return decision(around, node, region)
        case "barrier":
            return barrier(around, node, clauses, region)
        case "parallel":
            return parallel(around, node, clauses, region)
        case "subgraph":
            return subgraph(around, node, clauses, region)
        case "map":
            return map_node(around, node, clauses, region)


def _max_steps(unit: Unit, written: ast.Graph) -> int:
    found = [item for item in written.items if isinstance(item, ast.MaxStepsClause)]
    for again in found[1:]:
        label = Label(unit.place(found[0].span), "first here")
        unit.error("LG102", "`max_steps` is set twice", again.span, related=(label,))
    return (count(unit, found[0].count, "max_steps") if found else None) or MAX_STEPS


class Edges:
    """Types the triggers of a graph's edges; `unclear` as in `Gaps`."""

    def __init__(self, around: Around) -> None:
        self.unit = around.unit
        self.unclear: set[tuple[str, str]] = set()
        scope = Scope(around.unit, around.types, nodes=around.nodes, uses=around.uses)
        self.typer = Typer(scope)

    def region(self, block: Block) -> model.Region:
        """The region of the model."""
        edges = tuple(self.edge(arrow, block.id) for arrow in block.arrows)
        return model.Region(block.id, block.parallel, block.branch, tuple(block.nodes), edges, block.place)

    def edge(self, arrow: Arrow, region: str) -> model.Edge:
        """One edge."""
        guard: model.Expr | None = None
        outcome: str | None = None
        before = len(self.unit.context.findings)
        match arrow.trigger:
            case None:
                trigger: Trigger = "plain"
            case ast.WhenTrigger(guard=written):
                trigger, guard = "when", self.typer.condition(written, "a guard", {})
            case ast.ElseTrigger():
                trigger = "else"
            case ast.OnTrigger(outcome=name):
                trigger, outcome = "on", name.text
        limit = arrow.max_visits
        visits = None if limit is None else count(self.unit, limit, "max_visits")
        if len(self.unit.context.findings) > before:
            self.unclear.add((arrow.source.text, region))
        place = self.unit.place(arrow.span)
        return model.Edge(
            arrow.source.text, arrow.target.text, trigger, guard, outcome, visits, region, place
        )
