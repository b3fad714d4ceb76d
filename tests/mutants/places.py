"""From the files of one real graph to what operators look at: trees, arrows, names, who writes what.

A *case* is one file, or one folder of files that import each other. A *site* is one file of a case, with the
tables of the whole case. Operators find their places in the tree and answer with edits of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from lgc.dsl import ast
from lgc.dsl.parse import parse
from lgc.dsl.source import Source, Span

T = TypeVar("T")
Texts = dict[str, str]


@dataclass(frozen=True)
class Edit:
    """One change of one file: pieces of text to replace, and what that is in words."""

    path: str
    changes: tuple[tuple[Span, str], ...]
    words: str

    def applied(self, texts: Texts) -> Texts:
        """The files with the change."""
        text = texts[self.path]
        for span, new in sorted(self.changes, reverse=True):
            text = text[: span.start] + new + text[span.end :]
        return {**texts, self.path: text}


@dataclass(frozen=True)
class Arrow:
    """One arrow of a chain. `parallel` is the node whose branch it belongs to, "" for the graph's own."""

    graph: ast.Graph
    chain: ast.Chain
    at: int
    parallel: str
    branch: str

    @property
    def source(self) -> ast.Name:
        """Where it comes from."""
        return self.chain.names[self.at]

    @property
    def target(self) -> ast.Name:
        """Where it leads."""
        return self.chain.names[self.at + 1]

    @property
    def trigger(self) -> ast.Trigger | None:
        """`when`, `else`, `on` or nothing."""
        return self.chain.trigger


@dataclass(frozen=True)
class Case:
    """Files by their path, as a folder of their own."""

    name: str
    texts: Texts
    trees: dict[str, ast.File] = field(default_factory=dict[str, ast.File])

    @staticmethod
    def of(name: str, texts: Texts) -> Case:
        """Parse the files."""
        return Case(name, texts, {path: parse(Source(path, text)).file for path, text in texts.items()})

    def all(self, kind: type[T]) -> list[T]:
        """Every declaration of a kind, in all files."""
        return [d for tree in self.trees.values() for d in tree.declarations if isinstance(d, kind)]

    @cached_property
    def enums(self) -> dict[str, ast.Enum]:
        """Enums by name."""
        return {one.name.text: one for one in self.all(ast.Enum)}

    @cached_property
    def states(self) -> dict[str, ast.State]:
        """States by name."""
        return {one.name.text: one for one in self.all(ast.State)}

    def sites(self) -> list[Site]:
        """One for each file."""
        return [Site(self, path, self.texts[path], self.trees[path]) for path in sorted(self.texts)]


@dataclass(frozen=True)
class Site:
    """One file of a case."""

    case: Case
    path: str
    text: str
    tree: ast.File

    def of(self, span: Span) -> str:
        """The text of a span."""
        return self.text[span.start : span.end]

    def edit(self, words: str, *changes: tuple[Span, str]) -> Edit:
        """A change of this file."""
        return Edit(self.path, changes, words)

    def replace(self, span: Span, new: str) -> Edit:
        """One piece of text for another."""
        old = " ".join(self.of(span).split())
        return self.edit(f"{old[:60]} => {new[:60] or 'nothing'}", (span, new))

    @cached_property
    def graphs(self) -> list[ast.Graph]:
        """The graphs of this file."""
        return [d for d in self.tree.declarations if isinstance(d, ast.Graph)]

    @cached_property
    def fields(self) -> list[tuple[ast.State, ast.Field]]:
        """The fields of the states of this file."""
        states = [d for d in self.tree.declarations if isinstance(d, ast.State)]
        return [(state, item) for state in states for item in state.items if isinstance(item, ast.Field)]

    @cached_property
    def mutations(self) -> list[tuple[ast.State, ast.Mutation]]:
        """The mutations of the states of this file."""
        states = [d for d in self.tree.declarations if isinstance(d, ast.State)]
        return [(state, item) for state in states for item in state.items if isinstance(item, ast.Mutation)]

    @cached_property
    def nodes(self) -> list[tuple[ast.Graph, ast.Node]]:
        """The nodes of the graphs of this file."""
        return [(g, item) for g in self.graphs for item in g.items if isinstance(item, ast.Node)]

    def clauses(self, kind: type[T]) -> Iterator[tuple[ast.Graph, ast.Node, T]]:
        """Every clause of a kind with its node."""
        for graph, node in self.nodes:
            for clause in node.clauses:
                if isinstance(clause, kind):
                    yield graph, node, clause

    @cached_property
    def arrows(self) -> list[Arrow]:
        """Every arrow of this file, those of branches included."""
        found: list[Arrow] = []
        for graph in self.graphs:
            for item in graph.items:
                if isinstance(item, ast.Chain):
                    found += _arrows(graph, item, "", "")
                elif isinstance(item, ast.Node):
                    for clause in item.clauses:
                        if isinstance(clause, ast.BranchClause):
                            for chain in clause.chains:
                                found += _arrows(graph, chain, item.name.text, clause.name.text)
        return found

    def region_nodes(self, arrow: Arrow) -> list[str]:
        """The nodes that stand in an arrow's region."""
        names: dict[str, None] = {}
        for one in self.arrows:
            if (one.graph, one.parallel, one.branch) == (arrow.graph, arrow.parallel, arrow.branch):
                names[one.source.text] = names[one.target.text] = None
        return [name for name in names if name not in ("start", "end")]

    def state_of(self, graph: ast.Graph) -> ast.State | None:
        """The state of a graph."""
        return self.case.states.get(graph.state.text)


