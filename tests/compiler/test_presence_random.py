"""Random graphs, run: a field that a task requires is none there only where LG501 said that it may be.

A seed makes a file of graphs with all kinds of nodes. Tasks record, fail and jump as chance has it, answers
are given by chance, and a run starts with any of its fields none. Whatever the way, a required field that is
none when its task begins must have been reported for that task.
"""

from __future__ import annotations

import asyncio
import sys
import types
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from lgc.compiler.analyses import Analyses
from lgc.compiler.codegen import generate
from lgc.compiler.context import Context
from lgc.compiler.project import load_project
from lgc.compiler.resolve import resolve
from lgc.dsl.source import Source
from lgc.runtime import BarrierDecision, Session
from lgc.runtime.errors import BarrierTimeout, LgcError
from lgc.runtime.graph import bind

STATES = """
state Sub {
  u: str?
  v: str? = "v"
  mutation SetU(x: str) { u = x }
  mutation ClearU() { u = none }
  mutation SetV(x: str) { v = x }
  mutation MayV(y: str?) { v = y }
}
state S {
  n: int = 0
  a: str?
  b: str? = "b"
  c: str?  merge last
  d: str?  merge append
  e: int?  merge max
  f: str?
  h: str?  merge custom "presence_random:join"
  sub: Sub
  mutation Add(by: int) { n += by }
  mutation SetA(x: str) { a = x }
  mutation ClearA() { a = none }
  mutation MayA(y: str?) { a = y }
  mutation CopyA() { a = b }
  mutation KeepA(x: str) { a = a ?? x }
  mutation SetB(x: str) { b = x }
  mutation ClearB() { b = none  n += 1 }
  mutation SetC(x: str) { c = x }
  mutation ClearC() { c = none }
  mutation SetD(x: str) { d = x }
  mutation ClearD() { d = none }
  mutation SetE(z: int) { e = z }
  mutation ClearE() { e = none }
  mutation SetF(x: str) { f = x }
  mutation IfF(x: str, k: int) { f = x if k > 0 else none }
  mutation TwoF(x: str) { f = none  f = x  b = f }
  mutation SetH(x: str) { h = x }
  mutation Compute(k: int) = "presence_random:compute" writes f
  mutation SubU(x: str) { sub.u = x }
  mutation SubNone() { sub.u = none }
}
"""
SETS = {
    "S": {"a": "SetA", "b": "SetB", "c": "SetC", "d": "SetD", "e": "SetE", "f": "SetF", "h": "SetH"},
    "Sub": {"u": "SetU", "v": "SetV"},
}
CHANGES: dict[str, list[str]] = {
    "S": [
        "Add", "SetA", "ClearA", "MayA", "CopyA", "KeepA", "SetB", "ClearB", "SetC", "ClearC", "SetD",
        "ClearD", "SetE", "ClearE", "SetF", "IfF", "TwoF", "SetH", "Compute", "SubU", "SubNone",
    ],
    "Sub": ["SetU", "ClearU", "SetV", "MayV"],
}  # fmt: skip
VALUES = {"x": '"x"', "y": "none", "z": "1", "by": "1", "k": "1"}
PARAMS = {
    "Add": "by", "SetA": "x", "MayA": "y", "KeepA": "x", "SetB": "x", "SetC": "x", "SetD": "x", "SetE": "z",
    "SetF": "x", "IfF": "xk", "TwoF": "x", "SetH": "x", "Compute": "k", "SubU": "x",
    "SetU": "x", "SetV": "x", "MayV": "y",
}  # fmt: skip


def params(mutation: str) -> list[str]:
    found = PARAMS.get(mutation, "")
    return [found] if found in VALUES else list(found)


