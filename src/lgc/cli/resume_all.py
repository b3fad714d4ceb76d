"""`lgc resume --all`: from the runs that nobody drives to runs that have gone on as far as they can.

Runs that were started alike (same source, graph, nodes and folder) go on side by side in one process. Each
further kind gets a process of its own: modules of the same name in different folders would mix otherwise.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from . import FINDINGS, FINE
from .launch import compile_source, prepare, stored_launch
from .logs import log_sink, log_words, logging_on
from .progress import error_json
from .stores import demand_there, get_run, open_url, store_url
from .terminal import Failure, out, output_style, printable
from .wording import status_text

if TYPE_CHECKING:
    from ..runtime.sessions.session import Session
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord
    from .launch import Prepared

AT_ONCE = 32  # runs side by side in one process
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a run came.

    Attributes:
        run: its id.
        status: its status now, or `refused` where it could not be taken up.
        text: why, or what it waits for; "" where there is nothing to say.
        error: the same as data, None where it went well.
    """

    run: str
    status: str
    text: str = ""
    error: dict[str, Any] | None = None

    @property
    def bad(self) -> bool:
        """Whether somebody has to look at it."""
        return self.status in ("failed", "refused", "uncertain")

    def as_json(self) -> str:
        """One line."""
        more = {"error": self.error} if self.error else {"text": self.text} if self.text else {}
        return json.dumps({"run": self.run, "status": self.status, **more}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Under which graphs runs may go on: `strict`, `compatible` or `migrate`; who says so, and why."""

    mode: str = "strict"
    reason: str = ""
    actor: str = ""

    def words(self) -> list[str]:
        """The options again, for a further process."""
        given = ("--mode", self.mode), ("--reason", self.reason), ("--actor", self.actor)
        return [word for name, value in given if value for word in (name, value)]


def resume_all(given_store: str, *, as_json: bool, wanted: Wanted, like: str = "") -> int:
    """Take up every run that nobody drives and that can go on; the exit status.

    `like`: only runs that were started as this one was.
    """

    async def main() -> list[Outcome]:
        await demand_there(given_store)
        async with open_url(store_url(given_store), reading=False) as store:
            kinds = await _kinds(store)
            if like:
                launch = (await get_run(store, like)).launch
                return await _together(store, kinds.get(launch, []), wanted, as_json)
            if len(kinds) <= 1:
                lists = [await _together(store, runs, wanted, as_json) for runs in kinds.values()]
                return [one for outcomes in lists for one in outcomes]
        turns = asyncio.Semaphore(PROCESSES)
        found = [_apart(given_store, runs[0].run, turns, wanted, as_json) for runs in kinds.values()]
        return [one for outcomes in await asyncio.gather(*found) for one in outcomes]

    with logging_on():
        outcomes = asyncio.run(main())
    if not as_json:
        out(_summary(outcomes))
    return FINDINGS if any(one.bad for one in outcomes) else FINE


async def _kinds(store: Store) -> dict[str, list[RunRecord]]:
    """The runs that may go on, oldest first, by how they were started."""
    import time

    from ..runtime.sessions.lease import held
    from ..runtime.store.records import RunStatus

    found = [
        run
        for status in (RunStatus.RUNNING, RunStatus.WAITING)
        for run in await store.list_runs(status=status)
        if not held(run, time.time())
    ]
    kinds: dict[str, list[RunRecord]] = {}
    for run in sorted(found, key=lambda run: run.created):
        kinds.setdefault(run.launch, []).append(run)
    return kinds


async def _together(store: Store, runs: Sequence[RunRecord], wanted: Wanted, as_json: bool) -> list[Outcome]:
    if not runs:
        return []
    prepared = _prepared(runs[0])
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(run: RunRecord) -> Outcome | None:
        if isinstance(prepared, Outcome):
            outcome: Outcome | None = Outcome(run.run, "refused", prepared.text, prepared.error)
        else:
            async with turns:
                outcome = await _resumed(store, run, prepared, wanted)
        if outcome is not None:
            _tell(outcome, as_json)
        return outcome

    return [outcome for outcome in await asyncio.gather(*map(one, runs)) if outcome is not None]


def _prepared(run: RunRecord) -> Prepared | Outcome:
    """The graph with its functions, or why there is none."""
    from ..runtime.errors import LgcError

    told = StringIO()
    try:
        with redirect_stderr(told):
            return prepare(compile_source(stored_launch(run)), bind_nodes=True)
    except click.exceptions.Exit:
        first = next((line for line in told.getvalue().splitlines() if line.strip()), "its source has errors")
        return _refusal(run.run, click.unstyle(first))
    except (Failure, LgcError) as problem:
        return _refusal(run.run, problem.message, problem.hint or "")


async def _resumed(store: Store, run: RunRecord, prepared: Prepared, wanted: Wanted) -> Outcome | None:
    """Go on with a run; None where there is nothing to do, or another process does it."""
    from ..runtime.errors import LgcError, RunFenced
    from ..runtime.sessions.modes import RestoreMode
    from ..runtime.sessions.session import Session

    assert prepared.bound is not None
    session: Session[Any] | None = None
    try:
        if run.status == "waiting" and not await _can_go_on(store, run, prepared):
            return None
        session = await Session.restore(
            prepared.bound, store=store, run_id=run.run, transients=prepared.transients,
            mode=RestoreMode(wanted.mode), reason=wanted.reason, actor=wanted.actor, trace_sink=log_sink(),
        )  # fmt: skip
        await session.run()
    except RunFenced:
        return None
    except LgcError as error:
        status = "refused" if session is None else str(session.status)
        if status == "running":  # the store failed, say: the run is as it was
            status = "refused"
        return Outcome(run.run, status, error.message, error_json(error))
    places = ", ".join(barrier.node for barrier in session.waiting) if session.status == "waiting" else ""
    return Outcome(run.run, str(session.status), f"at {places}" if places else "")


async def _can_go_on(store: Store, run: RunRecord, prepared: Prepared) -> bool:
    """Whether an answer has come for a waiting run, or the time of one of its barriers is over."""
    import time

    from ..runtime.barriers.deciding import look

    if await store.decisions(run.run, waiting=True):
        return True
    if prepared.plan.hash != run.hash:
        return True  # it is to be moved, or somebody should hear that it cannot
    barriers = await look(store, prepared.unbound(), run.run)
    return any(barrier.deadline <= time.time() for barrier in barriers)


async def _apart(
    given_store: str, run: str, turns: asyncio.Semaphore, wanted: Wanted, as_json: bool
) -> list[Outcome]:
    """The runs that were started as this one was, in a process of their own."""
    words = [sys.executable, "-m", "lgc", "resume", "--all", "--like", run, "--json"]
    words += [*wanted.words(), *log_words()]
    if given_store:
        words += ["--store", given_store]
    outcomes: list[Outcome] = []
    async with turns:
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        async for line in process.stdout:
            outcome = _from_line(line.decode("utf-8", "replace"))
            if outcome is not None:
                outcomes.append(outcome)
                _tell(outcome, as_json)
        status = await process.wait()
    if status not in (FINE, FINDINGS):
        outcomes.append(_refusal(run, f"the process that went on with it ended with status {status}"))
        _tell(outcomes[-1], as_json)
    return outcomes


def _from_line(line: str) -> Outcome | None:
    """An outcome that a process told; None for anything else that nodes print."""
    try:
        data: Any = json.loads(line)
        error: dict[str, Any] | None = data.get("error")
        text: str = error["message"] if error else data.get("text", "")
        return Outcome(data["run"], data["status"], text, error)
    except (ValueError, KeyError, AttributeError):
        return None


def _refusal(run: str, message: str, hint: str = "") -> Outcome:
    return Outcome(run, "refused", message, {"kind": "Failure", "message": message, "help": hint})


def _tell(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        out(outcome.as_json())
        sys.stdout.flush()
        return
    style = output_style()
    status = style.red("refused") if outcome.status == "refused" else status_text(outcome.status, style)
    more = f": {printable(outcome.text)}" if outcome.error else f" {outcome.text}" if outcome.text else ""
    out(f"{status} {style.bold(printable(outcome.run))}{more}")


def _summary(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "nothing to go on with: every run is over, waits, or is being driven"
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.status] = counts.get(one.status, 0) + 1
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{len(outcomes)} run{'s' if len(outcomes) > 1 else ''} taken up: {told}"
