"""From a mutant to its class: whether it does harm, and who finds it.

A mutant does *harm* where a run of it can fail, go round until its steps are used up, or lose an update, or
where text that a person wrote has no meaning or no effect any more. That is told by, in this order:

1. the language itself: the text refers to nothing, has another type, or a form that means nothing (an edge
   twice, an answer without an edge, a barrier without a timeout: facts of the text, no forecast of runs);
2. the operator, where every such mistake does harm (see operators.py);
3. witnesses that know nothing of the checker: random runs on the real engine that end badly, drawn states
   for which no edge holds or that never take an edge, nodes cut off and names unused. Only what the
   original does not show counts.

A mutant without harm either has the same hash (*same*) or another meaning (*meaning*): no checker can know
that somebody meant the other node. The scenarios may know, so it is counted what they find.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lgc.compiler import Checked, check
from lgc.compiler.canonical import graph_hash, operational_hash
from lgc.compiler.model import Program
from lgc.dsl import ast
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source
from lgc.modules import Generated

from .dead_text import dead_text
from .explore import Signature, bad_ends, bad_routes
from .operators import SHOWN, Operator
from .places import Case, Edit, Texts

# Errors that are facts of the text. All others above LG300 say what a run will meet, and need a witness.
FORM = {"LG307", "LG403", "LG404", "LG405", "LG508", "LG601", "LG602", "LG603"}
RUNS, SAMPLES = 14, 150
WIDER = 10  # the original is looked at so many times as often
Findings = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    `codes`: what the checker finds in the file without its scenarios; `scenarios`: whether they fail, asked
    only where the checker finds nothing; `harm`: why it does harm, "" where that is not shown; `same`:
    whether every hash is the original's.
    """

    operator: str
    case: str
    words: str
    harm: str
    codes: tuple[str, ...]
    scenarios: bool
    same: bool

    @property
    def kind(self) -> str:
        """`harmful`, `meaning` or `same`."""
        return "harmful" if self.harm else "same" if self.same else "meaning"


@dataclass(frozen=True)
class Original:
    """A case with what it shows before any mistake."""

    case: Case
    findings: Findings
    hashes: set[str]
    dead: set[tuple[str, str]]
    ends: set[Signature] = field(default_factory=set[Signature])
    routes: set[Signature] = field(default_factory=set[Signature])


def bare(case: Case, edit: Edit | None) -> Texts:
    """The files without their scenarios, with an edit or as they are."""
    texts: Texts = {}
    for path, tree in case.trees.items():
        cuts = tuple((d.span, "") for d in tree.declarations if isinstance(d, ast.Scenario))
        changes = (*cuts, *(edit.changes if edit is not None and edit.path == path else ()))
        texts[path] = Edit(path, changes, "").applied(case.texts)[path]
    return texts


def checked(texts: Texts) -> Checked:
    """All files of a case, checked together."""
    held = {path: text.encode() for path, text in texts.items()}
    return check([Source(path, text) for path, text in sorted(texts.items())], load=held.get)


def findings(found: Checked) -> Findings:
    """Code and message of each finding."""
    return Counter((one.code, one.message) for one in found.diagnostics)


def hashes(program: Program) -> set[str]:
    """Of every graph, what a run does and how it is operated."""
    keys = program.graphs
    return {graph_hash(program, k).full for k in keys} | {operational_hash(program, k).full for k in keys}


def original(case: Case) -> Original:
    """Look at a case before any mistake."""
    texts = bare(case, None)
    found = checked(texts)
    with_modules = Running(found.program)
    try:
        ends = bad_ends(with_modules.modules, found.program, 0, RUNS * WIDER)
        routes = bad_routes(with_modules.modules, found.program, 0, SAMPLES * WIDER)
    finally:
        with_modules.close()
    return Original(
        case, findings(found), hashes(found.program), dead_text(Case.of(case.name, texts)), ends, routes
    )


class Running:
    """The generated modules of a program, for as long as they are needed."""

    def __init__(self, program: Program) -> None:
        self.modules = Generated(program, {m.path: m.path for m in program.modules}, alone=True)
        self.modules.install()

    def close(self) -> None:
        """Forget them."""
        self.modules.remove()


def judge(before: Original, operator: Operator, edit: Edit) -> Verdict:
    """Classify one mutant."""
    texts = bare(before.case, edit)
    try:
        found = checked(texts)
    except Exception as problem:
        harm = f"the checker itself fails: {type(problem).__name__} {problem}"
        return Verdict(operator.name, before.case.name, edit.words, harm, (), False, False)
    new = findings(found) - before.findings
    codes = tuple(sorted({code for code, _ in new}))
    errors = [d.code for d in found.diagnostics if d.severity is Severity.ERROR]
    meaningless = [code for code in errors if code < "LG300" or code in FORM]
    same = not errors and hashes(found.program) == before.hashes
    harm = f"{meaningless[0]}: no meaning" if meaningless else ""
    if not harm and operator.harm != SHOWN:
        harm = operator.harm
    if not harm:
        harm = witnessed(before, found.program, texts)
    asked = not codes
    return Verdict(
        operator.name, before.case.name, edit.words, harm, codes, asked and scenarios_fail(before, edit), same
    )


def witnessed(before: Original, program: Program, texts: Texts) -> str:
    """What random runs and drawn states show that the original does not, in words; "" for nothing."""
    dead = dead_text(Case.of(before.case.name, texts)) - before.dead
    if dead:
        return "{}: {}".format(*min(dead))
    running = Running(program)
    try:
        routes = bad_routes(running.modules, program, 0, SAMPLES) - before.routes
        if routes:  # what few samples do not show, many may
            routes = bad_routes(running.modules, program, 0, SAMPLES * WIDER) - before.routes
        if routes:
            return "{}: {}".format(*min(routes))
        ends = {one for one in bad_ends(running.modules, program, 0, RUNS) if not _known(one, before.ends)}
        return "{}: {}".format(*min(ends)) if ends else ""
    except Exception as problem:
        return f"cannot be built: {type(problem).__name__} {str(problem)[:60]}"
    finally:
        running.close()


def _known(end: Signature, before: set[Signature]) -> bool:
    if end[0] != "StepsExceeded":
        return end in before
    nodes = set(end[1].split())
    loops = [set(where.split()) for kind, where in before if kind == end[0]]
    return any(nodes <= loop or loop <= nodes for loop in loops)


def scenarios_fail(before: Original, edit: Edit) -> bool:
    """Whether a scenario of the case fails, or cannot be read any more."""
    from lgc.scenarios import run_scenario

    found = checked(edit.applied(before.case.texts))
    if not found.usable:
        return True
    running = Running(found.program)
    try:
        scenarios = [one for module in found.program.modules for one in module.scenarios]
        return any(not run_scenario(running.modules, one).passed for one in scenarios)
    finally:
        running.close()
