"""From the old and the new edges of one source to what changed among them.

An edge has no name. Two edges are taken for the same one where as much as possible agrees: first all of it,
then target and guard, then the target, then the guard. What finds no partner was added or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from .change import Notes, shortened
from .unparse import as_list, as_object, expression_text, json_text, same

Edge: TypeAlias = Mapping[str, Any]

_SAMENESS: tuple[Callable[[Edge], object], ...] = (
    lambda edge: json_text(edge),
    lambda edge: json_text([edge.get("to"), edge.get("guard")]),
    lambda edge: edge.get("to"),
    lambda edge: json_text(edge.get("guard")),
)


def edges(notes: Notes, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Compare all edges of one source, trigger by trigger."""
    source, where = _source(notes.element)
    for trigger in sorted(old.keys() | new.keys()):
        before, after = _edges(old.get(trigger)), _edges(new.get(trigger))
        pairs = partners(before, after)
        gone = [index for index in range(len(before)) if index not in pairs]
        come = [index for index in range(len(after)) if index not in pairs.values()]
        for index in gone:
            text = edge_text(source, trigger, before[index])
            notes.add(
                f"{trigger}/{_target(before[index])}", (text, None), f"edge `{text}`{where} was removed"
            )
        for index in come:
            text = edge_text(source, trigger, after[index])
            notes.add(f"{trigger}/{_target(after[index])}", (None, text), f"edge `{text}`{where} was added")
        for index in sorted(pairs):
            _edge(notes, source, where, trigger, before[index], after[pairs[index]])
        kept = sorted(pairs)
        if [pairs[index] for index in kept] != sorted(pairs.values()):
            _order(
                notes,
                source,
                where,
                trigger,
                [after[pairs[i]] for i in kept],
                [after[i] for i in sorted(pairs.values())],
            )


def _edge(notes: Notes, source: str, where: str, trigger: str, old: Edge, new: Edge) -> None:
    """Compare one edge with its partner."""
    arrow = f"`{source} -> {_target(new)}`{where}"
    path = f"{trigger}/{_target(old)}"
    targets = _target(old), _target(new)
    if targets[0] != targets[1]:
        text = edge_text(source, trigger, old)
        notes.add(f"{path}/to", targets, f"edge `{text}`{where} now leads to `{targets[1]}`")
    guards = _guard(old), _guard(new)
    if not same(old.get("guard"), new.get("guard")):
        shown = [shortened(guard or "") for guard in guards]
        notes.add(f"{path}/guard", guards, f"guard of {arrow} changed from `{shown[0]}` to `{shown[1]}`")
    counts = _count(old), _count(new)
    match counts:
        case before, after if before == after:
            return
        case None, after:
            words = f"now has max_visits {after}"
        case before, None:
            words = f"no longer has max_visits {before}"
        case before, after:
            words = f"changed its max_visits from {before} to {after}"
    notes.add(f"{path}/max_visits", counts, f"edge {arrow} {words}")


def _order(
    notes: Notes, source: str, where: str, trigger: str, old: Sequence[Edge], new: Sequence[Edge]
) -> None:
    before, after = ([edge_text(source, trigger, edge) for edge in side] for side in (old, new))
    texts = ", ".join(before), ", ".join(after)
    shown = shortened(texts[0]), shortened(texts[1])
    words = f"the order of the `{trigger}` edges of `{source}`{where} changed"
    notes.add(f"{trigger}/order", texts, f"{words} from `{shown[0]}` to `{shown[1]}`")


def edge_text(source: str, trigger: str, edge: Edge) -> str:
    """An edge as one would write it."""
    text = f"{source} -> {_target(edge)}"
    if "guard" in edge:
        text += f" when {expression_text(edge['guard'])}"
    elif trigger != "plain":
        text += f" {trigger}"
    if "max_visits" in edge:
        text += f" max_visits {json_text(edge['max_visits'])}"
    return text


def partners(old: Sequence[Edge], new: Sequence[Edge]) -> dict[int, int]:
    """Which new edge each old one has become, by index."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for key_of in _SAMENESS:
        waiting: dict[object, list[int]] = {}
        for index in range(len(new) - 1, -1, -1):
            if index not in taken:
                waiting.setdefault(key_of(new[index]), []).append(index)
        for index in range(len(old)):
            if index not in pairs and (found := waiting.get(key_of(old[index]))):
                pairs[index] = found.pop()
                taken.add(pairs[index])
    return pairs


def _edges(form: Any) -> list[Edge]:
    return [as_object(item) or {} for item in as_list(form)]


def _guard(edge: Edge) -> str | None:
    return expression_text(edge["guard"]) if "guard" in edge else None


def _count(edge: Edge) -> str | None:
    return json_text(edge["max_visits"]) if "max_visits" in edge else None


def _target(edge: Edge) -> str:
    return str(edge.get("to"))


def _source(element: str) -> tuple[str, str]:
    """`edges/grade` -> `grade`; `edges/check/style/start` -> `start`, and which branch is meant."""
    region, _, source = element.removeprefix("edges/").rpartition("/")
    return source, (f" of branch `{region}`" if region else "")
