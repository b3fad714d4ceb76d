"""Structured logging: events as records, where a node's own records are from, lines of JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.runtime.test_engine_random import Approves

from lgc.runtime import (
    JsonFormatter,
    LgcError,
    LoggingSink,
    MemoryStore,
    RunContextFilter,
    Session,
)
from lgc.runtime.graph import bind

Compile = Callable[[str], Any]
OWN = logging.getLogger("test.nodes")

GRAPH = """
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) {
  parallel p { branch a = one  branch b = two }
  task one { reads n  retry 1 backoff 1ms..2ms }
  task two { reads n }
  barrier ok { timeout 1h  shows n }
  task last { reads n }
  start -> p -> ok
  ok -> last on approve
  ok -> end on reject
  ok -> end on timeout
  last -> end
}
"""


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []
        self.lines: list[dict[str, Any]] = []
        self.addFilter(RunContextFilter())
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(json.loads(self.format(record), parse_constant=lambda name: pytest.fail(name)))


@pytest.fixture
def heard() -> Iterator[Records]:
    handler = Records()
    loggers = [logging.getLogger("lgc.run"), OWN]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


class N:
    async def one(self, ctx: Any) -> None:
        OWN.info("one begins")
        await asyncio.sleep(0.01)
        if ctx.attempt == 1:
            raise OSError("busy")
        OWN.info("one ends")

    def two(self, ctx: Any) -> None:
        OWN.info("two, in a thread")

    async def last(self, ctx: Any) -> None:
        OWN.warning("last", extra={"amount": 3, "node": "mine"})


def drive(m: Any, nodes: Any, **more: Any) -> None:
    async def main() -> None:
        OWN.info("outside")
        session = await Session.start(
            bind(m.G_PLAN, nodes), m.S(), store=MemoryStore(), run_id="r", barrier_sink=Approves(), **more
        )
        await session.run()
        OWN.info("outside again")

    asyncio.run(main())


def test_records_of_events(heard: Records, compiled: Compile) -> None:
    drive(compiled(GRAPH), N(), trace_sink=LoggingSink())
    events = [r for r in heard.records if r.name == "lgc.run"]
    assert [r.event for r in events if r.frame in ("", "p/a") and r.levelno > logging.DEBUG] == [
        "run_started", "node_retried", "node_completed", "node_completed", "barrier_waiting",
        "barrier_resolved", "node_completed", "node_completed", "run_completed",
    ]  # fmt: skip
    assert {(r.run, r.graph) for r in events} == {("r", "g")}
    (retried,) = [r for r in events if r.event == "node_retried"]
    assert retried.levelno == logging.WARNING
    assert (retried.frame, retried.node, retried.attempt, retried.span) == ("p/a", "one", 1, "r/p#1/a/one#1")
    assert "busy" in retried.getMessage() and "p/a/one" in retried.getMessage()
    (waiting,) = [r for r in events if r.event == "barrier_waiting"]
    assert "shown" not in waiting.data  # what people are shown does not go into logs
    steps = [r.step for r in events]
    assert steps == sorted(steps) and steps[-1] == 5


def test_records_of_nodes_say_where_they_are_from(heard: Records, compiled: Compile) -> None:
    drive(compiled(GRAPH), N(), trace_sink=LoggingSink())
    own = [line for line in heard.lines if line["logger"] == "test.nodes"]
    found = {(line["message"], line.get("attempt")): line for line in own}
    outside = found["outside", 0]
    assert "run" not in outside and found["outside again", 0].keys() == outside.keys()
    one = found["one ends", 2]
    assert (one["run"], one["graph"], one["frame"], one["node"]) == ("r", "g", "p/a", "one")
    assert one["span"] == "r/p#1/a/one#1" and ("one begins", 1) in found and ("one begins", 2) in found
    thread = found["two, in a thread", 1]
    assert (thread["run"], thread["frame"], thread["node"]) == ("r", "p/b", "two")
    last = found["last", 1]
    assert last["amount"] == 3 and last["node"] == "mine"  # what the record says itself stays
    assert last["span"] == "r/last#1" and last["step"] == 4 and last["level"] == "warning"
    assert last["time"].endswith("+00:00")


def test_failures_are_errors_of_the_run_and_what_is_off_costs_no_record(
    heard: Records, compiled: Compile
) -> None:
    m = compiled(GRAPH)
    logging.getLogger("lgc.run").setLevel(logging.ERROR)

    class Fails(N):
        async def last(self, ctx: Any) -> None:
            OWN.info("still known")
            raise ValueError("no number")

    with pytest.raises(LgcError):
        drive(m, Fails(), trace_sink=LoggingSink())
    events = [r for r in heard.records if r.name == "lgc.run"]
    assert [(r.event, r.levelno) for r in events] == [("run_failed", logging.ERROR)]
    assert "no number" in events[0].getMessage()
    assert [r.node for r in heard.records if r.getMessage() == "still known"] == ["last"]


def test_any_record_is_one_line_of_json(heard: Records) -> None:
    loop: list[Any] = []
    loop.append(loop)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        OWN.exception("it %s", "broke", extra={"nan": float("nan"), "loop": loop, "kind": {1, 2}})
    (line,) = heard.lines
    assert line["message"] == "it broke" and "ValueError: two\nlines" in line["exception"]
    assert line["nan"] == "nan" and line["kind"] == "{1, 2}" and line["loop"].startswith("[")


def test_a_logger_of_ones_own(heard: Records, compiled: Compile) -> None:
    drive(compiled(GRAPH), N(), trace_sink=LoggingSink(OWN))
    assert [r for r in heard.records if r.name == "lgc.run"] == []
    assert len([r for r in heard.records if hasattr(r, "event")]) > 10
