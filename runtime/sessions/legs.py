"""From the moves of a run to its legs: under which graph each part of its history was made.

A run that was moved at steps 3 and 7 has three legs. The position after step 3 is there twice: as the first
leg left it, and as the second one begins. The log leads through a leg; from one to the next leads only the
snapshot that was made with the move.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import LgcError
from ..forms.version import Version, version_from, version_of_plan
from ..graph import Graph, known
from ..store.protocols import Store
from ..store.records import OverrideRecord, RunRecord


class Leg(NamedTuple):
    """A part of a run's history under one graph.

    Attributes:
        number: from 0.
        hash: of the graph.
        first: the step after which it begins, 0 for the first leg.
        last: the step after which the run was moved on, None where it has not been.
        move: how it came here; None for the first leg.
    """

    number: int
    hash: str
    first: int = 0
    last: int | None = None
    move: OverrideRecord | None = None

    def has(self, step: int) -> bool:
        """Whether the position after a step is one of this leg."""
        return self.first <= step and (self.last is None or step <= self.last)


async def legs_of(store: Store, run: RunRecord) -> list[Leg]:
    """The legs of a run, oldest first. Raises CheckpointCorrupted, StorageError."""
    moves = await store.overrides(run.run)
    if not moves:
        return [Leg(0, run.hash)]
    legs = [Leg(0, moves[0].expected, 0, moves[0].step)]
    for number, move in enumerate(moves, 1):
        last = moves[number].step if number < len(moves) else None
        legs.append(Leg(number, move.actual, move.step, last, move))
    return legs


def leg_at(legs: list[Leg], step: int | None, hash: str = "") -> Leg:
    """The leg of the position after a step (None: the last one).

    Where the run was moved at just that step: the one under `hash`, else the one that made the step.
    """
    if step is None:
        return legs[-1]
    there = [leg for leg in legs if leg.has(step)]
    if not there:  # of a step that the run has yet to make
        return legs[-1]
    return next((leg for leg in reversed(there) if leg.hash == hash), there[0])


def before_move(run: str, step: int, number: int) -> str:
    """The id of the checkpoint with the position before a run's move of that number (from 1)."""
    return f"{run}@{step}-before-move-{number}"


def after_move(run: str, step: int, number: int) -> str:
    """The id of the checkpoint with the position after it."""
    return f"{run}@{step}-after-move-{number}"


async def version_of(store: Store, hash: str, given: Graph[Any] | None = None) -> Version | None:
    """The version of a hash: of the graph given, of one that is bound in this process, or as it is stored.

    None where it is nowhere. Raises CheckpointCorrupted, StorageError.
    """
    graph = given if given is not None and given.hash == hash else known(hash)
    if graph is not None:
        return version_of_plan(graph.plan)
    try:
        return await version_from(hash, store.get_graph)
    except ValueError as error:
        raise LgcError(f"the stored form of graph {hash[:20]} cannot be read: {error}") from error


async def graph_of(store: Store, hash: str) -> Graph[Any]:
    """A graph of a hash, perhaps without functions: enough to look at a run. Raises LgcError."""
    graph = known(hash)
    if graph is not None:
        return graph
    version = await version_of(store, hash)
    if version is None:
        raise LgcError(
            f"the form of graph {hash[:20]} is not in the store, and no graph of that hash is bound in this"
            " process",
            hint="import the generated module, bind the graph, and pass it as graph=…",
        )
    return graph_from(version)


def graph_from(version: Version) -> Graph[Any]:
    """The same for a version that has been read. Raises LgcError."""
    graph = known(version.hash)
    if graph is not None:
        return graph
    try:
        return version.graph
    except ValueError as error:
        raise LgcError(
            f"no graph can be made of the stored form {version.hash[:20]}: {error}",
            hint="import the module that was generated from its source, and bind the graph",
        ) from error
