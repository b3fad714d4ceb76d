"""The table of all rules, and the run of those that look at resolved graphs.

A family is one file; a rule stands with the function that finds it. To add a rule: a record in its
family, with an example that causes it and its repair; the tests try both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...dsl.diagnostic import Diagnostic
from ..analyses import Analyses
from ..graph_view import GraphView
from ..resolve import Resolved
from ..rule import Rule
from . import data, dataflow, names, outside, policies, routing, shape, text, transient, unused, use

RULES: tuple[Rule, ...] = (
    *text.RULES,
    *names.RULES,
    *unused.RULES,
    *data.RULES,
    *shape.RULES,
    *routing.RULES,
    *dataflow.RULES,
    *use.RULES,
    *transient.RULES,
    *policies.RULES,
    *outside.RULES,
)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}


def run_rules(resolved: Resolved, mark: Callable[[str], None] | None = None) -> Iterator[Diagnostic]:
    """All findings of the rules. Graphs whose text could not be read whole are left out.

    `mark` is told the code of each rule when it has looked at a graph, `rules` for what they share.
    """
    for rule in RULES:
        if rule.check_program is not None:
            yield from rule.check_program(resolved)
            if mark is not None:
                mark(rule.code)
    checks = [(rule.code, rule.check) for rule in RULES if rule.check is not None]
    analyses = Analyses(resolved.program, resolved.gaps)
    for key, graph in resolved.program.graphs.items():
        gaps = resolved.gaps[key]
        if gaps.broken:
            continue
        view = GraphView(graph, gaps, analyses)
        if mark is not None:
            mark("rules")
        for code, check in checks:
            yield from check(view)
            if mark is not None:
                mark(code)
