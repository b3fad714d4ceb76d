"""Searches for a run that the judge refuses though the verdict for its graph calls the place compatible.

    python -m tests.runtime.places_search [--from SEED] [--seeds COUNT] [--cases COUNT]

Each seed draws a real graph, an edit of its source (a mistake of the table in `tests/mutants`), and runs of
the old graph that stop after a few steps. Each case is a drawn graph of `tests/compliance`, with a run and an
edit. It is also counted how often a place is called unsure where the run is fine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from tests.compliance.search import searched
from tests.mutants import on_data, on_edges, on_names, on_nodes
from tests.mutants.judge import bare, checked
from tests.mutants.operators import OPERATORS
from tests.mutants.places import Case, Edit, load_cases

from lgc.compiler import canonical
from lgc.compiler.model import Key, MapNode, Program, Subgraph
from lgc.compiler.rules import BY_CODE
from lgc.dsl.diagnostic import Severity
from lgc.runtime import LgcError, plan
from lgc.runtime.changes.kinds import KINDS
from lgc.runtime.compat.judge import Judge
from lgc.runtime.compat.places import judge_graph
from lgc.runtime.compat.verdict import GraphVerdict, RunVerdict, Verdict
from lgc.runtime.forms.version import Version, version_of_plan
from lgc.runtime.store.protocols import Store
from lgc.runtime.store.records import RunRecord

from . import forms_driver

ROOT = Path(__file__).parents[1] / "corpus"
FAMILIES = (on_data, on_edges, on_names, on_nodes)
GOOD = (Verdict.IDENTICAL, Verdict.COMPATIBLE)
RUNS = 4


@cache
def cases() -> tuple[Case, ...]:
    """The real graphs."""
    return tuple(load_cases(ROOT / "real"))


def versions(program: Program) -> dict[str, Version]:
    """All graphs of a program by name."""
    made: dict[Key, Version] = {}

    def make(key: Key) -> Version:
        if key not in made:
            run = [node.graph for node in program.graphs[key].nodes if isinstance(node, Subgraph | MapNode)]
            inner = {one.name: make(one) for one in run}
            text = canonical.canonical_text(program, key)
            made[key] = Version(canonical.graph_hash(program, key).full, text, inner)
        return made[key]

    return {key.name: make(key) for key in program.graphs}


def drawn(dice: Random) -> Iterator[tuple[str, plan.Graph[Any], Version]]:
    """Graphs with what an edit makes of them."""
    case = dice.choice(cases())
    edits = _edits(case, dice)
    if not edits:
        return
    words, texts = edits
    old, new = checked(bare(case, None)), checked(texts)
    if any(one.severity is Severity.ERROR and not BY_CODE[one.code].allowable for one in new.diagnostics):
        return  # no graph can be made of it
    try:
        after = versions(new.program)
    except (ValueError, KeyError, AttributeError, RecursionError):
        return  # an edit that no graph can be made of
    with tempfile.TemporaryDirectory() as folder:
        for compiled in forms_driver.plans_of(old, Path(folder)):
            if compiled.name in after and after[compiled.name].hash != compiled.hash:
                yield f"{case.name}: {words}", compiled, after[compiled.name]


def _edits(case: Case, dice: Random) -> tuple[str, dict[str, str]] | None:
    """One edit out of all that the table has for a case, by a random operator."""
    names = sorted(OPERATORS)
    for _ in range(20):
        name = dice.choice(names)
        found: list[Edit] = [edit for site in case.sites() for edit in OPERATORS[name].find(site)]
        if found:
            edit = dice.choice(found)
            return f"{name}: {edit.words}", bare(case, edit)
    return None


def place_of(path: str, version: Version) -> str:
    """`check/facts/a` and `each[3]/a` as the verdict for a graph names them."""
    found: list[str] = []
    at = version
    names = path.split("/")
    while names:
        name = names.pop(0).partition("[")[0]
        element = at.node(name) or {}
        if element.get("kind") == "parallel" and names:
            names.pop(0)
            continue
        found.append(name)
        if names and (inner := at.run_by(name)) is not None:
            at = inner
    return "/".join(found)


async def judged(compiled: plan.Graph[Any], new: Version, seed: int, dice: Random) -> RunVerdict | None:
    """The verdict for one run of the old graph, stopped after some steps; None where none came about."""
    forms_driver.MOST_STEPS = dice.randint(1, 9)
    _, store = await forms_driver.driven(compiled, seed)
    try:
        run = await store.get_run("r")
    except LgcError:
        return None
    return await Judge(version_of_plan(compiled), new).judge(store, run)


def unsound(old: Version, graph: GraphVerdict, run: RunVerdict) -> str:
    """What the two disagree in; "" for nothing."""
    if run.verdict in GOOD:
        return ""
    places = {place.node: place.verdict for place in graph.places}
    called = [one for path in run.parked if places.get(one := place_of(path, old)) in GOOD]
    if not run.parked and not run.reasons:
        return ""
    return f"compatible at {called}, and the run is not: {run.reasons}" if called else ""


def search(seed: int, counts: Counter[str]) -> Iterator[str]:
    """Everything that is wrong with one seed."""
    dice = Random(f"places {seed}")
    for words, compiled, new in drawn(dice):
        old = version_of_plan(compiled)
        graph = judge_graph(old, new)
        places = {place.node: place for place in graph.places}
        if unknown := {change.name for change in graph.changes} - (KINDS.keys() - {"other-changed"}):
            yield f"seed {seed}: {words}: changes of no kind: {unknown}"
        for turn in range(RUNS):
            try:
                run = asyncio.run(judged(compiled, new, seed * RUNS + turn, dice))
            except Exception as error:
                yield f"seed {seed}: {words}: {type(error).__name__}: {error}"
                continue
            if run is None or not run.parked or all(path.endswith("end") for path in run.parked):
                continue
            counts["runs"] += 1
            counts[str(run.verdict)] += 1
            told = [places[place_of(path, old)] for path in run.parked]
            if run.verdict in GOOD:
                counts["unsure and fine"] += any(one.verdict not in GOOD and not one.sure for one in told)
                if any(one.sure and one.verdict not in GOOD for one in told):
                    yield f"seed {seed}: {words}: surely not at {run.parked}, and the run is fine: {told}"
            if wrong := unsound(old, graph, run):
                yield f"seed {seed}: {words}: {wrong}"


class Compared(Judge):
    """The judge, compared with the verdict for the graph at each run."""

    counts: ClassVar[Counter[str]] = Counter()
    wrong: ClassVar[list[str]] = []

    def __init__(self, old: Version, new: Version) -> None:
        super().__init__(old, new)
        self.graph = judge_graph(old, new)

    async def judge(self, store: Store, run: RunRecord) -> RunVerdict:
        """The verdict for a run."""
        found = await super().judge(store, run)
        places = {place.node: place for place in self.graph.places}
        told = [places[one] for path in found.parked if (one := place_of(path, self.old)) in places]
        self.counts["runs"] += 1
        self.counts[str(found.verdict)] += 1
        if found.verdict in GOOD:
            self.counts["unsure and fine"] += any(one.verdict not in GOOD and not one.sure for one in told)
            if sure := [one for one in told if one.sure and one.verdict not in GOOD]:
                self.wrong.append(f"surely not at {found.parked}, and the run is fine: {sure}")
        if disagreement := unsound(self.old, self.graph, found):
            self.wrong.append(disagreement)
        return found


def main() -> int:
    """Search, and say what was found."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--from", dest="first", type=int, default=0)
    words.add_argument("--seeds", type=int, default=200)
    words.add_argument("--cases", type=int, default=0)
    given = words.parse_args()
    counts = Compared.counts
    failed = 0
    for case in searched(given.first, given.cases, Compared):
        for wrong in Compared.wrong:
            failed += 1
            print(f"case {case.name}, {case.edits}: {wrong}", flush=True)
        Compared.wrong.clear()
    for seed in range(given.first, given.first + given.seeds):
        for wrong in search(seed, counts):
            failed += 1
            print(wrong, flush=True)
    print(f"{dict(counts)}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
