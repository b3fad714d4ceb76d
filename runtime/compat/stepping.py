"""From one recorded step and the state before it to what the new graph says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from .. import plan
from ..barriers.barrier import REROUTE, timed_out
from ..errors import LgcError, SerializationError, Unrouted
from ..machine.completion import Completion, complete
from ..machine.frame import Frame
from ..store.records import DecisionRecord, MutationRecord
from ..values.state import Mutation, class_of
from ..values.typed_json import Applied
from .findings import At, Findings
from .history import Visit
from .recorded import UserCode, command, is_external, parts, read_mutations
from .wording import place_of_edge, refusal, routed_text


class Stepper:
    """Looks at recorded steps of leaf nodes."""

    def __init__(self, findings: Findings, decisions: Mapping[int, DecisionRecord]) -> None:
        self._findings = findings
        self._decisions = decisions

    def step(self, visit: Visit, frame: Frame, old: plan.Graph[Any]) -> Completion | None:
        """Do a step of a leaf node in a frame of the new graph; None where it cannot be done.

        The frame has the state before the step, and is changed.
        """
        record, detail = visit.record, detail_of(visit.record)
        at = (visit.site, record.node, record.step)
        node = frame.plan.nodes[record.node]
        recorded = self.read(at, frame, json.loads(record.mutations))
        if recorded is None:
            return None
        if isinstance(node, plan.Barrier):
            return self._answer(at, frame, node, record, detail, recorded, old)
        ensures: Sequence[str] = ()
        goto: Sequence[str] = ()
        if isinstance(node, plan.Task):
            self._demand(at, recorded, [one.__lg_name__ for one in node.records], "records")
            ensures, goto = node.ensures if record.outcome in ("ok", "skip") else (), node.goto
        outcome = record.outcome
        if outcome == "timeout" and "timeout" not in _on(frame.plan, record.node):
            outcome = "error"
        do = partial(complete, frame, outcome, [command(one) for one in recorded], ensures=ensures)
        return self.routed(at, frame, old, record, do, record.next in goto)

    def routed(
        self,
        at: At,
        frame: Frame,
        old: plan.Graph[Any],
        record: MutationRecord,
        do: Callable[..., Completion],
        chosen: bool = False,
    ) -> Completion | None:
        """Complete a node by the edges, and say where they lead elsewhere than the run went.

        Args:
            do: completes it; with `goto` by going there.
            chosen: whether the code of the node may have sent the run where it went.
        """
        try:
            done = do()
        except Unrouted as error:
            if not chosen:
                self._elsewhere(at, frame, old, record, None, error)
            return self._refused(at, lambda: do(goto=record.next))
        except LgcError as error:
            self._say(at, error)
            return None
        if done.next != record.next and not chosen:
            self._elsewhere(at, frame, old, record, done.next, None)
        return done

    def _elsewhere(
        self,
        at: At,
        frame: Frame,
        old: plan.Graph[Any],
        record: MutationRecord,
        goes: str | None,
        error: Unrouted | None,
    ) -> None:
        site, node, step = at
        outcome = record.outcome
        text, key = routed_text(old, frame.plan, node, outcome, step or 0, record.next, goes)
        assert site.new is not None
        place = place_of_edge(site.new, frame.plan, node, key)
        kind = "unrouted" if error is not None else "routed-elsewhere"
        self._findings.add(kind, at, f"edges/{node}", text, place)

    def _refused(self, at: At, do: Callable[[], Completion]) -> Completion | None:
        try:
            return do()
        except LgcError as error:
            self._say(at, error)
            return None

    def _say(self, at: At, error: LgcError) -> None:
        """Note why the new graph refuses a step."""
        _, node, step = at
        match error:
            case UserCode():
                text = (
                    f"{refusal(error)}: what it would give at step {step} cannot be known without calling it"
                )
                self._findings.add("function-changed", at, f"node/{node}", text)
            case _:
                text = f"the new graph refuses step {step} of `{node}`: {refusal(error)}"
                self._findings.add("step-refused", at, f"node/{node}", text)

    # --- mutations ----------------------------------------------------------------------------------------

    def read(self, at: At, frame: Frame, items: Sequence[Mapping[str, Any]]) -> list[Applied] | None:
        """Recorded mutations by the new classes; None where one has none, which is a reason."""
        site, _, step = at
        before = {str(item["m"]): site.old.elements.get(f"state/mutation/{item['m']}") for item in items}
        try:
            found = read_mutations(class_of(frame.state), items)
        except SerializationError as error:
            id = f"state/mutation/{error.path}"
            text = f"what was recorded at step {step} is none of the new graph: {refusal(error)}"
            self._findings.add("mutation-unreadable", at, id, text)
            return None
        except UserCode as error:
            self._say(at, error)
            return None
        for one in found:
            name = one.mutation.__lg_name__
            if one.result is not None and self._another_function(at, name, before[name]):
                return None
        return found

    def _another_function(self, at: At, name: str, before: Mapping[str, Any] | None) -> bool:
        site, _, step = at
        assert site.new is not None
        id = f"state/mutation/{name}"
        after = site.new.elements.get(id) or {}
        if before is not None and before.get("external") == after.get("external"):
            return False
        text = (
            f"`{name}` is now computed by `{after.get('external')}`: what it would give at step {step} cannot"
            " be known without calling it"
        )
        self._findings.add("function-changed", at, id, text)
        return True

    def _demand(self, at: At, recorded: Sequence[Applied], allowed: Sequence[str], words: str) -> None:
        _, node, step = at
        for one in recorded:
            name = one.mutation.__lg_name__
            if name not in allowed:
                text = f"`{node}` may no longer record `{name}`, and did at step {step}"
                if words == "modify":
                    text = f"`{node}` no longer lets a decider record `{name}`, and one did at step {step}"
                self._findings.add("not-recordable", at, f"node/{node}", text)

    # --- barriers -----------------------------------------------------------------------------------------

    def _answer(
        self,
        at: At,
        frame: Frame,
        node: plan.Barrier,
        record: MutationRecord,
        detail: Mapping[str, Any],
        recorded: list[Applied],
        old: plan.Graph[Any],
    ) -> Completion | None:
        """Do the answer to a barrier again, as the new graph would have taken it."""
        step = record.step
        decision = self._decisions.get(detail.get("decision", 0))
        if "decision" not in detail:
            return self._time_over(at, frame, node, record, recorded, old)
        given, own = self._split(at, record, decision, recorded)
        self._demand(at, given, [one.__lg_name__ for one in node.modify], "modify")
        before = old.nodes.get(record.node)
        if record.outcome == REROUTE and isinstance(before, plan.Barrier) and REROUTE not in before.answers:
            if record.next not in node.reroute:
                text = f"`{node.name}` can no longer be rerouted to `{record.next}`, as it was at step {step}"
                self._findings.add("answer-differs", at, f"node/{node.name}", text)
            return self._refused(
                at, lambda: complete(frame, REROUTE, [command(one) for one in given], record.next)
            )
        declared = node.answers.get(record.outcome)
        if declared is None:
            text = f"`{node.name}` no longer offers `{record.outcome}`, which was the answer at step {step}"
            self._findings.add("answer-differs", at, f"node/{node.name}", text)
            return None
        then: Callable[[Any], Sequence[Mutation]]
        if decision is None:
            # Its arguments are not in the log. Where the answer is the same, it records what it recorded.
            if not self._same_answer(at, record):
                text = f"`{record.outcome}` of `{node.name}` has changed, and what was given with it at step"
                text += f" {step} is gone"
                self._findings.add("answer-differs", at, f"node/{node.name}", text)
                return None
            then = partial(_as_it_was, own)
        else:
            try:
                arguments = declared.arguments.model_validate_json(decision.arguments)
            except ValidationError:
                text = (
                    f"`{record.outcome}` of `{node.name}` does not take what was given with it at step {step}"
                )
                self._findings.add("answer-differs", at, f"node/{node.name}", text)
                return None
            then = partial(self._known_again, partial(_records, declared, arguments), own)
        do = partial(complete, frame, record.outcome, [command(one) for one in given], then=then)
        done = self.routed(at, frame, old, record, do)
        return self._same_records(at, done, record, recorded)

    def _time_over(
        self,
        at: At,
        frame: Frame,
        node: plan.Barrier,
        record: MutationRecord,
        recorded: list[Applied],
        old: plan.Graph[Any],
    ) -> Completion | None:
        """Nobody answered in time: what the new graph would have done then."""
        try:
            over = timed_out(frame, node)
        except LgcError as error:
            self._say(at, error)
            return None
        then = over.records
        if then is not None:
            then = partial(self._known_again, over.records, recorded)
        done = self.routed(at, frame, old, record, partial(complete, frame, over.outcome, (), then=then))
        return self._same_records(at, done, record, recorded)

    def _split(
        self, at: At, record: MutationRecord, decision: DecisionRecord | None, recorded: list[Applied]
    ) -> tuple[list[Applied], list[Applied]]:
        """What the decider recorded, and what the answer itself did."""
        if decision is not None:
            count = len(json.loads(decision.mutations))
            return recorded[:count], recorded[count:]
        element = at[0].old.node(record.node) or {}
        answers: Mapping[str, Mapping[str, Any]] = element.get("decisions") or {}
        answer: Mapping[str, Any] = answers.get(record.outcome) or {}
        count = len(recorded) - len(answer.get("records", ()))
        return recorded[:count], recorded[count:]

    @staticmethod
    def _same_answer(at: At, record: MutationRecord) -> bool:
        before, after = (
            ((version and version.node(record.node)) or {}).get("decisions", {}).get(record.outcome)
            for version in (at[0].old, at[0].new)
        )
        return bool(before == after)

    @staticmethod
    def _known_again(
        records: Callable[[Any], Sequence[Mutation]], own: Sequence[Applied], state: Any
    ) -> Sequence[Mutation]:
        """What an answer records; results of functions as they were recorded. Raises UserCode."""
        found: list[Mutation] = []
        for place, mutation in enumerate(records(state)):
            if is_external(type(mutation)):
                if place >= len(own) or parts(Applied(mutation)) != parts(own[place]):
                    raise UserCode(f"`{mutation.__lg_name__}` would be called with other values")
                found.append(command(own[place]))
            else:
                found.append(mutation)
        return found

    def _same_records(
        self, at: At, done: Completion | None, record: MutationRecord, recorded: Sequence[Applied]
    ) -> Completion | None:
        if done is None:
            return None
        now = [one.mutation.__lg_name__ for one in done.applied]
        before = [one.mutation.__lg_name__ for one in recorded]
        if now != before:
            listed = ", ".join(f"`{name}`" for name in now) or "nothing"
            text = (
                f"`{record.outcome}` of `{record.node}` records {listed} now: at step {record.step} it"
                f" recorded {', '.join(f'`{name}`' for name in before) or 'nothing'}"
            )
            self._findings.add("answer-differs", at, f"node/{record.node}", text)
        elif (pair := _unlike(done.applied, recorded)) is not None:
            text = (
                f"`{record.outcome}` of `{record.node}` records `{pair}` with other values now than at step"
                f" {record.step}"
            )
            self._findings.add("answer-differs", at, f"node/{record.node}", text)
        return done


def _records(declared: plan.Answer, arguments: Any, state: Any) -> Sequence[Mutation]:
    return declared.records(state, arguments)


def _as_it_was(own: Sequence[Applied], _: Any) -> Sequence[Mutation]:
    return [command(one) for one in own]


def _unlike(left: Sequence[Applied], right: Sequence[Applied]) -> str | None:
    """The name of the first mutation whose parameters differ; results of functions are not looked at."""
    for one, other in zip(left, right, strict=True):
        known = getattr(one.mutation, "applied", one)
        if parts(known) != parts(other):
            return other.mutation.__lg_name__
    return None


def detail_of(record: MutationRecord) -> Mapping[str, Any]:
    """What a log record holds besides its mutations."""
    detail: Mapping[str, Any] = json.loads(record.detail) if record.detail else {}
    return detail


def _on(graph: plan.Graph[Any], node: str) -> Mapping[str, object]:
    route = graph.routes.get(node)
    return {} if route is None else route.on
