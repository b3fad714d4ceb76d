"""Triggers and retention: which steps become checkpoints, and which of those are listed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgc.runtime import (
    BarrierDecision,
    CheckpointCorrupted,
    CheckpointNotFound,
    EventKind,
    GraphEvent,
    LgcError,
    MemoryStore,
    Retention,
    Session,
    SqliteStore,
    StorageError,
    Store,
    SystemClock,
    TriggerPolicy,
    Triggers,
    replay,
)
from lgc.runtime.graph import bind
from lgc.runtime.plan import Adaptive, Checkpointing
from lgc.runtime.sessions.replaying import fork
from lgc.runtime.store.archives.archived import Archived
from lgc.runtime.store.records import CheckpointRecord

Compile = Callable[[str], Any]

LOOP = """
state S {
  n: int = 0
  xs: list[int] = []
  mutation Tick() { n += 1 }
  mutation Add(x: int) { xs += [x] }
}
graph g(S) {
  max_steps 100000
  SETTING
  task a { reads n  records Tick, Add }
  decision d
  start -> a -> d
  d -> a when n < LIMIT
  d -> end else
}
"""


def loop(setting: str = "", limit: int = 20) -> str:
    return LOOP.replace("SETTING", setting).replace("LIMIT", str(limit))


class Clock(SystemClock):
    """Stands still but for what nodes take."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.time = self.monotonic = lambda: self.now  # pyright: ignore[reportIncompatibleMethodOverride]
        self.jitter = lambda: 0.0  # pyright: ignore[reportIncompatibleMethodOverride]


class Visit(NamedTuple):
    """What one visit of `a` does: seconds, tokens, more mutations, whether it asks, dies first."""

    takes: float = 1.0
    tokens: float = 0.0
    adds: int = 0
    asks: bool = False
    dies: bool = False


class Stop(Exception):
    """The process dies here."""


def bound(m: Any, clock: Clock, visits: Sequence[Visit], **setting: Any) -> Any:
    dead: set[int] = set()

    async def a(ctx: Any) -> None:
        number: int = ctx.visit
        visit = visits[number - 1] if number <= len(visits) else Visit()
        if visit.dies and number not in dead:
            dead.add(number)
            raise Stop
        clock.now += visit.takes
        ctx.set_token_cost(visit.tokens)
        ctx.record(m.Tick())
        for x in range(visit.adds):
            ctx.record(m.Add(x=x))
        if visit.asks:
            ctx.request_checkpoint()

    graph = m.g(SimpleNamespace(a=a))
    if setting:
        graph = bind(replace(graph.plan, checkpointing=Checkpointing(**setting)), SimpleNamespace(a=a))
    return graph


async def run_through(graph: Any, state: Any, store: Store, clock: Clock, **options: Any) -> None:
    """Drive run `r` to its end, restored each time that it dies."""
    session: Any = await Session.start(graph, state, store=store, run_id="r", clock=clock, **options)
    while True:
        try:
            await session.run()
        except LgcError as error:
            assert "Stop" in str(error), error
            session = await Session.restore(graph, store=store, run_id="r", clock=clock, **options)
        else:
            return


async def steps(store: Store) -> list[int]:
    return [checkpoint.step for checkpoint in await store.list("r")][::-1]


def listed(m: Any, visits: Sequence[Visit] = (), setting: str = "", **options: Any) -> list[int]:
    """The checkpoints of a run of a graph, oldest first."""

    async def main() -> list[int]:
        store, clock = MemoryStore(), Clock()
        await run_through(bound(m, clock, visits), m.S(), store, clock, **options)
        return await steps(store)

    return asyncio.run(main())


def score(duration: float, tokens: float, effects: float, threshold: float) -> str:
    weights = f"duration {duration}  tokens {tokens}  effects {effects}"
    return f"checkpoint {{ adaptive {{ {weights}  threshold {threshold} }} }}"


