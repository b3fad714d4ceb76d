"""From a resolved graph to the elements of its canonical form, each a JSON value under its id.

    graph                          name, state, max_steps
    state/field/F                  a durable field of the graph's state
    state/mutation/M
    substate/S/field/F             a durable field of a state that is the type of a field
    enum/E  record/R  union/U      what those fields, mutations and expressions mention
    node/N
    edges/N  edges/start  edges/check/style/start    all edges that leave one source (here: of one branch)
    subgraph/G                     the hash of a graph that a node runs

Each element stands for itself: an edit of one declaration changes its element and no other. Whatever is a
set in the language (members, `reads`, `records` …) is sorted; whatever is a sequence keeps its order: the
`when` edges of a node, branches (joins apply them in order), statements, the mutations of `out` and of a
decision, the parameters of a mutation (generated classes take them by position too).

What says the default is left out, so that writing it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, assert_never

from ...dsl.source import Place
from .. import model as m
from .expressions import expression_form
from .jcs import Json
from .values import Labels, bound_form, integer_form, type_form

Form: TypeAlias = dict[str, Json]
Element: TypeAlias = tuple[str, Form]


class Elements:
    """The elements of one graph, one after the other."""

    def __init__(self, program: m.Program, graph: m.Graph, hashes: Mapping[m.Key, str]) -> None:
        """`hashes` holds the hash of every graph that a node of `graph` runs."""
        self._program = program
        self._graph = graph
        self._hashes = hashes
        self._labels = Labels()
        self._graph_labels = Labels()

    @property
    def labels(self) -> Mapping[m.Key, str]:
        """What declarations are called, those of graphs included; complete once all elements are taken."""
        named = (*self._labels.mentioned, *self._graph_labels.mentioned)
        return {key: (self._graph_labels if key in self._hashes else self._labels)(key) for key in named}

    def __iter__(self) -> Iterator[Element]:
        """Every element and its id, once, in the order in which labels are given out."""
        graph = self._graph
        yield "graph", self._header()
        state = self._program.states[graph.state]
        yield from self._fields("state", state)
        for mutation in sorted(state.mutations, key=_name):
            yield f"state/mutation/{mutation.name}", self._mutation(mutation)
        for node in sorted(graph.nodes, key=_name):
            yield f"node/{node.name}", self._node(node)
        for region in sorted(graph.regions, key=_id):
            yield from self._edges(region)
        yield from self._mentioned()
        for key in self._graph_labels.mentioned:
            yield f"subgraph/{self._graph_labels(key)}", {"hash": self._hashes[key]}

    def _header(self) -> Form:
        graph = self._graph
        return {
            "name": graph.key.name,
            "state": self._labels(graph.state),
            "max_steps": integer_form(graph.max_steps),
        }

    # --- data ---------------------------------------------------------------------------------------------

    def _mentioned(self) -> Iterator[Element]:
        """The declarations that labels were given to, and those that these mention."""
        program, labels = self._program, self._labels
        done = 0
        while done < len(labels.mentioned):
            key = labels.mentioned[done]
            label = labels(key)
            done += 1
            if (enum := program.enums.get(key)) is not None:
                yield f"enum/{label}", {"members": sorted(member.name for member in enum.members)}
            elif (record := program.records.get(key)) is not None:
                yield f"record/{label}", {"fields": self._record(record)}
            elif (union := program.unions.get(key)) is not None:
                members = sorted(union.members, key=_key_name)
                yield f"union/{label}", {"members": [labels(member) for member in members]}
            elif key != self._graph.state and (state := program.states.get(key)) is not None:
                yield from self._fields(f"substate/{label}", state)

    def _record(self, record: m.Record) -> Form:
        fields: Form = {}
        for field in sorted(record.fields, key=_name):
            fields[field.name] = self._typed(field)
        return fields

    def _fields(self, prefix: str, state: m.State) -> Iterator[Element]:
        for field in sorted(state.fields, key=_name):
            if not field.transient:
                yield f"{prefix}/field/{field.name}", self._field(field)

    def _field(self, field: m.Field) -> Form:
        form = self._typed(field)
        for name, bounds in (("range", field.range), ("length", field.length)):
            if bounds is not None and bounds != (None, None):
                form[name] = [bound_form(bounds.low), bound_form(bounds.high)]
        if field.pattern is not None:
            form["pattern"] = field.pattern
        if field.merge is not None and field.merge.rule != "error":
            target = field.merge.target
            form["merge"] = field.merge.rule if target is None else [field.merge.rule, str(target)]
        return form

    def _typed(self, field: m.Field | m.RecordField) -> Form:
        """Type and default; an optional field is `none` without saying so."""
        form: Form = {"type": type_form(field.type, self._labels)}
        if field.default is not None:
            default = expression_form(field.default, self._labels)
            if default is not None or not isinstance(field.type, m.OptionalOf):
                form["default"] = default
        return form

    def _mutation(self, mutation: m.Mutation) -> Form:
        form: Form = {"params": self._params(mutation.params)}
        if mutation.external is not None:
            form["external"] = str(mutation.external)
            form["writes"] = sorted(mutation.writes)
        else:
            form["body"] = [self._statement(statement) for statement in mutation.body]
        return form

    def _params(self, params: Iterable[m.Param]) -> list[Json]:
        return [[param.name, type_form(param.type, self._labels)] for param in params]

    def _statement(self, statement: m.Statement) -> Form:
        target = statement.target
        form: Form = {"path": target.path}
        if target.key is not None:
            form["key"] = expression_form(target.key, self._labels)
        match statement:
            case m.Assign():
                form["op"] = statement.op
                form["value"] = expression_form(statement.value, self._labels)
            case m.Delete():
                form["op"] = "del"
            case _:
                assert_never(statement)
        return form

    # --- nodes --------------------------------------------------------------------------------------------

    def _node(self, node: m.Node) -> Form:
        form: Form
        match node:
            case m.Task():
                form = _task(node)
            case m.Decision():
                form = {"kind": "decision"}
            case m.Barrier():
                form = self._barrier(node)
            case m.Parallel():
                form = _parallel(node)
            case m.Subgraph():
                form = {"kind": "subgraph", "graph": self._graph_labels(node.graph), **self._lens(node.lens)}
                _put_count(form, node)
            case m.MapNode():
                form = {
                    "kind": "map",
                    "graph": self._graph_labels(node.graph),
                    "over": expression_form(node.over, self._labels),
                    "item": node.item,
                    **self._lens(node.lens),
                    "on_error": node.on_error,
                }
                _put_count(form, node)
            case _:
                assert_never(node)
        if node.region:
            form["region"] = node.region
        return form

    def _barrier(self, node: m.Barrier) -> Form:
        answers: Form = {}
        for answer in sorted(node.answers, key=_name):
            offered: Form = {"params": self._params(answer.params)}
            if answer.records:
                offered["records"] = self._calls(answer.records)
            answers[answer.name] = offered
        form: Form = {"kind": "barrier", "decisions": answers}
        if node.timeout_decides is not None:
            form["timeout"] = [node.timeout_decides.answer, self._arguments(node.timeout_decides.args)]
        _put_names(form, "modify", node.modify)
        _put_names(form, "reroute", node.reroute)
        return form

    def _lens(self, lens: m.SameState | m.OnField | m.InOut) -> Form:
        match lens:
            case m.SameState():
                return {"lens": "same"}
            case m.OnField(field):
                return {"lens": "field", "on": field}
            case m.InOut(inputs, outputs):
                return {"lens": "values", "in": self._arguments(inputs), "out": self._calls(outputs)}
            case _:
                assert_never(lens)

    def _calls(self, calls: Iterable[m.MutationCall]) -> list[Json]:
        return [[call.mutation, self._arguments(call.args)] for call in calls]

    def _arguments(self, args: Iterable[tuple[str, m.Expr]]) -> Form:
        return {name: expression_form(value, self._labels) for name, value in sorted(args, key=_first)}

    # --- edges --------------------------------------------------------------------------------------------

    def _edges(self, region: m.Region) -> Iterator[Element]:
        groups: dict[str, list[m.Edge]] = {}
        for edge in region.edges:
            groups.setdefault(edge.source, []).append(edge)
        for source in sorted(groups):
            inside = f"{region.id}/" if source == m.START and region.id else ""
            yield f"edges/{inside}{source}", self._edge_group(groups[source])

    def _edge_group(self, edges: Sequence[m.Edge]) -> Form:
        """The edges of one source by trigger; the order written counts among those of one trigger only."""
        form: dict[str, list[Json]] = {}
        for edge in edges:
            value: Form = {"to": edge.target}
            if edge.guard is not None:
                value["guard"] = expression_form(edge.guard, self._labels)
            if edge.max_visits is not None:
                value["max_visits"] = integer_form(edge.max_visits)
            trigger = f"on {edge.outcome}" if edge.trigger == "on" else edge.trigger
            form.setdefault(trigger, []).append(value)
        return dict(form)


def _task(node: m.Task) -> Form:
    form: Form = {"kind": "task", "effect": node.effect}
    if node.reads:
        required = {read.field: False for read in node.reads}
        required.update((read.field, True) for read in node.reads if read.required)
        form["reads"] = sorted([f"{name}!" if needed else name for name, needed in required.items()])
    _put_names(form, "records", node.records)
    _put_names(form, "ensures", node.ensures)
    _put_names(form, "goto", node.goto)
    return form


def _parallel(node: m.Parallel) -> Form:
    form: Form = {
        "kind": "parallel",
        "branches": [branch.name for branch in node.branches],
        "join": node.join,
        "on_error": node.on_error,
    }
    if node.join == "first":
        form["count"] = integer_form(node.join_count)
    return form


def _put_names(form: Form, name: str, values: Sequence[tuple[str, Place]]) -> None:
    if values:
        form[name] = sorted({value for value, _ in values})


def _put_count(form: Form, node: m.Subgraph | m.MapNode) -> None:
    if node.max_steps is not None:
        form["max_steps"] = integer_form(node.max_steps)


def _name(item: m.Field | m.RecordField | m.Mutation | m.Node | m.Answer) -> str:
    return item.name


def _id(region: m.Region) -> str:
    return region.id


def _key_name(key: m.Key) -> str:
    return key.name


def _first(pair: tuple[str, m.Expr]) -> str:
    return pair[0]
