"""The graphs that are simulated: random ones, compiled once, and functions of what their nodes see.

Whatever a node does wrong in a simulation, what it records in the end depends on what it sees and on its
visit alone: so a run that was disturbed has to end as one that was not.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable
from functools import cache
from itertools import count
from random import Random
from typing import Any

from tests.runtime.test_engine_random import Maker

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime import FinalFailure
from lgc.runtime.barriers.barrier import _names
from lgc.runtime.barriers.deciding import unbound
from lgc.runtime.graph import Graph, bind

from .loop import PROCESS

RETRIES = 2
TIMEOUT = 8.0
BARRIER_TIMEOUT = 20.0

# Seeds of graphs that are short and have many kinds of nodes; the last two are long.
SEEDS = (183, 299, 186, 402, 286, 225, 110, 32, 327, 195, 350, 189, 298, 49, 213, 172, 14, 74)
LONG = 2
LOOSE = (105, 196, 152, 144, 128, 141, 117, 21)


class Rich(Maker):
    """A random graph whose tasks also have retries, timeouts and effects. `policy` says which has what.

    A loose one also has joins that some branches win, and failures that are routed: how it ends depends on
    what goes wrong.
    """

    def __init__(self, seed: int, loose: bool = False) -> None:
        self.policy: dict[str, str] = {}
        self.loose = loose
        self.made: set[str] = set()
        super().__init__(seed)

    def node(self, state: str, depth: int, inner: list[str], lines: list[str]) -> tuple[str, str]:
        name, kind = super().node(state, depth, inner, lines)
        if name in self.made:  # by a call of this one
            return name, kind
        self.made.add(name)
        match kind:
            case "task":
                policy = self.random.choice(("plain", "plain", "sync", "retry", "timeout", "once", "once"))
                more = {
                    "retry": f"retry {RETRIES} backoff 100ms..3s",
                    "timeout": f"timeout {TIMEOUT:g}s  retry {RETRIES} backoff 100ms..3s",
                    "once": "effect once",
                }.get(policy, "")
                self.policy[name] = policy
                lines[-1] = lines[-1].replace(" }", f"  {more} }}") if more else lines[-1]
            case "fails":
                self.policy[name] = self.random.choice(("fails", "fails", "undeclared"))
            case "barrier":
                lines[-1] = lines[-1].replace("timeout 1h", f"timeout {BARRIER_TIMEOUT:g}s")
            case _:
                if self.loose:
                    return name, self.loosen(name, kind, lines)
        return name, kind

    def loosen(self, name: str, kind: str, lines: list[str]) -> str:
        """Let a node that runs others go on without some of them."""
        if kind == "decision":
            return kind
        at = next(n for n, line in enumerate(lines) if line.split()[1] == name)
        more = ""
        if kind == "parallel":
            more = self.random.choice((" join any", " join first 2", " on_error collect", ""))
        elif kind == "map":
            more = self.random.choice((" on_error collect", ""))
        lines[at] = lines[at].removesuffix("}") + more + " }"
        return "fails" if self.random.random() < 0.6 else kind

    def graph(self, name: str, state: str, depth: int, inner: list[str]) -> str:
        super().graph(name, state, depth, inner)
        when = self.random.choice(("", "every 3 step", "every 20s", "on barrier, decision", "manual"))
        self.files[-1] = self.files[-1].replace("checkpoint {", f"checkpoint {{ {when}")
        return name


class Shape:
    """One compiled graph, bound to functions that ask the simulation what goes wrong."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.loose = number >= len(SEEDS)
        self.maker = Rich(LOOSE[number - len(SEEDS)] if self.loose else SEEDS[number], self.loose)
        self.module = module_of(self.maker.text)
        self.graph: Graph[Any] = bind(self.module.G_PLAN, Nodes(self))
        self.unbound: Graph[Any] = unbound(self.module.G_PLAN)
        self.barriers = sorted(set(_names(self.module.G_PLAN)))

    def state(self, number: int) -> Any:
        """The state that runs with that input start with."""
        return self.module.S(inner=self.module.In(m=number), n=number)

    def records(self, name: str, visit: int, state: Any) -> list[Any]:
        """What a node records: a function of what it sees."""
        module, number = self.module, sum(name.encode()) + visit
        made: dict[str, Callable[[], Any]] = {
            "Add": lambda: module.Add(by=1 + state.n % 3),
            "Push": lambda: module.Push(x=number * 10 + len(state.xs) % 10),
            "See": lambda: module.See(x=number % 7),
            "Best": lambda: module.Best(of=state.best + number % 4),
            "Total": lambda: module.Total(by=number % 5),
            "Put": lambda: module.Put(k=number, v=state.n),
            "Inc": lambda: module.Inc(by=1 + state.m % 2),
            "Note": lambda: module.Note(y=number + len(state.ys)),
        }
        return [made[record]() for record in self.maker.records[name]]


class Nodes:
    """The functions of a shape, by name."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def __getattr__(self, name: str) -> Any:
        policy = self._shape.maker.policy.get(name)
        if policy is None:
            raise AttributeError(name)
        shape = self._shape

        def finish(ctx: Any, fault: str) -> None:
            for mutation in shape.records(name, ctx.visit, ctx.state):
                ctx.record(mutation)
            if policy == "fails":
                raise ValueError(f"{name} always fails")
            if policy == "undeclared":
                ctx.record(shape.module.Both(by=1, ys2=[]) if hasattr(ctx.state, "n") else 1)
            if fault == "raise":
                raise ConnectionError("try again")
            if fault == "break":
                raise FinalFailure(f"{name} broke")

        async def node(ctx: Any) -> None:
            world = PROCESS.get().world
            call = world.called(ctx, policy)
            try:
                if call.pause is not None:
                    await asyncio.sleep(call.pause)
                if call.fault in ("hang", "swallow"):
                    # Only a timeout ends it, or the end of all trouble.
                    long = 1e7 if policy == "timeout" else max(world.heal_at - world.loop.time(), 0.0)
                    try:
                        await asyncio.sleep(long)
                    except asyncio.CancelledError:
                        if call.fault == "hang":
                            raise
                        await asyncio.sleep(long if policy != "timeout" else 0.5)
                finish(ctx, call.fault)
            finally:
                world.returned(call)

        def plain(ctx: Any) -> None:
            call = PROCESS.get().world.called(ctx, policy)
            try:
                finish(ctx, call.fault)
            finally:
                PROCESS.get().world.returned(call)

        return plain if policy == "sync" else node


_numbers = count(1)


@cache
def module_of(text: str) -> Any:
    """What `lgc build` would write for a text, imported."""
    name = f"simulated{next(_numbers)}"
    checked = check([Source(f"{name}.lgraph", text)], load=lambda path: None)
    errors = [d for d in checked.diagnostics if d.severity == "error"]
    if errors:
        raise AssertionError("\n".join(f"{d.place}: {d.code} {d.message}" for d in errors) + "\n" + text)
    (source,) = checked.program.modules
    module = types.ModuleType(f"{name}_lg")
    sys.modules[module.__name__] = module
    exec(  # noqa: S102 - our own generator's output
        compile(generate(checked.program, source, version="0"), module.__name__, "exec"), module.__dict__
    )
    return module


@cache
def shape(number: int) -> Shape:
    """The shape of that number."""
    return Shape(number)


def draw(random: Random) -> Shape:
    """One of them."""
    if random.random() < 0.3:
        return shape(len(SEEDS) + random.randrange(len(LOOSE)))
    return shape(random.randrange(len(SEEDS) - (0 if random.random() < 0.1 else LONG)))