# --- triggers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("", range(1, 41)),
        ("checkpoint { every 1 step }", range(1, 41)),
        ("checkpoint { every 7 steps }", range(7, 41, 7)),
        ("checkpoint { every 1 step  every 1h }", range(1, 41)),
        ("checkpoint { every 3s }", range(5, 41, 6)),  # each visit of `a` takes a second, `d` nothing
        ("checkpoint { on completion }", [40]),
        ("checkpoint { on decision }", range(2, 41, 2)),
        ("checkpoint { on mutation }", range(1, 41, 2)),
        ("checkpoint { on mutation, decision }", range(1, 41)),
        ("checkpoint { every 9 steps  on completion }", [9, 18, 27, 36, 40]),
        ("checkpoint { manual }", []),
        ("checkpoint { adaptive { duration 1.0  tokens 0.0  effects 0.0  threshold 4.0 } }", range(7, 41, 8)),
        (
            "checkpoint { adaptive { duration 0.0  tokens 0.0  effects 10.0  threshold 25.0 } }",
            range(5, 41, 6),
        ),
    ],
)
def test_each_trigger(compiled: Compile, setting: str, wanted: Sequence[int]) -> None:
    assert listed(compiled(loop(setting))) == list(wanted)


def test_the_score_is_exact_and_begins_again(compiled: Compile) -> None:
    setting = score(1.0, 10.0, 100.0, 260.0)
    visits = [Visit(), Visit(60), Visit(0, 5.9), Visit(0, 0.1), Visit(0, 0, 1), Visit(0, 0, 1)]
    m = compiled(loop(setting, len(visits)))
    # 1 + 100, 60 + 100: 261. Then 59 + 100, 1 + 100: exactly 260. Then 200, and 200 more: 400.
    assert listed(m, visits) == [3, 7, 11]


def test_who_asks_gets_a_checkpoint_and_the_count_begins_again(compiled: Compile) -> None:
    visits = [Visit(), Visit(asks=True)]
    assert listed(compiled(loop("checkpoint { manual }")), visits) == [3]
    assert listed(compiled(loop("checkpoint { every 5 steps }", 5)), visits) == [3, 8]