class Maker:
    """Writes one random file; remembers what the functions of its tasks may do."""

    def __init__(self, seed: int, requiring: float = 0.25) -> None:
        self.random = Random(seed)
        self.requiring = requiring  # how often a field is required
        self.number = 0
        self.records: dict[str, list[str]] = {}
        self.ensures: dict[str, list[str]] = {}
        self.requires: dict[str, list[str]] = {}
        self.gotos: dict[str, list[str]] = {}
        self.files: list[str] = []
        self.graph("inner", "Sub", 1, False)
        self.graph("same", "S", 1, False)
        self.graph("g", "S", 2, True)
        self.text = STATES + "".join(self.files)

    def some(self, chance: float) -> bool:
        return self.random.random() < chance

    def graph(self, name: str, state: str, depth: int, inner: bool) -> None:
        lines: list[str] = []
        edges = self.region(state, depth, inner, lines, self.random.randint(2, 5))
        body = "".join(f"  {line}\n" for line in [*lines, *edges, "max_steps 40"])
        self.files.append(f"graph {name}({state}) {{\n{body}}}\n")

    def region(self, state: str, depth: int, inner: bool, lines: list[str], size: int) -> list[str]:
        """The edges of a region; its nodes are added to `lines`."""
        names = [self.name() for _ in range(size)]
        edges: list[str] = []
        if size > 1 and self.some(0.2):
            edges += [f"start -> {names[1]} when {self.guard(state)}", f"start -> {names[0]} else"]
        else:
            edges.append(f"start -> {names[0]}")
        for place, name in enumerate(names):
            kind = self.node(name, state, depth, inner, lines, names)
            following = names[place + 1] if place + 1 < size else "end"
            elsewhere = self.random.choice([*names, "end"])
            if kind == "barrier":
                edges.append(f"{name} -> {elsewhere} on second")
                edges.append(f"{name} -> {self.random.choice([following, elsewhere])} on timeout")
            elif kind != "decision" and self.some(0.5):
                edges.append(f"{name} -> {self.random.choice([following, elsewhere])} on error")
            turn = self.random.random()
            if turn < 0.5:
                limit = self.random.choice(("", " max_visits 2"))
                edges.append(f"{name} -> {elsewhere} when {self.guard(state)}{limit}")
                edges.append(f"{name} -> {following} else")
            else:
                edges.append(f"{name} -> {following}")
        return edges

    def name(self) -> str:
        self.number += 1
        return f"t{self.number}"

    def guard(self, state: str) -> str:
        fields = list(SETS[state])
        one, other = self.random.choice(fields), self.random.choice(fields)
        own = [f"{one} != none", f"{one} == none", f"{one} == none or {other} == none"]
        own += [f"{one} != none and not ({other} == none)", "steps() % 2 == 0"]
        if state == "S":
            own += ["n > 1", "sub.u != none", 'a == "x"']
        return self.random.choice(own)

    def node(
        self, name: str, state: str, depth: int, inner: bool, lines: list[str], region: list[str]
    ) -> str:
        kinds = ["task", "task", "task", "decision", "barrier"]
        if depth > 0:
            kinds += ["parallel", "parallel"]
        if inner and state == "S":
            kinds += ["same", "field", "inout", "map"]
        kind = self.random.choice(kinds)
        match kind:
            case "task":
                lines.append(self.task(name, state, region))
            case "decision":
                lines.append(f"decision {name}")
            case "barrier":
                lines.append(self.barrier(name, state, region))
            case "parallel":
                lines.append(self.parallel(name, state, depth, inner, lines))
            case "same":
                lines.append(f"subgraph {name} = same {{ }}")
            case "field":
                lines.append(f"subgraph {name} = inner {{ on sub }}")
            case "inout":
                given = self.random.choice(("a", "sub.u", 'b ?? "u"', "a if n > 1 else f", "none"))
                out = self.random.choice(
                    ("MayA(u)", 'SetF(v ?? "w")', "MayA(v)", 'MayA(u ?? "u"), SetB("b")')
                )
                lines.append(f"subgraph {name} = inner {{ in u = {given}  out {out} }}")
            case _:
                out = self.random.choice(("MayA(u)", "MayA(item)", 'SetH("h")', 'SetC("c")', "ClearB()"))
                mode = self.random.choice(("", "on_error collect"))
                over = f'over ["i", b ?? "j"] as item  in u = item, v = f  out {out}  {mode}'
                lines.append(f"map {name} = inner {{ {over} }}")
        return kind

    def task(self, name: str, state: str, region: list[str]) -> str:
        records = self.random.sample(CHANGES[state], self.random.randint(0, 2))
        ensures: list[str] = []
        for field, mutation in SETS[state].items():
            if self.some(0.2):
                ensures.append(field)
                records.append(mutation)
        records = list(dict.fromkeys(records))
        reads = [field for field in SETS[state] if self.some(self.requiring)]
        self.records[name], self.ensures[name], self.requires[name] = records, ensures, reads
        self.gotos[name] = [self.random.choice(region)] if self.some(0.15) else []
        clauses = [
            f"reads {', '.join(f'{field}!' for field in reads)}" if reads else "",
            f"records {', '.join(records)}" if records else "",
            f"ensures {', '.join(ensures)}" if ensures else "",
            f"goto {self.gotos[name][0]}" if self.gotos[name] else "",
        ]
        return f"task {name} {{ {'  '.join(c for c in clauses if c)} }}"

    def call(self, state: str) -> str:
        mutation = self.random.choice(CHANGES[state])
        values = dict(VALUES)
        if self.some(0.6):
            values["y"] = self.random.choice(("a", "f", '"y"', 'b ?? "y"') if state == "S" else ("u", '"y"'))
        return f"{mutation}({', '.join(values[p] for p in params(mutation))})"

    def barrier(self, name: str, state: str, region: list[str]) -> str:
        first = f" records {self.call(state)}, {self.call(state)}" if self.some(0.7) else ""
        second = f" records {self.call(state)}" if self.some(0.7) else ""
        modify = f"modify {self.random.choice(CHANGES[state])}" if self.some(0.4) else ""
        reroute = f"reroute {self.random.choice(region)}" if self.some(0.3) else ""
        decides = " decides first" if self.some(0.2) else ""
        decisions = f"decision first{first} decision second{second} decision third"
        return f"barrier {name} {{ timeout 1h{decides} {decisions} {modify} {reroute} }}"

    def parallel(self, name: str, state: str, depth: int, inner: bool, lines: list[str]) -> str:
        branches: list[str] = []
        count = self.random.randint(2, 3)
        for branch in "xyz"[:count]:
            edges = self.region(state, depth - 1, inner and self.some(0.3), lines, self.random.randint(1, 2))
            branches.append(f"branch {branch} {{ {'  '.join(edges)} }}")
        join = self.random.choice(("", "", "join any", "join first 2" if count == 3 else "join any"))
        mode = self.random.choice(("", "on_error collect"))
        return f"parallel {name} {{ {' '.join(branches)}  {join}  {mode} }}"


