"""One SQLite file: opening it, its transactions, and its errors in words that say the way out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from ...errors import CheckpointCorrupted, LgcError, SerializationError, StorageError
from ..seals import seal
from .schema import APPLICATION, MIGRATIONS, TABLES, VERSION, statements
from .wal import copied, damaged, demand_header, keep_copy, lost_transactions

Row: TypeAlias = tuple[Any, ...]
Durability: TypeAlias = Literal["full", "normal"]

# One checkpoint for about 2,000 small commits: rarer than one in a thousand, for a log of at most 8 MB.
CHECKPOINT_PAGES = 2000
GROWN_BYTES = 1100 * 4096


class Database:
    """An open file. Everything runs inline: measured to be faster than any thread."""

    def __init__(
        self, path: str, *, codec: str, durability: Durability, timeout: float, readonly: bool
    ) -> None:
        """Open or create. Raises StorageError where that cannot be."""
        self.path = path
        self.timeout = timeout
        self.readonly = readonly
        self.durability = durability
        self.notes: list[str] = []  # what was found and does not keep anybody from reading
        _look(Path(path), readonly)
        demand_header(path)
        try:
            self.connection = _connect(path, timeout, readonly)
        except sqlite3.Error as error:
            raise self.explained(error) from error
        except ValueError as error:
            raise StorageError(f"{path!a} cannot be a store: {error}") from error
        try:
            self._prepare(codec, durability)
        except (sqlite3.Error, UnicodeError) as error:
            self.connection.close()
            raise self.explained(error) from error
        except OSError as error:
            self.connection.close()
            raise StorageError(f"{path}: {error}") from error
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Close; the last one to close a file folds its write-ahead log into it."""
        with suppress(sqlite3.Error):
            self.connection.close()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query. Raises StorageError, CheckpointCorrupted."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise self.explained(error) from error

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a query, None for none."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All or nothing of what is executed inside. Raises StorageError, SerializationError."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            self.rollback()
            if isinstance(error, sqlite3.Error | UnicodeError | OverflowError):
                raise self.explained(error) from error
            raise

    @contextmanager
    def reading(self) -> Generator[None]:
        """Everything that is read inside is of one moment, whatever other processes do."""
        connection = self.connection
        if connection.in_transaction:
            yield
            return
        try:
            connection.execute("BEGIN")
            yield
        except sqlite3.Error as error:
            raise self.explained(error) from error
        finally:
            self.rollback()

    def rollback(self) -> None:
        """Undo what is open, whatever state an error has left the connection in."""
        with suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def grow(self) -> None:
        """Make the write-ahead log as long as it will get, so that later commits need not lengthen it.

        A transaction that does not fit into the cache spills into the log and is then undone: the log
        keeps its length, the database does not change.
        """
        connection = self.connection
        try:
            connection.execute("PRAGMA cache_size = 10")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO meta VALUES ('room', zeroblob(?))", (GROWN_BYTES,))
        except sqlite3.Error:  # a full disk is found out by the commit that needs the room
            pass
        finally:
            self.rollback()
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA cache_size = -2000")

    def explained(self, error: Exception) -> LgcError:
        """An error of SQLite in our words."""
        if isinstance(error, UnicodeEncodeError):
            return SerializationError(f"a text holds a lone surrogate: {error.object[:80]!a}")
        if isinstance(error, UnicodeDecodeError):
            return CheckpointCorrupted(f"the file {self.path} is damaged: a text in it is not UTF-8")
        if isinstance(error, OverflowError):
            return SerializationError("a number of a record does not fit into 64 bits")
        return _explained(error, self.path, self.timeout)

    def _prepare(self, codec: str, durability: Durability) -> None:
        execute = self.connection.execute
        self.connection.create_function("seal", -1, seal)
        application = execute("PRAGMA application_id").fetchone()[0]
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != APPLICATION and (application or tables):
            raise StorageError(
                f"{self.path} is a database of another program",
                hint="give the store a file of its own",
            )
        self._examine_log()
        if not tables and self.readonly:
            raise StorageError(f"{self.path} holds no runs yet", hint="start a run in it first")
        if not self.readonly:
            _write_ahead(self.connection, self.timeout)
            execute(f"PRAGMA synchronous = {durability}")
            execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            if not tables:
                self._create(codec)
        else:
            execute("PRAGMA query_only = 1")
        self._check(codec)

    def _examine_log(self) -> None:
        """Before anything is written: it would end up over what cannot be read now."""
        lost = lost_transactions(self.path, self.connection)
        if lost > 1 and self.durability == "full":
            keep_copy(self.path)
        if copied(self.path):
            if not self.readonly:
                raise damaged(self.path)
            self.notes.append(damaged(self.path).message)
        elif lost:
            self.notes.append(
                f"the last transaction in the write-ahead log of {self.path} is not whole and was left out:"
                " what was committed in it is missing"
            )

    def _create(self, codec: str) -> None:
        with self.transaction() as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return  # another process was faster
            for statement in statements(TABLES):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [("version", "1"), ("codec", codec)])
            self._migrate()

    def _migrate(self) -> None:
        """Bring the tables of an earlier version up to this one (inside a transaction)."""
        execute = self.connection.execute
        row = execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        while row is not None and row[0].isdigit() and int(row[0]) in MIGRATIONS:
            for statement in statements(MIGRATIONS[int(row[0])]):
                execute(statement)
            row = (str(int(row[0]) + 1),)
            execute("UPDATE meta SET value = ? WHERE name = 'version'", row)

    def _meta(self) -> dict[str, str]:
        return dict(self.connection.execute("SELECT name, value FROM meta").fetchall())

    def _check(self, codec: str) -> None:
        meta = self._meta()
        version, written = meta.get("version", ""), meta.get("codec", "")
        if version.isdigit() and int(version) in MIGRATIONS:
            if self.readonly:
                raise StorageError(
                    f"{self.path} has schema version {version}, this lgc reads version {VERSION}",
                    hint="open it once for writing (`lgc store compact` does), and it is brought up to date",
                )
            with self.transaction():
                self._migrate()
            version = self._meta().get("version", "")
        if version != str(VERSION):
            raise StorageError(
                f"{self.path} has schema version {version or '?'}, this lgc knows version {VERSION}",
                hint="use the lgc that wrote it, or a newer one",
            )
        if written != codec:
            raise StorageError(
                f"{self.path} was written with the codec `{written}`, not `{codec}`",
                hint="open the store with the codec that it was created with",
            )


