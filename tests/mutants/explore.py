"""From a checked program to how its runs can end badly: random runs on the real engine, with honest tasks.

A task records mutations that it may record, with values of their types, and sets what it ensures; persons
give answers that are offered; tasks fail and time out at times. What goes wrong then is the graph's fault,
not the tasks'. Values that break a constraint, and failures that were played, do not count.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from lgc.compiler import model as m
from lgc.modules import Generated
from lgc.runtime import plan as p
from lgc.runtime.barriers.barrier import BarrierDecision, BarrierInfo
from lgc.runtime.errors import BarrierTimeout, FinalFailure, LgcError, NodeTimedOut
from lgc.runtime.graph import Graph, Implementation
from lgc.runtime.sessions.restore import blanks
from lgc.runtime.sessions.session import Session

from .draws import Draws

PLAYED = "played"
STEPS = 100
Signature = tuple[str, str]


class Actor:
    """Plays every task and every person of one run."""

    def __init__(self, draws: Draws, random: Random, stubborn: bool) -> None:
        self.draws = draws
        self.random = random
        self.stubborn = stubborn  # does the same at every visit, as a loop's worst enemy does
        self.habits: dict[str, int] = {}

    def dice(self, node: str) -> Random:
        """The chance of one visit."""
        if not self.stubborn:
            return self.random
        return Random(self.habits.setdefault(node, self.random.randrange(1 << 30)))

    def task(self, task: m.Task, plan: p.Task) -> Callable[[Any], Any]:
        """What a task does."""
        classes = dict(zip((name for name, _ in task.records), plan.records, strict=True))

        async def play(context: Any) -> None:
            dice = self.dice(task.name)
            fate = dice.random()
            if fate < 0.1:
                raise FinalFailure(PLAYED)
            if fate < 0.15 and task.timeout_ms is not None:
                raise _late()
            for name in self._chosen(task, dice):
                context._record(self.draws.mutation(classes[name], task, name, dice))
            if plan.goto and (fate < 0.9 or not self.draws.routes(task)):
                context._go(dice.choice(plan.goto))

        return play

    def _chosen(self, task: m.Task, dice: Random) -> list[str]:
        names = [name for name, _ in task.records if self.draws.playable(task, name)]
        chosen = [name for name in names if dice.random() < 0.6]
        for field, _ in task.ensures:
            setting = [name for name in names if self.draws.sets(task, name, field)]
            if setting and not any(name in chosen for name in setting):
                chosen.append(dice.choice(setting))
        return chosen

    async def wait(self, barrier: BarrierInfo) -> BarrierDecision | None:
        """What a person answers."""
        dice = self.dice(barrier.node)
        fate = dice.random()
        if fate < 0.2:
            raise BarrierTimeout(PLAYED)
        if barrier.reroute and fate < 0.35:
            return BarrierDecision.reroute(dice.choice(barrier.reroute))
        name = dice.choice(sorted(barrier.answers))
        return BarrierDecision.answer(name, **self.draws.arguments(barrier, name, dice))


def _late() -> Exception:
    class VisitTimedOut(NodeTimedOut, FinalFailure):
        pass

    return VisitTimedOut(PLAYED)


def bound(draws: Draws, actor: Actor, graph: m.Graph, plan: Any) -> Graph[Any]:
    """A plan with its tasks played."""
    calls: dict[str, Implementation] = {}
    inner: dict[str, Graph[Any]] = {}
    nodes = {node.name: node for node in graph.nodes}
    for node in plan.nodes.values():
        declared = nodes[node.name]
        if isinstance(node, p.Task) and isinstance(declared, m.Task):
            draws.belongs(declared, graph)
            calls[node.name] = Implementation(actor.task(declared, node), True)
        elif isinstance(node, (p.Subgraph, p.Map)) and isinstance(declared, (m.Subgraph, m.MapNode)):
            inner[node.graph.name] = bound(draws, actor, draws.program.graphs[declared.graph], node.graph)
        elif isinstance(declared, m.Barrier):
            draws.barriers[node.name] = declared
    # A loop shows itself long before the limit that a graph allows.
    return Graph(replace(plan, max_steps=min(plan.max_steps, STEPS)), calls, inner)


class Trace:
    """The last nodes of a run."""

    def __init__(self) -> None:
        self.nodes: list[str] = []

    def record(self, event: Any) -> None:
        """One event."""
        if event.node and str(event.kind) == "node_completed":
            self.nodes.append(event.node)


async def _run(graph: Graph[Any], actor: Actor, state: Any) -> Signature | None:
    trace = Trace()
    try:
        session = await Session.start(graph, state, trace_sink=trace, barrier_sink=actor)
        await session.run()
    except LgcError as problem:
        return signature(problem, trace.nodes)
    return None


# The fault of what was played: values that break a constraint, and failures without an edge.
INNOCENT = ("MutationRejected", "BindingError")


def signature(problem: BaseException, nodes: list[str]) -> Signature | None:
    """What went wrong and where; None where what was played is to blame."""
    cause = problem.__cause__ if type(problem).__name__ == "NodeFailed" and problem.__cause__ else problem
    kind = type(cause).__name__
    text = str(getattr(problem, "message", problem))
    if PLAYED in text or PLAYED in str(cause) or kind in INNOCENT or "cannot import" in text:
        return None
    where = (getattr(problem, "node", "") or "").rpartition("/")[2]
    if kind == "StepsExceeded":
        return kind, " ".join(sorted(set(nodes[-60:])))
    return kind, where


def bad_ends(modules: Generated, program: m.Program, seed: int, runs: int) -> set[Signature]:
    """How runs of the program's graphs ended that should not have."""
    found: set[Signature] = set()
    for place, key in enumerate(sorted(program.graphs, key=str)):
        graph = program.graphs[key]
        plan = modules.plan_of(graph)
        draws = Draws(modules, program)
        for number in range(runs):
            random = Random(f"{seed} {place} {number}")
            actor = Actor(draws, random, stubborn=number % 3 == 0)
            try:
                one = bound(draws, actor, graph, plan)
                given = draws.start(graph, random)
                state = plan.state.restore(checkpoint(plan, given), blanks(one))
                end = asyncio.run(_run(one, actor, state))
            except LgcError as problem:
                end = signature(problem, [])
            except Exception as problem:
                end = (type(problem).__name__, str(problem).splitlines()[0][:60] if str(problem) else "")
            if end is not None:
                found.add(end)
    return found


