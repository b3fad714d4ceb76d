"""Rule LG501: does every way to a task that reads `f!` give `f` a value?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...dsl.diagnostic import Diagnostic, Label, Severity
from .. import model
from ..graph_view import GraphView
from ..rule import Rule

if TYPE_CHECKING:
    from ..presence import Presence
    from ..presence.ways import Way

# Of the further reads that one repair serves, so many are shown.
SHOWN = 3


def _lacking(view: GraphView) -> Iterator[Diagnostic]:
    if not any(read.required for node in view.graph.nodes for read in _reads(node)):
        return
    from ..presence.ways import Ways  # most graphs require nothing

    presence = view.analyses.presence
    ways = Ways(presence)
    # Several tasks behind one that forgets to ensure a field, or that takes it away, are one mistake.
    found: dict[object, list[tuple[model.Task, model.Read, Way]]] = {}
    for node, read in presence.lacking(view.graph.key):
        way = ways.to(view.graph.key, node.name, read.field)
        if way is None:
            yield _short(node, read)
            continue
        one = way.writers[0].task if len(way.writers) == 1 and not way.writers[0].fails else None
        key: object = (read.field, read.place)
        if one is not None:
            key = (read.field, one.place, way.clears)
        elif way.clears and way.begins is not None:
            key = (read.field, way.begins.place, way.clears)
        found.setdefault(key, []).append((node, read, way))
    for (node, read, way), *others in found.values():
        yield _finding(presence, view, node, read, way, [other for _, other, _ in others])


def _short(node: model.Task, read: model.Read) -> Diagnostic:
    """The finding where ways of many fields were shown already."""
    return REQUIRED.found(
        f"`{read.field}` may be none when `{node.name}` runs: not every way there ensures it",
        read.place,
        label="may be none",
        help=f"let a node on each way ensure it (`ensures {read.field}`), or take the way only `when "
        f"{read.field} != none`",
    )


def _reads(node: model.Node) -> tuple[model.Read, ...]:
    return node.reads if isinstance(node, model.Task) else ()


def _finding(
    presence: Presence,
    view: GraphView,
    node: model.Task,
    read: model.Read,
    way: Way,
    others: list[model.Read],
) -> Diagnostic:
    field = read.field
    message = f"`{field}` may be none when `{node.name}` runs: "
    if way.clears:
        message += f"`{way.clears}` may set it to none on the way `{way}`"
    else:
        message += f"the way `{way}` does not ensure it"
    related = [] if way.begins is None else [way.begins]
    for task, mutation, fails in way.writers:
        what = f"may record `{mutation}`, but does not ensure `{field}`"
        if fails:
            what = f"ensures `{field}`, but not where it fails, as here"
        related.append(Label(task.place, what))
    related += [Label(other.place, "needs it, too") for other in others[:SHOWN]]
    return REQUIRED.found(
        message,
        read.place,
        label="may be none",
        help=_help(presence, view, field, way),
        related=tuple(related),
    )


def _help(presence: Presence, view: GraphView, name: str, way: Way) -> str:
    state = presence.analyses.program.states.get(view.graph.state)
    field = None if state is None else state.field(name)
    if field is not None and field.transient:
        return f"give the type of `{name}` no `?`: it is then always given"
    if len(way.writers) == 1 and not way.writers[0].fails:
        task = way.writers[0].task.name
        return f"add `ensures {name}` to `{task}`, or take this way only `when {name} != none`"
    return f"let a node on this way ensure it (`ensures {name}`), or take the way only `when {name} != none`"


_HEAD = """\
state Job {
  draft: str?

  mutation Write(draft)
}

graph work(Job) {
"""
_TAIL = """\
  task publish { reads draft! }

  start -> write -> publish -> end
}
"""
REQUIRED = Rule(
    "LG501",
    "not-ensured",
    Severity.ERROR,
    "`f!` read where a path does not ensure it, with the path",
    "On that path the field may be none, and the node would fail before it begins. A field has a value "
    "after a node that `ensures` it or reads it with `!`, behind a guard such as `f != none`, and after an "
    "answer or an `out` that records one. Where a graph starts by itself no optional field is sure to have "
    "a value, whatever its default: whoever starts the run may give none. A graph that others run inside "
    "is judged by what holds where they do, and not as one that is started by itself.",
    _HEAD + "  task write   { records Write }\n" + _TAIL,
    _HEAD + "  task write   { records Write  ensures draft }\n" + _TAIL,
    check=_lacking,
    allowable=True,
)

RULES = (REQUIRED,)
