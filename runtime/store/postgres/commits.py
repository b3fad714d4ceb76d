"""From a commit with everything in it to one statement, all parts of which hang on the run's token.

`held` is the run's row, locked (or changed) where the token is right, and nothing otherwise: then every part
finds nothing to do. A part that fails undoes them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import NamedTuple

from ...errors import StorageError
from ..records import AttemptRecord, CheckpointRecord, Commit
from ..seals import override_seal, seal
from .binary import array_of_bytea, array_of_int8, float8, int8
from .heads import Head, Visit
from .names import utf8
from .rows import checkpoint_seal
from .steps import COLUMNS, TYPES, Row
from .texts import Texts, Values
from .wire import Statement

# The columns of checkpoints and attempts besides their keys and their runs.
_CHECKPOINT = {
    "id": "bytea", "step": "bigint", "hash": "bigint", "created": "double precision", "snapshot": "bytea",
    "listed": "bigint", "seal": "bytea",
}  # fmt: skip
_ATTEMPT = {
    "frame": "bytea", "node": "bytea", "visit": "bigint", "attempt": "bigint", "time": "double precision",
    "seal": "bytea",
}  # fmt: skip


class Extra(NamedTuple):
    """What had to be looked up for a commit.

    Attributes:
        hashes: numbers of the graph hashes in it.
        decision: seal that the applied decision has now, and the one it gets; None without a decision.
        reseal: the seal of the run under its new graph; None without an override.
        aside: decisions that are set aside, each with the seal that it gets.
    """

    hashes: dict[str, int]
    decision: tuple[bytes, bytes] | None = None
    reseal: bytes | None = None
    aside: Sequence[tuple[int, bytes]] = ()


class Written(NamedTuple):
    """A statement, and the end of the run's log after it."""

    statement: Statement
    head: Head


class _Parts:
    """Collects the parts of a statement and their parameters."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[bytes] = []

    def mark(self, value: bytes, kind: str) -> str:
        """A parameter: how it is called in the statement."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def insert(self, name: str, table: str, columns: dict[str, tuple[bytes, str]]) -> None:
        """A row for the run that is held."""
        marks = ", ".join(self.mark(value, kind) for value, kind in columns.values())
        self.parts.append(
            f"{name} AS (INSERT INTO ~{table} (run, {', '.join(columns)}) SELECT key, {marks} FROM held)"
        )

    def insert_all(
        self, name: str, table: str, kinds: dict[str, str], rows: Sequence[dict[str, bytes]], more: str = ""
    ) -> None:
        """Several rows for the run that is held, which get their keys in this order."""
        values = [
            f"({number}, {', '.join(self.mark(row[name], kind) for name, kind in kinds.items())})"
            for number, row in enumerate(rows)
        ]
        self.parts.append(
            f"{name} AS (INSERT INTO ~{table} (run, {', '.join(kinds)})"
            f" SELECT held.key, {', '.join(f'v.{column}' for column in kinds)} FROM held,"
            f" (VALUES {', '.join(values)}) AS v(number, {', '.join(kinds)}) ORDER BY v.number{more})"
        )


async def write(texts: Texts, commit: Commit, head: Head, row: Row | None, extra: Extra) -> Written:
    """The statement of a commit behind the end of its run's log. Raises SerializationError, StorageError."""
    parts = _Parts()
    values: Values = dict(row.values) if row is not None else {}
    after = row.head if row is not None else head
    parts.parts.append(_held(parts, commit, head, extra))
    if row is not None:
        columns = zip(COLUMNS[1:], row.columns[1:], TYPES[1:], strict=True)
        parts.insert("step", "log", {name: (value, kind) for name, value, kind in columns})
    _checkpoints(parts, texts, commit, after, extra, values)
    tried = _attempts(parts, commit, head)
    if commit.decision:
        assert extra.decision is not None
        step = -1 if commit.record is None else commit.record.step
        parts.parts.append(
            f"applied AS (UPDATE ~decision d SET step = {parts.mark(int8(step), 'bigint')},"
            f" seal = {parts.mark(extra.decision[1], 'bytea')} FROM held"
            f" WHERE d.key = {parts.mark(int8(commit.decision), 'bigint')} AND d.run = held.key)"
        )
    if extra.aside:
        ids, seals = zip(*extra.aside, strict=True)
        lists = (
            parts.mark(array_of_int8([int8(id) for id in ids]), "bigint[]"),
            parts.mark(array_of_bytea(seals), "bytea[]"),
        )
        parts.parts.append(
            f"aside AS (UPDATE ~decision d SET step = -1, seal = u.seal FROM held, unnest({', '.join(lists)})"
            " AS u(key, seal) WHERE d.key = u.key AND d.run = held.key)"
        )
    if commit.override is not None:
        _override(parts, commit, head)
    if values:
        await _values(parts, texts, values)
    large = "(SELECT bool_or(large) FROM folded)" if commit.snapshot is not None else "NULL"
    sql = f"WITH {', '.join(parts.parts)} SELECT key, {large} FROM held"
    return Written(Statement(sql, parts.values), after._replace(open=tried))


