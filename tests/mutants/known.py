"""Mutants that are known to do harm, kept in known.json: those that the checker finds, it has to find again.

    python -m tests.mutants.known

checks each of them again, without running anything, and fails where one that was found is found no more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from . import on_data, on_edges, on_names, on_nodes
from .judge import Findings, Verdict, bare, checked, findings
from .operators import OPERATORS
from .places import Case, load_cases

FILE = Path(__file__).with_name("known.json")
CORPUS = Path(__file__).parents[1] / "corpus" / "real"
FAMILIES = (on_edges, on_nodes, on_data, on_names)
EACH = 4
Known = dict[str, dict[str, list[list[str]]]]


def keep(verdicts: Sequence[Verdict]) -> None:
    """Write some harmful mutants of each operator, found and missed apart."""
    known: Known = {}
    for operator in OPERATORS:
        for kind, chosen in (("found", True), ("missed", False)):
            some = [v for v in verdicts if v.operator == operator and v.harm and bool(v.codes) == chosen]
            if some:
                few = Random(operator).sample(some, min(EACH, len(some)))
                pairs = sorted([one.case, one.words] for one in few)
                known.setdefault(operator, {"found": [], "missed": []})[kind] = pairs
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known))
    FILE.write_text(f"{{\n{lines}\n}}\n", "utf-8")


def found(case: Case, before: Findings, operator: str, words: str) -> bool | None:
    """Whether the checker finds a mutant; None where the text has no such place any more."""
    for site in case.sites():
        for edit in OPERATORS[operator].find(site):
            if edit.words == words:
                return bool(findings(checked(bare(case, edit))) - before)
    return None


def main() -> int:
    """Check all, and say what is found no more."""
    known: Known = json.loads(FILE.read_text("utf-8"))
    cases = {case.name: case for case in load_cases(CORPUS)}
    before = {name: findings(checked(bare(case, None))) for name, case in cases.items()}
    tried, lost, gained, gone = 0, list[str](), list[str](), list[str]()
    for operator, sides in known.items():
        for side, pairs in sides.items():
            for name, words in pairs:
                tried += 1
                now = found(cases[name], before[name], operator, words) if name in cases else None
                line = f"{operator} | {name} | {words}"
                if now is None:
                    gone.append(line)
                elif now != (side == "found"):
                    (gained if now else lost).append(line)
    for title, lines in (("found no more", lost), ("found now", gained), ("not in the text any more", gone)):
        print(f"{title}: {len(lines)}", *lines, sep="\n  ")
    print(f"{tried} mutants of {len(known)} operators")
    if gone:
        print("write the list anew: make mutants MUTANTS=--keep")
    return 1 if lost or gone else 0


if __name__ == "__main__":
    sys.exit(main())
