"""From a resolved program to the text of its Python modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from .. import canonical
from .. import model as m
from .data import enum, rebuilds, record, tags, union
from .layout import call, dict_of, statement, union_of
from .mutations import MutationText
from .names import Names, all_names, module_parts
from .output import OutputFinding, compare_output, is_generated
from .plan import PlanText
from .state import StateText, function, natural
from .tasks import TaskText, answer, protocol, state_view
from .templating import render
from .text import comment, docstring, literal
from .unit import Unit

__all__ = [
    "OutputFinding",
    "SameOutput",
    "build",
    "compare_output",
    "generate",
    "is_generated",
    "output_path",
]


class SameOutput(ValueError):
    """Two sources would be written to the same file."""


NO_PATHS: Mapping[str, str] = MappingProxyType({})


def output_path(source_path: str) -> str:
    """The module of a source, below the output folder: `sub/article.lgraph` → `sub/article_lg.py`."""
    return "/".join(module_parts(source_path)) + ".py"


def generate(
    program: m.Program,
    module: m.Module,
    *,
    version: str,
    package_relative: bool = False,
    paths: Mapping[str, str] = NO_PATHS,
) -> str:
    """The text of the module of one source.

    Args:
        program: without errors.
        module: one of its modules.
        version: of the tool, for the header.
        package_relative: whether generated modules import each other relatively (they lie in a package).
        paths: the paths by which modules are named, where they are not those of the sources.
    """
    return _generate(program, module, all_names(program), version, package_relative, paths)


def build(
    program: m.Program,
    *,
    version: str,
    package_relative: bool = False,
    paths: Iterable[str] | None = None,
) -> Mapping[str, str]:
    """All files of a program by their paths below the output folder, `py.typed` among them.

    Args:
        program: without errors.
        version: of the tool, for the headers.
        package_relative: whether generated modules import each other relatively.
        paths: the sources to write modules for; None for all.

    Raises:
        SameOutput: two sources would be written to one file.
    """
    wanted = None if paths is None else set(paths)
    names = all_names(program)
    files: dict[str, str] = {}
    origin: dict[str, str] = {}
    for module in program.modules:
        if wanted is not None and module.path not in wanted:
            continue
        path = output_path(module.path)
        if path in origin:
            raise SameOutput(f"{origin[path]} and {module.path} would both be written to {path}")
        origin[path] = module.path
        files[path] = _generate(program, module, names, version, package_relative, NO_PATHS)
    files["py.typed"] = ""
    return dict(sorted(files.items()))


# --- one module -------------------------------------------------------------------------------------------


def _generate(
    program: m.Program,
    module: m.Module,
    names: Mapping[str, Names],
    version: str,
    relative: bool,
    paths: Mapping[str, str],
) -> str:
    unit = Unit(program, module, names, relative=relative, paths=paths)
    parts = _Parts(unit)
    for key in _by_kind(program.enums, module):
        parts.add(key.name, enum(unit, program.enums[key]))
    own_tags = tags(program, module)
    records = _by_kind(program.records, module)
    for key in records:
        parts.add(key.name, record(unit, program.records[key], own_tags.get(key)))
    for key in _by_kind(program.unions, module):
        parts.add(key.name, union(unit, program.unions[key], own_tags))
    if lines := rebuilds(unit, records):
        parts.sections.append("\n".join(lines))
    for key in _inner_first(program, module):
        _state(parts, program.states[key])
    for key in _used_first(program, module):
        _graph(parts, program.graphs[key])
    if checking := unit.checking_imports():
        unit.std("typing", "TYPE_CHECKING")
    return parts.text(version, checking)


class _Parts:
    """The sections of one module and the names that it exports."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.sections: list[str] = []
        self.exported: list[str] = []
        self.hashes: list[str] = []

    def add(self, name: str, text: str) -> None:
        """A section that defines an exported name."""
        self.exported.append(name)
        self.sections.append(text)

    def text(self, version: str, checking: list[str]) -> str:
        """The module."""
        unit, source = self.unit, self.unit.module.path
        shown = [f"    {line}".replace("\n", "\n    ") for line in checking]
        text = render(
            "module",
            version=comment(version),
            source=comment(source),
            hashes=self.hashes,
            docstring=docstring(f"Generated from `{source}`.", 0),
            imports=["\n".join(group) for group in unit.import_groups()],
            checking=shown,
            exported=sorted(self.exported, key=_export_order),
            sections=self.sections,
        )
        return f"{text.rstrip()}\n"


def _export_order(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, natural(name))


def _by_kind(declarations: Mapping[m.Key, object], module: m.Module) -> list[m.Key]:
    return [key for key in module.declares if key in declarations]


def _inner_first(program: m.Program, module: m.Module) -> list[m.Key]:
    """The states of a module, a sub-state before the states that hold it."""

    def inner(key: m.Key) -> list[m.Key]:
        types = (field.type for field in program.states[key].fields)
        return [type.key for type in types if isinstance(type, m.StateType) and type.key.path == module.path]

    return _after_their_parts(_by_kind(program.states, module), inner)


