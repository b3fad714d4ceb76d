"""From merge rules and the values of branches to joined values: which rule decides, and what it gives.

A rule of a field decides about all that is in it. So where a branch changed a part of a sub-state or record
with a rule, the whole is merged; where only a field inside has one, that field is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import EvaluationError, LgcError
from ..graph import load
from ..values.state import State
from ..values.typed_json import validated_field


def has_rules(state: Any) -> bool:
    """Whether a field of a state, or of a state inside it, has a merge rule."""
    todo = [state]
    while todo:
        at = todo.pop()
        if any(rule != "error" for rule, _ in at.__lg_merges__.values()):
            return True
        todo.extend(getattr(at, attribute) for attribute in at.__lg_substates__)
    return False


class Ruled(NamedTuple):
    """A field with a merge rule; `lens`: attributes down to the state that declares it."""

    lens: tuple[str, ...]
    field: str


class Rules:
    """Which merge rules decide about a path that was written: the outermost on it, else those below it."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self._known: dict[str, tuple[Ruled, ...]] = {}

    def over(self, path: str) -> bool:
        """Whether all that a write of the path changes is merged."""
        found = self.of(path)
        return bool(found) and len(found[0].lens) < len(path.split("."))

    def of(self, path: str) -> tuple[Ruled, ...]:
        """The fields to merge where a path was written."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = tuple(self._find(path))
        return found

    def _find(self, path: str) -> Iterator[Ruled]:
        at = self._state
        lens: tuple[str, ...] = ()
        for name in path.split("."):
            if at.__lg_merges__.get(name, ("error", None))[0] != "error":
                yield Ruled(lens, name)
                return
            attribute = at.__lg_fields__[name]
            if attribute not in at.__lg_substates__:
                return
            at, lens = getattr(at, attribute), (*lens, attribute)
        below: list[tuple[Any, tuple[str, ...]]] = [(at, lens)]
        while below:
            at, lens = below.pop()
            for name, attribute in at.__lg_fields__.items():
                if at.__lg_merges__.get(name, ("error", None))[0] != "error":
                    yield Ruled(lens, name)
                elif attribute in at.__lg_substates__:
                    below.append((getattr(at, attribute), (*lens, attribute)))


def inside(state: Any, lens: Sequence[str]) -> Any:
    """The sub-state that attributes lead to."""
    for attribute in lens:
        state = getattr(state, attribute)
    return state


def merged_key(lens: Sequence[str], field: str) -> str:
    """Under what name the value of a merged field is stored."""
    return ".".join((*lens, field))


def merge(rule: str, target: Any, state: type[State], field: str, before: Any, values: list[Any]) -> Any:
    """The joined value of a field from the value at the fork and each branch's, in branch order.

    Raises EvaluationError, SerializationError.
    """
    try:
        match rule:
            case "last":
                return values[-1]
            case "append":
                return _append(before, values)
            case "sum":
                present = [v for v in values if v is not None]
                return (before or 0) + sum(v - (before or 0) for v in present)
            case "max" | "min":
                present = [v for v in (before, *values) if v is not None]
                return (max if rule == "max" else min)(present, default=None)
            case "union":
                return _union(before, values)
            case _:
                called = load(target) if isinstance(target, str) else target
                given = called(_copied(before), [_copied(v) for v in values])
                return validated_field(state, field, given.snapshot() if isinstance(given, State) else given)
    except LgcError:
        raise
    except Exception as error:
        raise EvaluationError(f"merge of `{field}`: {type(error).__name__}: {error}") from error


def _copied(value: Any) -> Any:
    # A user's function may change what it is given.
    if isinstance(value, State):
        return value.__lg_copy__()
    return value.copy() if isinstance(value, (list, set, dict)) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _append(before: Any, values: list[Any]) -> Any:
    empty: Any = "" if isinstance(before, str) or any(isinstance(v, str) for v in values) else []
    start = before if before is not None else empty
    result = start if isinstance(start, str) else list(start)
    for value in values:
        if value is None:
            continue
        # What a branch added, where it only added; the whole of what it put in place otherwise.
        head = value[: len(start)]
        kept = head == start if isinstance(start, str) else list(head) == list(start)
        result = result + (value[len(start) :] if kept else value)
    return result


def _union(before: Any, values: list[Any]) -> Any:
    present = [v for v in (before, *values) if v is not None]
    if any(isinstance(v, Mapping) for v in present):
        joined: dict[Any, Any] = dict(before or {})
        start = dict(joined)
        for value in values:
            branch: Mapping[Any, Any] = value or {}
            # Only what the branch changed: an untouched entry must not undo another branch's.
            joined.update({k: v for k, v in branch.items() if start.get(k, _ABSENT) != v})
        return joined
    return set[Any]().union(*present)


_ABSENT = object()
