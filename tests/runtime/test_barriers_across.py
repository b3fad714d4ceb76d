"""Barriers of a run that one process drives and others answer: real processes, one store."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime import (
    BarrierDecision,
    DecisionRefused,
    RunStatus,
    Store,
    decide,
    open_store,
    replay,
    unbound,
)
from lgc.runtime.barriers.deciding import look
from lgc.runtime.store.records import Commit

HERE = Path(__file__).parent
# Seconds in which another process begins, or notices what was done; of a run that would wait for an hour.
SOON = 60.0


class Office:
    """The run `r`, its processes, and what the store holds of it."""

    def __init__(self, folder: Path, graph: str, url: str = "") -> None:
        self.folder = folder
        self.url = url or str(folder / "runs.db")
        self.graph = graph
        text = (HERE / "office.lgraph").read_text("utf-8")
        checked = check([Source("office.lgraph", text)], load=lambda path: None)
        (source,) = checked.program.modules
        (folder / "office_lg.py").write_text(generate(checked.program, source, version="0"))
        spec = importlib.util.spec_from_file_location("office_lg", folder / "office_lg.py")
        assert spec is not None and spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
        sys.modules["office_lg"] = self.module
        spec.loader.exec_module(self.module)
        self.unbound = unbound(getattr(self.module, f"{graph.upper()}_PLAN"))

    def process(self, *words: str) -> subprocess.Popen[str]:
        """Begin one."""
        command = [sys.executable, str(HERE / "office.py"), str(self.folder), self.url, words[0], self.graph]
        return subprocess.Popen(command + list(words[1:]), stdout=subprocess.PIPE, text=True)

    @contextmanager
    def driven(self, how: str = "drive") -> Generator[subprocess.Popen[str]]:
        """A process that drives the run, until it waits or works."""
        mark = self.folder / "driving"
        mark.unlink(missing_ok=True)
        with self.process(how) as child:
            try:
                assert eventually(mark.exists)
                yield child
            finally:
                child.kill()

    def ask(self, question: Callable[[Store], Any]) -> Any:
        """What the store says."""

        async def main() -> Any:
            async with open_store(self.url) as store:
                return await question(store)

        return asyncio.run(main())

    def waiting(self) -> list[str]:
        """The barriers that wait, by place."""
        found = self.ask(lambda store: look(store, self.unbound, "r"))
        return sorted(info.id.partition("#")[0] for info in found)

    def steps(self) -> list[tuple[str, str]]:
        """Places and outcomes of the committed steps."""

        async def read(store: Store) -> list[tuple[str, str]]:
            return [(f"{one.frame}/{one.node}", one.outcome) async for one in store.replay("r")]

        found: list[tuple[str, str]] = self.ask(read)
        return found

    def took(self, place: str) -> bool:
        """Whether the answer to a barrier was applied."""
        return place in [one.lstrip("/") for one, _ in self.steps()]

    def answer(self, address: str, decision: BarrierDecision, actor: str = "ann") -> None:
        """Answer from this process, which does not drive the run."""
        self.ask(lambda store: decide(self.unbound, store, "r", address, decision, actor=actor))


def eventually(holds: Callable[[], object]) -> bool:
    """Whether something comes to hold soon."""
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Office]]:
    """Makes the run of a graph."""

    def make(graph: str, kind: str = "sqlite") -> Office:
        url = request.getfixturevalue("postgres").store() if kind == "postgres" else ""
        return Office(tmp_path, graph, url)

    yield make
    sys.modules.pop("office_lg", None)


ALL = ["p/a/ok", "p/b/each[0]/sure", "p/b/each[1]/sure", "p/c/one/sure"]


@pytest.mark.parametrize(
    ("how", "turn", "kind"), [("drive", 0, "sqlite"), ("sink", 2, "sqlite"), ("drive", 2, "postgres")]
)
def test_a_process_at_work_notices_the_answers_of_others(
    how: str, turn: int, kind: str, office: Callable[..., Office]
) -> None:
    run = office("office", kind)
    places = ALL[turn:] + ALL[:turn]
    with run.driven(how) as driver:
        assert eventually(lambda: run.waiting() == ALL)
        for number, place in enumerate(places, 1):
            decision = BarrierDecision.approve() if place == "p/a/ok" else BarrierDecision.answer("yes")
            run.answer(place, decision, actor=f"actor {number}")
            # The branch with the work is still under way, and this one has gone on.
            assert eventually(partial(run.took, place)), place
        assert ("p/d/work", "ok") not in run.steps()
        (run.folder / "enough").touch()
        assert driver.communicate(timeout=SOON)[0].strip() == "done"
    decided = run.ask(lambda store: store.decisions("r"))
    assert [one.actor for one in decided] == [f"actor {number}" for number in range(1, 5)]
    assert all(one.step > 0 for one in decided)


def test_answers_while_the_driver_is_dead_are_there_for_the_next_one(
    office: Callable[..., Office],
) -> None:
    run = office("office")
    with run.driven() as driver:
        assert eventually(lambda: run.waiting() == ALL)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    run.answer("p/b/each[1]/sure", BarrierDecision.answer("no", why="thin"))
    run.answer("ok", BarrierDecision.approve().with_mutations(run.module.Say(text="modified")))
    (run.folder / "enough").touch()
    with run.driven() as driver:
        assert driver.communicate(timeout=SOON)[0].strip() == "waiting"
    assert run.waiting() == ["p/b/each[0]/sure", "p/c/one/sure"]
    run.answer("p/b/each[0]/sure", BarrierDecision.answer("yes"))
    run.answer("p/c/one/sure", BarrierDecision.answer("yes"))
    with run.driven() as driver:
        assert driver.communicate(timeout=SOON)[0].strip() == "done"
    state = run.ask(lambda store: replay(store, "r", graph=run.unbound))
    assert state.said == ["modified", "spent 1", "", "thin"]


@pytest.mark.parametrize(
    ("driven", "exact", "same", "kind"),
    [
        (False, False, False, "sqlite"), (False, True, True, "sqlite"), (True, False, True, "sqlite"),
        (True, True, False, "sqlite"), (False, False, True, "postgres"), (True, True, False, "postgres"),
    ],
)  # fmt: skip
def test_of_answers_at_the_same_moment_one_counts(
    driven: bool, exact: bool, same: bool, kind: str, office: Callable[..., Office]
) -> None:
    run = office("twice", kind)
    with run.driven("sink" if driven else "drive") as driver:
        if not driven:
            assert driver.communicate(timeout=SOON)[0].strip() == "waiting"
        assert eventually(lambda: run.waiting() == ["ok"])
        (info,) = run.ask(lambda store: look(store, run.unbound, "r"))
        reject = 'reject:{"reason": "late"}'
        answers = [reject if same or number % 2 else "approve" for number in range(3)]
        address = info.id if exact else "ok"
        deciders = [
            run.process("decide", address, answer, f"actor {number}") for number, answer in enumerate(answers)
        ]
        assert eventually(lambda: len(list(run.folder.glob("ready-*"))) == len(deciders))
        (run.folder / "go").touch()
        told = [child.communicate(timeout=SOON)[0].strip() for child in deciders]
        assert [child.returncode for child in deciders] == [0] * len(deciders)
        if driven:
            assert eventually(run.steps)
        else:
            with run.driven() as next_one:
                next_one.communicate(timeout=SOON)
        refused = [one for one in told if one != "recorded"]
        assert all(one.startswith("DecisionRefused") for one in refused), told
        decided = run.ask(lambda store: store.decisions("r"))
        applied = [one for one in decided if one.step > 0]
        first = next(one for one in run.steps() if one[0] == "/ok")
        if not driven or exact:
            # A live driver may be at the next visit already when an answer to the node comes.
            assert told.count("recorded") == 1, told
            assert len(applied) == 1
        counted = told.index("recorded")
        if told.count("recorded") == 1:
            assert applied[0].actor == f"actor {counted}"
            assert first[1] == applied[0].answer
        assert not [one for one in decided if one.step == 0 and one.barrier == ""]


def test_what_was_shown_has_changed_since(office: Callable[..., Office]) -> None:
    run = office("twice")
    with run.driven() as driver:
        driver.communicate(timeout=SOON)
    (old,) = run.ask(lambda store: look(store, run.unbound, "r"))
    run.answer("ok", BarrierDecision.reject("more"))
    with pytest.raises(DecisionRefused, match="has been answered by ann: `reject`"):
        run.answer("ok", BarrierDecision.approve(), actor="bob")
    with run.driven() as driver:
        assert driver.communicate(timeout=SOON)[0].strip() == "waiting"
    (new,) = run.ask(lambda store: look(store, run.unbound, "r"))
    assert (old.visit, new.visit, old.shown, new.shown) == (1, 2, {"amount": 1}, {"amount": 2})
    with pytest.raises(DecisionRefused, match=r"does not wait at .* answered by ann"):
        run.answer(old.id, BarrierDecision.approve())
    with pytest.raises(DecisionRefused, match="shows has changed"):
        run.answer(new.id[:-4] + "0000", BarrierDecision.approve())
    run.answer(new.id, BarrierDecision.approve())
    with run.driven() as driver:
        assert driver.communicate(timeout=SOON)[0].strip() == "done"
    with pytest.raises(DecisionRefused, match="the run is done"):
        run.answer("ok", BarrierDecision.approve())


def test_a_cancelled_run_stops_in_the_process_that_drives_it(office: Callable[..., Office]) -> None:
    run = office("office")
    with run.driven("sink") as driver:
        assert eventually(lambda: run.waiting() == ALL)

        async def cancel(store: Store) -> None:
            fence = await store.take("r", "another")
            await store.commit(Commit("r", fence, status=RunStatus.CANCELLED, lease=0.0))

        run.ask(cancel)
        assert driver.communicate(timeout=SOON)[0].strip() == "Cancelled"
    with pytest.raises(DecisionRefused, match="the run is cancelled"):
        run.answer("ok", BarrierDecision.approve())
