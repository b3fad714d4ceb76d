"""How the branches of a parallel become one state again.

The branches' effects are applied one branch after the other, in branch order, to the state at the fork.
That is right only where the result cannot depend on what a branch did not see: where two branches write
one field, both must write it in the same commuting way (add, append, union, maximum, minimum, set
difference), or the field must say how it is merged. The checker proves this before; here it is looked at
again, because a graph may be run that was never checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import EvaluationError, LgcError, MergeConflict
from .frame import Effect, Frame
from .graph import load
from .state import FrozenDict, Mutation, State, Undo, class_of
from .typed_json import Applied, validated_field

COMMUTING = frozenset({"add", "append", "union", "max", "min", "sub"})


def join(
    frame: Frame, winners: Sequence[Frame], stored: Mapping[str, Any] | None = None
) -> tuple[Any, list[Effect]]:
    """The joined state, and the effects that made it.

    Args:
        frame: the parent, whose state is the one at the fork.
        winners: the branches to keep, in branch order.
        stored: values of `merge custom` fields, as they were committed; None: compute them.

    Raises:
        MergeConflict, EvaluationError, SerializationError.
    """
    written = [_written(branch) for branch in winners]
    _refuse_conflicts(frame.state, winners, written)
    state: Any = frame.state.__lg_fork__()
    undo = Undo()
    effects: list[Effect] = []
    for branch in winners:
        for effect in branch.effects or ():
            perform(state, effect, undo)
            effects.append(effect)
    sides = [(branch.state, paths) for branch, paths in zip(winners, written, strict=True)]
    effects += _merged(state, frame.state, sides, stored, undo)
    return state, effects


def merge_elements(
    state: Any,
    before: Any,
    elements: Sequence[Sequence[Applied]],
    stored: Mapping[str, Any] | None,
    undo: Undo,
) -> list[Effect]:
    """Join the fields with a merge rule after a map, as those of branches are; the effects that did it.

    Each element counts by itself: what it recorded is done again to the state before the map.

    Args:
        state: the state after all that was recorded, in element order; it is changed.
        before: the state before the map.
        elements: what each element recorded.
        stored: values of `merge custom` fields, as they were committed; None: compute them.

    Raises:
        EvaluationError, SerializationError.
    """
    ruled = ruled_fields(before)
    sides: list[tuple[Any, Mapping[str, str]]] = []
    for applied in elements:
        paths = {f: kind for one in applied for f, kind in one.mutation.__lg_writes__.items() if f in ruled}
        if paths:
            alone = before.__lg_fork__()
            undone = Undo()
            for one in applied:
                perform_mutation(alone, one, undone)
            sides.append((alone, paths))
    return _merged(state, before, sides, stored, undo)


def ruled_fields(state: Any) -> set[str]:
    """The fields of a state that have a merge rule."""
    return {field for field, (rule, _) in state.__lg_merges__.items() if rule != "error"}


def _merged(
    state: Any,
    before: Any,
    sides: Sequence[tuple[Any, Mapping[str, str]]],
    stored: Mapping[str, Any] | None,
    undo: Undo,
) -> list[Effect]:
    """Change a state by the merge rules of its fields, from the states of all sides and what each wrote."""
    effects: list[Effect] = []
    for field, (rule, target) in before.__lg_merges__.items():
        attribute = before.__lg_fields__[field]
        values = [getattr(side, attribute) for side, paths in sides if field in paths]
        if rule == "error" or not values:
            continue
        if stored is not None and field in stored:
            value = stored[field]
        else:
            value = merge(rule, target, class_of(before), field, getattr(before, attribute), values)
        effect = Effect((), None, field, _frozen(value))
        perform(state, effect, undo)
        effects.append(effect)
    return effects


def perform(state: Any, effect: Effect, undo: Undo) -> None:
    """Change a state by one effect. Raises EvaluationError."""
    for attribute in effect.lens:
        state = undo.child(state, attribute)
    if effect.applied is not None:
        perform_mutation(state, effect.applied, undo)
        return
    attribute = state.__lg_fields__[effect.field]
    if attribute in state.__lg_collections__ and effect.value is not None:
        undo.replace(state, attribute, _fresh(effect.value))
    else:
        undo.keep(state, attribute)
        setattr(state, attribute, effect.value)


def perform_mutation(state: Any, applied: Applied, undo: Undo) -> None:
    """Change a state by a mutation. Raises EvaluationError."""
    mutation, result = applied
    try:
        if result is None:
            mutation.__lg_apply__(state, undo)
        else:
            mutation.__lg_assign__(state, undo, result)  # type: ignore[attr-defined]  # pyright: ignore
    except LgcError:
        raise
    except Exception as error:
        raise unexpected(mutation, error) from error


def unexpected(mutation: Mutation, error: Exception) -> EvaluationError:
    """What a mutation's body raised that its expressions did not foresee."""
    return EvaluationError(f"mutation `{mutation.__lg_name__}`: {type(error).__name__}: {error}")


