"""The run of the rules that look at resolved graphs; the table of all rules is in `table`.

A family is one file; a rule stands with the function that finds it. To add a rule: a record in its
family, with an example that causes it and its repair; the tests try both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...dsl.diagnostic import Diagnostic
from ..analyses import Analyses
from ..graph_view import GraphView
from ..resolve import Resolved
from ..rule import Rule
from . import names, policies, presence, races, routing, shape, transient, unused, use

LOOKING: tuple[Rule, ...] = (
    *names.RULES,
    *unused.RULES,
    *shape.RULES,
    *routing.RULES,
    *presence.RULES,
    *races.RULES,
    *use.RULES,
    *transient.RULES,
    *policies.RULES,
)
"""The rules of the families in which some look at resolved graphs."""

if TYPE_CHECKING:
    from .table import BY_CODE as BY_CODE
    from .table import RULES as RULES


def __getattr__(name: str) -> object:
    """The table of all rules; a check does not need the words of those that are raised elsewhere."""
    if name in ("BY_CODE", "RULES"):
        from . import table

        return getattr(table, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def run_rules(resolved: Resolved, mark: Callable[[str], None] | None = None) -> Iterator[Diagnostic]:
    """All findings of the rules. Graphs whose text could not be read whole are left out.

    `mark` is told the code of each rule when it has looked at a graph, `rules` for what they share.
    """
    for rule in LOOKING:
        if rule.check_program is not None:
            yield from rule.check_program(resolved)
            if mark is not None:
                mark(rule.code)
    checks = [(rule.code, rule.check) for rule in LOOKING if rule.check is not None]
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
