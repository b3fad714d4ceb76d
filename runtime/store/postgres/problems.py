"""From errors of PostgreSQL and its driver to ours, with the way out."""

from __future__ import annotations

import struct

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from ...errors import CheckpointCorrupted, LgcError, SerializationError, StorageError

LOST = (
    "the connection to {where} was lost while a commit was under way: it may or may not have been kept",
    "restore the run: its log says what was kept",
)

# SQLSTATE, or its class: what to say, and the way out.
_WORDS: dict[str, tuple[str, str]] = {
    "53100": ("no space left on the server of {where}",
              "free some space and resume the run: what was committed is kept"),
    "53200": ("the server of {where} is out of memory", "resume the run later: what was committed is kept"),
    "53300": ("the server of {where} has no connection left",
              "raise its `max_connections`, or open stores with a smaller `pool_size`"),
    "25006": ("{where} may only be read", "connect to the primary server, as a user that may write"),
    "42501": ("the user may not do this in {where}: {text}",
              "grant it the rights on the schema and its tables, or connect as another user"),
    "55P03": ("another session has kept a record of {where} locked for {timeout:g} seconds",
              "end that session, or open the store with a longer `timeout`"),
    "57014": ("the server of {where} broke the statement off: {text}",
              "raise its `statement_timeout`; nothing of the statement was kept"),
    "25P03": ("{where} ended the session: it stood still in a transaction for {timeout:g} seconds",
              "resume the run: what was committed is kept"),
    "3F000": ("the schema of {where} is gone", "look who removed it"),
    "42P01": ("tables of {where} are missing: {text}", "look who removed them, or use a schema of its own"),
    "40P01": ("{where} broke off a deadlock", "try again: nothing of the statement was kept"),
    "40001": ("{where} could not serialise the transaction", "try again: nothing of it was kept"),
    "57P03": ("the server of {where} is starting or stopping", "try again in a moment"),
    "3D000": ("the database of {where} does not exist", "create it with `createdb`, or check the URL"),
    "28P01": ("{where} refuses the user or the password",
              "check the user of the URL and PGPASSWORD or ~/.pgpass"),
    "28": ("{where} refuses the user: {text}", "check the user of the URL, and `pg_hba.conf` on the server"),
    "08": ("the connection to {where} was lost", "resume the run: what was committed is kept"),
    "57": ("the server of {where} ended the session: {text}", "resume the run: what was committed is kept"),
    "58": ("the disk failed under {where}: {text}",
           "look at the server's disk, then resume the run: what was committed is kept"),
}  # fmt: skip

# A failed connect carries no SQLSTATE: its English words tell.
_CONNECTING = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28"),
    ("authentication failed", "28"),
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("remaining connection slots", "53300"),
    ("the database system is", "57P03"),
    ("permission denied for database", "42501"),
)


def explained(error: BaseException, where: str, timeout: float) -> LgcError:
    """An error in our words; one of ours as it is."""
    if isinstance(error, LgcError):
        return error
    if isinstance(error, UnicodeEncodeError):
        return SerializationError(f"a text holds a lone surrogate: {error.object[:80]!a}")
    if isinstance(error, OverflowError | struct.error):
        return SerializationError("a number of a record does not fit into 64 bits")
    if isinstance(error, PoolTimeout | TooManyRequests):
        return StorageError(
            f"no connection to {where} within {timeout:g} seconds",
            hint="look at the server, or open the store with a larger `pool_size`",
        )
    if isinstance(error, PoolClosed):
        return closed(where)
    state = getattr(error, "sqlstate", None) or ""
    text = _text(error)
    if state[:2] == "XX" and state != "XX000":
        return CheckpointCorrupted(f"the data of {where} is damaged: {text}")
    if state[:2] in ("22", "23", "54"):
        return SerializationError(f"a record does not fit the store: {text}")
    found = _WORDS.get(state) or _WORDS.get(state[:2])
    if found is None and isinstance(error, psycopg.OperationalError):
        return StorageError(
            f"the connection to {where} was lost: {text}",
            hint="look at the server, then resume the run: what was committed is kept",
        )
    if found is None:
        return StorageError(f"{where}: {text}")
    return _said(found, where, timeout, text)


def unreachable(error: BaseException, where: str, timeout: float) -> StorageError:
    """The error for a connection that could not be made."""
    text = _text(error)
    state = next((state for words, state in _CONNECTING if words in text), "")
    if not state and "database" in text and "does not exist" in text:
        state = "3D000"
    if state:
        return _said(_WORDS[state], where, timeout, text)
    return StorageError(
        f"no connection to {where}: {text}", hint="start the server, or check host and port of the URL"
    )


def transient(error: BaseException) -> bool:
    """Whether a connection that could not be made may be made in a moment."""
    text = _text(error)
    return "the database system is" in text or not any(
        words in text for words in ("authentication", "does not exist", "pg_hba", "password", "permission",
                                    "role", "could not translate", "not known", "SSL")
    )  # fmt: skip


def lost(where: str) -> StorageError:
    """The error for a commit of which nobody has heard how it ended."""
    return StorageError(LOST[0].format(where=where), hint=LOST[1])


def closed(where: str) -> StorageError:
    """The error for a store that is closed."""
    return StorageError(f"the store {where} is closed", hint="use it inside `async with`")


def _said(words: tuple[str, str], where: str, timeout: float, text: str) -> StorageError:
    return StorageError(words[0].format(where=where, timeout=timeout, text=text), hint=words[1])


def _text(error: BaseException) -> str:
    diag = getattr(error, "diag", None)
    said = (diag.message_primary if diag is not None else None) or str(error) or type(error).__name__
    return " ".join(said.split())
