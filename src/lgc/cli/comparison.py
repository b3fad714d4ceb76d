"""From two sides of a comparison to what is said of each graph, and of all together: data, and its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from ..runtime.changes.change import Change
from ..runtime.changes.kinds import BEARINGS, KINDS, Bearing
from ..runtime.changes.likely import Rename, likely_renames
from ..runtime.compat.places import judge_graph
from ..runtime.compat.verdict import GraphVerdict, PlaceVerdict, Verdict
from ..runtime.forms.version import Version
from ..runtime.migrating.chain import chain_from
from .operational import operational_changes
from .terminal import Failure
from .version_forms import with_inner
from .versions import Found, Given
from .wording import short_hash

__all__ = ["BEARINGS", "Compared", "Comparison", "bearing", "compare_sides", "groups", "rename_text"]

_PROBLEMS = 5  # errors in a migration that are told
Status: TypeAlias = Literal["compared", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One graph.

    Attributes:
        label: the graph's name, with its file where another one has the same.
        status: whether there are two versions of it.
        judged: what is said of it. A graph that was added is compatible: no run is under it. One that was
            removed is incompatible: no run under it could go on.
        old, new: what was compared, None for nothing.
        renames: what was probably given another name, where no migration says what became of it.
        operational: what changed in how it is run; known for two sources.
        notes: what else there is to say, one sentence each.
    """

    label: str
    status: Status
    judged: GraphVerdict
    old: Found | None
    new: Found | None
    renames: tuple[Rename, ...] = ()
    operational: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What counts for the whole."""
        return self.judged.verdict

    def to_json(self) -> dict[str, Any]:
        """As a JSON value: that of the verdict, and what the command adds."""
        told = self.judged.to_json()
        for change, plain in zip(self.judged.changes, told["changes"], strict=True):
            plain["class"] = bearing(change)
        return {
            **told,
            "status": self.status,
            "files": {
                "old": self.old.file if self.old else "",
                "new": self.new.file if self.new else "",
            },
            "renames": [{**asdict(one), "text": rename_text(one)} for one in self.renames],
            "operational": [{**asdict(one), "class": "never"} for one in self.operational],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All graphs of both sides.

    Attributes:
        old, new: what was given, as it may be shown.
        graphs: by label.
        notes: about how the sides were read.
    """

    old: str
    new: str
    graphs: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return max((one.verdict for one in self.graphs), key=lambda one: one.rank)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many graphs there are of each verdict that one has, from the worst; added and removed ones by
        themselves."""
        words = [str(one.verdict) if one.status == "compared" else one.status for one in self.graphs]
        order = ("removed", *(str(one) for one in reversed(Verdict)), "added")
        return {word: words.count(word) for word in order if word in words}

    def to_json(self) -> dict[str, Any]:
        """As a JSON value; see docs/cli.md."""
        return {
            "version": 1,
            "old": self.old,
            "new": self.new,
            "verdict": str(self.verdict),
            "summary": dict(self.counts),
            "graphs": [one.to_json() for one in self.graphs],
            "notes": list(self.notes),
        }


def bearing(change: Change) -> Bearing:
    """The class of a change: what decides whether a parked run notices it."""
    kind = KINDS.get(change.name)
    return "history" if kind is None else kind.bearing


def rename_text(rename: Rename) -> str:
    """A likely rename as a sentence."""
    return f"{rename.what} `{rename.old}` may be `{rename.new}` now: {', '.join(rename.evidence)}"


def groups(places: Iterable[PlaceVerdict]) -> list[tuple[PlaceVerdict, list[str]]]:
    """Places of which the same is said, with their nodes, the worst verdict first."""
    found: dict[tuple[object, ...], tuple[PlaceVerdict, list[str]]] = {}
    for place in places:
        why = tuple((one.kind, one.element, one.text) for one in place.reasons)
        found.setdefault((place.verdict, place.sure, why), (place, []))[1].append(place.node)
    return sorted(found.values(), key=lambda one: (-one[0].verdict.rank, not one[0].sure))


def compare_sides(old: Given, new: Given) -> Comparison:
    """Compare what two sides stand for, graph by graph."""
    graphs = [_compared(*pair) for pair in _pairs(old.graphs, new.graphs)]
    return Comparison(old.shown, new.shown, tuple(graphs), (*old.notes, *new.notes, *_renamed(graphs)))


def _compared(label: str, old: Found | None, new: Found | None) -> Compared:
    if old is None or new is None:
        there = old or new
        if there is None:
            raise ValueError("neither side has a graph")
        hash_ = there.version.hash
        if new is None:
            judged = GraphVerdict(there.name, hash_, "", Verdict.INCOMPATIBLE)
            return Compared(label, "removed", judged, old, None)
        return Compared(label, "added", GraphVerdict(there.name, "", hash_, Verdict.COMPATIBLE), None, new)
    version, notes = _with_sound_migrations(old, new)
    try:
        judged = judge_graph(old.version, version)
    except ValueError as problem:
        raise Failure(f"{label}: {problem}") from None
    if any(not place.sure for place in judged.places):
        notes.append("where its history decides, `lgc drift` says it for each run of a store")
    shared = old.version.elements.keys() & new.version.elements.keys()
    operational = tuple(
        one for one in operational_changes(old.operational, new.operational) if one.element in shared
    )
    migrated = any(place.verdict is Verdict.MIGRATABLE for place in judged.places)
    renames = () if migrated else likely_renames(old.version, new.version)
    return Compared(label, "compared", judged, old, new, renames, operational, tuple(notes))


def _with_sound_migrations(old: Found, new: Found) -> tuple[Version, list[str]]:
    """The new version, without its migrations where the compiler speaks against those from the old one."""
    version = new.version
    chain = chain_from(version, old.version.hash)
    if not chain:
        others = ", ".join(short_hash(one.source) for one in version.migrations)
        wanted = others and version.hash != old.version.hash
        note = f"no migration is from this version: those declared are from {others}"
        return version, [note] if wanted else []
    if new.against is None:
        return version, []
    problems = new.against([one.canonical for one in with_inner([old.version])])
    if not problems:
        where = ", ".join(one.place for one in chain)
        return version, [f"runs are taken over by the migration at {where}"]
    notes = [f"the migration does not count: {one.message} ({one.place})" for one in problems[:_PROBLEMS]]
    if len(problems) > _PROBLEMS:
        notes.append(f"and {len(problems) - _PROBLEMS} more errors: see `lgc check --against`")
    return Version(version.hash, version.canonical, version.inner, version.places), notes


# --- which graph is which ---------------------------------------------------------------------------------


def _pairs(old: Sequence[Found], new: Sequence[Found]) -> list[tuple[str, Found | None, Found | None]]:
    """Graphs of the same name; two single graphs whatever they are called; those of one name by file."""
    if len(old) == len(new) == 1:
        return [(new[0].name, old[0], new[0])]
    found: list[tuple[str, Found | None, Found | None]] = []
    for name in sorted({one.name for one in (*old, *new)}):
        before, after = (_once([one for one in side if one.name == name]) for side in (old, new))
        if len(before) <= 1 and len(after) <= 1:
            found.append((name, next(iter(before), None), next(iter(after), None)))
            continue
        for same in (_file, _hash):
            for one in list(before):
                other = next((two for two in after if same(one) and same(one) == same(two)), None)
                if other is not None:
                    before.remove(one)
                    after.remove(other)
                    found.append((_label(other), one, other))
        if len(before) == len(after) == 1:
            found.append((_label(after[0]), before.pop(), after.pop()))
        found += [(_label(one), one, None) for one in before]
        found += [(_label(one), None, one) for one in after]
    return sorted(found, key=lambda pair: pair[0])


def _once(found: Iterable[Found]) -> list[Found]:
    return list({(one.version.hash, one.file): one for one in found}.values())


def _file(found: Found) -> str:
    return found.file


def _hash(found: Found) -> str:
    return found.version.hash


def _label(found: Found) -> str:
    return f"{found.name} ({found.file})" if found.file else found.name


def _renamed(graphs: Sequence[Compared]) -> list[str]:
    """What to do where a graph may only have been given another name."""
    gone = [one.old for one in graphs if one.status == "removed" and one.old]
    come = [one.new for one in graphs if one.status == "added" and one.new]
    if len(gone) != 1 or len(come) != 1:
        return []
    return [
        f"if `{gone[0].name}` is called `{come[0].name}` now, compare these two by themselves:"
        f" name them behind the files, as in FILE:{come[0].name}"
    ]