def _used_first(program: m.Program, module: m.Module) -> list[m.Key]:
    """The graphs of a module, a graph before those that run it."""

    def inner(key: m.Key) -> list[m.Key]:
        return [one for one in _graphs_run(program.graphs[key]) if one.path == module.path]

    return _after_their_parts(_by_kind(program.graphs, module), inner)


def _after_their_parts(keys: list[m.Key], parts: Callable[[m.Key], list[m.Key]]) -> list[m.Key]:
    """All keys and their parts, parts first, however deep they lie."""
    found: list[m.Key] = []
    entered: set[m.Key] = set()
    for first in keys:
        todo = [(first, iter((first,)))]
        while todo:
            key, left = todo[-1]
            following = next((one for one in left if one not in entered), None)
            if following is not None:
                entered.add(following)
                todo.append((following, iter(parts(following))))
                continue
            todo.pop()
            if todo:
                found.append(key)
    return found


def _graphs_run(graph: m.Graph) -> list[m.Key]:
    return list(dict.fromkeys(n.graph for n in graph.nodes if isinstance(n, m.Subgraph | m.MapNode)))


def _state(parts: _Parts, state: m.State) -> None:
    unit = parts.unit
    text = StateText(unit, state)
    if text.constants:
        parts.sections.append("\n".join(text.constants))
    parts.add(f"{text.stem}Checkpoint", text.checkpoint())
    parts.add(state.key.name, text.state_class())
    for mutation in state.mutations:
        made = MutationText(unit, state, mutation)
        for section in made.classes():
            parts.sections.append(section)
        parts.exported.append(made.name)
        if mutation.external is not None:
            parts.exported.append(f"{unit.names.generated('result', state.key, mutation.name)}Result")
    alias = f"{text.stem}Mutation"
    names = [unit.names.mutation(state.key, mutation.name) for mutation in state.mutations]
    whole = union_of(names) if names else unit.std("typing", "Never")
    parts.add(alias, statement(f"{alias}: {unit.std('typing', 'TypeAlias')} = ", whole, 0))
    parts.sections += text.functions
    parts.sections.append(text.facts())


def _graph(parts: _Parts, graph: m.Graph) -> None:
    unit, key = parts.unit, graph.key
    for inner in _views_needed(unit, graph):
        parts.add(f"{unit.names.generated('subview', inner)}View", state_view(unit, inner))
    plan = PlanText(unit, graph)
    for node in graph.nodes:
        if isinstance(node, m.Task):
            task = TaskText(unit, graph, node)
            for name, section in zip(task.names(), task.classes(), strict=True):
                parts.add(name, section)
        elif isinstance(node, m.Barrier):
            for offered in node.answers:
                name = plan.answer_class(node, offered.name)
                parts.add(name, answer(unit, name, offered))
    nodes, text = protocol(unit, graph)
    parts.add(nodes, text)
    program = unit.program
    stem = unit.names.generated("constants", key)
    hash_, operational = (
        canonical.graph_hash(program, key).full,
        canonical.operational_hash(program, key).full,
    )
    written = plan.write(f"{stem}_HASH", operational, canonical.canonical_text(program, key))
    parts.sections += plan.functions
    final = unit.std("typing", "Final")
    parts.add(f"{stem}_HASH", statement(f"{stem}_HASH: {final} = ", literal(hash_), 0))
    parts.add(f"{stem}_PLAN", statement(f"{stem}_PLAN: {final} = ", written, 0))
    parts.hashes.append(f"{key.name} {hash_}")
    parts.add(key.name, _binder(unit, graph, nodes, f"{stem}_PLAN"))


def _views_needed(unit: Unit, graph: m.Graph) -> list[m.Key]:
    """The sub-states that tasks of a graph see and that have no view yet, the innermost first."""
    done: set[m.Key] = unit.viewed
    found: list[m.Key] = []

    def add(state: m.State) -> None:
        for field in state.fields:
            if isinstance(field.type, m.StateType) and field.type.key not in done:
                done.add(field.type.key)
                add(unit.program.states[field.type.key])
                found.append(field.type.key)

    if any(isinstance(node, m.Task) for node in graph.nodes):
        add(unit.program.states[graph.state])
    return found


def _binder(unit: Unit, graph: m.Graph, protocol_name: str, plan: str) -> str:
    """`def g(nodes, /, *, inner) -> Graph[S]`."""
    lg = unit.lg
    inner = _graphs_run(graph)
    parameter = "nodes"
    while parameter in {key.name for key in inner}:
        parameter += "_"
    needed = any(isinstance(node, m.Task) and node.impl is None for node in graph.nodes)
    first = f"{parameter}: {protocol_name}" if needed else f"{parameter}: {protocol_name} | None = None"
    parameters = [first, "/"]
    if inner:
        parameters.append("*")
    for key in inner:
        state = unit.declared(unit.program.graphs[key].state)
        parameters.append(f"{key.name}: {lg}.Graph[{state}]")
    arguments = [plan, parameter]
    given = dict_of([(literal(key.name), key.name) for key in inner])
    body = [
        docstring(graph.doc or f"Bind the functions of the tasks of `{graph.key.name}`.", 4),
        statement("return ", call(f"{lg}.bind", *arguments, *([given] if inner else [])), 4),
    ]
    returns = f"{lg}.Graph[{unit.declared(graph.state)}]"
    return function(graph.key.name, parameters, returns, body)