def _held(parts: _Parts, commit: Commit, head: Head, extra: Extra) -> str:
    changes: list[str] = []
    if commit.status is not None:
        now = time() if commit.record is None else commit.record.time
        changes += [
            f"status = {parts.mark(str(commit.status).encode(), 'text')}",
            f"error = {parts.mark(utf8(commit.error, f'{commit.run} error'), 'bytea')}",
            f"updated = {parts.mark(float8(now), 'double precision')}",
        ]
    if commit.lease is not None:
        changes.append(f"lease = {parts.mark(float8(commit.lease), 'double precision')}")
    if commit.override is not None:
        assert extra.reseal is not None
        changes.append(f"hash = {parts.mark(int8(extra.hashes[commit.override.actual]), 'bigint')}")
        changes.append(f"seal = {parts.mark(extra.reseal, 'bytea')}")
    key, fence = parts.mark(int8(head.key), "bigint"), parts.mark(int8(commit.fence), "bigint")
    test = f"r.key = {key} AND r.fence = {fence}"
    if extra.decision is not None:
        # A decision that another session has applied meanwhile is no longer what was looked up.
        test += (
            f" AND EXISTS (SELECT 1 FROM ~decision WHERE key = {parts.mark(int8(commit.decision), 'bigint')}"
            f" AND seal = {parts.mark(extra.decision[0], 'bytea')})"
        )
    if changes:
        return f"held AS (UPDATE ~run r SET {', '.join(changes)} WHERE {test} RETURNING r.key)"
    return f"held AS (SELECT r.key FROM ~run r WHERE {test} FOR SHARE OF r)"


def _checkpoints(
    parts: _Parts, texts: Texts, commit: Commit, after: Head, extra: Extra, values: Values
) -> None:
    """Those with a snapshot."""
    given = commit.kept if commit.snapshot is None else (*commit.kept, commit.snapshot)
    if not given:
        return
    if commit.snapshot is not None:
        one = commit.snapshot
        fold(parts, utf8(one.id, "checkpoint"), one.step, utf8(commit.run, "run id"))
    rows = [_snapshot(texts, commit, one, after, extra, values) for one in given]
    kept = ", ".join(f"{name} = excluded.{name}" for name in ("key", "run", *_CHECKPOINT) if name != "id")
    parts.insert_all("kept", "checkpoint", _CHECKPOINT, rows, f" ON CONFLICT (id) DO UPDATE SET {kept}")


def _snapshot(
    texts: Texts, commit: Commit, snapshot: CheckpointRecord, after: Head, extra: Extra, values: Values
) -> dict[str, bytes]:
    """The columns of a checkpoint. Raises StorageError, SerializationError."""
    same_run(commit.run, snapshot.run, "checkpoint")
    if snapshot.step > after.step:
        raise StorageError(f"a checkpoint of step {snapshot.step}, but the last step is {after.step}")
    id, hash, created = utf8(snapshot.id, "checkpoint"), extra.hashes[snapshot.hash], snapshot.created + 0.0
    data = texts.encode(snapshot.snapshot, f"{snapshot.id} snapshot", values) if snapshot.snapshot else b""
    listed = int(snapshot.listed)
    sealed = checkpoint_seal(id, after.key, snapshot.step, hash, created, data, listed)
    return {
        "id": id, "step": int8(snapshot.step), "hash": int8(hash), "created": float8(created),
        "snapshot": data, "listed": int8(listed), "seal": sealed,
    }  # fmt: skip


