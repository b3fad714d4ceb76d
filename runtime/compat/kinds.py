"""The table of the kinds of reasons why a run cannot go on under another version, and of risks.

Ids are permanent: verdicts are stored and compared by people and programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .verdict import Condition


@dataclass(frozen=True, slots=True)
class ReasonKind:
    """One kind of reason.

    Attributes:
        id: short name, with hyphens.
        condition: what is not met: `data`, `place`, `history` or `migration`; None for a risk, which is told
            whatever the verdict.
        what: what was found, for people.
        why: why the run cannot simply go on.
    """

    id: str
    condition: Condition | None
    what: str
    why: str


def _kinds(condition: Condition | None, *rows: tuple[str, str, str]) -> tuple[ReasonKind, ...]:
    return tuple(ReasonKind(id, condition, what, why) for id, what, why in rows)


_DATA = _kinds(
    "data",
    (
        "field-gone", "a field that holds a value is not there",
        "Its value would be lost. `rename field` or `drop field` in a migration says what becomes of it.",
    ),
    (
        "value-misfit", "a stored value does not belong to the new type of its field",
        "The type may have become wider without harm; here this run holds a value that the new one has not.",
    ),
    (
        "constraint-broken", "a stored value breaks a constraint of its field",
        "No mutation of the new graph could have made it.",
    ),
    (
        "field-without-value", "a new field has neither a default nor a value",
        "Nodes of the new graph rely on it. Give it a default, or `set` it in a migration.",
    ),
    (
        "values-collide", "two values would become one field",
        "One of them would be lost.",
    ),
    (
        "effect-unreadable", "an open branch has recorded what the new graph cannot apply at its join",
        "A branch keeps what it did until the join; the new graph has no such mutation, or with other"
        " parameters.",
    ),
)  # fmt: skip

_PLACE = _kinds(
    "place",
    (
        "graph-gone", "there is no graph of the name that the run belongs to",
        "It was removed or renamed, or not given: there is nothing to go on with.",
    ),
    (
        "node-gone", "the node where the run is parked is not there",
        "There is nothing to go on with. `rename node` or `move` in a migration gives it a place.",
    ),
    (
        "region-changed", "the node where the run is parked belongs to another branch now",
        "The run stands outside of it, and cannot be in a branch that it never entered.",
    ),
    (
        "kind-changed", "the node where the run is parked is of another kind",
        "What has been begun there (a question that waits, branches that run) has no meaning in the new one.",
    ),
    (
        "runs-another-graph", "a node in which the run stands runs another graph",
        "The frames inside belong to the graph that it ran.",
    ),
    (
        "lens-changed", "a node in which the run stands reaches its state in another way",
        "The inner state was made as the old graph says.",
    ),
    (
        "branch-gone", "a branch in which the run stands is not there",
        "What it has done so far would never be joined.",
    ),
    (
        "decision-gone", "the barrier no longer offers a decision",
        "Somebody was told that they may give it.",
    ),
    (
        "decision-parameters-changed", "a decision of the barrier takes other parameters",
        "An answer that was prepared for it would be refused.",
    ),
    (
        "reroute-gone", "the barrier no longer lets a decider send the run to a node",
        "Somebody was told that they may.",
    ),
    (
        "modify-gone", "the barrier no longer lets a decider record a mutation",
        "Somebody was told that they may.",
    ),
    (
        "counters-collide", "two nodes that were visited would become one",
        "How often it was visited would be lost.",
    ),
    (
        "counter-ambiguous", "it cannot be said which edge a counter belongs to",
        "Several edges lead from the same node to the same target; the run counts one that was changed.",
    ),
    (
        "elements-differ", "a map in which the run stands would run over other elements",
        "Each frame below it belongs to one element.",
    ),
    (
        "position-refused", "the new graph refuses the position of the run",
        "It could not be taken up again. What fails is said in the reason.",
    ),
    (
        "passes-not-counted", "the new graph counts an edge that the run has taken without counting",
        "It would be allowed to take it more often than `max_visits` says.",
    ),
    (
        "answer-refused", "an answer that waits would be refused by the new graph",
        "Somebody gave it, and would not learn that it was set aside.",
    ),
)  # fmt: skip

_HISTORY = _kinds(
    "history",
    (
        "changed-behind", "something that a run may have come past has changed",
        "Said of places, where no run is looked at: what a run did and held there decides.",
    ),
    (
        "input-refused", "the run could not have been started with its input",
        "A value of the input does not belong to the new state.",
    ),
    (
        "started-elsewhere", "the run, a branch or an inner graph would have begun at another node",
        "Between there and where it did begin lies something that the run has not done.",
    ),
    (
        "started-otherwise", "an inner graph would have begun with another state",
        "`in` or `over` gives other values now.",
    ),
    (
        "visited-node-gone", "a node that the run has visited is not there",
        "No run of the new graph could have done that step.",
    ),
    (
        "visited-kind-changed", "a node that the run has visited is of another kind",
        "No run of the new graph could have done that step in that way.",
    ),
    (
        "visited-region-changed", "a node that the run has visited belongs to another branch",
        "No run of the new graph could have done that step there.",
    ),
    (
        "routed-elsewhere", "the new graph goes another way behind a step",
        "The run has passed by what the new graph does there: work would be skipped, or done twice.",
    ),
    (
        "unrouted", "the new graph has no way on behind a step",
        "No edge of the new graph holds for how that step ended.",
    ),
    (
        "not-recordable", "a node has recorded what it may not record in the new graph",
        "The new graph would have refused that step.",
    ),
    (
        "mutation-unreadable", "a recorded mutation is not there, or takes other parameters",
        "What the step did cannot be said in terms of the new graph.",
    ),
    (
        "step-refused", "the new graph would have refused what a step recorded",
        "A constraint, an expression or an `ensures` fails for it.",
    ),
    (
        "state-differs", "a step would have left another state",
        "What the run goes on with is not what the new graph would have worked out.",
    ),
    (
        "state-misfit", "the state before or after a step is none of the new graph",
        "A value on the way does not belong to its new type.",
    ),
    (
        "function-changed", "a value was computed by a function that is another one now",
        "Functions are not called to judge a run, so nobody can say what the new one would have given.",
    ),
    (
        "answer-differs", "an answer that was given is not one that the new graph takes, or records something"
        " else",
        "The new graph would have asked for another answer, or made something else of it.",
    ),
    (
        "join-differs", "a join would have taken other branches, or not have ended there",
        "The new graph would have waited longer, or shorter.",
    ),
    (
        "out-differs", "an inner graph would have given something else to the outer state",
        "`out` computes other values now.",
    ),
    (
        "steps-exceeded", "the run has made more steps than the new graph allows",
        "The new graph would have ended it before.",
    ),
    (
        "steps-gone", "steps that have to be looked at are no longer in the log",
        "They were removed by retention, or belong to the run that this one was forked from; what they may"
        " have used has changed.",
    ),
    (
        "version-unreadable", "no graph can be made of a stored form",
        "It was written by another edition of lgc, so its log cannot be done again.",
    ),
    (
        "form-missing", "the store does not hold the graph that the run is under",
        "Without its form nobody can say what has changed for the run.",
    ),
    (
        "run-unreadable", "what is stored of the run cannot be read",
        "It is damaged, or does not fit its graph; `lgc store verify` says more.",
    ),
)  # fmt: skip

_MIGRATION = _kinds(
    "migration",
    (
        "migration-fails", "a declared migration cannot be applied to this run",
        "An expression of it fails for the values of this run.",
    ),
    (
        "step-unfit", "a later migration of a chain names a field that the run does not have there",
        "The version between is not known, so neither is the default that the field had in it.",
    ),
)  # fmt: skip

_RISKS = _kinds(
    None,
    (
        "effect-again", "an effect that was performed would be performed again",
        "A node with `effect once` or `idempotent` has been completed, and lies ahead of the run in the new"
        " graph, though it did not in the old one.",
    ),
    (
        "barrier-passed", "the run would go on past a barrier without having been approved there",
        "Every run of the new graph comes through a barrier that this one has not passed, or a barrier that"
        " lay ahead of it no longer does.",
    ),
)  # fmt: skip

KINDS: Mapping[str, ReasonKind] = MappingProxyType(
    {kind.id: kind for kind in (*_DATA, *_PLACE, *_HISTORY, *_MIGRATION, *_RISKS)}
)
"""Every kind by its id, in the order in which they are listed."""


def condition_of(kind: str) -> Condition:
    """Which condition a reason of a kind breaks. Raises KeyError for what is no kind of reason."""
    condition = KINDS[kind].condition
    if condition is None:
        raise KeyError(kind)
    return condition
