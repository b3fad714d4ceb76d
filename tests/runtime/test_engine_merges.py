"""Merge rules of parts: fields of sub-states, sub-states and records as a whole; functions that compute."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lgc.runtime import MemoryStore, MergeConflict, Session
from lgc.runtime.graph import bind

Compile = Callable[..., Any]

TEXT = """
opaque Model = "builtins:object"
record Size { width: int = 0  height: int = 0 }
state Part {
  score: int = 0
  best:  int = 0  INNER
  title: str?
  tags:  set[str] = []
  transient model: Model?
}
state S {
  part: Part       WHOLE
  size: Size = Size(width = 1, height = 1)  RECORD
  mutation Left(n: int)  { part.score = n  part.best = n  part.tags += ["l"]  size.width = n }
  mutation Right(n: int) { part.title = "r"  part.best = n  part.tags += ["r"]  size.height = n }
}
graph g(S) {
  task a { records Left }
  task b { records Right }
  task show { reads * }
  BODY
}
"""
FLAT = "parallel p { branch x = a  branch y = b }  start -> p -> show -> end"
NESTED = (
    "parallel q { branch u = p  branch v { start -> idle -> end } }  task idle {}\n"
    "  parallel p { branch x = a  branch y = b }\n  start -> q -> show -> end"
)


def text(inner: str = "", whole: str = "", record: str = "", body: str = FLAT) -> str:
    made = TEXT.replace("INNER", inner).replace("WHOLE", whole)
    return made.replace("RECORD", record).replace("BODY", body)


def ran(audit: Any, m: Any) -> Any:
    """The state at the end of a run that `a` and `b` record in; the stored log gives the same again."""

    class Nodes:
        async def a(self, ctx: Any) -> None:
            ctx.record(m.Left(n=5))

        async def b(self, ctx: Any) -> None:
            ctx.record(m.Right(n=3))

        async def show(self, ctx: Any) -> None:
            pass

        async def idle(self, ctx: Any) -> None:
            pass

    async def main() -> Any:
        store = MemoryStore()
        session = await Session.start(
            bind(m.G_PLAN, Nodes()), m.S(part=m.Part(model="held")), store=store, run_id="r"
        )
        result = await session.run()
        await audit(store, bind(m.G_PLAN, Nodes()), "r")
        return result.state

    return asyncio.run(main())


@pytest.mark.parametrize("body", [FLAT, NESTED])
@pytest.mark.parametrize(("rule", "best"), [("max", 5), ("last", 3), ("sum", 8)])
def test_a_field_of_a_sub_state_is_merged_by_its_own_rule(
    body: str, rule: str, best: int, audit: Any, compiled: Compile
) -> None:
    state = ran(audit, compiled(text(f"merge {rule}", record="merge last", body=body)))
    assert (state.part.best, state.part.score, state.part.title) == (best, 5, "r")
    assert state.part.tags == {"l", "r"}
    assert state.part.model == "held"


def test_without_a_rule_it_is_a_conflict(audit: Any, compiled: Compile) -> None:
    m = compiled(text(), despite="LG502")
    with pytest.raises(MergeConflict, match=r"part\.best"):
        ran(audit, m)


@pytest.mark.parametrize("body", [FLAT, NESTED])
def test_the_last_branch_gives_the_whole_of_what_has_a_rule(body: str, audit: Any, compiled: Compile) -> None:
    state = ran(audit, compiled(text("merge max", whole="merge last", record="merge last", body=body)))
    part = state.part
    assert (part.score, part.best, part.title, part.tags, part.model) == (0, 3, "r", {"r"}, "held")
    assert (state.size.width, state.size.height) == (1, 3)


@pytest.mark.parametrize("body", [FLAT, NESTED])
def test_a_function_joins_what_branches_changed_in_part(
    body: str, audit: Any, compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def parts(before: Any, values: list[Any]) -> Any:
        seen.append([(v.score, v.title) for v in values])
        before.score = sum(v.score for v in values)
        before.tags = set().union(*(v.tags for v in values))
        return before

    def sizes(before: Any, values: list[Any]) -> Any:
        return before.model_copy(update={"width": max(v.width for v in values)})

    monkeypatch.setitem(sys.modules, "tests_merges", SimpleNamespace(parts=parts, sizes=sizes))
    rules = {"whole": 'merge custom "tests_merges:parts"', "record": 'merge custom "tests_merges:sizes"'}
    state = ran(audit, compiled(text(**rules, body=body)))
    assert seen[0] == [(5, None), (0, "r")]
    assert (state.part.score, state.part.title, state.part.tags) == (5, None, {"l", "r"})
    assert (state.size.width, state.size.height) == (5, 1)
    assert len(seen) == (1 if body == FLAT else 2)  # a stored step is not computed again


LENS = """
state Part { best: int = 0  merge max   mutation Best(best) }
graph one(Part) { task low { records Best }  start -> low -> end }
graph other(Part) { task high { records Best }  start -> high -> end }
state S { part: Part }
graph g(S) {
  subgraph x = one { on part }
  subgraph y = other { on part }
  parallel p { branch a = x  branch b = y }
  task show { reads part }
  start -> p -> show -> end
}
"""


def test_graphs_on_one_sub_state_are_joined_by_its_rules(audit: Any, compiled: Compile) -> None:
    m = compiled(LENS)

    class Nodes:
        async def low(self, ctx: Any) -> None:
            ctx.record(m.Best(best=7))

        async def high(self, ctx: Any) -> None:
            ctx.record(m.Best(best=4))

        async def show(self, ctx: Any) -> None:
            assert ctx.state.part.best == 7

    async def main() -> Any:
        store = MemoryStore()
        session = await Session.start(bind(m.G_PLAN, Nodes()), m.S(), store=store, run_id="r")
        result = await session.run()
        await audit(store, bind(m.G_PLAN, Nodes()), "r")
        return result.state

    assert asyncio.run(main()).part.best == 7


COMPUTED = """
state Item { n: int = 0 }
graph one(Item) { task look { reads n }  start -> look -> end }
state S {
  xs:    list[int] = [5, -2, 3]
  total: int = 100  merge sum
  mutation Count(n: int) = "tests_merges:count" writes total
}
graph g(S) {
  map each = one { over xs as x  in n = x  out Count(n) }
  task show { reads total }
  start -> each -> show -> end
}
"""


def test_a_function_sees_the_state_before_the_map(
    audit: Any, compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(state: Any, mutation: Any) -> dict[str, int]:
        return {"total": state.total + mutation.n}

    monkeypatch.setitem(sys.modules, "tests_merges", SimpleNamespace(count=count))
    m = compiled(COMPUTED)

    class Nodes:
        def look(self, ctx: Any) -> None: ...

        def show(self, ctx: Any) -> None: ...

    async def main() -> Any:
        store = MemoryStore()
        session = await Session.start(bind(m.G_PLAN, Nodes()), m.S(), store=store, run_id="r")
        result = await session.run()
        await audit(store, bind(m.G_PLAN, Nodes()), "r")
        return result.state

    assert asyncio.run(main()).total == 106