def _look(path: Path, readonly: bool) -> None:
    # SQLite says "unable to open database file" for all of these.
    try:
        if path.is_dir():
            raise StorageError(f"{path} is a directory", hint=f"name a file in it: {path / 'runs.db'}")
        if readonly and not path.exists():
            raise StorageError(f"there is no store {path}", hint="check the path, or start a run in it first")
        if not path.parent.is_dir():
            raise StorageError(
                f"the directory {path.parent} does not exist", hint=f"create it: mkdir -p {path.parent}"
            )
    except (OSError, ValueError) as error:
        raise StorageError(f"{str(path)!a} cannot be a store: {error}") from error


def _connect(path: str, timeout: float, readonly: bool) -> sqlite3.Connection:
    if not readonly:
        return sqlite3.connect(path, timeout=timeout, isolation_level=None)
    # Not `mode=ro`: that would leave the files of the write-ahead log behind, which it may not remove.
    # `query_only` sees to it that nothing is changed.
    uri = "file:" + quote(str(Path(path).absolute()))
    connection = sqlite3.connect(uri + "?mode=rw", timeout=timeout, isolation_level=None, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        # In a directory that cannot be written the file can only be read if nobody can be writing to it.
        connection.close()
        if Path(path + "-wal").exists():
            raise
        connection = sqlite3.connect(uri + "?immutable=1", isolation_level=None, uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection, timeout: float) -> None:
    # The change to WAL needs the file alone and does not wait for it, so that two processes which create
    # a store at the same moment would get in each other's way.
    until = time.monotonic() + timeout
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)
            continue
        if mode not in ("wal", "memory"):
            raise StorageError(
                "the file system of the store does not support write-ahead logs",
                hint="put the store on a local disk",
            )
        return


def _explained(error: Exception, path: str, timeout: float) -> LgcError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return StorageError(
                f"no space left to write to {path}",
                hint="free some space and resume the run: what was committed is kept",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageError(
                f"another process has kept {path} locked for {timeout:g} seconds",
                hint="end that process, or open the store with a longer `timeout`",
            )
        case sqlite3.SQLITE_READONLY:
            return StorageError(
                f"{path} may only be read", hint="allow writing to the file and to its directory"
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StorageError(
                f"{path} cannot be opened", hint="allow reading and writing the file and its directory"
            )
        case sqlite3.SQLITE_NOTADB:
            return StorageError(f"{path} is not a store", hint="give the store a file of its own")
        case sqlite3.SQLITE_CORRUPT:
            return CheckpointCorrupted(f"the file {path} is damaged: {error}")
        case sqlite3.SQLITE_IOERR:
            return StorageError(
                f"the disk failed under {path}: {error}",
                hint="look at the disk, then resume the run: what was committed is kept",
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return SerializationError(f"a record does not fit the store: {error}")
        case _:
            pass
    if isinstance(error, sqlite3.ProgrammingError):
        if "closed" in str(error):
            return StorageError(f"the store {path} is closed", hint="use it inside `async with`")
        if "thread" in str(error):
            return StorageError(
                f"the store {path} was opened in another thread", hint="open a store in each thread"
            )
    if "Could not decode to UTF-8" in str(error):
        return CheckpointCorrupted(f"the file {path} is damaged: {error}")
    return StorageError(f"{path}: {error}")
