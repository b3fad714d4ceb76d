"""Rules LG101-LG107: does every name mean one thing? Most are raised while names are looked up.

One part of LG102 is found here: two files may each declare a `Note`, but not within one graph, because
the canonical form knows declarations by their plain names.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Label, Severity
from ...dsl.source import Place
from .. import model
from ..model import Key, Program, Type
from ..resolve import Resolved
from ..rule import Rule


def _parts(type: Type) -> Iterator[Key]:
    """The declarations that a type names."""
    match type:
        case model.OptionalOf(item) | model.ListOf(item) | model.SetOf(item):
            yield from _parts(item)
        case model.DictOf(key, value):
            yield from _parts(key)
            yield from _parts(value)
        case (
            model.EnumType(key)
            | model.RecordType(key)
            | model.UnionType(key)
            | model.StateType(key)
            | model.OpaqueType(key)
        ):
            yield key
        case _:
            pass


def _needed_by_state(state: model.State) -> Iterator[Key]:
    for field in state.fields:
        yield from _parts(field.type)
    for mutation in state.mutations:
        for param in mutation.params:
            yield from _parts(param.type)


def _needs(resolved: Resolved) -> dict[Key, tuple[Key, ...]]:
    """For each declaration of data, those that it names."""
    program = resolved.program
    needs: dict[Key, tuple[Key, ...]] = {key: union.members for key, union in program.unions.items()}
    for key, record in program.records.items():
        needs[key] = tuple(part for field in record.fields for part in _parts(field.type))
    for key, state in program.states.items():
        needs[key] = tuple(dict.fromkeys(_needed_by_state(state)))
    for key, used in resolved.uses.items():
        needs[key] = (*needs.get(key, ()), *sorted(used))
    return needs


def _graph_needs(resolved: Resolved, graph: model.Graph) -> Iterator[Key]:
    yield graph.state
    yield from sorted(resolved.gaps[graph.key].uses)
    for node in graph.nodes:
        if isinstance(node, model.Barrier):
            for answer in node.answers:
                for param in answer.params:
                    yield from _parts(param.type)


def _place(program: Program, key: Key) -> Place | None:
    for table in (program.enums, program.records, program.unions, program.opaques, program.states):
        if key in table:
            return table[key].place
    return None


def _meet(resolved: Resolved) -> Iterator[Diagnostic]:
    program = resolved.program
    files: dict[str, int] = {}
    for table in (program.enums, program.records, program.unions, program.opaques, program.states):
        for key in table:
            files[key.name] = files.get(key.name, 0) + 1
    if all(count == 1 for count in files.values()):
        return
    needs = _needs(resolved)
    for graph in program.graphs.values():
        todo = list(_graph_needs(resolved, graph))
        named: dict[str, Key] = {}
        seen: set[Key] = set()
        reported: set[str] = set()
        for key in todo:
            if key in seen:
                continue
            seen.add(key)
            todo.extend(needs.get(key, ()))
            first = named.setdefault(key.name, key)
            if first != key and key.name not in reported:
                reported.add(key.name)
                yield _two(program, graph, *sorted((first, key)))


def _two(program: Program, graph: model.Graph, first: Key, second: Key) -> Diagnostic:
    places = [(_place(program, key), key) for key in (first, second)]
    related = tuple(Label(place, f"`{key.name}` of {key.path}") for place, key in places if place is not None)
    message = f"graph `{graph.key.name}` uses two different declarations named `{first.name}`"
    return TWICE.found(message, graph.place, help="rename one, or import one from the other", related=related)


_GRAPH = "\ngraph work(Job) {\n  task plan\n\n  start -> plan -> end\n}\n"
_STATE = "state Job {\n  done: bool = false\n}\n"

UNDEFINED = Rule(
    "LG101",
    "undefined-name",
    Severity.ERROR,
    "an undefined name, with the nearest defined one",
    "Nothing is declared under that name where it is used.",
    _STATE + "\ngraph work(Job) {\n  task publish\n\n  start -> pubish -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  task publish\n\n  start -> publish -> end\n}\n",
)
TWICE = Rule(
    "LG102",
    "declared-twice",
    Severity.ERROR,
    "a name declared twice, or a clause or setting given twice",
    "Names of one file share one namespace, nodes have one namespace a graph, fields and mutations "
    "one a state. Of two "
    "declarations with one name nobody could say which is meant.",
    "state Job {\n  done: bool = false\n  done: int = 0\n}\n" + _GRAPH,
    _STATE + _GRAPH,
    check_program=_meet,
)
RESERVED = Rule(
    "LG103",
    "reserved-name",
    Severity.ERROR,
    "a reserved name",
    "Names become Python names, so Python's keywords cannot be used, nor the words that expressions "
    "and edges need, "
    "nor names that begin with two underscores.",
    'state Job {\n  class: str = "a"\n}\n' + _GRAPH,
    'state Job {\n  class_: str = "a"\n}\n' + _GRAPH,
)
IMPORT = Rule(
    "LG104",
    "import-not-found",
    Severity.ERROR,
    "an imported file that is not there, or that lies outside the project's folder",
    "The names that it should bring are unknown. A path is relative to the file in which it stands.",
    'from "./nowhere.lgraph" import Note\n\n' + _STATE + _GRAPH,
    "record Note {\n  text: str\n}\n\n" + _STATE + _GRAPH,
)
IMPORT_CYCLE = Rule(
    "LG105",
    "import-cycle",
    Severity.ERROR,
    "files that import each other in a circle",
    "Files in a circle can only be understood, moved and changed together. The example imports itself.",
    'from "./example.lgraph" import Job\n' + _GRAPH,
    _STATE + _GRAPH,
)
UNUSED_IMPORT = Rule(
    "LG106",
    "unused-import",
    Severity.WARNING,
    "an import that nothing uses",
    "It makes this file depend on another for nothing.",
    'from "./common.lgraph" import Note\n\n' + _STATE + _GRAPH,
    _STATE + _GRAPH,
    active=False,
    allowable=True,
)
UNUSED = Rule(
    "LG107",
    "unused-declaration",
    Severity.WARNING,
    "a declaration, mutation, field or clause that nothing uses",
    "It may be left over, or what should use it was forgotten.",
    "enum Verdict { accept, revise }\n\n" + _STATE + _GRAPH,
    _STATE + _GRAPH,
    active=False,
    allowable=True,
)

RULES = (UNDEFINED, TWICE, RESERVED, IMPORT, IMPORT_CYCLE, UNUSED_IMPORT, UNUSED)
