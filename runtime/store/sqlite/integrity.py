"""From an SQLite file to what in it is damaged, beyond what reading its runs one by one shows.

SQLite's own check finds damaged pages, and indices that disagree with their tables. The rest is ours: rows
that belong to no run, seals of what is seldom read, large values that are missing or that nobody uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import CheckpointCorrupted, LgcError
from ..records import Damage
from ..seals import seal
from ..values import short
from .database import Database

# Files of up to so many bytes are checked whole whenever they are opened: about 10 ms.
SMALL = 2 << 20

_OF_A_RUN = ("run", "log", "checkpoint", "decision", "attempt", "override", "value_use")


def damaged_pages(database: Database) -> list[str]:
    """What SQLite's own check finds, at most a hundred findings. Reads the whole file."""
    try:
        found = [str(row[0]) for row in database.rows("PRAGMA integrity_check(100)")]
    except LgcError as error:
        return [error.message]
    return [line for text in found if text != "ok" for line in text.splitlines()]


def examine(database: Database, size: int) -> list[str]:
    """What has to be known of a file before it is used: of a small one everything, of others the least.

    Raises CheckpointCorrupted where it is not open for looking only: writing to it could spoil what is good.
    """
    try:
        if database.rows("PRAGMA auto_vacuum") != [(0,)]:
            raise _unsound(database, "its header is not what was written")
        pages = damaged_pages(database) if size <= SMALL else []
        if pages:
            raise _unsound(database, pages[0])
    except CheckpointCorrupted as error:
        if not database.readonly:
            raise
        return [error.message]
    return []


def _unsound(database: Database, what: str) -> CheckpointCorrupted:
    return CheckpointCorrupted(
        f"the file {database.path} is damaged: {what}",
        hint="nothing was written to it; open it with `readonly=True`, or restore a copy of it;"
        " `lgc store verify` lists what is damaged",
    )


def problems(database: Database) -> list[Damage]:
    """Everything that is damaged in a file, as far as it can be read. Changes nothing."""
    found = [Damage(f"{database.path}: {text}") for text in damaged_pages(database)]
    for check in (_strangers, _histories, _snapshots, _values, _uses):
        try:
            found.extend(check(database))
        except LgcError as error:
            found.append(Damage(error.message))
    return found


def _strangers(database: Database) -> Iterator[Damage]:
    for table in _OF_A_RUN:
        key = "key" if table == "run" else "run"
        rows = database.rows(
            f"SELECT t.{key}, count(*) FROM {table} t WHERE NOT EXISTS"
            f" (SELECT 1 FROM history h WHERE h.key = t.{key}) GROUP BY 1"
        )
        for run, count in rows:
            yield Damage(
                f"{count} rows of the table `{table}` belong to run number {run}, which is not there"
            )


def _histories(database: Database) -> Iterator[Damage]:
    for key, run, base, base_sum, checksum in database.rows(
        "SELECT key, run, base, base_sum, seal FROM history"
    ):
        if checksum != seal("history", key, run, base, base_sum):
            yield Damage("where the log begins is not what was written", str(run))


def _snapshots(database: Database) -> Iterator[Damage]:
    # Those that are listed are read one by one.
    columns = "c.id, c.run, c.step, c.hash, c.created, c.snapshot, c.listed"
    rows = database.rows(
        f"SELECT h.run, c.id, c.step FROM checkpoint c LEFT JOIN history h ON h.key = c.run"
        f" WHERE c.listed <> 1 AND c.seal <> seal({columns})"
    )
    for run, id, step in rows:
        yield Damage(f"checkpoint {id} is not what was written: its checksum is wrong", str(run), step)


def _values(database: Database) -> Iterator[Damage]:
    rows = database.rows("SELECT name FROM value WHERE seal <> seal(name, data)")
    for (name,) in rows:
        yield Damage(f"{short(bytes(name))} is not what was written: its checksum is wrong")


def _uses(database: Database) -> Iterator[Damage]:
    for (name,) in database.rows(
        "SELECT name FROM value v WHERE NOT EXISTS (SELECT 1 FROM value_use u WHERE u.value = v.key)"
    ):
        yield Damage(f"{short(bytes(name))} is used by no run")
    for run, count in database.rows(
        "SELECT h.run, count(*) FROM value_use u LEFT JOIN history h ON h.key = u.run"
        " WHERE NOT EXISTS (SELECT 1 FROM value v WHERE v.key = u.value) GROUP BY 1"
    ):
        yield Damage(f"{count} large values of the run are missing", str(run))
