"""Where runs can be parked, and what they have logged, after a `migrate` block (LG708, LG709)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...dsl import ast
from .. import model as m
from ..types import show
from .block import Block, labels, only, region_words
from .shape import Params, Spot, Update


def places(block: Block) -> None:
    """Every node where a run can be parked has a place."""
    unplaced: set[str] = set()  # parallels whose branches need no place
    for name in _outer_first(block.old.nodes):
        spot, move = block.old.nodes[name], block.steps.moves.get(name)
        if spot.region.partition("/")[0] in unplaced:
            unplaced.add(name)
        elif move is not None:
            unplaced.add(name)
            _moved(block, name, spot, move)
        elif not _placed(block, name, spot):
            unplaced.add(name)


def _moved(block: Block, name: str, spot: Spot, move: ast.Move) -> None:
    """A node whose runs go on elsewhere."""
    new, region = block.new, block.steps.region(spot.region)
    there = new.nodes.get(move.new.text)
    if there is not None and there.region != region:
        message = f"a run parked at `{name}` is in {region_words(region)}, `{move.new.text}` in "
        place = labels(there.place, "it is here")
        block.error("LG708", message + region_words(there.region), move.new, "", *place)
    stays = new.nodes.get(name)
    renamed = block.steps.renamed_to("node", name)
    if stays is not None and renamed is None and not any(_obstacles(block, spot, stays)):
        message = f"node `{name}` is moved, but the new graph has it"
        place = labels(stays.place, "it is here")
        block.error("LG707", message, move.old, "a run that is parked there can stay", *place)


def _placed(block: Block, name: str, spot: Spot) -> bool:
    """Report what keeps a run from staying at a node; whether it is there."""
    target = block.steps.new_name("node", name)
    there = block.new.nodes.get(target)
    if there is None:
        if name == target:
            _gone(block, name, spot)
        return False
    for what in _obstacles(block, spot, there):
        message = f"a run may be parked at {block.called('node', name).rstrip(',')}: {what}"
        help = f"keep it, or say where such a run goes on: `move {name} to NODE`"
        block.error("LG708", message, block.at("node", name), help, *labels(there.place, "it is here"))
    return there.kind == spot.kind


def _gone(block: Block, name: str, spot: Spot) -> None:
    """A node that is not there any more."""
    near = only(
        other
        for other, there in block.new.nodes.items()
        if other not in block.old.nodes
        and not block.steps.renamed_to("node", other)
        and (there.kind, there.region) == (spot.kind, block.steps.region(spot.region))
    )
    help = f"add `move {name} to NODE`, or `rename node {name} to {near or 'NODE'}`"
    block.missing("LG708", f"a run may be parked at `{name}`, which is gone", help)


def _obstacles(block: Block, old: Spot, new: Spot) -> Iterable[str]:
    """Why a run that is parked at a node cannot stay there."""
    region = block.steps.region(old.region)
    if old.kind != new.kind:
        yield f"it was a {old.kind} and is a {new.kind}"
        return
    if region != new.region:
        yield f"it was in {region_words(region)} and is in {region_words(new.region)}"
    for decision, params in old.decisions.items():
        if decision not in new.decisions:
            yield f"the barrier no longer offers `{decision}`"
        elif (why := _answer(block, params, new.decisions[decision])) is not None:
            yield f"its decision `{decision}` {why}"
    for target in sorted(block.steps.new_name("node", one) for one in old.reroute):
        if target not in new.reroute:
            yield f"its decider can no longer send the run to `{target}`"
    for mutation in sorted(block.steps.new_name("mutation", one) for one in old.modify):
        if mutation not in new.modify:
            yield f"its decider can no longer record `{mutation}`"
    if old.graph.partition("#")[0] != new.graph:
        yield f"it ran graph `{old.graph}` and runs `{new.graph}`"
    elif (old.lens, block.steps.new_name("field", old.field)) != (new.lens, new.field):
        yield "its graph reaches its state in another way"


def _answer(block: Block, old: Params, new: Params) -> str | None:
    """Why an answer that somebody was told of is none any more."""
    before, after = dict(old), dict(new)
    for name, type in old:
        if name not in after:
            return f"no longer takes `{name}`"
        if show(type) != show(after[name]):  # who was told what it takes may answer yet
            return f"takes `{name}` as `{show(after[name])}`, it was `{show(type)}`"
        if (why := block.fitting.why_not(type, after[name])) is not None:
            return f"takes another `{name}`: {why}"
    more = [name for name in after if name not in before]
    return f"takes `{more[0]}` now" if more else None


def logged(block: Block) -> None:
    """Every mutation that a run can have logged has a name; one that is still to be applied also fits.

    What is in the log is replayed under the graph that it was logged under, whatever its parameters are now.
    One that changed only what is dropped may be gone.
    """
    old, new, kept = block.old, block.new, block.old.kept()
    for name in sorted(old.recorded()):
        update, target = old.mutations.get(name), block.steps.new_name("mutation", name)
        if update is None:
            continue
        if (there := new.mutations.get(target)) is not None:
            if name in kept and (why := _unlike(block, update, there)) is not None:
                message = (
                    f"{block.called('mutation', name)} may wait to be applied, and could not be read: {why}"
                )
                help = f"keep `{target}` as it was, and give what is new another name"
                place = labels(there.place, "declared here")
                block.error("LG709", message, block.at("mutation", name), help, *place)
        elif target == name and (name in kept or not update.writes <= block.steps.drops.keys()):
            message = f"a logged `{name}` could not be read: there is no such mutation"
            near = _like(block, update) or "NAME"
            help = f"add `rename mutation {name} to {near}`, or keep the mutation"
            block.missing("LG709", message, help)


def _like(block: Block, old: Update) -> str | None:
    """The one new mutation that an old one may have become."""
    return only(
        name
        for name, one in block.new.mutations.items()
        if name not in block.old.mutations
        and not block.steps.renamed_to("mutation", name)
        and _parameters(block, old, one) is None
    )


def _unlike(block: Block, old: Update, new: Update) -> str | None:
    """Why a mutation that waits to be applied cannot be."""
    if old.external != new.external:
        return "it is computed in another way"
    writes = frozenset(block.steps.new_name("field", name) for name in old.writes)
    if old.external and writes != new.writes:
        return "it writes other fields"
    return _parameters(block, old, new)


def _parameters(block: Block, old: Update, new: Update) -> str | None:
    """Why logged arguments fit no more. The parameters of short forms follow their fields' names."""
    after = dict(new.params)
    taken: set[str] = set()
    for name, type in old.params:
        target = name if name in after else block.steps.new_name("field", name)
        if target not in after:
            return f"it no longer takes `{name}`"
        if (why := block.fitting.why_not(type, after[target])) is not None:
            return f"it takes another `{target}`: {why}"
        taken.add(target)
    for name, type in new.params:
        if name not in taken and not isinstance(type, m.OptionalOf | m.Unknown):
            return f"it takes `{name}` now"
    return None


def _outer_first(nodes: Mapping[str, Spot]) -> list[str]:
    """The names of nodes, a parallel before what is in its branches."""

    def depth(name: str) -> int:
        found, seen = 0, {name}
        while (region := nodes[name].region) and (name := region.partition("/")[0]) in nodes:
            if name in seen:
                break  # a form that nobody compiled
            seen.add(name)
            found += 1
        return found

    return sorted(nodes, key=lambda name: (depth(name), name))
