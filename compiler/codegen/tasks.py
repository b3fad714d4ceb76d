"""From a graph's tasks to what their functions see: a view, a context, params; and the Protocol of all."""

from __future__ import annotations

from .. import model as m
from .data import class_, model_field
from .expressions import Scope, Writer
from .layout import (
    Bracket,
    Piece,
    Prefixed,
    call,
    dict_of,
    render,
    statement,
    subscript,
    union_of,
)
from .state import function
from .text import docstring, literal
from .types import annotation, annotation_text, base, is_collection
from .unit import Unit

_STATE = "self.__lg_state__"


class TaskText:
    """The text of one task of a graph."""

    def __init__(self, unit: Unit, graph: m.Graph, task: m.Task) -> None:
        self.unit = unit
        self.graph = graph
        self.task = task
        self.state = unit.program.states[graph.state]
        self.attributes = unit.state_attributes(graph.state)
        stem = unit.names.generated("task", graph.key, task.name)
        self.context, self.view, self.params = f"{stem}Context", f"{stem}View", f"{stem}Params"

    def classes(self) -> list[str]:
        """Params, view and context."""
        params = [self._params()] if self.task.params else []
        return [*params, self._view(), self._context()]

    def names(self) -> list[str]:
        """The names of those classes."""
        return [*([self.params] if self.task.params else []), self.view, self.context]

    # --- params ---------------------------------------------------------------------------------------------

    def _params(self) -> str:
        unit = self.unit
        typed = unit.std("typing", "TypedDict")
        shown = [(name, annotation(unit, value.type, "value")) for name, value in self.task.params]
        if any(name in unit.names.types for name, _ in shown):
            parts = dict_of([(literal(name), type_) for name, type_ in shown])
            return statement(f"{self.params} = ", call(typed, literal(self.params), parts), 0)
        lines = [statement(f"{name}: ", type_, 4) for name, type_ in shown]
        doc = docstring(f"The params of `{self.task.name}`.", 4)
        return class_(self.params, typed, [doc, "\n".join(lines)])

    def params_value(self) -> Piece:
        """The params as the plan holds them."""
        writer = Writer(self.unit, Scope())
        return dict_of([(literal(name), writer.frozen(value)) for name, value in self.task.params])

    # --- view -----------------------------------------------------------------------------------------------

    def _view(self) -> str:
        parts = [
            docstring(f"What `{self.task.name}` sees of `{self.state.key.name}`.", 4),
            f"    __slots__ = ()\n    __lg_state__: {self.unit.declared(self.state.key)}",
        ]
        for read in self.task.reads:
            field = self.state.field(read.field)
            if field is not None:
                attribute = self.attributes[field.name]
                parts.append(view_property(self.unit, field, attribute, required=read.required))
        return class_(self.view, f"{self.unit.lg}.View", parts)

    # --- context --------------------------------------------------------------------------------------------

    def _context(self) -> str:
        unit, lg = self.unit, self.unit.lg
        params = self.params if self.task.params else f"{lg}.NoParams"
        never = unit.std("typing", "Never")
        mutations: list[Piece] = [unit.mutation(self.graph.state, name) for name, _ in self.task.records]
        accepted = union_of(mutations) if mutations else never
        targets: list[Piece] = [literal(name) for name, _ in self.task.goto]
        goto = subscript(unit.std("typing", "Literal"), *targets) if targets else never
        parts = [docstring(self.task.doc or f"What the function of `{self.task.name}` is given.", 4)]
        parts.append("    __slots__ = ()")
        parts.append(
            function(
                "record",
                ["self", _typed("mutation", accepted), "/"],
                "None",
                [
                    docstring("Record a mutation; it is applied after the node has returned.", 8),
                    "        self._record(mutation)",
                ],
                indent=4,
            )
        )
        parts.append(
            function(
                "goto",
                ["self", _typed("target", goto), "/"],
                "None",
                [
                    docstring("Say where the run goes after this node.", 8),
                    "        self._go(target)",
                ],
                indent=4,
            )
        )
        return class_(self.context, subscript(f"{lg}.TaskContext", self.view, params), parts)


