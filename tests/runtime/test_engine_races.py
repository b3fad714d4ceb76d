"""What the checker says of races, held against the engine: where it is silent nothing depends on the order.

Random parallels, nested, with subgraphs through their lenses and maps, are checked; those without LG502 are
run with their branches finishing in several orders, and with their branches declared in several orders. And
pair by pair: two updates are reported exactly where some values make their order matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import combinations_with_replacement, permutations
from random import Random
from typing import Any

import pytest

from lgc.compiler import check
from lgc.dsl.source import Source
from lgc.runtime import MemoryStore, RunStatus, Session
from lgc.runtime.errors import LgcError
from lgc.runtime.graph import bind
from lgc.runtime.machine.join import perform_mutation
from lgc.runtime.values.typed_json import Applied
from lgc.runtime.values.undo import Undo

Compile = Callable[..., Any]

STATES = """
state Part {
  a: int = 0
  b: int = 0
  ys: list[int] = []
  sum: int = 0  merge sum
  mutation SetA(a)
  mutation AddB(v: int) { b += v }
  mutation NoteY(v: int) { ys += [v] }
  mutation SumUp(v: int) { sum += v }
}
state S {
  n: int = 0
  best: int = 0
  low: int = 9
  xs: list[int] = []
  seen: set[int] = [1, 2, 3]
  table: dict[int, int] = {1: 1, 2: 2}
  owner: int = 0
  total: int = 0
  gone: int = 0
  part: Part
  top: int = 3  merge max
  least: int = 3  merge min
  latest: int = 0  merge last
  summed: int = 0  merge sum
  log: list[int] = []  merge append
  entries: dict[int, int] = {}  merge union
  derived: int = 0  merge max
  mutation Add(v: int) { n += v }
  mutation Take(v: int) { n -= v }
  mutation Double() { n = n * 2 }
  mutation Best(v: int) { best = max(best, v) }
  mutation Worst(v: int) { best = min(best, v) }
  mutation Low(v: int) { low = min(low, v) }
  mutation Push(v: int) { xs += [v] }
  mutation Reset(v: int) { xs = [v] }
  mutation See(v: int) { seen += [v] }
  mutation Unsee(v: int) { seen -= [v] }
  mutation Put(v: int) { table[v % 2] = v * 10 + len(log) }
  mutation PutOther(v: int) { table[v % 2] = v * 100 }
  mutation Unite(v: int) { table += {v: v * 1000} }
  mutation Drop(v: int) { del table[v] }
  mutation Own(v: int) { owner = v }
  mutation Total() { total = n + 1 }
  mutation Numbered(v: int) { xs += [v * 100 + n] }
  mutation Go(v: int) { gone = v  n += 1 }
  mutation PartA(v: int) { part.a = v }
  mutation PartB(v: int) { part.b += v }
  mutation PartFrom(v: int) { part.b = part.a + v }
  mutation Top(v: int) { top = v }
  mutation Least(v: int) { least = v }
  mutation Latest(v: int) { latest = v }
  mutation Summed(v: int) { summed += v }
  mutation Log(v: int) { log += [v] }
  mutation Enter(v: int) { entries[v] = v }
  mutation Derive() { derived = n * 2 + best }
}
graph set_a(Part) { task sa { reads *  records SetA }  start -> sa -> end }
graph add_b(Part) { task ab { reads *  records AddB, NoteY }  start -> ab -> end }
graph sums(Part) {
  parallel two { branch x = s1  branch y = s2 }
  task s1 { records SumUp }
  task s2 { records SumUp }
  start -> two -> end
}
graph owns(S) { task ow { reads *  records Own, Add }  start -> ow -> end }
"""
COMPOSING = ["Add", "Take", "Best", "Low", "Push", "See", "Unite", "PartB"]
MERGED = ["Top", "Least", "Latest", "Summed", "Log", "Enter", "Derive"]
OTHERS = ["Double", "Own", "Total", "Go", "Reset", "PartA", "Numbered", "Unsee", "Worst", "PartFrom"]
BARE = {"Double", "Total", "Derive"}  # without a value


class Maker:
    """One random graph: `branches` of the outermost parallel, what its tasks record, and the rest of it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.number = 0
        self.records: dict[str, list[str]] = {
            "sa": ["SetA"], "ab": ["AddB", "NoteY"], "s1": ["SumUp"], "s2": ["SumUp"], "ow": ["Own", "Add"],
        }  # fmt: skip
        self.lines: list[str] = []
        self.others = OTHERS.copy()
        self.branches = [self.branch(2) for _ in range(self.random.randint(2, 3))]
        self.join = self.random.choice(["", "", "", "join first 2"])

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def branch(self, depth: int) -> str:
        nodes = [self.node(depth) for _ in range(self.random.randint(1, 2))]
        return f"branch {self.name('b')} {{ start -> {' -> '.join(nodes)} -> end }}"

    def node(self, depth: int) -> str:
        kind = self.random.choice(
            ["task"] * 6 + ["parallel"] * (2 if depth else 0) + ["field", "same", "map"]
        )
        name = self.name(kind[0])
        match kind:
            case "task":
                chosen = self.random.choices([*COMPOSING, *MERGED], k=self.random.randint(1, 2))
                if self.others and self.random.random() < 0.3:  # what one branch alone may do
                    chosen.append(self.others.pop(self.random.randrange(len(self.others))))
                self.records[name] = chosen
                self.lines.append(f"task {name} {{ reads *  records {', '.join(dict.fromkeys(chosen))} }}")
            case "parallel":
                self.lines.append(f"parallel {name} {{ {self.branch(depth - 1)} {self.branch(depth - 1)} }}")
            case "field":
                inner = self.random.choice(["set_a", "add_b", "add_b", "sums"])
                self.lines.append(f"subgraph {name} = {inner} {{ on part }}")
            case "same":
                self.lines.append(f"subgraph {name} = owns")
            case _:
                outs = self.random.choice(["Add(a)", "Push(a), Best(a)", "Unite(a)", "Top(a)", "Own(a)"])
                self.lines.append(f"map {name} = add_b {{ over [3, 1, 2] as i  in a = i  out {outs} }}")
        return name

    def text(self, order: tuple[int, ...] | None = None) -> str:
        """The file, with the branches of the outermost parallel in an order."""
        order = order or tuple(range(len(self.branches)))
        branches = "\n    ".join(self.branches[number] for number in order)
        body = "\n  ".join(self.lines)
        fork = f"parallel p {{\n    {branches}\n    {self.join}\n  }}"
        return STATES + f"graph g(S) {{\n  {body}\n  {fork}\n  start -> p -> end\n}}\n"