def _fresh(value: Any) -> Any:
    # A state owns its collections: what a merge gives may be held by someone else, or be read-only.
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return set(value) if isinstance(value, (set, frozenset)) else list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _frozen(value: Any) -> Any:
    # An effect is kept and stored: it must not be the very collection that the state changes.
    match value:
        case list():
            return tuple(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case set():
            return frozenset(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case dict():
            return FrozenDict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            return value


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
                return validated_field(state, field, called(_copied(before), [_copied(v) for v in values]))
    except LgcError:
        raise
    except Exception as error:
        raise EvaluationError(f"merge of `{field}`: {type(error).__name__}: {error}") from error


def _copied(value: Any) -> Any:
    # A user's function may change what it is given.
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


def _written(branch: Frame) -> dict[str, str]:
    """Dotted field paths that a branch wrote, with how ("set" where it did so in several ways)."""
    kinds: dict[str, str] = {}
    for effect in branch.effects or ():
        prefix = _prefix(branch.state, effect.lens) if effect.lens else ""
        if effect.applied is None:
            kinds[prefix + effect.field] = "set"
            continue
        for field, kind in effect.applied.mutation.__lg_writes__.items():
            path = prefix + field
            kinds[path] = kind if kinds.get(path, kind) == kind else "set"
    return kinds


def _prefix(state: Any, lens: Sequence[str]) -> str:
    """The path of a sub-state as mutations write it: by fields, where a lens goes by Python attributes."""
    prefix = ""
    for attribute in lens:
        fields = state.__lg_fields__ if state is not None else {}
        field = next((f for f, a in fields.items() if a == attribute), attribute)
        state, prefix = getattr(state, attribute, None), f"{prefix}{field}."
    return prefix


def _refuse_conflicts(state: State, winners: Sequence[Frame], written: Sequence[dict[str, str]]) -> None:
    seen: dict[str, tuple[str, str]] = {}  # path -> (kind, branch)
    covers: dict[str, set[str]] = {}  # field -> paths below it
    merged = ruled_fields(state)
    for branch, paths in zip(winners, written, strict=True):
        for path, kind in paths.items():
            top = path.partition(".")[0]
            if top in merged:
                continue
            for other in covers.get(top, ()):
                if not (path == other or path.startswith(other + ".") or other.startswith(path + ".")):
                    continue
                before, by = seen[other]
                if by == branch.path or (path == other and kind == before and kind in COMMUTING):
                    continue
                raise MergeConflict(
                    f"branches `{by.rpartition('/')[2]}` and `{branch.path.rpartition('/')[2]}` both write"
                    f" `{path}` and the order matters ({before} and {kind})",
                    node=branch.path.rpartition("/")[0],
                )
            seen.setdefault(path, (kind, branch.path))
            covers.setdefault(top, set()).add(path)
