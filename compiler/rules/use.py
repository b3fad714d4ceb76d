"""Rules LG504, LG505: which fields and mutations of a state have no part in any run?

Only states that stand in a file with a graph are judged, and only where that file was asked for: what else
uses a file of shared declarations is not known. Nor is it where the file, or one that imports it, has errors.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Severity
from ...dsl.lists import listed
from .. import model
from ..effects.fields import FieldUses
from ..model import Field, Key, OptionalOf, State, StateType
from ..resolve import Resolved
from ..rule import Rule

MOST_NAMED = 3


def complete_files(resolved: Resolved) -> frozenset[str]:
    """The paths of files that were asked for and that hold a graph, so that they are no mere library."""
    paths = {key.path for key in resolved.program.graphs} & resolved.project.given
    return frozenset(paths - resolved.unclear)


def _unused(resolved: Resolved) -> Iterator[Diagnostic]:
    paths = complete_files(resolved)
    if not paths:
        return
    uses = FieldUses(resolved.program)
    for key in _judged(uses):
        if key.path not in paths:
            continue
        state = resolved.program.states[key]
        for field in state.fields:
            found = _field(uses, state, field)
            if found is not None:
                yield found
        if key in uses.bound:
            yield from _mutations(uses, state)


def _judged(uses: FieldUses) -> Iterator[Key]:
    """The states of graphs, and the sub-states in them that something uses."""
    states = uses.program.states
    todo = [key for key in uses.bound if key in states]
    seen = set(todo)
    while todo:
        key = todo.pop()
        yield key
        for field in states[key].fields:
            inner = field.type.key if isinstance(field.type, StateType) else None
            if inner in states and inner is not None and inner not in seen and _any_use(uses, key, field):
                seen.add(inner)
                todo.append(inner)


def _any_use(uses: FieldUses, state: Key, field: Field) -> bool:
    place = (state, field.name)
    return field.name not in uses.unread[state] or place in uses.setters or place in uses.given


def _field(uses: FieldUses, state: State, field: Field) -> Diagnostic | None:
    unread = field.name in uses.unread[state.key]
    setters = tuple(uses.setters.get((state.key, field.name), ()))
    name = f"`{field.name}`"
    if isinstance(field.type, StateType):
        if _any_use(uses, state.key, field):
            return None  # what is said is said of the fields in it
        return UNUSED_FIELD.found(f"nothing reads or sets sub-state {name}", field.place, help="remove it")
    if field.transient:
        if not unread:
            return None
        help = "let a task read it, or remove it"
        return UNUSED_FIELD.found(f"nothing reads the transient field {name}", field.place, help=help)
    constant = field.default is not None or isinstance(field.type, OptionalOf)
    given = not constant or (state.key, field.name) in uses.given
    if unread:
        return _unread(field, setters, given)
    if not setters and not given and (state.key, field.name) not in uses.required:
        return _unset(field)  # where it is required, LG501 says that nothing ensures it
    return None


def _unread(field: Field, setters: tuple[str, ...], given: bool) -> Diagnostic:
    name = f"`{field.name}`"
    if setters:
        message = f"{name} is set by {_listed(setters)}, but nothing reads it"
    elif given:
        message = f"{name} is given at the start, but nothing reads it"
    else:
        message = f"nothing reads or sets {name}"
        return UNUSED_FIELD.found(message, field.place, help="remove it, or name it in a task's `reads`")
    help = (
        "name it in the `reads` of a task, or remove it; a result that callers read is looked at in a "
        "scenario's `expect`, or is marked: `// lgc: allow LG504 a result`"
    )
    if not setters:
        help = "remove it, or name it in the `reads` of the task that needs it"
    return UNUSED_FIELD.found(message, field.place, help=help)


def _unset(field: Field) -> Diagnostic:
    name, default = f"`{field.name}`", field.default
    if default is None or (isinstance(default, model.Const) and default.value is None):
        return UNUSED_FIELD.found(
            f"nothing sets {name}: it stays none unless the run is started with a value",
            field.place,
            help="let a mutation set it, or show in a scenario that it is `given`",
        )
    source, span = default.place
    value = source.text[span.start : span.end]
    value = f"`{value}`" if len(value) <= 30 and "\n" not in value else "its default"
    return UNUSED_FIELD.found(
        f"nothing sets {name}: it stays {value} unless the run is started with another value",
        field.place,
        help="a value that is chosen at the start is shown by a scenario's `given`, or has no default; "
        "a constant stands best where it is used",
    )


def _listed(names: tuple[str, ...]) -> str:
    shown = [f"`{name}`" for name in names]
    if len(shown) > MOST_NAMED + 1:
        shown = [*shown[:MOST_NAMED], f"{len(shown) - MOST_NAMED} others"]
    return listed(shown)


def _mutations(uses: FieldUses, state: State) -> Iterator[Diagnostic]:
    recorded = uses.recorded.get(state.key, set())
    for mutation in state.mutations:
        if mutation.name not in recorded:
            yield _unrecorded(mutation, uses.bound[state.key])


def _unrecorded(mutation: model.Mutation, graph: model.Graph) -> Diagnostic:
    help = f"name it in the `records` of a node of graph `{graph.key.name}`, or remove it"
    return UNUSED_MUTATION.found(f"no node records `{mutation.name}`", mutation.place, help=help)


_GRAPH = "}\n\ngraph work(Job) {\n  task plan"
_END = "\n\n  start -> plan -> end\n}\n"

UNUSED_FIELD = Rule(
    "LG504",
    "unused-field",
    Severity.WARNING,
    "a field that is never read and never shown, or that no mutation sets and that is never an input",
    "It is stored at every step for nothing, or has the value of the start for ever; often a `reads` or "
    "`records` was forgotten. Read is what a task `reads`, a barrier `shows`, or a guard, an argument, "
    "another field's mutation or a scenario's `expect` looks at: a result that only the caller reads belongs "
    "in an `expect`. "
    "Input is what has no default, and what a scenario's `given` or a subgraph's `in` sets. States in a "
    "file without a graph are shared with others and are not judged.",
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n" + _GRAPH + " { records Measure }" + _END,
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n"
    + _GRAPH
    + " { reads size  records Measure }"
    + _END,
    check_program=_unused,
    allowable=True,
)
UNUSED_MUTATION = Rule(
    "LG505",
    "unused-mutation",
    Severity.WARNING,
    "a mutation that no node records",
    "It can never happen. Either it is left over, or the node that should record it does not name it and "
    "would fail when it does.",
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n" + _GRAPH + " { reads size }" + _END,
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n"
    + _GRAPH
    + " { reads size  records Measure }"
    + _END,
    allowable=True,
)

RULES = (UNUSED_FIELD, UNUSED_MUTATION)
