"""Everything that can be asked of a session, in any order, against a simple model, on two stores.

Processes come and go in simulated time: one that crashes is never run again, wherever it stood.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.simulation.loop import Process, SimLoop
from tests.simulation.shapes import module_of

from lgc.runtime import (
    BarrierDecision,
    Cancelled,
    CheckpointNotFound,
    DecisionRefused,
    GraphMismatch,
    LgcError,
    MemoryStore,
    NodeFailed,
    RestoreMode,
    RunFenced,
    RunStatus,
    RunUncertain,
    Session,
    SqliteStore,
    replay,
)
from lgc.runtime.graph import bind

from .session_model import GRAPH, HOUR, Answer, Model, Seen

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
EPOCH = 1_700_000_000.0
RUN = "r"


class Nodes:
    """Does what the model says; `broken` raises."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.broken = ""
        self.paid: list[str] = []

    def _fail(self, name: str) -> None:
        if self.broken == name:
            raise ValueError(f"{name} is broken")

    async def a(self, ctx: Any) -> None:
        await asyncio.sleep(0)
        self._fail("a")
        ctx.record(self.module.Add(by=1 + ctx.visit))
        ctx.record(self.module.Push(x=ctx.state.n))

    async def i(self, ctx: Any) -> None:
        await asyncio.sleep(0.1)
        ctx.record(self.module.Inc(by=10))

    async def pay(self, ctx: Any) -> None:
        self.paid.append(ctx.idempotency_key)
        await asyncio.sleep(0.1)
        self._fail("pay")
        ctx.record(self.module.Push(x=-1))

    async def c(self, ctx: Any) -> None:
        self._fail("c")
        ctx.record(self.module.Add(by=1000))


