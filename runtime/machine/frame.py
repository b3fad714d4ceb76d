"""Where a run stands: a tree of frames, each with its cursor, its counters and its part of the state.

The root frame runs the graph given; a parallel adds one frame for each branch, a subgraph one, a map one
for each element. Each frame owns its state: a child works on a fork or on a fresh state, and what it did
reaches its parent only when the parent's node completes. So a node that fails leaves nothing behind.

Children are made when they are first needed, from nothing but the parent's state, which does not change
while the parent stands at the node: making them is the same live and on replay.

Terms:
* *path*: `""` for the root, `check/facts` for a branch, `review` for a subgraph, `each[3]` for an element,
  joined by `/` where nested;
* *instance*: the path with visit numbers, different for every visit: idempotency keys are made of it;
* *effect*: a mutation or an assigned value that a frame inside a branch keeps for the join.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import plan
from ..errors import EvaluationError, LgcError, MutationRejected, Unrouted
from ..graph import Graph
from ..values.state import State, broken_constraint
from ..values.typed_json import Applied
from ..values.undo import Undo


class Effect(NamedTuple):
    """One change of a state: `applied`, or `field` takes `value`. `lens`: attributes down to a sub-state."""

    lens: tuple[str, ...]
    applied: Applied | None
    field: str = ""
    value: Any = None


class Frame:
    """One running graph or branch.

    Attributes:
        node: the cursor: a node's name, or `end`.
        since: time of arrival there, seconds since the epoch.
        counts, taken, done: completed visits by node, counted edges by key, completed nodes. A branch holds
            only what was added since its fork; its parent's stand behind.
        effects: what a join has to apply again; None outside of branches.
        children: by branch name, `""` for a subgraph, index for a map; of the present node only.
    """

    __slots__ = (
        "base", "children", "counts", "done", "effects", "graph", "item", "items", "key", "limit",
        "node", "parent", "path", "plan", "region", "since", "state", "taken", "undo", "visit",
    )  # fmt: skip

    def __init__(
        self,
        graph: Graph[Any],
        state: Any,
        *,
        path: str = "",
        visit: int = 0,
        key: str | int = "",
        region: str = "",
        parent: Frame | None = None,
        branch: bool = False,
        limit: int | None = None,
        since: float = 0.0,
    ) -> None:
        self.graph = graph
        self.plan: plan.Graph[Any] = graph.plan
        self.state: State = state
        self.path = path
        self.visit = visit  # of the parent's node
        self.key = key  # among the parent's children
        self.region = region
        self.parent = parent
        self.base: Frame | None = parent if branch else None
        self.limit = limit if limit is not None else graph.plan.max_steps
        self.since = since
        self.counts: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.done = 0
        self.effects: list[Effect] | None = [] if branch or (parent and parent.effects is not None) else None
        self.children: dict[str | int, Frame] = {}
        self.items: list[Any] | None = None
        self.item: Any = None
        self.node = ""
        self.undo: Undo | None = None  # of a step that is over, empty, for the next one

    @property
    def instance(self) -> str:
        """The path with visit numbers: `/check#2/facts`."""
        if self.parent is None:
            return ""
        within = f"[{self.key}]" if isinstance(self.key, int) else f"/{self.key}" if self.key else ""
        name = self.path[len(self.parent.path) :].removeprefix("/")
        name = name.removesuffix(within)
        return f"{self.parent.instance}/{name}#{self.visit}{within}"

    # What guards may ask (`plan.Counters`).

    def visits(self, node: str) -> int:
        """How often a node has completed, as this frame sees it."""
        frame: Frame | None = self
        while frame is not None:
            count = frame.counts.get(node)
            if count is not None:
                return count
            frame = frame.base
        return 0

    def steps(self) -> int:
        """How many nodes have completed in this run of the graph, as this frame sees it."""
        return self.done + (self.base.steps() if self.base is not None else 0)

    def edge_count(self, key: str) -> int:
        """How often a counted edge was taken."""
        count = self.taken.get(key)
        if count is None:
            return self.base.edge_count(key) if self.base is not None else 0
        return count

    # Movement.

    def start(self) -> None:
        """Put the cursor behind `start`. Raises Unrouted, EvaluationError."""
        edge = choose(self, f"{plan.START}:{self.region}" if self.region else plan.START, "ok")
        if edge.max_visits is not None:
            self.taken[edge.key] = self.edge_count(edge.key) + 1
        self.node = edge.target

    def child(self, key: str | int) -> Frame:
        """The child frame of that key under the present node, made and started if need be.

        Raises EvaluationError, Unrouted; KeyError for a key that the node has not.
        """
        found = self.children.get(key)
        if found is None:
            found = self._make(key)
            found.start()
            self.children[key] = found
        return found

    def _make(self, key: str | int) -> Frame:
        node = self.plan.nodes[self.node]
        path = f"{self.path}/{node.name}" if self.path else node.name
        visit = self.visits(node.name) + 1
        match node:
            case plan.Parallel():
                region = node.branches[str(key)]
                return Frame(
                    self.graph, self.state.__lg_fork__(), path=f"{path}/{key}", visit=visit, key=key,
                    region=region, parent=self, branch=True, limit=self.limit, since=self.since,
                )  # fmt: skip
            case plan.Subgraph():
                inner = self.graph.subgraphs[node.graph.name]
                return Frame(
                    inner, self._inner_state(node), path=path, visit=visit,
                    parent=self, limit=node.max_steps, since=self.since,
                )  # fmt: skip
            case plan.Map():
                item = self.elements(node)[int(key)]
                state = _fit(node, evaluated(node.enter, self.state, item))
                frame = Frame(
                    self.graph.subgraphs[node.graph.name], state,
                    path=f"{path}[{key}]", visit=visit, key=key, parent=self, limit=node.max_steps,
                    since=self.since,
                )  # fmt: skip
                frame.item = item
                return frame
            case _:
                raise KeyError(key)

    def _inner_state(self, node: plan.Subgraph) -> Any:
        match node.lens:
            case plan.SameState():
                return self.state.__lg_fork__()
            case plan.OnField(field=field, attribute=attribute):
                held = getattr(self.state, attribute)
                if held is None:
                    raise EvaluationError(f"`{field}` is none, so `{node.name}` has no state to work on")
                return held.__lg_fork__()
            case plan.InOut(enter=enter):
                return _fit(node, evaluated(enter, self.state))

    def elements(self, node: plan.Map) -> list[Any]:
        """The elements that a map runs over. Raises EvaluationError."""
        if self.items is None:
            self.items = list(evaluated(node.over, self.state))
        return self.items

    def leave(self) -> None:
        """Drop the children: their counters become this frame's."""
        for child in self.children.values():
            if child.base is self:
                self.counts.update(child.counts)
                self.taken.update(child.taken)
                self.done += child.done
        self.children = {}
        self.items = None

    def active(self) -> list[Frame]:
        """This frame and those below it that have not ended, outermost first."""
        found: list[Frame] = [self]
        for child in self.children.values():
            if child.node != plan.END:
                found.extend(child.active())
        return found

    def where(self, node: str | None = None) -> str:
        """The frame path and the node, for people."""
        name = self.node if node is None else node
        return f"{self.path}/{name}" if self.path else name


