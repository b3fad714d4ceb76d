"""docs/running.md on events: the table is complete and true, and the Python on the page runs."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import compiled as compiled
from tests.runtime.event_grammar import Grammar
from tests.runtime.test_engine_random import Approves, Maker, Nodes

from lgc.runtime import EventKind, LgcError, MemoryStore, Session
from lgc.runtime.graph import bind

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## Watching a run\n")[2]


def table() -> dict[str, set[str]]:
    """The fields of `data` that the page names, by kind."""
    found: dict[str, set[str]] = {}
    for kinds, data in re.findall(r"^\| (`[a-z_`, ]+) \| ?(.*)\|$", PAGE, re.MULTILINE):
        named = set(re.findall(r"`([a-z]+)`", re.sub(r"\([^)]*\)", "", data)))
        for kind in re.findall(r"`([a-z_]+)`", kinds):
            found[kind] = named
    found.pop("kind")
    found["node_failed"] |= found["node_completed"]
    return found


def test_every_kind_is_in_the_table() -> None:
    assert table().keys() == {str(kind) for kind in EventKind}


def test_events_have_the_data_that_the_table_says(compiled: Callable[[str], Any]) -> None:
    seen: dict[str, set[str]] = {}

    async def one(seed: int, sink: Any) -> None:
        maker = Maker(seed)
        module, grammar = compiled(maker.text), Grammar()
        graph = bind(module.G_PLAN, Nodes(maker, module))
        state = module.S(inner=module.In())
        session = await Session.start(
            graph, state, store=MemoryStore(), trace_sink=grammar, barrier_sink=sink
        )
        try:
            await session.run()
        except LgcError as error:
            raise AssertionError(maker.text) from error
        for event in grammar.seen:
            seen.setdefault(str(event.kind), set()).update(event.data)

    for seed in range(300, 304):
        asyncio.run(one(seed, Approves()))
        asyncio.run(one(seed, None))
    named = table()
    assert len(seen) >= 10
    for kind, data in seen.items():
        assert data <= named[kind], kind
        if kind not in ("node_failed", "observed_error"):
            assert data == named[kind], kind


@contextmanager
def no_handlers() -> Generator[None]:
    """The root logger as it is in a new process."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def test_the_python_on_the_page_runs(
    compiled: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    module = compiled("state S { n: int = 0 }\ngraph g(S) { task a { reads n } start -> a -> end }")

    class N:
        async def a(self, ctx: Any) -> None:
            logging.getLogger("mine").warning("in a")

    traces, logs = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]
    names: dict[str, Any] = {"graph": bind(module.G_PLAN, N()), "state": module.S()}
    with no_handlers():
        exec(logs, names)  # noqa: S102
        exec(traces, names)  # noqa: S102
    assert str(names["result"].status) == "done"
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["node"] for line in lines if line["message"] == "in a"] == ["a"]
    assert "run_completed" in [line.get("event") for line in lines]