def _arrows(graph: ast.Graph, chain: ast.Chain, parallel: str, branch: str) -> list[Arrow]:
    return [Arrow(graph, chain, at, parallel, branch) for at in range(len(chain.names) - 1)]


def without(site: Site, items: Sequence[Any], at: int) -> tuple[Span, str]:
    """The change that takes one item out of a list between commas (of two items or more)."""
    if at + 1 < len(items):
        return Span(items[at].span.start, items[at + 1].span.start), ""
    return Span(items[at - 1].span.end, items[at].span.end), ""


def walk(part: Any) -> Iterator[Any]:
    """A part of a tree and all parts inside it, in the order written."""
    if isinstance(part, tuple):
        for one in part:  # pyright: ignore[reportUnknownVariableType]
            yield from walk(one)
    elif type(part).__module__ == ast.__name__:
        yield part
        names: tuple[str, ...] = getattr(part, "__match_args__", ())
        for name in names:
            yield from walk(getattr(part, name))


def guards(site: Site) -> Iterator[tuple[Arrow, ast.WhenTrigger]]:
    """The arrows with a `when`."""
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.WhenTrigger):
            yield arrow, arrow.trigger


# --- who writes what ----------------------------------------------------------------------------------------


def base_of(target: ast.Expr) -> str:
    """The field that a statement changes."""
    while not isinstance(target, ast.Ref):
        assert isinstance(target, (ast.Attr, ast.Index))
        target = target.base
    return target.name


def written(mutation: ast.Mutation) -> set[str]:
    """The fields that a mutation changes."""
    if mutation.body is None:
        return {n.text for n in mutation.writes} or {p.name.text for p in mutation.params}
    return {base_of(statement.target) for statement in mutation.body}


def recorded(node: ast.Node) -> Iterator[str]:
    """The mutations that a node may record."""
    for clause in node.clauses:
        match clause:
            case ast.RecordsClause(mutations=names) | ast.ModifyClause(mutations=names):
                yield from (name.text for name in names)
            case ast.DecisionClause(records=calls) | ast.OutClause(mutations=calls):
                yield from (call.name.text for call in calls)
            case _:
                pass


def members(graph: ast.Graph, branch: ast.BranchClause) -> list[ast.Node]:
    """The nodes of a branch, those of parallels inside it included."""
    nodes = {item.name.text: item for item in graph.items if isinstance(item, ast.Node)}
    todo = [branch.single.text] if branch.single else [n.text for c in branch.chains for n in c.names]
    found: dict[str, ast.Node] = {}
    while todo:
        node = nodes.get(todo.pop())
        if node is None or node.name.text in found:
            continue
        found[node.name.text] = node
        for inner in node.clauses:
            if isinstance(inner, ast.BranchClause):
                todo += (
                    [inner.single.text] if inner.single else [n.text for c in inner.chains for n in c.names]
                )
    return list(found.values())


def shared_writes(case: Case) -> set[tuple[str, str, str]]:
    """What one branch of a parallel changes and another one too, or each element of a map: the state, the
    mutation and the field. Of branches that are joined by `any`, one alone counts."""
    found: set[tuple[str, str, str]] = set()
    for graph in case.all(ast.Graph):
        state = case.states.get(graph.state.text)
        changes = (
            {i.name.text: written(i) for i in state.items if isinstance(i, ast.Mutation)} if state else {}
        )
        for item in graph.items:
            if isinstance(item, ast.Node):
                for mutation, name in _shared(graph, item, changes):
                    found.add((graph.state.text, mutation, name))
    return found


def _shared(graph: ast.Graph, node: ast.Node, changes: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    if first_wins(node):
        return
    branches = [c for c in node.clauses if isinstance(c, ast.BranchClause)]
    sides = [{m for one in members(graph, c) for m in recorded(one)} for c in branches]
    if node.kind == "map":
        sides = [set(recorded(node))] * 2
    for n, side in enumerate(sides):
        others = {f for k, other in enumerate(sides) if k != n for m in other for f in changes.get(m, ())}
        for mutation in side:
            yield from ((mutation, name) for name in changes.get(mutation, set()) & others)


def first_wins(node: ast.Node) -> bool:
    """Whether only one branch of a parallel counts in the end."""
    return any(isinstance(c, ast.JoinClause) and c.kind.text == "any" for c in node.clauses)


def load_cases(root: Path) -> list[Case]:
    """Every case of a folder: its files, and its folders with all their files."""
    cases: list[Case] = []
    for path in sorted(root.iterdir()):
        if path.is_dir():
            files = {one.name: one.read_text("utf-8") for one in sorted(path.glob("*.lgraph"))}
            cases.append(Case.of(path.name, files))
        elif path.suffix == ".lgraph":
            cases.append(Case.of(path.stem, {path.name: path.read_text("utf-8")}))
    return cases
