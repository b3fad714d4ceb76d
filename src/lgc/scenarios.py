"""From a scenario to findings: the real engine runs its graph, with scripted nodes in place of Python.

Each line of a scenario is one visit of a node, consumed in order; a task without a line records
nothing. A barrier without a line cannot go on. A subgraph or map with a line is not entered; without
one it is, and the tasks inside record nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .compiler import model as m
from .coverage import Coverage, region_of
from .dsl.diagnostic import Diagnostic, error
from .scenario_values import ScenarioWriter, Values, Visit
from .verdicts import CODE, Outcome, judge

if TYPE_CHECKING:
    from .modules import Generated
    from .runtime.barriers.barrier import BarrierDecision, BarrierInfo
    from .runtime.graph import Graph
    from .runtime.observation.events import GraphEvent


@dataclass(frozen=True, slots=True)
class Result:
    """How a scenario went.

    Attributes:
        scenario: which.
        findings: what did not go as expected; none means that it passed.
        seconds: how long it took.
    """

    scenario: m.Scenario
    findings: tuple[Diagnostic, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything went as expected."""
        return not self.findings


def run_scenario(modules: Generated, scenario: m.Scenario, coverage: Coverage | None = None) -> Result:
    """Run one scenario. Never raises for what a scenario or the graph's own Python does."""
    since = time.perf_counter()
    try:
        values = ScenarioWriter(modules, scenario).values()
        graph = modules.program.graphs[scenario.graph]
        plan = modules.plan_of(graph)
        since = time.perf_counter()  # what all scenarios share is not this one's time
        script = Script(values)
        outcome = asyncio.run(_run(plan, script, values, coverage))
        findings = list(judge(scenario, graph, values, outcome)) or list(script.left_over(outcome))
    except Exception as problem:
        findings = [error(CODE, f"the scenario cannot run: {_told(problem)}", scenario.place)]
    return Result(scenario, tuple(findings), time.perf_counter() - since)


def _told(problem: Exception) -> str:
    message = getattr(problem, "message", None) or f"{type(problem).__name__}: {problem}"
    return " ".join(str(message).split())


class Script:
    """The visits of a scenario that are still to come, by node; plays the tasks and answers the barriers."""

    def __init__(self, values: Values) -> None:
        self.left: dict[str, deque[Visit]] = {}
        self.used: dict[str, int] = {}
        self.unanswered: list[str] = []
        self.barriers: dict[str, str] = {}  # the graph's own, with their regions
        for visit in values.visits:
            self.left.setdefault(visit.written.node, deque()).append(visit)

    def next(self, node: str) -> Visit | None:
        """The line for this visit of a node."""
        waiting = self.left.get(node)
        self.used[node] = self.used.get(node, 0) + 1
        return waiting.popleft() if waiting else None

    async def play(self, context: Any) -> None:
        """Stand in for a task's function."""
        from .runtime.errors import FinalFailure

        node: str = context.node
        visit = self.next(node)
        if visit is None:
            return
        for mutation in visit.records:
            context._record(mutation)
        if visit.written.goes_to is not None:
            context._go(visit.written.goes_to)
        if visit.written.fails is not None:
            raise FinalFailure(visit.written.fails)
        if visit.written.times_out:
            raise _timeout(node)

    async def wait(self, barrier: BarrierInfo) -> BarrierDecision | None:
        """Stand in for the person who answers."""
        from .runtime.barriers.barrier import BarrierDecision
        from .runtime.errors import BarrierTimeout

        place = f"{barrier.frame}/{barrier.node}" if barrier.frame else barrier.node
        own = self.barriers.get(barrier.node) == region_of(barrier.frame)
        visit = self.next(barrier.node) if own else None
        if visit is None:
            self.unanswered.append(place)
            return None
        written = visit.written
        if written.times_out:
            raise BarrierTimeout(f"`{barrier.node}` timed out, as the scenario says")
        if written.reroutes is not None:
            decision = BarrierDecision.reroute(written.reroutes)
        else:
            assert written.decides is not None
            decision = BarrierDecision.answer(written.decides.answer, **visit.arguments)
        return decision.with_mutations(*visit.modifies)

    def left_over(self, outcome: Outcome) -> Sequence[Diagnostic]:
        """A finding for each node that was visited less often than the scenario has lines for it."""
        found: list[Diagnostic] = []
        for node, visits in self.left.items():
            if not visits:
                continue
            times = self.used.get(node, 0)
            often = "never visited" if not times else f"visited only {times} time{'s' if times > 1 else ''}"
            found.append(
                error(
                    CODE,
                    f"`{node}` was {often}, so this line is never reached",
                    visits[0].written.place,
                    help=f"the run went {outcome.path_text(())}",
                )
            )
        return found


