"""Restoring under another graph: what each mode allows, what is written, how the history is read after it."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import (
    BarrierDecision,
    CheckpointCorrupted,
    CheckpointNotFound,
    GraphMismatch,
    LgcError,
    MemoryStore,
    RestoreMode,
    RunFenced,
    RunStatus,
    Session,
    SqliteStore,
    Store,
    TransientMissing,
    decide,
    preview,
    replay,
)
from lgc.runtime.compat.verdict import Reason, Risk, RunVerdict, Verdict
from lgc.runtime.graph import bind
from lgc.runtime.sessions.folding import demote, fold, superseded
from lgc.runtime.sessions.replaying import fork
from lgc.runtime.sessions.restore import rebuild
from lgc.runtime.store.archives.archiving import records_of
from lgc.runtime.store.records import Commit

Compile = Callable[..., Any]

TEXT = """
state S {
  xs: list[str] = []
  n: int = 0
  MORE
  mutation Push(x: str) { xs += [x]  n += 1 }
}
graph g(S) {
  task a { reads xs  records Push }
  barrier ok { shows n  timeout 1h  decision approve  decision reject }
  task pay { reads xs  records Push  effect once }
  task ship { reads xs  records Push }
  start -> a -> ok
  ok -> pay on approve
  ok -> a on reject
  ok -> end on timeout
  EDGES
}
"""
SHIP = "  task ship { reads xs  records Push }\n"


def text(edges: str = "pay -> ship -> end", more: str = "") -> str:
    found = TEXT.replace("EDGES", edges).replace("MORE", more)
    return found if "ship" in edges else found.replace(SHIP, "")


class Nodes:
    """Every node notes that it was called; `pay` may hang or fail."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.called: list[str] = []
        self.hang = False

    def __getattr__(self, name: str) -> Any:
        async def node(ctx: Any) -> None:
            self.called.append(name)
            if self.hang and name == "pay":
                await asyncio.sleep(60)
            ctx.record(self.module.Push(x=name))

        if name.startswith("_"):
            raise AttributeError(name)
        return node


class Version:
    """A compiled text with its functions."""

    def __init__(self, module: Any) -> None:
        self.nodes = Nodes(module)
        self.module = module
        self.graph = bind(module.G_PLAN, self.nodes)
        self.hash: str = module.G_HASH


@pytest.fixture
def version(compiled: Compile) -> Callable[..., Version]:
    def build(edges: str = "pay -> ship -> end", more: str = "") -> Version:
        return Version(compiled(text(edges, more)))

    return build


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[Verdict | None], None]:
    """What the judge says of every run."""

    def say(verdict: Verdict | None, reasons: int = 0) -> None:
        class Fake:
            def __init__(self, old: Any, new: Any) -> None:
                self.hashes = old.hash, new.hash

            async def judge(self, store: Store, run: Any) -> RunVerdict:
                if verdict is None:
                    raise LgcError("the log is damaged")
                found = tuple(
                    Reason("routed-elsewhere", "history", "edges/a", f"reason {number}", "a", number)
                    for number in range(reasons)
                )
                risks = (Risk("effect-again", "`pay` would happen again", "pay", 2),) if reasons else ()
                return RunVerdict(
                    run.run, run.graph, *self.hashes, verdict, 1, ("ok",), found, risks, ("a remark",)
                )

        monkeypatch.setattr("lgc.runtime.sessions.mismatch.Judge", Fake)

    return say


async def parked(store: Store, version: Version, run: str = "r") -> Session[Any]:
    """A run that waits at `ok` after its first step."""
    session: Session[Any] = await Session.start(version.graph, version.module.S(), store=store, run_id=run)
    assert (await session.run()).status is RunStatus.WAITING
    return session


async def restored(store: Store, version: Version, mode: str = "compatible", **other: Any) -> Session[Any]:
    options: dict[str, Any] = {"mode": RestoreMode(mode), "actor": "ann", **other}
    session: Session[Any] = await Session.restore(version.graph, store=store, run_id="r", **options)
    return session


