"""What becomes of begun effects and of waiting answers when a run is taken to another graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from .. import plan
from ..barriers.barrier import REROUTE, describe, find_barrier
from ..errors import LgcError
from ..forms.version import Version
from ..machine.frame import Frame
from ..migrating.chain import chain_from
from ..migrating.naming import Names
from ..store.records import AttemptRecord, DecisionRecord
from ..values.typed_json import decode_mutations


class Pair(NamedTuple):
    """A frame of the old position and the one that it became; `names` are those of its graph."""

    old: Frame
    new: Frame
    names: Names


class Leftovers(NamedTuple):
    """What becomes of it.

    Attributes:
        renamed: attempts that go on under another name: as they were, and as they are now.
        cleared: attempts of calls that the new position knows nothing of.
        aside: answers that fit nothing any more.
    """

    renamed: tuple[tuple[AttemptRecord, AttemptRecord], ...]
    cleared: tuple[AttemptRecord, ...]
    aside: tuple[DecisionRecord, ...]


def leftovers(
    run: str,
    roots: tuple[Frame, Frame],
    versions: tuple[Version, Version],
    chain: Sequence[plan.Migration],
    attempts: Sequence[AttemptRecord],
    answers: Sequence[DecisionRecord],
) -> Leftovers:
    """Sort it. `roots` and `versions` are the old and the new ones, `answers` those that wait."""
    pairs = list(_pairs(*roots, *versions, Names(chain)))
    renamed: list[tuple[AttemptRecord, AttemptRecord]] = []
    cleared: list[AttemptRecord] = []
    for attempt in attempts:
        now = _followed(pairs, attempt)
        if now is None:
            cleared.append(attempt)
        elif now != attempt:
            renamed.append((attempt, now))
    aside = [one for one in answers if not _fits(run, roots[1], one)]
    return Leftovers(tuple(renamed), tuple(cleared), tuple(aside))


def _pairs(old: Frame, new: Frame, before: Version, after: Version, names: Names) -> Iterator[Pair]:
    yield Pair(old, new, names)
    inner = before.run_by(old.node), after.run_by(new.node)
    for key, child in old.children.items():
        other = new.children.get(key)
        if other is None:
            continue
        if child.base is old or inner[0] is None or inner[1] is None:
            yield from _pairs(child, other, before, after, names)
        else:
            below = chain_from(inner[1], inner[0].hash) or ()
            yield from _pairs(child, other, inner[0], inner[1], Names(below))


def _followed(pairs: Sequence[Pair], attempt: AttemptRecord) -> AttemptRecord | None:
    """The same call in the new position; None where the run does not stand at it (any more)."""
    for old, new, names in pairs:
        if (old.path, old.node, old.visits(old.node) + 1) != (attempt.frame, attempt.node, attempt.visit):
            continue
        cursor = names.cursor(old.node)
        if cursor.moved or cursor.node != new.node or not isinstance(new.plan.nodes[new.node], plan.Task):
            return None
        visit = new.visits(new.node) + 1
        return AttemptRecord(attempt.run, new.path, new.node, visit, attempt.attempt, attempt.time)
    return None


def _fits(run: str, root: Frame, answer: DecisionRecord) -> bool:
    """Whether an answer can still be taken: by the barrier that it was given to, or once the run is there."""
    if not answer.barrier:
        try:
            owner, node = find_barrier(root.plan, answer.node)
        except LgcError:
            return False
        return _taken(owner, node, answer)
    for frame in root.active():
        at = frame.plan.nodes.get(frame.node)
        if isinstance(at, plan.Barrier) and describe(run, frame, at).id == answer.barrier:
            return _taken(frame.plan, at, answer)
    return False


def _taken(owner: plan.Graph[Any], node: plan.Barrier, answer: DecisionRecord) -> bool:
    try:
        for one in decode_mutations(owner.state, answer.mutations):
            if type(one.mutation) not in node.modify:
                return False
        declared = node.answers.get(answer.answer)
        if declared is not None:
            declared.arguments.model_validate_json(answer.arguments)
            return True
        return answer.answer == REROUTE and json.loads(answer.arguments).get("node") in node.reroute
    except (LgcError, ValidationError, ValueError, AttributeError):
        return False
