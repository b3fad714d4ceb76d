"""Scales: what is between two ends, by the values themselves; and guards that are too much to decide."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.compiler import check
from lgc.compiler.model import Bounds
from lgc.compiler.routing.scales import UNNAMED, Decimals, Floating, Texts, Whole
from lgc.dsl.source import Source

WHOLE = st.integers(-6, 6)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(-100, 100, places=3)
TEXTS = st.text("ab\0z ", max_size=4)


def inside(low: Any, found: Any, high: Any) -> bool:
    """Whether a value is between two ends, of which None is open."""
    return (low is None or low < found) and (high is None or found < high)


@given(*[st.none() | WHOLE] * 4)
def test_whole_numbers(low: int | None, high: int | None, least: int | None, most: int | None) -> None:
    found = Whole(least, most).between(low, high)
    values = [n for n in range(-9, 10) if inside(low, n, high) and (least is None or least <= n)]
    values = [n for n in values if most is None or n <= most]
    assert (found is None) == (not values)
    assert found is None or (inside(low, found, high) and Whole(least, most).holds(found))


@given(*[st.none() | FLOATS] * 4)
def test_floats(low: float | None, high: float | None, least: float | None, most: float | None) -> None:
    scale = Floating(least, most)
    found = scale.between(low, high)
    if found is not None:
        assert inside(low, found, high)
        assert scale.holds(found)
    for value in (0.0, low, high, least, most):
        if value is not None and inside(low, value, high) and scale.holds(value):
            assert found is not None


@given(*[st.none() | DECIMALS] * 4)
def test_decimals(
    low: Decimal | None, high: Decimal | None, least: Decimal | None, most: Decimal | None
) -> None:
    scale = Decimals(least, most)
    found = scale.between(low, high)
    if found is not None:
        assert inside(low, found, high)
        assert scale.holds(found)
    lows = [end for end in (low, least) if end is not None]
    highs = [end for end in (high, most) if end is not None]
    if not lows or not highs or max(lows) < min(highs):
        assert found is not None  # they are dense


@given(st.none() | TEXTS, st.none() | TEXTS, st.integers(0, 3), st.integers(0, 3), TEXTS)
def test_texts(low: str | None, high: str | None, least: int, more: int, other: str) -> None:
    scale = Texts(Bounds(least, least + more))
    found = scale.between(low, high)
    if found is None:
        assert not inside(low, other, high) or not scale.holds(other)
    elif found is not UNNAMED:
        assert inside(low, found, high)
        assert scale.holds(found)


def pathological(sources: int, edges: int) -> str:
    """Sources with guards of many terms that have to do with each other."""
    fields = "".join(f"  i{k}: int = 0\n" for k in range(40))
    names = ", ".join(f"i{k}" for k in range(40))
    nodes = "".join(f"  decision x{s}\n" for s in range(1, sources))
    arrows: list[str] = []
    random = Random(0)
    for s in range(sources):
        target = f"x{s + 1}" if s + 1 < sources else "end"
        for e in range(edges):
            a, b, c = random.sample(range(40), 3)
            guard = f"(i{a} > {e}) == (i{b} > {e % 7 + s % 3}) and i{c} != {e + s}"
            arrows.append(f"  x{s} -> {target} when {guard}")
        if s % 2:
            arrows.append(f"  x{s} -> {target} else")
    return (
        f"state S {{\n{fields}  mutation M({names})\n}}\ngraph g(S) {{\n  task x0 {{ records M }}\n{nodes}"
        "  start -> x0\n" + "\n".join(arrows) + "\n}\n"
    )


@pytest.mark.timeout(120)  # without an allowance of work it would take hours
def test_what_is_too_much_to_decide_is_given_up_and_said() -> None:
    found = check([Source("t.lgraph", pathological(4, 300))], load=lambda path: None).diagnostics
    told = {d.code: d for d in found if "cannot be decided" in d.message}
    assert "add `x" in told["LG401"].help
    assert "decision" in told["LG406"].help
