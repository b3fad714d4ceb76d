"""One connection on which statements are sent and answered without a cursor between: half the cost of a step.

Through psycopg's own layer over libpq (`psycopg.pq`). What is sent together is one transaction, in one round
trip. An answer counts only when the server is ready for the next statement: a commit can still fail after its
last row was confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeAlias

import psycopg
from psycopg import errors, pq
from psycopg.pq.abc import PGresult

from .server import Connection

_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class Statement(NamedTuple):
    """A statement and its parameters, each in binary form (None for NULL)."""

    sql: str
    values: Sequence[bytes | None]


Outcome: TypeAlias = "list[PGresult] | psycopg.Error"

_BEGIN, _COMMIT = Statement("BEGIN", ()), Statement("COMMIT", ())


class Wire:
    """A connection that does one thing at a time.

    Args:
        connection: which nothing else uses.
        timeout: seconds to wait for an answer; then the connection is given up.
    """

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._names: dict[str, bytes] = {}
        self._results: list[PGresult] = []
        self._together = False
        self._then: Callable[[Outcome], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.dead = False
        self._socket = self._pg.socket
        self._loop.add_reader(self._socket, self._readable)

    async def close(self) -> None:
        """Close the connection."""
        self.drop()
        with suppress(psycopg.Error):
            await self._connection.close()

    def drop(self) -> None:
        """Have no more to do with it."""
        if not self.dead:
            self.dead = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._pg.finish()

    def alive(self) -> bool:
        """Whether nothing says that the connection has ended, so that something may be asked."""
        for _ in range(2):  # a server that ends a session says why, and then it closes the connection
            if not self.dead and self._then is None:
                self._readable()
        return not self.dead

    # --- asking ---------------------------------------------------------------------------------------

    def knows(self, sql: str) -> bool:
        """Whether a statement is prepared."""
        return sql in self._names

    def send(self, statement: Statement, then: Callable[[Outcome], None]) -> None:
        """Execute a prepared statement as a transaction of its own; `then` gets the answer."""
        self._begin(then)
        try:
            name, values = self._names[statement.sql], statement.values
            self._pg.send_query_prepared(name, values, (1,) * len(values), 1)
            self._flush()
        except psycopg.Error as error:
            self._over(error)

    async def execute(self, statement: Statement) -> PGresult:
        """The same, preparing it first where it is new. Raises psycopg.Error."""
        await self._prepare(statement.sql)
        answered: asyncio.Future[Outcome] = self._loop.create_future()
        self.send(statement, answered.set_result)
        return (await _settled(answered))[0]

    async def execute_together(self, statements: Sequence[Statement]) -> list[PGresult]:
        """Execute statements as one transaction, in one round trip; their answers. Raises psycopg.Error."""
        whole = [_BEGIN, *statements, _COMMIT]
        for statement in whole:
            await self._prepare(statement.sql)
        answered: asyncio.Future[Outcome] = self._loop.create_future()
        self._begin(answered.set_result)
        try:
            self._pg.enter_pipeline_mode()
            self._together = True
            for sql, values in whole:
                self._pg.send_query_prepared(self._names[sql], values, (1,) * len(values), 1)
            self._pg.pipeline_sync()
            self._flush()
        except psycopg.Error as error:
            self._over(error)
        outcome: Outcome = await answered
        if isinstance(outcome, psycopg.Error):
            if not self.dead and self._pg.transaction_status != pq.TransactionStatus.IDLE:
                await self.execute(Statement("ROLLBACK", ()))
            raise outcome
        if outcome[-1].command_status != b"COMMIT":
            raise psycopg.OperationalError("the transaction was not committed")
        return outcome[1:-1]

    async def _prepare(self, sql: str) -> None:
        if sql not in self._names:
            name = b"lgc%d" % len(self._names)
            answered: asyncio.Future[Outcome] = self._loop.create_future()
            self._begin(answered.set_result)
            try:
                self._pg.send_prepare(name, sql.encode())
                self._flush()
            except psycopg.Error as error:
                self._over(error)
            await _settled(answered)
            self._names[sql] = name

    def _begin(self, then: Callable[[Outcome], None]) -> None:
        if self._then is not None:
            raise psycopg.InterfaceError("two statements at once")
        self._results = []
        self._together = False
        if self.dead:
            raise psycopg.OperationalError("the connection is closed")
        self._then = then
        self._timer = self._loop.call_later(self._timeout, self._late)

    # --- answers --------------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._pg.flush():
            self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        try:
            self._pg.consume_input()  # a server that answers meanwhile must not stand still
            if not self._pg.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._over(error)

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
            if self._then is None:
                # Nothing was asked: a notice, or the end.
                if self._pg.status != pq.ConnStatus.OK:
                    self._over(psycopg.OperationalError("the server has closed the connection"))
                return
            self._read()
        except psycopg.Error as error:
            self._over(error)

    def _read(self) -> None:
        more = True  # in a pipeline one None ends each statement's results, two say that there is no more yet
        while not self._pg.is_busy():
            result = self._pg.get_result()
            if result is None:
                if not self._together or self._pg.status != pq.ConnStatus.OK:
                    self._over(None)
                    return
                if not more:
                    return
                more = False
                continue
            more = True
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._pg.exit_pipeline_mode()
                self._over(None)
                return
            self._results.append(result)

    def _late(self) -> None:
        self._over(psycopg.OperationalError(f"no answer within {self._timeout:g} seconds"))

    def _over(self, error: psycopg.Error | None) -> None:
        """Whatever was asked has ended; with an error the connection is of no more use."""
        then, self._then = self._then, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if error is None and self._pg.status != pq.ConnStatus.OK:
            error = psycopg.OperationalError("the server has closed the connection")
        if error is not None:
            self.drop()
        if then is not None:
            then(error or self._told())

    def _told(self) -> Outcome:
        for result in self._results:
            if result.status not in _GOOD and result.status != pq.ExecStatus.PIPELINE_ABORTED:
                return errors.error_from_result(result)
        return self._results


async def _settled(answered: asyncio.Future[Outcome]) -> list[PGresult]:
    outcome = await answered
    if isinstance(outcome, psycopg.Error):
        raise outcome
    return outcome
