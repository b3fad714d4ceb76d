"""From the URL of a store, as given on a command line, to the store."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ..errors import StorageError
from .codec import Codec
from .protocols import Store


def open_store(
    url: str, *, readonly: bool = False, codec: Codec | None = None, patience: float = 5.0
) -> Store:
    """The store of a URL: `memory:`, `sqlite:PATH`, `sqlite:///PATH`, a path, or `postgresql://…`.

    Four slashes start from the root. `patience` is how many seconds to wait for another process that writes
    to a file. Nothing is opened yet: use it with `async with`. Raises StorageError for other URLs.
    """
    scheme, path = _split(url)
    match scheme:
        case "memory":
            if path:
                raise StorageError(f"`{url}`: a store in memory has no path", hint="write `memory:`")
            from .memory.store import MemoryStore

            return MemoryStore()
        case "sqlite":
            if not path:
                raise StorageError(
                    f"`{url}` names no file", hint="write `sqlite:///runs.db`, or just `runs.db`"
                )
            from .sqlite.store import SqliteStore

            return SqliteStore(path, readonly=readonly, codec=codec, timeout=patience)
        case "postgresql" | "postgres":
            from .postgres import PostgresStore

            return PostgresStore(url, readonly=readonly, codec=codec)
        case _:
            raise StorageError(
                f"`{url}`: there are no stores of the kind `{scheme}`",
                hint="use `sqlite:///PATH`, a path, `postgresql://…`, or `memory:`",
            )


def _split(url: str) -> tuple[str, str]:
    # One letter and a colon is a drive.
    if re.match(r"[A-Za-z]:[\\/]", url):
        return "sqlite", url
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", url, re.DOTALL)
    if found is None:
        return "sqlite", url
    scheme, rest = found[1].lower(), found[2]
    if not rest.startswith("//"):
        return scheme, rest
    host, slash, path = rest[2:].partition("/")
    if scheme == "sqlite" and host:
        raise StorageError(
            f"`{url}` names a host", hint=f"three slashes before a path: `sqlite:///{host}{slash}{path}`"
        )
    return scheme, unquote(path if scheme == "sqlite" else rest[2:])
