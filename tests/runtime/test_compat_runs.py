"""What is said of a stored run that is to go on under another version of its graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from lgc.runtime import BarrierDecision, LgcError, MemoryStore, RestoreMode, Session
from lgc.runtime.compat import judge as judging
from lgc.runtime.compat.judge import Judge
from lgc.runtime.compat.verdict import RunVerdict
from lgc.runtime.forms.version import Version, version_of_plan
from lgc.runtime.graph import bind
from lgc.runtime.machine.position import to_snapshot
from lgc.runtime.store.records import CheckpointRecord, Commit

Compile = Callable[[str], Any]

STATE = """
state S {
  n:      int = 0
  amount: float = 0.0
  log:    list[str] = []
  total:  int = 0  merge custom "no_such_module:merged"
  mutation Size(amount)
  mutation Add(k: int)    { n += k }
  mutation Say(line: str) { log += [line] }
  mutation Total(k: int)  { total += k }
  mutation Rate(k: int) = "no_such_module:rated" writes n
}
"""
ORDER = (
    STATE
    + """
graph g(S) {
  task size { records Size, Add }
  barrier approval {
    timeout  1h
    decision yes
    decision no(why: str) records Say(why)
  }
  task pay  { records Add  effect once }
  task send { records Say }
  start -> size
  size -> approval when amount > 100.0
  size -> pay      else
  approval -> pay on yes
  approval -> end on no
  approval -> end on timeout
  pay -> send -> end
}
"""
)
LOOP = (
    STATE
    + """