async def everything(store: Store, run: str = "r") -> list[Any]:
    """All that a store has of a run; without its token and owner, which a takeover changes."""
    record = replace(await store.get_run(run), owner="", fence=0, updated=0.0, lease=0.0)
    return [record, *[one async for one in records_of(store, await store.get_run(run))][1:]]


def in_both(tmp_path: Path, main: Callable[[Store], Awaitable[None]]) -> None:
    """Run it with a store in memory and one in a file."""

    async def both() -> None:
        await main(MemoryStore())
        async with SqliteStore(tmp_path / "runs.db") as store:
            await main(store)
            assert await store.verify() == []

    asyncio.run(both())


# --- what a move writes -----------------------------------------------------------------------------------


def test_a_run_is_moved_and_goes_on(version: Any, says: Any, tmp_path: Path) -> None:
    old, new = version("pay -> end"), version(more="m: int = 7")
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        await parked(store, old)
        session = await restored(store, new)
        assert (session.state.xs, session.state.m, session.status) == (["a"], 7, RunStatus.WAITING)
        (move,) = await store.overrides("r")
        assert (move.mode, move.actor, move.reason, move.step) == ("compatible", "ann", "", 1)
        assert (move.expected, move.actual) == (old.hash, new.hash)
        assert (await store.get_run("r")).hash == new.hash
        listed = [(one.id, one.hash) for one in await store.list("r")][:2]
        assert listed == [("r@1-after-move-1", new.hash), ("r@1-before-move-1", old.hash)]
        # Any process, and as often as one likes, without saying it again.
        session = await Session.restore(new.graph, store=store, run_id="r")
        await session.decide("ok", BarrierDecision.approve(), actor="bob")
        assert (await session.run()).state.xs == ["a", "pay", "ship"]
        assert len(await store.overrides("r")) == 1
        hashes = [step.hash async for step in store.replay("r")]
        assert hashes == [old.hash, *[new.hash] * 3]

    in_both(tmp_path, main)


