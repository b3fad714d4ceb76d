"""From reductions to graphs: nodes with their clauses, edges, settings."""

from __future__ import annotations

from typing import Any

from . import ast
from .build import Build, Parts, names
from .source import Span


def _from(c: Parts, last: Any) -> Span:
    """From a leading keyword to the end of a node."""
    return Span(c[0].start_pos, last.span.end)


def _closed(c: Parts) -> Span:
    """From a leading keyword to a closing brace."""
    return Span(c[0].start_pos, c[-1].end_pos)


class BuildNodes(Build):
    """Nodes and their clauses."""

    def _node(self, c: Parts, graph: ast.Name | None, clauses: Parts | None, end: int) -> ast.Node:
        kind, name = c[0], c[1]
        doc = self.doc(kind.start_pos)
        span = Span(kind.start_pos, end)
        found: tuple[ast.Clause, ...] = tuple(clauses or ())
        return ast.Node(span, kind.value, self.declared(name), graph, found, clauses is not None, doc)

    def node_bare(self, c: Parts) -> ast.Node:
        return self._node(c, None, None, c[1].span.end)

    def node_braces(self, c: Parts) -> ast.Node:
        return self._node(c, None, c[3], c[4].end_pos)

    def node_graph_bare(self, c: Parts) -> ast.Node:
        return self._node(c, self.used(c[3]), None, c[3].span.end)

    def node_graph_braces(self, c: Parts) -> ast.Node:
        return self._node(c, self.used(c[3]), c[5], c[6].end_pos)

    # --- clauses that are a list of names

    def _names(self, c: Parts) -> tuple[ast.Name, ...]:
        for name in c[1]:
            self.used(name)
        return names(c[1])

    def records(self, c: Parts) -> ast.RecordsClause:
        return ast.RecordsClause(_from(c, c[1][-1]), self._names(c))

    def ensures(self, c: Parts) -> ast.EnsuresClause:
        return ast.EnsuresClause(_from(c, c[1][-1]), self._names(c))

    def shows(self, c: Parts) -> ast.ShowsClause:
        return ast.ShowsClause(_from(c, c[1][-1]), self._names(c))

    def modify(self, c: Parts) -> ast.ModifyClause:
        return ast.ModifyClause(_from(c, c[1][-1]), self._names(c))

    def goto(self, c: Parts) -> ast.GotoClause:
        return ast.GotoClause(_from(c, c[1][-1]), names(c[1]))

    def reroute(self, c: Parts) -> ast.RerouteClause:
        return ast.RerouteClause(_from(c, c[1][-1]), names(c[1]))

    # --- clauses of tasks

    def read_plain(self, c: Parts) -> ast.Read:
        return ast.Read(c[0].span, self.used(c[0]), False)

    def read_required(self, c: Parts) -> ast.Read:
        return ast.Read(Span(c[0].span.start, c[1].end_pos), self.used(c[0]), True)

    def read_all(self, c: Parts) -> ast.Read:
        span = Span(c[0].start_pos, c[0].end_pos)
        return ast.Read(span, ast.Name(span, "*"), False)

    def reads(self, c: Parts) -> ast.ReadsClause:
        return ast.ReadsClause(_from(c, c[1][-1]), tuple(c[1]))

    def retry(self, c: Parts) -> ast.RetryClause:
        low = high = None
        errors: tuple[ast.StrLit, ...] = ()
        end: int = c[1].span.end
        if len(c) in (6, 8):
            low, high = c[3], c[5]
            end = high.span.end
        if len(c) in (4, 8):
            errors = tuple(c[-1])
            end = errors[-1].span.end
        return ast.RetryClause(Span(c[0].start_pos, end), c[1], low, high, errors)

    def timeout(self, c: Parts) -> ast.TimeoutClause:
        return ast.TimeoutClause(_from(c, c[-1]), c[1], c[3] if len(c) > 2 else None)

    def effect(self, c: Parts) -> ast.EffectClause:
        return ast.EffectClause(_from(c, c[1]), c[1])

    def params(self, c: Parts) -> ast.ParamsClause:
        return ast.ParamsClause(_closed(c), tuple(c[2]))

    def impl(self, c: Parts) -> ast.ImplClause:
        return ast.ImplClause(_from(c, c[1]), c[1])

    # --- clauses of barriers and parallels

    def decision(self, c: Parts) -> ast.DecisionClause:
        start: int = c[0].start_pos
        end: int = c[1].span.end
        params: tuple[ast.Param, ...] = ()
        records: tuple[ast.MutationCall, ...] = ()
        if len(c) in (3, 5):
            params, end = tuple(c[2][0]), c[2][1]
        if len(c) >= 4:
            records = tuple(c[-1])
            end = records[-1].span.end
        return ast.DecisionClause(Span(start, end), self.declared(c[1]), params, records, self.doc(start))

    def branch_single(self, c: Parts) -> ast.BranchClause:
        doc = self.doc(c[0].start_pos)
        return ast.BranchClause(_from(c, c[3]), self.declared(c[1]), self.used(c[3]), (), doc)

    def branch_edges(self, c: Parts) -> ast.BranchClause:
        doc = self.doc(c[0].start_pos)
        return ast.BranchClause(_closed(c), self.declared(c[1]), None, tuple(c[3]), doc)

    def join(self, c: Parts) -> ast.JoinClause:
        return ast.JoinClause(_from(c, c[-1]), c[1], c[2] if len(c) > 2 else None)

    def on_error(self, c: Parts) -> ast.OnErrorClause:
        return ast.OnErrorClause(_from(c, c[1]), c[1])

    # --- clauses of subgraphs and maps

    def lens(self, c: Parts) -> ast.LensClause:
        return ast.LensClause(_from(c, c[1]), self.used(c[1]))

    def in_(self, c: Parts) -> ast.InClause:
        return ast.InClause(_from(c, c[1][-1][1]), tuple(c[1]))

    def out(self, c: Parts) -> ast.OutClause:
        return ast.OutClause(_from(c, c[1][-1]), tuple(c[1]))

    def max_steps(self, c: Parts) -> ast.MaxStepsClause:
        return ast.MaxStepsClause(_from(c, c[1]), c[1])

    def over(self, c: Parts) -> ast.OverClause:
        return ast.OverClause(_from(c, c[3]), c[1], self.declared(c[3]))

    def concurrency(self, c: Parts) -> ast.ConcurrencyClause:
        return ast.ConcurrencyClause(_from(c, c[1]), c[1])


