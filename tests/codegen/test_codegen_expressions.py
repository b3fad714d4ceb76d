"""Generated expressions mean what the language says: compared with a second evaluator, on random ones."""

from __future__ import annotations

import importlib.util
import random
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lgc.compiler import Checked, check
from lgc.compiler import model as m
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime.errors import EvaluationError


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "codegen_reference", Path(__file__).with_name("reference.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


REFERENCE = _reference()

HEAD = """
enum E { a, b, c }
record P { n: int = 0  x: float = 0.5  t: str?  next: P?  tags: list[str] = [] }
record Q { k: E = E.a }
union U = P | Q
state S {
  i: int = 0  j: int = 1  f: float = 0.0  g: float?  d: decimal = 0  s: str = ""  t: str?  b: bool = false  c: bool?
  xs: list[int] = []  fs: list[float] = []  ds: list[decimal] = []  bs: list[bool] = []  ss: list[str] = []
  is_: set[int] = []  es: set[E] = []  dd: dict[str, int] = {}  de: dict[E, list[int]] = {}  yss: list[list[int]] = []
  e: E = E.a  o: E?  p: P = P()  q: P?  u: U = P()  v: U?  js: json = none
  mutation M(i)
}
"""


LEAVES = {
    "int": ("i", "j", "0", "1", "-2", "7", "p.n", "len(s)"),
    "float": ("f", "0.5", "-1.5", "p.x", "2.0"),
    "dec": ("d",),
    "str": ("s", '"a"', '"B "', '""', '"12"', "str(e)"),
    "bool": ("b", "true", "false", "i == j"),
    "ints": ("xs", "[1, i]", "[j]"),
    "floats": ("fs", "[f, 0.5]"),
    "strs": ("ss", "p.tags", "keys(dd)"),
    "e": ("e", "E.a", "E.b"),
    "p": ("p", "P(n = i)", 'P(x = 1, t = s, tags = ["a"])'),
}

# ruff: noqa: E501
# What stands in angle brackets is replaced by an expression of that kind.
FORMS = {
    "int": """
        (<int> + <int>) | (<int> - <int>) | (<int> * <int>) | (<int>) // (<int>) | (<int>) % (<int>) | -(<int>)
        abs(<int>) | min(<int>, <int>) | max(<int>, <int>, 3) | len(<str>) | len(<ints>) | sum(<ints>) | max(<ints>)
        min(<ints>) | int(<str>) | int(<float>) | round(<float>) | round(<int>, <int>) | (<ints>)[<int>] | dd[<str>]
        get(dd, <str>, <int>) | get(<ints>, <int>, <int>) | first(<ints>, <int>) | last(<ints>, <int>)
        (<int> if <bool> else <int>) | (<p>).n | (q?.n ?? <int>) | (q.n if q != none else <int>) | int(<bool>)
        round(<dec>) | (de[<e>])[<int>] | sum(values(dd)) | (<int> - (<int> - <int>))""",
    "float": """
        (<float> + <float>) | (<float> - <int>) | (<int> * <float>) | (<float>) / (<float>) | (<int>) / (<int>)
        (<float>) // (<float>) | (<float>) % (<float>) | -(<float>) | abs(<float>) | min(<float>, <int>)
        max(<float>, <float>) | (g ?? <float>) | (g * 2 if g != none else <float>) | round(<float>, 1) | sum(<floats>)
        float(<str>) | float(<int>) | (<float> if <bool> else <int>) | first(<floats>, <float>)
        (<float> - (<float> + <float>))""",
    "dec": """
        (<dec> + <dec>) | (<dec> - <int>) | (<dec> * <dec>) | (<dec>) / (<dec>) | (<dec>) // (<dec>) | (<dec>) % (<dec>)
        -(<dec>) | abs(<dec>) | sum(ds) | round(<dec>, 1) | min(<dec>, <dec>) | (<dec> + 1.25)""",
    "str": """
        (<str> + <str>) | lower(<str>) | upper(<str>) | strip(<str>) | (t ?? <str>) | str(<int>) | str(<float>)
        str(<bool>) | (<str> if <bool> else <str>) | (<strs>)[<int>] | first(<strs>, <str>) | min(<str>, <str>)
        (q?.t ?? <str>) | (q?.next?.t ?? <str>) | str(<e>) | str(<dec>)""",
    "bool": """
        (<int>) == (<int>) | (<float>) != (<float>) | (<str>) < (<str>) | (<dec>) <= (<dec>) | (<float>) > (<int>)
        (<bool> and <bool>) | (<bool> or <bool>) | not (<bool>) | (<bool>) == (<bool>) | (<bool>) != true | c == <bool>
        c == true | (c ?? <bool>) | (<bool> if <bool> else <bool>) | any([<bool>, <bool>]) | all(bs) | any(bs)
        (<int>) in (<ints>) | (<int>) not in is_ | (<str>) in (<str>) | (<str>) in dd | (<e>) in es
        (<e>) in [E.a, E.c] | o == (<e>) | (o != none and o == (<e>)) | o in [E.a, E.b] | o == none
        contains(<strs>, <str>) | startswith(<str>, <str>) | endswith(<str>, <str>) | (<ints>) == (<ints>)
        (<ints>) in yss | (<p>) == (<p>) | q == (<p>) | (q != none and q.n > (<int>)) | (q == none or len(q.tags) > 1)
        (u is P and u.n == (<int>)) | ((u is Q and u.k == (<e>)) or (not (u is Q) and u.x > 0)) | (v is P and v.n > 0)
        (v != none and v is Q and v.k in es) | not (v is P) | (t == (<str>) and len(t) > 0)
        (g == none or g > (<float>)) | (not (g == none) and g < (<float>))
        (q != none and q.next != none and q.next.n == 1) | get(js, <str>, none) == none | is_ == [1, 2]
        dd == {"a": <int>} | js == none | get(de, <e>, xs) == (<ints>) | (<e>) in de""",
    "ints": """
        (<ints> + <ints>) | [<int>, <int>] | values(dd) | (<ints> if <bool> else <ints>) | get(de, <e>, <ints>)
        first(yss, <ints>) | de[<e>]""",
    "floats": "[<float>, <int>] | fs | (fs + [<float>])",
    "strs": "ss | [<str>] | (ss + [<str>]) | keys(dd) | (q?.tags ?? ss)",
    "e": "e | E.b | (E.a if <bool> else e) | (o ?? <e>)",
    "p": "p | (q ?? p) | P(n = <int>, x = <float>, next = q, tags = <strs>) | (<p> if <bool> else p)",
}
SPLIT = {
    kind: [form.strip() for form in re.split(r" \| |\n", forms) if form.strip()]
    for kind, forms in FORMS.items()
}


class Writer:
    """Writes random expressions of a wanted kind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, kind: str, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.15:
            return self.random.choice(LEAVES[kind])
        form = self.random.choice(SPLIT[kind])
        return re.sub(r"<(\w+)>", lambda found: self(found.group(1), depth - 1), form)


def source_of(guards: list[str]) -> str:
    lines = "\n".join(f"  n -> end when {guard}" for guard in guards)
    return f"{HEAD}graph g(S) {{\n  decision n\n  start -> n\n{lines}\n  n -> end else\n}}\n"


def guards_of(seed: int, count: int) -> tuple[Checked, str]:
    """A program with random guards; what the checker refuses is left out."""
    writer = Writer(seed)
    guards = [writer("bool", writer.random.randint(1, 5)) for _ in range(count)]
    first = source_of(["here"]).splitlines().index("  n -> end when here")
    while True:
        checked = check([Source("given.lgraph", source_of(guards))], load=lambda _: None)
        codes = {"LG307", "LG310", "LG402", "LG401"}  # all edges lead to `end`; many can never be taken
        wrong = [d for d in checked.diagnostics if d.severity == "error" and d.code not in codes]
        if not wrong:
            return checked, source_of(guards)
        # A line that is not closed (`//` may begin a comment) is reported at the next one.
        bad = {d.place.position.line - 1 - first - ("unexpected `n`" in d.message) for d in wrong}
        kept = [guard for number, guard in enumerate(guards) if number not in bad]
        assert len(kept) < len(guards), wrong
        guards = kept


def states(module: ModuleType, seed: int, count: int) -> list[Any]:
    r = random.Random(seed)
    e = [module.E.a, module.E.b, module.E.c]
    words = ["", "a", "b", "B ", "12", "-7", " x", "1.5"]

    def p(depth: int = 2) -> Any:
        return module.P(
            n=r.randint(-3, 3), x=r.choice([0.0, -1.5, 1e308, 0.1]), t=r.choice([None, *words]),
            next=p(depth - 1) if depth and r.random() < 0.5 else None, tags=r.sample(words, r.randint(0, 3)),
        )  # fmt: skip

    def q() -> Any:
        return module.Q(k=r.choice(e))

    def ints() -> list[int]:
        return [r.randint(-3, 10) for _ in range(r.randint(0, 4))]

    def some(*choices: Any) -> Any:
        return r.choice(choices)

    def state() -> Any:
        return module.S(
            i=some(0, 1, -1, 3, 10**30), j=r.randint(-3, 3), f=some(0.0, -0.0, 1.5, 2.5, -1e308, 1e-320, 0.1),
            g=some(None, 0.0, 1.5), d=Decimal(some("0", "1.50", "-2.345", "1E+20", "7")),
            s=some(*words), t=some(None, *words), b=some(True, False), c=some(None, True, False),
            xs=ints(), fs=[some(0.1, 0.2, -1.0) for _ in range(r.randint(0, 4))],
            ds=[Decimal("0.1")] * r.randint(0, 3), bs=[some(True, False) for _ in range(r.randint(0, 2))],
            ss=r.sample(words, r.randint(0, 3)), is_=set(ints()), es=set(r.sample(e, r.randint(0, 3))),
            dd={w: r.randint(0, 3) for w in r.sample(words, r.randint(0, 4))},
            de={k: tuple(ints()) for k in r.sample(e, r.randint(0, 3))},
            yss=[tuple(ints()) for _ in range(r.randint(0, 2))],
            e=some(*e), o=some(None, *e), p=p(), q=some(None, p()), u=some(p(), q()), v=some(None, p(), q()),
            js=some(None, module.lg.FrozenDict({"a": 1, "": None}), (1, None), "x"),
        )  # fmt: skip

    return [state() for _ in range(count)]


def outcome(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except (EvaluationError, REFERENCE.Fails):
        return "fails"


@pytest.mark.parametrize("seed", range(6))
def test_generated_guards_agree_with_the_reference(seed: int) -> None:
    checked, text = guards_of(seed, 150)
    module = ModuleType(f"guards_{seed}")
    sys.modules[module.__name__] = module
    code = generate(checked.program, checked.program.modules[0], version="0")
    exec(compile(code, "given_lg.py", "exec"), module.__dict__)  # noqa: S102
    (graph,) = checked.program.graphs.values()
    model_edges = [edge for edge in graph.region("").edges if edge.guard is not None]
    made = module.G_PLAN.routes["n"].edges
    assert len(model_edges) > 80, "most random guards should be well typed"
    seen: set[object] = set()
    for state in states(module, seed, 25):
        fields = {name: REFERENCE.plain(getattr(state, name)) for name in state.__lg_fields__}
        evaluate = REFERENCE.Evaluator(checked.program, fields)
        for edge, plan_edge in zip(model_edges, made, strict=False):
            guard: m.Expr | None = edge.guard
            expected = outcome(partial(evaluate, guard))
            found = outcome(partial(plan_edge.guard.test, state, None))
            assert found == expected, (
                plan_edge.guard.text,
                state,
                text.splitlines()[edge.place.position.line - 1],
            )
            seen.add(found)
    assert seen == {True, False, "fails"}
