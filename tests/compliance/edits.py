"""Random changes of a design, as people make them."""

from __future__ import annotations

from copy import deepcopy
from random import Random

from .designs import Design, Drawer, Edge, Graph, Mutation, Node


class Editor:
    """Changes a copy of a design; the result need not compile."""

    def __init__(self, random: Random, design: Design, drawer: Drawer) -> None:
        self.random = random
        self.design = deepcopy(design)
        self.drawer = drawer
        self.drawer.random = random
        self.drawer.design = self.design
        self.done: list[str] = []

    def edit(self, times: int) -> Design:
        """Make so many changes."""
        names = [name for name in dir(self) if name.startswith("do_")]
        for _ in range(times):
            name = self.random.choice(names)
            graph = self.design.graphs[self.random.choice(("g", "g", "g", "inner", "same"))]
            try:
                getattr(self, name)(graph)
                self.done.append(f"{name.removeprefix('do_')} in {graph.name}")
            except (IndexError, KeyError, ValueError):
                continue
        return self.design

    def _node(self, graph: Graph, *kinds: str) -> Node:
        return self.random.choice([n for n in graph.nodes.values() if not kinds or n.kind in kinds])

    def _edge(self, graph: Graph, trigger: str = "") -> Edge:
        return self.random.choice([e for e in graph.edges if not trigger or e.trigger == trigger])

    @staticmethod
    def _region(graph: Graph, source: str) -> str:
        if source.startswith("start"):
            return source.partition(":")[2]
        return graph.nodes[source].region

    def _new(self, graph: Graph, region: str, *kinds: str) -> Node:
        node = Node(
            self.drawer.name("new"), self.random.choice(kinds or ("task", "task", "decision")), region
        )
        graph.nodes[node.name] = node
        self.drawer.fill(graph, node, 0, ())
        return node

    # --- nodes --------------------------------------------------------------------------------------------

    def do_insert(self, graph: Graph) -> None:
        edge = self._edge(graph)
        node = self._new(graph, self._region(graph, edge.source), "task", "task", "decision", "barrier")
        triggers = [f"on {a}" for a in node.answers] + ["on timeout"] if node.answers else ["plain"]
        graph.edges += [Edge(node.name, edge.target, trigger) for trigger in triggers]
        edge.target = node.name

    def do_insert_before(self, graph: Graph) -> None:
        target = self._node(graph)
        node = self._new(graph, target.region)
        for edge in graph.edges:
            if edge.target == target.name:
                edge.target = node.name
        graph.edges.append(Edge(node.name, target.name))

    def do_delete(self, graph: Graph) -> None:
        node = self._node(graph, "task", "decision", "subgraph", "map")
        after = next(
            e.target for e in graph.edges if e.source == node.name and e.trigger in ("plain", "else")
        )
        del graph.nodes[node.name]
        graph.edges = [edge for edge in graph.edges if edge.source != node.name]
        for edge in graph.edges:
            if edge.target == node.name:
                edge.target = after

    def do_swap(self, graph: Graph) -> None:
        one, other = self.random.sample(list(graph.nodes), 2)
        if graph.nodes[one].region != graph.nodes[other].region:
            raise ValueError
        names = {one: other, other: one}
        for edge in graph.edges:
            edge.source, edge.target = (
                names.get(edge.source, edge.source),
                names.get(edge.target, edge.target),
            )

    def do_kind(self, graph: Graph) -> None:
        node = self._node(graph, "task", "decision")
        node.kind = "decision" if node.kind == "task" else "task"
        node.goto, node.ensures = [], []
        graph.edges = [e for e in graph.edges if not (e.source == node.name and e.trigger == "on error")]

    def do_wrap(self, graph: Graph) -> None:
        node = self._node(graph, "task", "decision")
        if node.goto:
            raise ValueError
        other = self._new(graph, "", "task")
        outer = Node(self.drawer.name("wrap"), "parallel", node.region, branches=["a", "b"])
        for edge in graph.edges:
            if edge.source == node.name:
                edge.source = outer.name
            if edge.target == node.name:
                edge.target = outer.name
        for inside, branch in ((node, "a"), (other, "b")):
            inside.region = f"{outer.name}/{branch}"
            graph.edges += [Edge(f"start:{inside.region}", inside.name), Edge(inside.name, "end")]
        graph.nodes[outer.name] = outer

    def do_unwrap(self, graph: Graph) -> None:
        node = self._node(graph, "parallel")
        inside = [n for n in graph.nodes.values() if n.region == f"{node.name}/a"]
        if any(n.kind == "parallel" for n in graph.nodes.values() if n.region.startswith(f"{node.name}/")):
            raise ValueError
        gone = {n.name for n in graph.nodes.values() if n.region.startswith(f"{node.name}/")} - {
            n.name for n in inside
        }
        first = next(e.target for e in graph.edges if e.source == f"start:{node.name}/a")
        after = next(e.target for e in graph.edges if e.source == node.name)
        graph.edges = [
            e for e in graph.edges
            if e.source not in {*gone, node.name} and not e.source.startswith(f"start:{node.name}/")
        ]  # fmt: skip
        for edge in graph.edges:
            if edge.source in {n.name for n in inside} and edge.target == "end":
                edge.target = after
            if edge.target == node.name:
                edge.target = first
        for n in inside:
            n.region = node.region
        for name in [*gone, node.name]:
            del graph.nodes[name]

    def do_records(self, graph: Graph) -> None:
        node = self._node(graph, "task")
        name = self.random.choice(list(self.design.mutations[graph.state]))
        if name in node.records:
            node.records.remove(name)
        else:
            node.records.append(name)

    def do_effect(self, graph: Graph) -> None:
        self._node(graph, "task").effect = self.random.choice(("pure", "once", "idempotent"))

    def do_ensures(self, graph: Graph) -> None:
        node = self._node(graph, "task")
        node.ensures = [] if node.ensures else ["opt"]

    def do_goto(self, graph: Graph) -> None:
        node = self._node(graph, "task")
        node.goto = [] if node.goto else [self._node(graph).name]

    # --- edges --------------------------------------------------------------------------------------------

    def do_guard(self, graph: Graph) -> None:
        self._edge(graph, "when").guard = self.drawer.guard(graph.state, list(graph.nodes))

    def do_guards_on(self, graph: Graph) -> None:
        edge = self._edge(graph, "plain")
        target = self._node(graph).name
        place = graph.edges.index(edge)
        edge.trigger = "else"
        guard = self.drawer.guard(graph.state, list(graph.nodes))
        graph.edges.insert(place, Edge(edge.source, target, "when", guard, self.random.choice((0, 2))))

    def do_guards_off(self, graph: Graph) -> None:
        edge = self._edge(graph, "when")
        graph.edges = [e for e in graph.edges if not (e.source == edge.source and e.trigger == "when")]
        for one in graph.edges:
            if one.source == edge.source and one.trigger == "else":
                one.trigger = "plain"

    def do_target(self, graph: Graph) -> None:
        self._edge(graph).target = self.random.choice([*graph.nodes, "end"])

    def do_order(self, graph: Graph) -> None:
        source = self._edge(graph, "when").source
        places = [i for i, e in enumerate(graph.edges) if e.source == source and e.trigger == "when"]
        one, other = self.random.sample(places, 2)
        graph.edges[one], graph.edges[other] = graph.edges[other], graph.edges[one]

    def do_limit(self, graph: Graph) -> None:
        edge = self.random.choice([e for e in graph.edges if e.trigger == "when" or e.most])
        edge.most = self.random.choice((0, 1, 2, 3))

    def do_error_edge(self, graph: Graph) -> None:
        node = self._node(graph, "task", "subgraph", "parallel", "map")
        there = [e for e in graph.edges if e.source == node.name and e.trigger == "on error"]
        if there:
            graph.edges.remove(there[0])
        else:
            graph.edges.append(Edge(node.name, "end", "on error"))

    def do_max_steps(self, graph: Graph) -> None:
        graph.max_steps = self.random.randint(1, 12)

    # --- data ---------------------------------------------------------------------------------------------

    def do_body(self, graph: Graph) -> None:
        every = self.design.mutations[graph.state]
        body = every[self.random.choice(list(every))].body
        place = self.random.randrange(len(body))
        name, op, value = body[place]
        body[place] = (
            name,
            op,
            self.random.choice((f"{value} + 0", f"{value} + 1", "7", "[7]", "max(k, 2)")),
        )

    def do_statement(self, graph: Graph) -> None:
        every = self.design.mutations[graph.state]
        field = self.random.choice(list(self.design.fields[graph.state]))
        every[self.random.choice(list(every))].body.append(
            (field, "=", self.random.choice(("k", "0", field)))
        )

    def do_param(self, graph: Graph) -> None:
        every = self.design.mutations[graph.state]
        mutation = every[self.random.choice(list(every))]
        if self.random.random() < 0.5:
            mutation.params.append("j")
        else:
            mutation.params = ["h"]
            mutation.body = [(f, op, v.replace("k", "h")) for f, op, v in mutation.body]

    def do_field(self, graph: Graph) -> None:
        name = self.drawer.name("f")
        self.design.fields[graph.state][name] = self.random.choice(
            [("int", "0", ""), ("int?", "none", ""), ("int", "3", ""), ("int", "", "")]
        )
        if self.random.random() < 0.5:
            every = self.design.mutations[graph.state]
            every[self.random.choice(list(every))].body.append(
                (name, "=", self.random.choice(("k", "0", "1")))
            )

    def do_range(self, graph: Graph) -> None:
        fields = self.design.fields[graph.state]
        name = self.random.choice([n for n, (type_, _, _) in fields.items() if type_ == "int"])
        fields[name] = (
            *fields[name][:2],
            self.random.choice(("", "range -1..4", "range 0..9", "range -50..50")),
        )

    def do_float(self, graph: Graph) -> None:
        fields = self.design.fields[graph.state]
        name = self.random.choice([n for n, (type_, _, _) in fields.items() if type_ == "int"])
        fields[name] = ("float", "0.0" if fields[name][1] else "", fields[name][2])

    def do_default(self, graph: Graph) -> None:
        fields = self.design.fields[graph.state]
        name = self.random.choice([n for n, (type_, _, _) in fields.items() if type_ == "int"])
        fields[name] = ("int", str(self.random.randint(0, 3)), fields[name][2])

    def do_drop_field(self, graph: Graph) -> None:
        fields = self.design.fields[graph.state]
        name = self.random.choice(list(fields))
        del fields[name]
        for mutation in self.design.mutations[graph.state].values():
            mutation.body = [one for one in mutation.body if one[0] != name]

    def do_mutation(self, graph: Graph) -> None:
        self.design.mutations[graph.state][self.drawer.name("M")] = Mutation(["k"], [])

    # --- frames -------------------------------------------------------------------------------------------

    def do_branch(self, graph: Graph) -> None:
        node = self._node(graph, "parallel")
        if self.random.random() < 0.5 and len(node.branches) > 2:
            gone = node.branches.pop(self.random.randrange(len(node.branches)))
            region = f"{node.name}/{gone}"
            names = {n.name for n in graph.nodes.values() if n.region == region}
            if any(graph.nodes[name].kind == "parallel" for name in names):
                raise ValueError
            graph.edges = [e for e in graph.edges if e.source not in names and e.source != f"start:{region}"]
            for name in names:
                del graph.nodes[name]
        else:
            branch = self.drawer.name("x")
            node.branches.insert(self.random.randint(0, len(node.branches)), branch)
            self.drawer.region(graph, f"{node.name}/{branch}", 1, 0, ())

    def do_branch_order(self, graph: Graph) -> None:
        self.random.shuffle(self._node(graph, "parallel").branches)

    def do_join(self, graph: Graph) -> None:
        self._node(graph, "parallel").join = self.random.choice((0, 1, 2))

    def do_collect(self, graph: Graph) -> None:
        node = self._node(graph, "parallel")
        node.collect = not node.collect

    def do_lens(self, graph: Graph) -> None:
        node = self.random.choice([n for n in graph.nodes.values() if n.lens == "values"])
        match self.random.randint(0, 2):
            case 0:
                node.enter = self.random.choice(("n + 1", "best", "m"))
            case 1:
                node.leave = (
                    self.random.choice(("Add", "Push")),
                    self.random.choice(("u", "u + 1", "u + 0", "len(ys)")),
                )
            case _:
                node.over = self.random.choice(("xs", "[1, 2]", "[n, 3]", "[1, 2, 3]")) if node.over else ""

    # --- barriers -----------------------------------------------------------------------------------------

    def do_answer(self, graph: Graph) -> None:
        node = self._node(graph, "barrier")
        if "no" in node.answers and self.random.random() < 0.5:
            del node.answers["no"]
            graph.edges = [e for e in graph.edges if not (e.source == node.name and e.trigger == "on no")]
        else:
            node.answers["other"] = []
            graph.edges.append(Edge(node.name, "end", "on other"))

    def do_answer_records(self, graph: Graph) -> None:
        node = self._node(graph, "barrier")
        name = self.random.choice(("Add", "Push") if graph.state == "S" else ("Inc", "Note"))
        node.answers["no"] = [(name, self.random.choice(("k", "k + 0", "2")))] if "no" in node.answers else []

    def do_modify(self, graph: Graph) -> None:
        node = self._node(graph, "barrier")
        node.modify = [] if node.modify else [self.random.choice(list(self.design.mutations[graph.state]))]

    def do_reroute(self, graph: Graph) -> None:
        node = self._node(graph, "barrier")
        node.reroute = [] if node.reroute else [self._node(graph).name]
