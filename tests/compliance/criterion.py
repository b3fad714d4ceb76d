"""The criterion, worked out by itself: designs are interpreted, without the compiler and the runtime.

A run is done again from its log under the old design. Beside each step the new design does the same step from
the same state: with the recorded mutations, its own bodies, guards, counters and joins. Which steps count is
found by erasing loops in the order of time: a node that is visited again cuts the path back to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .designs import Design, Edge, Graph, Node

State = dict[str, Any]


class Refused(Exception):
    """A design cannot do a step."""


@dataclass(eq=False)
class Frame:
    """A frame of the old design, with what the new one makes of it.

    `there`: whether the new design has such a frame; `begun`: whether it would have begun so there.
    """

    path: str
    old: Graph
    new: Graph | None
    region: str
    outer: Frame | None
    key: str | int
    state: State
    node: str
    counts: dict[str, int] = field(default_factory=dict[str, int])
    done: int = 0
    taken: dict[int, int] = field(default_factory=dict[int, int])  # by place of the edge
    passes: dict[int, int] = field(default_factory=dict[int, int])  # the same of the new design
    effects: list[tuple[str, State]] = field(default_factory=list[tuple[str, State]])
    children: dict[str | int, Frame] = field(default_factory=dict["str | int", "Frame"])
    item: Any = None
    steps: list[Step] = field(default_factory=list["Step"])
    begun: bool = True
    over: float = 0.0

    @property
    def own(self) -> Frame:
        return self.outer.own if self.region and self.outer else self

    def count(self, what: str, place: int) -> int:
        """How often an edge was taken, as this frame sees it."""
        counts: dict[int, int] = getattr(self, what)
        if place in counts:
            return counts[place]
        return self.outer.count(what, place) if self.region and self.outer else 0

    def visits(self, node: str) -> int:
        if node in self.counts:
            return self.counts[node]
        return self.outer.visits(node) if self.region and self.outer else 0

    def made(self) -> int:
        return self.done + (self.outer.made() if self.region and self.outer else 0)


@dataclass(eq=False)
class Step:
    """A step: its node, whether the new design agrees, the frames below it that ended with it."""

    number: int
    node: str
    agrees: bool
    inside: list[Frame]
    why: str = ""


def evaluate(text: str, state: Mapping[str, Any], frame: Frame | None = None, **more: Any) -> Any:
    names: dict[str, Any] = {"len": len, "max": max, "min": min, "none": None, **state, **more}
    if frame is not None:
        names["visits"] = frame.visits
        names["steps"] = frame.made

    class Names(dict[str, Any]):
        def __missing__(self, name: str) -> str:
            return name  # the name of a node, as in visits(a)

    return eval(text, {"__builtins__": {}}, Names(names))  # noqa: S307 - expressions that we have drawn


class Rules:
    """What one design does."""

    def __init__(self, design: Design) -> None:
        self.design = design

    def defaults(self, state: str) -> State:
        return {
            name: evaluate(default or "0", {}) for name, (_, default, _) in self.design.fields[state].items()
        }

    def typed(self, kind: str, name: str, value: Any) -> Any:
        type_ = self.design.fields[kind][name][0]
        if type_ == "float":
            return float(value)
        if value is None and type_ != "int?":
            raise Refused(f"{name} is none")
        return list(cast("list[int]", value)) if isinstance(value, list) else value

    def in_range(self, kind: str, name: str, value: Any) -> None:
        rule = self.design.fields[kind][name][2]
        if rule and value is not None:
            low, high = rule.removeprefix("range ").split("..")
            if not int(low) <= value <= int(high):
                raise Refused(f"{name} is out of range")

    def carried(self, kind: str, state: State) -> State:
        """A state of another design as one of this, new fields at their defaults."""
        fields = self.design.fields[kind]
        if not state.keys() <= fields.keys():
            raise Refused("a field is gone")
        found: State = {}
        for name in fields:
            # What had no value yet begins at its default where it may not be none any more.
            if name in state and not (state[name] is None and fields[name][0] != "int?" and fields[name][1]):
                found[name] = self.typed(kind, name, state[name])
                self.in_range(kind, name, found[name])
            elif not fields[name][1]:
                raise Refused(f"{name} has no value")
            else:
                found[name] = self.typed(kind, name, evaluate(fields[name][1], {}))
        return found

    def apply(self, kind: str, state: State, name: str, params: State, written: set[str]) -> None:
        mutation = self.design.mutations[kind].get(name)
        if mutation is None or set(mutation.params) != set(params):
            raise Refused(f"no {name} with {params}")
        for target, op, text in mutation.body:
            value = evaluate(text, state, **params)
            state[target] = self.typed(kind, target, state[target] + value if op == "+=" else value)
            written.add(target)

    def check(self, kind: str, state: State, written: set[str]) -> None:
        for name in written:
            self.in_range(kind, name, state[name])

    def edges(self, graph: Graph, source: str, outcome: str) -> list[tuple[int, Edge]]:
        """The edges to try, in order, each with its place among all of the graph."""
        leaving = [(place, edge) for place, edge in enumerate(graph.edges) if edge.source == source]
        on = [(place, edge) for place, edge in leaving if edge.trigger == f"on {outcome}"]
        if on:
            return on
        if outcome in ("error", "timeout"):
            return []
        whens = [(place, edge) for place, edge in leaving if edge.trigger == "when"]
        return whens + [(place, edge) for place, edge in leaving if edge.trigger in ("plain", "else")]

    def choose(
        self, graph: Graph, frame: Frame, source: str, outcome: str, state: State, counted: str = ""
    ) -> tuple[int, Edge]:
        for place, edge in self.edges(graph, source, outcome):
            if edge.most and counted and frame.count(counted, place) >= edge.most:
                continue
            if not edge.guard or edge.trigger != "when" or evaluate(edge.guard, state, frame):
                return place, edge
        raise Refused(f"no edge holds after {source}")

    def limit(self, graph: Graph) -> int:
        return graph.max_steps or 10_000


class Criterion:
    """Compares one run with a new design, from its log."""

    def __init__(self, old: Design, new: Design, decisions: Mapping[int, Any]) -> None:
        self.old, self.new = Rules(old), Rules(new)
        self.decisions = decisions
        graph = old.graphs["g"]
        state = self.old.defaults("S")
        self.root = Frame("", graph, new.graphs["g"], "", None, "", state, "")
        self.start(self.root)
        self.steps: list[Step] = []
        self.frames: list[Frame] = [self.root]

    # --- frames -------------------------------------------------------------------------------------------

    def start(self, frame: Frame) -> None:
        source = f"start:{frame.region}" if frame.region else "start"
        frame.node = self.old.choose(frame.old, frame, source, "ok", frame.state)[1].target
        try:
            if frame.new is None:
                raise Refused("no such frame")
            state = self.new.carried(frame.old.state, frame.state)
            target = self.new.choose(frame.new, frame, source, "ok", state)[1].target
            frame.begun = frame.begun and target == frame.node
        except (Refused, ArithmeticError):
            frame.begun = False

    def kept_node(self, frame: Frame, name: str) -> Node | None:
        """The node of the new design, where it is of the same kind and in the same region."""
        if frame.new is None or name not in frame.new.nodes:
            return None
        old, new = frame.old.nodes[name], frame.new.nodes[name]
        return new if (old.kind, old.region) == (new.kind, new.region) else None

    def child(self, frame: Frame, key: str | int) -> Frame:
        if key in frame.children:
            return frame.children[key]
        node = frame.old.nodes[frame.node]
        here = f"{frame.path}/{node.name}" if frame.path else node.name
        new = self.kept_node(frame, node.name)
        made = frame.children[key] = self.made(frame, node, new, here, key)
        self.start(made)
        self.frames.append(made)
        return made

    def made(self, frame: Frame, node: Node, new: Node | None, here: str, key: str | int) -> Frame:
        if node.kind == "parallel":
            there = frame.new if new is not None and key in new.branches else None
            return Frame(
                f"{here}/{key}", frame.old, there, f"{node.name}/{key}", frame, key, copied(frame.state), ""
            )
        inner = self.old.design.graphs[node.graph]
        there = self.new.design.graphs.get(new.graph) if new is not None else None
        path = f"{here}[{key}]" if node.kind == "map" else here
        if node.lens == "same":
            begun = new is not None and new.lens == "same"
            return Frame(path, inner, there, "", frame, key, copied(frame.state), "", begun=begun)
        state = self.old.defaults(inner.state)
        item = evaluate(node.over, frame.state)[key] if node.over else None
        state["u"] = evaluate(node.enter, frame.state, item=item)
        made = Frame(path, inner, there, "", frame, key, state, "", item=item)
        try:
            if new is None or there is None or new.lens != "values":
                raise Refused("another node")
            outer = self.new.carried(frame.old.state, frame.state)
            other = evaluate(new.over, outer)[key] if new.over else None
            fresh = self.new.defaults(there.state)
            fresh["u"] = self.new.typed(there.state, "u", evaluate(new.enter, outer, item=other))
            for name in fresh:
                self.new.in_range(there.state, name, fresh[name])
            made.begun = fresh == self.new.carried(inner.state, state)
        except (Refused, IndexError, ArithmeticError, KeyError):
            made.begun = False
        return made

    def keys(self, frame: Frame, node: Node) -> list[str | int]:
        if node.kind == "parallel":
            return list(node.branches)
        if node.kind == "map":
            return list(range(len(evaluate(node.over, frame.state))))
        return [""]

    def locate(self, path: str) -> Frame:
        frame = self.root
        while frame.path != path:
            node = frame.old.nodes[frame.node]
            rest = path[len(frame.path) :].removeprefix("/") if frame.path else path
            if node.kind == "parallel":
                frame = self.child(frame, rest.split("/")[1])
            elif node.kind == "map":
                frame = self.child(frame, int(rest.partition("[")[2].partition("]")[0]))
            else:
                frame = self.child(frame, "")
        return frame

    # --- steps --------------------------------------------------------------------------------------------

    def step(self, record: Any) -> None:
        """Do one step under the old design, and see what the new one says of it."""
        frame = self.locate(record.frame)
        node = frame.old.nodes[record.node]
        detail: dict[str, Any] = json.loads(record.detail) if record.detail else {}
        mutations = [(item["m"], item["p"]) for item in json.loads(record.mutations)]
        for key in detail.get("won", ()):
            self.child(frame, key)
        why = ""
        edge: tuple[int, Edge] | None = None
        try:
            after, edge = self.under_new(frame, node, record, detail, mutations)
        except (Refused, ArithmeticError, TypeError) as error:
            after, why = None, str(error) or type(error).__name__
        inside = list(frame.children.values())
        self.under_old(frame, node, record, detail, mutations)
        if after is not None:
            try:
                real = self.new.carried(frame.old.state, frame.state)
                if real != after:
                    why = f"state {after} is not {real}"
            except Refused as error:
                why = str(error)
        passed = self.passed(frame, record, None if why else edge)
        done = Step(record.step, record.node, not why, inside, why)
        if passed is not None:
            frame.passes[passed] = frame.count("passes", passed) + 1
        frame.steps.append(done)
        self.steps.append(done)
        frame.over = record.time

    def under_old(self, frame: Frame, node: Node, record: Any, detail: Any, mutations: Any) -> None:
        kind, rules = frame.old.state, self.old
        if "won" in detail:
            children = [frame.children[key] for key in detail["won"]]
            if node.kind == "parallel":
                for child in children:
                    for name, params in child.effects:
                        rules.apply(kind, frame.state, name, params, set())
                    frame.effects += child.effects
            elif node.lens == "same" and children:
                frame.state = copied(children[0].state)
                frame.effects += children[0].effects
            for child in frame.children.values():
                if child.region:
                    frame.counts.update(child.counts)
                    frame.taken.update(child.taken)
                    frame.passes.update(child.passes)
                    frame.done += child.done
        for name, params in mutations:
            rules.apply(kind, frame.state, name, params, set())
            frame.effects.append((name, params))
        frame.children = {}
        frame.counts[record.node] = frame.visits(record.node) + 1
        frame.done += 1
        frame.node = record.next
        if record.edge:
            for place, edge in rules.edges(frame.old, record.node, record.outcome):
                same = (edge.target, edge.most > 0) == (record.next, True)
                if same and self.key(frame.old, place) == record.edge:
                    frame.taken[place] = frame.count("taken", place) + 1
                    return
            raise AssertionError(record.edge)

    @staticmethod
    def key(graph: Graph, place: int) -> str:
        edge = graph.edges[place]
        leaving = [one for one in graph.edges[: place + 1] if one.source == edge.source]
        number = sum(one.trigger == "when" for one in leaving)
        base = f"{edge.source}->{edge.target}"
        match edge.trigger:
            case "when":
                return f"{base} when {number}"
            case "plain":
                return base
            case trigger:
                same = [one for one in leaving if (one.target, one.trigger) == (edge.target, trigger)]
                return f"{base} {trigger}" + (f" {len(same)}" if len(same) > 1 else "")

    def under_new(
        self, frame: Frame, node: Node, record: Any, detail: Any, mutations: list[tuple[str, State]]
    ) -> tuple[State, tuple[int, Edge] | None]:
        new = self.kept_node(frame, node.name)
        if new is None or frame.new is None:
            raise Refused("the node is not there")
        if frame.made() >= self.new.limit(frame.own.new or frame.new):
            raise Refused("too many steps")
        self.joined_before(frame)
        kind = frame.old.state
        state = self.new.carried(kind, frame.state)
        written: set[str] = set()
        goto: list[str] = []
        if new.kind == "task":
            if any(name not in new.records for name, _ in mutations):
                raise Refused("may not record")
            goto = new.goto
        elif new.kind == "barrier":
            if record.outcome == "reroute" and "decision" in detail:
                goto = new.reroute
                if record.next not in goto:
                    raise Refused("no such reroute")
            self.answered(new, node, record, detail, mutations, state)
        elif new.kind in ("parallel", "subgraph", "map"):
            state = self.joined(frame, node, new, record, detail, mutations, state, written)
        for name, params in mutations:
            self.new.apply(kind, state, name, params, written)
        self.new.check(kind, state, written)
        if record.outcome in ("ok", "skip") and any(state[name] is None for name in new.ensures):
            raise Refused("not ensured")
        return state, self.routed(frame, record, state, goto)

    def routed(self, frame: Frame, record: Any, state: State, goto: list[str]) -> tuple[int, Edge] | None:
        assert frame.new is not None
        if record.outcome == "reroute" and goto:
            return None
        counts, done = dict(frame.counts), frame.done
        try:
            for child in frame.children.values():
                if child.region:
                    frame.counts.update(child.counts)
                    frame.done += child.done
            frame.counts[record.node] = counts.get(record.node, frame.visits(record.node)) + 1
            frame.done += 1
            on = {e.trigger for e in frame.new.edges if e.source == record.node}
            outcome = record.outcome
            if outcome == "timeout" and "on timeout" not in on and "on error" in on:
                outcome = "error"
            try:
                found = self.new.choose(frame.new, frame, record.node, outcome, state, "passes")
            except Refused:
                if record.next in goto:
                    return None
                raise
            if found[1].target == record.next:
                return found
            if record.next in goto:
                return None
            raise Refused(f"goes to {found[1].target}, not to {record.next}")
        finally:
            frame.counts, frame.done = counts, done

    def passed(self, frame: Frame, record: Any, edge: tuple[int, Edge] | None) -> int | None:
        """The edge of the new design that the run went along, whether or not the step agrees."""
        if frame.new is None or self.chosen(frame, record):
            return None
        if edge is not None:
            return edge[0]
        try:
            state = self.new.carried(frame.old.state, frame.state)
            chosen = self.new.choose(frame.new, frame, record.node, record.outcome, state, "passes")
            if chosen[1].target == record.next:
                return chosen[0]
        except (Refused, ArithmeticError):
            pass
        edges = self.new.edges(frame.new, record.node, record.outcome)
        return next((place for place, one in edges if one.target == record.next and one.most), None)

    def chosen(self, frame: Frame, record: Any) -> bool:
        """Whether the run went where the code of the node said, and not along an edge."""
        if record.edge or frame.old.nodes[record.node].kind not in ("task", "barrier"):
            return False
        try:
            _, edge = self.old.choose(frame.old, frame, record.node, record.outcome, frame.state, "taken")
        except (Refused, ArithmeticError):
            return True
        return edge.target != record.next or edge.most > 0

    def answered(
        self, new: Node, old: Node, record: Any, detail: Any, mutations: list[tuple[str, State]], state: State
    ) -> None:
        if "decision" not in detail:
            if record.outcome != "timeout" or mutations:
                raise Refused("not a timeout")
            return
        decision = self.decisions[detail["decision"]]
        given = len(json.loads(decision.mutations))
        if any(name not in new.modify for name, _ in mutations[:given]):
            raise Refused("may not be recorded")
        if record.outcome == "reroute":
            return
        if record.outcome not in new.answers:
            raise Refused("not offered")
        arguments = json.loads(decision.arguments)
        calls = new.answers[record.outcome]
        if bool(calls) != bool(arguments):
            raise Refused("other arguments")
        kind = "S" if "n" in state else "T"
        seen = copied(state)
        for name, params in mutations[:given]:
            self.new.apply(kind, seen, name, params, set())
        now: list[tuple[str, State]] = []
        for name, text in calls:
            (param,) = self.new.design.mutations[kind][name].params
            now.append((name, {param: evaluate(text, seen, **arguments)}))
        if now != mutations[given:]:
            raise Refused("records something else")

    # --- joins --------------------------------------------------------------------------------------------

    def joined_before(self, frame: Frame) -> None:
        if not frame.region or frame.outer is None:
            return
        name = frame.outer.node
        old, new = frame.outer.old.nodes[name], self.kept_node(frame.outer, name)
        if new is None:
            raise Refused("no such parallel")
        ended = sum(child.node == "end" for child in frame.outer.children.values())
        if needed(new) < needed(old) and ended >= needed(new):
            raise Refused("would have been joined")

    def joined(
        self, frame: Frame, old: Node, new: Node, record: Any, detail: Any, mutations: Any, state: State,
        written: set[str],
    ) -> State:  # fmt: skip
        kind = frame.old.state
        outer = copied(state)
        won = list(detail["won"])
        keys: list[str | int] = list(new.branches) if new.kind == "parallel" else [""]
        if new.kind == "map":
            keys = list(range(len(evaluate(new.over, outer))))
        if any(key not in keys for key in won):
            raise Refused("others are joined")
        need = needed(new) if new.kind == "parallel" else len(keys)
        if record.outcome == "ok":
            if len(won) != need:
                raise Refused("so many are not joined")
            won = [key for key in keys if key in won]
        elif new.kind != "subgraph":
            ended = {key for key, child in frame.children.items() if child.node == "end"} & set(keys)
            failed = {str(key) for key in keys} & set(detail["failed"])
            if len(keys) - len(failed) >= need:
                raise Refused("would not have failed")
            if set(won) != (ended if new.collect else set()):
                raise Refused("others are kept")
            if new.collect and len(ended) + len(failed) < len(keys):
                raise Refused("would have waited")
            won = [key for key in keys if key in won]
        children = [frame.children[key] for key in won]
        out: list[tuple[str, State]] = []
        for child in children:
            if child.new is None:
                raise Refused("a frame is gone")
            inner = self.new.carried(child.old.state, child.state)
            if new.kind == "parallel":
                for name, params in child.effects:
                    self.new.apply(kind, state, name, params, written)
            elif new.lens == "same":
                state = inner
            else:
                name, text = new.leave
                (param,) = self.new.design.mutations[kind][name].params
                item = evaluate(new.over, outer)[child.key] if new.over else None
                out.append((name, {param: evaluate(text, inner, item=item)}))
        if out != list(mutations):
            raise Refused("other values come out")
        return state

    # --- what it comes to ---------------------------------------------------------------------------------

    def finish(self) -> None:
        """Begin the frames that nobody has done a step in."""
        todo = [self.root]
        while todo:
            frame = todo.pop()
            if frame.node == "end":
                continue
            node = frame.old.nodes[frame.node]
            if node.kind in ("parallel", "subgraph", "map"):
                try:
                    for key in self.keys(frame, node):
                        todo.append(self.child(frame, key))
                except (Refused, ArithmeticError):
                    continue

    def open_alike(self, frame: Frame) -> bool:
        """Whether a map that has begun runs over as many elements, for all frames that are open."""
        if frame.node == "end" or frame.new is None:
            return True
        node, new = frame.old.nodes[frame.node], self.kept_node(frame, frame.node)
        if node.kind == "map" and new is not None and new.over:
            try:
                state = self.new.carried(frame.old.state, frame.state)
                if len(evaluate(new.over, state)) != len(evaluate(node.over, frame.state)):
                    return False
            except (Refused, ArithmeticError):
                return False
        return all(self.open_alike(child) for child in frame.children.values())

    def counted_alike(self, frame: Frame) -> bool:
        """Whether the counters that are carried over are those that the new design would have."""
        if frame.new is not None:
            for place, edge in enumerate(frame.new.edges):
                if edge.most and frame.passes.get(place, 0) != self.carried_count(frame, edge):
                    return False
        return all(self.counted_alike(child) for child in frame.children.values())

    def carried_count(self, frame: Frame, edge: Edge) -> int:
        same = [
            (place, one) for place, one in enumerate(frame.old.edges)
            if (one.source, one.trigger, one.target) == (edge.source, edge.trigger, edge.target)
        ]  # fmt: skip
        if len(same) > 1:
            exact = [(place, one) for place, one in same if one.guard == edge.guard]
            same = exact if len(exact) == 1 else []
        return frame.taken.get(same[0][0], 0) if same and same[0][1].most else 0

    def strict(self) -> bool:
        """Whether every step of the run, from the start, is one of the new design."""
        return (
            all(step.agrees for step in self.steps)
            and all(frame.begun for frame in self.frames)
            and self.open_alike(self.root)
            and self.counted_alike(self.root)
        )

    def reasons(self) -> list[str]:
        """What disagrees on the path without finished iterations."""
        found: list[str] = []
        todo = [self.root]
        while todo:
            frame = todo.pop()
            if not frame.begun:
                found.append(f"frame {frame.path!r} begins otherwise")
            for step in erased(frame):
                if not step.agrees:
                    found.append(f"step {step.number} `{step.node}`: {step.why}")
                todo += step.inside
            todo += frame.children.values()
        if not self.open_alike(self.root):
            found.append("other elements")
        if not self.counted_alike(self.root):
            found.append("other counters")
        return found


def erased(frame: Frame) -> list[Step]:
    """The steps that count, loops erased in the order of time."""
    path: list[Step] = []
    for step in frame.steps:
        names = [one.node for one in path]
        if step.node in names:
            del path[names.index(step.node) :]
        path.append(step)
    names = [one.node for one in path]
    return path[: names.index(frame.node)] if frame.node in names else path


def needed(node: Node) -> int:
    return node.join or len(node.branches)


def copied(state: State) -> State:
    return {
        name: list(cast("list[int]", value)) if isinstance(value, list) else value
        for name, value in state.items()
    }
