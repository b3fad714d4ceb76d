"""A rule as a record: what a finding means, and how the graphs that break it are found.

`lgc explain` shows the words; the table of all rules is in `rules`. A rule whose finding comes up while
names and types are looked up has no `check` of its own: it is raised where the mistake is met. A rule
that is not `active` is described already, and found by a later edition; `by` says which command finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ..dsl.diagnostic import Diagnostic, Fix, Label, Severity
from ..dsl.frozen import frozen
from ..dsl.source import Place
from .graph_view import GraphView
from .resolve import Resolved

GraphCheck: TypeAlias = Callable[[GraphView], Iterator[Diagnostic]]
CHECK = "lgc check"
ProgramCheck: TypeAlias = Callable[[Resolved], Iterator[Diagnostic]]


@frozen
class Rule:
    """One kind of finding.

    Attributes:
        code: `LG` and three digits; never reused.
        name: the same in words, with hyphens.
        severity: error or warning.
        summary: one line: what is found.
        why: what would go wrong without it.
        example: a whole file that causes the finding.
        repair: the same file without it.
        check: finds it in one graph.
        check_program: finds it in all graphs together.
        active: whether this edition finds it.
        allowable: whether a comment `lgc: allow` may silence it: the program can be resolved, hashed, built
            and run without its repair.
        fixable: whether some of its findings come with a repair that `lgc check --fix` applies.
        by: the command that looks for it.
        old: an older version of the graph in the example, whose stored form is given to the check.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    example: str
    repair: str
    check: GraphCheck | None = None
    check_program: ProgramCheck | None = None
    active: bool = True
    allowable: bool = False
    fixable: bool = False
    by: str = CHECK
    old: str = ""

    def found(
        self,
        message: str,
        place: Place,
        *,
        label: str = "",
        help: str = "",
        related: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding of this rule."""
        return Diagnostic(self.code, self.severity, message, place, label, help, related, fix)
