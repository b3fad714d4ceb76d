"""Many parked runs of one graph in a store, quickly: a few are driven, the others are copies with values of
their own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from lgc.runtime import MemoryStore, Session, Store
from lgc.runtime.store.records import MutationRecord, RunRecord, RunStatus

GRAPH = """
enum Verdict { accept, revise }

state Article {
  topic:    str
  draft:    str?
  notes:    list[str] = []
  score:    float = 0.0
  verdict:  Verdict?
  revision: int = 0

  mutation SetDraft(text: str) { draft = text  notes = []  revision += 1 }
  mutation AddNote(text: str) { notes += [text] }
  mutation Grade(score, verdict)
}

graph article(Article) {
  task write { reads topic, notes  records SetDraft  ensures draft }
  parallel check {
    branch facts { start -> check_facts -> check_context -> end }
    branch style { start -> check_length -> end }
  }
  task check_facts   { reads draft  records AddNote }
  task check_context { reads draft  records AddNote }
  task check_length  { reads draft  records AddNote }
  task grade { reads draft!, notes  records Grade  ensures verdict }
  barrier sign_off {
    shows draft, score
    timeout 2d
    decision approve
    decision reject(reason: str) records AddNote(reason)
  }
  task publish { reads draft!, revision }

  start -> write -> check -> grade
  grade -> sign_off when verdict == Verdict.accept and score >= 0.5
  grade -> write    when verdict == Verdict.revise max_visits 9
  grade -> end      else
  sign_off -> publish on approve
  sign_off -> write   on reject
  sign_off -> end     on timeout
  publish -> end
}
"""

EDITS = {
    "same": ("", ""),
    # Nobody who is parked has been at `publish`.
    "ahead": ("task publish { reads draft!, revision }", "task publish { reads draft!, revision, score }"),
    # All have been at `grade`: only their logs say whether they went the same way.
    "guard": ("score >= 0.5", "score >= 0.6"),
    # One run in ten holds a value that the new type has not.
    "type": ("score:    float = 0.0", "score:    float = 0.0  range 0.0..0.95"),
    # All values count, so that no two runs are in the same situation.
    "body": ("draft = text  notes = []  revision += 1", 'draft = text + ""  notes = []  revision += 1'),
}

# What stands for a run's own values in the texts of the run that it is a copy of.
_TOPIC, _SCORE, _GOOD = "the topic of this run", 0.123456, 0.654321
_LOOPS = 5


def edited(name: str) -> str:
    """The graph after one of the edits."""
    old, new = EDITS[name]
    assert old in GRAPH
    return GRAPH.replace(old, new) if old else GRAPH


@dataclass(frozen=True, slots=True)
class Driven:
    """A run that was really driven: what a store keeps of it."""

    run: RunRecord
    log: tuple[MutationRecord, ...]


async def driven(module: Any, loops: int) -> Driven:
    """A run that revises so often and then waits for its sign-off."""
    store = MemoryStore()
    passes = 0

    async def write(ctx: Any) -> None:
        ctx.record(module.SetDraft(text=f"{_TOPIC}: " + "words " * 20))

    async def note(ctx: Any) -> None:
        ctx.record(module.AddNote(text=f"{_TOPIC}: a remark"))

    async def grade(ctx: Any) -> None:
        nonlocal passes
        passes += 1
        good = passes > loops
        verdict = module.Verdict.accept if good else module.Verdict.revise
        ctx.record(module.Grade(score=_GOOD if good else _SCORE, verdict=verdict))

    nodes = SimpleNamespace(
        write=write, check_facts=note, check_context=note, check_length=note, grade=grade, publish=note
    )
    async with store:
        state = module.Article(topic=_TOPIC)
        session = await Session.start(module.article(nodes), state, store=store, run_id="model")
        await session.run()
        log = tuple([record async for record in store.replay("model")])
        return Driven(await store.get_run("model"), log)


def copies(models: list[Driven], count: int, seed: int = 7) -> Iterator[Driven]:
    """So many runs that differ from the models in all their values."""
    chance = random.Random(seed)
    for number in range(count):
        model = models[number % len(models)]
        run, topic = f"run-{number:06}", f"topic {number} {chance.random():.6f}"
        good, bad = 0.5 + chance.randrange(50_000) / 100_000, chance.randrange(50_000) / 100_000
        log = tuple(
            record._replace(run=run, mutations=_own(record.mutations, topic, good, bad), checkpoint="")
            for record in model.log
        )
        created = model.run.created + number
        yield Driven(
            RunRecord(
                run, "article", model.run.hash, RunStatus.WAITING, _own(model.run.input, topic, good, bad),
                created, created,
            ),
            log,
        )  # fmt: skip


def _own(text: str, topic: str, good: float, bad: float) -> str:
    return text.replace(_TOPIC, topic).replace(str(_GOOD), repr(good)).replace(str(_SCORE), repr(bad))


async def fill(module: Any, store: Store, count: int) -> None:
    """Put that many parked runs into a store."""
    models = [await driven(module, loops) for loops in range(_LOOPS)]
    await store.put_graph(
        module.ARTICLE_HASH, "article", module.article(SimpleNamespace(**_none())).plan.canonical
    )
    for one in copies(models, count):
        await store.create_run(one.run)
        await store.append_batch(one.log)
        await store.take(one.run.run, "")


def _none() -> dict[str, Any]:
    names = ("write", "check_facts", "check_context", "check_length", "grade", "publish")
    return dict.fromkeys(names, print)
