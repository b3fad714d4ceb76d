"""Rules LG106, LG107: imports and declarations that nothing uses, and clauses that change nothing.

Imports and parameters are judged in every file that was asked for; declarations only where the file holds a
graph, since nobody knows who else uses a file of shared declarations. Nothing is said of files with errors.
Not reported, because it is common and harmless: members of an enum, parameters of a barrier's decision (they
are kept with the answer), and `merge` on a field that no two branches write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...dsl import ast
from ...dsl.diagnostic import Diagnostic, Fix, Label, Severity
from ...dsl.source import Span
from .. import model
from ..context import Unit
from ..effects.mentions import parts
from ..effects.needs import needs_of, needs_of_graph
from ..model import Key, Program
from ..resolve import Resolved
from ..rule import Rule
from ..types import may_be_none
from .use import complete_files

# --- imports ----------------------------------------------------------------------------------------------


def _imports(resolved: Resolved) -> Iterator[Diagnostic]:
    project = resolved.project
    for unit in project.units:
        if unit.path not in project.given or unit.path in resolved.unclear:
            continue
        for link in project.links[unit.path]:
            unused = [name for name in link.written.names if name.text not in unit.mentioned]
            for name in unused:
                symbol = unit.symbols.get(name.text)
                if symbol is None or symbol.kind == "unknown":
                    continue
                yield UNUSED_IMPORT.found(
                    f"`{name.text}` is imported, but nothing here uses it",
                    unit.place(name.span),
                    help="remove it" if len(unused) < len(link.written.names) else "remove the import",
                    fix=_without(unit, link.written, name),
                )


def _without(unit: Unit, written: ast.Import, name: ast.Name) -> Fix | None:
    """Take a name out of an import, or the whole import where no name of it is used."""
    text = unit.source.text
    names = written.names
    at = names.index(name)
    used = [n for n, other in enumerate(names) if other.text in unit.mentioned]
    if not used:
        span = Span(written.span.start, _end(text, written.span.end))
        if "//" in text[written.path.span.end : span.end]:
            return None
        return Fix(_lines(text, span), "", "remove the import")
    if at < used[-1]:
        cut, between = (
            Span(name.span.start, names[at + 1].span.start),
            Span(name.span.end, names[at + 1].span.start),
        )
    else:
        cut, between = (
            Span(names[at - 1].span.end, name.span.end),
            Span(names[at - 1].span.end, name.span.start),
        )
    left = text[between.start : between.end]
    kept = _comments(left) if "//" in left else ""
    if at < used[-1]:
        kept = kept.lstrip(" ")
    else:
        kept = kept.rstrip()
        following = text[cut.end :].partition("\n")[0].strip()
        if "//" in kept.rpartition("\n")[2] and following and not following.startswith("//"):
            kept += "\n"  # what follows must not become a part of the comment
    return Fix(cut, kept, f"remove `{name.text}`")


def _end(text: str, end: int) -> int:
    """Where an import ends, with the comma behind its last name."""
    at = end
    while at < len(text):
        if text.startswith("//", at):
            at = text.find("\n", at) + 1 or len(text)
        elif text[at].isspace():
            at += 1
        else:
            return at + 1 if text[at] == "," else end
    return end


def _comments(between: str) -> str:
    """What stands between two names, without the comma."""
    lines = between.split("\n")
    for number, line in enumerate(lines):
        code, slashes, comment = line.partition("//")
        if "," in code:
            lines[number] = code.replace(",", "", 1) + slashes + comment
            break
    return "\n".join(lines)


def _lines(text: str, span: Span) -> Span:
    """An import with its line, if it stands alone on it; and the empty line below, if it heads the text."""
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    if text[start : span.start].strip() or text[span.end : end].strip():
        return span
    above = text[:start].rstrip(" \t\r")
    if not above or above.endswith("\n\n"):
        following = text.find("\n", end)
        if following >= 0 and not text[end:following].strip():
            end = following + 1
    return Span(start, end)


# --- declarations -----------------------------------------------------------------------------------------


def _declarations(resolved: Resolved, paths: frozenset[str]) -> Iterator[Diagnostic]:
    program = resolved.program
    judged = {key: kind for key, kind in _kinds(program) if key.path in paths}
    if not judged:
        return
    needs = needs_of(resolved)
    todo = [key for graph in program.graphs.values() for key in needs_of_graph(resolved, graph)]
    todo += [key for module in program.modules for key in module.imports]
    units = resolved.project.units
    todo += [unit.symbols[name].key for unit in units for name in unit.unresolved if name in unit.symbols]
    used = set(todo)
    while todo:
        for key in needs.get(todo.pop(), ()):
            if key not in used:
                used.add(key)
                todo.append(key)
    namers: dict[Key, Key] = {}
    for key in judged:
        if key not in used:
            for needed in needs.get(key, ()):
                namers.setdefault(needed, key)
    for key, declared in judged.items():
        if key not in used:
            yield _never(key, declared, namers.get(key))


def _never(
    key: Key,
    declared: tuple[str, model.Enum | model.Record | model.Union | model.Opaque | model.State],
    namer: Key | None,
) -> Diagnostic:
    kind, found = declared
    if namer is not None and namer != key:
        message = f"{kind} `{key.name}` is used only by `{namer.name}`, which nothing uses"
    else:
        message = f"{kind} `{key.name}` is never used"
    help = "remove it; declarations for other files stand in a file without a graph"
    return UNUSED.found(message, found.place, help=help)


def _kinds(
    program: Program,
) -> Iterator[tuple[Key, tuple[str, model.Enum | model.Record | model.Union | model.Opaque | model.State]]]:
    yield from ((key, ("enum", found)) for key, found in program.enums.items())
    yield from ((key, ("record", found)) for key, found in program.records.items())
    yield from ((key, ("union", found)) for key, found in program.unions.items())
    yield from ((key, ("opaque type", found)) for key, found in program.opaques.items())
    yield from ((key, ("state", found)) for key, found in program.states.items())


# --- parameters of mutations ------------------------------------------------------------------------------


def _params(mutation: model.Mutation) -> Iterator[Diagnostic]:
    """Parameters that no statement names; a mutation with no statements is an entry of the log."""
    if not mutation.params or not mutation.body:
        return
    left = {param.name for param in mutation.params}
    todo: list[model.Expr] = []
    for step in mutation.body:
        if step.target.key is not None:
            todo.append(step.target.key)
        if isinstance(step, model.Assign):
            todo.append(step.value)
    while todo and left:
        at = todo.pop()
        if isinstance(at, model.ParamRef):
            left.discard(at.name)
        else:
            todo.extend(parts(at))
    for param in mutation.params:
        if param.name in left:
            message = f"parameter `{param.name}` of mutation `{mutation.name}` is never used"
            yield UNUSED.found(message, param.place, help="use it in the body, or remove it")


# --- clauses ----------------------------------------------------------------------------------------------


def _clauses(resolved: Resolved, graph: model.Graph) -> Iterator[Diagnostic]:
    state = resolved.program.states.get(graph.state)
    if state is None:
        return
    solid = {field.name: field for field in state.fields if not may_be_none(field.type)}
    for node in graph.nodes:
        if isinstance(node, model.Task):
            yield from _task(node, solid, len(state.fields))
            yield from _promises(state, node, solid)
    deciding = {
        node.name: node.timeout_decides
        for node in graph.nodes
        if isinstance(node, model.Barrier) and node.timeout_decides is not None
    }
    if deciding:
        for region in graph.regions:
            for edge in region.edges:
                if edge.outcome == "timeout" and edge.source in deciding:
                    yield _beside(edge, deciding[edge.source])


def _task(node: model.Task, solid: Mapping[str, model.Field], fields: int) -> Iterator[Diagnostic]:
    for read in node.reads:
        if read.required and read.field in solid:
            yield _needless(read, solid[read.field])
    for name, place in node.ensures:
        if name in solid:
            yield UNUSED.found(
                f"`ensures {name}` promises nothing: `{name}` is never none",
                place,
                help="remove it",
                related=(Label(solid[name].place, "its type has no `?`"),),
            )
    if len(node.reads) == fields:
        places = {id(read.place): read for read in node.reads}  # one place stands for all that `*` reads
        starred = {place for place, read in places.items() if _text(read) == "*"}
        if starred and len(places) > 1:
            for read in node.reads:
                if id(read.place) not in starred and not read.required:
                    message = f"`{read.field}` beside `*` adds nothing: `*` stands for all fields"
                    yield UNUSED.found(message, read.place, help=f"remove `{read.field}`, or `*`")


def _promises(state: model.State, node: model.Task, solid: Mapping[str, model.Field]) -> Iterator[Diagnostic]:
    """`ensures f` of a task that records nothing by which `f` could get a value."""
    if all(name in solid for name, _ in node.ensures):
        return
    found = [state.mutation(name) for name, _ in node.records]
    recorded = [mutation for mutation in found if mutation is not None]
    written = {field for mutation in recorded for field in _given(mutation)}
    for name, place in node.ensures:
        if name not in solid and name not in written:
            emptied = next((one.name for one in recorded if name in one.writes), None)
            why = f"`{emptied}` sets it to none" if emptied else "nothing that it records sets it"
            yield UNUSED.found(
                f"`{node.name}` cannot give `{name}` a value: {why}",
                place,
                help=f"record a mutation that sets `{name}`; to ask for a value that is there already, "
                f"write `reads {name}!`",
            )


def _given(mutation: model.Mutation) -> set[str]:
    """The fields that a mutation may leave with a value: not those that it sets to none in the end."""
    found = set(mutation.writes if mutation.external is not None else ())
    for step in mutation.body:
        match step:
            case model.Assign(target=model.Target(path=(name,), key=None), value=model.Const(value=None)):
                found.discard(name)
            case _:
                found.add(step.target.path[0])
    return found


def _text(read: model.Read) -> str:
    source, span = read.place
    return source.text[span.start : span.end]


def _needless(read: model.Read, field: model.Field) -> Diagnostic:
    source, span = read.place
    fix = None
    if source.text[span.end : span.end + 1] == "!":
        fix = Fix(Span(span.end, span.end + 1), "", "remove the `!`")
    return UNUSED.found(
        f"the `!` of `{read.field}!` asks for nothing: `{read.field}` is never none",
        read.place,
        help=f"write `{read.field}`",
        related=(Label(field.place, "its type has no `?`"),),
        fix=fix,
    )


def _beside(edge: model.Edge, taken: model.AnswerCall) -> Diagnostic:
    name = edge.source
    return UNUSED.found(
        f"this edge is never taken: when time is over, `{name}` decides `{taken.answer}`",
        edge.place,
        help=f"remove the edge, or the `decides {taken.answer}` of `{name}`",
        related=(Label(taken.place, "decided here"),),
    )


def _unused(resolved: Resolved) -> Iterator[Diagnostic]:
    program, given = resolved.program, resolved.project.given - resolved.unclear
    yield from _declarations(resolved, complete_files(resolved))
    for key, state in program.states.items():
        if key.path in given:
            for mutation in state.mutations:
                yield from _params(mutation)
    for key, graph in program.graphs.items():
        if key.path in given:
            yield from _clauses(resolved, graph)


_STATE = "state Job {\n  done: bool\n}\n"
_GRAPH = "\ngraph work(Job) {\n  task plan { reads done }\n\n  start -> plan -> end\n}\n"

UNUSED_IMPORT = Rule(
    "LG106",
    "unused-import",
    Severity.WARNING,
    "an import that nothing uses",
    "It makes this file depend on another for nothing. Names are not passed on: who needs one imports it "
    "from where it is declared. In the example, `common.lgraph` declares `Note`.",
    'from "./common.lgraph" import Note\n\n' + _STATE + _GRAPH,
    _STATE + _GRAPH,
    check_program=_imports,
    allowable=True,
    fixable=True,
)
UNUSED = Rule(
    "LG107",
    "unused-declaration",
    Severity.WARNING,
    "a declaration, parameter or clause that nothing uses or that changes nothing",
    "It may be left over, or what should use it was forgotten. In a file with a graph, every enum, record, "
    "union, opaque type and state must be reached from a graph or be imported by a file that is checked too; "
    "in a file without one they are there for others. Clauses that change nothing: `ensures f` and `f!` of "
    "a field that is never none, `ensures f` where nothing that the task records sets `f`, a field beside "
    "`*`, an `on timeout` edge of a barrier whose `timeout` decides, a `lgc: allow` that silences nothing.",
    "enum Verdict { accept, revise }\n\n" + _STATE + _GRAPH,
    _STATE + _GRAPH,
    check_program=_unused,
    allowable=True,
    fixable=True,
)

RULES = (UNUSED_IMPORT, UNUSED)
