"""What must hold of any stored run, whatever it did."""

from __future__ import annotations

from typing import Any

from lgc.runtime import Session, Store
from lgc.runtime.frame import Frame
from lgc.runtime.position import begin, from_snapshot, redo, to_snapshot
from lgc.runtime.restore import blanks
from lgc.runtime.typed_json import decode_checkpoint


def same(left: Frame, right: Frame) -> None:
    """Two positions are the same: cursors, counters, states, effects, children."""
    assert (left.path, left.node, left.counts, left.taken, left.done) == (
        right.path, right.node, right.counts, right.taken, right.done,
    )  # fmt: skip
    assert left.state == right.state
    assert left.effects == right.effects
    started = {key: child for key, child in left.children.items()}
    for key, child in right.children.items():
        if key in started:
            same(started[key], child)


async def audit(store: Store, graph: Any, run: str, session: Session[Any] | None = None) -> list[Any]:
    """Log = state at every step, steps without gaps, snapshots complete; returns the log."""
    record = await store.get_run(run)
    values = blanks(graph)
    kind = graph.plan.state
    root = begin(graph, kind.restore(decode_checkpoint(kind, record.input), values), record.created)
    log = [step async for step in store.replay(run)]
    assert [step.step for step in log] == list(range(1, len(log) + 1))
    for step in log:
        redo(root, step)
        again = from_snapshot(graph, to_snapshot(root), values)
        same(root, again)
        root = again  # the rest of the log must fit a position that was read back, too
    if session is not None:
        assert root.state.snapshot() == session.state.snapshot()
        assert root.node == session._engine.root.node  # pyright: ignore[reportPrivateUsage]
    return log
