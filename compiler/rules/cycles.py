"""Rule LG310: cycles that nothing limits (see `effects/cycles.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from ...dsl.diagnostic import Diagnostic, Label, Severity
from ...dsl.source import Place
from .. import model
from ..graph_view import GraphView, RegionView, jump_targets, turns_back
from ..rule import Rule

if TYPE_CHECKING:
    from ..effects.cycles import Circle, Exits

_LONGEST = 6  # nodes shown of a way round
_MOST_LABELS = 3


def _unbounded(view: GraphView) -> Iterator[Diagnostic]:
    if any(turns_back(view, part) for part in view.regions):
        from ..effects.cycles import circles  # most graphs have no way back

        for part, found, exits in circles(view):
            for circle in found:
                yield _finding(view, part, circle, exits)


def _finding(view: GraphView, part: RegionView, circle: Circle, exits: Exits) -> Diagnostic:
    names = circle.round
    last = names[-2]
    failing = _failing(view, part, names)
    if circle.back is not None:
        arrow = f"{last} -> {names[-1]}"
        place = circle.back.place
        help = f"put `max_visits N` on `{arrow}`"
        if circle.back.outcome == "error" and _retries(view.nodes[last], names):
            help = f"put `max_visits N` on it, or give `{last}` a `retry N` in its place"
    else:
        place = _jump(view.nodes[last], names[-1])
        help = f"in place of the `goto`, write an edge `{last} -> {names[-1]}` with `max_visits N`"
    fields, labels = _ways_out(part, circle, exits, failing)
    if fields:
        help += f", or let a node of the cycle record a change of {' or '.join(f'`{f}`' for f in fields)}"
    elif not failing:
        help += ", or lead out of the cycle `when` something holds that its nodes change"
    why = "nothing in it changes whether it is left"
    if failing:
        times_out = circle.back is not None and (circle.back.source, circle.back.outcome) == (
            failing,
            "timeout",
        )
        why = f"nothing limits how often `{failing}` {'times out' if times_out else 'fails'}"
    return CYCLE.found(
        f"`{_shown(names)}` can go round without end: {why}",
        place,
        label="the way back",
        help=help,
        related=tuple(labels[:_MOST_LABELS]),
    )


def _retries(node: model.Node, names: tuple[str, ...]) -> bool:
    """Whether `retry` can stand for a way round."""
    return isinstance(node, model.Task) and node.effect != "once" and len(names) == 2


def _failing(view: GraphView, part: RegionView, names: tuple[str, ...]) -> str:
    """The first node of a way round that has to fail for it to be taken; empty if there is none."""
    for name, following in pairwise(names):
        if following in jump_targets(view.nodes[name]):
            continue
        ways = [edge for edge in part.out.get(name, ()) if edge.target == following]
        if all(edge.trigger == "on" or edge.max_visits is not None for edge in ways):
            return name
    return ""


def _jump(node: model.Node, target: str) -> Place:
    jumps = node.goto if isinstance(node, model.Task) else ()
    return next((place for name, place in jumps if name == target), node.place)


def _shown(names: tuple[str, ...]) -> str:
    """A way round; of a long one its beginning and its end."""
    shown = names if len(names) <= _LONGEST + 1 else (*names[: _LONGEST - 2], "…", *names[-2:])
    return " -> ".join(shown)


def _ways_out(part: RegionView, circle: Circle, exits: Exits, failing: str) -> tuple[list[str], list[Label]]:
    """Why the ways out do not help: the fields that they ask for, and a few labels."""
    inside = set(circle.nodes)
    fields: dict[str, None] = {}
    labels: list[Label] = []
    for name in circle.nodes:
        if len(labels) == _MOST_LABELS:
            break
        guarded = [way for way in exits(name) if way.target not in inside and way.edge is not None]
        if guarded and name != failing:
            asked = sorted(guarded[-1].fields)
            fields.update(dict.fromkeys(asked))
            edge = guarded[0].edge
            assert edge is not None
            words = " and ".join(f"`{field}`" for field in asked) if asked else "nothing that changes"
            text = f"{words} decides here" if len(asked) < 2 else f"{words} decide here"
            labels.append(Label(edge.place, f"{text}, but nothing in the cycle changes {_it(asked)}"))
            continue
        out = next((e for e in part.out.get(name, ()) if e.target not in inside), None)
        if out is not None and out.trigger == "on":
            labels.append(Label(out.place, f"only for `on {out.outcome}`, not as long as `{name}` succeeds"))
        elif out is not None:
            labels.append(Label(out.place, f"taken when `{name}` succeeds"))
    return list(fields), labels


def _it(fields: list[str]) -> str:
    return "it" if len(fields) < 2 else "them"


_STATE = """\
state Job {
  topic: str
  done:  bool = false

  mutation Finish() { done = true }
}

graph work(Job) {
  task plan { reads topic  records Finish }
  task act  { reads topicRECORDS }

  start -> plan -> act
  act -> end when done
  act -> act else
}
"""

CYCLE = Rule(
    "LG310",
    "unbounded-cycle",
    Severity.ERROR,
    "a cycle that nothing limits: no `max_visits`, no barrier, no way out that a changed field can open",
    "Such a cycle runs until `max_steps` stops it, and costs what its nodes cost each time.",
    _STATE.replace("RECORDS", ""),
    _STATE.replace("RECORDS", "  records Finish"),
    check=_unbounded,
    allowable=True,
)

RULES = (CYCLE,)