class Forks(Maker):
    """Writes one small file: a task, a parallel of tasks, and behind it a task that requires every field."""

    def graph(self, name: str, state: str, depth: int, inner: bool) -> None:
        if name != "g":
            return
        lines: list[str] = []
        before, fork, after = self.name(), self.name(), self.name()
        lines.append(self.task(before, state, ["end"]))
        count = self.random.randint(2, 3)
        tasks = [self.name() for _ in range(count)]
        lines += [self.task(task, state, ["end"]) for task in tasks]
        branches = " ".join(f"branch b{place} = {task}" for place, task in enumerate(tasks))
        join = self.random.choice(("", "", "join any", "join first 2"))
        lines.append(
            f"parallel {fork} {{ {branches}  {join}  {self.random.choice(('', 'on_error collect'))} }}"
        )
        lines.append(f"task {after} {{ reads {', '.join(f'{field}!' for field in SETS[state])} }}")
        self.records[after], self.ensures[after], self.gotos[after] = [], [], []
        self.requires[after] = list(SETS[state])
        lines.append(f"start -> {before} -> {fork} -> {after} -> end")
        if self.some(0.5):
            lines.append(f"{fork} -> {after} on error")
        self.files.append(f"graph g(S) {{\n{''.join(f'  {line}{chr(10)}' for line in lines)}}}\n")


def has(view: Any, field: str) -> bool:
    """Whether a task gets a value of a field that it requires."""
    try:
        getattr(view, field)
    except LgcError:
        return False
    return True


