"""Real `kill -9` at random moments of real runs, and the proof that nothing was lost and nothing was doubled.

A *life* is one process that drives a run from where the store has it. The parent forks a life, kills it after
a random time, looks at what is committed, and forks the next, until the run is done. It must then hold that

* the state is the one of a run that nobody disturbed;
* so is the log, frame by frame (what ran side by side may be interleaved otherwise), its steps without a gap;
* no task was started again after it had been committed;
* a kill cost at most the attempts that were under way: one for each frame that was active, its last.

`python tests/chaos/chaos.py --kills 500 --seed 1` prints one line for each run. The seed fixes how long each
life may last; what the process has done by then is up to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
RUN = "chaos"
# Frames that can be active at once: branch one, two of `deep`, three elements with two branches each.
WIDTH = 1 + 2 + 3 * 2
LIVES = 400
SECONDS = 120.0
# Where a server is, "" for files; what the schemas of this process begin with.
server = ""
PREFIX = f"chaos_{os.getpid()}"


class Log(NamedTuple):
    """What a store holds of the run: steps by frame, keys of the tasks committed, number of steps."""

    frames: dict[str, list[tuple[Any, ...]]]
    keys: set[str]
    steps: int


class Outcome(NamedTuple):
    """How a run ended: its state, its log, the kills it took, how many task starts were in vain."""

    state: str
    log: Log
    kills: int
    lost: int


class Broken(Exception):
    """A promise that was not kept."""


def store_at(path: Path, *, readonly: bool = False) -> Any:
    """The store of a run: the file, or with a server a schema that is called like its folder."""
    from lgc.runtime import open_store

    url = f"{server}&schema={PREFIX}_{path.parent.name}" if server else str(path)
    return open_store(url, readonly=readonly)


def serve(store: str) -> None:
    """Note where the runs are to be kept; without a server at hand, start over with one."""
    global server
    if store == "postgres":
        server = os.environ.get("LGC_TEST_POSTGRES", "")
        if not server:
            script = str(HERE.parents[1] / ".ci" / "postgres")
            os.execvp("bash", ["bash", script, "run", sys.executable, *sys.argv])


def forget(folder: Path) -> None:
    """Remove what a run has left."""
    shutil.rmtree(folder)
    if server:
        import psycopg

        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{PREFIX}_{folder.name}" CASCADE'.encode())


# --- a life -----------------------------------------------------------------------------------------------


async def drive(store_path: Path, rounds: int) -> str:
    """Start or restore the run and see it through, answering its barrier; the final state as JSON."""
    from lgc.runtime import BarrierDecision, RunNotFound, RunStatus, Session

    lg, nodes = import_module("chaos_lg"), import_module("chaos_nodes")
    own = nodes.ChaosNodes()
    graph = lg.chaos(own, same=lg.same(own), boxed=lg.boxed(own), element=lg.element(own))
    async with store_at(store_path) as store:
        session: Any
        try:
            session = await Session.restore(graph, store=store, run_id=RUN)
        except RunNotFound:
            session = await Session.start(graph, lg.Work(rounds=rounds), store=store, run_id=RUN)
        result = await session.run()
        while result.status is RunStatus.WAITING:
            for barrier in result.waiting:
                await session.decide(barrier.id, BarrierDecision.approve(), actor="chaos")
            result = await session.run()
        text: str = result.state.snapshot().model_dump_json()
        return text


def fork_life(store_path: Path, rounds: int, started: Path) -> int:
    """Fork a process that lives one life; its id. It leaves with 0 when the run is done."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        nodes: Any = import_module("chaos_nodes")
        nodes.STARTED = os.open(started, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        state = asyncio.run(drive(store_path, rounds))
        draft = started.with_suffix(".part")
        draft.write_text(state, encoding="utf-8")
        draft.replace(store_path.with_suffix(".state"))
        code = 0
    except BaseException as error:
        print(f"  a life ended with {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def end_life(child: int, after: float) -> int | None:
    """Wait so many seconds, then kill -9; the exit status, None if it was killed."""
    until = time.monotonic() + after
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if code == -signal.SIGKILL else code


# --- what is left of it -----------------------------------------------------------------------------------


async def _read(store_path: Path) -> Log:
    frames: dict[str, list[tuple[Any, ...]]] = {}
    keys: Counter[str] = Counter()
    steps = 0
    async with store_at(store_path, readonly=bool(server)) as store:
        async for record in store.replay(RUN):
            steps += 1
            if record.step != steps:
                raise Broken(f"step {record.step} stands where {steps} should")
            mutations = json.loads(record.mutations)
            keys.update(m["p"]["key"] for m in mutations if "key" in m["p"])
            row = (record.node, record.visit, record.outcome, record.next, record.edge, record.mutations)
            frames.setdefault(record.frame, []).append(row)
    doubled = [key for key, count in keys.items() if count > 1]
    if doubled:
        raise Broken(f"committed twice: {doubled}")
    return Log(frames, set(keys), steps)


def read_log(store_path: Path) -> Log:
    """What is committed; nothing where there is no store yet."""
    if not server and not store_path.exists():
        return Log({}, set(), 0)
    try:
        return asyncio.run(_read(store_path))
    except Exception as error:
        # Killed while the store was being made?
        if any(words in str(error) for words in ("no such table", "holds no runs yet")):
            return Log({}, set(), 0)
        raise


def starts(path: Path) -> list[tuple[str, int]]:
    """Keys and attempts of the tasks that a life started."""
    if not path.exists():
        return []
    rows = [line.rsplit(" ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(key, int(attempt)) for key, attempt in rows]


# --- one run ----------------------------------------------------------------------------------------------


def torment(folder: Path, rounds: int, chance: random.Random, *, longest: float) -> Outcome:
    """Drive one run to its end, killing each life after at most `longest` seconds (0: never)."""
    store_path = folder / "runs.db"
    lost = 0
    before = Log({}, set(), 0)
    for life in range(LIVES):  # each but the last ends with a kill
        started = folder / f"life-{life}.started"
        child = fork_life(store_path, rounds, started)
        code = end_life(child, chance.uniform(0.0, longest) if longest else SECONDS)
        if code or (code is None and not longest):
            raise Broken(f"life {life} ended with status {code}")
        after = read_log(store_path)
        lost += _judge_life(before, after, starts(started), killed=code is None)
        if code == 0:
            return Outcome(store_path.with_suffix(".state").read_text("utf-8"), after, life, lost)
        before = after
    raise Broken(f"not done after {LIVES} lives")


def _judge_life(before: Log, after: Log, started: list[tuple[str, int]], *, killed: bool) -> int:
    """Compare what a life did with what was there before and after; how many starts came to nothing."""
    for frame, rows in before.frames.items():
        if after.frames.get(frame, [])[: len(rows)] != rows:
            raise Broken(f"committed steps of frame {frame or '(graph)'} are gone or altered")
    again = sorted({key for key, _ in started} & before.keys)
    if again:
        raise Broken(f"started again although committed: {again}")
    twice = [one for one, count in Counter(started).items() if count > 1]
    if twice:
        raise Broken(f"started twice in one life: {twice}")
    in_vain = {key for key, _ in started} - after.keys
    if in_vain and not killed:
        raise Broken(f"a life that nobody killed started in vain: {sorted(in_vain)}")
    last = {
        key.rpartition("/")[0]: key for key, _ in started
    }  # of each frame: where the kill can have hit it
    early = sorted(in_vain - set(last.values()))
    if early:
        raise Broken(f"another task of the frame was started before these were committed: {early}")
    if len(in_vain) > WIDTH:
        raise Broken(
            f"{len(in_vain)} starts in vain where at most {WIDTH} tasks run at once: {sorted(in_vain)}"
        )
    return len(in_vain)


def compare(outcome: Outcome, calm: Outcome) -> None:
    """Raises Broken where a run differs from an undisturbed one."""
    if outcome.state != calm.state:
        raise Broken(f"the state differs\n  is     {outcome.state}\n  should {calm.state}")
    if outcome.log.steps != calm.log.steps:
        raise Broken(f"{outcome.log.steps} steps where {calm.log.steps} should be")
    for frame in sorted({*outcome.log.frames, *calm.log.frames}):
        is_, should = outcome.log.frames.get(frame), calm.log.frames.get(frame)
        if is_ != should:
            raise Broken(f"the log of frame {frame or '(graph)'} differs\n  is     {is_}\n  should {should}")


# --- all of them ------------------------------------------------------------------------------------------


def build(folder: Path) -> None:
    """Compile the graph with the command, as a user would."""
    lgc = Path(sys.executable).parent / "lgc"
    source = str(HERE / "chaos.lgraph")
    done = subprocess.run(
        [str(lgc), "build", source, "--out", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Broken(f"`lgc build` failed\n{done.stdout}{done.stderr}")
    found = next(folder.rglob("chaos_lg.py"))
    sys.path[:0] = [str(found.parent), str(HERE)]


def main() -> int:
    words = argparse.ArgumentParser(
        description="Kill real runs with kill -9 and see whether they come back whole."
    )
    words.add_argument("--kills", type=int, default=500, help="how many kills (500)")
    words.add_argument("--seed", type=int, default=None, help="where chance begins (the time)")
    words.add_argument("--rounds", type=int, default=3, help="passes of the outer loop (3)")
    words.add_argument("--keep", action="store_true", help="keep the stores of a failure")
    words.add_argument(
        "--store", choices=("sqlite", "postgres"), default="sqlite", help="where runs are kept"
    )
    given = words.parse_args()
    serve(given.store)
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        build(folder / "generated")
        return _all(folder, given.kills, seed, given.rounds)
    except Broken as error:
        print(
            f"BROKEN: {error}\nrepeat with: python tests/chaos/chaos.py --kills {given.kills} --seed {seed}"
            f" --store {given.store}"
        )
        if given.keep:
            print(f"the stores are in {folder}")
        return 1
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _all(folder: Path, wanted: int, seed: int, rounds: int) -> int:
    import_module("chaos_nodes")  # once, here: every life is a fork
    import_module("lgc.runtime.sessions.session")
    import_module("lgc.runtime.store.sqlite.store")
    if server:
        import_module("lgc.runtime.store.postgres.opened")
    (folder / "calm").mkdir()
    began = time.monotonic()
    calm = torment(folder / "calm", rounds, random.Random(seed), longest=0.0)
    length = time.monotonic() - began
    print(f"seed {seed}: an undisturbed run has {calm.log.steps} steps and {len(calm.log.frames)} frames, "
          f"and takes {length:.2f} s", flush=True)  # fmt: skip
    kills = lost = runs = 0
    while kills < wanted:
        own = seed + runs + 1
        place = folder / f"run-{runs}"
        place.mkdir()
        try:
            outcome = torment(place, rounds, random.Random(own), longest=length / 2)
            compare(outcome, calm)
        except Broken as error:
            raise Broken(f"run {runs} (seed {own}): {error}") from error
        runs += 1
        kills += outcome.kills
        lost += outcome.lost
        print(
            f"  run {runs}: seed {own}, {outcome.kills} kills, {outcome.lost} starts in vain, ok", flush=True
        )
        forget(place)
    forget(folder / "calm")
    vain, seconds = lost / max(kills, 1), time.monotonic() - began
    print(f"{kills} kills in {runs} runs, {seconds:.0f} s: every run ended as an undisturbed one;")
    print(f"no committed step lost or doubled, {vain:.2f} task starts in vain for each kill")
    return 0


if __name__ == "__main__":
    sys.exit(main())
