"""Graphs as plain data: drawn at random, written as lgraph text, changed by edits, and read by the criterion.

Expressions are such that Python and lgraph mean the same by them, so that the criterion can evaluate them
without our compiler.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass
class Mutation:
    """Parameters are ints; a statement is field, operator, expression."""

    params: list[str]
    body: list[tuple[str, str, str]]


@dataclass
class Edge:
    """`trigger`: `plain`, `when`, `else` or `on OUTCOME`."""

    source: str
    target: str
    trigger: str = "plain"
    guard: str = ""
    most: int = 0


@dataclass
class Node:
    """Of any kind; what a kind does not have stays empty."""

    name: str
    kind: str
    region: str = ""
    records: list[str] = field(default_factory=list[str])
    goto: list[str] = field(default_factory=list[str])
    ensures: list[str] = field(default_factory=list[str])
    effect: str = "idempotent"
    answers: dict[str, list[tuple[str, str]]] = field(
        default_factory=dict[str, list[tuple[str, str]]]
    )  # what each records: M, argument
    modify: list[str] = field(default_factory=list[str])
    reroute: list[str] = field(default_factory=list[str])
    branches: list[str] = field(default_factory=list[str])
    join: int = 0  # 0: all
    collect: bool = False
    graph: str = ""
    lens: str = ""  # same, values
    over: str = ""
    enter: str = ""
    leave: tuple[str, str] = ("", "")


@dataclass
class Graph:
    """One graph. Edges of a branch begin at `start:REGION`."""

    name: str
    state: str
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    max_steps: int = 0


@dataclass
class Design:
    """Fields by state: name to type, default, range."""

    fields: dict[str, dict[str, tuple[str, str, str]]]
    mutations: dict[str, dict[str, Mutation]]
    graphs: dict[str, Graph]


def fresh() -> Design:
    """The data that all designs begin with."""
    return Design(
        fields={
            "S": {
                "n": ("int", "0", ""),
                "m": ("int", "0", "range -99..99"),
                "xs": ("list[int]", "[]", ""),
                "best": ("int", "0", ""),
                "opt": ("int?", "none", ""),
            },
            "T": {"u": ("int", "0", ""), "ys": ("list[int]", "[]", "")},
        },
        mutations={
            "S": {
                "Add": Mutation(["k"], [("n", "+=", "k")]),
                "Push": Mutation(["k"], [("xs", "+=", "[k]")]),
                "Set": Mutation(["k"], [("m", "=", "k")]),
                "Best": Mutation(["k"], [("best", "=", "max(best, k)")]),
                "Opt": Mutation(["k"], [("opt", "=", "k")]),
                "Two": Mutation(["k"], [("n", "+=", "k"), ("m", "=", "n - k")]),
            },
            "T": {
                "Inc": Mutation(["k"], [("u", "+=", "k")]),
                "Note": Mutation(["k"], [("ys", "+=", "[k]")]),
            },
        },
        graphs={},
    )


class Drawer:
    """Draws designs."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.number = 0
        self.design = fresh()
        self.graph("inner", "T", 1, ())
        self.graph("same", "S", 1, ())
        self.graph("g", "S", 2, ("inner", "same"))

    def name(self, prefix: str) -> str:
        """A new name."""
        self.number += 1
        return f"{prefix}{self.number}"

    def graph(self, name: str, state: str, depth: int, inner: tuple[str, ...]) -> None:
        """Draw a graph into the design."""
        graph = self.design.graphs[name] = Graph(name, state)
        size = self.random.randint(3, 5) if name == "g" else self.random.randint(1, 3)
        self.region(graph, "", size, depth, inner)

    def region(self, graph: Graph, region: str, size: int, depth: int, inner: tuple[str, ...]) -> None:
        """Draw the nodes and edges of a region."""
        names = [self.node(graph, region, depth, inner) for _ in range(size)]
        start = f"start:{region}" if region else "start"
        if size > 1 and self.random.random() < 0.15:
            graph.edges.append(Edge(start, names[1], "when", self.guard(graph.state, names)))
            graph.edges.append(Edge(start, names[0], "else"))
        else:
            graph.edges.append(Edge(start, names[0]))
        for place, name in enumerate(names):
            self.out(graph, names, place, name)

    def out(self, graph: Graph, names: list[str], place: int, name: str) -> None:
        """Draw what leaves a node."""
        node, random = graph.nodes[name], self.random
        after = names[place + 1] if place + 1 < len(names) else "end"
        if node.kind == "barrier":
            for answer in node.answers:
                back = random.random() < 0.3
                target = names[random.randint(0, place)] if back else after
                graph.edges.append(
                    Edge(name, target, f"on {answer}", "", random.randint(1, 3) if back else 0)
                )
                if back:
                    graph.edges.append(Edge(name, after, f"on {answer}"))
            graph.edges.append(Edge(name, after, "on timeout"))
            return
        if node.kind == "task" and random.random() < 0.3:
            graph.edges.append(Edge(name, random.choice([after, "end"]), "on error"))
        if node.kind in ("parallel", "subgraph", "map") and random.random() < 0.4:
            graph.edges.append(Edge(name, after, "on error"))
        turn = random.random()
        if turn < 0.4:
            most = random.choice((0, 1, 2, 3)) or 3
            graph.edges.append(
                Edge(name, names[random.randint(0, place)], "when", self.guard(graph.state, names), most)
            )
            if random.random() < 0.3:
                graph.edges.append(
                    Edge(name, random.choice(names[place:]), "when", self.guard(graph.state, names), 2)
                )
            graph.edges.append(Edge(name, after, "else"))
        elif turn < 0.6 and place + 2 < len(names):
            graph.edges.append(Edge(name, names[-1], "when", self.guard(graph.state, names)))
            graph.edges.append(Edge(name, after, "else"))
        else:
            graph.edges.append(Edge(name, after))
        if node.kind == "task" and random.random() < 0.15:
            node.goto = [random.choice([*names[place + 1 :], "end"])]

    def guard(self, state: str, names: list[str]) -> str:
        """A condition."""
        name, limit = self.random.choice(names), self.random.randint(1, 6)
        own = (
            [
                f"n < {limit}",
                "n % 2 == 0",
                f"len(xs) < {limit}",
                f"m > {limit}",
                f"n + m < {limit}",
                f"best < {limit}",
            ]
            if state == "S"
            else [f"u < {limit}", "u % 2 == 0", f"len(ys) < {limit}"]
        )
        return self.random.choice([*own, *own, f"visits({name}) < {limit}", f"steps() < {limit + 2}"])

    def node(self, graph: Graph, region: str, depth: int, inner: tuple[str, ...]) -> str:
        """Draw a node into a graph; its name."""
        random, kinds = self.random, ["task"] * 5 + ["decision", "barrier"]
        if depth > 0:
            kinds += ["parallel"] * (2 if graph.name == "g" else 1)
        if inner:
            kinds += ["subgraph", "subgraph", "map"]
        kind = random.choice(kinds)
        name = self.name(kind[0])
        node = graph.nodes[name] = Node(name, kind, region)
        self.fill(graph, node, depth, inner)
        return name

    def fill(self, graph: Graph, node: Node, depth: int, inner: tuple[str, ...]) -> None:
        """Draw what a node of its kind has."""
        random, kind, name = self.random, node.kind, node.name
        commuting = ("Add", "Push", "Best") if graph.state == "S" else ("Inc", "Note")
        every = tuple(self.design.mutations[graph.state])
        match kind:
            case "task":
                node.records = random.sample(commuting if node.region or graph.name == "same" else every, 2)
                node.effect = random.choice(("idempotent", "idempotent", "pure", "once"))
                if "Opt" in node.records and random.random() < 0.3:
                    node.ensures = ["opt"]
            case "barrier":
                node.answers = {"yes": []}
                if random.random() < 0.7:
                    node.answers["no"] = [(random.choice(commuting), random.choice(("k", "k + 1", "2")))]
                if random.random() < 0.4:
                    node.modify = [commuting[0]]
            case "parallel":
                node.branches = list("abc"[: random.randint(2, 3)])
                node.join = random.choice((0, 0, 0, 1, 2))
                node.collect = random.random() < 0.25
                for branch in node.branches:
                    self.region(
                        graph, f"{name}/{branch}", random.randint(1, 2), depth - 1, inner if depth > 1 else ()
                    )
            case "subgraph":
                node.graph = random.choice(inner)
                node.lens = "same" if node.graph == "same" else "values"
                if node.lens == "values":
                    node.enter, node.leave = (
                        random.choice(("n", "n + 1", "best")),
                        ("Add", random.choice(("u", "u + 1"))),
                    )
            case "map":
                node.graph, node.lens = "inner", "values"
                node.over = random.choice(("xs", "[1, 2]", "[n, 3]"))
                node.enter, node.leave = (
                    random.choice(("item", "item + n")),
                    ("Push", random.choice(("u", "len(ys)"))),
                )
            case _:
                pass