graph g(S) {
  task a { records Add }
  task b { records Add }
  task c { records Add }
  start -> a -> b
  b -> a when n < 4 max_visits 5
  b -> c else
  c -> end
}
"""
)


class Nodes:
    """Each task records what it is told to, call after call; then it fails, and the run is parked there."""

    def __init__(self, module: Any, **told: list[list[tuple[str, dict[str, Any]]]]) -> None:
        self._module, self._told = module, told

    def __getattr__(self, name: str) -> Any:
        async def node(ctx: Any) -> None:
            if not self._told.get(name):
                raise RuntimeError("parked")
            for mutation, arguments in self._told[name].pop(0):
                ctx.record(getattr(self._module, mutation)(**arguments))

        return node


def add(*numbers: int) -> list[list[tuple[str, dict[str, Any]]]]:
    return [[("Add", {"k": number})] for number in numbers]


def size(amount: float) -> list[list[tuple[str, dict[str, Any]]]]:
    return [[("Size", {"amount": amount})]]


def version(module: Any) -> Version:
    return version_of_plan(module.G_PLAN)


async def parked(store: MemoryStore, module: Any, run: str = "r", **told: Any) -> Session[Any]:
    """A run that has done what it was told to, and stands where it was not told anything."""
    graph = bind(module.G_PLAN, Nodes(module, **told))
    session = await Session.start(graph, module.S(), store=store, run_id=run)
    with suppress(LgcError):
        await session.run()
    return session


async def said(store: MemoryStore, old: Any, new: Any, run: str = "r") -> RunVerdict:
    before = await everything(store, run)
    verdict = await Judge(version(old), version(new)).judge(store, await store.get_run(run))
    assert await everything(store, run) == before  # nothing is changed by looking
    return verdict


async def everything(store: MemoryStore, run: str) -> Any:
    log = [record async for record in store.replay(run)]
    return log, await store.get_run(run), await store.list(run), await store.decisions(run)


def drive(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_a_reason_says_what_the_guard_is_now_where_it_stands_and_where_the_run_went(
    compiled: Compile,
) -> None:
    async def main() -> None:
        old = compiled(ORDER)
        store = MemoryStore()
        await parked(store, old, size=size(200.0))
        new = compiled(ORDER.replace("100.0", "500.0"))
        verdict = await said(store, old, new)
        (reason,) = verdict.reasons
        assert verdict.verdict == "incompatible"
        assert verdict.parked == ("approval",)
        assert (reason.kind, reason.condition, reason.element) == (
            "routed-elsewhere",
            "history",
            "edges/size",
        )
        assert (reason.node, reason.step) == ("size", 1)
        assert reason.text == (
            "guard of `size -> approval` is now `amount > 500.0`: at step 1 the run went to `approval`, the"
            " new graph goes to `pay`"
        )
        line = (
            ORDER.replace("100.0", "500.0").splitlines().index("  size -> approval when amount > 500.0") + 1
        )
        assert f".lgraph:{line}:" in reason.place
        assert "nothing that the run can still execute has changed" in verdict.notes
        assert (await said(store, old, compiled(ORDER.replace("100.0", "150.0")))).verdict == "compatible"
        assert (await said(store, old, old)).verdict == "identical"

    drive(main())


def test_only_the_last_pass_of_a_loop_has_to_agree(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(LOOP), MemoryStore()
        await parked(store, old, a=add(1, 1, 5), b=add(0, 0, 0))
        assert (await said(store, old, compiled(LOOP.replace("n < 4", "n < 2")))).verdict == "compatible"
        last = await said(store, old, compiled(LOOP.replace("n < 4", "n < 9")))
        assert [(reason.kind, reason.step) for reason in last.reasons] == [("routed-elsewhere", 6)]
        assert last.parked == ("c",)

    drive(main())


def test_an_edit_ahead_is_cleared_without_doing_the_log_again(
    compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        await parked(store, old, size=size(200.0))
        new = compiled(
            ORDER.replace("task send { records Say }", "task send { records Say, Add  effect once }")
        )
        monkeypatch.setattr(judging, "Replaying", None)  # it is not even made
        assert (await said(store, old, new)).verdict == "compatible"

    drive(main())


def test_steps_that_are_gone_count_by_what_they_can_have_used(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        session = await parked(store, old, size=size(200.0))
        root = session._engine.root  # pyright: ignore[reportPrivateUsage]
        await store.save(CheckpointRecord("r@1", "r", 1, old.G_PLAN.hash, 0.0, to_snapshot(root)))
        assert await store.truncate("r", 2) == 1
        ahead = compiled(ORDER.replace("task send { records Say }", "task send { records Add }"))
        assert (await said(store, old, ahead)).verdict == "compatible"
        behind = await said(store, old, compiled(ORDER.replace("100.0", "150.0")))
        assert behind.verdict == "incompatible"
        assert [reason.kind for reason in behind.reasons] == ["steps-gone"]
        assert "step 1 is no longer in the log" in behind.reasons[0].text

    drive(main())


def test_what_a_run_was_forked_from_is_its_history_too(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        session = await parked(store, old, size=size(200.0))
        await session.fork(1, run_id="f")
        agrees = await said(store, old, compiled(ORDER.replace("100.0", "150.0")), "f")
        assert agrees.verdict == "compatible"
        assert "the steps before it was forked were made by run `r`" in agrees.notes
        differs = await said(store, old, compiled(ORDER.replace("100.0", "500.0")), "f")
        assert [reason.kind for reason in differs.reasons] == ["routed-elsewhere"]
        await store.delete_run("r")
        alone = await said(store, old, compiled(ORDER.replace("100.0", "150.0")), "f")
        assert [reason.kind for reason in alone.reasons] == ["steps-gone"]

    drive(main())


def test_after_a_move_only_what_came_since_counts(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        await parked(store, old, size=size(200.0))
        forced = compiled(ORDER.replace("100.0", "500.0"))
        graph = bind(forced.G_PLAN, Nodes(forced, pay=add(1)))
        session = await Session.restore(
            graph, store=store, run_id="r", mode=RestoreMode.FORCE, reason="a try", actor="eve"
        )
        await session.decide("approval", BarrierDecision.answer("yes"), actor="eve")
        with pytest.raises(LgcError):
            await session.run()
        other = ORDER.replace("100.0", "800.0")
        verdict = await said(store, forced, compiled(other))
        assert (verdict.verdict, verdict.parked) == ("compatible", ("send",))
        assert any("moved earlier at step 1" in note for note in verdict.notes)
        later = await said(
            store, forced, compiled(ORDER.replace("100.0", "500.0").replace("pay -> send", "pay -> send"))
        )
        assert later.verdict == "identical"
        gone = compiled(
            ORDER.replace("100.0", "500.0").replace("task pay  { records Add", "task pay  { records Say")
        )
        reasons = (await said(store, forced, gone)).reasons
        assert [(reason.kind, reason.node, reason.step) for reason in reasons] == [
            ("not-recordable", "pay", 3)
        ]

    drive(main())


def test_functions_of_the_user_are_not_called(compiled: Compile) -> None:
    text = (
        STATE
        + """
