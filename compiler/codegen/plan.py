"""From a graph to its plan as Python: functions made of expressions, nodes, routes, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import assert_never

from ...runtime.plan import MigrationStep
from .. import model as m
from ..migrations.written import migrations_of
from ..places import places_of
from .constants import place_of, text_of
from .expressions import Scope, Writer
from .facts import is_none
from .layout import Bracket, Piece, Prefixed, call, dict_of, flat, statement, tuple_of
from .lower import LoweredEdge, LoweredRoute, routes, seconds
from .state import function
from .tasks import TaskText
from .text import literal
from .types import annotation_text
from .unit import Unit


class PlanText:
    """The text of one graph's plan; `functions` fills up while the plan is written."""

    def __init__(self, unit: Unit, graph: m.Graph) -> None:
        self.unit = unit
        self.graph = graph
        self.state = unit.program.states[graph.state]
        self.state_name = unit.declared(graph.state)
        self.functions: list[str] = []
        self.plan = f"{unit.lg}.plan"

    # --- functions ------------------------------------------------------------------------------------------

    def _function(self, what: str, parameters: Sequence[Piece], returns: str, value: Piece) -> str:
        name = self.unit.names.fresh(f"_{self.graph.key.name}_{what}")
        body = [statement("return ", value, 4)]
        self.functions.append(function(name, [*parameters, "/"], returns, body))
        return name

    def _guard(self, edge: LoweredEdge, guard: m.Expr) -> Piece:
        source, number = edge.key.partition("->")[0], edge.key.rpartition(" ")[2]
        value = Writer(self.unit, Scope(self.state)).condition(guard)
        parameters = [f"state: {self.state_name}", f"run: {self.unit.lg}.Counters"]
        name = self._function(f"{source}_when_{number}", parameters, self.unit.builtin("bool"), value)
        return call(f"{self.plan}.Guard", name, literal(text_of(guard)), literal(place_of(guard)))

    def _recorded(self, writer: Writer, calls: Sequence[m.MutationCall], state: m.Key) -> Piece:
        """The mutations of `records`, `out` and the like, as a tuple."""
        return tuple_of([
            call(
                self.unit.mutation(state, made.mutation),
                **{name: writer.argument(value) for name, value in made.args},
            )
            for made in calls
        ])  # fmt: skip

    def _mutations(self) -> str:
        unit = self.unit
        return f"{unit.builtin('tuple')}[{unit.lg}.Mutation, ...]"

    # --- nodes ----------------------------------------------------------------------------------------------

    def _node(self, node: m.Node) -> Piece:
        named: dict[str, Piece] = {"name": literal(node.name), "region": literal(node.region)}
        match node:
            case m.Task():
                self._task(node, named)
                return call(f"{self.plan}.Task", **named)
            case m.Decision():
                return call(f"{self.plan}.Decision", **named)
            case m.Barrier():
                self._barrier(node, named)
                return call(f"{self.plan}.Barrier", **named)
            case m.Parallel():
                branches = [(literal(branch.name), literal(branch.region)) for branch in node.branches]
                named["branches"] = dict_of(branches)
                named["join"] = str(node.join_count)
                if node.on_error == "collect":
                    named["collect"] = "True"
                return call(f"{self.plan}.Parallel", **named)
            case m.Subgraph():
                self._subgraph(node, named)
                return call(f"{self.plan}.Subgraph", **named)
            case m.MapNode():
                self._map(node, named)
                return call(f"{self.plan}.Map", **named)
            case _:
                assert_never(node)

    def _task(self, node: m.Task, named: dict[str, Piece]) -> None:
        text = TaskText(self.unit, self.graph, node)
        named["context"], named["view"] = text.context, text.view
        if node.records:
            named["records"] = self._classes(node.records)
        if node.ensures:
            named["ensures"] = tuple_of([literal(name) for name, _ in node.ensures])
        if node.goto:
            named["goto"] = tuple_of([literal(name) for name, _ in node.goto])
        if node.retry is not None:
            named["retry"] = self._retry(node.retry)
        if node.timeout_ms is not None:
            named["timeout"] = repr(seconds(node.timeout_ms))
        if node.effect != "idempotent":
            named["effect"] = literal(node.effect)
        if node.params:
            named["params"] = text.params_value()
        if node.impl is not None:
            named["impl"] = literal(str(node.impl))

    def _classes(self, names: Sequence[tuple[str, object]]) -> Piece:
        return tuple_of([self.unit.mutation(self.graph.state, name) for name, _ in names])

    def _retry(self, retry: m.Retry) -> Piece:
        named: dict[str, Piece] = {"attempts": str(retry.attempts)}
        if retry.backoff_low_ms or retry.backoff_high_ms:
            named["low"] = repr(seconds(retry.backoff_low_ms))
            named["high"] = repr(seconds(retry.backoff_high_ms))
        if retry.errors:
            named["errors"] = tuple_of([literal(str(error)) for error in retry.errors])
        return call(f"{self.plan}.Retry", **named)

    def answer_class(self, node: m.Barrier, answer: str) -> str:
        """The class of the arguments of one answer."""
        return self.unit.names.generated("answer", self.graph.key, node.name, answer)

    def _barrier(self, node: m.Barrier, named: dict[str, Piece]) -> None:
        named["shows"] = tuple_of([literal(name) for name, _ in node.shows])
        named["timeout"] = repr(seconds(node.timeout_ms or 0))
        answers = [(literal(answer.name), self._answer(node, answer)) for answer in node.answers]
        named["answers"] = dict_of(answers)
        taken = node.timeout_decides
        if taken is not None:
            writer = Writer(self.unit, Scope(self.state))
            cls = self.answer_class(node, taken.answer)
            value = call(cls, **{name: writer.argument(arg) for name, arg in taken.args})
            name = self._function(f"{node.name}_timeout", [f"state: {self.state_name}"], cls, value)
            named["timeout_answer"] = tuple_of([literal(taken.answer), name])
        if node.modify:
            named["modify"] = self._classes(node.modify)
        if node.reroute:
            named["reroute"] = tuple_of([literal(name) for name, _ in node.reroute])

    def _answer(self, node: m.Barrier, answer: m.Answer) -> Piece:
        cls = self.answer_class(node, answer.name)
        models = self.unit.names.of_model([param.name for param in answer.params])
        locals_ = {param.name: (f"answer.{models[param.name]}", param.type) for param in answer.params}
        writer = Writer(self.unit, Scope(self.state, "state", locals_))
        value = self._recorded(writer, answer.records, self.graph.state)
        parameters = [f"state: {self.state_name}", f"answer: {cls}"]
        name = self._function(f"{node.name}_{answer.name}", parameters, self._mutations(), value)
        return call(f"{self.plan}.Answer", literal(answer.name), cls, name)

    # --- other graphs ---------------------------------------------------------------------------------------

    def _inner_plan(self, key: m.Key) -> str:
        names = self.unit.all_names[key.path]
        return self.unit.foreign(key.path, names.generated("constants", key) + "_PLAN")

    def _subgraph(self, node: m.Subgraph, named: dict[str, Piece]) -> None:
        named["graph"] = self._inner_plan(node.graph)
        match node.lens:
            case m.SameState():
                named["lens"] = f"{self.plan}.SameState()"
            case m.OnField(field):
                attribute = self.unit.state_attributes(self.graph.state)[field]
                named["lens"] = call(f"{self.plan}.OnField", literal(field), literal(attribute))
            case m.InOut():
                enter, leave = self._lens(node.name, node.graph, node.lens, None)
                named["lens"] = call(f"{self.plan}.InOut", enter, leave)
            case _:
                assert_never(node.lens)
        if node.max_steps is not None:
            named["max_steps"] = str(node.max_steps)

    def _map(self, node: m.MapNode, named: dict[str, Piece]) -> None:
        unit = self.unit
        named["graph"] = self._inner_plan(node.graph)
        item_type = _item_type(node.over.type)
        items = Writer(unit, Scope(self.state, "outer")).write(node.over)
        shown = f"{unit.builtin('list')}[{annotation_text(unit, item_type, 'value')}]"
        in_order = "ordered" if isinstance(node.over.type, m.SetOf) else ""
        copied = call(f"{unit.lg}.ordered" if in_order else unit.builtin("list"), items)
        if isinstance(node.over, m.MakeList) and not in_order:
            made = Writer(unit, Scope(self.state, "outer")).items(node.over, frozenset())
            copied = Bracket("[", tuple(made), "]")
        named["over"] = self._function(f"{node.name}_over", [f"outer: {self.state_name}"], shown, copied)
        named["enter"], named["leave"] = self._lens(node.name, node.graph, node.lens, (node.item, item_type))
        if node.concurrency is not None:
            named["concurrency"] = str(node.concurrency)
        if node.on_error == "collect":
            named["collect"] = "True"
        if node.max_steps is not None:
            named["max_steps"] = str(node.max_steps)

    def _lens(self, node: str, key: m.Key, lens: m.InOut, item: tuple[str, m.Type] | None) -> tuple[str, str]:
        """The functions that make an inner state and that read it at its end."""
        unit = self.unit
        inner = unit.program.states[unit.program.graphs[key].state]
        locals_ = {} if item is None else {item[0]: ("item", item[1])}
        more = [] if item is None else [f"item: {annotation_text(unit, item[1], 'value')}"]
        writer = Writer(unit, Scope(self.state, "outer", locals_))
        given = dict(lens.inputs)
        named: dict[str, Piece] = {}
        for field in inner.fields:
            parameter = self._parameter(inner, field)
            if field.name in given:
                named[parameter] = self._input(writer, given[field.name])
            elif field.transient and field.default is None and not isinstance(field.type, m.OptionalOf):
                named[parameter] = self._transient(field)
        inner_name = unit.declared(inner.key)
        value = call(inner_name, **named)
        enter = self._function(f"{node}_enter", [f"outer: {self.state_name}", *more], inner_name, value)
        writer = Writer(unit, Scope(inner, "inner", locals_))
        recorded = self._recorded(writer, lens.outputs, self.graph.state)
        leave = self._function(f"{node}_leave", [f"inner: {inner_name}", *more], self._mutations(), recorded)
        return enter, leave

    def _parameter(self, state: m.State, field: m.Field) -> str:
        names = self.unit.all_names[state.key.path]
        if field.name in names.types or field.name == "self":
            return names.of_state(state)[field.name]
        return field.name

    def _input(self, writer: Writer, value: m.Expr) -> Piece:
        piece = writer.write(value)
        if isinstance(value.type, m.StateType):
            return f"{flat(piece)}.__lg_fork__()"
        return piece if not is_none(value) else "None"

    def _transient(self, field: m.Field) -> Piece:
        """A transient field of the inner state: the outer state's of the same name."""
        outer = self.state.field(field.name)
        if outer is not None and outer.transient and outer.type == field.type:
            return f"outer.{self.unit.state_attributes(self.state.key)[field.name]}"
        return call(f"{self.unit.lg}.transient", "{}", literal(field.name))

    # --- the plan -------------------------------------------------------------------------------------------

    def _edge(self, edge: LoweredEdge) -> Piece:
        named: dict[str, Piece] = {}
        if edge.guard is not None:
            named["guard"] = self._guard(edge, edge.guard)
        if edge.max_visits is not None:
            named["max_visits"] = str(edge.max_visits)
        return call(f"{self.plan}.Edge", literal(edge.key), literal(edge.target), **named)

    def _route(self, route: LoweredRoute) -> Piece:
        named: list[Piece] = []
        if route.edges:
            named.append(Prefixed("edges=", tuple_of([self._edge(edge) for edge in route.edges])))
        if route.on:
            outcomes = [
                (literal(outcome), tuple_of([self._edge(edge) for edge in edges]))
                for outcome, edges in route.on.items()
            ]
            named.append(Prefixed("on=", dict_of(outcomes)))
        return Bracket(f"{self.plan}.Route(", tuple(named), ")")

    def _checkpointing(self, setting: m.Checkpointing) -> Piece:
        named: dict[str, Piece] = {"every_steps": repr(setting.every_steps)}
        if setting.every_ms is not None:
            named["every"] = repr(seconds(setting.every_ms))
        if setting.events:
            events = tuple(literal(event) for event in sorted(set(setting.events)))
            named["on"] = call(self.unit.builtin("frozenset"), Bracket("{", events, "}"))
        if (weights := setting.adaptive) is not None:
            shown = (weights.duration, weights.tokens, weights.effects, weights.threshold)
            parts = zip(("duration", "tokens", "effects", "threshold"), shown, strict=True)
            named["adaptive"] = call(f"{self.plan}.Adaptive", **{k: repr(float(v)) for k, v in parts})
        if setting.manual:
            named["manual"] = "True"
        if setting.keep_count is not None:
            named["keep_count"] = str(setting.keep_count)
        if setting.keep_ms is not None:
            named["keep"] = repr(seconds(setting.keep_ms))
        if setting.compact_steps is not None:
            named["compact_steps"] = str(setting.compact_steps)
        return call(f"{self.plan}.Checkpointing", **named)

    def write(self, hash_name: str, operational: str, canonical: str) -> Piece:
        """The plan."""
        graph = self.graph
        return call(
            f"{self.plan}.Graph",
            name=literal(graph.key.name),
            source=literal(graph.key.path),
            hash=hash_name,
            operational_hash=literal(operational),
            canonical=literal(canonical),
            state=self.state_name,
            nodes=dict_of([(literal(node.name), self._node(node)) for node in graph.nodes]),
            routes=dict_of([(literal(id), self._route(route)) for id, route in routes(graph).items()]),
            max_steps=str(graph.max_steps),
            checkpointing=self._checkpointing(graph.checkpointing),
            **self._migrations(),
            places=self._places(),
        )

    def _migrations(self) -> dict[str, Piece]:
        """The `migrate` blocks; nothing where there are none."""
        found = migrations_of(self.unit.program, self.graph.key)
        if not found:
            return {}
        blocks = [
            call(
                f"{self.plan}.Migration",
                literal(block.source),
                tuple_of([self._step(step) for step in block.steps]),
                literal(block.place),
            )
            for block in found
        ]
        return {"migrations": tuple_of(blocks)}

    def _step(self, step: MigrationStep) -> Piece:
        name = f"{self.plan}.{type(step).__name__}"
        return call(name, *(literal(getattr(step, field.name)) for field in fields(step)))

    def _places(self) -> Piece:
        """Line and column of everything, one text for each source: a large graph has thousands."""
        texts: dict[str, list[str]] = {}
        for id, place in places_of(self.unit.program, self.graph.key).items():
            source, line, column = place.rsplit(":", 2)
            texts.setdefault(source, []).append(f"{line}:{column} {id}")
        written = [(literal(source), literal("\n".join(lines))) for source, lines in sorted(texts.items())]
        return call(f"{self.plan}.Places", dict_of(written))


def _item_type(over: m.Type) -> m.Type:
    match over:
        case m.ListOf(item) | m.SetOf(item) | m.DictOf(item, _):
            return item
        case _:
            return m.Unknown()
