"""Rule LG508: what decides about a run, or is logged, must not depend on what is in memory only.

A transient field comes from outside whenever a run starts or is restored. So tasks may read it; guards,
mutations, `shows`, `over`, `in` and `out` may not, and nothing may set it: the value would be gone after the
next restore.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Label, Severity
from ...dsl.source import Place
from .. import model as m
from ..effects.mentions import parts
from ..model import Expr, Key, StateType
from ..resolve import Resolved
from ..rule import Rule

_READ = "let a task read it, and record what follows from it in another field"
_SET = "who starts or restores a run gives it its value; keep what has to last in another field"


class _Search:
    """Finds transient fields in the parts of a program where they cannot be used."""

    def __init__(self, program: m.Program) -> None:
        self.program = program
        self.transient: dict[tuple[Key, str], m.Field] = {
            (key, field.name): field
            for key, state in program.states.items()
            for field in state.fields
            if field.transient
        }

    def found(self) -> Iterator[Diagnostic]:
        """Every use that cannot be."""
        for state in self.program.states.values():
            for mutation in state.mutations:
                yield from self.mutation(state, mutation)
        for graph in self.program.graphs.values():
            for region in graph.regions:
                for edge in region.edges:
                    if edge.guard is not None:
                        yield from self.read(edge.guard, graph.state, "a guard")
            for node in graph.nodes:
                yield from self.node(graph, node)

    def read(self, expr: Expr, state: Key, where: str) -> Iterator[Diagnostic]:
        """Each transient field that an expression over a state looks at, once."""
        seen: set[tuple[Key, str]] = set()
        todo = [expr]
        while todo:
            at = todo.pop()
            key = _named(at, state)
            if key is not None and key in self.transient and key not in seen:
                seen.add(key)
                yield self.finding(key, at.place, where, _READ)
            else:
                todo.extend(reversed(parts(at)))  # from left to right: the first use is told

    def finding(self, key: tuple[Key, str], place: Place, where: str, help: str) -> Diagnostic:
        """One use."""
        declared = (Label(self.transient[key].place, "declared `transient` here"),)
        message = f"{where} uses the transient field `{key[1]}`"
        if help == _SET:
            message = f"{where} sets the transient field `{key[1]}`"
        return TRANSIENT.found(message, place, help=help, related=declared)

    def mutation(self, state: m.State, mutation: m.Mutation) -> Iterator[Diagnostic]:
        """What a mutation's statements look at and set."""
        where = f"mutation `{mutation.name}`"
        if mutation.external is not None:
            for name in mutation.writes:
                if (state.key, name) in self.transient:
                    yield self.finding((state.key, name), mutation.place, where, _SET)
        for step in mutation.body:
            at = state.key
            for name in step.target.path:
                if (at, name) in self.transient:
                    yield self.finding((at, name), step.target.place, where, _SET)
                declared = self.program.states.get(at)
                field = None if declared is None else declared.field(name)
                if field is None or not isinstance(field.type, StateType):
                    break
                at = field.type.key
            if step.target.key is not None:
                yield from self.read(step.target.key, state.key, where)
            if isinstance(step, m.Assign):
                yield from self.read(step.value, state.key, where)

    def node(self, graph: m.Graph, node: m.Node) -> Iterator[Diagnostic]:
        """What the clauses of a node look at."""
        match node:
            case m.Barrier(answers=answers, shows=shows, timeout_decides=taken):
                for name, place in shows:
                    if (graph.state, name) in self.transient:
                        yield self.finding((graph.state, name), place, "`shows`", _READ)
                calls = [call for answer in answers for call in answer.records]
                for _, value in [a for c in (*calls, taken) if c is not None for a in c.args]:
                    yield from self.read(value, graph.state, f"an answer of barrier `{node.name}`")
            case m.Subgraph(lens=m.InOut() as lens):
                yield from self.lens(graph, node.graph, lens)
            case m.MapNode():
                yield from self.read(node.over, graph.state, "`over`")
                yield from self.lens(graph, node.graph, node.lens)
            case _:
                pass

    def lens(self, graph: m.Graph, inner: Key, lens: m.InOut) -> Iterator[Diagnostic]:
        """`in` and `out`."""
        known = self.program.graphs.get(inner)
        if known is None:
            return
        for name, value in lens.inputs:
            if (known.state, name) in self.transient:
                yield self.finding((known.state, name), value.place, "`in`", _SET)
            else:
                yield from self.read(value, graph.state, "`in`")
        for call in lens.outputs:
            for _, value in call.args:
                yield from self.read(value, known.state, "`out`")


def _named(expr: Expr, state: Key) -> tuple[Key, str] | None:
    """The field of a state that an expression ends at."""
    if isinstance(expr, m.FieldRef):
        return state, expr.field
    if isinstance(expr, m.Attr) and isinstance(expr.base.type, StateType):
        return expr.base.type.key, expr.name
    return None


def _transient(resolved: Resolved) -> Iterator[Diagnostic]:
    search = _Search(resolved.program)
    if search.transient:
        yield from search.found()


_WORK = (
    "graph work(Job) {\n  task plan\n\n  start -> plan when fast\n  start -> end  else\n  plan -> end\n}\n"
)

TRANSIENT = Rule(
    "LG508",
    "transient-in-logic",
    Severity.ERROR,
    "a transient field in a guard, a mutation, `shows` or a map",
    "It is not stored, so a run that is restored could take another way than it took before, and what a "
    "mutation puts into it would be gone. Tasks may read it. The inner state of a subgraph or map takes a "
    "transient field that must be given from the outer field of the same name and type, without `in`.",
    "state Job {\n  transient fast: bool = false\n}\n\n" + _WORK,
    "state Job {\n  fast: bool\n}\n\n" + _WORK,
    check_program=_transient,
)

RULES = (TRANSIENT,)
