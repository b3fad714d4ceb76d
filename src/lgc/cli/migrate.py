"""`lgc migrate`: from two versions of graphs to a draft of the migration between them, or to a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from . import FINE
from .stores import store_option
from .terminal import Failure, counted, note, out
from .wording import short_hash

if TYPE_CHECKING:
    from ..runtime.forms.version import Version
    from .drafting import Draft
    from .versions import Found, Given


@click.command("migrate")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--write", is_flag=True, help="Append the draft to the source instead of printing it.")
@click.option("--run", default="", metavar="ID", help="Show what would become of this run; draft nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --run: what would become of it, as JSON.")
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
@store_option
def migrate_command(
    old: str, new: str, write: bool, run: str, as_json: bool, stdin_name: str, store_url: str
) -> int:
    """Draft the migration from an old version of a graph to the one in a source.

    OLD is what `lgc diff` takes: FILE, FOLDER, git:REV, store:URL#HASH, canonical JSON. NEW is a source.

    The draft holds likely renames with what speaks for them, fields that are dropped, and where a run goes on
    that is parked at a node which is gone. What cannot be known is a comment that begins with TODO: the draft
    is there to be read and completed. Where every run can go on as it is, nothing is drafted.

    With --run the state and place of that run are shown as they would be under NEW: by the migration that is
    declared there, else by the draft. Nothing in the store is changed.
    """
    from .versions import both_sides

    if as_json and not run:
        raise click.UsageError("--json goes with --run")
    if write and run:
        raise click.UsageError("--write and --run do not go together")
    sides = both_sides(old, new, stdin_name)
    for one in (*sides[0].notes, *sides[1].notes):
        note(f"note: {one}")
    pairs = pairs_of(*sides)
    if run:
        from .migrate_run import dry_run

        return dry_run(pairs, store_url, run, as_json=as_json)
    drafts = list(_drafts(pairs))
    if write:
        _write(sides[1], drafts)
    elif drafts:
        out("\n".join(_laid_out(draft) for draft, _ in drafts).rstrip("\n"))
    for draft, there in drafts:
        where = f"appended to {there.file}" if write else "drafted"
        left = f"{counted(draft.todo, 'thing')} left to you (TODO)" if draft.todo else "read it first"
        note(f"`{draft.name}` from {short_hash(draft.old)}: {where}; {left}")
    return FINE


def pairs_of(old: Given, new: Given) -> list[tuple[Version, Found]]:
    """Old versions with the graphs of a source that they became, inner graphs first.

    Raises Failure where there is nothing to pair, or NEW is no source.
    """
    from .version_forms import with_inner

    for one in new.graphs:
        if not one.file:
            raise Failure(f"{new.shown} is no source", "a migration is written in the file of its graph")
    tops = [one.version for one in old.graphs]
    known = with_inner(tops)
    found: list[tuple[Version, Found]] = []
    for there in new.graphs:
        named = [one for one in known if one.name == there.name]
        if not named and len(tops) == len(new.graphs) == 1:
            named = tops  # the graph itself was given another name
        if len(named) > 1:
            hashes = ", ".join(short_hash(one.hash) for one in named)
            raise Failure(f"{old.shown} has several graphs `{there.name}`: {hashes}", "name one of them")
        found += [(one, there) for one in named]
    if not found:
        raise Failure(f"no graph of {new.shown} is in {old.shown}", "name both: FILE:GRAPH")
    return sorted(found, key=lambda pair: _depth(pair[1].version))


def _depth(version: Version) -> int:
    """How many levels of graphs a version runs."""
    return 1 + max(map(_depth, version.inner.values()), default=0)


def _drafts(pairs: Sequence[tuple[Version, Found]]) -> Iterator[tuple[Draft, Found]]:
    """The drafts that are needed; of the others it is said why they are not."""
    from ..runtime.migrating.chain import chain_from
    from .drafting import draft_of

    for old, there in pairs:
        declared = chain_from(there.version, old.hash)
        if old.hash == there.version.hash:
            note(f"`{there.name}`: both are the same graph; there is nothing to migrate")
        elif declared is not None:
            note(f"`{there.name}`: a migration from {short_hash(old.hash)} stands at {declared[0].place}")
        else:
            try:
                draft = draft_of(old, there.version)
            except ValueError as problem:
                raise Failure(f"{there.name}: {problem}") from None
            if draft.text:
                yield draft, there
            else:
                note(f"`{there.name}`: every run can go on as it is; nothing has to be migrated")


def _laid_out(draft: Draft) -> str:
    """The block in the one layout."""
    from ..dsl.format import format_file
    from ..dsl.parse import parse
    from ..dsl.source import Source

    return format_file(parse(Source("draft.lgraph", draft.text)).file)


def _write(new: Given, drafts: Sequence[tuple[Draft, Found]]) -> None:
    """Append drafts to the files of their graphs. Raises Failure where they are no files."""
    from .edits import write_whole

    if new.written == "-" or new.written.startswith("git:"):
        raise Failure(f"nothing can be written to {new.shown}", "give the file, or leave out --write")
    texts: dict[str, list[str]] = {}
    for draft, there in drafts:
        texts.setdefault(there.file, []).append(_laid_out(draft))
    for path, blocks in texts.items():
        with open(path, "rb") as file:
            data = file.read()
        end = b"\r\n" if b"\r\n" in data else b"\n"
        added = "\n".join(blocks).encode().replace(b"\n", end)
        write_whole(path, data.rstrip(b"\r\n") + end + end + added)