graph g(S) {
  task a { records Rate, Add }
  parallel p { branch one = b  branch two = c }
  task b { records Total }
  task c { records Total }
  task d { records Add }
  start -> a -> p -> d -> end
}
"""
    )

    async def main() -> None:
        import sys
        import types

        functions = types.ModuleType("no_such_module")
        functions.rated = lambda state, mutation: {"n": state.n + mutation.k}  # type: ignore[attr-defined]
        functions.merged = lambda before, values: sum(values)  # type: ignore[attr-defined]
        sys.modules["no_such_module"] = functions
        try:
            old, store = compiled(text), MemoryStore()
            total = [[("Total", {"k": 2})]]
            await parked(store, old, a=[[("Rate", {"k": 3})]], b=total, c=list(total))
        finally:
            del sys.modules["no_such_module"]
        assert (await store.get_run("r")).status == "failed"
        same = await said(
            store, old, compiled(text.replace("task a { records Rate, Add }", "task a { records Rate }"))
        )
        assert (same.verdict, same.parked) == ("compatible", ("d",)), same.reasons
        other = await said(store, old, compiled(text.replace("no_such_module:rated", "no_such_module:other")))
        assert [(reason.kind, reason.step) for reason in other.reasons] == [("function-changed", 1)]
        merged = await said(
            store, old, compiled(text.replace("no_such_module:merged", "no_such_module:other"))
        )
        assert [(reason.kind, reason.node) for reason in merged.reasons] == [("function-changed", "p")]

    drive(main())


def test_an_answer_that_waits_must_still_fit(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        session = await parked(store, old, size=[])
        await session.decide("approval", BarrierDecision.answer("no", why="too much"), actor="eve")
        fits = compiled(ORDER.replace("task send { records Say }", "task send { records Add }"))
        assert (await said(store, old, fits)).verdict == "compatible"
        new = compiled(ORDER.replace("no(why: str) records Say(why)", "no(line: str) records Say(line)"))
        verdict = await said(store, old, new)
        assert [(reason.kind, reason.condition) for reason in verdict.reasons] == [
            ("answer-refused", "place")
        ]
        assert "eve" in verdict.reasons[0].text

    drive(main())


def test_what_an_answer_records_must_be_what_was_recorded(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        session = await parked(store, old, size=size(200.0))
        await session.decide("approval", BarrierDecision.answer("no", why="much"), actor="eve")
        await session.run()
        new = compiled(ORDER.replace("records Say(why)", 'records Say(why + "!")'))
        kinds = {reason.kind for reason in (await said(store, old, new)).reasons}
        assert kinds == {"answer-differs", "state-differs"}
        off = compiled(
            ORDER.replace("decision no(why: str)", "decision nope(why: str)").replace(
                "end on no\n", "end on nope\n"
            )
        )
        assert [reason.kind for reason in (await said(store, old, off)).reasons] == ["answer-differs"]

    drive(main())


def test_risks_are_told_whatever_the_verdict(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        await parked(store, old, size=size(1.0), pay=add(1))
        later = compiled(
            ORDER.replace("size -> pay      else", "size -> send else")
            .replace("pay -> send -> end", "send -> pay -> end")
            .replace("approval -> pay on yes", "approval -> send on yes")
        )
        again = await said(store, old, later)
        assert again.verdict == "incompatible"
        assert [(risk.kind, risk.node, risk.step) for risk in again.risks] == [("effect-again", "pay", 2)]
        gate = ORDER.replace(
            "size -> approval when amount > 100.0\n  size -> pay      else", "size -> approval"
        )
        (risk,) = (await said(store, old, compiled(gate))).risks
        assert (risk.kind, risk.node) == ("barrier-passed", "approval")

    drive(main())


def test_a_barrier_ahead_that_is_taken_away_is_a_risk(compiled: Compile) -> None:
    gate = ORDER.replace("size -> approval when amount > 100.0\n  size -> pay      else", "size -> approval")

    async def main() -> None:
        old, store = compiled(gate), MemoryStore()
        await parked(store, old)
        verdict = await said(store, old, compiled(ORDER))
        assert verdict.verdict == "compatible"
        assert [(risk.kind, risk.node) for risk in verdict.risks] == [("barrier-passed", "approval")]

    drive(main())


def test_a_call_that_was_begun_is_a_risk_where_nobody_would_ask_any_more(compiled: Compile) -> None:
    async def main() -> None:
        from lgc.runtime.store.records import AttemptRecord

        old, store = compiled(ORDER), MemoryStore()
        await parked(store, old, size=size(1.0))
        fence = await store.take("r", "somebody")
        await store.commit(Commit("r", fence, attempt=AttemptRecord("r", "", "pay", 1, 1, 0.0)))
        verdict = await said(store, old, compiled(ORDER.replace("effect once", "effect idempotent")))
        assert verdict.verdict == "compatible"
        assert {(risk.kind, risk.node) for risk in verdict.risks} == {("effect-again", "pay")}

    drive(main())


def test_a_declared_migration_wins(compiled: Compile) -> None:
    async def main() -> None:
        old, store = compiled(ORDER), MemoryStore()
        await parked(store, old, size=size(200.0))
        hash = old.G_PLAN.hash[:20]
        changed = ORDER.replace("n:      int = 0", "n:      int = 0\n  q:      int = 0")
        needless = compiled(changed + f'migrate g from "{hash}" {{ set q = n + 1 }}\n')
        verdict = await said(store, old, needless)
        assert (verdict.verdict, verdict.reasons) == ("migratable", ())
        assert "compatible without the migration" in verdict.notes
        renamed = compiled(
            ORDER.replace("approval", "consent")
            + f'migrate g from "{hash}" {{ rename node approval to consent }}\n'
        )
        mended = await said(store, old, renamed)
        assert mended.verdict == "migratable"
        assert {reason.condition for reason in mended.reasons} == {"history", "place"}

    drive(main())
