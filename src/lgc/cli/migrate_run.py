"""`lgc migrate --run`: from a stored run to what a migration would make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from . import FINDINGS, FINE
from .runs import dumps
from .stores import get_run, with_store
from .terminal import Failure, Style, out, output_style, printable
from .wording import short_hash, value_text

if TYPE_CHECKING:
    from ..runtime.forms.version import Version
    from ..runtime.migrating.preview import FieldPreview, Preview
    from ..runtime.store.protocols import Store
    from .versions import Found

_WIDTH = 60  # characters of a value


class _Seen(NamedTuple):
    """What was found out: the run's id and step, where its migration is from (`declared`, `drafted`, `none`),
    and what would become of it."""

    run: str
    step: int
    migration: str
    preview: Preview


def dry_run(pairs: Sequence[tuple[Version, Found]], given_store: str, run: str, *, as_json: bool) -> int:
    """Tell it; the exit status: 1 where the run cannot be taken there."""
    seen = with_store(given_store, lambda store: _look(store, pairs, run), reading=True)
    if as_json:
        told = {"version": 1, "run": seen.run, "step": seen.step, "migration": seen.migration}
        out(dumps({**told, **seen.preview.to_json()}))
    else:
        for line in _lines(seen, output_style()):
            out(line)
    return FINDINGS if seen.preview.reasons else FINE


async def _look(store: Store, pairs: Sequence[tuple[Version, Found]], name: str) -> _Seen:
    from ..runtime.forms.version import version_from
    from ..runtime.machine.position import to_snapshot
    from ..runtime.migrating.chain import chain_from, versions_between
    from ..runtime.migrating.preview import previewed
    from ..runtime.plan import Migration
    from ..runtime.sessions.restore import looked_at
    from .drafting import draft_of

    run = await get_run(store, name)
    there = next((new for old, new in pairs if old.hash == run.hash), None)
    there = there or next((new for _, new in pairs if new.name == run.graph), None)
    if there is None:
        raise Failure(f"run `{run.run}` is of graph `{run.graph}`, which is not among what was given")
    try:
        old = await version_from(run.hash, store.get_graph)
        if old is None:
            raise Failure(f"the store does not hold the graph {short_hash(run.hash)} of run `{run.run}`")
        position = await looked_at(store, old.graph, run)
        chain, how = chain_from(there.version, run.hash), "declared"
        if chain is None:
            steps = draft_of(old, there.version).steps
            chain, how = ((Migration(run.hash, steps),), "drafted") if steps else ((), "none")
    except ValueError as problem:
        raise Failure(f"the graph of run `{run.run}` cannot be read: {problem}") from None
    between = await versions_between(there.version, run.hash, store.get_graph)
    found = previewed(to_snapshot(position.root), old, there.version, chain, between)
    return _Seen(run.run, position.step, how, found)


def _lines(seen: _Seen, style: Style) -> Iterator[str]:
    found = seen.preview
    yield f"{style.bold('run')} {printable(seen.run)} after step {seen.step}"
    how = {
        "declared": f"by {len(found.steps)} declared migration" + ("s" if len(found.steps) > 1 else ""),
        "drafted": "by what `lgc migrate` would draft",
        "none": "as it is",
    }
    yield f"  {short_hash(found.old)} -> {short_hash(found.new)}, {how[seen.migration]}"
    for frame in found.frames:
        where = f"{frame.frame}: " if frame.frame else ""
        if not frame.new_node:
            yield f"{where}stands at {frame.old_node}; {style.red('dropped')}"
            continue
        arrow = (
            frame.old_node if frame.old_node == frame.new_node else f"{frame.old_node} -> {frame.new_node}"
        )
        yield f"{style.bold(where + 'stands at')} {arrow}"
        yield from (_field(row, style) for row in frame.fields)
    if found.reasons:
        yield style.red("it cannot be taken there", bold=True)
        for reason in found.reasons:
            place = f" ({reason.place})" if reason.place else ""
            yield f"  {printable(reason.text)}{place}"
    else:
        yield f"{style.green('it can be taken there')}; nothing was changed"


def _field(row: FieldPreview, style: Style) -> str:
    old, new = value_text(row.old, _WIDTH), value_text(row.new, _WIDTH)
    was = f" (was {row.was})" if row.was and row.was != row.field else ""
    match row.how:
        case "kept":
            return f"  {row.field}{was} = {new}"
        case "changed":
            return style.yellow(f"~ {row.field}{was} = {old} -> {new}")
        case "added":
            return style.green(f"+ {row.field} = {new}")
        case "dropped":
            return style.red(f"- {row.field} = {old}")
