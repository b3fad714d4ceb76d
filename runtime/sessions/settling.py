"""What a person says of an `effect once` node that a run died in, and what the run makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from .. import plan
from ..engine.engine import Engine
from ..engine.lane import Lane
from ..errors import DecisionRefused, LgcError, MutationRejected, RunUncertain
from ..machine.completion import complete
from ..machine.frame import Frame
from ..machine.position import locate
from ..store.records import Commit
from ..values.state import Mutation
from ..values.typed_json import Applied, encode_mutations


class Settlement(StrEnum):
    """What a person says of an `effect once` node that the run died in."""

    RETRY = "retry"
    SKIP = "skip"


def uncertain(engine: Engine) -> list[tuple[Frame, str]]:
    """The frames that stand at a node whose call was begun and never heard of again, with the node's name."""
    found: list[tuple[Frame, str]] = []
    for path, name, visit in engine.begun:
        try:
            frame = locate(engine.root, path)
        except (KeyError, LgcError):
            continue
        if frame.node == name and frame.visits(name) + 1 == visit:
            found.append((frame, name))
    return found


def refuse_uncertain(engine: Engine) -> None:
    """Raise RunUncertain where a person has to say something first."""
    for frame, name in uncertain(engine):
        raise RunUncertain(
            f"the run died inside `{name}`, which is `effect once`: it may or may not have happened",
            run=engine.run, node=frame.where(name), step=engine.step,
        )  # fmt: skip


async def settle(engine: Engine, node: str, how: Settlement | str | Sequence[Mutation], actor: str) -> None:
    """Do what a person says: call it again, or commit the step that it would have made.

    Raises DecisionRefused, MutationRejected, NodeFailed.
    """
    if isinstance(how, str) and how not in tuple(Settlement):
        raise DecisionRefused(f"`{how}` is not `retry`, `skip` or a list of mutations", run=engine.run)
    meant = [(frame, name) for frame, name in uncertain(engine) if node in (name, frame.where(name))]
    if not meant:
        raise DecisionRefused(f"`{node}` is not uncertain", run=engine.run)
    if len(meant) > 1:
        places = ", ".join(f"`{frame.where(name)}`" for frame, name in meant)
        raise DecisionRefused(f"`{node}` could be any of {places}", run=engine.run)
    ((frame, name),) = meant
    if how != Settlement.RETRY:
        await _commit(engine, frame, name, how, actor)
        return
    key = (frame.path, name, frame.visits(name) + 1)
    if engine.store is not None:
        await engine.commit(None, Commit(engine.run, engine.fence, settled=(key,)))
    engine.begun.pop(key, None)
    engine.again[key] = actor


async def _commit(engine: Engine, frame: Frame, name: str, how: str | Sequence[Mutation], actor: str) -> None:
    """Commit the step that the node would have made."""
    mutations: Sequence[Mutation] = [] if isinstance(how, str) else list(how)
    node = frame.plan.nodes[name]
    assert isinstance(node, plan.Task)
    for mutation in mutations:
        if type(mutation) not in node.records:
            raise MutationRejected(
                f"`{name}` does not declare `{type(mutation).__name__}`",
                run=engine.run, node=frame.where(name), step=engine.step,
            )  # fmt: skip
    try:
        encode_mutations([Applied(one) for one in mutations])
        engine.node_started(frame, name, frame.visits(name) + 1)
        done = complete(frame, "skip" if isinstance(how, str) else "ok", mutations, ensures=node.ensures)
    except LgcError as error:
        raise error.at(run=engine.run, node=frame.where(name), step=engine.step) from None
    await engine.commit_step(
        Lane(engine, frame), frame, done, started=engine.clock.time(), duration=0.0,
        detail={"settled": str(how) if isinstance(how, str) else "records", "actor": actor},
    )  # fmt: skip
