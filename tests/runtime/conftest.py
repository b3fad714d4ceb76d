"""Text of a graph to a module that runs, as `lgc build` and `import` do it; and what holds of any run."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime import Session, Store
from lgc.runtime.machine.frame import Frame
from lgc.runtime.machine.position import begin, from_snapshot, redo, to_snapshot
from lgc.runtime.sessions.restore import blanks
from lgc.runtime.values.typed_json import decode_checkpoint

_numbers = count(1)


@pytest.fixture
def compiled() -> Iterator[Callable[..., Any]]:
    """A function from the text of a file to its generated module; `despite` are errors to look over."""
    made: list[str] = []

    def build(text: str, despite: str = "") -> Any:
        name = f"graph{next(_numbers)}"
        checked = check([Source(f"{name}.lgraph", text)], load=lambda path: None)
        errors = [d for d in checked.diagnostics if d.severity == "error" and d.code != despite]
        assert not errors, "\n".join(f"{d.place}: {d.code} {d.message}" for d in errors)
        (source,) = checked.program.modules
        module = types.ModuleType(f"{name}_lg")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        exec(  # noqa: S102 - our own generator's output
            compile(generate(checked.program, source, version="0"), module.__name__, "exec"), module.__dict__
        )
        return module

    yield build
    for name in made:
        del sys.modules[name]


def same(left: Frame, right: Frame) -> None:
    """Two positions are the same: cursors, counters, states, effects, children."""
    assert (left.path, left.node, left.counts, left.taken, left.done) == (
        right.path, right.node, right.counts, right.taken, right.done,
    )  # fmt: skip
    assert left.state == right.state
    assert left.effects == right.effects
    for key, child in right.children.items():
        if key in left.children:
            same(left.children[key], child)


async def audited(store: Store, graph: Any, run: str, session: Session[Any] | None = None) -> list[Any]:
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


@pytest.fixture
def audit() -> Any:
    """`audited`, for the tests: a function of the store, the graph, the run and perhaps its session."""
    return audited