def test_nothing_is_called_again(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        store = MemoryStore()
        await parked(store, old)
        await (await restored(store, new)).run()
        assert (old.nodes.called, new.nodes.called) == (["a"], [])

    asyncio.run(main())


ACCEPTED = {
    "strict": (),
    "compatible": (Verdict.COMPATIBLE,),
    "migrate": (Verdict.COMPATIBLE, Verdict.MIGRATABLE),
    "force": (Verdict.COMPATIBLE, Verdict.MIGRATABLE, Verdict.INCOMPATIBLE, None),
}
WAYS = {
    Verdict.COMPATIBLE: "--mode compatible",
    Verdict.MIGRATABLE: "--mode migrate",
    Verdict.INCOMPATIBLE: "lgc migrate",
    None: "--mode force",
}


@pytest.mark.parametrize("mode", ACCEPTED)
@pytest.mark.parametrize("verdict", WAYS)
def test_each_mode_accepts_what_it_says(version: Any, says: Any, mode: str, verdict: Verdict | None) -> None:
    old, new = version("pay -> end"), version()
    says(verdict)

    async def main() -> None:
        store = MemoryStore()
        await parked(store, old)
        before, token = await everything(store), (await store.get_run("r")).fence
        try:
            await restored(store, new, mode, reason="why not")
        except GraphMismatch as error:
            assert verdict not in ACCEPTED[mode]
            assert await everything(store) == before
            assert (await store.get_run("r")).fence == token, "nobody was overtaken"
            assert WAYS[verdict] in str(error)
            assert (error.verdict and error.verdict.verdict) == verdict
            assert [change.element for change in error.changes] == ["node/ship", "edges/pay", "edges/ship"]
        else:
            assert verdict in ACCEPTED[mode]
            (move,) = await store.overrides("r")
            assert (move.mode, move.reason) == (mode, "why not")

    asyncio.run(main())


@pytest.mark.parametrize("status", ["done", "cancelled"])
@pytest.mark.parametrize("mode", ["compatible", "migrate", "force"])
def test_a_run_that_is_over_is_not_moved(version: Any, says: Any, mode: str, status: str) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        store = MemoryStore()
        session = await parked(store, old)
        if status == "done":
            await session.decide("ok", BarrierDecision.approve(), actor="bob")
            await session.run()
        else:
            await session.cancel()
        before = await everything(store)
        with pytest.raises(GraphMismatch, match=f"a run that is {status} stays under its graph"):
            await restored(store, new, mode, reason="x")
        assert await everything(store) == before

    asyncio.run(main())


def test_a_failed_run_is_moved_and_goes_on(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        store = MemoryStore()
        session: Any = await Session.start(old.graph, old.module.S(), store=store, run_id="r")
        old.nodes.module = SimpleNamespace()  # `a` finds no mutation to record
        with pytest.raises(LgcError):
            await session.run()
        assert (await restored(store, new)).status is RunStatus.FAILED
        assert (await store.get_run("r")).error
        assert (await (await restored(store, new, "strict")).run()).status is RunStatus.WAITING

    asyncio.run(main())


# --- words ------------------------------------------------------------------------------------------------


def test_a_refusal_with_fifty_changes_can_be_read(compiled: Compile, says: Any) -> None:
    fields = "\n".join(f"f{number}: int = 0" for number in range(50))
    old = Version(compiled(text(more=fields)))
    new = Version(compiled(text(more=fields.replace(": int = 0", ": str = ''").replace("''", '""'))))
    says(Verdict.INCOMPATIBLE, 30)

    async def main() -> None:
        store = MemoryStore()
        await parked(store, old)
        with pytest.raises(GraphMismatch) as caught:
            await Session.restore(new.graph, store=store, run_id="r")
        error = caught.value
        assert len(error.changes) >= 50 and len(error.verdict.reasons) == 30
        told = str(error).splitlines()
        assert len(told) < 30
        assert "more" in str(error) and "`f0`" in str(error) and "`f49`" not in str(error)
        assert "this run, at `ok` after step 1, cannot simply go on" in str(error)
        assert "- reason 3 (step 3)" in str(error)
        assert "`pay` would happen again (step 2)" in str(error) and "note: a remark" in str(error)
        assert "help: go on with the graph" in told[-1]

    asyncio.run(main())


def test_a_refusal_without_the_old_form_says_so(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    class Forgets(MemoryStore):
        async def get_graph(self, hash: str) -> str | None:
            return None

    async def main() -> None:
        store = Forgets()
        await parked(store, old)
        text, nodes = old.hash, old.nodes
        del nodes
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lgc.runtime.sessions.legs.known", dict[str, Any]().get)
            for mode in ("strict", "force"):
                with pytest.raises(GraphMismatch, match="the graph of the run is not in the store"):
                    await restored(store, new, mode, reason="x")
        assert (await store.get_run("r")).hash == text

    asyncio.run(main())


GARBAGE = [
    "", "{}", "[1]", '{"form": "lg1", "elements": {"graph": {"name": "g"}}}',
    '{"form": "lg1", "elements": {"graph": {"name": "g", "state": 7}, "node/a": 3, "edges/a": []}}',
    '{"form": "lg1", "elements": {"graph": {"name": "g"}, "subgraph/x": {"hash": "lg1:0"}}}',
    '{"form": "lg1", "elements": {"graph": {"name": "g"}, "state/field/xs": {"type": ["list", {}]}}}',
    "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("form", [None, *GARBAGE], ids=range(len(GARBAGE) + 1))
def test_whatever_the_stored_form_is_the_refusal_is_one(version: Any, form: str | None) -> None:
    old, new = version("pay -> end"), version()

    class Damaged(MemoryStore):
        async def get_graph(self, hash: str) -> str | None:
            if form is None:
                raise CheckpointCorrupted("the canonical form is not what was written")
            return form

    async def main() -> None:
        store = Damaged()
        await parked(store, old)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lgc.runtime.sessions.legs.known", dict[str, Any]().get)
            for mode in ("strict", "compatible", "migrate"):
                with pytest.raises(GraphMismatch):
                    await restored(store, new, mode)
            with pytest.raises(LgcError):
                await restored(store, new, "force", reason="x")
        assert not await store.overrides("r")

    asyncio.run(main())


# --- back, and side by side -------------------------------------------------------------------------------


def test_an_old_worker_is_refused_and_does_not_move_it_back(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        store = MemoryStore()
        session = await parked(store, old)
        await restored(store, new, reason="a deploy")
        for mode in ("strict", "compatible", "migrate"):
            with pytest.raises(
                GraphMismatch, match=r"was moved from it to lg1:.*mode compatible by ann: a deploy"
            ):
                await restored(store, old, mode)
        with pytest.raises(GraphMismatch, match="was moved from it"):
            await decide(old.graph, store, "r", "ok", BarrierDecision.approve(), actor="bob")
        with pytest.raises(RunFenced):
            await session.run()  # who drove it until then
        await restored(store, old, "force", reason="a mistake")
        assert [move.mode for move in await store.overrides("r")] == ["compatible", "force"]
        assert (await replay(store, "r", graph=old.graph)).xs == ["a"]

    asyncio.run(main())


def test_of_many_that_move_a_run_one_does(version: Any, says: Any, tmp_path: Path) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        await parked(store, old)
        found = await asyncio.gather(*[restored(store, new) for _ in range(5)], return_exceptions=True)
        assert sum(isinstance(one, Session) for one in found) == 1
        assert {type(one) for one in found} == {Session, RunFenced}
        assert len(await store.overrides("r")) == 1

    in_both(tmp_path, main)


def test_a_run_that_went_on_meanwhile_is_judged_again(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    class Slow(MemoryStore):
        before: Any = None

        async def take(self, run: str, *rest: Any, **more: Any) -> int:
            if self.before is not None:
                work, self.before = self.before, None
                await work()
            return await super().take(run, *rest, **more)

    async def main() -> None:
        store = Slow()
        session = await parked(store, old)

        async def reject() -> None:
            await session.decide("ok", BarrierDecision.answer("reject"), actor="bob")
            await session.run()
            says(Verdict.INCOMPATIBLE)

        store.before = reject
        with pytest.raises(GraphMismatch):
            await restored(store, new, take_over=True)
        assert (await store.get_run("r")).hash == old.hash and not await store.overrides("r")
        says(Verdict.COMPATIBLE)
        await restored(store, new)
        (move,) = await store.overrides("r")
        assert move.step == 3, "the position is the newest one"

    asyncio.run(main())


# --- history ----------------------------------------------------------------------------------------------


async def two_moves(store: Store, versions: list[Version]) -> list[list[str]]:
    """A run that was moved after step 1 and after step 3; its `xs` after each step."""
    session = await parked(store, versions[0])
    session = await restored(store, versions[1])
    await session.decide("ok", BarrierDecision.answer("reject"), actor="bob")
    await session.run()
    session = await restored(store, versions[2])
    await session.decide("ok", BarrierDecision.approve(), actor="bob")
    await session.run()
    return [[], ["a"], ["a"], ["a", "a"], ["a", "a"], ["a", "a", "pay"]]


def test_each_step_is_read_under_the_graph_of_its_time(version: Any, says: Any, tmp_path: Path) -> None:
    versions = [version(), version(more="m: int = 7"), version("pay -> end", more="m: int = 7  k: str?")]
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        states = await two_moves(store, versions)
        hashes = [step.hash async for step in store.replay("r")]
        owners = [0, 0, 1, 1, 2, 2]
        assert hashes == [versions[number].hash for number in owners[1:]]
        for step, xs in enumerate(states):
            state = await replay(store, "r", step)
            assert (state.xs, type(state)) == (xs, versions[owners[step]].module.S), step
            assert (await replay(store, "r", step, graph=versions[2].graph)).xs == xs
        # After the steps behind which it was moved, who gives a graph decides.
        assert type(await replay(store, "r", 3, graph=versions[1].graph)) is versions[1].module.S
        assert (await replay(store, "r", 3, graph=versions[2].graph)).k is None
        assert (await replay(store, "r")).xs == states[-1]
        with pytest.raises(CheckpointNotFound):
            await replay(store, "r", 6)
        stranger = version("pay -> ship -> end", more="z: int = 1")
        with pytest.raises(GraphMismatch):
            await replay(store, "r", 1, graph=stranger.graph)

    in_both(tmp_path, main)


def test_forks_are_under_the_graph_of_their_step(version: Any, says: Any, tmp_path: Path) -> None:
    versions = [version(), version(more="m: int = 7"), version("pay -> end", more="m: int = 7  k: str?")]
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        await two_moves(store, versions)
        fits = {0: [0], 1: [0, 1], 2: [1], 3: [1, 2], 4: [2], 5: [2]}
        for step, right in fits.items():
            for number, one in enumerate(versions):
                name = f"f{step}.{number}"
                if number not in right:
                    with pytest.raises(GraphMismatch, match=f"step {step} was made under graph"):
                        await fork(store, one.graph, "r", step, name, 0.0)
                    continue
                await fork(store, one.graph, "r", step, name, 0.0)
                assert (await store.get_run(name)).hash == one.hash
                session: Any = await Session.restore(one.graph, store=store, run_id=name)
                assert session.state.xs == (await replay(store, "r", step)).xs
                assert not await store.overrides(name)

    in_both(tmp_path, main)


def test_no_upkeep_loses_what_a_move_needs(version: Any, says: Any, tmp_path: Path) -> None:
    versions = [version(), version(more="m: int = 7"), version("pay -> end", more="m: int = 7  k: str?")]
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        states = await two_moves(store, versions)
        run = await store.get_run("r")
        await fold(store, versions[2].graph, run)
        for snapshot in await superseded(store, "r"):
            await demote(store, snapshot)
        for keep in (3, 0):
            await store.prune("r", keep)
            listed = [one.id for one in await store.list("r")]
            assert len(listed) <= keep + 4
            assert [id for id in listed if "move" in id] == [
                "r@3-after-move-2", "r@3-before-move-2", "r@1-after-move-1", "r@1-before-move-1",
            ]  # fmt: skip
            for step, xs in enumerate(states):
                assert (await replay(store, "r", step)).xs == xs
        gone = await store.latest_snapshot("r", 3)
        assert gone is not None
        await store.truncate("r", gone.step + 1)
        await store.prune("r", 0)
        for step in (3, 4, 5):
            assert (await replay(store, "r", step, graph=versions[2].graph)).xs == states[step]
        assert type(await replay(store, "r", 3, graph=versions[1].graph)) is versions[1].module.S
        with pytest.raises(LgcError):
            await replay(store, "r", 2)

    in_both(tmp_path, main)


def test_there_and_back_without_a_step_between(version: Any, says: Any, tmp_path: Path) -> None:
    one, other = version(), version("pay -> end")
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        await parked(store, one)
        await restored(store, other, "force", reason="needed")
        session = await restored(store, one, "force", reason="needed")
        await session.decide("ok", BarrierDecision.approve(), actor="bob")
        assert (await session.run()).state.xs == ["a", "pay", "ship"]
        assert [move.step for move in await store.overrides("r")] == [1, 1]
        for step, xs in enumerate([[], ["a"], ["a"], ["a", "pay"]]):
            assert (await replay(store, "r", step, graph=one.graph)).xs == xs
        assert type(await replay(store, "r", 1, graph=other.graph)) is other.module.S

    in_both(tmp_path, main)


def test_a_damaged_snapshot_of_a_move_is_made_again(version: Any, says: Any, tmp_path: Path) -> None:
    import sqlite3

    versions = [version(), version(more="m: int = 7"), version("pay -> end", more="m: int = 7  k: str?")]
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        path = tmp_path / "runs.db"
        async with SqliteStore(path) as store:
            states = await two_moves(store, versions)
        with sqlite3.connect(path) as file:
            file.execute("UPDATE checkpoint SET snapshot = 'x' || substr(snapshot, 2)")
        file.close()
        async with SqliteStore(path) as store:
            for step, xs in enumerate(states):
                assert (await replay(store, "r", step, graph=versions[2].graph)).xs == xs
            position: Any = await rebuild(store, versions[2].graph, await store.get_run("r"), {})
            assert position.root.state.m == 7

    asyncio.run(main())


# --- begun effects and answers ----------------------------------------------------------------------------


async def dies_in_pay(store: Store, version: Version) -> None:
    session = await parked(store, version)
    await session.decide("ok", BarrierDecision.approve(), actor="bob")
    version.nodes.hang = True
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [one.node for one in await store.attempts("r")] == ["pay"]


def test_an_effect_that_was_begun_stays_uncertain(version: Any, says: Any, tmp_path: Path) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    async def main(store: Store) -> None:
        await dies_in_pay(store, old)
        session = await restored(store, new)
        assert session.status is RunStatus.UNCERTAIN
        await session.settle("pay", "skip", actor="ann")
        assert (await session.run()).state.xs == ["a", "ship"]
        assert "pay" not in new.nodes.called

    in_both(tmp_path, main)


def test_begun_effects_follow_a_renamed_node(compiled: Compile, says: Any, tmp_path: Path) -> None:
    old = Version(compiled(text("pay -> end")))
    block = f'migrate g from "{old.hash}" {{ rename node pay to charge }}\n'
    new = Version(compiled(text("pay -> end").replace("pay", "charge") + block))
    says(Verdict.MIGRATABLE)

    async def main(store: Store) -> None:
        await dies_in_pay(store, old)
        seen = await preview(store, new.graph, "r", RestoreMode.MIGRATE)
        assert (seen.renamed, seen.cleared, seen.parked) == ((("pay", "charge"),), (), ("charge",))
        session = await restored(store, new, "migrate")
        assert session.status is RunStatus.UNCERTAIN
        assert [one.node for one in await store.attempts("r")] == ["charge"]
        await session.settle("charge", [new.module.Push(x="paid")])
        assert (await session.run()).state.xs == ["a", "paid"]

    in_both(tmp_path, main)


def test_an_answer_that_fits_nothing_any_more_is_set_aside(
    compiled: Compile, version: Any, says: Any
) -> None:
    old, same = version("pay -> end"), version()
    other = Version(compiled(text().replace("shows n", "shows n, xs")))
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        for new, step in ((same, 0), (other, -1)):
            store = MemoryStore()
            await parked(store, old)
            await decide(old.graph, store, "r", "ok", BarrierDecision.approve(), actor="bob")
            told: list[Any] = []
            session = await restored(store, new, trace_sink=SimpleNamespace(record=told.append))
            assert [one.step for one in await store.decisions("r")] == [step]
            lines = [event.data["error"] for event in told]
            assert lines[0].startswith("the run was moved from graph lg1:")
            moved = told[0].data["moved"]
            assert (moved["mode"], moved["actor"], moved["step"]) == ("compatible", "ann", 1)
            assert (moved["expected"], moved["actual"]) == (old.hash, new.hash)
            assert ("the answer `approve` to `ok` by bob" in lines[-1]) == (step == -1)
            result = await session.run()
            assert result.status is (RunStatus.DONE if step == 0 else RunStatus.WAITING)

    asyncio.run(main())


def test_a_run_parked_at_a_node_that_is_gone_is_not_even_forced(compiled: Compile, says: Any) -> None:
    old = Version(compiled(text()))
    gone = text().replace("barrier ok { shows n  timeout 1h  decision approve  decision reject }", "")
    gone = gone.replace("start -> a -> ok", "start -> a -> pay")
    for edge in ("ok -> pay on approve", "ok -> a on reject", "ok -> end on timeout"):
        gone = gone.replace(edge, "")
    new = Version(compiled(gone))
    moving = Version(compiled(gone + f'migrate g from "{old.hash}" {{ move ok to ship }}\n'))
    says(Verdict.INCOMPATIBLE)

    async def main() -> None:
        store = MemoryStore()
        await parked(store, old)
        before = await everything(store)
        with pytest.raises(GraphMismatch, match=r"(?s)cannot be carried over.*`ok`.*`move`"):
            await restored(store, new, "force", reason="needed")
        assert await everything(store) == before
        seen = await preview(store, new.graph, "r", RestoreMode.FORCE, reason="x", actor="y")
        assert seen.after is None and "cannot be carried over" in seen.refused
        assert moving.hash == new.hash
        session = await restored(store, moving, "force", reason="needed")
        assert (await store.get_run("r")).status is RunStatus.RUNNING, "it no longer waits"
        assert (await session.run()).state.xs == ["a", "ship"]

    asyncio.run(main())


# --- looking first ----------------------------------------------------------------------------------------


def test_a_preview_says_what_would_be_and_writes_nothing(version: Any, says: Any, tmp_path: Path) -> None:
    old, new = version("pay -> end"), version(more="m: int = 7")
    says(Verdict.COMPATIBLE)

    async def main() -> None:
        path = tmp_path / "runs.db"
        async with SqliteStore(path) as store:
            await parked(store, old)
            before = await everything(store)
        async with SqliteStore(path, readonly=True) as store:
            seen = await preview(store, new.graph, "r")
            assert (seen.refused, seen.step, seen.parked) == ("", 1, ("ok",))
            assert (seen.before, seen.after) == ({"xs": ["a"], "n": 1}, {"xs": ["a"], "n": 1, "m": 7})
            assert seen.verdict is not None and seen.verdict.verdict is Verdict.COMPATIBLE
            strict = await preview(store, new.graph, "r", RestoreMode.STRICT)
            assert "--mode compatible" in strict.refused and strict.after == seen.after
            bare = await preview(store, new.graph, "r", RestoreMode.FORCE)
            assert "needs a reason and an actor" in bare.refused
            assert (await preview(store, old.graph, "r", RestoreMode.STRICT)).refused == ""
            assert await everything(store) == before

    asyncio.run(main())


def test_what_the_new_graph_needs_is_asked_for_first(compiled: Compile, version: Any, says: Any) -> None:
    old = version("pay -> end")
    block = f'migrate g from "{old.hash}" {{ set need = n }}\n'
    new = Version(
        compiled('opaque Tool = "anywhere:Tool"\n' + text(more="need: int  transient tool: Tool") + block)
    )
    says(Verdict.MIGRATABLE)

    async def main() -> None:
        store = MemoryStore()
        await parked(store, old)
        before, token = await everything(store), (await store.get_run("r")).fence
        with pytest.raises(TransientMissing, match="`tool`"):
            await restored(store, new, "migrate")
        assert (await everything(store), (await store.get_run("r")).fence) == (before, token)
        session = await restored(store, new, "migrate", transients={"tool": lambda: "made"})
        assert (session.state.tool, session.state.need) == ("made", 1)

    asyncio.run(main())


def test_a_commit_that_fails_leaves_the_run_where_it_was(version: Any, says: Any) -> None:
    old, new = version("pay -> end"), version()
    says(Verdict.COMPATIBLE)

    class Fails(MemoryStore):
        async def commit(self, commit: Commit) -> None:
            if commit.override is not None:
                raise OSError("no space")
            await super().commit(commit)

    async def main() -> None:
        store = Fails()
        await parked(store, old)
        before = await everything(store)
        with pytest.raises(OSError, match="no space"):
            await restored(store, new)
        assert await everything(store) == before
        session: Any = await Session.restore(old.graph, store=store, run_id="r")
        assert (await session.run()).status is RunStatus.WAITING

    asyncio.run(main())