def conflicts(text: str) -> list[str]:
    """The messages of LG502."""
    found = check([Source("t.lgraph", text)], load=lambda path: None).diagnostics
    assert {d.code for d in found if d.severity == "error"} <= {"LG502"}, found
    return [d.message for d in found if d.code == "LG502"]


def value(node: str, mutation: str, seen: Any) -> int:
    """What a task records: a number of its own, and what it sees of numbers."""
    number = sum(map(ord, node)) * 7 + len(mutation)
    if mutation == "Put":
        return 1
    return number if mutation in ("Unite", "Enter") else number % 11 + getattr(seen, "n", 0) % 3


def final(module: Any, maker: Maker, ranks: dict[str, int], state: Any = None) -> Any:
    """The state at the end of a run whose tasks take as long as their ranks say."""

    class Nodes:
        def __getattr__(self, name: str) -> Any:
            if name not in maker.records:
                raise AttributeError(name)

            async def node(ctx: Any) -> None:
                for _ in range(ranks.get(name, 0) * 4):
                    await asyncio.sleep(0)
                for record in maker.records[name]:
                    kind = getattr(module, record)
                    field = next(iter(kind.model_fields), "")
                    ctx.record(kind(**{field: value(name, record, ctx.state)}) if field else kind())

            return node

    async def main() -> Any:
        graph = bind(module.G_PLAN, Nodes())
        given = module.S(part=module.Part()) if state is None else state
        session = await Session.start(graph, given, store=MemoryStore(), run_id="r")
        result = await session.run()
        assert result.status is RunStatus.DONE
        return result.state

    return asyncio.run(main())


def without_order(state: Any) -> dict[str, Any]:
    """A state without what the order of branches is meant to decide: that of lists, and `last`."""
    found: dict[str, Any] = dict(state.snapshot())
    found.pop("latest")
    found["part"] = {name: getattr(state.part, name) for name in ("a", "b", "ys", "sum")}

    def sorted_lists(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sorted_lists(one) for key, one in value.items()}  # pyright: ignore
        return sorted(value) if isinstance(value, (list, tuple)) else value  # pyright: ignore

    return {name: sorted_lists(value) for name, value in found.items()}


