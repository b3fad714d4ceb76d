"""Connections to one database: the pool for everything but steps, and how a connection is set up.

Every connection waits for locks for `timeout` seconds at most, and the server ends it when it stands still
inside a transaction: a process that is paused there keeps nobody else waiting for long.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ...errors import StorageError
from . import problems
from .target import Target

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]

# Seconds that a session may stand still inside a transaction before the server ends it.
STANDSTILL = 10
_TRIES = 3

_SETTINGS = """
SELECT set_config('default_transaction_isolation', 'read committed', false),
 set_config('default_transaction_deferrable', 'off', false),
 set_config('lock_timeout', $1, false),
 set_config('idle_in_transaction_session_timeout', $2, false),
 set_config('client_min_messages', 'warning', false),
 set_config('jit', 'off', false),
 set_config('plan_cache_mode', 'force_generic_plan', false),
 set_config('synchronous_commit', CASE WHEN $3 <> '' THEN $3
   WHEN current_setting('synchronous_commit') = 'off' THEN 'on'
   ELSE current_setting('synchronous_commit') END, false)
"""
_READ_ONLY = "SELECT set_config('default_transaction_read_only', 'on', false)"

# The pool tells its own log of every attempt to connect; a store says it in its errors.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())


class Server:
    """The database of a store, as one event loop of one process sees it."""

    def __init__(
        self, target: Target, *, durability: str, timeout: float, pool_size: int, readonly: bool
    ) -> None:
        self.where = target.shown
        self.prefix = target.prefix
        self.timeout = timeout
        self._conninfo = target.conninfo
        self._durability = durability
        self._readonly = readonly
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._pool = AsyncConnectionPool(
            target.conninfo, min_size=0, max_size=pool_size, open=False, configure=self._configure,
            check=_alive, timeout=timeout, reconnect_timeout=timeout, kwargs=_KEYWORDS,
        )  # fmt: skip

    async def close(self) -> None:
        """Close all connections."""
        if os.getpid() == self._pid:
            with suppress(psycopg.Error):
                await self._pool.close(timeout=5.0)

    def demand_home(self) -> None:
        """Raise StorageError in another process or event loop than the one that opened the store."""
        if os.getpid() != self._pid:
            raise StorageError(
                f"the store {self.where} was opened before this process was forked",
                hint="open a store in each process",
            )
        if asyncio.get_running_loop() is not self._loop:
            raise StorageError(
                f"the store {self.where} was opened in another event loop", hint="open a store in each loop"
            )

    # --- connections ----------------------------------------------------------------------------------

    async def connect(self, *, patient: bool = False) -> Connection:
        """A connection of its own. `patient`: a server that is being restarted is waited for.

        Raises StorageError.
        """
        until, pause = monotonic() + self.timeout, 0.05
        while True:
            try:
                async with asyncio.timeout(self.timeout):
                    connection = await psycopg.AsyncConnection.connect(self._conninfo, **_KEYWORDS)
                    try:
                        await self._configure(connection)
                    except BaseException:
                        await connection.close()
                        raise
                return connection
            except (psycopg.Error, TimeoutError) as error:
                if not patient or monotonic() + pause > until or not problems.transient(error):
                    raise problems.unreachable(error, self.where, self.timeout) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _configure(self, connection: Connection) -> None:
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        values = (
            f"{round(self.timeout * 1000)}ms", f"{STANDSTILL}s", "off" if self._durability == "normal" else ""
        )  # fmt: skip
        await connection.execute(_SETTINGS, values)
        if self._readonly:
            await connection.execute(_READ_ONLY)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection of the pool, for reading or for single statements. Raises StorageError and its kin."""
        self.demand_home()
        if self._pool.closed:
            await self._pool.open()
        try:
            connection = await self._pool.getconn()
        except PoolTimeout as error:
            raise await self._why(error) from error
        except psycopg.Error as error:
            raise problems.explained(error, self.where, self.timeout) from error
        try:
            yield connection
        except (psycopg.Error, UnicodeEncodeError, OverflowError) as error:
            raise problems.explained(error, self.where, self.timeout) from error
        finally:
            await asyncio.shield(self._pool.putconn(connection))

    async def _why(self, error: Exception) -> StorageError:
        # The pool does not say why it could not connect; one attempt of our own does.
        try:
            await (await self.connect()).close()
        except StorageError as reason:
            return reason
        found = problems.explained(error, self.where, self.timeout)
        assert isinstance(found, StorageError)
        return found

    # --- statements -----------------------------------------------------------------------------------

    async def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query that changes nothing: asked again where its connection was dead."""
        text = self.sql(sql)
        async with self.connection() as connection:
            try:
                return await rows(connection, text, values)
            except psycopg.OperationalError:
                if not connection.broken:
                    raise
        async with self.connection() as connection:
            return await rows(connection, text, values)

    async def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of such a query, None for none."""
        found = await self.rows(sql, values)
        return found[0] if found else None

    async def change(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """One statement as a transaction of its own; its rows. Raises StorageError, SerializationError."""
        async with self.connection() as connection:
            try:
                return await rows(connection, self.sql(sql), values)
            except psycopg.OperationalError as error:
                if connection.broken:
                    raise problems.lost(self.where) from error
                raise

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """All or nothing of what is executed inside. Raises StorageError, SerializationError.

        What the server broke off, because two sessions waited for each other, is done again.
        """
        for _ in range(_TRIES):
            async with self.connection() as connection:
                try:
                    return await self._write(connection, work)
                except (errors.DeadlockDetected, errors.SerializationFailure):
                    continue
        async with self.connection() as connection:
            return await self._write(connection, work)

    async def _write(self, connection: Connection, work: Callable[[Transaction], Awaitable[T]]) -> T:
        await connection.execute("BEGIN")
        try:
            result = await work(Transaction(connection, self.prefix))
        except BaseException:
            if not connection.broken:
                with suppress(psycopg.Error):
                    await asyncio.shield(_rollback(connection))
            raise
        try:
            await asyncio.shield(connection.execute("COMMIT"))
        except psycopg.OperationalError as error:
            if connection.broken:
                raise problems.lost(self.where) from error
            raise
        return result

    def sql(self, text: str) -> str:
        """A statement for this store's schema."""
        return text.replace("~", self.prefix)


class Transaction:
    """Statements of one transaction."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self.connection = connection
        self.prefix = prefix

    async def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement, none for one that gives none."""
        return await rows(self.connection, sql.replace("~", self.prefix), values)

    async def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a statement, None for none."""
        found = await self.rows(sql, values)
        return found[0] if found else None

    async def count(self, sql: str, values: Sequence[object] = ()) -> int:
        """How many rows a statement changed."""
        cursor = await self.connection.execute(sql.replace("~", self.prefix).encode(), values, binary=True)
        return cursor.rowcount


_KEYWORDS: dict[str, Any] = {"autocommit": True, "cursor_factory": psycopg.AsyncRawCursor}


async def rows(connection: Connection, sql: str, values: Sequence[object] = ()) -> list[Row]:
    """All rows of a statement."""
    cursor = await connection.execute(sql.encode(), values, binary=True)
    return await cursor.fetchall() if cursor.description is not None else []


async def _rollback(connection: Connection) -> None:
    await connection.execute("ROLLBACK")


async def _alive(connection: Connection) -> None:
    """Refuse a connection that the server has closed meanwhile. Costs no question to the server."""
    for _ in range(2):  # a server that ends a session says why, and then it closes the connection
        connection.pgconn.consume_input()
    if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
        raise psycopg.OperationalError("the server has closed the connection")
