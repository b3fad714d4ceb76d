"""From `--store`, or the settings, to an open store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..settings import ProjectError, Settings, settings_here
from .terminal import Failure

if TYPE_CHECKING:
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])
DEFAULT = "runs.db"
MEMORY = "memory:"


def store_option(command: C) -> C:
    """The option `--store`."""
    return click.option(
        "--store",
        "store_url",
        default="",
        metavar="URL",
        help="Where runs are kept: a file, sqlite:///FILE, postgresql://…, or memory:. Without it, what the "
        f"settings call `store`, else {DEFAULT} in the project's folder.",
    )(command)


def settings() -> Settings:
    """The settings for the working directory. Raises Failure where they cannot be read."""
    try:
        return settings_here()
    except ProjectError as error:
        raise Failure(error.message, error.hint) from error


def store_url(given: str) -> str:
    """Which store is meant; paths in settings are relative to the project's folder."""
    if given:
        return given
    here = settings()
    written = here.store or DEFAULT
    path = file_of(written)
    return written if path is None else here.path(path)


def file_of(url: str) -> str | None:
    """The file that a store's URL names, None where it names something else."""
    scheme, colon, rest = url.partition(":")
    if not colon or len(scheme) == 1 or not scheme.isalpha():
        return url
    if scheme.lower() != "sqlite":
        return None
    return rest[3:] if rest.startswith("///") else rest


def store_words(given: str) -> str:
    """What has to stand behind a printed command so that it finds the same store."""
    from shlex import quote

    return "" if not given or store_url("") == given else f" --store {quote(shown(given))}"


def shown(url: str) -> str:
    """A store's URL as it may be printed: without a password."""
    if file_of(url) is not None:
        return url
    from ..runtime.store.postgres.target import without_password

    return without_password(url)


def open_url(url: str, *, reading: bool, patience: float = 5.0) -> Store:
    """The store of a URL, not yet entered. Raises Failure where it is not there and only to be read."""
    from ..runtime.store import open_store

    path = file_of(url)
    if path is not None and reading and not Path(path).exists():
        raise Failure(
            f"there is no store at {path}",
            "say where runs are kept with --store, or set `store` in lgc.toml or under [tool.lgc]",
        )
    found: Store = open_store(url, readonly=reading, patience=patience)
    return found


def with_store(
    given: str,
    work: Callable[[Store], Awaitable[T]],
    *,
    reading: bool,
    existing: bool = False,
    patience: float = 5.0,
) -> T:
    """Open the store, do the work, close it; the event loop is made here.

    `existing`: the store must be there already, also where it is written to. `patience`: seconds to wait for
    another process that writes.
    """

    async def main() -> T:
        if existing:
            await demand_there(given)
        async with open_url(store_url(given), reading=reading, patience=patience) as store:
            return await work(store)

    return asyncio.run(main())


async def demand_there(given: str) -> None:
    """Raise where there is no store yet: it is to be used, not to be made."""
    url = store_url(given)
    store = open_url(url, reading=True)
    if file_of(url) is None and url != MEMORY:
        async with store:
            pass


async def get_run(store: Store, run: str) -> RunRecord:
    """The run of that id, or the only one whose id begins so. Raises Failure with the nearest ids."""
    from ..runtime.errors import RunNotFound

    try:
        return await store.get_run(run)
    except RunNotFound:
        pass
    from difflib import get_close_matches

    there = await store.list_runs()
    begins = [one for one in there if len(run) >= 4 and one.run.startswith(run)]
    if len(begins) == 1:
        return begins[0]
    if len(begins) > 1:
        names = ", ".join(one.run for one in begins[:5])
        raise Failure(f"`{run}` could be any of {len(begins)} runs: {names}{' …' if begins[5:] else ''}")
    near = get_close_matches(run, [one.run for one in there], n=1)
    hint = f"did you mean `{near[0]}`?" if near else "see `lgc runs`"
    raise Failure(f"no run `{run}` in the store", hint if there else "the store holds no runs")