@pytest.mark.parametrize("block", range(3))
def test_where_the_checker_is_silent_the_order_does_not_matter(block: int, compiled: Compile) -> None:
    silent = reported = 0
    for seed in range(block * 16, block * 16 + 16):
        maker = Maker(seed)
        if conflicts(maker.text()):
            reported += 1
            continue
        silent += 1
        module = compiled(maker.text())
        random = Random(seed)
        runs = [
            final(module, maker, {name: random.randint(0, 5) for name in maker.records}) for _ in range(3)
        ]
        if maker.join:
            continue  # others may win; that none of them conflicts is all that is asked
        assert all(state == runs[0] for state in runs), (seed, maker.text())
        for order in list(permutations(range(len(maker.branches))))[-1:]:
            again = final(compiled(maker.text(order)), maker, {})
            assert without_order(again) == without_order(runs[0]), (seed, order, maker.text())
    assert silent > 3 and reported > 1


ALONE = ["Put", "PutOther", "Drop", "Log"]
SAME_BY_LUCK = {("Double", "Double"), ("Total", "Total")}
"""They overwrite each other, by what happens to be the same value whatever comes first."""
MEANT = {("Unite", "Unite")}
"""Uniting composes, although for the same key the entry of the last branch stays."""


def test_a_pair_of_updates_is_reported_where_some_values_make_the_order_matter(compiled: Compile) -> None:
    names = [*COMPOSING, *OTHERS, *ALONE]
    module = compiled(Maker(2).text(), despite="LG502")

    def apply(*mutations: Any) -> Any:
        state = module.S(part=module.Part(a=2), n=5)
        try:
            for mutation in mutations:
                perform_mutation(state, Applied(mutation, None), Undo())
        except LgcError:
            return "fails"
        return without_order(state)

    def made(name: str, number: int) -> Any:
        kind = getattr(module, name)
        return kind(**dict.fromkeys(kind.model_fields, number))

    def matters(one: str, other: str) -> bool:
        for v, w in ((1, 1), (1, 2), (2, 1), (9, 3)):
            first, second = made(one, v), made(other, w)
            if "fails" in (apply(first), apply(second)):
                continue
            forth, back = apply(first, second), apply(second, first)
            if forth != back or forth == "fails":
                return True
        return False

    pairs = list(combinations_with_replacement(names, 2))
    forks = "".join(
        f"  parallel p{at}_ {{ branch x = l{at}  branch y = r{at} }}\n"
        f"  task l{at} {{ records {one} }}\n  task r{at} {{ records {other} }}\n"
        for at, (one, other) in enumerate(pairs)
    )
    way = " -> ".join(f"p{at}_" for at in range(len(pairs)))
    messages = " ".join(conflicts(STATES + f"graph g(S) {{\n{forks}  start -> {way} -> end\n}}\n"))
    for at, pair in enumerate(pairs):
        reported = f"`p{at}_`" in messages
        if pair in MEANT:
            assert not reported
        elif pair in SAME_BY_LUCK:
            assert reported
        else:
            assert reported == matters(*pair), pair


@pytest.mark.parametrize(("rule", "conflict"), [("merge last", False), ("", True)])
def test_a_part_is_known_by_its_field_whatever_python_calls_it(
    rule: str, conflict: bool, compiled: Compile
) -> None:
    text = f"""
state Part {{ a: int = 0  mutation SetA(a) }}
state S {{ snapshot: Part  {rule}
  mutation Set(v: int) {{ snapshot.a = v }} }}
graph set_a(Part) {{ task sa {{ records SetA }}  start -> sa -> end }}
graph g(S) {{
  parallel p {{ branch x = s  branch y = t }}
  subgraph s = set_a {{ on snapshot }}
  task t {{ records Set }}
  start -> p -> end
}}
"""
    maker = Maker(0)
    maker.records |= {"t": ["Set"]}
    module = compiled(text, despite="LG502")
    state = module.S(snapshot=module.Part())
    assert state.__lg_fields__["snapshot"] != "snapshot"  # Python calls it otherwise
    assert bool(conflicts(text)) == conflict
    if conflict:
        with pytest.raises(LgcError, match=r"both write `snapshot\.a`"):
            final(module, maker, {}, state)
    else:
        assert final(module, maker, {}, state).snapshot()