# --- text -------------------------------------------------------------------------------------------------


def text_of(design: Design) -> str:
    """The design as lgraph."""
    lines: list[str] = []
    for state, fields in design.fields.items():
        lines.append(f"state {state} {{")
        for name, (type_, default, rule) in fields.items():
            lines.append(f"  {name}: {type_}{f' = {default}' if default else ''} {rule}")
        for name, mutation in design.mutations[state].items():
            params = ", ".join(f"{param}: int" for param in mutation.params)
            body = "  ".join(" ".join(statement) for statement in mutation.body)
            lines.append(f"  mutation {name}({params}) {{ {body} }}")
        lines.append("}")
    for graph in design.graphs.values():
        lines.append(f"graph {graph.name}({graph.state}) {{")
        lines += [_node(node, graph) for node in graph.nodes.values()]
        lines += [
            _edge(edge) for edge in graph.edges if ":" not in edge.source and not _region(graph, edge.source)
        ]
        if graph.max_steps:
            lines.append(f"  max_steps {graph.max_steps}")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _region(graph: Graph, source: str) -> str:
    node = graph.nodes.get(source)
    return "" if node is None else node.region


def _node(node: Node, graph: Graph) -> str:
    parts: list[str] = []
    for word, names in (("records", node.records), ("ensures", node.ensures), ("goto", node.goto)):
        if names and node.kind == "task":
            parts.append(f"{word} {', '.join(names)}")
    match node.kind:
        case "task":
            return f"  task {node.name} {{ reads *  {'  '.join(parts)}  effect {node.effect} }}"
        case "decision":
            return f"  decision {node.name}"
        case "barrier":
            for answer, records in node.answers.items():
                given = "(k: int)" if records else ""
                calls = ", ".join(f"{name}({argument})" for name, argument in records)
                parts.append(f"decision {answer}{given}" + (f" records {calls}" if calls else ""))
            for word, names in (("modify", node.modify), ("reroute", node.reroute)):
                if names:
                    parts.append(f"{word} {', '.join(names)}")
            return f"  barrier {node.name} {{ timeout 1h  {'  '.join(parts)} }}"
        case "parallel":
            for branch in node.branches:
                region = f"{node.name}/{branch}"
                inside = [
                    _edge(edge)
                    for edge in graph.edges
                    if edge.source == f"start:{region}" or _region(graph, edge.source) == region
                ]
                parts.append(f"branch {branch} {{ {' '.join(inside)} }}")
            if node.join:
                parts.append("join any" if node.join == 1 else f"join first {node.join}")
            parts.append(f"on_error {'collect' if node.collect else 'fail'}")
            return f"  parallel {node.name} {{ {'  '.join(parts)} }}"
        case "subgraph":
            lens = (
                f"in u = {node.enter}  out {node.leave[0]}({node.leave[1]})" if node.lens == "values" else ""
            )
            return f"  subgraph {node.name} = {node.graph} {{ {lens} }}"
        case _:
            return (
                f"  map {node.name} = {node.graph} {{ over {node.over} as item  in u = {node.enter}"
                f"  out {node.leave[0]}({node.leave[1]}) }}"
            )


def _edge(edge: Edge) -> str:
    trigger = {"plain": "", "when": f"when {edge.guard}"}.get(edge.trigger, edge.trigger)
    most = f"max_visits {edge.most}" if edge.most else ""
    return f"  {edge.source.partition(':')[0]} -> {edge.target} {trigger} {most}"
