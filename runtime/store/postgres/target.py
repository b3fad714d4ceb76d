"""From the URL of a database to what the driver connects with, and to what may be shown of it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from ...errors import StorageError

SCHEMA = "lgc"
LONGEST_NAME = 63  # bytes; the server cuts longer names without a word

# A network that swallows everything is noticed after about half a minute, also where somebody only reads.
_DEFAULTS = (
    ("application_name", "lgc"), ("keepalives_idle", "15"), ("keepalives_interval", "5"),
    ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
)  # fmt: skip

_HINT = "write `postgresql://USER@HOST:5432/DATABASE`"
_PASSWORD = re.compile(r"(?<=://)([^:/?#@]*):[^/?#]*@")
_SECRETS = ("password", "sslpassword", "passfile")


class Target(NamedTuple):
    """Where a store is.

    Attributes:
        conninfo: for the driver; may hold a password.
        schema: name of the schema.
        shown: user, host, database and schema, for messages.
    """

    conninfo: str
    schema: str
    shown: str

    @property
    def prefix(self) -> str:
        """The schema as it stands before a table's name."""
        return '"' + self.schema.replace('"', '""') + '".'


def target(url: str, schema: str | None, timeout: float) -> Target:
    """Take a URL (or `host=… dbname=…`) apart. Raises StorageError where it is none."""
    from psycopg import conninfo

    url, named = _schema_of(url)
    name = _good_name(schema or named or SCHEMA)
    try:
        parts = conninfo.conninfo_to_dict(url)
    except Exception:  # its text quotes the URL, and may quote the password
        raise StorageError("this is not the URL of a PostgreSQL database", hint=_HINT) from None
    fixed = {"client_encoding": "UTF8"}
    for key, value in (*_DEFAULTS, ("connect_timeout", str(max(2, round(timeout))))):
        if parts.get(key) is None:
            fixed[key] = value
    whole = conninfo.make_conninfo(url, **fixed)
    host = parts.get("host") or parts.get("hostaddr") or ""
    port = f":{parts['port']}" if parts.get("port") else ""
    user = f"{parts['user']}@" if parts.get("user") else ""
    shown = f"postgresql://{user}{host}{port}/{parts.get('dbname') or ''}"
    return Target(whole, name, shown if name == SCHEMA else f"{shown}?schema={name}")


def without_password(url: str) -> str:
    """A URL as it may be printed: without passwords. They can be given in PGPASSWORD or ~/.pgpass instead."""
    url = _PASSWORD.sub(r"\1@", url)
    start, mark, query = url.partition("?")
    kept = [one for one in query.split("&") if one and unquote(one.partition("=")[0]) not in _SECRETS]
    return start + mark * bool(kept) + "&".join(kept)


def _schema_of(url: str) -> tuple[str, str]:
    # Ours, not libpq's: `postgresql://host/database?schema=NAME`.
    start, mark, query = url.partition("?")
    if "://" not in start:
        return url, ""
    words = query.split("&")
    ours = [word.partition("=")[2] for word in words if word.partition("=")[0] == "schema"]
    rest = "&".join(word for word in words if word.partition("=")[0] != "schema")
    return start + mark * bool(rest) + rest, unquote(ours[-1]) if ours else ""


def _good_name(name: str) -> str:
    try:
        long = len(name.encode()) > LONGEST_NAME
    except UnicodeEncodeError:
        long = True
    if long or "\0" in name:
        raise StorageError(
            f"a schema cannot be called {name[:80]!a}", hint=f"use a name of at most {LONGEST_NAME} bytes"
        )
    if name.startswith("pg_") or name == "information_schema":
        raise StorageError(f"the schema `{name}` is the server's own", hint="use another name")
    return name