def _typed(name: str, type_: Piece) -> Piece:
    return Prefixed(f"{name}: ", type_)


def view_property(unit: Unit, field: m.Field, attribute: str, *, required: bool) -> str:
    """A read-only property for one field."""
    held: Piece = f"{_STATE}.{attribute}"
    type_ = base(field.type) if required else field.type
    body: list[str] = [docstring(field.doc, 8)] if field.doc else []
    if required and isinstance(field.type, m.OptionalOf):
        if isinstance(type_, m.UnionType):
            # mypy makes of a union's members their common base where it solves for a type variable.
            body.append(statement("value = ", held, 8))
            body.append("        if value is not None:\n            return value")
            held = "None"
        held = call(f"{unit.lg}.required", held, literal(field.name))
    if isinstance(type_, m.StateType):
        held = call(f"{unit.names.generated('subview', type_.key)}View", held)
        returns = f"{unit.names.generated('subview', type_.key)}View"
    else:
        returns = annotation_text(unit, type_, "value")
        if is_collection(type_):
            kind = base(type_)
            show = "list" if isinstance(kind, m.ListOf) else "set" if isinstance(kind, m.SetOf) else "map"
            if isinstance(type_, m.OptionalOf):
                body.append(statement("held = ", held, 8))
                body.append("        if held is None:\n            return None")
                held = "held"
            held = call(f"{unit.lg}.view_{show}", held)
    body.append(statement("return ", held, 8))
    decorators = [f"@{unit.builtin('property')}"]
    return function(attribute, ["self"], returns, body, indent=4, decorators=decorators)


def state_view(unit: Unit, key: m.Key) -> str:
    """What a task sees of a sub-state: all of it."""
    state = unit.program.states[key]
    attributes = unit.state_attributes(key)
    parts = [
        docstring(f"A `{key.name}` that can be looked at only.", 4),
        f"    __slots__ = ()\n    __lg_state__: {unit.declared(key)}",
    ]
    parts += [view_property(unit, field, attributes[field.name], required=False) for field in state.fields]
    return class_(f"{unit.names.generated('subview', key)}View", f"{unit.lg}.View", parts)


def protocol(unit: Unit, graph: m.Graph) -> tuple[str, str]:
    """The name and the text of `GNodes`."""
    name = f"{unit.names.generated('nodes', graph.key)}Nodes"
    parts = [
        docstring(f"The functions that `{graph.key.name}` needs: `async def`, or `def` for a thread.", 4)
    ]
    for node in graph.nodes:
        if not isinstance(node, m.Task) or node.impl is not None:
            continue
        context = f"{unit.names.generated('task', graph.key, node.name)}Context"
        returns = f"{unit.std('collections.abc', 'Awaitable')}[None] | None"
        items: tuple[Piece, ...] = ("self", f"ctx: {context}", "/")
        signature = Bracket(f"def {node.name}(", items, f") -> {returns}:")
        head = "    " + render(signature, 4, 4, 0 if node.doc else len(" ..."))
        if node.doc:
            parts.append(f"{head}\n{docstring(node.doc, 8)}\n        ...")
        else:
            parts.append(f"{head} ...")
    return name, class_(name, unit.std("typing", "Protocol"), parts)


def answer(unit: Unit, name: str, declared: m.Answer) -> str:
    """The model of the arguments of one decision."""
    models = unit.names.of_model([param.name for param in declared.params])
    lines: list[str] = []
    for param in declared.params:
        default = "None" if isinstance(param.type, m.OptionalOf) else None
        type_ = annotation(unit, param.type, "model")
        lines.append(model_field(unit, param.name, models[param.name], type_, default, lazy=False))
    parts = [docstring(declared.doc or f"The decision `{declared.name}`.", 4)]
    return class_(name, f"{unit.lg}.Answer", [*parts, *(["\n".join(lines)] if lines else [])])
