"""From written scenarios and migrations to the model's: every name they use, every argument they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from ...dsl import ast
from .. import model
from ..context import Unit
from ..model import END, Key, Param
from .calls import answer_call, constant_value, mutation_call
from .expressions import Scope, Typer
from .inner import graph_named
from .inputs import inputs_of, wanted
from .nodes import choice

_ACTS: dict[type, str] = {
    ast.RecordsAct: "record mutations",
    ast.FailsAct: "fail",
    ast.TimesOutAct: "time out",
    ast.GoesToAct: "go to a node",
    ast.DecidesAct: "decide",
    ast.ReroutesAct: "reroute",
}
# What a scripted visit of each kind of node can do; a node with a graph inside is scripted as a whole.
_CAN: dict[str, tuple[type, ...]] = {
    "task": (ast.RecordsAct, ast.FailsAct, ast.TimesOutAct, ast.GoesToAct),
    "barrier": (ast.DecidesAct, ast.ReroutesAct, ast.TimesOutAct),
    "subgraph": (ast.RecordsAct, ast.FailsAct),
    "map": (ast.RecordsAct, ast.FailsAct),
    "parallel": (),
    "decision": (),
}
_KIND: dict[type, str] = {
    model.Task: "task",
    model.Decision: "decision",
    model.Barrier: "barrier",
    model.Parallel: "parallel",
    model.Subgraph: "subgraph",
    model.MapNode: "map",
}


class Known:
    """A resolved graph as scenarios and migrations see it."""

    def __init__(self, unit: Unit, graph: model.Graph) -> None:
        tables = unit.context.tables
        self.graph = graph
        self.nodes = {node.name: node for node in graph.nodes}
        self.fields = tables.states.get(graph.state, {})
        self.mutations: Mapping[str, tuple[Param, ...]] = tables.mutations.get(graph.state, {})
        self.stateless = graph.state not in tables.states
        self.inputs = inputs_of(graph.state, tables)


Graphs = dict[Key, Known]


def known_graph(unit: Unit, name: ast.Name, graphs: dict[Key, model.Graph], cache: Graphs) -> Known | None:
    """The graph of that name as scenarios see it."""
    key = graph_named(unit, name)
    graph = None if key is None else graphs.get(key)
    if graph is None:
        return None
    if graph.key not in cache:
        cache[graph.key] = Known(unit, graph)
    return cache[graph.key]


# --- scenarios ----------------------------------------------------------------------------------------------


class ScenarioReader:
    """Reads one scenario."""

    def __init__(self, unit: Unit, written: ast.Scenario, known: Known) -> None:
        self.unit = unit
        self.written = written
        self.known = known
        self.typer = Typer(Scope(unit))
        self.giver = Typer(Scope(unit, states=True))
        self.given: dict[str, model.Expr] = {}
        self.places: dict[str, ast.Name] = {}
        self.visits: list[model.ScriptedVisit] = []
        self.expected: list[model.Expectation] = []

    def scenario(self) -> model.Scenario:
        """The scenario of the model."""
        for item in self.written.items:
            match item:
                case ast.Given():
                    self.give(item)
                case ast.Visit():
                    self.visit(item)
                case ast.ExpectPath():
                    self.path(item)
                case ast.ExpectThat(condition=condition, span=span):
                    types = {name: shape.type for name, shape in self.known.fields.items()}
                    typer = Typer(Scope(self.unit, types))
                    found = typer.condition(condition, "`expect`", {})
                    self.expected.append(model.ExpectedTruth(found, self.unit.place(span)))
                case ast.ExpectEnd(name=name, span=span):
                    if self.node(name) is not None:
                        self.expected.append(model.ExpectedEnd(name.text, self.unit.place(span)))
                case ast.ExpectFailure(text=text, span=span):
                    self.expected.append(model.ExpectedFailure(text.value, self.unit.place(span)))
        self.missing()
        return model.Scenario(
            self.written.title.value,
            self.known.graph.key,
            tuple(self.given.items()),
            tuple(self.visits),
            tuple(self.expected),
            self.unit.place(self.written.title.span),
        )

    def give(self, written: ast.Given) -> None:
        """`given { f = e }`."""
        for name, value in written.values:
            field = self.known.fields.get(name.text)
            first = self.places.setdefault(name.text, name)
            if first is not name:
                self.unit.again(name, first)
            elif field is None:
                if not self.known.stateless:
                    what = f"state `{self.known.graph.state.name}` has no field"
                    self.unit.undefined(what, name, self.known.fields, code="LG202")
                self.giver.infer(value, {})
            elif field.transient:
                from .building import not_given  # a mistake

                not_given(self.giver, name)
            else:
                what = f"field `{name.text}`"
                self.given[name.text] = constant_value(self.giver, value, field.type, what)

    def missing(self) -> None:
        """Inputs that are not given: the run could not start."""
        missing = [name for name in self.known.inputs if name not in self.given]
        if missing and not self.unit.has_errors(self.written.span):
            names = ", ".join(f"`{name}`" for name in missing)
            message = f"graph `{self.known.graph.key.name}` needs {names} to start"
            help = wanted(missing, self.known.graph.state, self.unit.context.tables)
            help = f"give {'it' if len(missing) == 1 else 'them'}: `given {{ {help} }}`"
            self.unit.error("LG203", message, self.written.title.span, help=help)

    def node(self, name: ast.Name) -> model.Node | None:
        """The node of that name (LG101)."""
        found = self.known.nodes.get(name.text)
        if found is None:
            where = f" in graph `{self.known.graph.key.name}`"
            self.unit.undefined("node", name, self.known.nodes, where=where)
        return found

    def calls(self, written: tuple[ast.MutationCall, ...]) -> tuple[model.MutationCall, ...]:
        """Mutations with constant arguments."""
        if self.known.stateless:
            return ()
        found = [mutation_call(self.typer, call, self.known.mutations) for call in written]
        return tuple(call for call in found if call is not None)

    def target(self, name: ast.Name) -> str:
        """A node, or `end`."""
        if name.text != END:
            self.node(name)
        return name.text

    def visit(self, written: ast.Visit) -> None:
        """What one visit of a node does."""
        node = self.node(written.name)
        if node is None:
            return
        kind = _KIND[type(node)]
        records: tuple[model.MutationCall, ...] = ()
        modifies: tuple[model.MutationCall, ...] = ()
        fails: str | None = None
        goes_to: str | None = None
        reroutes: str | None = None
        decides: model.AnswerCall | None = None
        times_out = False
        for act in written.acts:
            if not isinstance(act, _CAN[kind]):
                message = f"a {kind} does not {_ACTS[type(act)]}"
                help = f"`{written.name.text}` is a {kind}; leave the line out" if not _CAN[kind] else ""
                self.unit.error("LG404", message, act.span, help=help)
                continue
            match act:
                case ast.RecordsAct(mutations=calls):
                    records += self.calls(calls)
                case ast.FailsAct(message=text):
                    fails = text.value
                case ast.TimesOutAct():
                    times_out = True
                case ast.GoesToAct(target=target):
                    goes_to = self.target(target)
                case ast.DecidesAct(modifies=calls, decision=decision):
                    modifies += self.calls(calls)
                    answers = {a.name: a.params for a in cast(model.Barrier, node).answers}
                    decides = answer_call(self.typer, decision, answers, node.name)
                case ast.ReroutesAct(modifies=calls, target=target):
                    modifies += self.calls(calls)
                    reroutes = self.target(target)
        place = self.unit.place(written.span)
        self.visits.append(
            model.ScriptedVisit(
                written.name.text, records, fails, times_out, goes_to, modifies, decides, reroutes, place
            )
        )

    def path(self, written: ast.ExpectPath) -> None:
        """`expect path a, b`, `expect path check/facts: a, b`."""
        for name in written.names:
            self.node(name)
        frame = written.frame
        if frame:
            node = self.node(frame[0])
            if node is not None and not isinstance(node, model.Parallel):
                message = f"`{frame[0].text}` is a {_KIND[type(node)]}, which has no branches"
                self.unit.error("LG201", message, frame[0].span)
            for name in frame[1:2] if isinstance(node, model.Parallel) else ():
                branches = [b.name for b in node.branches] if isinstance(node, model.Parallel) else []
                if name.text not in branches:
                    self.unit.undefined("branch", name, branches)
        texts = tuple(name.text for name in written.names)
        place = self.unit.place(written.span)
        self.expected.append(model.ExpectedPath(tuple(n.text for n in frame), texts, place))


# --- migrations ---------------------------------------------------------------------------------------------


def migration(unit: Unit, written: ast.Migrate, known: Known) -> model.Migration:
    """The migration of the model; `migrations.checks` looks at what it says."""
    from ..migrations.loose import loose_text  # most files have scenarios only

    if not written.hash.value.startswith("lg1:"):
        message = "a graph's hash is `lg1:` and hexadecimal digits"
        unit.error("LG701", message, written.hash.span, help="`lgc hash` shows the hashes of graphs")
    steps: list[model.MigrationStep] = []
    for item in written.items:
        place = unit.place(item.span)
        match item:
            case ast.Rename(what=what, old=old, new=new):
                if choice(unit, "element", what, ("node", "field", "mutation")):
                    kind = cast(Literal["node", "field", "mutation"], what.text)
                    steps.append(model.RenameStep(kind, old.text, new.text, place))
            case ast.SetField(field=field, value=value):
                text = unit.source.text[value.span.start : value.span.end]
                unit.mention(text)
                form = loose_text(unit, value)
                steps.append(model.SetStep(field.text, text, form, place))
            case ast.DropField(field=field):
                steps.append(model.DropStep(field.text, place))
            case ast.Move(old=old, new=new):
                steps.append(model.MoveStep(old.text, new.text, place))
    place, source = unit.place(written.graph.span), unit.place(written.hash.span)
    return model.Migration(known.graph.key, written.hash.value, tuple(steps), place, source)
