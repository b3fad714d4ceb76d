"""The pure machine: what a completed node does to its frame, live and on replay alike.

Nothing here waits, reads a clock, stores or calls a task. A completion is done in one go: mutations are
applied, constraints and `ensures` looked at, counters raised, the next node chosen; if anything is refused,
the frame is as it was. The engine turns the result into a log record; replay hands the record back and
gets the same frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from .. import plan
from ..errors import EvaluationError, LgcError, MutationRejected, NodeFailed
from ..graph import load
from ..values.state import ExternalMutation, Mutation, State
from ..values.typed_json import Applied, misfit
from ..values.undo import Undo
from .frame import Effect, Frame, choose, evaluated
from .join import join, merge_elements, perform_mutation, unexpected
from .merging import has_rules, inside, merged_key


class Completion(NamedTuple):
    """What a completed node did: the record of a step, without times.

    `merged` holds the values of custom-merged fields, those of sub-states by dotted name; `won` the children
    that were joined.
    """

    node: str
    visit: int
    outcome: str
    next: str
    edge: str
    applied: tuple[Applied, ...] = ()
    won: tuple[str | int, ...] = ()
    merged: Mapping[str, Any] = {}


# What a named tuple's own constructor does, in half the time: steps make several.
_new: Callable[..., Any] = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_NONE_MERGED: Mapping[str, Any] = {}


def complete(
    frame: Frame,
    outcome: str = "ok",
    mutations: Sequence[Mutation] = (),
    goto: str | None = None,
    ensures: Sequence[str] = (),
    then: Callable[[Any], Sequence[Mutation]] | None = None,
) -> Completion:
    """Complete the frame's present node (not a joining one).

    Args:
        outcome: `ok`, `error`, `timeout`, or the name of an answer.
        mutations: what the node recorded.
        goto: where it goes without asking the edges.
        then: further mutations, computed from the state after the first ones.
        ensures: fields that must not be none afterwards.

    Raises:
        MutationRejected, EvaluationError, NodeFailed, Unrouted: refused; the frame is unchanged.
    """
    undo = frame.undo
    if undo is None:
        undo = frame.undo = Undo()
    state = frame.state
    name = frame.node
    counts = frame.counts
    counted = counts.get(name)
    visit = (frame.visits(name) if counted is None else counted) + 1
    counting = False
    applied: list[Applied] = []
    try:
        for mutation in mutations:
            applied.append(_apply(state, mutation, undo))
        if then is not None:
            for mutation in evaluated(then, state):
                applied.append(_apply(state, mutation, undo))
        if applied and (state.__lg_checks__ or state.__lg_substates__):
            _look_at_constraints(state, applied, name)
        for field in ensures:
            if getattr(state, state.__lg_fields__[field]) is None:
                raise NodeFailed(
                    f"`{name}` ensures `{field}`, but it is none afterwards",
                    node=frame.where(),
                    hint=f"record a mutation that sets `{field}`",
                )
        counting = True
        counts[name] = visit
        frame.done += 1
        if goto is None:
            taken = choose(frame, name, outcome)
            target, edge = taken.target, taken.key if taken.max_visits is not None else ""
        else:
            target, edge = goto, ""
    except BaseException:
        undo.roll_back()
        if counting:
            frame.done -= 1
            if counted is None:
                del counts[name]
            else:
                counts[name] = counted
        raise
    undo.clear()
    if frame.effects is not None:
        frame.effects.extend([Effect((), one) for one in applied])
    if edge:
        frame.taken[edge] = frame.edge_count(edge) + 1
    frame.node = target
    done: Completion = _new(
        Completion, (name, visit, outcome, target, edge, tuple(applied), (), _NONE_MERGED)
    )
    return done


def complete_joined(
    frame: Frame,
    won: Sequence[str | int],
    outcome: str = "ok",
    *,
    stored: Mapping[str, Any] | None = None,
    recorded: Sequence[Applied] | None = None,
    goto: str | None = None,
) -> Completion:
    """Complete a parallel, subgraph or map whose children are done.

    Args:
        won: the children whose work is kept, in branch or element order.
        outcome: `ok`, or `error` where the error edge is taken.
        stored: custom-merged values as committed (replay).
        recorded: the `out` mutations as committed (replay); None: compute them.
        goto: the next node as committed (replay); None: ask the edges.

    Raises:
        MergeConflict, MutationRejected, EvaluationError, Unrouted: refused; the frame is unchanged.
    """
    node = frame.plan.nodes[frame.node]
    before, visit = frame.state, frame.visits(node.name) + 1
    kept = (dict(frame.counts), dict(frame.taken), frame.done, frame.items)
    children = frame.children
    undo = Undo()
    applied: tuple[Applied, ...] = ()
    effects: list[Effect] = []
    try:
        match node:
            case plan.Parallel():
                winners = [children[key] for key in won]
                if winners:
                    frame.state, effects = join(frame, winners, stored)
                    _look_at_effects(frame.state, effects, node.name)
            case plan.Subgraph() if won:
                applied, effects = _leave(frame, node, children[""], undo, recorded)
            case plan.Map() if won:
                start = before.__lg_fork__() if has_rules(before) else None
                each = _recorded(frame.state, node, [children[key] for key in won], undo, recorded)
                applied = tuple(one for of_element in each for one in of_element)
                effects = [Effect((), one) for one in applied]
                if start is not None:
                    effects += merge_elements(frame.state, start, each, stored, undo)
            case _:
                pass
        if applied and (frame.state.__lg_checks__ or frame.state.__lg_substates__):
            _look_at_constraints(frame.state, applied, node.name)
        frame.leave()
        frame.counts[node.name] = visit
        frame.done += 1
        target, edge = _next(frame, node.name, outcome, goto)
    except BaseException:
        undo.roll_back()
        frame.state, frame.children = before, children
        frame.counts, frame.taken, frame.done, frame.items = kept
        raise
    if frame.effects is not None:
        frame.effects.extend(effects)
    _advance(frame, target, edge)
    merged = {
        merged_key(e.lens, e.field): e.value
        for e in effects
        if not e.applied and inside(frame.state, e.lens).__lg_merges__[e.field][0] == "custom"
    }
    return Completion(node.name, visit, outcome, target, edge, applied, tuple(won), merged)


def _leave(
    frame: Frame, node: plan.Subgraph, child: Frame, undo: Undo, recorded: Sequence[Applied] | None
) -> tuple[tuple[Applied, ...], list[Effect]]:
    match node.lens:
        case plan.SameState():
            frame.state = child.state
            return (), list(child.effects or ())
        case plan.OnField(attribute=attribute):
            undo.keep(frame.state, attribute)
            setattr(frame.state, attribute, child.state)
            return (), [Effect((attribute, *e.lens), *e[1:]) for e in child.effects or ()]
        case plan.InOut(leave=leave):
            out = (
                [_apply(frame.state, m, undo) for m in evaluated(leave, child.state)]
                if recorded is None
                else _again(frame.state, recorded, undo)
            )
            return tuple(out), [Effect((), one) for one in out]


def _recorded(
    state: Any, node: plan.Map, children: Sequence[Frame], undo: Undo, recorded: Sequence[Applied] | None
) -> list[list[Applied]]:
    """Record the `out` mutations of a map in element order; what each element recorded.

    A function computes its values from the state before the map, as it would in a branch: what it gives for
    a field with a merge rule must be the element's own.
    """
    if recorded is None:
        before = state.__lg_fork__() if has_rules(state) else None
        found: list[list[Applied]] = []
        for child in children:
            mutations = evaluated(node.leave, child.state, child.item)
            if before is not None and any(m.__lg_external__ for m in mutations):
                alone, undone = before.__lg_fork__(), Undo()
                each = [_apply(alone, m, undone) for m in mutations]
                found.append(_again(state, each, undo))
            else:
                found.append([_apply(state, m, undo) for m in mutations])
        return found
    share = len(recorded) // len(children)  # every element records the same mutations
    _again(state, recorded, undo)
    return [list(recorded[at : at + share]) for at in range(0, len(recorded), share or 1)]


def again(frame: Frame, applied: Sequence[Applied], completion: Completion) -> None:
    """Do a committed completion of a leaf node again: the same changes, no question asked."""
    _again(frame.state, applied, Undo())
    if frame.effects is not None:
        frame.effects.extend([Effect((), one) for one in applied])
    frame.counts[completion.node] = completion.visit
    frame.done += 1
    _advance(frame, completion.next, completion.edge)


def _again(state: Any, applied: Sequence[Applied], undo: Undo) -> list[Applied]:
    for one in applied:
        perform_mutation(state, one, undo)
    return list(applied)


def _apply(state: Any, mutation: Mutation, undo: Undo) -> Applied:
    if mutation.__lg_external__:
        one = Applied(mutation, _computed(state, cast("ExternalMutation", mutation)))
        perform_mutation(state, one, undo)
        return one
    try:
        mutation.__lg_apply__(state, undo)
    except LgcError:
        raise
    except Exception as error:
        raise unexpected(mutation, error) from error
    done: Applied = _new(Applied, (mutation, None))
    return done


def _computed(state: Any, mutation: ExternalMutation) -> Any:
    """The new values that a user's function gives. It sees a copy: it is meant to be pure."""
    function = load(mutation.__lg_target__)
    try:
        return mutation.__lg_result__(**function(state.__lg_copy__(), mutation))
    except LgcError:
        raise
    except ValidationError as error:
        raise misfit(f"mutation `{mutation.__lg_name__}` (`{mutation.__lg_target__}`)", error) from error
    except Exception as error:
        raise EvaluationError(
            f"mutation `{mutation.__lg_name__}` (`{mutation.__lg_target__}`): {type(error).__name__}: {error}"
        ) from error


