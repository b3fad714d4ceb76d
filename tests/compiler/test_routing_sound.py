"""What is decided about edges, against the runtime's own choice of an edge, on random guards and states.

A seed makes a graph of many nodes whose edges have random guards. Its generated guards are asked in many
states, those at the bounds among them, with the edges that may be used up used up or not. In guards of the
decided kind over few fields every region has a state, so that both directions are exact: a dead edge is one
that no state takes, a routing is exhaustive if every state takes an edge.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from lgc.compiler.analyses import Analyses
from lgc.compiler.codegen import generate
from lgc.compiler.context import Context
from lgc.compiler.graph_view import GraphView
from lgc.compiler.model import Key, Program
from lgc.compiler.project import load_project
from lgc.compiler.resolve import resolve
from lgc.compiler.routing.decide import Routing
from lgc.compiler.routing.domains import Made, Member
from lgc.compiler.routing.sources import Routed, routed
from lgc.dsl.source import Source
from lgc.runtime.errors import EvaluationError, Unrouted
from lgc.runtime.machine.frame import choose

STATE = """
enum E { a, b, c }
record P { n: int = 0  t: str? }
record Q { k: int = 0 }
union U = P | Q
state T {
  k: int = 0  range 0..9
  z: str?
  mutation Fill(k, z)
}
state S {
  i: int = 0  range 0..5
  j: int = 0
  f: float = 0.0  range 0.0..1.0
  g: float?
  b: bool = false
  c: bool?
  e: E = E.a
  o: E?
  n: int?
  s: str = ""
  t: str?
  w: duration = 1s
  u: U?
  p: P?
  xs: list[int] = []
  m: decimal = 1  range 0.5..9.5
  d: decimal?
  day: date = "2031-12-24"
  at: datetime = "2031-12-24T10:00:00Z"
  raw: bytes = ""
  id: uuid?
  sub: T
  code: str = "abc"  length 3..5
  pat: str = "ab"  pattern "^[a-c]+$"
  few: list[int] = [1]  length 1..3
  mutation Set(i, j)
}
"""

# Values of each field: the constants that guards use, what lies between them, the ends.
POOLS: dict[str, tuple[Any, ...]] = {
    "i": (0, 1, 2, 3, 4, 5),
    "j": (-7, 0, 1, 2, 3, 4, 9),
    "f": (0.0, 0.1, 0.25, 0.4, 0.5, 0.75, 1.0),
    "g": (None, -2.0, 0.0, 0.1, 0.25, 0.4, 0.5, 0.7, 1.0, 7.5),
    "b": (False, True),
    "c": (None, False, True),
    "e": ("E.a", "E.b", "E.c"),
    "o": (None, "E.a", "E.b", "E.c"),
    "n": (None, -1, 0, 1, 2, 3, 8),
    "s": ("", " ", "a", "aa", "b", "bb", "c", "d", "m", "z"),
    "t": (None, "", " ", "a", "aa", "b", "zz"),
    "w": tuple(timedelta(seconds=seconds) for seconds in (0, 30, 35, 40, 50, 60, 86400)),
    "u": (None, "P0", "P2", "P4", "Q0", "Q5"),
    "p": (None, *(f"P{n}{t}" for n in (0, 2, 4) for t in ("", "a", "b"))),
    "xs": tuple((1, 3, 2, 4)[:count] for count in range(5)),
    "m": tuple(map(Decimal, ("0.5", "0.75", "1", "1.25", "1.5", "2", "2.5", "9", "9.5"))),
    "d": (None, *map(Decimal, ("-3", "0", "1", "1.2", "1.5", "1.7", "2", "40"))),
    "day": tuple(
        map(date.fromisoformat, ("2030-01-01", "2031-12-31", "2032-01-01", "2032-01-02", "2032-01-03"))
    ),
    "at": tuple(datetime(2031, 1, 1, hour, minute, tzinfo=UTC) for hour in (9, 10, 11) for minute in (0, 30)),
    "raw": (b"", b"a", b"ab", b"b", b"other"),
    "id": (None, UUID(int=0), UUID(int=1), UUID(int=2)),
    "sub": tuple((k, z) for k in (0, 2, 3, 9) for z in (None, "", "a", "aa", "b")),
    "code": ("aaa", "abc", "abcd", "abd", "zzzzz", "   ", "other"),
    "pat": ("a", "ab", "aba", "abc", "b", "c", "cc", "bcabc"),
    "few": ((1,), (1, 2), (1, 2, 3)),
}


# ruff: noqa: E501
# What is decided, by the field that it is about.
DECIDED: dict[str, tuple[str, ...]] = {
    "i": ("i > 1", "i <= 3", "i == 3", "1 < i", "i in [1, 3, 9]", "i != 1", "i > 3 and i < 4", "i >= 0", "i > 5"),
    "j": ("j > 1", "j < 3", "j == 1", "j not in [1, 3]", "3 >= j", "j > 1 and j < 2", "not (j == 3)", "j < 1.5"),
    "f": ("f > 0.5", "f <= 0.5", "f == 0.25", "0.25 <= f", "f < 0", "f <= 1", "f in [0.25, 0.5]"),
    "g": ("g == none", "(g ?? 0.5) > 0.25", "g != none and g < 0.5", "(g ?? 1) == 1", "g == 0.5", "(g ?? 0) < 0.25"),
    "b": ("b", "not b", "b == true", "b != false", "b in [true]", "(true if b else false)"),
    "c": ("c == true", "c ?? false", "c == none", "not (c ?? true)", "c != false", "(c == none) == b"),
    "e": ("e == E.a", "e != E.b", "e in [E.a, E.b]", "E.c == e", "e not in [E.c]"),
    "o": ("o == E.a", "o == none", "o != E.b", "o in [E.a, E.c]", "(o ?? E.b) == E.b", "not (o != none)"),
    "n": ("n == none", "n != none and n > 1", "n == none or n <= 1", "(n ?? 3) > 1", "n == 1", "n in [1, 2]", "(n ?? 0) < 1"),
    "s": ('s == "a"', 's < "b"', 's >= "b"', 's in ["a", "m"]', 's != ""', 's == "b" or s > "c"'),
    "t": ('t == "a"', "t == none", 't != none and t < "b"', '(t ?? "a") == "a"', 't in ["", "b"]', 't != "b"'),
    "w": ("w > 30s", "w <= 1m", "w == 30s", "w in [30s, 1m]", "w >= 40s"),
    "u": ("u is P", "u is Q", "u == none", "not (u is P)", "u is P and u.n > 2", "u is Q and u.k == 0"),
    "p": ("p == none", "(p?.n ?? 2) > 2", "p != none and p.n <= 2", "p?.t == none", 'p?.t == "a"', "p?.n == 2"),
    "xs": ("len(xs) > 1", "xs == []", "len(xs) == 1", "xs != []", "len(xs) >= 0", "len(xs) in [0, 3]", "len(xs) < 2"),
    "m": ("m > 1", "m <= 2", "m == 1.5", "m in [1, 2]", "m >= 0.5", "m < 0.5", "not (m < 9.5)", "m > 1 and m < 1.5"),
    "d": ("d == none", "(d ?? 1) > 1.5", "d != none and d < 1", "d == 1.5", "d in [1, 2]", "(d ?? 0) >= 1"),
    "day": ('day < "2032-01-01"', 'day == "2032-01-01"', 'day > "2032-01-01" and day < "2032-01-03"', 'day >= "2032-01-02"'),
    "at": ('at < "2031-01-01T10:00:00Z"', 'at == "2031-01-01T10:00:00Z"', 'at >= "2031-01-01T12:00:00+02:00"', 'at > "2031-01-01T10:00:00Z"'),
    "raw": ('raw == "a"', 'raw != "ab"', 'raw in ["a", "b"]', 'raw == ""', "len(raw) == len(raw)"),
    "id": (f'id == "{UUID(int=1)}"', "id == none", f'id in ["{UUID(int=1)}", "{UUID(int=0)}"]', f'id != "{UUID(int=0)}"'),
    "sub": ("sub.k > 2", "sub.k <= 9", "sub.z == none", 'sub.z == "a"', "sub.k == 2", "sub.k < 0", 'sub.z != none and sub.z < "b"'),
    "code": ('code == "abc"', 'code != "ab"', 'code >= "abc"', 'code == "abcdef"', 'code in ["abcd", "x"]', 'code < "abd"'),
    "pat": ('pat == "ab"', 'pat == "d"', 'pat < "b"', 'pat in ["ab", "q"]', 'not (pat == "abc")'),
    "few": ("len(few) > 1", "few == []", "len(few) == 3", "len(few) <= 3", "len(few) in [1, 2]", "few != []"),
}  # fmt: skip

OTHERS = (
    'contains(s, "a")', 'startswith(s, "a")', "i < j", "j > i", "i >= j", "i == j", "i != j", "i + j > 3", "i + j <= 3",
    "j * 2 == 4", "1 in xs", "contains(xs, 1)", "1 not in xs", "e == o", "o == e", "n == j", "10 / j > 3", "10 / j <= 3",
    "xs[0] == 1", "xs[0] != 1", 'int(s) > 3', "f < (g ?? 0.5)", "g == f", "f * f > 0.5", "f * f <= 0.5", "s == t",
    "(i if b else j) > 2", "(n ?? j) < 2", "any([b, c ?? false])", "all([b])", "visits(x0) > 0", "steps() < 3",
    "u == p", "(p ?? P()).n > 2", "abs(j) > 3", "len(s) > 1", "len(t ?? s) == 1", "(g ?? f) > (f if b else 0.25)",
    "i in [j, 3]", "min(i, j) < 1", "b == (i > 2)", "g != none and g * 1e308 * 10 - g * 1e308 * 10 < 1", "xs == [1, 2]",
    "len(s) < i", "len(s) < j", "i < j and j > 3", "j < (n ?? 0)", "s < (t ?? s)", "code < s", "len(code) == 4", "len(pat) > 1",
    "len(raw) > 0", "m < (d ?? m)", "(d ?? 0) * 2 > m", "len(code) > i", "i % 3 == 2", "j % 2 == -1", "abs(j) < 0", "abs(f) >= 0",
    "sub.k > i", "sub.k == len(s)", 'endswith(code, "c")', "at == at", "day != day", "w * 2 > 1m", "len(few) == len(xs)", "few[0] > 1",
    'contains(pat, "b")', 'pat >= "a"', "sub.z == t", 'pat in ["ab", s]', "len(t ?? pat) >= 1", "steps() % 2 == 0", "visits(x0) % 2 == 1",
)  # fmt: skip


def guard(random: Random, atoms: tuple[str, ...], depth: int) -> str:
    """A random guard."""
    if depth == 0 or random.random() < 0.35:
        return random.choice(atoms)
    left, right = guard(random, atoms, depth - 1), guard(random, atoms, depth - 1)
    match random.randrange(6):
        case 0:
            return f"not ({left})"
        case 1 | 2:
            return f"({left}) and ({right})"
        case 3 | 4:
            return f"({left}) or ({right})"
        case _:
            return f"(({left}) if ({right}) else ({guard(random, atoms, 0)}))"


def node(random: Random, name: str, atoms: tuple[str, ...]) -> str:
    """The edges of one node."""
    edges: list[str] = []
    for k in range(random.randint(1, 4)):
        limit = " max_visits 2" if random.random() < 0.25 else ""
        edges.append(f"  {name} -> y{k} when {guard(random, atoms, random.randint(0, 3))}{limit}")
    if random.random() < 0.3:
        edges.append(f"  {name} -> end else{random.choice(('', ' max_visits 1'))}")
    return "\n".join(edges) + "\n"


class Frame:
    """What `choose` asks of a frame."""

    def __init__(self, plan: Any, state: Any, closed: frozenset[str], steps: int) -> None:
        self.plan, self.state, self.closed, self.count = plan, state, closed, steps

    def edge_count(self, key: str) -> int:
        return 99 if key in self.closed else 0

    def visits(self, node: str) -> int:
        return self.count

    def steps(self) -> int:
        return self.count

    def where(self, node: str) -> str:
        return node


def resolved(bodies: dict[str, str]) -> tuple[Program, Any, frozenset[tuple[str, str]]]:
    """A graph of nodes with these edges, and those of which a guard makes no sense."""
    names = "".join(f"  decision {name}\n" for name in bodies)
    ends = "".join(f"  decision y{k}\n  y{k} -> end\n" for k in range(4))
    starts = "".join(f"  start -> {name} when j == {at}\n" for at, name in enumerate(bodies))
    edges = "".join(bodies.values())
    text = f"{STATE}graph g(S) {{\n{names}{ends}{starts}  start -> end else\n{edges}}}\n"
    context = Context()
    project = load_project(context, [Source("g.lgraph", text)], lambda path: None, None)
    found = resolve(context, project)
    gaps = found.gaps[Key("g.lgraph", "g")]
    assert bool(context.findings) is bool(gaps.unclear), context.findings
    return found.program, found.gaps, gaps.unclear


class Case:
    """A graph with what is decided about its nodes, and the means to ask the runtime.

    Nodes with a guard that makes no sense (`n == none and n is asked again`) are left out.
    """

    def __init__(self, bodies: dict[str, str]) -> None:
        program, gaps, unclear = resolved(bodies)
        self.bodies = {name: body for name, body in bodies.items() if (name, "") not in unclear}
        if len(self.bodies) < len(bodies):
            program, gaps, _ = resolved(self.bodies)
        key = Key("g.lgraph", "g")
        view = GraphView(program.graphs[key], gaps[key], Analyses(program, gaps))
        self.routed: dict[str, Routed] = {one.source: one for one in routed(view) if one.source != "start"}
        self.module = ModuleType("routing_sound_lg")
        sys.modules[self.module.__name__] = self.module
        code = generate(program, program.modules[0], version="0")
        exec(compile(code, "routing_sound_lg.py", "exec"), self.module.__dict__)  # noqa: S102 - our generator's
        self.plan: Any = next(v for n, v in vars(self.module).items() if n.endswith("_PLAN"))

    def value(self, name: str, value: Any) -> Any:
        """A value of a pool as the generated module has it."""
        made = vars(self.module)
        match value:
            case str() if value.startswith("E."):
                return getattr(made["E"], value[2:])
            case str() if value[:1] in ("P", "Q"):
                if value[0] == "Q":
                    return made["Q"](k=int(value[1]))
                return made["P"](n=int(value[1]), t=value[2:] or None)
            case (int(k), None | str() as z) if name == "sub":
                return made["T"](k=k, z=z)
            case _:
                return value

    def state(self, values: dict[str, Any]) -> Any:
        return vars(self.module)["S"](**{name: self.value(name, value) for name, value in values.items()})

    def chosen(self, source: str, state: Any, closed: frozenset[str], steps: int = 1) -> int | str:
        """The number of the edge taken; else `unrouted` or `failed`."""
        edges = self.plan.routes[source].edges
        try:
            taken = choose(Frame(self.plan, state, closed, steps), source, "ok")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        except Unrouted:
            return "unrouted"
        except EvaluationError:
            return "failed"
        return next(at for at, edge in enumerate(edges) if edge is taken)

    def closable(self, source: str) -> frozenset[str]:
        return frozenset(e.key for e in self.plan.routes[source].edges if e.max_visits is not None)


def routings(case: Case) -> Iterator[tuple[str, Routing]]:
    """What is decided, by node."""
    assert len(case.bodies) > 15
    for source in case.bodies:
        yield source, case.routed[source].routing


def subsets(keys: frozenset[str]) -> list[frozenset[str]]:
    """All sets of some of the edges."""
    found: list[frozenset[str]] = [frozenset()]
    for key in keys:
        found += [some | {key} for some in found]
    return found


def given(case: Case, routing: Routing) -> Any:
    """The state with the values that a finding shows, the others as they are by default."""
    made, values, parts = vars(case.module), dict[str, Any](), dict[str, dict[str, Any]]()
    records: dict[str, str] = {}
    for variable, value in routing.gap or ():
        name, *rest = variable.path
        if name == "sub":
            values[name] = {**values.get(name, {}), rest[0]: value}
        elif variable.words.startswith("len("):
            values[name] = (1,) * value
        elif rest:
            parts.setdefault(name, {})[rest[0]] = value
        elif isinstance(value, Key):
            records[name] = value.name
        elif isinstance(value, Made):
            records[name] = "P"
        else:
            values[name] = f"E.{value.name}" if isinstance(value, Member) else value
    if "sub" in values:
        values["sub"] = (values["sub"].get("k", 0), values["sub"].get("z"))
    for name in {*parts, *records} - set(values):
        record = records.get(name, "Q" if "k" in parts[name] else "P") if name in parts else records[name]
        fields = {
            field: value for field, value in parts.get(name, {}).items() if field in "nt" or record == "Q"
        }
        values[name] = made[record](**fields)
    return case.state(values)


@pytest.mark.parametrize("seed", range(14))
def test_decided_guards_are_decided_exactly(seed: int) -> None:
    random = Random(seed)
    fields = {f"x{k}": random.sample(sorted(POOLS), random.randint(1, 3)) for k in range(40)}
    for chosen in fields.values():
        if "c" in chosen and "b" not in chosen:
            chosen.append("b")
    bodies = {
        name: node(random, name, tuple(atom for field in chosen for atom in DECIDED[field]))
        for name, chosen in fields.items()
    }
    case = Case(bodies)
    for source, routing in routings(case):
        assert not routing.cases
        closable = case.closable(source)
        names = fields[source]
        states = [
            case.state(dict(zip(names, values, strict=True)))
            for values in product(*(POOLS[name] for name in names))
        ]
        taken = {case.chosen(source, state, closed) for state in states for closed in subsets(closable)}
        edges = case.plan.routes[source].edges
        shown = f"{bodies[source]}{routing}"
        assert {dead.way for dead in routing.dead} == set(range(len(edges))) - taken, shown
        assert (routing.gap is not None) == ("unrouted" in taken), shown
        for at, edge in enumerate(edges):
            if edge.guard is not None and at in taken:
                always = all(edge.guard.test(state, Frame(case.plan, state, closable, 1)) for state in states)
                assert (at in routing.constant) == always, shown
        if routing.gap is not None:
            used = frozenset(edges[at].key for at in routing.used)
            assert case.chosen(source, given(case, routing), used) == "unrouted", shown


@pytest.mark.parametrize("seed", range(14))
def test_whatever_the_guards_nothing_wrong_is_said(seed: int) -> None:
    random = Random(1000 + seed)
    atoms = (*OTHERS, *OTHERS, *(atom for some in DECIDED.values() for atom in some))
    bodies = {
        f"x{k}": node(random, f"x{k}", tuple(random.sample(atoms, random.randint(2, 8)))) for k in range(40)
    }
    case = Case(bodies)
    states = [case.state({name: random.choice(pool) for name, pool in POOLS.items()}) for _ in range(250)]
    for source, routing in routings(case):
        closable = sorted(case.closable(source))
        dead, shown = {one.way for one in routing.dead}, f"{bodies[source]}{routing}"
        edges = case.plan.routes[source].edges
        for state in states:
            closed = frozenset(key for key in closable if random.random() < 0.5)
            taken = case.chosen(source, state, closed, steps=random.randint(1, 4))
            assert taken not in dead, f"{shown}\n{state}"
            assert taken != "unrouted" or routing.gap is not None, f"{shown}\n{state}"
            for at in routing.constant:
                try:
                    holds = edges[at].guard.test(state, Frame(case.plan, state, closed, 1))
                except (EvaluationError, OverflowError):
                    continue  # a guard that fails decides nothing
                assert holds, f"{shown}\n{state}"