class BuildGraphs(BuildNodes):
    """Graphs, edges and checkpoint settings."""

    def graph(self, c: Parts) -> ast.Graph:
        doc = self.doc(c[0].start_pos)
        return ast.Graph(_closed(c), self.declared(c[1]), self.used(c[3]), tuple(c[6]), doc)

    # --- edges

    def path_begin(self, c: Parts) -> Parts:
        return [c[0], c[2]]

    def _chain(self, path: Parts, trigger: ast.Trigger | None, limit: ast.Expr | None) -> ast.Chain:
        last: Any = limit or trigger or path[-1]
        if trigger is not None and len(path) > 2:
            help = "give that edge a line of its own: `a -> b` and then `b -> c when …`"
            self.report(
                "LG002", "a trigger stands on a single arrow, not behind a chain", trigger.span, help=help
            )
        return ast.Chain(Span(path[0].span.start, last.span.end), names(path), trigger, limit)

    def chain_plain(self, c: Parts) -> ast.Chain:
        path = c[0]
        return ast.Chain(Span(path[0].span.start, path[-1].span.end), tuple(path), None, None)

    def chain_limited(self, c: Parts) -> ast.Chain:
        return self._chain(c[0], None, c[1])

    def chain_triggered(self, c: Parts) -> ast.Chain:
        return self._chain(c[0], c[1], None)

    def chain_both(self, c: Parts) -> ast.Chain:
        return self._chain(c[0], c[1], c[2])

    def max_visits(self, c: Parts) -> Any:
        return c[1]

    def when(self, c: Parts) -> ast.WhenTrigger:
        return ast.WhenTrigger(_from(c, c[1]), c[1])

    def else_(self, c: Parts) -> ast.ElseTrigger:
        return ast.ElseTrigger(Span(c[0].start_pos, c[0].end_pos))

    def on(self, c: Parts) -> ast.OnTrigger:
        return ast.OnTrigger(_from(c, c[1]), self.used(c[1]))

    # --- checkpoint settings

    def checkpoint(self, c: Parts) -> ast.CheckpointSetting:
        return ast.CheckpointSetting(_closed(c), tuple(c[2]))

    def every_steps(self, c: Parts) -> ast.EveryRule:
        return ast.EveryRule(_closed(c), c[1], None)

    def every_duration(self, c: Parts) -> ast.EveryRule:
        return ast.EveryRule(_from(c, c[1]), None, c[1])

    def on_events(self, c: Parts) -> ast.OnEventsRule:
        return ast.OnEventsRule(_from(c, c[1][-1]), names(c[1]))

    def weight(self, c: Parts) -> tuple[ast.Name, ast.Expr]:
        return (c[0], c[1])

    def adaptive(self, c: Parts) -> ast.AdaptiveRule:
        return ast.AdaptiveRule(_closed(c), tuple(c[2]))

    def manual(self, c: Parts) -> ast.ManualRule:
        return ast.ManualRule(Span(c[0].start_pos, c[0].end_pos))

    def keep_count(self, c: Parts) -> ast.KeepRule:
        return ast.KeepRule(_from(c, c[1]), c[1], None)

    def keep_duration(self, c: Parts) -> ast.KeepRule:
        return ast.KeepRule(_from(c, c[1]), None, c[1])

    def keep_all(self, c: Parts) -> ast.KeepRule:
        return ast.KeepRule(_closed(c), None, None)

    def compact_auto(self, c: Parts) -> ast.CompactRule:
        return ast.CompactRule(_closed(c), None)

    def compact_steps(self, c: Parts) -> ast.CompactRule:
        return ast.CompactRule(_closed(c), c[1])
