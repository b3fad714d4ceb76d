"""From the tables of change kinds and reason kinds to what `lgc explain` says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from textwrap import fill

from .terminal import Style, out, table

_WIDTH = 90
CHANGES = "Changes between two versions"
REASONS = "Reasons why a run cannot go on"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of change or of reason, as it is told.

    Attributes:
        name: its id.
        family: `CHANGES` or `REASONS`.
        title: one line.
        group: by what a run is judged: the bearing of a change, the condition of a reason.
        decides: the same in words.
        what, why: paragraphs.
        old, new: the example of a change, "" for reasons.
    """

    name: str
    family: str
    title: str
    group: str
    decides: str
    what: str
    why: str
    old: str = ""
    new: str = ""


_CONDITIONS = {
    "data": "breaks the condition on data",
    "place": "breaks the condition on the place where a run is parked",
    "history": "breaks the condition on what a run has done so far",
    "migration": "said of a declared migration",
    "risk": "a risk, told beside any verdict",
}


def topics() -> list[Topic]:
    """All kinds of changes, then all kinds of reasons."""
    from ..runtime.changes.kinds import BEARINGS
    from ..runtime.changes.kinds import KINDS as CHANGED
    from ..runtime.compat.kinds import KINDS as REASONED

    found = [
        Topic(
            kind.id, CHANGES, kind.title, kind.bearing, BEARINGS[kind.bearing], kind.what, kind.why,
            kind.old, kind.new,
        )
        for kind in CHANGED.values()
    ]  # fmt: skip
    for reason in REASONED.values():
        group = str(reason.condition or "risk")
        what = f"{reason.what[:1].upper()}{reason.what[1:]}."
        found.append(
            Topic(reason.id, REASONS, reason.what, group, _CONDITIONS.get(group, group), what, reason.why)
        )
    return found


def write_topic(topic: Topic, style: Style) -> None:
    """One kind in full."""
    out(f"{style.bold(topic.name)} ({topic.decides})")
    out()
    if topic.family == CHANGES:
        out(fill(f"{topic.title[:1].upper()}{topic.title[1:]}. {topic.what}", _WIDTH))
    else:
        out(fill(topic.what, _WIDTH))
    out()
    out(fill(topic.why, _WIDTH))
    if topic.old:
        out()
        out(style.bold("Example"))
        out()
        for line in example(topic):
            paint = style.green if line[:1] == "+" else style.red if line[:1] == "-" else str
            out(f"    {paint(line)}".rstrip())


def example(topic: Topic) -> Sequence[str]:
    """What changes in the example, line by line, with what stands around it."""
    lines = [*unified_diff(topic.old.splitlines(), topic.new.splitlines(), lineterm="", n=1)][2:]
    return ["…" if line.startswith("@@") else line for line in lines][1:]


def list_topics(found: Sequence[Topic], style: Style) -> None:
    """A table for each family."""
    for family in (CHANGES, REASONS):
        rows = [
            (style.bold(topic.name), topic.group, topic.title) for topic in found if topic.family == family
        ]
        if rows:
            out()
            out(style.bold(family))
            head = ("NAME", "DECIDED BY", "WHAT") if family == CHANGES else ("NAME", "CONDITION", "WHAT")
            out(table(head, rows, style))


def topic_json(topic: Topic) -> dict[str, object]:
    """One kind as JSON."""
    told: dict[str, object] = {
        "name": topic.name,
        "family": topic.family,
        "summary": topic.title,
        "bearing" if topic.family == CHANGES else "condition": topic.group,
        "what": topic.what,
        "why": topic.why,
    }
    if topic.old:
        told["example"] = {"old": topic.old, "new": topic.new, "diff": "\n".join(example(topic))}
    return told