def _fit(node: plan.Node, state: Any) -> Any:
    """A state made by `in`, whose values are those of expressions. Raises MutationRejected."""
    if (broken := broken_constraint(state)) is not None:
        raise MutationRejected(f"`in` of `{node.name}`: {broken}")
    return state


def choose(frame: Frame, source: str, outcome: str) -> plan.Edge:
    """The edge that is taken from a source with an outcome (`ok` for the ordinary edges).

    Pure in the frame's state and counters. Raises Unrouted, EvaluationError.
    """
    route = frame.plan.routes.get(source)
    tried: list[tuple[str, object]] = []
    if route is not None:
        edges = route.edges
        if route.on or outcome != "ok":
            edges = route.on.get(outcome, edges if outcome not in ("error", "timeout") else ())
        for edge in edges:
            if edge.max_visits is not None and frame.edge_count(edge.key) >= edge.max_visits:
                tried.append(
                    (edge.guard.text if edge.guard else edge.key, f"used up ({edge.max_visits} times)")
                )
                continue
            guard = edge.guard
            if guard is None:
                return edge
            try:
                held = guard.test(frame.state, frame)
            except LgcError:
                raise
            except Exception as error:
                raise EvaluationError(f"{error}", expression=guard.text, place=guard.place) from error
            if held:
                return edge
            tried.append((guard.text, held))
    name = source.removeprefix(f"{plan.START}:")
    what = f"no edge holds after `{name}`" + (f" for `{outcome}`" if outcome != "ok" else "")
    raise Unrouted(what, guards=tried, node=frame.where(name))


def evaluated(function: Any, *values: Any) -> Any:
    """Call a function that the compiler made of expressions; whatever it raises is an EvaluationError."""
    try:
        return function(*values)
    except LgcError:
        raise
    except Exception as error:
        raise EvaluationError(f"{type(error).__name__}: {error}") from error
