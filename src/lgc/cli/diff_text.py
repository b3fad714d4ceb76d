"""From a comparison to text for a terminal: the verdict, then places, then what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..runtime.changes.change import Change
from ..runtime.compat.verdict import PlaceVerdict, Reason, Verdict
from .comparison import BEARINGS, Compared, Comparison, bearing, groups, rename_text
from .operational import KIND as OPERATIONAL
from .terminal import Style, counted, one_line
from .wording import short_hash

_NAMES = 12  # nodes that are named in a line
_PAINTS = {
    Verdict.IDENTICAL: Style.green,
    Verdict.COMPATIBLE: Style.green,
    Verdict.MIGRATABLE: Style.yellow,
    Verdict.INCOMPATIBLE: Style.red,
}


def as_text(found: Comparison, style: Style) -> str:
    """The whole comparison."""
    lines: list[str] = []
    if len(found.graphs) > 1:
        lines += [summary(found, style), ""]
    same: list[str] = []
    for one in found.graphs:
        if len(found.graphs) > 1 and one.verdict is Verdict.IDENTICAL and not one.operational:
            same.append(one.label)
        else:
            lines += [*_graph(found, one, style), ""]
    if same:
        lines += [f"{painted(Verdict.IDENTICAL, style)}: {one_line(listed(same))}", ""]
    lines += [f"{style.bold('note:')} {one_line(note)}" for note in found.notes]
    return "\n".join(lines).rstrip() + "\n"


def summary(found: Comparison, style: Style) -> str:
    """The verdict for all graphs in a line."""
    counts = ", ".join(f"{count:,} {word}" for word, count in found.counts.items())
    return f"{painted(found.verdict, style)}: {counts} of {counted(len(found.graphs), 'graph')}"


def painted(verdict: Verdict, style: Style) -> str:
    """A verdict in its colour."""
    return _PAINTS[verdict](style, str(verdict))


def listed(nodes: Sequence[str]) -> str:
    """Names, cut where there are many."""
    more = len(nodes) - _NAMES
    return ", ".join(nodes[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def where_words(place: PlaceVerdict) -> str:
    """What is said of a place."""
    return str(place.verdict) if place.sure else f"{place.verdict}, or compatible: its history decides"


def extent(one: Compared) -> str:
    """At how many nodes a run is incompatible, "" where there is none, or no place was looked at."""
    bad = [place for place in one.judged.places if place.verdict is Verdict.INCOMPATIBLE]
    sure = sum(place.sure for place in bad)
    nodes = counted(len(one.judged.places), "node")
    if sure and sure < len(bad):
        return f"at {sure:,} of {nodes}, and at {len(bad) - sure:,} where the history of a run decides"
    if sure:
        return f"at {sure:,} of {nodes}"
    return f"at {len(bad):,} of {nodes}, where the history of a run decides" if bad else ""


def _graph(found: Comparison, one: Compared, style: Style) -> Iterator[str]:
    yield _head(one, style)
    judged = one.judged
    if judged.places and one.verdict is not Verdict.IDENTICAL:
        yield f"  {style.bold('a run that is parked at')}"
        for place, nodes in groups(judged.places):
            yield f"    {style.cyan(one_line(listed(nodes)))}: {_place_text(place, style)}"
            yield from (f"      - {line}" for line in map(reason_text, place.reasons))
    if judged.changes:
        yield f"  {style.bold('changes')}"
        yield from (_change(change, style) for change in judged.changes)
    if one.renames:
        yield f"  {style.bold('likely renames')}"
        yield from (f"    {style.yellow('?')} {one_line(rename_text(rename))}" for rename in one.renames)
        yield f"    {style.blue('=')} {style.bold('help:')} {migrate_hint(found)}"
    if one.operational:
        yield f"  {style.bold('how it is run')} {style.dim('(the hash and all runs stay as they are)')}"
        yield from (_change(change, style) for change in one.operational)
    yield from (f"  {style.bold('note:')} {one_line(note)}" for note in one.notes)


def migrate_hint(found: Comparison) -> str:
    """How a rename is said."""
    from shlex import quote

    return f"`lgc migrate {quote(found.old)} {quote(found.new)}` drafts a migration that says so"


def _head(one: Compared, style: Style) -> str:
    name = style.bold(one_line(one.label))
    hashes = [short_hash(whole) for whole in (one.judged.old, one.judged.new) if whole]
    if one.verdict is Verdict.IDENTICAL:
        hashes = hashes[:1]
    word = painted(one.verdict, style) if one.status == "compared" else style.yellow(one.status)
    tail = {
        "added": "no run is under it yet",
        "removed": "a run that is under it cannot go on",
        "compared": extent(one),
    }[one.status]
    return f"{name}: {word} {style.dim(' -> '.join(hashes))}" + (f"  {tail}" if tail else "")


def _place_text(place: PlaceVerdict, style: Style) -> str:
    paint = _PAINTS[place.verdict] if place.sure else Style.yellow
    return paint(style, where_words(place))


def reason_text(reason: Reason) -> str:
    """A reason with its place in the new source."""
    return one_line(reason.text) + (f" ({one_line(reason.place)})" if reason.place else "")


def _change(change: Change, style: Style) -> str:
    mark = {"added": style.green("+"), "removed": style.red("-")}.get(change.kind, style.yellow("~"))
    about = f"[{change.name}: {BEARINGS[bearing(change)]}]" if change.name != OPERATIONAL else ""
    return f"    {mark} {one_line(change.text)}" + (f"  {style.dim(about)}" if about else "")
