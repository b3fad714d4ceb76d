"""Decisions, attempts and overrides in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import CheckpointCorrupted
from ..records import AttemptRecord, DecisionRecord, OverrideRecord
from ..refusals import unknown
from ..seals import override_seal, seal
from .heads import Heads
from .names import named, utf8
from .rows import decision_seal
from .server import Server, Transaction
from .texts import Texts, Values

_ADD = """
INSERT INTO ~decision (key, run, barrier, node, answer, arguments, mutations, actor, time, step, seal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_DECISIONS = """
SELECT key, run, barrier, node, answer, arguments, mutations, actor, time, step, seal FROM ~decision
WHERE run = $1 AND (NOT $2 OR step = 0) ORDER BY key
"""


class Answers:
    """What people say to runs, and what runs were about to do."""

    def __init__(self, server: Server, heads: Heads, texts: Texts) -> None:
        self._server = server
        self._heads = heads
        self._texts = texts

    async def add_decision(self, decision: DecisionRecord) -> int:
        """Keep an answer; its id. Raises RunNotFound."""
        run, when = decision.run, decision.time + 0.0
        barrier, node, answer, actor = (
            utf8(text, f"decision for {run}")
            for text in (decision.barrier, decision.node, decision.answer, decision.actor)
        )

        async def work(transaction: Transaction) -> int:
            # Both rows stay locked: nobody deletes the run meanwhile, and answers to it come one after the
            # other. Otherwise a later id could be seen before an earlier one, and two count as the first.
            found = await transaction.row(
                "SELECT r.key FROM ~run r JOIN ~history h ON h.key = r.key WHERE h.run = $1"
                " FOR KEY SHARE OF r FOR UPDATE OF h",
                (utf8(run, "run id"),),
            )
            if found is None:
                raise unknown(run)
            (key,) = found
            # In a statement of its own: in the one above it would be drawn before the rows are locked.
            drawn = await transaction.row(
                "SELECT nextval(pg_get_serial_sequence($1, 'key'))", (self._server.prefix + "decision",)
            )
            assert drawn is not None
            (id,) = drawn
            values: Values = {}
            arguments = self._texts.encode(decision.arguments, f"{run} decision {id} arguments", values)
            mutations = self._texts.encode(decision.mutations, f"{run} decision {id} mutations", values)
            columns = (key, barrier, node, answer, arguments, mutations, actor, when, decision.step)
            await self._texts.keep(transaction, key, values)
            await transaction.rows(_ADD, (id, *columns, decision_seal(run, id, columns)))
            return int(id)

        return await self._server.write(work)

    async def decisions(self, run: str, waiting: bool) -> Sequence[DecisionRecord]:
        """The answers given to a run, oldest first."""
        head = await self._heads.find(run)
        if head is None:
            return ()
        rows = await self._server.rows(_DECISIONS, (head.key, waiting))
        texts = await self._texts.fetch(column for row in rows for column in (row[5], row[6]))
        found: list[DecisionRecord] = []
        for id, *columns in rows:
            decision_seal(run, id, columns, demand=columns[9])
            _, barrier, node, answer, arguments, mutations, actor, time, step, _ = columns
            what = f"decision {id}"
            try:
                found.append(DecisionRecord(
                    run, named(barrier, what), named(node, what), named(answer, what),
                    self._texts.decode(arguments, f"{run} decision {id} arguments", texts),
                    self._texts.decode(mutations, f"{run} decision {id} mutations", texts),
                    named(actor, what), time, id, step,
                ))  # fmt: skip
            except CheckpointCorrupted as damage:
                raise damage.at(run=run) from damage.__cause__
        return found

    async def attempts(self, run: str) -> Sequence[AttemptRecord]:
        """Calls of which it is not known how they ended."""
        head = await self._heads.find(run)
        if head is None:
            return ()
        found: list[AttemptRecord] = []
        for row in await self._server.rows(
            "SELECT run, frame, node, visit, attempt, time, seal FROM ~attempt WHERE run = $1 ORDER BY key",
            (head.key,),
        ):
            if row[6] != seal(*row[:6]):
                raise CheckpointCorrupted("an attempt is not what was written", run=run)
            found.append(
                AttemptRecord(run, named(row[1], "an attempt"), named(row[2], "an attempt"), *row[3:6])
            )
        return found

    async def overrides(self, run: str) -> Sequence[OverrideRecord]:
        """Moves of a run to other graphs, oldest first."""
        head = await self._heads.find(run)
        if head is None:
            return ()
        found: list[OverrideRecord] = []
        for row in await self._server.rows(
            "SELECT run, step, actor, reason, expected, actual, time, mode, seal FROM ~override"
            " WHERE run = $1 ORDER BY key",
            (head.key,),
        ):
            if row[8] != override_seal(*row[:8]):
                raise CheckpointCorrupted("a move is not what was written", run=run)
            actor, reason, expected, actual, mode = (named(row[at], "a move") for at in (2, 3, 4, 5, 7))
            found.append(OverrideRecord(run, row[1], actor, reason, expected, actual, row[6], mode))
        return found
