"""Random graphs, cut after every step: whatever the graph, a restored run does what an undisturbed one does.

A seed makes a graph of tasks, decisions, loops, barriers, parallels, subgraphs through all three lenses and
maps, nested in each other. Its tasks are functions of what they see. It is run to the end; then, from a copy
of the store as it was after each commit, again and again to the end. State and the set of steps must agree.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from lgc.runtime import BarrierDecision, MemoryStore, RunStatus, Session, replay
from lgc.runtime.graph import bind
from lgc.runtime.store.records import Commit

Compile = Callable[[str], Any]

OUTER = ("Add", "Push", "See", "Best", "Total", "Put")
INNER = ("Inc", "Note")

MOST = 8

STATES = """
state In {
  m: int = 0
  ys: list[int] = []
  mutation Inc(by: int) { m += by }
  mutation Note(y: int) { ys += [y] }
}
state S {
  n: int = 0
  xs: list[int] = []
  seen: set[int] = []
  best: int = 0
  total: int = 0  merge sum
  table: dict[int, int] = {}  merge union
  inner: In
  mutation Add(by: int) { n += by }
  mutation Push(x: int) { xs += [x] }
  mutation See(x: int) { seen += [x] }
  mutation Best(of: int) { best = max(best, of) }
  mutation Total(by: int) { total += by }
  mutation Put(k: int, v: int) { table[k] = v }
  mutation Both(by: int, ys2: list[int]) { n += by  xs += ys2 }
}
"""


class Maker:
    """Writes one random file. `records` and `fails` say what the function of each task does."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.number = 0
        self.records: dict[str, tuple[str, ...]] = {}
        self.fails: set[str] = set()
        self.files: list[str] = []
        self.graphs = [self.graph(f"inner{i}", "In", 1, []) for i in range(2)]
        self.same = self.graph("same", "S", 2, self.graphs)
        self.graph("g", "S", 3, [*self.graphs, self.same])
        self.text = STATES + "".join(self.files)

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def graph(self, name: str, state: str, depth: int, inner: list[str]) -> str:
        lines: list[str] = []
        edges = self.region(state, depth, inner, lines, self.random.randint(2, 4))
        compact = self.random.choice(("compact auto", "compact 1 steps", "compact 3 steps"))
        body = "".join(f"  {line}\n" for line in [*lines, *edges, f"checkpoint {{ {compact} }}"])
        self.files.append(f"graph {name}({state}) {{\n{body}}}\n")
        return name

    def region(self, state: str, depth: int, inner: list[str], lines: list[str], size: int) -> list[str]:
        """The edges of a region; its nodes are added to `lines`."""
        nodes = [self.node(state, depth, inner, lines) for _ in range(size)]
        edges = [f"start -> {nodes[0][0]}"]
        for place, (name, kind) in enumerate(nodes):
            next = nodes[place + 1][0] if place + 1 < size else "end"
            if kind == "barrier":
                edges.append(f"{name} -> {next} on approve")
                edges.append(f"{name} -> {next} on reject")
                edges.append(f"{name} -> {next} on timeout")
                continue
            if kind == "fails":
                edges.append(f"{name} -> {next} on error")
            turn = self.random.random()
            if turn < 0.35:
                back = nodes[self.random.randint(0, place)][0]
                most = self.random.randint(1, 2)
                edges.append(f"{name} -> {back} when {self.guard(state, name)} max_visits {most}")
                edges.append(f"{name} -> {next} else")
            elif turn < 0.5 and place + 2 < size:
                edges.append(f"{name} -> {nodes[-1][0]} when {self.guard(state, name)}")
                edges.append(f"{name} -> {next} else")
            else:
                edges.append(f"{name} -> {next}")
        return edges

    def guard(self, state: str, name: str) -> str:
        own = (
            ["n % 2 == 0", "len(xs) < 5", "total % 3 != 1"] if state == "S" else ["m % 2 == 0", "len(ys) < 3"]
        )
        return self.random.choice([*own, f"visits({name}) < 3", "steps() % 2 == 1"])

    def node(self, state: str, depth: int, inner: list[str], lines: list[str]) -> tuple[str, str]:
        kinds = ["task", "task", "fails", "decision", "barrier"]
        if depth > 0:
            kinds += ["parallel", "parallel"]
        if depth > 0 and inner and state == "S":
            kinds += ["same", "field", "inout", "map", "map"]
        kind = self.random.choice(kinds)
        name = self.name(kind[0])
        match kind:
            case "task" | "fails":
                records = self.random.sample(OUTER if state == "S" else INNER, 2)
                self.records[name] = tuple(records)
                if kind == "fails":
                    self.fails.add(name)
                lines.append(f"task {name} {{ reads *  records {', '.join(records)} }}")
            case "decision":
                lines.append(f"decision {name}")
            case "barrier":
                lines.append(f"barrier {name} {{ timeout 1h  shows {'n' if state == 'S' else 'm'} }}")
            case "parallel":
                below: list[str] = []
                branches: list[str] = []
                for branch in "abc"[: self.random.randint(2, 3)]:
                    edges = self.region(state, depth - 1, inner, below, self.random.randint(1, 2))
                    branches.append(f"branch {branch} {{ {'  '.join(edges)} }}")
                lines.append(f"parallel {name} {{ {' '.join(branches)} }}")
                lines.extend(below)
            case "same":
                if "same" not in inner:
                    return self.node(state, 0, inner, lines)
                lines.append(f"subgraph {name} = same {{ }}")
            case "field":
                lines.append(f"subgraph {name} = {self.random.choice(self.graphs)} {{ on inner }}")
            case "inout":
                graph = self.random.choice(self.graphs)
                lines.append(f"subgraph {name} = {graph} {{ in m = n, ys = xs  out Both(m, ys) }}")
            case _:
                graph = self.random.choice(self.graphs)
                limit = self.random.choice(("", "concurrency 1", "concurrency 2"))
                body = f"over [1, 2, n] as item  in m = item  out Push(m), Add(len(ys))  {limit}"
                lines.append(f"map {name} = {graph} {{ {body} }}")
        return name, kind