class Nodes:
    """Functions that do what chance says; they note which required fields were none."""

    def __init__(self, maker: Maker, module: Any, seed: int) -> None:
        self.maker, self.module, self.random = maker, module, Random(seed)
        self.missed: set[tuple[str, str]] = set()
        # Some runs fail often, some never; some tasks write much, some little.
        self.failing = self.random.choice((0.0, 0.1, 0.5))
        self.busy = self.random.choice((0, 1, 3))
        self.none = self.random.choice((0.1, 0.9))

    def mutation(self, name: str) -> Any:
        values: dict[str, Any] = {"x": "x", "z": 1, "by": 1, "k": self.random.choice((0, 1))}
        values["y"] = None if self.random.random() < self.none else "y"
        return getattr(self.module, name)(**{p: values[p] for p in params(name)})

    def __getattr__(self, name: str) -> Any:
        records = self.maker.records.get(name)
        if records is None:
            raise AttributeError(name)

        async def node(ctx: Any) -> None:
            none = [field for field in self.maker.requires[name] if not has(ctx.state, field)]
            self.missed.update((name, field) for field in none)
            if none:
                raise RuntimeError(f"{none} are none")
            for _ in range(self.random.choice((0, 0, 1, 2))):
                await asyncio.sleep(0)
            often = self.random.randint(0, self.busy)
            for record in [self.random.choice(records) for _ in range(often)] if records else []:
                ctx.record(self.mutation(record))
            if self.random.random() >= self.failing / 2:
                state = "Sub" if {"u", "v"} & set(self.maker.ensures[name]) else "S"
                for field in self.maker.ensures[name]:
                    ctx.record(self.mutation(SETS[state][field]))
            if self.random.random() < self.failing / 2:
                raise RuntimeError("as planned")
            if self.maker.gotos[name] and self.random.random() < 0.5:
                ctx.goto(self.maker.gotos[name][0])

        return node

    async def wait(self, barrier: Any) -> BarrierDecision:
        """Answer a barrier."""
        turn = self.random.random()
        if turn < 0.15:
            raise BarrierTimeout("nobody")
        decision = BarrierDecision.answer(self.random.choice(("first", "second", "third")))
        if barrier.reroute and turn < 0.4:
            decision = BarrierDecision.reroute(barrier.reroute[0])
        if barrier.modify and self.random.random() < 0.5:
            decision = decision.with_mutations(self.mutation(barrier.modify[0]))
        return decision


class Subject:
    """One random file: what is reported for it, and what its runs meet."""

    def __init__(self, maker: Maker, seed: int) -> None:
        self.maker = maker
        context = Context()
        project = load_project(context, [Source("r.lgraph", self.maker.text)], lambda path: None, None)
        resolved = resolve(context, project)
        assert not context.findings, [
            (f.message, f.place.source.line(f.place.position.line)) for f in context.findings
        ]
        presence = Analyses(resolved.program, resolved.gaps).presence
        self.reported = {
            (task.name, read.field)
            for graph in resolved.program.graphs
            for task, read in presence.lacking(graph)
        }
        (source,) = resolved.program.modules
        self.module = types.ModuleType(f"presence{seed}_lg")
        sys.modules[self.module.__name__] = self.module
        try:
            text = generate(resolved.program, source, version="0")
            exec(compile(text, self.module.__name__, "exec"), self.module.__dict__)  # noqa: S102
        finally:
            del sys.modules[self.module.__name__]

    def run(self, seed: int) -> set[tuple[str, str]]:
        """The required fields that were none in one run, with their tasks."""
        random = Random(seed)
        nodes = Nodes(self.maker, self.module, seed)
        chance = random.choice((0.0, 0.5, 0.9, 1.0))
        given = {field: random.random() < chance for field in "abcdefhuv"}
        texts = {field: "v" if given[field] else None for field in "abcdfh"}
        sub = self.module.Sub(u="v" if given["u"] else None, v="v" if given["v"] else None)
        state = self.module.S(**texts, e=1 if given["e"] else None, sub=sub)

        async def main() -> None:
            session = await Session.start(bind(self.module.G_PLAN, nodes), state, barrier_sink=nodes)
            with suppress(LgcError):  # as planned, or what other rules are for
                await session.run()

        asyncio.run(main())
        return nodes.missed


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions that the state of the files names: both may give none."""

    def join(before: Any, values: list[Any]) -> Any:
        return values[0] if len(values) == 1 else None

    def compute(state: Any, mutation: Any) -> dict[str, Any]:
        return {"f": "f" if mutation.k else None}

    module: Any = types.ModuleType("presence_random")
    module.join, module.compute = join, compute
    monkeypatch.setitem(sys.modules, "presence_random", module)


def missed_and_reported(maker: type[Maker], seeds: range, runs: int, requiring: float) -> int:
    """How often a required field was none in runs of random files; each time, it had been reported."""
    met = 0
    for seed in seeds:
        subject = Subject(maker(seed, requiring), seed)
        for run in range(runs):
            missed = subject.run(seed * 1000 + run)
            assert missed <= subject.reported, (seed, run, missed - subject.reported)
            met += len(missed)
    return met


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_what_a_run_misses_was_reported(first: int) -> None:
    assert missed_and_reported(Maker, range(first, first + 20), 8, 0.25) > 30


@pytest.mark.parametrize("first", range(0, 90, 30))
def test_what_is_missing_behind_a_join_was_reported(first: int) -> None:
    assert missed_and_reported(Forks, range(first, first + 30), 10, 0.0) > 100
