"""What any sequence of control events must obey: order, pairs, nesting, steps, nothing before its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lgc.runtime import GraphEvent, MemoryStore
from lgc.runtime.store.records import Commit

RUN_OVER = {"run_completed", "run_failed", "run_cancelled", "run_waiting", "run_stopped"}
NODE_OVER = {"node_completed", "node_failed", "node_stopped"}


async def until(test: Callable[[], object]) -> None:
    """Wait for something that nobody tells of."""
    while not test():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


class Grammar:
    """A trace sink that notes each breach in `wrong` (the engine would catch what it raised)."""

    def __init__(self, store: Any = None) -> None:
        self.store = store
        self.seen: list[GraphEvent] = []
        self.wrong: list[str] = []
        self.open: dict[str, GraphEvent] = {}
        self.waiting: set[str] = set()
        self.done: set[str] = set()  # spans that have completed and never come back
        self.last: GraphEvent | None = None  # the step that was told last
        self.going = False
        self.step = 0

    def record(self, event: GraphEvent) -> None:
        self.seen.append(event)
        try:
            self.check(event, str(event.kind))
        except (AssertionError, KeyError) as error:
            self.wrong.append(f"{event.kind} {event.span}: {type(error).__name__} {error}")

    def check(self, event: GraphEvent, kind: str) -> None:
        if kind == "run_started":
            assert not self.going, "already going"
            self.going = True
            self.open, self.waiting = {}, set()
            assert {"graph", "hash", "resumed"} <= event.data.keys(), "data"
            assert (event.span, event.parent, event.node) == (event.run, "", ""), "the run's span"
            self.step = event.step
            return
        assert self.going, "outside of a run"
        assert event.step >= self.step, f"step {event.step} after {self.step}"
        if event.node:
            assert kind.startswith("branch") or event.data.get("visit", 0) >= 1, "visit"
            assert event.parent == event.run or event.parent in self.open or event.span in self.open, "parent"
        if kind in RUN_OVER:
            self.run_over(event, kind)
        elif kind in ("node_started", "branch_started"):
            assert event.span not in self.open, "begun twice"
            assert event.span not in self.done, "begun after it was over"
            self.open[event.span] = event
        elif kind in NODE_OVER or kind == "branch_completed":
            self.over(event, kind)
        elif kind == "checkpoint_saved":
            assert self.last is not None and self.last.step == event.step == self.step, "a step that was told"
            assert event.data["checkpoint"], "id"
        elif kind != "observed_error":
            assert event.span in self.open, "of nothing that is open"
            if kind == "barrier_waiting":
                assert event.span not in self.waiting, "told twice"
                self.waiting.add(event.span)
        else:
            assert event.data["level"] in ("warning", "degraded", "partial_failure"), "level"

    def run_over(self, event: GraphEvent, kind: str) -> None:
        self.going = False
        left = set(self.open)
        if kind == "run_waiting":  # barriers, and what they lie in
            for span in self.waiting:
                while span != event.run:
                    left.discard(span)
                    span = self.open[span].parent
        assert not left, f"left open: {left}"

    def over(self, event: GraphEvent, kind: str) -> None:
        begun = self.open.pop(event.span)
        assert (begun.node, begun.frame, begun.parent) == (event.node, event.frame, event.parent), "whose end"
        inside = [span for span, one in self.open.items() if one.parent == event.span]
        assert not inside, f"ends around {inside}"
        self.waiting.discard(event.span)
        if kind in ("node_completed", "node_failed") and "next" in event.data:
            assert event.step == self.step + 1, "steps are told in order"
            self.step, self.last = event.step, event
            self.done.add(event.span)
            if self.store is not None:
                assert event.step in self.store.kept, "told before it is durable"
        if kind == "node_failed":
            assert event.data["error"] and event.data["type"], "why"


class Keeping(MemoryStore):
    """Takes its time for a commit, knows what is durable, and can fail from a step on."""

    in_doubt = 3  # turns of the loop

    def __init__(self, fails: int = 0) -> None:
        super().__init__()
        self.kept: set[int] = set()
        self.fails = fails

    async def commit(self, commit: Commit) -> None:
        for _ in range(self.in_doubt):
            await asyncio.sleep(0)
        if self.fails and commit.record is not None and commit.record.step >= self.fails:
            raise OSError("the disk is gone")
        await super().commit(commit)
        if commit.record is not None:
            for _ in range(self.in_doubt):
                await asyncio.sleep(0)
            self.kept.add(commit.record.step)