def test_a_session_can_be_asked_too(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { every 15 steps }"))

    async def main() -> None:
        store, clock = MemoryStore(), Clock()
        graph = bound(m, clock, [*[Visit()] * 4, Visit(dies=True)])
        session = await Session.start(graph, m.S(), store=store, run_id="r", clock=clock)
        assert await session.checkpoint() == "r@0"
        with pytest.raises(LgcError, match="Stop"):
            await session.run()
        assert await session.checkpoint() == "r@8"
        assert (await store.load("r@8")).snapshot
        await session.run()
        assert await steps(store) == [0, 8, 23, 38]

    asyncio.run(main())


def test_nested_steps_count_like_others(compiled: Compile) -> None:
    m = compiled("""
    state I { k: int = 0  mutation Inc() { k += 1 } }
    graph inner(I) { task t { reads k  records Inc }  start -> t  t -> t when k < 3  t -> end else }
    state S { xs: list[int] = [1, 2]  sums: list[int] = []  inner: I  mutation Sum(x: int) { sums += [x] } }
    graph g(S) {
      checkpoint { every 4 steps }
      subgraph one = inner { on inner }
      map each = inner { over xs as x  in k = 0  out Sum(k)  concurrency 1 }
      parallel both {
        branch l = p
        branch r = q
      }
      task p
      task q
      start -> one -> each -> both -> end
    }""")

    async def t(ctx: Any) -> None:
        ctx.record(m.Inc())

    async def nothing(ctx: Any) -> None:
        pass

    async def main() -> None:
        store = MemoryStore()
        graph = m.g(SimpleNamespace(p=nothing, q=nothing), inner=m.inner(SimpleNamespace(t=t)))
        session = await Session.start(graph, m.S(inner=m.I()), store=store, run_id="r")
        await session.run()
        count = len([one async for one in store.replay("r")])
        assert count >= 12
        assert await steps(store) == list(range(4, count + 1, 4))

    asyncio.run(main())


def test_a_barrier_makes_one(compiled: Compile) -> None:
    m = compiled("""
    state S { x: int = 0 }
    graph g(S) {
      checkpoint { on barrier }
      task a
      barrier b { timeout 1h  decision yes }
      task c
      start -> a -> b
      b -> c on yes
      b -> end on timeout
      c -> end
    }""")

    async def nothing(ctx: Any) -> None:
        pass

    async def main() -> None:
        store = MemoryStore()
        graph = m.g(SimpleNamespace(a=nothing, c=nothing))
        session = await Session.start(graph, m.S(), store=store, run_id="r")
        await session.run()
        await session.decide("b", BarrierDecision.answer("yes"), actor="ed")
        await session.run()
        assert await steps(store) == [2]

    asyncio.run(main())


def test_a_policy_of_the_caller(compiled: Compile) -> None:
    m = compiled(loop(limit=4))
    asked: list[tuple[frozenset[str], float, float, float, int]] = []

    class Third:
        def due(
            self, *, events: frozenset[str], now: float, duration: float, tokens: float, effects: int
        ) -> bool:
            asked.append((events, now, duration, tokens, effects))
            return len(asked) == 3

    policy: TriggerPolicy = Third()
    assert listed(m, [Visit(2.0, 7.0, 3)], triggers=policy) == [3]
    assert asked[0] == (frozenset({"mutation"}), 1002.0, 2.0, 7.0, 4)
    assert asked[1] == (frozenset({"decision"}), 1002.0, 0.0, 0.0, 0)
    assert asked[-1][0] == {"decision", "completion"}


def test_a_policy_that_raises_costs_no_step(compiled: Compile) -> None:
    m = compiled(loop(limit=3))

    class Broken:
        def due(self, **_: Any) -> bool:
            raise RuntimeError("no idea")

    told: list[GraphEvent] = []
    sink = SimpleNamespace(record=told.append)
    assert listed(m, triggers=Broken(), trace_sink=sink) == [1, 2, 3, 4, 5, 6]
    errors = [one.data["error"] for one in told if one.kind is EventKind.OBSERVED_ERROR]
    assert len(errors) == 6
    assert "no idea" in errors[0]


# --- settings and runs by chance --------------------------------------------------------------------------

QUARTERS = st.integers(0, 20).map(lambda n: n / 4)

SETTINGS = st.fixed_dictionaries(
    {
        "every_steps": st.none() | st.integers(1, 9),
        "every": st.none() | st.integers(1, 12).map(float),
        "on": st.frozensets(st.sampled_from(["decision", "completion", "mutation"]), max_size=1),
        "adaptive": st.none() | st.builds(Adaptive, QUARTERS, QUARTERS, QUARTERS, st.just(15.0)),
        "compact_steps": st.none() | st.integers(1, 7),
    }
)
RETENTION = st.builds(Retention, st.none() | st.integers(1, 12), st.none() | st.integers(1, 20).map(float))
VISITS = st.lists(
    st.builds(
        Visit, QUARTERS, QUARTERS, st.integers(0, 2), st.integers(0, 9).map(lambda n: n == 0),
        st.integers(0, 5).map(lambda n: n == 0),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


def model(visits: Sequence[Visit], setting: dict[str, Any], retention: Retention) -> list[int]:
    """Which checkpoints are listed in the end, said again in the plainest way."""
    now = last = 1000.0
    count, score, step = 0, 0.0, 0
    made: list[tuple[int, float]] = []
    for number, visit in enumerate(visits, 1):
        for node in "ad":
            step += 1
            task = node == "a"
            now += visit.takes if task else 0.0
            events = {"mutation"} if task else {"decision"}
            if not task and number == len(visits):
                events.add("completion")
            count += 1
            due = bool(events & setting["on"]) or (task and visit.asks)
            due = due or (setting["every_steps"] is not None and count >= setting["every_steps"])
            due = due or (setting["every"] is not None and now - last >= setting["every"])
            weights = setting["adaptive"]
            if weights is not None and task:
                score += visit.takes * weights.duration + visit.tokens * weights.tokens
                score += (1 + visit.adds) * weights.effects
            due = due or (weights is not None and score >= weights.threshold)
            if due:
                made.append((step, now))
                count, score, last = 0, 0.0, now
    if retention.age is not None:
        made = [one for one in made if now - one[1] <= retention.age]
    if retention.count is not None:
        made = made[-retention.count :]
    return [step for step, _ in made]


@given(setting=SETTINGS, retention=RETENTION, visits=VISITS, on_disk=st.booleans())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_settings_and_any_run(
    limitless: Any, setting: dict[str, Any], retention: Retention, visits: list[Visit], on_disk: bool
) -> None:
    """Also where the process dies and the run is restored, again and again."""

    async def main() -> None:
        clock = Clock()
        store: Any = SqliteStore(":memory:") if on_disk else MemoryStore()
        async with store:
            graph = bound(limitless, clock, visits, **setting)
            await run_through(graph, limitless.S(limit=len(visits)), store, clock, retention=retention)
            assert await steps(store) == model(visits, setting, retention)
            assert len([one async for one in store.replay("r")]) == 2 * len(visits)
            again = await Session.restore(graph, store=store, run_id="r", clock=clock)
            assert again.state.n == len(visits)

    asyncio.run(main())


@pytest.fixture
def limitless(compiled: Compile) -> Any:
    """The loop, with its limit in the state."""
    return compiled(
        loop(limit=0).replace("n: int = 0", "n: int = 0\n  limit: int = 0").replace("n < 0", "n < limit")
    )


# --- retention --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "sqlite"])
def test_no_more_than_a_few_are_ever_listed(compiled: Compile, tmp_path: Path, on_disk: bool) -> None:
    m = compiled(loop("checkpoint { every 1 step  keep 3  compact 5 steps }", 200))
    seen: list[int] = []

    async def main() -> None:
        store: Any = SqliteStore(tmp_path / "runs.db") if on_disk else MemoryStore()
        async with store:

            async def a(ctx: Any) -> None:
                seen.append(len(await store.list("r")))
                ctx.record(m.Tick())

            session = await Session.start(m.g(SimpleNamespace(a=a)), m.S(), store=store, run_id="r")
            await session.run()
            assert await steps(store) == [398, 399, 400]
            for step in (398, 399, 400):
                forked = await session.fork(step)
                assert forked.state.n == (step + 1) // 2
            with pytest.raises(LgcError):
                await store.load("r@397")
            assert len([one async for one in store.replay("r")]) == 400

    asyncio.run(main())
    assert max(seen) <= 3 + 16 + 64  # the event loop gets a turn every 64 steps where no node waits
    assert max(seen) > 3


def test_keep_all_and_wrong_policies() -> None:
    assert Retention().all
    wrong: list[dict[str, Any]] = [{"count": 0}, {"count": -1}, {"age": -1.0}]
    for options in wrong:
        with pytest.raises(ValueError, match="no meaning"):
            Retention(**options)


def test_by_age_in_the_graph(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { every 1 step  keep 5s }", 30))
    assert listed(m) == list(range(49, 61))  # the steps of the last visits, made 0 to 5 seconds ago


class Failing(MemoryStore):
    """Cannot prune."""

    async def prune(self, run: str, keep: int) -> int:
        raise StorageError("the disk is away")


def test_retention_that_fails_does_not_harm_the_run(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { keep 1 }", 40))
    told: list[GraphEvent] = []

    async def main() -> None:
        store, clock = Failing(), Clock()
        sink: Any = SimpleNamespace(record=told.append)
        await run_through(bound(m, clock, []), m.S(), store, clock, trace_sink=sink)
        assert str((await store.get_run("r")).status) == "done"
        assert len(await store.list("r")) == 80

    asyncio.run(main())
    errors = [one.data["error"] for one in told if one.kind is EventKind.OBSERVED_ERROR]
    assert errors
    assert all("the disk is away" in error for error in errors)


def test_a_store_that_never_answers_holds_nobody_up(compiled: Compile, monkeypatch: Any) -> None:
    m = compiled(loop("checkpoint { keep 1 }", 40))
    monkeypatch.setattr("lgc.runtime.engine.retention.PATIENCE", 0.05)

    class Stuck(MemoryStore):
        async def list(self, run: str) -> Sequence[CheckpointRecord]:
            await asyncio.sleep(1000)
            raise AssertionError

    async def main() -> None:
        store, clock = Stuck(), Clock()
        await asyncio.wait_for(run_through(bound(m, clock, []), m.S(), store, clock), 10)
        assert str((await store.get_run("r")).status) == "done"

    asyncio.run(main())


class Kept:
    """An archive in memory."""

    def __init__(self, fails: bool = False) -> None:
        self.records: list[Archived] = []
        self.fails = fails

    async def write(self, run: str, records: Sequence[Archived]) -> None:
        if self.fails:
            raise StorageError("the archive is full")
        self.records += records


def test_what_retention_removes_is_archived_first(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { every 1 step  keep 2  compact 4 steps }", 40))
    archive = Kept()
    assert listed(m, archive=archive) == [79, 80]
    gone = [one for one in archive.records if isinstance(one, CheckpointRecord)]
    assert sorted(one.step for one in gone) == list(range(1, 79))


def test_what_cannot_be_archived_stays(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { keep 2 }", 40))
    assert listed(m, archive=Kept(fails=True)) == list(range(1, 81))


def test_a_retention_of_the_caller(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { keep 2 }", 10))

    class Half:
        def keep(self, checkpoints: Sequence[CheckpointRecord], now: float) -> int:
            assert [one.step for one in checkpoints] == sorted(
                (one.step for one in checkpoints), reverse=True
            )
            return 7

    assert listed(m, retention=Half()) == list(range(14, 21))
    assert listed(m, retention=Retention()) == list(range(1, 21))


# --- compaction is independent of both --------------------------------------------------------------------


def test_snapshots_are_made_without_checkpoints(compiled: Compile) -> None:
    m = compiled(loop("checkpoint { manual  compact 6 steps }", 50))

    async def main() -> None:
        store, clock = MemoryStore(), Clock()
        await run_through(bound(m, clock, [Visit()] * 20 + [Visit(dies=True)]), m.S(), store, clock)
        assert await steps(store) == []
        newest = await store.latest_snapshot("r")
        assert newest is not None
        assert newest.step == 96
        assert (await Session.restore(bound(m, clock, []), store=store, run_id="r")).state.n == 50

    asyncio.run(main())


def test_triggers_resume_where_they_were(compiled: Compile) -> None:
    setting = Checkpointing(every_steps=None, adaptive=Adaptive(1.0, 0.0, 0.0, 6.0))
    m = compiled(loop(limit=4))

    async def main() -> None:
        store, clock = MemoryStore(), Clock()
        await run_through(bound(m, clock, [Visit(2.0)] * 4, every_steps=100), m.S(), store, clock)
        triggers = await Triggers.resumed(setting, store, await store.get_run("r"))
        nothing: Any = {"events": frozenset[str](), "now": clock.now, "tokens": 0.0, "effects": 0}
        assert triggers.due(duration=0.0, **nothing)
        assert not triggers.due(duration=5.75, **nothing)
        assert triggers.due(duration=0.25, **nothing)

    asyncio.run(main())


# --- a log without its beginning --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compact", "keep_from"),
    [(96, 90), (96, 97), (100, 101)],
    ids=["before", "from there on", "nothing left"],
)
def test_a_truncated_log_and_a_bad_snapshot(
    compiled: Compile, tmp_path: Path, compact: int, keep_from: int
) -> None:
    """It is said, and nothing starts over from the input."""
    m = compiled(loop(f"checkpoint {{ compact {compact} steps }}", 50))
    path = tmp_path / "runs.db"

    async def truncated() -> None:
        async with SqliteStore(path) as store:
            clock = Clock()
            await run_through(bound(m, clock, []), m.S(), store, clock)
            assert await store.truncate("r", keep_from) == keep_from - 1
            assert (await replay(store, "r", graph=bound(m, clock, []))).n == 50
            with pytest.raises(CheckpointNotFound, match=r"is gone|has no step"):
                await replay(store, "r", 20, graph=bound(m, clock, []))

    async def damaged() -> None:
        async with SqliteStore(path) as store:
            with pytest.raises(CheckpointCorrupted):
                await replay(store, "r", graph=bound(m, Clock(), []))
            with pytest.raises(CheckpointCorrupted):
                await Session.restore(bound(m, Clock(), []), store=store, run_id="r")
            with pytest.raises(CheckpointCorrupted):
                await fork(store, bound(m, Clock(), []), "r", 98, "new", 1.0)

    asyncio.run(truncated())
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE checkpoint SET created = created + 1")
    connection.close()
    asyncio.run(damaged())
