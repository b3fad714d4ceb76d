"""One simulation: a shape of graph, a few processes, and a seed that says all that happens to them.

Which kinds of trouble there are is drawn first (a world in which everything fails all the time gets nowhere,
and hides what only shows where little fails); then processes die, stop for a while and have wrong clocks,
between any two callbacks; the store fails; nodes fail. From a time that is drawn on, nothing goes wrong any
more, and every run has to come to its end.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import gc
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from lgc.runtime.store.records import Commit, RunStatus

from .checks import look_back, undisturbed
from .disk import HANDLES, Disk, Handle
from .ledger import OVER, Ledger
from .loop import PROCESS, Process, SimLoop, Stuck
from .patches import simulated
from .shapes import RETRIES, Shape, draw

EPOCH = 1_700_000_000.0
# Seconds after the end of all trouble in which every run has to be over.
PATIENCE = 3_000.0


@dataclass
class Call:
    """One call of a node's function."""

    key: str
    run: str
    process: Process
    number: int
    pause: float | None = None
    fault: str = ""


LAST_CALL: ContextVar[Call] = ContextVar("LAST_CALL")
TROUBLES = (
    "kill", "pause", "skew", "store", "slow", "nodes", "takeover", "cancel", "leave", "dither", "upkeep",
)  # fmt: skip


