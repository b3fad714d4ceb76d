"""Random runs of a design: steps as the engine would commit them, without its waiting and calling."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from lgc.runtime import BarrierDecision, MemoryStore, plan
from lgc.runtime.barriers.barrier import resolve, timed_out, to_record
from lgc.runtime.errors import LgcError
from lgc.runtime.graph import Graph
from lgc.runtime.machine.completion import Completion, complete, complete_joined
from lgc.runtime.machine.frame import Frame
from lgc.runtime.machine.position import begin, detail_of
from lgc.runtime.store.records import Commit, MutationRecord, RunRecord, RunStatus
from lgc.runtime.values.typed_json import encode_mutations, encode_state

_NO = ""


class Runner:
    """Makes one run in a store and stops it after a number of steps, or where it cannot go on."""

    def __init__(self, random: Random, graph: Graph[Any], store: MemoryStore, run: str) -> None:
        self.random, self.graph, self.store, self.run = random, graph, store, run
        self.step = 0
        self.fence = 0
        self.stuck: set[tuple[str, str]] = set()

    async def make(self, steps: int) -> Frame | None:
        """The position at the end; None where the run could not begin."""
        state = self.graph.plan.state()
        try:
            root = begin(self.graph, state, 0.0)
        except LgcError:
            return None
        record = RunRecord(self.run, "g", self.graph.hash, RunStatus.RUNNING, encode_state(state), 0.0, 0.0)
        await self.store.create_run(record)
        self.fence = await self.store.take(self.run, "somebody")
        for _ in range(steps):
            frames = [one for one in self.leaves(root) if (one.path, one.node) not in self.stuck]
            if not frames:
                break
            frame = self.random.choice(frames)
            if frame.steps() >= frame.limit or not await self.go(frame):
                self.stuck.add((frame.path, frame.node))
        return root

    def leaves(self, frame: Frame) -> list[Frame]:
        """The frames that can do something now."""
        if frame.node == plan.END:
            return []
        node = frame.plan.nodes[frame.node]
        if not isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)):
            return [frame]
        found: list[Frame] = []
        try:
            keys = self.keys(frame, node)
            for key in keys:
                found += self.leaves(frame.child(key))
        except LgcError:
            return [frame] if self.on_error(frame) else []
        ended = sum(child.node == plan.END for child in frame.children.values())
        need = node.join if isinstance(node, plan.Parallel) else len(keys)
        if ended >= need and (need < len(keys) or ended == len(keys)):
            found += [frame] * 3
        elif self.on_error(frame) and len(frame.children) - ended > len(keys) - need:
            found.append(frame)
        return found

    @staticmethod
    def keys(frame: Frame, node: plan.Node) -> list[str | int]:
        match node:
            case plan.Parallel():
                return list(node.branches)
            case plan.Map():
                return list(range(len(frame.elements(node))))
            case _:
                return [_NO]

    @staticmethod
    def on_error(frame: Frame) -> bool:
        route = frame.plan.routes.get(frame.node)
        return route is not None and "error" in route.on

    async def go(self, frame: Frame) -> bool:
        """One step of a frame; False where it cannot be made."""
        node = frame.plan.nodes[frame.node]
        try:
            match node:
                case plan.Task():
                    return await self.task(frame, node)
                case plan.Decision():
                    return await self.commit(frame, complete(frame))
                case plan.Barrier():
                    return await self.barrier(frame, node)
                case _:
                    return await self.join(frame, node)
        except LgcError:
            return False

    async def task(self, frame: Frame, node: plan.Task) -> bool:
        random = self.random
        if self.on_error(frame) and random.random() < 0.25:
            return await self.commit(frame, complete(frame, "error"), error="as drawn")
        if node.effect == "once" and random.random() < 0.1:
            done = complete(frame, "skip", ensures=node.ensures)
            return await self.commit(frame, done, detail={"settled": "skip", "actor": "eve"})
        mutations = [kind(**{p: random.randint(-1, 4) for p in kind.model_fields}) for kind in node.records]
        mutations = [one for one in mutations if random.random() < 0.7]
        goto = random.choice(node.goto) if node.goto and random.random() < 0.4 else None
        return await self.commit(frame, complete(frame, "ok", mutations, goto, node.ensures))

    async def barrier(self, frame: Frame, node: plan.Barrier) -> bool:
        random = self.random
        if random.random() < 0.5:
            return False  # nobody answers: the run waits here
        place = frame.where(node.name)
        detail: dict[str, Any] = {"barrier": f"{place}#1@x", "shown": {}}
        if random.random() < 0.2:
            given = timed_out(frame, node)
            done = complete(frame, given.outcome, given.mutations, given.goto, then=given.records)
            return await self.commit(frame, done, detail=detail)
        modify = [kind(k=random.randint(0, 3)) for kind in node.modify if random.random() < 0.5]
        if node.reroute and random.random() < 0.3:
            decision = BarrierDecision("reroute", {"node": random.choice(node.reroute)}, tuple(modify))
        else:
            name = random.choice(list(node.answers))
            fields = node.answers[name].arguments.model_fields
            decision = BarrierDecision(name, {p: random.randint(0, 3) for p in fields}, tuple(modify))
        record = to_record(self.graph.plan, self.run, place, decision, "eve", 1.0)
        given = resolve(frame, node, record)
        done = complete(frame, given.outcome, given.mutations, given.goto, then=given.records)
        id = await self.store.add_decision(record)
        return await self.commit(frame, done, detail={**detail, "decision": id, "actor": "eve"}, decision=id)

    async def join(self, frame: Frame, node: plan.Node) -> bool:
        assert isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map))
        keys = self.keys(frame, node)
        ended = sorted(
            (child for child in frame.children.values() if child.node == plan.END),
            key=lambda child: child.since,
        )
        need = node.join if isinstance(node, plan.Parallel) else len(keys)
        if len(ended) >= need:
            taken = {child.key for child in ended[:need]}
            done = complete_joined(frame, [key for key in keys if key in taken])
            return await self.commit(frame, done, joined=True)
        there = {child.key for child in ended}
        failed = [key for key in keys if key not in there]
        collect = not isinstance(node, plan.Subgraph) and node.collect
        if not collect:
            self.random.shuffle(failed)
            failed = failed[: len(keys) - need + 1]
        won = [key for key in keys if key in there] if collect else []
        done = complete_joined(frame, won, "error")
        detail = {"failed": {str(key): "as drawn" for key in failed}}
        return await self.commit(frame, done, joined=True, detail=detail, error="as drawn")

    async def commit(
        self,
        frame: Frame,
        done: Completion,
        *,
        joined: bool = False,
        detail: dict[str, Any] | None = None,
        decision: int = 0,
        error: str = "",
    ) -> bool:
        """Keep a step."""
        self.step += 1
        frame.since = float(self.step)
        found = detail_of(frame, done, joined) | (detail or {})
        record = MutationRecord(
            self.run, self.step, frame.path, done.node, done.visit, done.outcome, done.next, done.edge,
            encode_mutations(done.applied), frame.since, 0.0, 1, 0.0, error, "", self.graph.hash,
            json.dumps(found) if found else "",
        )  # fmt: skip
        await self.store.commit(Commit(self.run, self.fence, record, decision=decision))
        return True
