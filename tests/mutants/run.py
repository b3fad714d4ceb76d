"""The seeded-mistake run: small mistakes in the real graphs, and the share of them that the checker finds.

python -m tests.mutants.run [--per 1] [--seed 1] [--only TEXT] [--list] [--keep] [--json FILE] [--jobs 2]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from random import Random

from .judge import Verdict, judge, original
from .known import CORPUS, keep
from .operators import OPERATORS, Operator
from .places import Case, Edit, load_cases


def chosen(case: Case, per: int, seed: int) -> list[tuple[Operator, Edit]]:
    """Some mutants of a case: of each operator at most `per`, drawn by the seed."""
    found: list[tuple[Operator, Edit]] = []
    for operator in OPERATORS.values():
        edits = {edit: None for site in case.sites() for edit in operator.find(site)}
        fresh = [edit for edit in edits if edit.applied(case.texts) != case.texts]
        if len(fresh) > per:
            fresh = Random(f"{seed} {case.name} {operator.name}").sample(fresh, per)
        found += [(operator, edit) for edit in fresh]
    return found


def tried(task: tuple[str, int, int, str]) -> list[Verdict]:
    """All mutants of one case, judged."""
    name, per, seed, only = task
    case = next(one for one in load_cases(CORPUS) if one.name == name)
    mutants = [(operator, edit) for operator, edit in chosen(case, per, seed) if only in operator.name]
    if not mutants:
        return []
    before = original(case)
    return [judge(before, operator, edit) for operator, edit in mutants]


def all_verdicts(per: int, seed: int, only: str, jobs: int) -> list[Verdict]:
    """Every case, in processes side by side; the order does not depend on them."""
    cases = sorted(load_cases(CORPUS), key=lambda one: -sum(map(len, one.texts.values())))
    tasks = [(case.name, per, seed, only) for case in cases]
    if jobs < 2:
        found = [tried(task) for task in tasks]
    else:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            found = pool.map(tried, tasks, chunksize=1)
    return sorted((one for row in found for one in row), key=lambda v: (v.operator, v.case, v.words))


def share(part: int, whole: int) -> str:
    """Per cent, or a dash."""
    return f"{100 * part / whole:5.1f} %" if whole else "      -"


HEAD = ("mutants", "harmful", "found", "missed", "share", "only strict", "meaning", "by test", "same")


def row(verdicts: list[Verdict]) -> tuple[str, ...]:
    """The figures of some mutants."""
    harmful = [v for v in verdicts if v.harm]
    found = [v for v in harmful if v.codes]
    rest = [v for v in verdicts if not v.harm]
    strict = [v for v in rest if v.codes]
    meaning = [v for v in rest if not v.codes and not v.same]
    same = [v for v in rest if not v.codes and v.same]
    return (
        f"{len(verdicts)}",
        f"{len(harmful)}",
        f"{len(found)}",
        f"{len(harmful) - len(found)}",
        share(len(found), len(harmful)),
        f"{len(strict)}",
        f"{len(meaning)}",
        f"{sum(v.scenarios for v in meaning)}",
        f"{len(same)}",
    )


def table(verdicts: list[Verdict]) -> str:
    """Operator by operator, then all."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        groups[one.operator].append(one)
    wide = max(map(len, groups), default=8)
    lines = ["  ".join(["operator".ljust(wide), *(name.rjust(8) for name in HEAD)])]
    for name in OPERATORS:
        if name in groups:
            lines.append("  ".join([name.ljust(wide), *(cell.rjust(8) for cell in row(groups[name]))]))
    lines.append("  ".join(["all".ljust(wide), *(cell.rjust(8) for cell in row(verdicts))]))
    return "\n".join(lines)


def missed(verdicts: list[Verdict]) -> str:
    """Each harmful mutant that the checker lets pass."""
    lines: list[str] = []
    for one in verdicts:
        if one.harm and not one.codes:
            seen = " | scenarios fail" if one.scenarios else ""
            lines.append(f"  {one.operator} | {one.case} | {one.words} | {one.harm}{seen}")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--per", type=int, default=1, help="mutants of one operator in one graph")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", default="", help="only operators with this in their name")
    words.add_argument("--jobs", type=int, default=2)
    words.add_argument("--list", action="store_true", help="also what is found although no harm was shown")
    words.add_argument("--json", default="", help="write every verdict to this file")
    words.add_argument("--keep", action="store_true", help="write known.json anew")
    given = words.parse_args()
    since = time.perf_counter()
    verdicts = all_verdicts(given.per, given.seed, given.only, given.jobs)
    print(table(verdicts))
    print(f"\nharmful and missed:\n{missed(verdicts) or '  none'}")
    if given.list:
        print("\nfound, although no harm was shown:")
        for one in verdicts:
            if one.codes and not one.harm:
                print(f"  {one.operator} | {one.case} | {one.words} | {' '.join(one.codes)}")
    if given.keep:
        keep(verdicts)
    if given.json:
        Path(given.json).write_text(json.dumps([asdict(one) for one in verdicts], indent=1), "utf-8")
    print(f"\n{len(verdicts)} mutants of {len(OPERATORS)} operators in {time.perf_counter() - since:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
