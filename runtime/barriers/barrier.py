"""Barriers: what a decider is shown, what may be answered, and which stored answer fits.

A barrier is addressed exactly by its id, which is made of the frame, the node, the visit and a digest of
what was shown (so that an approval of one amount can never approve another), or by its node for any visit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from .. import plan
from ..errors import DecisionRefused, MutationRejected
from ..machine.frame import Frame, evaluated
from ..store.records import DecisionRecord
from ..values.state import Mutation, class_of
from ..values.typed_json import Applied, decode_mutations, encode_field, encode_mutations

REROUTE = "reroute"
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class BarrierDecision:
    """An answer to a barrier: a command, never part of the state.

    Attributes:
        name: of a declared decision, or `reroute`.
        arguments: its arguments (`{"node": …}` for a reroute).
        mutations: what the decider records with it; the barrier's `modify` says which are allowed.
    """

    name: str
    arguments: Mapping[str, Any]
    mutations: tuple[Mutation, ...] = ()

    @classmethod
    def approve(cls, **arguments: Any) -> BarrierDecision:
        """`approve`."""
        return cls("approve", arguments)

    @classmethod
    def reject(cls, reason: str | None = None, **arguments: Any) -> BarrierDecision:
        """`reject(reason)`."""
        return cls("reject", arguments if reason is None else {"reason": reason, **arguments})

    @classmethod
    def answer(cls, name: str, /, **arguments: Any) -> BarrierDecision:
        """Any declared decision, by name."""
        return cls(name, arguments)

    @classmethod
    def reroute(cls, node: str) -> BarrierDecision:
        """Send the run to one of the barrier's `reroute` nodes."""
        return cls(REROUTE, {"node": node})

    def with_mutations(self, *mutations: Mutation) -> BarrierDecision:
        """The same answer, with mutations that the barrier's `modify` allows."""
        return replace(self, mutations=(*self.mutations, *mutations))


class BarrierInfo(NamedTuple):
    """A barrier that waits.

    Attributes:
        id: exact address of this barrier: frame, node, visit and digest of what is shown.
        run, frame, node, visit: whose, where, for which time.
        shown: field name to JSON value.
        answers: name of a decision to the pydantic model of its arguments.
        reroute: nodes that the decider may send the run to.
        modify: names of the mutations that the decider may record.
        deadline: seconds since the epoch.
    """

    id: str
    run: str
    frame: str
    node: str
    visit: int
    shown: Mapping[str, Any]
    answers: Mapping[str, type[Any]]
    reroute: tuple[str, ...]
    modify: tuple[str, ...]
    deadline: float


def describe(run: str, frame: Frame, node: plan.Barrier) -> BarrierInfo:
    """The barrier that a frame stands at."""
    kind = class_of(frame.state)
    shown = {f: encode_field(kind, f, getattr(frame.state, kind.__lg_fields__[f])) for f in node.shows}
    visit = frame.visits(node.name) + 1
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"))
    place = f"{frame.path}/{node.name}" if frame.path else node.name
    # The digest covers the instance too: the same node of another visit of an outer frame is another barrier.
    digest = sha256(f"{run}\n{frame.instance}\n{text}".encode()).hexdigest()[:12]
    return BarrierInfo(
        f"{place}#{visit}@{digest}", run, frame.path, node.name, visit, shown,
        {name: answer.arguments for name, answer in node.answers.items()},
        node.reroute, tuple([m.__lg_name__ for m in node.modify]), frame.since + node.timeout,
    )  # fmt: skip


def find_barrier(graph: plan.Graph[Any], address: str) -> tuple[plan.Graph[Any], plan.Barrier]:
    """The barrier node that an id, a path or the name of a node means. Raises DecisionRefused."""
    path = address.partition("#")[0]
    name = path.rpartition("/")[2]
    found = _walk(graph, path) if "/" in path else _search(graph, name)
    if found is None:
        known = ", ".join(f"`{n}`" for n in _names(graph)) or "none"
        raise DecisionRefused(f"`{path}` is not a barrier of graph `{graph.name}` (barriers: {known})")
    return found


def _walk(graph: plan.Graph[Any], path: str) -> tuple[plan.Graph[Any], plan.Barrier] | None:
    parts = path.split("/")
    while len(parts) > 1:
        node = graph.nodes.get(parts.pop(0).partition("[")[0])
        match node:
            case plan.Parallel() if parts.pop(0) in node.branches and parts:
                continue
            case plan.Subgraph() | plan.Map():
                graph = node.graph
            case _:
                return None
    last = graph.nodes.get(parts[0])
    return (graph, last) if isinstance(last, plan.Barrier) else None


def _search(graph: plan.Graph[Any], name: str) -> tuple[plan.Graph[Any], plan.Barrier] | None:
    node = graph.nodes.get(name)
    if isinstance(node, plan.Barrier):
        return graph, node
    for inner in graph.nodes.values():
        if isinstance(inner, (plan.Subgraph, plan.Map)) and (found := _search(inner.graph, name)):
            return found
    return None