class Nodes:
    """Functions that do what the seed says, as a function of what they see."""

    def __init__(self, maker: Maker, module: Any) -> None:
        self.maker, self.module = maker, module
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        records = self.maker.records.get(name)
        if records is None:
            raise AttributeError(name)

        async def node(ctx: Any) -> None:
            self.calls += 1
            number = sum(name.encode()) + ctx.visit
            if number % 3 == 0:
                await asyncio.sleep(0)
            state, module = ctx.state, self.module
            for record in records:
                match record:
                    case "Add":
                        ctx.record(module.Add(by=1 + state.n % 3))
                    case "Push":
                        ctx.record(module.Push(x=number * 10 + len(state.xs) % 10))
                    case "See":
                        ctx.record(module.See(x=number % 7))
                    case "Best":
                        ctx.record(module.Best(of=state.best + number % 4))
                    case "Total":
                        ctx.record(module.Total(by=number % 5))
                    case "Put":
                        ctx.record(module.Put(k=number, v=state.n))
                    case "Inc":
                        ctx.record(module.Inc(by=1 + state.m % 2))
                    case _:
                        ctx.record(module.Note(y=number))
            if name in self.maker.fails and ctx.visit % 2:
                raise RuntimeError("as planned")

        return node


class Approves:
    async def wait(self, barrier: Any) -> BarrierDecision:
        return BarrierDecision.approve()


class Taping(MemoryStore):
    """Keeps a copy of itself as it was after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.tapes: list[MemoryStore] = []

    def tape(self) -> MemoryStore:
        new = MemoryStore()
        new._graphs = dict(self._graphs)
        new._decisions = self._decisions  # pyright: ignore[reportUnknownMemberType]
        for run, history in self._histories.items():
            kept = copy.copy(history)
            for name in ("log", "flags", "checkpoints", "decisions", "attempts", "overrides"):
                setattr(kept, name, copy.copy(getattr(history, name)))
            new._histories[run] = kept
        return new

    async def commit(self, commit: Commit) -> None:
        await super().commit(commit)
        if commit.record is not None:
            self.tapes.append(self.tape())


def spread(tapes: list[MemoryStore]) -> list[MemoryStore]:
    """All of a short run's; of a long one's so many, the first and the last among them."""
    last = len(tapes) - 1
    return [tapes[place] for place in sorted({number * last // MOST for number in range(MOST + 1)})]


async def steps(store: MemoryStore) -> list[tuple[Any, ...]]:
    return sorted(
        [(r.frame, r.node, r.visit, r.outcome, r.next, r.mutations, r.error) async for r in store.replay("r")]
    )


@pytest.mark.parametrize("seed", range(14))
def test_a_run_cut_anywhere_ends_as_if_it_had_not_been(seed: int, compiled: Compile, audit: Any) -> None:
    maker = Maker(seed)
    module = compiled(maker.text)
    nodes = Nodes(maker, module)

    async def main() -> None:
        store = Taping()
        graph = bind(module.G_PLAN, nodes)
        session = await Session.start(
            graph, module.S(inner=module.In()), store=store, run_id="r", barrier_sink=Approves()
        )
        result = await session.run()
        assert result.status is RunStatus.DONE
        await audit(store, graph, "r", session)
        expected = await steps(store)
        assert len({step[:3] for step in expected}) > 1
        for tape in spread(store.tapes):
            last = (await tape.get_run("r")).status
            there = [record.step async for record in tape.replay("r")][-1]
            again = await Session.restore(graph, store=tape, run_id="r", barrier_sink=Approves())
            assert again.step == there, (seed, there)
            assert again.state == await replay(store, "r", there, graph=graph), (seed, there)
            resumed = await again.run()
            assert resumed.state == result.state, (seed, there, last)
            assert await steps(tape) == expected, (seed, there)

    asyncio.run(main())
