"""From the verdicts of many runs to how many there are of each kind, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..changes.compare import compare
from ..forms.version import Version
from .kinds import KINDS
from .verdict import Condition, Reason, Risk, RunVerdict, Verdict

# Runs that are named as examples.
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many runs have one reason: the same kind and element of the same graph.

    Attributes:
        graph, kind, condition, element: as in `Reason`.
        verdict: the worst of these runs.
        count: how many runs.
        title: what such a reason is, in general.
        text: what it is here; for one of the runs, where it differs between them.
        changes: what of the element has changed, for people; none where the old graph cannot be read.
        place: where in the new source, "" where that is not known.
        nodes: the nodes where it was noticed.
        examples: some of the runs, the newest first.
    """

    graph: str
    kind: str
    condition: Condition
    element: str
    verdict: Verdict
    count: int
    title: str
    text: str
    changes: tuple[str, ...]
    place: str
    nodes: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskCount:
    """How many runs are at the same risk. `verdicts`: how many of them go on all the same; else as above."""

    graph: str
    kind: str
    node: str
    verdicts: Mapping[Verdict, int]
    count: int
    title: str
    text: str
    place: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphCount:
    """The runs of one graph: how many of each verdict, and how many under each old hash.

    `new` is the hash of the version that they were judged for, "" where there is none.
    """

    graph: str
    new: str
    verdicts: Mapping[Verdict, int]
    old: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs, counted. Reasons and risks: those of most runs first."""

    verdicts: Mapping[Verdict, int]
    graphs: tuple[GraphCount, ...]
    reasons: tuple[ReasonCount, ...]
    risks: tuple[RiskCount, ...]

    @property
    def worst(self) -> Verdict:
        """The worst verdict; `identical` without runs."""
        return max((verdict for verdict, count in self.verdicts.items() if count), key=_rank, default=_BEST)


_BEST = Verdict.IDENTICAL


@dataclass(slots=True)
class _Runs:
    """Those that have one thing in common."""

    first: Reason | Risk
    runs: list[RunVerdict] = field(default_factory=list[RunVerdict])
    nodes: dict[str, None] = field(default_factory=dict[str, None])


Changes: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""What has changed, by the name of a graph and the id of an element."""


def summary_of(
    verdicts: Sequence[RunVerdict], versions: Mapping[str, Version], changes: Changes | None = None
) -> Summary:
    """Count verdicts, which are in the order in which examples are wanted."""
    reasons: dict[tuple[str, str, str], _Runs] = {}
    risks: dict[tuple[str, str, str], _Runs] = {}
    for one in verdicts:
        for reason in one.reasons:
            _note(reasons, (one.graph, reason.kind, reason.element), reason, one)
        for risk in one.risks:
            _note(risks, (one.graph, risk.kind, risk.node), risk, one)
    return Summary(
        _counted(verdicts),
        _graphs(verdicts, versions),
        tuple(sorted((_reason(key, runs, changes or {}) for key, runs in reasons.items()), key=_most)),
        tuple(sorted((_risk(key, runs) for key, runs in risks.items()), key=lambda one: -one.count)),
    )


def _note(
    known: dict[tuple[str, str, str], _Runs], key: tuple[str, str, str], what: Reason | Risk, run: RunVerdict
) -> None:
    runs = known.get(key)
    if runs is None:
        runs = known[key] = _Runs(what)
    # A run may have one reason at several nodes.
    if not runs.runs or runs.runs[-1] is not run:
        runs.runs.append(run)
    runs.nodes.setdefault(what.node)


def changed_elements(old: Version, new: Version) -> Mapping[str, Sequence[str]]:
    """What has changed between two versions, by element as reasons name it; inner graphs included."""
    found: dict[str, list[str]] = {}
    seen: set[tuple[str, str, str]] = set()
    todo = [("", old, new)]
    while todo:
        inside, before, after = todo.pop()
        if before.hash == after.hash or (inside, before.hash, after.hash) in seen:
            continue
        seen.add((inside, before.hash, after.hash))
        for change in compare(before.canonical, after.canonical):
            found.setdefault(inside + change.element, []).append(change.text)
        for id in before.elements:
            name = id.removeprefix("node/")
            below, then = before.run_by(name), after.run_by(name)
            if name != id and below is not None and then is not None:
                todo.append((f"{inside}subgraph/{below.name}/", below, then))
    return found


def _reason(key: tuple[str, str, str], found: _Runs, changes: Changes) -> ReasonCount:
    graph, kind, element = key
    first = found.first
    assert isinstance(first, Reason)
    worst = max((run.verdict for run in found.runs), key=_rank)
    nodes = tuple(node for node in found.nodes if node)
    return ReasonCount(
        graph, kind, first.condition, element, worst, len(found.runs), _title(kind), first.text,
        tuple(changes.get((graph, element), ())), first.place, nodes, _examples(found.runs),
    )  # fmt: skip


def _risk(key: tuple[str, str, str], found: _Runs) -> RiskCount:
    graph, kind, node = key
    first = found.first
    return RiskCount(
        graph, kind, node, _counted(found.runs), len(found.runs), _title(kind), first.text, first.place,
        _examples(found.runs),
    )  # fmt: skip


def _graphs(verdicts: Sequence[RunVerdict], versions: Mapping[str, Version]) -> tuple[GraphCount, ...]:
    by_graph: dict[str, list[RunVerdict]] = {}
    for one in verdicts:
        by_graph.setdefault(one.graph, []).append(one)
    return tuple(
        GraphCount(
            graph,
            versions[graph].hash if graph in versions else "",
            _counted(runs),
            dict(Counter(run.old for run in runs).most_common()),
        )
        for graph, runs in sorted(by_graph.items())
    )


def _counted(verdicts: Iterable[RunVerdict]) -> Mapping[Verdict, int]:
    counts = Counter(one.verdict for one in verdicts)
    return {verdict: counts[verdict] for verdict in Verdict}


def _examples(runs: Sequence[RunVerdict]) -> tuple[str, ...]:
    return tuple(run.run for run in runs[:EXAMPLES])


def _title(kind: str) -> str:
    known = KINDS.get(kind)
    return kind if known is None else known.what


def _rank(verdict: Verdict) -> int:
    return verdict.rank


def _most(one: ReasonCount) -> tuple[int, int]:
    return (-one.verdict.rank, -one.count)