def _names(graph: plan.Graph[Any]) -> list[str]:
    names = [n.name for n in graph.nodes.values() if isinstance(n, plan.Barrier)]
    for inner in graph.nodes.values():
        if isinstance(inner, (plan.Subgraph, plan.Map)):
            names.extend(_names(inner.graph))
    return names


def to_record(
    graph: plan.Graph[Any], run: str, address: str, decision: BarrierDecision, actor: str, time: float
) -> DecisionRecord:
    """A stored decision. Raises DecisionRefused, MutationRejected where it does not fit the barrier."""
    _, node = find_barrier(graph, address)
    if decision.name == REROUTE and REROUTE not in node.answers:
        target = str(decision.arguments.get("node", ""))
        if target not in node.reroute:
            allowed = ", ".join(f"`{n}`" for n in node.reroute) or "none"
            raise DecisionRefused(f"`{node.name}` cannot be rerouted to `{target}` (allowed: {allowed})")
        arguments = json.dumps({"node": target})
    else:
        arguments = checked_arguments(node, decision.name, decision.arguments).model_dump_json()
    for mutation in decision.mutations:
        if type(mutation) not in node.modify:
            allowed = ", ".join(f"`{m.__lg_name__}`" for m in node.modify) or "none"
            raise MutationRejected(
                f"`{type(mutation).__name__}` may not be recorded at `{node.name}` (modify: {allowed})"
            )
    exact = "#" in address
    return DecisionRecord(
        run, address if exact else "", address.partition("#")[0], decision.name, arguments,
        encode_mutations([Applied(m) for m in decision.mutations]), actor, time,
    )  # fmt: skip


def checked_arguments(node: plan.Barrier, answer: str, arguments: Mapping[str, Any]) -> Any:
    """The arguments of an answer as its model. Raises DecisionRefused."""
    declared = node.answers.get(answer)
    if declared is None:
        known = ", ".join(f"`{n}`" for n in node.answers)
        raise DecisionRefused(f"`{node.name}` has no decision `{answer}` (it has: {known})")
    try:
        return declared.arguments(**arguments)
    except ValidationError as error:
        # Plain data will do, too: an enum's member by name, a record as a mapping.
        with suppress(ValueError, TypeError):
            return declared.arguments.model_validate_json(to_json(dict(arguments)))
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise DecisionRefused(f"decision `{answer}` of `{node.name}`: {name}: {first['msg']}") from error


class Resolution(NamedTuple):
    """An answer that fits: the outcome to route by, or the node to go to; what it records."""

    outcome: str
    goto: str | None
    mutations: tuple[Mutation, ...]
    records: Any  # function from the state to further mutations, or None
    record: DecisionRecord | None


def resolve(frame: Frame, node: plan.Barrier, record: DecisionRecord) -> Resolution:
    """Read a stored decision. Raises DecisionRefused, SerializationError."""
    given: Sequence[Applied] = decode_mutations(type(frame.state), record.mutations)
    mutations = tuple([one.mutation for one in given])
    if record.answer == REROUTE and REROUTE not in node.answers:
        target = str(json.loads(record.arguments).get("node", ""))
        if target not in node.reroute:
            raise DecisionRefused(f"`{node.name}` cannot be rerouted to `{target}`")
        return Resolution(REROUTE, target, mutations, None, record)
    declared = node.answers.get(record.answer)
    if declared is None:
        raise DecisionRefused(f"`{node.name}` has no decision `{record.answer}`")
    try:
        arguments = declared.arguments.model_validate_json(record.arguments)
    except ValidationError as error:
        raise DecisionRefused(f"decision `{record.answer}` of `{node.name}` does not fit: {error}") from error
    return Resolution(record.answer, None, mutations, partial(_records, declared, arguments), record)


def _records(declared: plan.Answer, arguments: Any, state: Any) -> tuple[Any, ...]:
    return declared.records(state, arguments)


def timed_out(frame: Frame, node: plan.Barrier) -> Resolution:
    """What happens when a barrier's time is over."""
    if node.timeout_answer is None:
        return Resolution(TIMEOUT, None, (), None, None)
    name, arguments = node.timeout_answer
    declared = node.answers[name]
    given = evaluated(arguments, frame.state)
    return Resolution(name, None, (), partial(_records, declared, given), None)


def fitting(
    records: Sequence[DecisionRecord], info: BarrierInfo
) -> tuple[DecisionRecord | None, list[DecisionRecord]]:
    """The first answer for this barrier given in time, and those for it that are out of date."""
    place = place_of(info)
    stale: list[DecisionRecord] = []
    for record in records:
        if record.step or record.node not in (place, info.node):
            continue
        if record.barrier and record.barrier != info.id:
            if record.barrier.partition("@")[0] == info.id.partition("@")[0]:
                stale.append(record)
            continue
        if record.time > info.deadline:
            stale.append(record)
            continue
        return record, stale
    return None, stale


def place_of(info: BarrierInfo) -> str:
    """The path of a barrier: its frame's and its name."""
    return f"{info.frame}/{info.node}" if info.frame else info.node