def fold(parts: _Parts, id: bytes, step: int, run: bytes) -> None:
    """Give up snapshots that are no longer needed (see `Commit.snapshot`): all but the newest two, this one
    counted, of those that the log can give back."""
    new = parts.mark(int8(step), "bigint")
    parts.parts.append(
        "older AS (SELECT c.key, c.id, c.step, c.listed, l.checkpoint, h.base FROM held"
        " JOIN ~history h ON h.key = held.key CROSS JOIN LATERAL ("
        f"SELECT key, id, step, listed FROM ~checkpoint WHERE run = held.key AND snapshot <> ''"
        f" AND id <> {parts.mark(id, 'bytea')}"
        f" UNION ALL SELECT {1 << 62}, NULL, {new}, 1 ORDER BY step DESC, key DESC OFFSET 2) c"
        " LEFT JOIN ~log l ON l.run = held.key AND l.step = c.step)"
    )
    parts.parts.append(
        "folded AS (DELETE FROM ~checkpoint c USING older o WHERE c.key = o.key AND o.id IS NOT NULL"
        " AND o.step > coalesce((SELECT min(step) FROM older WHERE base > 0 AND step >= base), 0)"
        " AND (o.listed = 0 OR (o.checkpoint = 1"
        f" AND o.id = {parts.mark(run, 'bytea')} || convert_to('@' || o.step, 'UTF8')))"
        " RETURNING substr(c.snapshot, 1, 1) = '\\x00' AS large)"
    )


def _attempts(parts: _Parts, commit: Commit, head: Head) -> frozenset[Visit]:
    """Settle and record attempts; the visits that are open after it."""
    record, settled = commit.record, set(commit.settled)
    if record is not None and (record.frame, record.node, record.visit) in head.open:
        settled.add((record.frame, record.node, record.visit))
    if settled:
        frames, nodes, visits = zip(*settled, strict=True)
        lists = (
            parts.mark(array_of_bytea([utf8(frame, commit.run) for frame in frames]), "bytea[]"),
            parts.mark(array_of_bytea([utf8(node, commit.run) for node in nodes]), "bytea[]"),
            parts.mark(array_of_int8([int8(visit) for visit in visits]), "bigint[]"),
        )
        parts.parts.append(
            "settled AS (DELETE FROM ~attempt a USING held WHERE a.run = held.key"
            f" AND (a.frame, a.node, a.visit) IN (SELECT * FROM unnest({', '.join(lists)})))"
        )
    attempts = commit.attempts if commit.attempt is None else (commit.attempt, *commit.attempts)
    if attempts:
        parts.insert_all("tried", "attempt", _ATTEMPT, [_attempt(commit, head, one) for one in attempts])
    return head.open - settled | {(one.frame, one.node, one.visit) for one in attempts}


def _attempt(commit: Commit, head: Head, attempt: AttemptRecord) -> dict[str, bytes]:
    """The columns of an attempt. Raises StorageError, SerializationError."""
    same_run(commit.run, attempt.run, "attempt")
    frame, node, when = utf8(attempt.frame, commit.run), utf8(attempt.node, commit.run), attempt.time + 0.0
    sealed = seal(head.key, frame, node, attempt.visit, attempt.attempt, when)
    return {
        "frame": frame, "node": node, "visit": int8(attempt.visit), "attempt": int8(attempt.attempt),
        "time": float8(when), "seal": sealed,
    }  # fmt: skip


def _override(parts: _Parts, commit: Commit, head: Head) -> None:
    override = commit.override
    assert override is not None
    same_run(commit.run, override.run, "move")
    actor, reason = utf8(override.actor, commit.run), utf8(override.reason, commit.run)
    expected, actual = utf8(override.expected, commit.run), utf8(override.actual, commit.run)
    mode, when = utf8(override.mode, commit.run), override.time + 0.0
    sealed = override_seal(head.key, override.step, actor, reason, expected, actual, when, mode)
    columns = {
        "step": (int8(override.step), "bigint"), "actor": (actor, "bytea"), "reason": (reason, "bytea"),
        "expected": (expected, "bytea"), "actual": (actual, "bytea"),
        "time": (float8(when), "double precision"), "mode": (mode, "bytea"), "seal": (sealed, "bytea"),
    }  # fmt: skip
    parts.insert("moved", "override", columns)


async def _values(parts: _Parts, texts: Texts, values: Values) -> None:
    new = await texts.new(values)
    if new[0]:
        marks = [parts.mark(array_of_bytea(one), "bytea[]") for one in new]
        parts.parts.append(
            "large AS (INSERT INTO ~value (name, data, seal)"
            f" SELECT v.* FROM unnest({', '.join(marks)}) v, held"
            " ON CONFLICT (name) DO UPDATE SET data = excluded.data, seal = excluded.seal)"
        )
    names = parts.mark(array_of_bytea(sorted(values)), "bytea[]")
    parts.parts.append(
        f"used AS (INSERT INTO ~value_use (run, value) SELECT held.key, u FROM held, unnest({names}) u"
        " ON CONFLICT DO NOTHING)"
    )


def same_run(run: str, other: str, what: str) -> None:
    """Raise StorageError where a part of a commit is another run's."""
    if run != other:
        raise StorageError(f"the {what} of a commit for {run} is one of {other}")