class SimClock:
    """The clock of a process."""

    def __init__(self, world: World, process: Process) -> None:
        self._world, self._process = world, process

    def time(self) -> float:
        """Seconds since the epoch, as far as the process knows."""
        return EPOCH + self._world.loop.time() + self._process.skew

    def monotonic(self) -> float:
        """Seconds that go forward."""
        return self._world.loop.time()

    def jitter(self) -> float:
        """Drawn."""
        return self._world.random.random()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class World:
    """Everything of one seed.

    Attributes:
        troubles: which kinds there are.
        healed: whether they are over.
        problems: what must not be; the first one ends the simulation.
        lines: the trace, as data.
    """

    def __init__(self, seed: int, troubles: tuple[str, ...] | None = None) -> None:
        self.seed = seed
        self.random = Random(seed)
        chance = self.random.random
        self.shape: Shape = draw(self.random)
        drawn = tuple([t for t in TROUBLES if chance() < 0.4])
        self.troubles = frozenset(drawn if troubles is None else troubles)
        self.loop = SimLoop(self.random, PATIENCE + 1_000.0)
        self.loop.turned = self.turned
        self.heal_at = 10.0 + chance() * 110.0
        self.healed = False
        self.ending = False
        self.closed = False
        self.lease = self.random.choice((3.0, 8.0, 30.0))
        self.speed = self.random.choice((0.0, 0.05, 1.0, 3.0))  # seconds that a node takes at most
        self.strike_every = self.random.choice((60, 200, 600))
        self.lines: list[tuple[float, str, str, str, str]] = []
        self.problems: list[str] = []
        self.ledger = Ledger(self.report, self.loop.time)
        self.disk = Disk(self)
        self.handles: type[Handle] = self.random.choice(HANDLES)
        self.processes: dict[str, Process] = {}
        self.inputs: dict[str, int] = {
            f"r{n}": self.random.randrange(3) for n in range(1 if chance() < 0.7 else 2)
        }
        self.unstarted = list(self.inputs)
        self.calls: dict[str, list[Call]] = {}
        self.open: dict[str, list[Call]] = {}
        self.tries: dict[tuple[Any, str], int] = {}
        self.places: dict[str, tuple[str, str, str, int]] = {}
        self.kept: list[Any] = []
        self.observed: list[tuple[str, Process]] = []
        self.number = 0
        self.cancels: set[str] = set()
        self.origins: dict[str, str] = {}  # run -> the snapshot that it begins with
        self.forks: dict[str, str] = {}  # run -> the one that it was forked from
        self._strike_at = 0
        self._turns = 0

    # --- looking --------------------------------------------------------------------------------------

    def trace(self, what: str, run: str = "", text: str = "") -> None:
        """One line of the trace."""
        self.lines.append((self.loop.time(), PROCESS.get(self.loop.outside).name, what, run, text))

    def report(self, problem: str) -> None:
        """Something that must not be."""
        if self.closed:
            return
        self.problems.append(problem)
        self.trace("PROBLEM", "", problem)
        self.loop.stopped = True

    @property
    def calm(self) -> bool:
        """Whether nothing happens that makes a lease run out while its owner is at work."""
        return not self.troubles & {"pause", "skew", "store", "slow", "takeover"}

    # --- trouble --------------------------------------------------------------------------------------

    def trouble(self, kind: str, chance: float) -> bool:
        """Whether it strikes now."""
        return not self.healed and kind in self.troubles and self.random.random() < chance

    def delay(self, name: str) -> float | None:
        """Seconds that an operation waits before, and after it takes effect; None: not at all."""
        if self.trouble("slow", 0.05):
            return self.random.random() * 12.0
        drawn = self.random.random()
        if drawn < 0.55:
            return None
        return 0.0 if drawn < 0.7 else drawn * 0.02

    def store_fault(self, process: Process, name: str, writes: bool) -> str:
        """`before`, `after`, `die` or none."""
        if writes and self.trouble("kill", 0.01):
            return "die"
        if self.trouble("store", 0.04):
            return self.random.choice(("before", "after")) if writes else "before"
        return ""

    async def die_here(self, process: Process) -> None:
        """The death of the process that is running: it hears nothing more."""
        self.kill(process)
        await asyncio.get_running_loop().create_future()

    def kill(self, process: Process) -> None:
        """`kill -9`. A new process takes its place some time later."""
        if process.dead:
            return
        self.trace("killed", "", process.name)
        self.loop.kill(process)
        for calls in self.open.values():
            calls[:] = [call for call in calls if call.process is not process]
        del self.processes[process.name]
        self._outside(self.random.random() * 6.0, self.boot, process.name.partition(".")[0])

    def _strike(self) -> None:
        """What happens to a process between two callbacks."""
        alive = [p for p in self.processes.values() if not p.dead and not p.paused]
        kinds = [kind for kind in ("kill", "pause", "skew") if kind in self.troubles]
        if not alive or not kinds:
            return
        process = self.random.choice(alive)
        match self.random.choice(kinds):
            case "kill":
                self.kill(process)
            case "pause":
                self.trace("paused", "", process.name)
                self.loop.pause(process)
                self._outside(self.random.random() * 2.5 * self.lease, self._go_on, process)
            case _:
                process.skew = (
                    self.random.choice((-3600.0, -20.0, -4.0, 4.0, 20.0, 3600.0)) * self.random.random()
                )
                self.trace("clock", "", f"{process.name} is wrong by {process.skew:.1f} s")

    def turned(self) -> None:
        """A callback was run: the next may find the world another."""
        self._turns += 1
        if self._turns >= self._strike_at and not self.healed:
            if self._strike_at:
                self._strike()
            self._strike_at = self._turns + 1 + int(self.random.expovariate(1.0) * self.strike_every)

    def _go_on(self, process: Process) -> None:
        if not process.dead and process.paused:
            self.trace("woken", "", process.name)
            self.loop.resume(process)

    def heal(self) -> None:
        """The end of all trouble."""
        self.trace("healed")
        self.healed = True
        for process in list(self.processes.values()):
            process.skew = 0.0
            self._go_on(process)

    def _outside(self, delay: float, call: Any, *args: Any) -> None:
        self.loop.call_later(delay, call, *args, context=self.loop.outside_context)

    # --- nodes ----------------------------------------------------------------------------------------

    def called(self, ctx: Any, policy: str) -> Call:
        """A node's function was called: is it allowed, and what goes wrong with it?"""
        process = PROCESS.get()
        engine, frame = ctx.__lg_lane__.engine, ctx.__lg_frame__
        key, run = ctx.idempotency_key, engine.run
        self.number += 1
        call = Call(key, run, process, self.number)
        if process.dead:
            return call
        self.trace("call", run, f"{key} attempt {ctx.attempt}")
        place = (run, frame.path, ctx.node, ctx.visit)
        if self.places.setdefault(key, place) != place:
            self.report(f"{key} is the key of {self.places[key]} and of {place}")
        self._look_at_call(call, engine, frame, ctx, policy)
        self.calls.setdefault(key, []).append(call)
        if policy != "sync":
            self.open.setdefault(run, []).append(call)
        self._spoil(call, ctx, policy)
        LAST_CALL.set(call)
        return call

    def key_of(self, commit: Commit) -> str:
        """The key of the call that a commit is the end of; "" where that is not known."""
        record, call = commit.record, LAST_CALL.get(None)
        if record is None or call is None:
            return ""
        place = (record.run, record.frame, record.node, record.visit)
        return call.key if self.places.get(call.key) == place else ""

    def _look_at_call(self, call: Call, engine: Any, frame: Any, ctx: Any, policy: str) -> None:
        ledger = self.ledger.runs[call.run]
        attempt = self.tries.get((id(engine), call.key), 0) + 1
        if self.shape.loose and ctx.attempt == 1:
            attempt = 1  # a branch that failed while another waits is tried anew when the run goes on
        self.tries[id(engine), call.key] = attempt
        self.keep(engine)
        most = 1 + RETRIES if policy in ("retry", "timeout") else 1
        if ctx.attempt != attempt or attempt > most:
            self.report(
                f"{call.key}: attempt {ctx.attempt} is the {attempt}. one, at most {most} are allowed"
            )
        if engine.fence == ledger.fence and call.key in ledger.keys:
            self.report(f"{call.key} is called although it was committed as step {ledger.keys[call.key]}")
        if policy == "once":
            visit = (frame.path, ctx.node, ctx.visit)
            ours = engine.fence == ledger.fence
            if ours and ledger.begun.get(visit) != engine.fence:
                self.report(f"{call.key} is called, and nothing in the store says so")
            # Whoever was stopped between the store's answer and the call cannot know that it was overtaken.
            if ours and call.key in self.calls and visit not in ledger.retried:
                self.report(f"{call.key} is `effect once` and is called a second time")
            if ours:
                ledger.retried.discard(visit)
        others = [c for c in self.open.get(call.run, ()) if c.process is not call.process]
        if self.calm and others:
            self.report(
                f"{call.key} is called in {call.process.name}, {others[0].key} in {others[0].process.name}"
            )

    def _spoil(self, call: Call, ctx: Any, policy: str) -> None:
        chance = self.random.random()
        call.pause = None if chance < 0.3 else 0.0 if chance < 0.4 else chance * self.speed
        if self.healed or "nodes" not in self.troubles:
            return
        drawn = self.random.random()
        if policy == "timeout" and ctx.attempt <= RETRIES and drawn < 0.5:
            call.fault = "hang" if drawn < 0.2 else "swallow" if drawn < 0.35 else "raise"
        elif policy == "retry" and drawn < (0.4 if ctx.attempt <= RETRIES else 0.1):
            call.fault = "raise"
        elif policy in ("plain", "sync", "retry", "once", "timeout") and drawn > 0.96:
            call.fault = "break"
        elif policy in ("plain", "once", "fails") and drawn > 0.94:
            call.fault = "hang" if drawn < 0.95 else "swallow"

    def returned(self, call: Call) -> None:
        """A node's function is over."""
        if not call.process.dead and call in (calls := self.open.get(call.run, [])):
            calls.remove(call)

    def in_thread(self) -> float:
        """Seconds that a call in a thread takes."""
        return self.random.random() * self.speed

    def keep(self, engine: Any) -> None:
        """Engines are told apart by their addresses: none may be used again."""
        self.kept.append(engine)

    # --- the whole ------------------------------------------------------------------------------------

    def boot(self, place: str) -> None:
        """A new process in a place: `w2` for the first, `w2.1` for the next one."""
        from .actors import ROLES

        if self.ending:
            return
        number = sum(1 for line in self.lines if line[2] == "booted" and line[4].partition(".")[0] == place)
        process = Process(f"{place}.{number}", self)
        self.processes[process.name] = process
        self.trace("booted", "", process.name)
        self.loop.spawn(process, ROLES[place[0]](self, process, self.handles(self.disk, process)))

    def over(self) -> bool:
        """Whether every run has come to its end."""
        return not self.unstarted and all(one.status in OVER for one in self.ledger.runs.values())

    async def main(self) -> None:
        """From the first process to the end of the last run."""
        for place in [f"w{n}" for n in range(2 if self.random.random() < 0.7 else 3)] + ["d0"]:
            self.boot(place)
        if "cancel" in self.troubles:
            self.boot("c0")
        if "upkeep" in self.troubles:
            self.boot("o0")
        self._outside(self.heal_at, self.heal)
        while not self.over():  # noqa: ASYNC110 - simulated seconds cost nothing
            await asyncio.sleep(1.0)
        self.trace("over")
        self.healed = self.ending = True
        left: list[asyncio.Task[Any]] = []
        for process in self.processes.values():
            self._go_on(process)
            left += process.pending()
            for task in left:
                if task.get_name() == "main":
                    task.cancel()
        until = self.loop.time() + 100.0
        while left := [task for process in self.processes.values() for task in process.pending()]:
            if self.loop.time() > until:
                names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in left)
                self.report(f"tasks that nobody ended: {names}")
                return
            await asyncio.sleep(1.0)
            for task in left:  # one may have been told just when it had an error to look at
                if task.get_name() == "main":
                    task.cancel()

    def prepare(self) -> None:
        """What is the same for every seed, made before time begins."""
        for given in self.inputs.values():
            if not self.shape.loose:
                undisturbed(self.shape.number, given)
        _settle_memory(self.shape.number)

    def statuses(self) -> dict[str, RunStatus]:
        """How each run stands."""
        return {run: ledger.status for run, ledger in self.ledger.runs.items()}


@cache
def _settle_memory(shape: int) -> None:
    """Looking for garbage must not look at all that was ever imported."""
    gc.collect()
    gc.freeze()


def simulate(world: World) -> World:
    """Run a world to its end; `problems` says what was wrong."""

    world.prepare()
    try:
        with simulated():
            try:
                world.loop.run(world.main())
            except Stuck as stuck:
                world.report(f"{stuck}; the runs are {world.statuses()}, not started {world.unstarted}")
            if not world.problems:
                look_back(world)
    finally:
        world.closed = True
        world.kept.clear()
        world.loop.leave(list(world.processes.values()))
    return world
