"""From written subgraphs and maps to the model's: which graph runs inside, and how its state is reached."""

from __future__ import annotations

from collections.abc import Mapping

from ...dsl import ast
from ...dsl.frozen import frozen
from .. import model
from ..context import FieldShape, Unit, kind_with_article
from ..model import ListOf, SetOf, StateType, Type, Unknown
from ..types import UNKNOWN, show
from .calls import mutation_call
from .clauses import Clauses
from .constraints import count
from .expressions import Scope, Typer
from .inputs import is_input
from .nodes import Around, on_error


@frozen
class Inner:
    """The graph that runs inside; `state` None where it is not known."""

    graph: model.Key
    state: model.Key | None
    fields: Mapping[str, FieldShape]


def graph_named(unit: Unit, name: ast.Name) -> model.Key | None:
    """The graph of that name, or None after reporting why there is none."""
    symbol = unit.symbol(name.text)
    if symbol is None:
        unit.undefined("graph", name, (n for n, s in unit.symbols.items() if s.kind == "graph"))
    elif symbol.kind not in ("graph", "unknown"):
        message = f"`{name.text}` is {kind_with_article(symbol.kind)}, not a graph"
        unit.error("LG201", message, name.span)
    return symbol.key if symbol is not None and symbol.kind == "graph" else None


def _inner(around: Around, node: ast.Node) -> Inner:
    unit, tables = around.unit, around.unit.context.tables
    lost = Inner(unit.key(""), None, {})
    if node.graph is None:
        if not unit.has_errors(node.span):
            message = f"{node.kind} `{node.name.text}` names no graph, expected `= graph`"
            unit.error("LG002", message, node.name.span)
        return lost
    key = graph_named(unit, node.graph)
    if key is None:
        return lost
    state = tables.graph_states.get(key)
    return Inner(key, state, {} if state is None else tables.states.get(state, {}))


def subgraph(around: Around, node: ast.Node, clauses: Clauses, region: str) -> model.Subgraph:
    """A subgraph."""
    unit = around.unit
    inner = _inner(around, node)
    lens_clause = clauses.get(ast.LensClause)
    copied: ast.Clause | None = clauses.get(ast.InClause) or clauses.get(ast.OutClause)
    lens: model.SameState | model.OnField | model.InOut
    if lens_clause is not None:
        lens = _on_field(around, inner, lens_clause)
        if copied is not None:
            message = "`on` and `in`/`out` exclude each other: the inner graph works on the field itself"
            unit.error("LG002", message, copied.span)
    elif copied is not None:
        lens = in_out(around, node, inner, clauses, {})
    else:
        lens = model.SameState()
        if inner.state is not None and around.state is not None and inner.state != around.state:
            message = f"graph `{inner.graph.name}` works on `{inner.state.name}`, "
            message += f"this graph on `{around.state.name}`"
            help = "reach its state with `on field`, or with `in f = …` and `out M(…)`"
            unit.error("LG201", message, (node.graph or node.name).span, help=help)
    steps = clauses.get(ast.MaxStepsClause)
    return model.Subgraph(
        node.name.text,
        region,
        inner.graph,
        lens,
        None if steps is None else count(unit, steps.count, "max_steps"),
        node.doc,
        unit.place(node.name.span),
    )


def _on_field(around: Around, inner: Inner, clause: ast.LensClause) -> model.OnField:
    unit, name = around.unit, clause.field
    field = around.fields.get(name.text)
    if field is None:
        if around.state is not None:
            unit.undefined("field", name, around.fields)
    elif inner.state is not None and field.type not in (UNKNOWN, StateType(inner.state)):
        message = f"`{name.text}` is `{show(field.type)}`, but graph `{inner.graph.name}` works on "
        unit.error("LG201", message + f"`{inner.state.name}`", name.span)
    return model.OnField(name.text, unit.place(name.span))


def map_node(around: Around, node: ast.Node, clauses: Clauses, region: str) -> model.MapNode:
    """A map."""
    unit = around.unit
    place = unit.place(node.name.span)
    inner = _inner(around, node)
    over = clauses.get(ast.OverClause)
    item = "item"
    item_type: Type = UNKNOWN
    expr: model.Expr = model.Const(None, UNKNOWN, place)
    if over is None:
        if not unit.has_errors(node.span):
            message = f"map `{node.name.text}` runs over nothing, expected `over EXPR as NAME`"
            unit.error("LG002", message, node.name.span)
    else:
        typer = Typer(around.scope({}, {}))
        expr = typer.infer(over.value, {})
        item, item_type = over.item.text, _item_type(typer, expr)
    concurrency, steps = clauses.get(ast.ConcurrencyClause), clauses.get(ast.MaxStepsClause)
    return model.MapNode(
        node.name.text,
        region,
        inner.graph,
        expr,
        item,
        in_out(around, node, inner, clauses, {item: item_type}),
        None if concurrency is None else count(unit, concurrency.count, "concurrency"),
        on_error(unit, clauses.get(ast.OnErrorClause)),
        None if steps is None else count(unit, steps.count, "max_steps"),
        node.doc,
        place,
    )


def _item_type(typer: Typer, over: model.Expr) -> Type:
    match typer.solid(over):
        case ListOf(item) | SetOf(item):
            return item
        case Unknown():
            return UNKNOWN
        case _ as type:
            message = f"`over` takes a list or a set, but {typer.text(over.place)} is `{show(type)}`"
            help = "over the keys or values of a dict: `keys(d)`, `values(d)`"
            typer.error("LG201", message, over.place.span, help if isinstance(type, model.DictOf) else "")
            return UNKNOWN


def in_out(
    around: Around, node: ast.Node, inner: Inner, clauses: Clauses, item: Mapping[str, Type]
) -> model.InOut:
    """The `in` and `out` of a subgraph or map."""
    unit = around.unit
    written, out = clauses.get(ast.InClause), clauses.get(ast.OutClause)
    typer = Typer(around.scope({}, item))
    inputs: dict[str, model.Expr] = {}
    places: dict[str, ast.Name] = {}
    for name, value in written.values if written is not None else ():
        field = inner.fields.get(name.text)
        first = places.setdefault(name.text, name)
        if first is not name:
            unit.again(name, first)
        elif field is None and inner.state is not None:
            unit.undefined(f"state `{inner.state.name}` has no field", name, inner.fields, code="LG202")
            typer.infer(value, {})
        else:
            wanted = UNKNOWN if field is None else field.type
            inputs[name.text] = typer.check(value, wanted, f"field `{name.text}`", {})
    missing = [
        f"`{n}`" for n, f in inner.fields.items() if n not in inputs and is_input(f, unit.context.tables)
    ]
    if missing:
        message = f"graph `{inner.graph.name}` needs {', '.join(missing)} to start"
        help = "give it: `in " + ", ".join(f"{m[1:-1]} = …" for m in missing) + "`"
        unit.error("LG203", message, node.name.span, help=help)
    inner_types = {name: shape.type for name, shape in inner.fields.items()}
    inner_typer = Typer(Scope(unit, inner_types, {}, item, uses=around.uses))
    outputs: list[model.MutationCall] = []
    for call in out.mutations if out is not None else ():
        if inner.state is None:
            continue
        found = mutation_call(inner_typer, call, around.mutations)
        if found is not None:
            outputs.append(found)
    return model.InOut(tuple(inputs.items()), tuple(outputs))