def checkpoint(plan: Any, given: dict[str, Any]) -> Any:
    """The durable fields of a state, from JSON."""
    return plan.state.__lg_checkpoint__.model_validate_json(json.dumps(given))


# --- guards over drawn states -------------------------------------------------------------------------------


class Count:
    """What guards may ask of a run, drawn."""

    def __init__(self, dice: Random) -> None:
        self.often = dice.choice((0, 1, 2, 3, 6, 500))

    def visits(self, node: str) -> int:
        """The same for each node."""
        return self.often

    def steps(self) -> int:
        """The same again."""
        return self.often


def bad_routes(modules: Generated, program: m.Program, seed: int, samples: int) -> set[Signature]:
    """Where drawn states find no edge, and edges that none of them takes."""
    found: set[Signature] = set()
    for key in sorted(program.graphs, key=str):
        plan = modules.plan_of(program.graphs[key])
        choices = [(s, r.edges) for s, r in plan.routes.items() if any(e.guard is not None for e in r.edges)]
        if not choices:
            continue
        dice, draws = Random(f"{seed} {key}"), Draws(modules, program)
        states: list[tuple[Any, Count]] = []
        for _ in range(samples):
            given = draws.state(program.graphs[key].state, dice)
            states.append(
                (plan.state.restore(checkpoint(plan, given), blanks(Graph(plan, {}, {}))), Count(dice))
            )
        for source, edges in choices:
            found |= _judged(source, edges, states)
    return found


def _judged(source: str, edges: Any, states: list[tuple[Any, Count]]) -> set[Signature]:
    open_, closed = [0] * len(edges), [0] * len(edges)
    none = False
    for state, count in states:
        held: list[bool] = []
        for edge in edges:
            try:
                held.append(edge.guard is None or edge.guard.test(state, count))
            except Exception:
                held.append(False)
        first = next((n for n, one in enumerate(held) if one), None)
        late = next((n for n, one in enumerate(held) if one and edges[n].max_visits is None), None)
        none = none or late is None
        for n, hits in ((first, open_), (late, closed)):
            if n is not None:
                hits[n] += 1
        # An edge is taken too when those with a limit before it are used up.
        for n, one in enumerate(held):
            if one:
                closed[n] += all(edges[k].max_visits is not None for k in range(n) if held[k])
    found: set[Signature] = {("no edge holds", source)} if none else set()
    for n, edge in enumerate(edges):
        if not open_[n] and not closed[n]:
            found.add(("edge never taken", f"{source} -> {edge.target}"))
    return found
