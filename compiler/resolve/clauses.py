"""From the clauses of a node to those that belong to its kind, each once.

A clause of another kind of node is LG002, a clause that stands there twice LG102.
"""

from __future__ import annotations

from typing import TypeVar

from ...dsl import ast
from ...dsl.diagnostic import Label
from ..context import Unit

C = TypeVar("C", bound=ast.Clause)

_WORDS: dict[type, str] = {
    ast.ReadsClause: "reads",
    ast.RecordsClause: "records",
    ast.EnsuresClause: "ensures",
    ast.GotoClause: "goto",
    ast.RetryClause: "retry",
    ast.TimeoutClause: "timeout",
    ast.EffectClause: "effect",
    ast.ParamsClause: "params",
    ast.ImplClause: "impl",
    ast.ShowsClause: "shows",
    ast.DecisionClause: "decision",
    ast.ModifyClause: "modify",
    ast.RerouteClause: "reroute",
    ast.BranchClause: "branch",
    ast.JoinClause: "join",
    ast.OnErrorClause: "on_error",
    ast.LensClause: "on",
    ast.InClause: "in",
    ast.OutClause: "out",
    ast.MaxStepsClause: "max_steps",
    ast.OverClause: "over",
    ast.ConcurrencyClause: "concurrency",
}
_REPEATED = (ast.DecisionClause, ast.BranchClause)
_TASK = "reads records ensures goto retry timeout effect params impl"
BELONGS: dict[ast.NodeKind, tuple[str, ...]] = {
    "task": tuple(_TASK.split()),
    "decision": (),
    "barrier": ("shows", "timeout", "decision", "modify", "reroute"),
    "parallel": ("branch", "join", "on_error"),
    "subgraph": ("on", "in", "out", "max_steps"),
    "map": ("over", "in", "out", "concurrency", "on_error", "max_steps"),
}
_INSTEAD: dict[tuple[ast.NodeKind, str], str] = {
    ("decision", "reads"): "a decision runs nothing; its guards see every field",
    ("barrier", "reads"): "what the decider sees is said with `shows`",
    ("barrier", "goto"): "where the decider may send the run is said with `reroute`",
    ("barrier", "records"): "what an answer records is said with it: `decision NAME(…) records M(…)`",
    ("task", "reroute"): "where the task may send the run is said with `goto`",
    ("task", "shows"): "what the task sees is said with `reads`",
    ("subgraph", "reads"): "what the inner graph gets is said with `in`",
    ("subgraph", "records"): "what comes back is said with `out`",
    ("map", "reads"): "what the inner graph gets is said with `in`",
    ("map", "records"): "what comes back is said with `out`",
}


def word(clause: ast.Clause) -> str:
    """The keyword of a clause."""
    return _WORDS[clause.__class__]


class Clauses:
    """The clauses of one node that belong to its kind."""

    __slots__ = ("_found", "branches", "decisions")

    def __init__(self, unit: Unit, node: ast.Node) -> None:
        self._found: dict[type, ast.Clause] = {}
        self.decisions: list[ast.DecisionClause] = []
        self.branches: list[ast.BranchClause] = []
        belongs = BELONGS[node.kind]
        for clause in node.clauses:
            name = word(clause)
            if name not in belongs:
                _misplaced(unit, node, clause, name)
            elif isinstance(clause, ast.DecisionClause):
                self.decisions.append(clause)
            elif isinstance(clause, ast.BranchClause):
                self.branches.append(clause)
            elif (first := self._found.setdefault(clause.__class__, clause)) is not clause:
                label = Label(unit.place(first.span), "first here")
                message = f"`{name}` stands twice in {node.kind} `{node.name.text}`"
                unit.error("LG102", message, clause.span, related=(label,), help="put both into one clause")

    def get(self, kind: type[C]) -> C | None:
        """The clause of a kind."""
        found = self._found.get(kind)
        return found if isinstance(found, kind) else None


def _misplaced(unit: Unit, node: ast.Node, clause: ast.Clause, name: str) -> None:
    belongs = BELONGS[node.kind]
    help = _INSTEAD.get((node.kind, name), "")
    if not help:
        help = (
            f"a {node.kind} takes " + ", ".join(f"`{b}`" for b in belongs)
            if belongs
            else ("a decision has only edges")
        )
    unit.error("LG002", f"`{name}` does not belong in a {node.kind}", clause.span, help=help)
