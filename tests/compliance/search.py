"""`python -m tests.compliance.search --cases N`: random cases, and what share of the verdicts is too timid.

A case is a graph, a run of it that stops anywhere, and an edit. A verdict must never be `compatible` where
the criterion finds a disagreement on the path that counts, nor where data or place do not fit; and it must be
where no step of the run disagrees at all.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from lgc.compiler import check
from lgc.compiler.canonical import canonical_text, graph_hash
from lgc.dsl.source import Source
from lgc.runtime import MemoryStore
from lgc.runtime.compat.judge import Judge
from lgc.runtime.compat.verdict import RunVerdict, Verdict
from lgc.runtime.forms.version import Version
from lgc.runtime.machine.position import to_snapshot, unfold
from lgc.runtime.migrating.moved import moved

from .criterion import Criterion
from .designs import Design, Drawer, text_of
from .edits import Editor
from .runs import Runner

RUNS, EDITS = 6, 5


@dataclass
class Case:
    """One case, and what was found."""

    name: str
    edits: list[str]
    verdict: RunVerdict
    strict: bool
    reasons: list[str]
    fits: bool
    texts: tuple[str, str]

    @property
    def problem(self) -> str:
        """What is wrong with the verdict; "" for nothing."""
        compatible = self.verdict.verdict in (Verdict.COMPATIBLE, Verdict.IDENTICAL)
        if compatible and (self.reasons or not self.fits):
            return "a false `compatible`"
        if not compatible and self.strict and self.fits:
            return "a false `incompatible`: every step agrees"
        return ""

    @property
    def timid(self) -> bool:
        """Whether the verdict says no where the criterion does not."""
        return self.verdict.verdict is Verdict.INCOMPATIBLE and not self.reasons and self.fits


def built(design: Design) -> Version | None:
    """The version of the graph `g`; None where the design does not compile."""
    checked = check([Source("drawn.lgraph", text_of(design))], load=lambda path: None)
    if any(one.severity == "error" for one in checked.diagnostics):
        return None
    keys = {key.name: key for key in checked.program.graphs}
    versions: dict[str, Version] = {}
    for name in ("inner", "same", "g"):
        key = keys[name]
        inner = {label: versions[label] for label in ("inner", "same") if name == "g"}
        text = canonical_text(checked.program, key)
        versions[name] = Version(graph_hash(checked.program, key).full, text, inner)
    return versions["g"]


async def cases(seed: int, judge: Any = Judge) -> list[Case]:
    """All cases of one graph."""
    random = Random(seed)
    drawer = Drawer(random)
    design = drawer.design
    old = built(design)
    if old is None:
        return []
    store = MemoryStore()
    runs: list[tuple[str, str]] = []
    for number in range(RUNS):
        runner = Runner(Random(seed * 100 + number), old.graph, store, f"r{number}")
        root = await runner.make(random.randint(0, 14))
        if root is not None:
            unfold(root)
            runs.append((runner.run, to_snapshot(root)))
    found: list[Case] = []
    for number in range(EDITS):
        editor = Editor(Random(seed * 100 + number), design, deepcopy(drawer))
        changed = editor.edit(random.choice((1, 1, 2, 3)))
        new = built(changed)
        if new is None or new.hash == old.hash:
            continue
        between = judge(old, new)
        for run, snapshot in runs:
            record = await store.get_run(run)
            verdict = await between.judge(store, record)
            criterion = await criterion_of(design, changed, store, run)
            fits = not moved(snapshot, old, new).reasons
            texts = text_of(design), text_of(changed)
            found.append(
                Case(
                    f"{seed}.{number}.{run}",
                    editor.done,
                    verdict,
                    criterion.strict(),
                    criterion.reasons(),
                    fits,
                    texts,
                )
            )
    return found


async def criterion_of(old: Design, new: Design, store: MemoryStore, run: str) -> Criterion:
    """What the criterion makes of a stored run."""
    decisions = {one.id: one for one in await store.decisions(run)}
    criterion = Criterion(old, new, decisions)
    async for step in store.replay(run):
        criterion.step(step)
    criterion.finish()
    return criterion


def searched(first: int, most: int, judge: Any = Judge) -> Iterator[Case]:
    """Cases from a seed on, until there are so many."""
    seed = first
    while most > 0:
        for case in asyncio.run(cases(seed, judge)):
            most -= 1
            yield case
        seed += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="the graphs of what is wrong")
    parser.add_argument("--timid", action="store_true", help="also what is too timid")
    given = parser.parse_args()
    tally: Counter[str] = Counter()
    for case in searched(given.first, given.cases):
        tally["cases"] += 1
        tally[str(case.verdict.verdict)] += 1
        tally["every step agrees"] += case.strict and case.fits
        tally["agrees without finished iterations"] += not case.reasons and case.fits
        tally["too timid"] += case.timid
        if case.problem or (given.timid and case.timid):
            tally["wrong"] += bool(case.problem)
            print(f"{case.name}: {case.problem or 'timid'}; {', '.join(case.edits)}")
            print(f"  criterion: {case.reasons}, fits {case.fits}")
            print(f"  verdict: {case.verdict.verdict}: {[(r.kind, r.text) for r in case.verdict.reasons]}")
            if given.show:
                print(*case.texts, sep="\n--- new\n")
    for name, number in tally.items():
        print(f"{number:8} {name}")
    asked = tally["agrees without finished iterations"]
    if asked:
        print(f"{100 * tally['too timid'] / asked:8.3f} % of those that agree are called incompatible")
    return 1 if tally["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
