"""Mistakes in nodes: clauses left out or changed, branches, barriers, what a subgraph is given."""

from __future__ import annotations

from collections.abc import Iterator

from lgc.dsl import ast
from lgc.dsl.source import Span

from .operators import operator
from .places import Edit, Site, first_wins, members, recorded, without, written


@operator("drop a node")
def _drop_node(site: Site) -> Iterator[Edit]:
    for _, node in site.nodes:
        yield site.edit(f"drop node {node.name.text}", (node.span, ""))


@operator("drop a branch")
def _drop_branch(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.BranchClause):
        yield site.edit(f"drop branch {clause.name.text} of {node.name.text}", (clause.span, ""))


@operator("take a node out of a branch")
def _out_of_branch(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        names = arrow.chain.names
        if arrow.parallel and arrow.at > 0 and len(names) > 3:
            span = Span(names[arrow.at].span.start, names[arrow.at + 1].span.start)
            yield site.edit(f"{names[arrow.at].text} is in branch {arrow.branch} no more", (span, ""))


@operator("one node in two branches")
def _two_branches(site: Site) -> Iterator[Edit]:
    for _, _, clause in site.clauses(ast.BranchClause):
        other = next(
            (c for _, _, c in site.clauses(ast.BranchClause) if c is not clause and c.single is not None),
            None,
        )
        if clause.single is not None and other is not None and other.single is not None:
            yield site.replace(clause.single.span, other.single.text)


@operator("drop `ensures`")
def _drop_ensures(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.EnsuresClause):
        yield site.edit(f"{node.name.text}: drop {site.of(clause.span)}", (clause.span, ""))


@operator("drop `!` of a read")
def _drop_required(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.ReadsClause):
        for read in clause.fields:
            if read.required:
                yield site.edit(f"{node.name.text}: {read.name.text} without !", (read.span, read.name.text))


@operator("`!` on a read of an optional field")
def _require(site: Site) -> Iterator[Edit]:
    for graph, node, clause in site.clauses(ast.ReadsClause):
        state = site.state_of(graph)
        fields = {i.name.text: i for i in state.items if isinstance(i, ast.Field)} if state else {}
        for read in clause.fields:
            declared = fields.get(read.name.text)
            if not read.required and declared and isinstance(declared.type, ast.OptionalType):
                yield site.edit(f"{node.name.text}: {read.name.text}!", (read.span, f"{read.name.text}!"))


@operator("drop a read")
def _drop_read(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.ReadsClause):
        for at, read in enumerate(clause.fields):
            change = without(site, clause.fields, at) if len(clause.fields) > 1 else (clause.span, "")
            yield site.edit(f"{node.name.text}: does not read {read.name.text}", change)


@operator("drop a recorded mutation")
def _drop_record(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.RecordsClause):
        for at, name in enumerate(clause.mutations):
            change = without(site, clause.mutations, at) if len(clause.mutations) > 1 else (clause.span, "")
            yield site.edit(f"{node.name.text}: does not record {name.text}", change)


@operator("record another mutation")
def _other_record(site: Site) -> Iterator[Edit]:
    for graph, node, clause in site.clauses(ast.RecordsClause):
        state = site.state_of(graph)
        names = [i.name.text for i in state.items if isinstance(i, ast.Mutation)] if state else []
        own = {name.text for name in clause.mutations}
        others = [name for name in names if name not in own]
        if others:
            first = clause.mutations[0]
            yield site.edit(f"{node.name.text}: {others[0]} for {first.text}", (first.span, others[0]))


@operator("drop a timeout")
def _drop_timeout(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.TimeoutClause):
        yield site.edit(f"{node.name.text}: drop {site.of(clause.span)}", (clause.span, ""))


@operator("drop what a timeout decides")
def _drop_decides(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.TimeoutClause):
        if clause.decides is not None:
            span = Span(clause.duration.span.end, clause.span.end)
            yield site.edit(f"{node.name.text}: {site.of(span).strip()} dropped", (span, ""))


@operator("drop an answer of a barrier")
def _drop_answer(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.DecisionClause):
        yield site.edit(f"{node.name.text}: drop answer {clause.name.text}", (clause.span, ""))


@operator("an answer that no edge expects")
def _new_answer(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.DecisionClause):
        end = Span(clause.span.end, clause.span.end)
        yield site.edit(f"{node.name.text}: a further answer", (end, "\n    decision later"))


def _jumps(site: Site) -> Iterator[tuple[ast.Node, ast.GotoClause | ast.RerouteClause]]:
    for _, node in site.nodes:
        for clause in node.clauses:
            if isinstance(clause, (ast.GotoClause, ast.RerouteClause)):
                yield node, clause


@operator("drop a target of `goto` or `reroute`")
def _drop_goto(site: Site) -> Iterator[Edit]:
    for node, clause in _jumps(site):
        for at, name in enumerate(clause.targets):
            change = without(site, clause.targets, at) if len(clause.targets) > 1 else (clause.span, "")
            yield site.edit(f"{node.name.text}: never to {name.text}", change)


TWICE = "what should happen once can happen twice"


@operator("retry what has an effect once", harm=TWICE)
def _retry_once(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.EffectClause):
        if clause.kind.text == "once":
            end = Span(clause.span.end, clause.span.end)
            yield site.edit(f"{node.name.text}: retry 2", (end, "  retry 2"))


@operator("a back-off that shrinks", harm="no pause is at least the first and at most the second")
def _backoff(site: Site) -> Iterator[Edit]:
    for _, _, clause in site.clauses(ast.RetryClause):
        low, high = clause.backoff_low, clause.backoff_high
        if low is not None and high is not None and low.milliseconds != high.milliseconds:
            yield site.edit(f"{high.text}..{low.text}", (low.span, high.text), (high.span, low.text))


@operator("drop an input of a subgraph or map")
def _drop_in(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.InClause):
        pairs = [_Pair(Span(name.span.start, value.span.end)) for name, value in clause.values]
        for at, (name, _) in enumerate(clause.values):
            change = without(site, pairs, at) if len(pairs) > 1 else (clause.span, "")
            yield site.edit(f"{node.name.text}: no {name.text}", change)


class _Pair:
    def __init__(self, span: Span) -> None:
        self.span = span


@operator("drop `out` of a subgraph or map")
def _drop_out(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.OutClause):
        yield site.edit(f"{node.name.text}: drop {site.of(clause.span)[:40]}", (clause.span, ""))


@operator("a subgraph on another field")
def _lens(site: Site) -> Iterator[Edit]:
    for graph, _, clause in site.clauses(ast.LensClause):
        state = site.state_of(graph)
        names = [i.name.text for i in state.items if isinstance(i, ast.Field)] if state else []
        for other in [name for name in names if name != clause.field.text][:3]:
            yield site.replace(clause.field.span, other)


@operator("drop the lens of a subgraph")
def _drop_lens(site: Site) -> Iterator[Edit]:
    for _, _, clause in site.clauses(ast.LensClause):
        yield site.replace(clause.span, "")


@operator("run another graph")
def _other_graph(site: Site) -> Iterator[Edit]:
    for graph, node in site.nodes:
        others = [
            g.name.text for g in site.case.all(ast.Graph) if node.graph and g.name.text != node.graph.text
        ]
        if node.graph is not None:
            yield from (site.replace(node.graph.span, name) for name in others)
            if graph.name.text not in others:
                yield site.replace(node.graph.span, graph.name.text)


@operator("wait for more branches than there are")
def _join(site: Site) -> Iterator[Edit]:
    for _, _, clause in site.clauses(ast.JoinClause):
        yield site.replace(clause.span, "join first 9")


STALE = "the branch sees the value as it was at the fork, not what the other branch wrote"


@operator("read what another branch writes", harm=STALE)
def _read_sibling(site: Site) -> Iterator[Edit]:
    for graph, node in site.nodes:
        state = site.state_of(graph)
        counting = () if first_wins(node) else node.clauses
        branches = [c for c in counting if isinstance(c, ast.BranchClause)]
        changes = (
            {i.name.text: written(i) for i in state.items if isinstance(i, ast.Mutation)} if state else {}
        )
        for branch in branches:
            others = [n for b in branches if b is not branch for n in members(graph, b)]
            fields = sorted({f for n in others for m in recorded(n) for f in changes.get(m, ())})
            for inner in members(graph, branch):
                for clause in inner.clauses:
                    if isinstance(clause, ast.ReadsClause):
                        known = {read.name.text for read in clause.fields}
                        for name in [f for f in fields if f not in known][:1]:
                            end = Span(clause.span.end, clause.span.end)
                            yield site.edit(f"{inner.name.text} reads {name}", (end, f", {name}"))
