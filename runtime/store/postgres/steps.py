"""From a step to the columns of its row in the log, in binary form and chained to the row before."""

from __future__ import annotations

from struct import unpack
from typing import NamedTuple

from ...errors import LgcError, SerializationError, StorageError
from ..records import MutationRecord
from ..seals import log_sum
from .binary import array_of_bytea, array_of_float8, array_of_int8, float8, int8
from .heads import Head
from .names import utf8
from .texts import Texts, Values

COLUMNS = (
    "run", "step", "frame", "node", "visit", "outcome", "next", "edge", "mutations", "time", "duration",
    "attempt", "cost", "error", "checkpoint", "hash", "detail", "sum",
)  # fmt: skip
_INTEGERS = ("run", "step", "visit", "attempt", "checkpoint", "hash")
_NUMBERS = ("time", "duration", "cost")
TYPES = tuple(
    "bigint" if name in _INTEGERS else "double precision" if name in _NUMBERS else "bytea" for name in COLUMNS
)
_ARRAYS = {"bigint": array_of_int8, "double precision": array_of_float8, "bytea": array_of_bytea}

_LIST = ", ".join(COLUMNS)

# One step under its token. The lock on the run's row makes the test hold until the commit: `take` waits for
# it, and a step that waits for a `take` looks at the new token.
FENCED = (
    f"INSERT INTO ~log ({_LIST}) SELECT {', '.join(f'${n}' for n in range(1, len(COLUMNS) + 1))}"
    " FROM ~run r WHERE r.key = $1 AND r.fence = $19 FOR SHARE OF r"
)
# Steps of many runs under their tokens; gives back those that it has written.
MANY = (
    f"INSERT INTO ~log ({_LIST}) SELECT {', '.join(f'n.{name}' for name in COLUMNS)} FROM unnest("
    + ", ".join(f"${n}::{kind}[]" for n, kind in enumerate((*TYPES, "bigint"), 1))
    + f") AS n({_LIST}, fence) JOIN"
    " (SELECT key, fence FROM ~run WHERE key = ANY($1::bigint[]) FOR SHARE) r"
    " ON r.key = n.run AND r.fence = n.fence RETURNING run, step"
)


class Row(NamedTuple):
    """A row of the log.

    Attributes:
        columns: in the order of `COLUMNS`, in binary form.
        head: the end of the log after it.
        values: the large values in it.
    """

    columns: tuple[bytes, ...]
    head: Head
    values: Values


def row(texts: Texts, record: MutationRecord, head: Head, hash: int) -> Row:
    """The row of a step behind the end of a log. Raises SerializationError, StorageError."""
    run, step = record.run, record.step
    place = f"{run}@{step}"
    if not 0 < step < 1 << 62:
        raise StorageError(f"a step is a number from 1 to {(1 << 62) - 1}", run=run, step=step)
    if record.checkpoint and record.checkpoint != place:
        raise StorageError(f"the checkpoint of this step is called {place}, not {record.checkpoint}", run=run)
    values: Values = {}
    flag = 1 if record.checkpoint else 0
    try:
        mutations = texts.encode(record.mutations, f"{place} mutations", values)
        detail = texts.encode(record.detail, f"{place} detail", values) if record.detail else b""
        frame, node = utf8(record.frame, place), utf8(record.node, place)
        error = utf8(record.error, place) if record.error else b""
        time, duration, cost = record.time + 0.0, record.duration + 0.0, record.cost + 0.0
        sum = log_sum(
            head.sum, step, record.frame, record.node, record.visit, record.outcome, record.next, record.edge,
            mutations, time, duration, record.attempt, cost, record.error, flag, hash, detail,
        )  # fmt: skip
        columns = (
            int8(head.key), int8(step), frame, node, int8(record.visit), record.outcome.encode(),
            record.next.encode(), record.edge.encode(), mutations, float8(time), float8(duration),
            int8(record.attempt), float8(cost), error, int8(flag), int8(hash), detail, sum,
        )  # fmt: skip
    except LgcError as problem:
        raise problem.at(run=run, node=record.node, step=step) from problem.__cause__
    except Exception as problem:
        raise SerializationError(
            f"the record cannot be stored: {problem}", run=run, node=record.node, step=step
        ) from problem
    return Row(columns, Head(head.key, head.base, head.base_sum, step, sum, head.open), values)


def arrays(rows: list[tuple[bytes, ...]]) -> list[bytes]:
    """One array for each column of some rows."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [_ARRAYS[kind](column) for kind, column in zip((*TYPES, "bigint"), columns, strict=False)]


def values_of(row: Row) -> list[object]:
    """The columns of a row as Python values, for a cursor."""
    found: list[object] = []
    for kind, column in zip(TYPES, row.columns, strict=True):
        match kind:
            case "bigint":
                found.append(int.from_bytes(column, signed=True))
            case "double precision":
                found.append(unpack("!d", column)[0])
            case _:
                found.append(column)
    return found
