"""From a program to what reads and what sets each field of its states, and which mutations are recorded.

A *place* is a field of one state: the state's key and the field's name. An expression that goes through a
sub-state reads the sub-state's field too; one that takes a sub-state as a whole reads all that is in it. A
mutation that looks at a field only to change that same field (`n += 1`, `n = n + 1`) does not read it, while
a Python function that computes a mutation sees every field.

Expressions are walked only as long as a field that they could name is not known to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from .. import model as m
from ..model import Expr, Key, Program, StateType
from .mentions import parts

FieldPlace: TypeAlias = tuple[Key, str]
NOTHING: set[str] = set()  # of a state that is not known


class FieldUses:
    """What is known after everything was looked at.

    Attributes:
        unread: the names of the fields of each state that nothing reads.
        setters: which mutations set a field, in the order of their state.
        required: fields that a task requires (`f!`).
        given: fields that are set from elsewhere: by `in`, a subgraph that works on them, a scenario.
        recorded: the mutations of each state that some node may record.
        bound: the states that graphs work on.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.unread: dict[Key, set[str]] = {
            key: {field.name for field in state.fields} for key, state in program.states.items()
        }
        self.setters: dict[FieldPlace, dict[str, None]] = {}
        self.given: set[FieldPlace] = set()
        self.required: set[FieldPlace] = set()
        self.recorded: dict[Key, set[str]] = {}
        self.bound: dict[Key, m.Graph] = {}
        self._nested = {key for key, state in program.states.items() if any(_sub_states(state))}
        self._seen_whole: set[Key] = set()
        self._given_whole: set[Key] = set()
        for graph in program.graphs.values():
            self._graph(graph)
        for state in program.states.values():
            for mutation in state.mutations:
                self._mutation(state, mutation)
        for module in program.modules:
            for scenario in module.scenarios:
                self._scenario(scenario)
            for migration in module.migrations:
                self._migration(migration)
        for graph in program.graphs.values():
            self._guards(graph)

    # --- what is noted --------------------------------------------------------------------------------------

    def _whole(self, state: Key) -> None:
        """All of a state is read."""
        for declared in self._below(state, self._seen_whole):
            self.unread[declared.key].clear()

    def _below(self, state: Key, seen: set[Key]) -> Iterator[m.State]:
        """A state and those inside it that were not seen before."""
        todo = [state]
        while todo:
            key = todo.pop()
            declared = self.program.states.get(key)
            if declared is not None and key not in seen:
                seen.add(key)
                yield declared
                todo.extend(_sub_states(declared))

    def _open(self, state: Key) -> bool:
        """Whether an expression over a state may name a field that nothing is known to read."""
        return state in self._nested or bool(self.unread.get(state))

    def _read(self, state: Key, names: Iterable[str]) -> None:
        """Fields are read as they are."""
        unread = self.unread.get(state)
        if not unread:
            return
        fresh = unread.intersection(names)
        if fresh:
            unread -= fresh
            for name in fresh:
                field = self.program.states[state].field(name)
                if field is not None and isinstance(field.type, StateType):
                    self._whole(field.type.key)

    def _look(self, expr: Expr, state: Key, own: FieldPlace | None = None) -> None:
        """An expression over a state; what it says of `own` does not count."""
        if not self._open(state):
            return
        todo = [expr]
        while todo:
            at = todo.pop()
            if isinstance(at.type, StateType) and isinstance(at, m.FieldRef | m.Attr):
                self._whole(at.type.key)
            while isinstance(at, m.Attr):
                base = at.base
                if isinstance(base.type, StateType) and (base.type.key, at.name) != own:
                    self.unread.get(base.type.key, NOTHING).discard(at.name)
                at = base
            if isinstance(at, m.FieldRef):
                if (state, at.field) != own:
                    self.unread.get(state, NOTHING).discard(at.field)
            else:
                todo.extend(parts(at))

    def _set(self, state: Key, path: tuple[str, ...], mutation: str) -> FieldPlace:
        """A mutation sets what a path names; returns the innermost field of a state in it."""
        at = state
        place = (state, path[0])
        for name in path:
            place = (at, name)
            self.setters.setdefault(place, {})[mutation] = None
            declared = self.program.states.get(at)
            field = None if declared is None else declared.field(name)
            if field is None or not isinstance(field.type, StateType):
                break
            at = field.type.key
        return place

    def _give(self, state: Key, name: str) -> None:
        """A field is set from outside its state, with everything in it."""
        self.given.add((state, name))
        declared = self.program.states.get(state)
        field = None if declared is None else declared.field(name)
        if field is not None and isinstance(field.type, StateType):
            for inner in self._below(field.type.key, self._given_whole):
                self.given.update((inner.key, part.name) for part in inner.fields)

    # --- what is looked at ----------------------------------------------------------------------------------

    def _graph(self, graph: m.Graph) -> None:
        self.bound.setdefault(graph.state, graph)
        recorded = self.recorded.setdefault(graph.state, set())
        for node in graph.nodes:
            match node:
                case m.Task():
                    if node.reads:
                        self._read(graph.state, [read.field for read in node.reads])
                        required = [read.field for read in node.reads if read.required]
                        self.required.update((graph.state, name) for name in required)
                    recorded.update([name for name, _ in node.records])
                case m.Barrier():
                    self._barrier(graph, node, recorded)
                case m.Subgraph(lens=m.OnField(field=field)):
                    self.unread.get(graph.state, NOTHING).discard(field)
                    self.given.add((graph.state, field))
                case m.Subgraph(lens=m.InOut() as lens):
                    self._lens(graph, node.graph, lens, recorded)
                case m.MapNode():
                    self._look(node.over, graph.state)
                    self._lens(graph, node.graph, node.lens, recorded)
                case _:
                    pass

    def _barrier(self, graph: m.Graph, node: m.Barrier, recorded: set[str]) -> None:
        self._read(graph.state, [name for name, _ in node.shows])
        recorded.update([name for name, _ in node.modify])
        for answer in node.answers:
            for call in answer.records:
                recorded.add(call.mutation)
                for _, value in call.args:
                    self._look(value, graph.state)
        if node.timeout_decides is not None:
            for _, value in node.timeout_decides.args:
                self._look(value, graph.state)

    def _lens(self, graph: m.Graph, inner: Key, lens: m.InOut, recorded: set[str]) -> None:
        """`in` and `out`."""
        known = self.program.graphs.get(inner)
        for name, value in lens.inputs:
            self._look(value, graph.state)
            if known is not None:
                self._give(known.state, name)
        for call in lens.outputs:
            recorded.add(call.mutation)
            for _, value in call.args:
                if known is not None:
                    self._look(value, known.state)

    def _mutation(self, state: m.State, mutation: m.Mutation) -> None:
        if mutation.external is not None:
            self._whole(state.key)
            for name in mutation.writes:
                self._set(state.key, (name,), mutation.name)
                field = state.field(name)
                if field is not None and isinstance(field.type, StateType):
                    self._give(state.key, name)
        for step in mutation.body:
            own = self._set(state.key, step.target.path, mutation.name)
            if step.target.key is not None:
                self._look(step.target.key, state.key, own)
            if isinstance(step, m.Assign) and not isinstance(step.value, m.ParamRef):
                self._look(step.value, state.key, own)

    def _scenario(self, scenario: m.Scenario) -> None:
        graph = self.program.graphs.get(scenario.graph)
        if graph is None:
            return
        todo = [(graph.state, scenario.given)]
        while todo:
            state, fields = todo.pop()
            for name, value in fields:
                self.given.add((state, name))
                if isinstance(value, m.MakeRecord) and isinstance(value.type, StateType):
                    todo.append((value.record, value.fields))
        for expected in scenario.expectations:
            if isinstance(expected, m.ExpectedTruth):
                self._look(expected.condition, graph.state)

    def _migration(self, migration: m.Migration) -> None:
        graph = self.program.graphs.get(migration.graph)
        for step in migration.steps if graph is not None else ():
            if isinstance(step, m.SetStep) and graph is not None:
                self._give(graph.state, step.field)

    def _guards(self, graph: m.Graph) -> None:
        for region in graph.regions:
            for edge in region.edges:
                if edge.guard is not None:
                    if not self._open(graph.state):
                        return
                    self._look(edge.guard, graph.state)


def _sub_states(state: m.State) -> Iterator[Key]:
    return (field.type.key for field in state.fields if isinstance(field.type, StateType))
