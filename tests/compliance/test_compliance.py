"""What is said of a run is what the criterion says: random graphs, runs that stop anywhere, random edits.

`python -m tests.compliance.search --cases 20000` tries as many as one likes, `python -m
tests.compliance.bugs` every planted mistake.
"""

from __future__ import annotations

import asyncio
from copy import deepcopy
from random import Random

import pytest

from lgc.runtime import MemoryStore
from lgc.runtime.compat.judge import Judge
from lgc.runtime.forms.version import Version

from .bugs import planted
from .designs import Drawer
from .runs import Runner
from .search import built, cases, searched

FEWER = 12


def test_no_false_compatible_and_no_false_incompatible() -> None:
    seen = list(searched(1000, 220))
    wrong = [
        f"{case.name}: {case.verdict.verdict}, {case.reasons}" for case in seen if case.problem or case.timid
    ]
    assert not wrong, "\n".join(wrong)
    assert {str(case.verdict.verdict) for case in seen} == {"compatible", "incompatible"}
    assert all(case.verdict.reasons for case in seen if case.reasons)


def test_every_reason_says_where() -> None:
    for case in asyncio.run(cases(0)):
        for reason in case.verdict.reasons:
            assert reason.text and not reason.text.endswith("."), reason
            assert reason.element, reason
            assert reason.node or reason.element == "graph" or reason.step == 0, reason


@pytest.mark.parametrize(
    ("bug", "seed"),
    [
        ("only the first step counts", 0),
        ("states are not compared", 1),
        ("starts are not compared", 4),
        ("joins are not compared", 0),
        ("edges count as the same", 4),
        ("what is behind counts as the same", 0),
        ("data and place always fit", 1),
        ("routes are not compared", 9),
    ],
)
def test_a_planted_mistake_is_found(bug: str, seed: int) -> None:
    with planted(bug):
        assert any(case.problem for case in asyncio.run(cases(seed)))


def test_whatever_the_new_version_is_there_is_a_verdict() -> None:
    """Versions that have nothing to do with each other, both ways."""

    async def main() -> None:
        store = MemoryStore()
        versions: list[Version] = []
        for seed in range(FEWER):
            drawer = Drawer(Random(seed))
            version = built(deepcopy(drawer.design))
            if version is None:
                continue
            runner = Runner(Random(seed), version.graph, store, f"r{len(versions)}")
            if await runner.make(8) is not None:
                versions.append(version)
        for number, old in enumerate(versions):
            run = await store.get_run(f"r{number}")
            for new in versions:
                verdict = await Judge(old, new).judge(store, run)
                assert (verdict.verdict == "identical") == (new is old)
                assert verdict.reasons or verdict.verdict != "incompatible"

    asyncio.run(main())
