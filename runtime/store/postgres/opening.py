"""From a database to a store in it: making its tables, bringing old ones up to date, refusing others."""

from __future__ import annotations

import zlib

from ...errors import StorageError
from . import tables
from .server import Server, Transaction, rows

_HINT_OWN = "give the store a schema of its own (`?schema=NAME` behind the URL, or `schema=`)"


async def prepare(server: Server, schema: str, codec: str, readonly: bool) -> None:
    """See to it that the schema holds a store of this version and codec. Raises StorageError."""
    found = await _meta(server, schema)
    version = found.get("version", "")
    old = version.isdigit() and int(version) in tables.MIGRATIONS
    if readonly and not found:
        raise StorageError(f"{server.where} holds no runs yet", hint="start a run in it first")
    if readonly and old:
        raise StorageError(
            f"{server.where} has schema version {version}, this lgc reads version {tables.VERSION}",
            hint="open it once for writing (`lgc store compact` does), and it is brought up to date",
        )
    if not found or old:
        await server.write(lambda work: _make(work, server, schema, codec))
        found = await _meta(server, schema)
        version = found.get("version", "")
    if version != str(tables.VERSION):
        raise StorageError(
            f"{server.where} has schema version {version or '?'}, this lgc knows version {tables.VERSION}",
            hint="use the lgc that wrote it, or a newer one",
        )
    if found.get("codec") != codec:
        raise StorageError(
            f"{server.where} was written with the codec `{found.get('codec', '')}`, not `{codec}`",
            hint="open the store with the codec that it was created with",
        )


async def _meta(place: Server | Transaction, schema: str) -> dict[str, str]:
    """What the store says of itself, nothing where there is none yet. Raises StorageError."""
    names = {
        row[0]
        for row in await place.rows(
            "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
            " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            (schema,),
        )
    }
    if not names:
        return {}
    meta: dict[str, str] = {}
    if "meta" in names and "history" in names:
        meta = {str(name): str(value) for name, value in await place.rows("SELECT name, value FROM ~meta")}
    if meta.get("program") != tables.PROGRAM:
        raise StorageError(f"the schema `{schema}` holds tables of another program", hint=_HINT_OWN)
    return meta


async def _make(work: Transaction, server: Server, schema: str, codec: str) -> None:
    """Make the tables, or bring them up to this version. One process at a time, the others find it done."""
    await work.rows("SELECT pg_advisory_xact_lock($1)", (_lock(schema),))
    found = await _meta(work, schema)
    if not found:
        there = await work.row("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", (schema,))
        if there is None:  # who may not create schemas may use one that is there
            await rows(work.connection, f"CREATE SCHEMA {server.prefix[:-1]}")
        await _execute(work, tables.TABLES, server.prefix)
        found = {"program": tables.PROGRAM, "version": "1", "codec": codec}
        for item in found.items():
            await work.rows("INSERT INTO ~meta (name, value) VALUES ($1, $2)", item)
    version = found["version"]
    while version.isdigit() and int(version) in tables.MIGRATIONS:
        await _execute(work, tables.MIGRATIONS[int(version)], server.prefix)
        version = str(int(version) + 1)
        await work.rows("UPDATE ~meta SET value = $1 WHERE name = 'version'", (version,))


async def _execute(work: Transaction, text: str, prefix: str) -> None:
    for statement in tables.statements(text, prefix):
        await rows(work.connection, statement)


def _lock(schema: str) -> int:
    # Of the whole database: "lgc", and which schema.
    return (0x6C6763 << 32) | zlib.crc32(schema.encode())
