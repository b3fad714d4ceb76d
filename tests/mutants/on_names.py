"""Mistakes in names: misspelt where something is declared, or where it is used; imports."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lgc.dsl import ast
from lgc.dsl.source import Span

from .operators import operator
from .places import Edit, Site, recorded, walk

TYPO = "x"


def _misspell(site: Site, name: ast.Name, what: str) -> Edit:
    new = name.text[:-1] + TYPO if len(name.text) > 3 and name.text[-1] != TYPO else name.text + "_" + TYPO
    return site.edit(f"{what} {name.text} is called {new}", (name.span, new))


@operator("misspell a node where it is declared")
def _node(site: Site) -> Iterator[Edit]:
    yield from (_misspell(site, node.name, "node") for _, node in site.nodes)


@operator("misspell a node in an edge")
def _node_use(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if arrow.target.text != "end":
            yield _misspell(site, arrow.target, "in an edge, node")


@operator("misspell a field where it is declared")
def _field(site: Site) -> Iterator[Edit]:
    yield from (_misspell(site, field.name, "field") for _, field in site.fields)


@operator("misspell a field in `reads`, `ensures` or `shows`")
def _field_use(site: Site) -> Iterator[Edit]:
    for _, node in site.nodes:
        for clause in node.clauses:
            match clause:
                case ast.ReadsClause(fields=reads):
                    names = [read.name for read in reads if read.name.text != "*"]
                case ast.EnsuresClause(fields=fields) | ast.ShowsClause(fields=fields):
                    names = list(fields)
                case _:
                    names = []
            yield from (_misspell(site, name, f"in {node.name.text}, field") for name in names)


@operator("misspell a name in an expression")
def _expression(site: Site) -> Iterator[Edit]:
    for graph in site.graphs:
        for part in walk(graph.items):
            if isinstance(part, ast.Ref):
                yield _misspell(site, ast.Name(part.span, part.name), "in an expression,")
    for _, mutation in site.mutations:
        for part in walk(mutation.body or ()):
            if isinstance(part, ast.Ref):
                yield _misspell(site, ast.Name(part.span, part.name), f"in {mutation.name.text},")


@operator("misspell a mutation where it is declared")
def _mutation(site: Site) -> Iterator[Edit]:
    yield from (_misspell(site, mutation.name, "mutation") for _, mutation in site.mutations)


@operator("misspell a mutation where it is recorded")
def _mutation_use(site: Site) -> Iterator[Edit]:
    for _, node, clause in site.clauses(ast.RecordsClause):
        assert list(recorded(node))
        yield from (_misspell(site, name, f"in {node.name.text},") for name in clause.mutations)


@operator("misspell a member of an enum")
def _member(site: Site) -> Iterator[Edit]:
    for graph in site.graphs:
        for part in walk(graph.items):
            if (
                isinstance(part, ast.Attr)
                and isinstance(part.base, ast.Ref)
                and part.base.name in site.case.enums
            ):
                yield _misspell(site, part.name, "member")


@operator("misspell a type")
def _type(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        for part in walk(field.type):
            if isinstance(part, ast.NamedType):
                yield _misspell(site, ast.Name(part.span, part.name), f"type of {field.name.text}:")


@operator("misspell a declaration")
def _declaration(site: Site) -> Iterator[Edit]:
    for one in site.tree.declarations:
        if isinstance(one, (ast.Enum, ast.Record, ast.State, ast.Graph, ast.Union, ast.Opaque)):
            yield _misspell(site, one.name, type(one).__name__.lower())


@operator("declare a name twice")
def _twice(site: Site) -> Iterator[Edit]:
    nodes = [(graph.name, node.name) for graph, node in site.nodes]
    fields = [(state.name, field.name) for state, field in site.fields]
    mutations = [(state.name, mutation.name) for state, mutation in site.mutations]
    for names in (nodes, fields, mutations):
        for (owner, first), (other, second) in pairwise(names):
            if owner is other:
                yield site.edit(f"{second.text} is called {first.text}", (second.span, first.text))


@operator("drop an imported name")
def _drop_import(site: Site) -> Iterator[Edit]:
    for one in site.tree.declarations:
        if isinstance(one, ast.Import):
            for at, name in enumerate(one.names):
                span = one.span if len(one.names) == 1 else _listed(one.names, at)
                yield site.edit(f"{name.text} is not imported", (span, ""))


def _listed(names: tuple[ast.Name, ...], at: int) -> Span:
    if at + 1 < len(names):
        return Span(names[at].span.start, names[at + 1].span.start)
    return Span(names[at - 1].span.end, names[at].span.end)


@operator("import what nobody needs")
def _more_import(site: Site) -> Iterator[Edit]:
    for one in site.tree.declarations:
        if isinstance(one, ast.Import):
            other = next((s for s in site.case.sites() if s.path == one.path.value.removeprefix("./")), None)
            known = {name.text for name in one.names}
            for declared in other.tree.declarations if other else ():
                if (
                    not isinstance(declared, (ast.Import, ast.Migrate, ast.Scenario))
                    and declared.name.text not in known
                ):
                    end = Span(one.names[-1].span.end, one.names[-1].span.end)
                    yield site.edit(f"import {declared.name.text} too", (end, f", {declared.name.text}"))


@operator("misspell the path of an import")
def _path(site: Site) -> Iterator[Edit]:
    for one in site.tree.declarations:
        if isinstance(one, ast.Import):
            yield site.replace(one.path.span, one.path.text.replace(".lgraph", "s.lgraph"))
