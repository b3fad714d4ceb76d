"""Expressions of `set` steps mean what they say, once they have lost their types."""

from __future__ import annotations

import pytest
from tests.runtime.positions import version

from lgc.compiler import check
from lgc.compiler.migrations.written import migrations_of
from lgc.dsl.source import Source
from lgc.runtime.forms.loose import evaluate_loose
from lgc.runtime.plan import SetStep

OLD = """\
enum E { x, y }
record R { n: int  m: int = 7 }
state S { a: int = 0  b: int = 0  f: float = 0.0  t: str = ""  o: int?  e: E = E.x  r: R?  l: list[int] = [] }
graph g(S) { task t { reads * } start -> t -> end }
"""
VALUES = {"a": 2, "b": 3, "f": 1.5, "t": "text", "o": None, "e": "x", "r": None, "l": [3, 1, 2]}
MEANINGS = {
    "a > b": False,
    "a >= b": False,
    "b > a": True,
    "a < b": True,
    "b <= 3": True,
    "a == 2 and b != 2": True,
    "a > b or b > a": True,
    "not (a > b)": True,
    "a - b - 1": -2,
    "a - (b - 1)": 0,
    "a + b * 2": 8,
    "(a + b) * 2": 10,
    "b / a": 1.5,
    "7 // b + 1": 3,
    "b % a": 1,
    "-a": -2,
    "-(a - b)": 1,
    "--a": 2,
    "1 if a > b else 2": 2,
    "o ?? a ?? b": 2,
    "max(a, b) - min(a, b)": 1,
    "len(t) + sum(l)": 10,
    "l[1]": 1,
    '{"k": a}["k"]': 2,
    "a in l": True,
    "a not in l": False,
    'upper(t) + "!"': "TEXT!",
    "R(n = a).m": 7,
    "o == none": True,
    "1_000": 1000,
    "0.5": 0.5,
}


@pytest.mark.parametrize("written", MEANINGS)
def test_what_is_written_is_what_is_computed(written: str) -> None:
    text = f'{OLD}migrate g from "lg1:0123456789abcdef" {{ set a = {written} }}\n'
    program = check([Source("a.lgraph", text)], load=lambda _: None).program
    ((step,),) = (one.steps for one in migrations_of(program, next(iter(program.graphs))))
    assert isinstance(step, SetStep)
    assert step.text == written
    found = evaluate_loose(step.expression, VALUES, version(OLD))
    assert (found, type(found)) == (MEANINGS[written], type(MEANINGS[written]))
