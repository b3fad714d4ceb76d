"""From what the branches of a parallel do to the races between them (LG502, LG503).

A parallel has one finding for a field, whatever the number of its branches. Where a race is an error, that a
branch does not see it either is not said again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ...dsl.diagnostic import Diagnostic, Label
from ...dsl.lists import listed
from ...dsl.named import NamedTuple
from .. import model
from ..graph_view import GraphView
from ..rules.races import RACE, STALE
from ..types import base
from . import Read, Sum, Write
from .contention import Entry, Writers
from .mentions import Path, mentions
from .merging import Merging

# Of what a branch with `reads *` does not see, so much is looked at: a message does not count further.
MOST = 100


class _Race(NamedTuple):
    """Two writes whose order matters, and the further branches that do the same."""

    first: Entry
    second: Entry
    more: set[int]


class _Fork(NamedTuple):
    """A parallel with what its branches do, in their order."""

    view: GraphView
    node: model.Parallel
    sums: list[Sum]
    writers: Writers
    merged: Merging

    def name(self, branch: int) -> str:
        return self.node.branches[branch].name


def races(view: GraphView) -> Iterator[Diagnostic]:
    """The findings of one graph, for each of its parallels and maps."""
    merged = view.analyses.effects.merging(view.graph.state)
    for node in view.graph.nodes:
        if isinstance(node, model.Parallel) and node.join_count > 1:  # one alone is kept: nothing to join
            effects = view.analyses.effects
            sums = [effects.of_region(view.graph.key, branch.region) for branch in node.branches]
            if any(sum.writes for sum in sums):
                yield from _of_fork(_Fork(view, node, sums, Writers(), merged))
        elif isinstance(node, model.MapNode) and node.lens.outputs:
            yield from _of_map(view, node, merged)


def _of_fork(fork: _Fork) -> Iterator[Diagnostic]:
    races: dict[Path, _Race] = {}
    racing = Writers()
    for branch, sum in enumerate(fork.sums):
        plain = [write for write in sum.writes if write.path not in fork.merged]
        for write in plain:
            first = racing.against(write)
            if first is not None:
                key = min(first.write.path, write.path, key=len)
                race = races.setdefault(key, _Race(first, Entry(branch, write), set()))
                race.more.add(branch)
        fork.writers.add(branch, sum.writes)
        racing.add(branch, plain)
    for race in races.values():
        yield _conflict(fork, race)
    known = {path[0] for path in races}
    written = [entries for (field,), entries in fork.writers.tops.items() if field not in known]
    for branch in range(len(fork.sums)):
        yield from _unseen(fork, branch, known)
        yield from _stale(fork, branch, known, written)


# --- two writes -------------------------------------------------------------------------------------------

_TOGETHER = {
    "set": ("set `{}`", "the last one would win"),
    "put": ("put entries into `{}`", "for the same key the last one would win"),
    "delete": ("delete entries of `{}`", "only one of them finds what it deletes"),
}
_ALONE = {
    "set": "sets `{}`",
    "add": "adds to `{}`",
    "append": "appends to `{}`",
    "union": "adds entries to `{}`",
    "max": "raises `{}`",
    "min": "lowers `{}`",
    "sub": "takes entries out of `{}`",
    "put": "puts entries into `{}`",
    "delete": "deletes entries of `{}`",
}


def _conflict(fork: _Fork, race: _Race) -> Diagnostic:
    first, second, parallel = race.first, race.second, fork.node.name
    one, other = fork.name(first.branch), fork.name(second.branch)
    ours, theirs = _dotted(first.write.path), _dotted(second.write.path)
    together = _TOGETHER.get(first.write.kind) if first.write.kind == second.write.kind else None
    if together is not None and ours == theirs:
        more = len(race.more - {first.branch, second.branch})
        who = f"`{one}`, `{other}` and {more} more" if more else f"`{one}` and `{other}`"
        does, so = together
        both = "all" if more else "both"
        message = f"branches {who} of `{parallel}` {both} {does.format(ours)}, and {so}"
    else:
        message = (
            f"branch `{one}` of `{parallel}` {_ALONE[first.write.kind].format(ours)}, branch `{other}` "
            f"{_ALONE[second.write.kind].format(theirs)}: the result depends on which is joined first"
        )
    label = f"branch `{one}` records `{first.write.mutation}` here"
    related = [Label(first.write.recorded, label), *_statements(first.write, second.write)]
    return RACE.found(
        message,
        second.write.recorded,
        label=f"branch `{other}` records `{second.write.mutation}`",
        help=_remedy(fork.view, first.write, second.write, "branch", "let one branch alone write it"),
        related=tuple(related),
    )


def _statements(*writes: Write) -> Iterator[Label]:
    """Where the updates stand, each place once."""
    for place, write in {write.written: write for write in reversed(writes)}.items():
        yield Label(place, f"`{write.mutation}` {_ALONE[write.kind].format(_dotted(write.path))}")


def _remedy(view: GraphView, one: Write, other: Write, who: str, alone: str) -> str:
    """How two writes could compose."""
    writes = (one, other)
    path = min((write.path for write in writes), key=len)
    declared = _declared(view, path)
    if declared is None:
        return ""
    at, field = declared
    rules = _rules(field.type) if at == path else ("last",)
    say = f"say how `{_dotted(at)}` is joined (" + ", ".join(f"`merge {rule}`" for rule in rules) + ")"
    kinds = {write.kind for write in writes}
    if kinds <= {"put", "union"}:
        return f"write `{_dotted(path)} += {{key: value}}` in every {who}, which composes, or {say}"
    if kinds <= {"set", "append"} and isinstance(base(field.type), model.ListOf):
        return f"append with `{_dotted(path)} += [value]` in every {who}, which composes, or {say}"
    return f"{say}, or {alone}"


def _declared(view: GraphView, path: Path) -> tuple[Path, model.Field] | None:
    """The innermost field of a state on a path."""
    states = view.analyses.program.states
    key: model.Key | None = view.graph.state
    found: tuple[Path, model.Field] | None = None
    for end, name in enumerate(path, 1):
        state = None if key is None else states.get(key)
        field = None if state is None else state.field(name)
        if field is None:
            break
        found = path[:end], field
        key = field.type.key if isinstance(field.type, model.StateType) else None
    return found


def _rules(type: model.Type) -> tuple[str, ...]:
    """The merge rules that are worth a thought for a type."""
    match base(type):
        case model.Scalar("int" | "float" | "decimal"):
            return ("max", "min", "sum", "last")
        case model.Scalar("date" | "datetime" | "duration"):
            return ("max", "min", "last")
        case model.Scalar("str") | model.ListOf():
            return ("append", "last")
        case model.SetOf() | model.DictOf():
            return ("union", "last")
        case _:
            return ("last",)


def _unseen(fork: _Fork, branch: int, known: set[str]) -> Iterator[Diagnostic]:
    """Updates that are computed again at the join, from what their branch did not see."""
    told: set[Path] = set()
    for write in fork.sums[branch].writes:
        if write.path in fork.merged or write.path in told or write.path[0] in known:
            continue
        for seen in sorted(write.sees):
            entry = None if seen[0] in known else fork.writers.other(seen, branch)
            if entry is None:
                continue
            told.add(write.path)
            ours, theirs = _dotted(write.path), _dotted(seen)
            one, other, parallel = fork.name(branch), fork.name(entry.branch), fork.node.name
            yield RACE.found(
                f"branch `{one}` of `{parallel}` computes `{ours}` from `{theirs}`, which branch `{other}` "
                "writes: the result depends on which is joined first",
                write.recorded,
                label=f"`{write.mutation}` is computed again at the join",
                help=f"compute `{ours}` after `{parallel}`, or give the value to `{write.mutation}` as a "
                "parameter",
                related=(
                    Label(entry.write.recorded, f"branch `{other}` records `{entry.write.mutation}` here"),
                    *_statements(write, entry.write),
                ),
            )
            break


# --- a read and a write -----------------------------------------------------------------------------------


def _stale(fork: _Fork, branch: int, known: set[str], written: list[list[Entry]]) -> Iterator[Diagnostic]:
    """LG503: one finding for each place that reads, and each field once."""
    found: dict[object, list[tuple[Read, Entry]]] = {}
    told: set[str] = set()
    for read in _looks(fork, branch):
        if not read.path:
            for other in _others(written, branch):
                path = other.write.path[:1]
                if path[0] not in told:
                    told.add(path[0])
                    found.setdefault(read.place, []).append((read._replace(path=path), other))
            continue
        field = read.path[0]
        if field in known or field in told:
            continue
        entry = fork.writers.other(read.path, branch)
        if entry is not None:
            told.add(field)
            found.setdefault(read.place, []).append((read, entry))
    for pairs in found.values():
        yield _stale_read(fork, branch, pairs)


def _others(written: list[list[Entry]], branch: int) -> Iterator[Entry]:
    """A write by another branch for each field, as far as anybody would read on."""
    found = (next((one for one in entries if one.branch != branch), None) for entries in written)
    yield from islice((entry for entry in found if entry is not None), MOST)


def _looks(fork: _Fork, branch: int) -> Iterator[Read]:
    """What a branch looks at before the join; updates are looked at again there, unless they are merged."""
    for read in fork.sums[branch].reads:
        if read.looks != "mutation":
            yield read
    for write in fork.sums[branch].writes:
        at = fork.merged.of(write.path)
        if at is not None:
            for seen in sorted(write.sees):
                if seen[: len(at[0])] != at[0]:
                    yield Read(seen, "mutation", write.node, write.recorded)


def _stale_read(fork: _Fork, branch: int, pairs: list[tuple[Read, Entry]]) -> Diagnostic:
    entries: dict[str, Entry] = {}
    for read, entry in pairs:
        entries.setdefault(_dotted(read.path), entry)
    fields = _listed([f"`{field}`" for field in entries])
    writing = _listed(list(dict.fromkeys(f"`{fork.name(entry.branch)}`" for entry in entries.values())))
    several = "," in writing or " and " in writing
    it = "it" if len(entries) == 1 else "them"
    related = {
        entry.write.recorded: f"branch `{fork.name(entry.branch)}` writes `{field}` here"
        for field, entry in reversed(entries.items())
    }
    return STALE.found(
        f"branch `{fork.name(branch)}` of `{fork.node.name}` reads {fields}, which "
        f"{'branches' if several else 'branch'} {writing} {'write' if several else 'writes'}: "
        f"it sees {it} as {'it was' if it == 'it' else 'they were'} at the fork",
        pairs[0][0].place,
        help=f"read {it} after `{fork.node.name}`, or in the branch that writes {it}",
        related=tuple(Label(place, text) for place, text in list(related.items())[:3]),
    )


# --- maps -------------------------------------------------------------------------------------------------


def _of_map(view: GraphView, node: model.MapNode, merged: Merging) -> Iterator[Diagnostic]:
    """A map's elements against each other: each does the same, so one is held against itself."""
    writers = Writers()
    writes = view.analyses.effects.of_node(view.graph.key, node.name).writes
    writers.add(0, writes)
    racing = Writers()
    racing.add(0, [write for write in writes if write.path not in merged])
    known: set[Path] = set()
    for write in writes:
        first = None if write.path in merged else racing.against(write)
        if first is None:
            continue
        key = min(first.write.path, write.path, key=len)
        if key in known:
            continue
        known.add(key)
        path = _dotted(write.path)
        does, so = _TOGETHER.get(write.kind) or ("change `{}` in two ways", "their order matters")
        yield RACE.found(
            f"all elements of `{node.name}` {does.format(path)}, and {so}",
            write.recorded,
            help=_remedy(view, first.write, write, "element", "record what composes"),
            related=tuple(_statements(write)),
        )
    topmost = {path[0] for path in known}
    told: set[str] = set()
    for _, value in node.lens.inputs:
        # A field given as it is stands for the field itself; what is computed from it is plainly a value.
        given = list(mentions(value)) if isinstance(value, model.FieldRef | model.Attr) else []
        for seen, place in given:
            entry = None if seen[0] in topmost or seen[0] in told else writers.other(seen, 1)
            if entry is None:
                continue
            told.add(seen[0])
            yield STALE.found(
                f"every element of `{node.name}` gets `{_dotted(seen)}` as it was before the first one, "
                "without what the others write",
                place,
                help="what an element needs of others can be put together after the map",
                related=(Label(entry.write.recorded, f"each element records `{entry.write.mutation}` here"),),
            )


# --- words ------------------------------------------------------------------------------------------------


def _dotted(path: Path) -> str:
    return ".".join(path)


def _listed(names: list[str]) -> str:
    """`a`, `b` and `c`; of many the first three and how many more."""
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more" if len(names) < MOST else "many more"]
    return listed(names)
