"""How the branches of a parallel become one state again.

The branches' effects are applied one branch after the other, in branch order, to the state at the fork.
That is right only where the result cannot depend on what a branch did not see: where two branches write
one field, both must write it in the same commuting way (add, append, union, maximum, minimum, set
difference), or the field must say how it is merged. The checker proves this before; here it is looked at
again, because a graph may be run that was never checked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..errors import EvaluationError, LgcError, MergeConflict
from ..values.state import FrozenDict, Mutation, State, Transients, class_of, transients_of
from ..values.typed_json import Applied
from ..values.undo import Undo
from .frame import Effect, Frame
from .merging import Ruled, Rules, inside, merge, merged_key

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
    rules = Rules(before)
    sides: list[tuple[Any, Collection[str]]] = []
    for applied in elements:
        paths = [path for one in applied for path in one.mutation.__lg_writes__]
        if any(rules.of(path) for path in paths):
            alone = before.__lg_fork__()
            undone = Undo()
            for one in applied:
                perform_mutation(alone, one, undone)
            sides.append((alone, paths))
    return _merged(state, before, sides, stored, undo)


def _merged(
    state: Any,
    before: Any,
    sides: Sequence[tuple[Any, Collection[str]]],
    stored: Mapping[str, Any] | None,
    undo: Undo,
) -> list[Effect]:
    """Change a state by the merge rules of its fields, from the states of all sides and what each wrote."""
    rules = Rules(before)
    changed: dict[Ruled, list[Any]] = {}
    for side, paths in sides:
        for ruled in dict.fromkeys(ruled for path in paths for ruled in rules.of(path)):
            changed.setdefault(ruled, []).append(side)
    effects: list[Effect] = []
    for ruled, states in changed.items():
        lens, field = ruled
        start = inside(before, lens)
        attribute = start.__lg_fields__[field]
        if stored is not None and merged_key(lens, field) in stored:
            value = stored[merged_key(lens, field)]
        else:
            values = [getattr(inside(side, lens), attribute) for side in states]
            rule, target = start.__lg_merges__[field]
            value = merge(rule, target, class_of(start), field, getattr(start, attribute), values)
        effect = Effect(lens, None, field, _frozen(value))
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
    if attribute in state.__lg_substates__:
        undo.keep(state, attribute)
        setattr(state, attribute, _filled(getattr(state, attribute), effect.value))
    elif attribute in state.__lg_collections__ and effect.value is not None:
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


def _filled(held: Any, value: Any) -> Any:
    # What is in memory only is no part of a merge: it stays as it is.
    return class_of(held).restore(value, Transients(transients_of(held)))


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
        case State():
            return value.snapshot()
        case _:
            return value


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
        fields: Mapping[str, str] = {} if state is None else state.__lg_fields__
        field = next((f for f, a in fields.items() if a == attribute), attribute)
        state, prefix = getattr(state, attribute, None), f"{prefix}{field}."
    return prefix


def _refuse_conflicts(state: State, winners: Sequence[Frame], written: Sequence[dict[str, str]]) -> None:
    seen: dict[str, tuple[str, str]] = {}  # path -> (kind, branch)
    covers: dict[str, set[str]] = {}  # field -> paths below it
    rules = Rules(state)
    for branch, paths in zip(winners, written, strict=True):
        for path, kind in paths.items():
            top = path.partition(".")[0]
            if rules.over(path):
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
