"""From what a store holds of a run to the situation that it is in: runs in one situation have one verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic_core import from_json

from ..store.bulk import History
from ..store.records import AttemptRecord, DecisionRecord, MutationRecord, OverrideRecord, RunRecord
from .depends import Depends
from .looks import Looks

# Every mutation of a record is among these, and perhaps some other texts.
_NAMES = re.compile(r'"m": ?"([^"]*)"')


class Situation(NamedTuple):
    """Where a run stands, as far as a verdict can depend on it.

    Attributes:
        alike: digest of the way it went and of the values that count, numbers that are only compared by
            where they lie: runs that agree in it have the same verdict for the same reasons.
        exact: those numbers: reasons may tell them.
    """

    alike: bytes
    exact: tuple[Any, ...]


class Facts(NamedTuple):
    """All that a store tells of one run."""

    run: RunRecord
    history: History
    decisions: Sequence[DecisionRecord] = ()
    attempts: Sequence[AttemptRecord] = ()
    moves: Sequence[OverrideRecord] = ()


class Reader:
    """Makes situations of runs of one version."""

    def __init__(self, depends: Depends) -> None:
        self._depends = depends
        names = sorted(depends.params)
        self._counts_any = bool(names)
        self._counted = re.compile("|".join(f'"{re.escape(name)}"' for name in names))

    def situation(self, facts: Facts) -> Situation:
        """The situation of a run.

        Raises ValueError, TypeError, KeyError, AttributeError, RecursionError where a text that is stored of
        it is not what it should be.
        """
        run, (snapshot, log, _) = facts.run, facts.history
        # What was made under another version counts as a whole: names may have meant something else.
        moved = facts.moves or {record.hash for record in log} - {run.hash}
        whole = self._depends.everything or bool(moved)
        exact: list[Any] = []
        parts: list[Any] = [run.hash, run.graph, str(run.status), bool(run.parent)]
        if whole:
            parts.append(json.loads(run.input))
            parts += [(record.hash, record.mutations, record.detail) for record in log]
        else:
            if self._depends.fields:
                parts.append(self._values(from_json(run.input), exact))
            numbers = {one.id: number for number, one in enumerate(facts.decisions)}
            for record in log:
                counts = self._recorded(record, exact, numbers)
                if counts is not None:
                    parts.append((record.step, counts))
        if snapshot is not None:
            parts.append((snapshot.step, snapshot.hash))
            begins = log[0].step if log else 0
            if whole or run.parent or begins != 1 or snapshot.step == 0:
                root = json.loads(snapshot.snapshot)["root"]
                parts.append(self._frame(root, exact, whole))
        for one in facts.decisions:
            parts.append((one.barrier, one.node, one.answer, one.arguments, one.mutations, one.step))
            parts.append(one.actor if not one.step else "")
        parts += [(one.frame, one.node, one.visit, one.attempt) for one in facts.attempts]
        parts += [(one.step, one.expected, one.actual, one.mode) for one in facts.moves]
        way = [f"{one[1]}\n{one[2]}\n{one[3]}\n{one[4]}\n{one[5]}\n{one[6]}\n{one[7]}" for one in log]
        text = f"{way!r}{parts!r}"
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return Situation(digest, tuple(exact))

    def _recorded(self, record: MutationRecord, exact: list[Any], numbers: Mapping[int, int]) -> Any:
        """What counts of the mutations of a step, and of what else was recorded with it; None: nothing."""
        text = record.mutations
        more = self._detail(record, exact, numbers) if record.detail else None
        if text == "[]":
            return more
        if not self._counts_any or self._counted.search(text) is None:
            return (more, _NAMES.findall(text)) if record.node in self._depends.loud else more
        items: list[Mapping[str, Any]] = from_json(text)
        return (more, [self._mutation(item, exact) for item in items])

    def _mutation(self, item: Mapping[str, Any], exact: list[Any]) -> Any:
        name = item["m"]
        looks = self._depends.params.get(name, {})
        if looks is None:
            return item
        return (name, _looked_at(looks, item["p"], exact))

    def _detail(self, record: MutationRecord, exact: list[Any], numbers: Mapping[int, int]) -> Any:
        """Without who answered, and the values that a join has given to fields that do not count."""
        detail: dict[str, Any] = json.loads(record.detail)
        detail.pop("actor", None)
        if "decision" in detail:
            detail["decision"] = numbers.get(detail["decision"], -1)
        merged: dict[str, Any] = detail.pop("merged", {})
        kept = {path: value for path, value in merged.items() if self._counts(path)}
        return (detail, kept)

    def _counts(self, path: str) -> bool:
        return any(part in self._depends.fields for part in path.split("."))

    def _values(self, state: Mapping[str, Any], exact: list[Any]) -> Any:
        return _looked_at(self._depends.fields, state, exact)

    def _frame(self, frame: Mapping[str, Any], exact: list[Any], whole: bool) -> Any:
        """A frame of a snapshot, without when it came there."""
        rest = {key: value for key, value in frame.items() if key not in ("since", "state", "children")}
        state = frame["state"] if whole else self._values(frame["state"], exact)
        below = {key: self._frame(one, exact, whole) for key, one in frame.get("children", {}).items()}
        return (rest, state, below)


def _looked_at(looks: Looks, values: Mapping[str, Any], exact: list[Any]) -> list[Any]:
    """The values that count, each as it counts; numbers that count by where they lie go to `exact`, too."""
    found: list[Any] = []
    for name, look in looks.items():
        if name not in values:
            continue
        value = values[name]
        lies = None if look is None else look.of(value)
        if lies is None:
            found.append((name, value))
        else:
            found.append((name, lies, type(value) is int))
            exact.append(value)
    return found