def scripted(plan: Any, script: Script) -> Graph[Any]:
    """A graph whose tasks are played by the script; tasks of the graphs inside it record nothing."""
    from .runtime import plan as p
    from .runtime.graph import Graph, Implementation

    played, nothing = Implementation(script.play, True), Implementation(_nothing, True)

    def bound(compiled: Any, own: bool) -> Graph[Any]:
        calls: dict[str, Implementation] = {}
        inner: dict[str, Graph[Any]] = {}
        for node in compiled.nodes.values():
            if isinstance(node, p.Task):
                calls[node.name] = played if own else nothing
            elif isinstance(node, (p.Subgraph, p.Map)):
                if own and node.name in script.left:
                    calls[node.name] = played
                inner.setdefault(node.graph.name, bound(node.graph, False))
            elif own and isinstance(node, p.Barrier):
                script.barriers[node.name] = node.region
        return Graph(compiled, calls, inner)

    return bound(plan, True)


def _timeout(node: str) -> Exception:
    """The end of a visit, not of one attempt: a line says what becomes of all of them."""
    from .runtime.errors import FinalFailure, NodeTimedOut

    class VisitTimedOut(NodeTimedOut, FinalFailure):
        """No attempt was in time."""

    return VisitTimedOut(f"`{node}` timed out, as the scenario says")


async def _nothing(context: Any) -> None:
    """A task without a line."""


@dataclass(slots=True)
class _Trace:
    """Notes the nodes that were visited, by frame."""

    coverage: Coverage | None
    visited: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def record(self, event: GraphEvent) -> None:
        """One control event."""
        if event.node and str(event.kind) in ("node_completed", "node_failed"):
            self.visited.setdefault(event.frame, []).append(event.node)
            if self.coverage is not None and "next" in event.data:
                self.coverage.took(event.frame, event.node, event.data["outcome"], event.data["next"])


async def _run(plan: Any, script: Script, values: Values, coverage: Coverage | None) -> Outcome:
    from .runtime.errors import LgcError
    from .runtime.sessions.restore import blanks
    from .runtime.sessions.session import Session

    if coverage is not None:
        plan = coverage.watched(plan)
    graph, kind, trace = scripted(plan, script), plan.state, _Trace(coverage)
    state = kind.restore(kind.__lg_checkpoint__(**values.given), blanks(graph))
    session = await Session.start(graph, state, trace_sink=trace, barrier_sink=script)
    failure: LgcError | None = None
    try:
        await session.run()
    except LgcError as problem:
        failure = problem
    visited = {frame: list(nodes) for frame, nodes in trace.visited.items()}
    if coverage is not None:
        coverage.entered(visited)
    # A node that the run failed in, or waits at, was visited too.
    stuck = [failure.node] if failure is not None and failure.node else []
    stuck += script.unanswered if failure is None and str(session.status) == "waiting" else []
    for place in stuck:
        frame, _, node = place.rpartition("/")
        there = visited.setdefault(frame, [])
        if node in plan.nodes and (not there or there[-1] != node):
            there.append(node)
    waiting = tuple(script.unanswered) if str(session.status) == "waiting" else ()
    return Outcome(session.state, visited, failure, waiting)
