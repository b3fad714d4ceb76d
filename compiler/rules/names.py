"""Rules LG101-LG105: does every name mean one thing? Most are raised while names are looked up.

One part of LG102 is found here: two files may each declare a `Note`, but not within one graph, because
the canonical form knows declarations by their plain names.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Label, Severity
from ...dsl.source import Place
from .. import model
from ..effects.needs import needs_of, needs_of_graph
from ..model import Key, Program
from ..resolve import Resolved
from ..rule import Rule


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
    needs = needs_of(resolved)
    for graph in program.graphs.values():
        todo = list(needs_of_graph(resolved, graph))
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


_GRAPH = "\ngraph work(Job) {\n  task plan { reads * }\n\n  start -> plan -> end\n}\n"
_STATE = "state Job {\n  done: bool\n}\n"

UNDEFINED = Rule(
    "LG101",
    "undefined-name",
    Severity.ERROR,
    "an undefined name, with the nearest defined one",
    "Nothing is declared under that name where it is used.",
    _STATE + "\ngraph work(Job) {\n  task publish { reads done }\n\n  start -> pubish -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  task publish { reads done }\n\n  start -> publish -> end\n}\n",
    fixable=True,
)
TWICE = Rule(
    "LG102",
    "declared-twice",
    Severity.ERROR,
    "a name declared twice, or a clause or setting given twice",
    "Names of one file share one namespace, nodes have one namespace a graph, fields and mutations "
    "one a state. Of two "
    "declarations with one name nobody could say which is meant.",
    "state Job {\n  done: bool\n  done: int\n}\n" + _GRAPH,
    _STATE + _GRAPH,
    check_program=_meet,
    fixable=True,
)
RESERVED = Rule(
    "LG103",
    "reserved-name",
    Severity.ERROR,
    "a reserved name",
    "Names become Python names, so Python's keywords cannot be used, nor the words that expressions "
    "and edges need, "
    "nor names that begin with two underscores.",
    "state Job {\n  class: str\n}\n" + _GRAPH,
    "state Job {\n  class_: str\n}\n" + _GRAPH,
)
IMPORT = Rule(
    "LG104",
    "import-not-found",
    Severity.ERROR,
    "an imported file that is not there, or that lies outside the project's folder",
    "The names that it should bring are unknown. A path is relative to the file in which it stands.",
    'from "./nowhere.lgraph" import Note\n\nstate Job {\n  note: Note\n}\n' + _GRAPH,
    "record Note {\n  text: str\n}\n\nstate Job {\n  note: Note\n}\n" + _GRAPH,
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

RULES = (UNDEFINED, TWICE, RESERVED, IMPORT, IMPORT_CYCLE)