class Clock:
    """The time of the loop."""

    def __init__(self, loop: SimLoop) -> None:
        self.loop = loop

    def time(self) -> float:
        return EPOCH + self.loop.time()

    def monotonic(self) -> float:
        return self.loop.time()

    def jitter(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Machine(RuleBasedStateMachine):
    """A run, the session that drives it now, and those that did before."""

    kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.loop = SimLoop(Random(0), 1e9)
        self.clock = Clock(self.loop)
        # Two versions that do the same.
        self.modules = [
            module_of(GRAPH),
            module_of(GRAPH.replace("graph g(S) {", "graph g(S) {\n  max_steps 9000")),
        ]
        self.nodes = Nodes(self.modules[0])
        self.graphs = [bind(module.G_PLAN, self.nodes) for module in self.modules]
        self.now = 0  # which of them the run is under
        self.legs: list[tuple[int, int]] = []  # earlier ones, and the step after which they ended
        self.model = Model()
        self.status = "running"
        self.folder = tempfile.TemporaryDirectory()
        self.left: list[Any] = []
        self.old: Session[Any] | None = None
        self.processes: list[Process] = []
        self.whole = True  # whether all snapshots are
        self.base = 0  # the last step that was truncated
        self.arrived = 0.0
        self.forks = 0

    @property
    def module(self) -> Any:
        """What the run's graph was generated as."""
        return self.modules[self.now]

    @property
    def graph(self) -> Any:
        """What the run is under."""
        return self.graphs[self.now]

    def sim(self, work: Any) -> Any:
        """What a coroutine gives in simulated time."""
        with patch("lgc.runtime.store.memory.store.time.time", self.clock.time):
            return self.loop.run(work)

    def open(self) -> None:
        if self.kind == "memory":
            self.store: Any = getattr(self, "store", None) or MemoryStore()
        else:
            self.store = SqliteStore(Path(self.folder.name) / "runs.db", durability="normal")
            self.left.append(self.store)
            self.sim(self.store.__aenter__())

    def teardown(self) -> None:
        for store in self.left:
            self.sim(store.close())
        self.loop.leave(self.processes)
        self.folder.cleanup()
        assert not self.loop.errors

    # --- the life of a session ------------------------------------------------------------------------

    @initialize()
    def start(self) -> None:
        self.open()
        self.session: Session[Any] = self.sim(
            Session.start(self.graph, self.module.S(), store=self.store, run_id=RUN, clock=self.clock)
        )

    @rule(broken=st.sampled_from(["", "", "", "a", "pay", "c"]))
    def run(self, broken: str) -> None:
        """Go on; a node may be broken meanwhile."""
        if self.status == "cancelled":
            with pytest.raises(Cancelled):
                self.sim(self.session.run())
            return
        self.nodes.broken = broken
        steps = len(self.model.log)
        self.status = self.model.advance(broken, self.late())
        expected: tuple[type[LgcError], ...] = {
            "failed": (NodeFailed,), "uncertain": (RunUncertain,)}.get(self.status, ())  # fmt: skip
        try:
            result = self.sim(self.session.run())
        except expected:
            pass
        else:
            assert not expected
            assert result.status == self.status
            assert [e.node for e in result.log[len(result.log) - (len(self.model.log) - steps) :]] == [
                f"{frame}/{node}" if frame else node for frame, node, _, _ in self.model.log[steps:]
            ]
        self.nodes.broken = ""

    @rule(events=st.integers(1, 25))
    def stream_and_leave(self, events: int) -> None:
        """Read some events and leave: what was committed by then stays."""
        if self.status == "cancelled" or self.model.begun:
            return

        async def some() -> None:
            number = 0
            events_of: Any = self.session.stream()
            async with aclosing(events_of) as read:
                async for _ in read:
                    number += 1
                    if number == events:
                        return

        late = self.late()
        self.sim(some())
        self.catch_up(late)

    @rule(turns=st.integers(1, 120))
    def crash(self, turns: int) -> None:
        """The process dies after so many callbacks; another one takes the run up."""
        process = Process(f"p{len(self.processes)}")
        self.processes.append(process)

        async def die() -> None:
            if self.status not in ("cancelled", "done"):
                self.loop.spawn(process, self.session.run()).add_done_callback(_seen)
            for _ in range(turns):
                if self.loop.turns > 1000 or process.dead:
                    break
                await asyncio.sleep(0.01)
            self.loop.kill(process)

        late = self.late()
        self.sim(die())
        if self.kind != "memory":
            self.open()
        self.catch_up(late)
        self.restore_session()
        self.old = None

    @rule()
    def restore(self) -> None:
        """Another session takes the run over."""
        self.restore_session()

    @rule(mode=st.sampled_from([RestoreMode.COMPATIBLE, RestoreMode.FORCE, RestoreMode.FORCE]))
    def move(self, mode: RestoreMode) -> None:
        """Another session takes the run over to the other version."""
        other = 1 - self.now
        back = any(version == other for version, _ in self.legs)
        work = Session.restore(
            self.graphs[other], store=self.store, run_id=RUN, clock=self.clock, take_over=True,
            mode=mode, reason="why not", actor="somebody",
        )  # fmt: skip
        if self.status in ("done", "cancelled") or (back and mode is RestoreMode.COMPATIBLE):
            with pytest.raises(GraphMismatch):
                self.sim(work)
            return
        self.old, self.session = self.session, self.sim(work)
        self.legs.append((self.now, len(self.model.log)))
        self.now, self.nodes.module, self.whole = other, self.modules[other], True
        if self.status == "uncertain" and not self.model.begun:
            self.status = "running"
        assert self.session.status == ("uncertain" if self.model.begun else self.status)

    @precondition(lambda self: self.kind != "memory")
    @rule()
    def reopen(self) -> None:
        """The store is closed and opened again."""
        for store in self.left:
            self.sim(store.close())
        self.left.clear()
        self.open()
        self.restore_session()

    def restore_session(self) -> None:
        self.old = self.session
        self.session = self.sim(
            Session.restore(self.graph, store=self.store, run_id=RUN, clock=self.clock, take_over=True)
        )
        self.whole = True
        uncertain = self.model.begun and self.status != "cancelled"
        assert self.session.status == ("uncertain" if uncertain else self.status)

    @precondition(lambda self: self.old is not None and self.kind == "memory")
    @rule()
    def old_session(self) -> None:
        """The one that was overtaken can do nothing any more."""
        assert self.old is not None
        if self.old.status in (RunStatus.DONE, RunStatus.CANCELLED):
            return
        for work in (self.old.checkpoint, self.old.run):
            with pytest.raises((RunFenced, RunUncertain, Cancelled)):
                self.sim(work())

    def catch_up(self, late: bool) -> None:
        """A session was stopped somewhere: the model follows the log as far as it goes, and no further."""
        there = self.sim(_log(self.store))
        while self.base + len(there) > len(self.model.log):
            answer = self.model.answer
            if self.model.at != "ok":
                self.model.step()
            elif answer is not None:
                self.model.step(answer.name, answer.pushed)
            else:
                assert late
                self.model.step("timeout")
        self.model.begun = bool(self.sim(self.store.attempts(RUN)))
        self.status = str(self.sim(self.store.get_run(RUN)).status)
        assert (self.status == "done") <= (self.model.at == "end")
        assert (self.status == "waiting") <= (self.model.at == "ok")

    def late(self) -> bool:
        """Whether the time of the barrier that the run stands at is over."""
        if self.model.at != "ok":
            return False
        return self.clock.time() >= self.arrived + HOUR

    # --- people ---------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(["approve", "reject", "reject", "shrug"]),
        how=st.sampled_from(["id", "node", "stale"]),
        pushed=st.sampled_from([None, None, 7]),
    )
    def decide(self, name: str, how: str, pushed: int | None) -> None:
        """An answer: right or wrong, in time, early or late, for the first or the second time."""
        waiting = self.session.waiting
        address = waiting[0].id if waiting and how == "id" else "ok"
        if how == "stale":
            address = "ok#1@000000000000"
        decision = BarrierDecision.answer(name, **({"reason": "no"} if name == "reject" else {}))
        if pushed is not None:
            decision = decision.with_mutations(self.module.Push(x=pushed))
        refused = (
            name == "shrug" or how == "stale" or self.model.answer is not None or self.late()
            or self.status in ("done", "cancelled") or self.model.at in ("c", "end")
        )  # fmt: skip
        if refused:
            with pytest.raises(DecisionRefused):
                self.sim(self.session.decide(address, decision))
            return
        self.sim(self.session.decide(address, decision, actor="somebody"))
        self.model.answer = Answer(name, pushed)

    @rule()
    def cancel(self) -> None:
        """The end of the run."""
        if self.status not in ("done", "cancelled") and self.model.visit("a") > 2:
            self.sim(self.session.cancel())
            self.status = "cancelled"

    @rule(how=st.sampled_from(["retry", "skip", "records"]))
    def settle(self, how: str) -> None:
        """Somebody says what became of `pay`."""
        if not self.model.begun or self.status == "cancelled":
            with pytest.raises(DecisionRefused):
                self.sim(self.session.settle("pay", "retry"))
            return
        self.sim(self.session.settle("pay", [self.module.Push(x=5)] if how == "records" else how))
        self.model.begun = False
        if how != "retry":
            self.model.step("skip" if how == "skip" else "ok", 5)
        self.status = str(self.session.status)
        assert self.status in ("running", "failed")

    @rule(seconds=st.sampled_from([1.0, 2 * HOUR]))
    def time_goes_by(self, seconds: float) -> None:
        """Nobody does anything."""
        self.sim(asyncio.sleep(seconds))

    # --- history --------------------------------------------------------------------------------------

    @rule()
    def checkpoint(self) -> None:
        """A checkpoint of where the run stands."""
        id = self.sim(self.session.checkpoint())
        assert id == f"{RUN}@{len(self.model.log)}"
        assert self.sim(self.store.load(id)).step == len(self.model.log)

    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        """The state after any step."""
        step = data.draw(st.integers(0, len(self.model.log) + 1))
        try:
            state = self.sim(replay(self.store, RUN, step, graph=self.graph))
        except LgcError:
            assert step < self.base or step > len(self.model.log)  # it was truncated, or is not there yet
        else:
            assert _seen_of(state) == self.model.states[step]

    @rule(data=st.data())
    def fork(self, data: Any) -> None:
        """A new run from any step: it has that state, and the old run is as it was."""
        step = data.draw(st.integers(self.base, len(self.model.log) + 1))
        self.forks += 1
        if step > len(self.model.log):
            with pytest.raises(CheckpointNotFound):
                self.sim(self.session.fork(step, run_id=f"fork{self.forks}"))
            return
        ends = [*self.legs, (self.now, len(self.model.log))]
        starts = [0, *(last for _, last in self.legs)]
        under = [
            version for (version, last), first in zip(ends, starts, strict=True) if first <= step <= last
        ]
        if self.now not in under:
            with pytest.raises(GraphMismatch):
                self.sim(self.session.fork(step, run_id=f"fork{self.forks}"))
            return
        forked = self.sim(self.session.fork(step, run_id=f"fork{self.forks}"))
        assert _seen_of(forked.state) == self.model.states[step]
        assert forked.step == 0

    @rule(keep=st.integers(0, 3))
    def prune(self, keep: int) -> None:
        """Old checkpoints go; no step is lost."""
        self.sim(self.store.prune(RUN, keep))
        assert len(list(self.sim(self.store.list(RUN)))) <= keep + 1 + 2 * len(self.legs)

    @precondition(lambda self: self.base == 0)
    @rule(data=st.data())
    def delete_checkpoint(self, data: Any) -> None:
        """One checkpoint goes; no step is lost."""
        there = [c.id for c in self.sim(self.store.list(RUN)) if "move" not in c.id]
        if there:
            gone = data.draw(st.sampled_from(there))
            assert self.sim(self.store.delete(gone))
            assert gone not in [c.id for c in self.sim(self.store.list(RUN))]

    @rule()
    def truncate(self) -> None:
        """The log before the newest snapshot goes."""
        if self.whole:
            self.sim(self.session.checkpoint())
            gone = self.sim(self.store.truncate(RUN, len(self.model.log) + 1))
            assert gone == len(self.model.log) - self.base
            self.base = len(self.model.log)

    @precondition(lambda self: self.kind != "memory" and self.base == 0 and bool(self.model.log))
    @rule(at=st.integers(0, 200))
    def damage(self, at: int) -> None:
        """A byte of the newest snapshot is another: it is passed over, and told."""
        with sqlite3.connect(Path(self.folder.name) / "runs.db") as file:
            row = file.execute("SELECT key, snapshot FROM checkpoint ORDER BY key DESC LIMIT 1").fetchone()
            if row is not None:
                text = bytearray(row[1])
                text[at % len(text)] ^= 0x20
                file.execute("UPDATE checkpoint SET snapshot = ? WHERE key = ?", (bytes(text), row[0]))
        file.close()
        if row is not None:
            self.whole = False

    # --- what always holds ----------------------------------------------------------------------------

    @invariant()
    def as_the_model_says(self) -> None:
        log = self.sim(_log(self.store))
        self.arrived = log[-1].time if log else self.arrived
        assert [r.step for r in log] == list(range(self.base + 1, len(self.model.log) + 1))
        assert [(r.frame, r.node, r.visit, r.outcome) for r in log] == self.model.log[self.base :]
        assert str(self.sim(self.store.get_run(RUN)).status) == self.status
        assert _seen_of(self.session.state) == self.model.seen


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _seen_of(state: Any) -> Seen:
    return state.n, tuple(state.xs)


async def _log(store: Any) -> list[Any]:
    return [record async for record in store.replay(RUN)]


class InFile(Machine):
    """The same with a file."""

    kind = "sqlite"


@pytest.mark.parametrize("machine", [Machine, InFile], ids=["memory", "sqlite"])
def test_any_order_of_what_can_be_asked(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], phases=PHASES,
        ),
    )  # fmt: skip