def _look_at_constraints(state: State, applied: Sequence[Applied], node: str) -> None:
    for mutation, _ in applied:
        for path in mutation.__lg_writes__:
            _look_at(state, path, node, mutation.__lg_name__)


def _look_at_effects(state: State, effects: Sequence[Effect], node: str) -> None:
    for effect in effects:
        prefix = "".join(f"{part}." for part in effect.lens)
        if effect.applied is None:
            _look_at(state, prefix + effect.field, node, "the merge")
            continue
        for path in effect.applied.mutation.__lg_writes__:
            _look_at(state, prefix + path, node, effect.applied.mutation.__lg_name__)


def _look_at(state: Any, path: str, node: str, by: str) -> None:
    if "." in path:
        top, _, rest = path.partition(".")
        inner = getattr(state, state.__lg_fields__.get(top, top))
        if isinstance(inner, State):
            _look_at(inner, rest, node, by)
        path = top
    check = state.__lg_checks__.get(path)
    if check is not None and (broken := check(state)) is not None:
        raise MutationRejected(f"`{by}` of `{node}`: {broken}")


def _next(frame: Frame, name: str, outcome: str, goto: str | None) -> tuple[str, str]:
    if goto is not None:
        return goto, ""
    edge = choose(frame, name, outcome)
    return edge.target, edge.key if edge.max_visits is not None else ""


def _advance(frame: Frame, target: str, edge: str) -> None:
    if edge:
        frame.taken[edge] = frame.edge_count(edge) + 1
    frame.node = target
