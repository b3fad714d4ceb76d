"""From the edges of a graph, as written, to its regions: which node belongs where.

A region is the graph's own (id "") or one branch of one parallel ("parallel/branch"). A node belongs to
the region whose edges name it; one that only a `goto` or `reroute` names belongs where that stands.
Branches come before the graph's own edges, so that an edge from outside into a branch is the one that is
reported (LG306).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.frozen import frozen
from ...dsl.source import Place, Span
from ..context import Unit
from ..model import END, START


@frozen
class Arrow:
    """One arrow of a chain; trigger and limit only on the last one."""

    source: ast.Name
    target: ast.Name
    trigger: ast.Trigger | None
    max_visits: ast.Expr | None
    span: Span


class Block:
    """One region while its edges are gathered."""

    def __init__(
        self, id: str, parallel: str | None, branch: str | None, place: Place, doc: str = ""
    ) -> None:
        self.id = id
        self.parallel = parallel
        self.branch = branch
        self.place = place
        self.doc = doc
        self.arrows: list[Arrow] = []
        self.nodes: list[str] = []


@frozen
class Layout:
    """The regions of a graph.

    Attributes:
        blocks: the graph's own region first, then the branches in the order written.
        home: the region of each node.
        excused: nodes whose edges are not all known; nothing is said about where they lead.
    """

    blocks: list[Block]
    home: dict[str, str]
    excused: set[str]


def lay_out(unit: Unit, written: ast.Graph, nodes: dict[str, ast.Node]) -> Layout:
    """Find the regions; reports LG101, LG102, LG306 and LG307."""
    builder = _Builder(unit, nodes)
    own = Block("", None, None, unit.place(written.name.span))
    blocks = [own]
    for node in nodes.values():
        blocks.extend(builder.branches(node))
    for item in written.items:
        if isinstance(item, ast.Chain):
            builder.chain(own, item)
    for block in [*blocks[1:], own]:
        builder.settle(block)
    builder.excuse_jumps()
    builder.follow_jumps()
    builder.unfold()
    by_id = {block.id: block for block in blocks}
    for name in nodes:
        by_id[builder.home.setdefault(name, "")].nodes.append(name)
    return Layout(blocks, builder.home, builder.excused)


class _Builder:
    def __init__(self, unit: Unit, nodes: dict[str, ast.Node]) -> None:
        self.unit = unit
        self.nodes = nodes
        self.home: dict[str, str] = {}
        self.first: dict[str, ast.Name] = {}
        self.excused: set[str] = set()

    # --- edges

    def branches(self, node: ast.Node) -> Iterator[Block]:
        """The branches of a parallel."""
        if node.kind != "parallel":
            return
        seen: dict[str, ast.Name] = {}
        for clause in node.clauses:
            if not isinstance(clause, ast.BranchClause):
                continue
            name = clause.name
            if name.text in seen:
                self.unit.twice("branch", name, self.unit.place(seen[name.text].span))
                self.excused.update(_named(clause))
                continue
            seen[name.text] = name
            id = f"{node.name.text}/{name.text}"
            block = Block(id, node.name.text, name.text, self.unit.place(name.span), clause.doc)
            if clause.single is not None:
                self.single(block, clause.single)
            for chain in clause.chains:
                self.chain(block, chain)
            yield block

    def single(self, block: Block, name: ast.Name) -> None:
        """`branch b = n` stands for `start -> n -> end`."""
        known = self.known(name)
        if known.text not in (START, END):
            start, end = ast.Name(name.span, START), ast.Name(name.span, END)
            block.arrows.append(Arrow(start, known, None, None, name.span))
            block.arrows.append(Arrow(known, end, None, None, name.span))

    def chain(self, block: Block, chain: ast.Chain) -> None:
        """Every arrow of a chain that can be one."""
        names = [self.known(name) for name in chain.names]
        last = len(names) - 2
        for at, (source, target) in enumerate(pairwise(names)):
            span = chain.span if last == 0 else Span(source.span.start, target.span.end)
            trigger, limit = (chain.trigger, chain.max_visits) if at == last else (None, None)
            if target.text == START:
                message, name = "an edge into `start`: a run starts there and never comes back", target
            elif source.text == END:
                message, name = "an edge out of `end`: nothing comes after it", source
            else:
                block.arrows.append(Arrow(source, target, trigger, limit, span))
                continue
            help = "name the node to go back to" if name is target else ""
            self.unit.error("LG307", message, name.span, help=help)
            self.excused.update((source.text, target.text))

    def known(self, name: ast.Name) -> ast.Name:
        """The name of a node; an undefined one is reported, and nothing is said about the nearest either."""
        if name.text not in self.nodes and name.text not in (START, END):
            near = self.unit.undefined("node", name, self.nodes)
            self.excused.add(name.text)
            if near is not None:
                self.excused.add(near)
        return name

    # --- where nodes belong

    def settle(self, block: Block) -> None:
        """Give the nodes that the block's edges name to it, unless they belong elsewhere (LG306)."""
        reported: set[str] = set()
        for arrow in block.arrows:
            for name in (arrow.source, arrow.target):
                if name.text in (START, END):
                    continue
                home = self.home.setdefault(name.text, block.id)
                self.first.setdefault(name.text, name)
                if home != block.id and name.text not in reported:
                    reported.add(name.text)
                    self.crossing(name, home, block.id, arrow)
                    break  # once for an edge

    def crossing(self, name: ast.Name, home: str, here: str, arrow: Arrow) -> None:
        """Report a node in two regions."""
        label = Label(self.unit.place(self.first[name.text].span), f"`{name.text}` belongs to {region(home)}")
        if arrow.source.text == START or arrow.target.text == END:
            message = f"`{name.text}` is in two regions: {region(home)} and {region(here)}"
        else:
            edge = f"{arrow.source.text} -> {arrow.target.text}"
            message = f"the edge `{edge}` crosses the border of {region(home or here)}"
        help = "a branch starts at its own `start` and ends at its own `end`; its nodes belong to it alone"
        self.unit.error("LG306", message, name.span, help=help, related=(label,))
        self.excused.update((arrow.source.text, arrow.target.text))

    def jumps(self, node: ast.Node) -> Iterator[ast.Name]:
        """The nodes that a node's `goto` or `reroute` names."""
        for clause in node.clauses:
            if isinstance(clause, ast.GotoClause | ast.RerouteClause):
                yield from (t for t in clause.targets if t.text in self.nodes)

    def excuse_jumps(self) -> None:
        """Say nothing about nodes that jump to undefined ones (reported elsewhere), nor about the nearest."""
        for source, node in self.nodes.items():
            for clause in node.clauses:
                if not isinstance(clause, ast.GotoClause | ast.RerouteClause):
                    continue
                for target in clause.targets:
                    if target.text in self.nodes or target.text in (START, END):
                        continue
                    near = self.unit.context.speller.nearest(target.text, self.nodes)
                    self.excused.update((source,) if near is None else (source, near))

    def follow_jumps(self) -> None:
        """Nodes that only jumps lead to belong where the jump stands; other jumps stay inside (LG306)."""
        ready = [name for name in self.nodes if name in self.home]
        while ready:
            source = ready.pop()
            for target in self.jumps(self.nodes[source]):
                if target.text not in self.home:
                    self.home[target.text] = self.home[source]
                    self.first[target.text] = target
                    ready.append(target.text)
        for source, node in self.nodes.items():
            here = self.home.get(source)
            for target in self.jumps(node) if here is not None else ():
                home = self.home[target.text]
                if home != here:
                    place = self.unit.place(self.first[target.text].span)
                    label = Label(place, f"`{target.text}` belongs to {region(home)}")
                    message = f"`{source}` cannot send the run to `{target.text}`: it is in {region(home)}"
                    self.unit.error("LG306", message, target.span, related=(label,))
                    self.excused.update((source, target.text))

    def unfold(self) -> None:
        """A parallel inside its own branch (LG306) is taken out of it."""
        fine = {""}
        for name, node in self.nodes.items():
            if node.kind != "parallel":
                continue
            trail: dict[str, None] = {name: None}
            at = self.home.get(name, "")
            while at not in fine:
                parallel = at.split("/")[0]
                if parallel in trail:
                    message = f"parallel `{parallel}` is inside its own branch"
                    self.unit.error("LG306", message, self.first[parallel].span)
                    self.excused.add(parallel)
                    self.home[parallel] = ""
                    break
                fine_parent = self.home.get(parallel, "")
                trail[parallel] = None
                at = fine_parent
            fine.update(f"{p}/{b.name.text}" for p in trail for b in _branches(self.nodes[p]))


def _named(clause: ast.BranchClause) -> Iterator[str]:
    """The nodes that a branch names."""
    if clause.single is not None:
        yield clause.single.text
    for chain in clause.chains:
        yield from (name.text for name in chain.names)


def _branches(node: ast.Node) -> Iterator[ast.BranchClause]:
    return (c for c in node.clauses if isinstance(c, ast.BranchClause))


def region(id: str) -> str:
    """A region in words."""
    if not id:
        return "the graph itself"
    parallel, branch = id.split("/")
    return f"branch `{branch}` of `{parallel}`"
