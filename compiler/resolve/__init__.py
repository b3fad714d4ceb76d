"""From syntax trees to the resolved program.

Passes, each over all files: names, imported names, types of fields, parameters of mutations, then
everything with expressions in it. So a declaration may stand before or after what uses it, in this file
or another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.frozen import frozen
from .. import model
from ..context import Context, Unit
from ..model import Key, Module, Program
from ..project import Project
from . import data as resolve_data
from . import state as resolve_state
from .graph import Gaps, graph, graph_state

if TYPE_CHECKING:
    from .runs import Graphs


@frozen
class Resolved:
    """The program and what else is known of its files.

    Attributes:
        gaps: what of each graph is not known.
        uses: what the expressions of records and states name.
        project: the files, with the names that each mentions.
        unclear: paths of files with errors and of all that they import: what uses their names is not known.
    """

    program: Program
    gaps: Mapping[Key, Gaps]
    uses: Mapping[Key, set[Key]]
    project: Project
    unclear: frozenset[str]


def resolve(context: Context, project: Project) -> Resolved:
    """Look up every name and type every expression; reports LG1xx, LG2xx, mistakes in clauses."""
    units = project.units
    tables = context.tables
    for unit in units:
        resolve_data.declare(unit)
    own = {unit.path: dict(unit.symbols) for unit in units}
    declared = {unit.path: list(resolve_data.declarations(unit)) for unit in units}
    for unit in units:
        resolve_data.bind_imports(unit, project.links[unit.path], own)
    for unit in units:
        for declaration in declared[unit.path]:
            if isinstance(declaration, ast.State):
                resolve_state.shape_state(unit, declaration, tables)
            else:
                resolve_data.shape(unit, declaration, tables)
    for unit in units:
        for declaration in declared[unit.path]:
            if isinstance(declaration, ast.State):
                resolve_state.shape_mutations(unit, declaration, tables)
            elif isinstance(declaration, ast.Graph):
                state = graph_state(unit, declaration)
                if state is not None:
                    tables.graph_states[unit.key(declaration.name.text)] = state
    resolve_data.report_endless(units, tables)
    return _Second(project, declared).resolved(context)


class _Second:
    """The pass that makes the model."""

    def __init__(self, project: Project, declared: dict[str, list[resolve_data.DeclaredData]]) -> None:
        self.project = project
        self.declared = declared
        self.enums: dict[Key, model.Enum] = {}
        self.records: dict[Key, model.Record] = {}
        self.unions: dict[Key, model.Union] = {}
        self.opaques: dict[Key, model.Opaque] = {}
        self.states: dict[Key, model.State] = {}
        self.graphs: dict[Key, model.Graph] = {}
        self.gaps: dict[Key, Gaps] = {}
        self.uses: dict[Key, set[Key]] = {}

    def resolved(self, context: Context) -> Resolved:
        """Everything."""
        for unit in self.project.units:
            for declaration in self.declared[unit.path]:
                self.declaration(unit, declaration)
        known: Graphs = {}
        modules = [self.module(unit, known) for unit in self.project.units]
        modules.sort(key=lambda module: module.path)
        program = Program(
            tuple(modules), self.enums, self.records, self.unions, self.opaques, self.states, self.graphs
        )
        return Resolved(program, self.gaps, self.uses, self.project, _unclear(context, self.project))

    def declaration(self, unit: Unit, written: resolve_data.DeclaredData) -> None:
        """One declaration of the model."""
        key = unit.key(written.name.text)
        match written:
            case ast.Enum():
                self.enums[key] = resolve_data.enum(unit, written)
            case ast.Record():
                self.records[key] = resolve_data.record(unit, written, self.uses.setdefault(key, set()))
            case ast.Union():
                self.unions[key] = resolve_data.union(unit, written)
            case ast.Opaque():
                self.opaques[key] = resolve_data.opaque(unit, written)
            case ast.State():
                self.states[key] = resolve_state.state(unit, written, self.uses.setdefault(key, set()))
            case ast.Graph():
                self.graphs[key], self.gaps[key] = graph(unit, written)

    def module(self, unit: Unit, known: Graphs) -> Module:
        """What a file declares and imports, its scenarios and migrations."""
        scenarios: list[model.Scenario] = []
        migrations: list[model.Migration] = []
        titles: dict[tuple[str, str], ast.Scenario] = {}
        for written in unit.file.declarations:
            if not isinstance(written, ast.Scenario | ast.Migrate):
                continue
            from .runs import ScenarioReader, known_graph, migration  # most files have neither

            found = known_graph(unit, written.graph, self.graphs, known)
            if isinstance(written, ast.Scenario):
                _same_title(unit, written, titles)
            if found is None:
                continue
            if isinstance(written, ast.Scenario):
                scenarios.append(ScenarioReader(unit, written, found).scenario())
            else:
                migrations.append(migration(unit, written, found))
        declares = tuple(unit.key(d.name.text) for d in self.declared[unit.path])
        imports = tuple(
            symbol.key
            for symbol in unit.symbols.values()
            if symbol.key.path != unit.path and symbol.kind != "unknown"
        )
        return Module(unit.path, declares, imports, tuple(scenarios), tuple(migrations))


def _unclear(context: Context, project: Project) -> frozenset[str]:
    todo = list({found.place.source.path for found in context.findings})
    seen = set(todo)
    while todo:
        for link in project.links.get(todo.pop(), ()):
            if link.target is not None and link.target.path not in seen:
                seen.add(link.target.path)
                todo.append(link.target.path)
    return frozenset(seen)


def _same_title(unit: Unit, written: ast.Scenario, titles: dict[tuple[str, str], ast.Scenario]) -> None:
    first = titles.setdefault((written.graph.text, written.title.value), written)
    if first is not written:
        label = Label(unit.place(first.title.span), "first here")
        message = f'scenario "{written.title.value}" is declared twice'
        unit.error("LG102", message, written.title.span, related=(label,))
