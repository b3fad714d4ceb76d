"""From a comparison to a comment on a pull request: the verdict, a short table, what changed, a picture.

GitHub takes comments of 65,536 characters. Of a longer one pictures are left out first, then changes; what is
missing is said at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ..runtime.changes.change import Change
from ..runtime.changes.likely import Rename
from ..runtime.compat.verdict import PlaceVerdict, Verdict
from .comparison import BEARINGS, Compared, Comparison, bearing, groups, rename_text
from .diff_text import extent, migrate_hint, where_words
from .markdown import code, fenced, folded, inline, plain, table
from .operational import KIND as OPERATIONAL
from .terminal import counted
from .wording import short_hash

MARK = "<!-- lgc diff -->"
"""The first line: by it a workflow finds the comment that it wrote before."""
LIMIT = 65_536
"""Characters in a comment, as GitHub counts them at most."""

_LEAST = 200  # characters of room for which nothing more is made
_REMARK = 600  # kept free for what is said at the end
_ICONS = {
    Verdict.IDENTICAL: "✅",
    Verdict.COMPATIBLE: "✅",
    Verdict.MIGRATABLE: "⚠️",
    Verdict.INCOMPATIBLE: "❌",
}
_NODES, _REASONS, _ROWS, _GRAPHS = 12, 4, 12, 60
_CHANGES = (60, 15, 4)  # how many are shown of a graph: the first number that fits


@dataclass(slots=True)
class _Piece:
    """A part of the comment. `ways` gives it in full, then shorter; made only where there is room."""

    ways: Callable[[], Iterable[str]]
    rank: int  # what is more important has a lower one
    what: str
    chosen: str = ""


def as_markdown(found: Comparison, picture: Callable[[Compared], str]) -> str:
    """The whole comment. `picture` gives a Mermaid text of a graph, "" for none."""
    pieces = [_Piece(lambda: [_head(found)], 0, "the head")]
    for one in found.graphs:
        if one.verdict is not Verdict.IDENTICAL or one.operational:
            pieces += _pieces(one, picture, migrate_hint(found), titled=len(found.graphs) > 1)
    pieces.append(_Piece(lambda: [_notes(found.notes)], 1, "notes"))
    return _fitted(pieces)


def _pieces(
    one: Compared, picture: Callable[[Compared], str], hint: str, *, titled: bool
) -> Iterator[_Piece]:
    """The parts about one graph."""

    def places() -> Iterator[str]:
        title = f"**{_title(one)}** {_hashes(one)}" if titled else ""
        parts = title, _places(one), _notes(one.notes)
        yield "\n\n".join(part for part in parts if part)
        yield title

    def drawn() -> Iterator[str]:
        text = picture(one)
        yield folded("Picture", fenced(text, "mermaid")) if text else ""

    yield _Piece(places, 1, "places")
    if one.judged.changes:
        yield _Piece(partial(_changes, "Changes", one.judged.changes), 2, "changes")
    if one.renames:
        yield _Piece(partial(_renames, one.renames, hint), 2, "likely renames")
    if one.operational:
        label = "How it is run (the hash and all runs stay as they are)"
        yield _Piece(partial(_changes, label, one.operational), 3, "changes")
    if one.verdict is not Verdict.IDENTICAL:
        yield _Piece(drawn, 4, "a picture")


def _fitted(pieces: list[_Piece]) -> str:
    """All that there is room for, and a remark about the rest."""
    left = LIMIT - _REMARK
    missing: dict[str, int] = {}
    for piece in sorted(pieces, key=lambda one: one.rank):
        whole = True
        for way in piece.ways() if left > _LEAST else ("",):
            if _length(way) + 2 <= left and left > _LEAST:
                piece.chosen = way
                left -= _length(way) + 2
                break
            whole = False
        if not whole:
            missing[piece.what] = missing.get(piece.what, 0) + 1
    text = "\n\n".join(piece.chosen for piece in pieces if piece.chosen)
    if missing:
        words = ", ".join(f"{what} of {counted(count, 'graph')}" for what, count in missing.items())
        text += f"\n\n*Too long for a comment, so left out: {words}. `lgc diff` shows all of it.*"
    return text + "\n"


def _length(text: str) -> int:
    """Characters as the strictest reader counts them: those beyond 16 bits are two."""
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


def picture_of(one: Compared) -> str:
    """The Mermaid picture of a graph with what changed in colour, "" where there is nothing to see."""
    from ..runtime.changes.picture import picture, picture_of_change

    if one.new is None:
        return ""
    return picture_of_change(one.old.version, one.new.version) if one.old else picture(one.new.version)


# --- pieces -----------------------------------------------------------------------------------------------


def _head(found: Comparison) -> str:
    sides = f"{code(found.old)} → {code(found.new)}"
    if len(found.graphs) == 1:
        (one,) = found.graphs
        return f"{MARK}\n### {_ICONS[one.verdict]} {_title(one)}\n\n{sides}: {_hashes(one)}"
    counts = ", ".join(f"{count:,} {word}" for word, count in found.counts.items())
    head = f"### {_ICONS[found.verdict]} {found.verdict}: {counts} of {counted(len(found.graphs), 'graph')}"
    told = [one for one in found.graphs if one.verdict is not Verdict.IDENTICAL]
    told.sort(key=lambda one: -one.verdict.rank)
    rows = [
        [code(one.label, cell=True), f"{_ICONS[one.verdict]} {_word(one)}", _about(one)]
        for one in told[:_GRAPHS]
    ]
    if len(told) > _GRAPHS:
        rows.append([f"and {len(told) - _GRAPHS:,} more", "", ""])
    listed = table(["graph", "verdict", ""], rows) if rows else ""
    return "\n\n".join(part for part in (f"{MARK}\n{head}", sides, listed) if part)


def _title(one: Compared) -> str:
    far = extent(one)
    return f"{code(one.label)}: {_word(one)}" + (f" {far}" if far else "")


def _word(one: Compared) -> str:
    return str(one.verdict) if one.status == "compared" else one.status


def _about(one: Compared) -> str:
    match one.status:
        case "added":
            return "no run is under it yet"
        case "removed":
            return "a run that is under it cannot go on"
        case "compared":
            return extent(one)


def _hashes(one: Compared) -> str:
    hashes = [short_hash(whole) for whole in (one.judged.old, one.judged.new) if whole]
    return " → ".join(code(whole) for whole in dict.fromkeys(hashes))


def _places(one: Compared) -> str:
    if not one.judged.places or one.verdict is Verdict.IDENTICAL:
        return ""
    found = groups(one.judged.places)
    rows = [[_nodes(nodes), where_words(place), _reasons(place)] for place, nodes in found[:_ROWS]]
    if len(found) > _ROWS:
        rows.append([f"and {sum(len(nodes) for _, nodes in found[_ROWS:]):,} more", "", ""])
    return table(["a run that is parked at", "is", "because"], rows)


def _nodes(nodes: Sequence[str]) -> str:
    more = len(nodes) - _NODES
    names = ", ".join(code(node, cell=True) for node in nodes[:_NODES])
    return names + (f" and {more:,} more" if more > 0 else "")


def _reasons(place: PlaceVerdict) -> str:
    texts = [
        inline(one.text, cell=True) + (f" ({code(one.place, cell=True)})" if one.place else "")
        for one in place.reasons[:_REASONS]
    ]
    if len(place.reasons) > _REASONS:
        texts.append(f"and {len(place.reasons) - _REASONS:,} more")
    return "<br>".join(texts)


def _changes(title: str, changes: Sequence[Change]) -> Iterator[str]:
    """The list, then shorter ones."""
    lines = [_change(one) for one in changes[: _CHANGES[0]]]
    for count in _CHANGES:
        shown = lines[:count]
        if len(changes) > count:
            shown.append(f"- and {len(changes) - count:,} more")
        yield "\n".join([f"**{title}**", "", *shown])


def _renames(renames: Sequence[Rename], hint: str) -> Iterator[str]:
    shown = [f"- `?` {inline(rename_text(one))}" for one in renames[: _CHANGES[1]]]
    if len(renames) > _CHANGES[1]:
        shown.append(f"- and {len(renames) - _CHANGES[1]:,} more")
    yield "\n".join(["**Likely renames**", "", *shown, "", inline(hint)])


def _change(one: Change) -> str:
    mark = code({"added": "+", "removed": "-"}.get(one.kind, "~"))
    about = "" if one.name == OPERATIONAL else f" — {code(one.name)}, {plain(BEARINGS[bearing(one)])}"
    return f"- {mark} {inline(one.text)}{about}"


def _notes(notes: Sequence[str]) -> str:
    return "\n".join(f"- note: {inline(one)}" for one in notes)
