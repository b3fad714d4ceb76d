"""Rules LG301-LG311: does every graph lead from `start` to `end`, are regions apart?

A region without an edge from `start` is one finding; that nothing in it is reached is not said again. A
node that cannot be reached says nothing about where it leads. Behind a node that is stuck, no node is
reported as unable to reach `end`: giving the one a way on repairs them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Label, Severity
from ...dsl.source import Place
from .. import model
from ..graph_view import GraphView, RegionView
from ..likeness import bare
from ..model import END, START, Key
from ..resolve import Resolved
from ..resolve.regions import region as region_words
from ..rule import Rule
from . import cycles

_STATE = "state Job {\n  done: bool\n}\n"


def _place(view: GraphView, part: RegionView) -> Place:
    return part.region.place


def _has_start(part: RegionView) -> bool:
    return START in part.out


def _no_start(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        if not _has_start(part):
            where = f"graph `{view.graph.key.name}`"
            if part.region.id:
                where = region_words(part.region.id)
            first = next(iter(part.region.nodes), "node")
            yield NO_START.found(
                f"{where} has no edge from `start`", _place(view, part), help=f"add `start -> {first}`"
            )


def _no_end(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        if _has_start(part) and END not in part.reached and not part.reached & view.excused:
            where = f" in {region_words(part.region.id)}" if part.region.id else ""
            message = f"`end` cannot be reached from `start`{where}"
            yield NO_END.found(message, _place(view, part), help="add an edge to `end` from the last node")


def _unreachable(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        if not _has_start(part):
            continue
        for name in part.region.nodes:
            if name not in part.reached and name not in view.excused:
                yield UNREACHABLE.found(
                    f"node `{name}` can never be reached",
                    view.nodes[name].place,
                    help=f"add an edge to it, such as `start -> {name}`, or remove it",
                )


def _stuck(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        for name in part.stuck:
            edges = part.out.get(name)
            message = f"node `{name}` has no way on"
            if edges:
                message += f" when it succeeds: only `on {edges[0].outcome}` leads out"
            place = view.nodes[name].place
            yield STUCK.found(message, place, help=f"add an edge: `{name} -> end`, or to the next node")


def _endless(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        if END not in part.reached:
            continue
        for name in part.region.nodes:
            if name in part.reached and name not in part.finishing:
                yield ENDLESS.found(
                    f"`end` cannot be reached from node `{name}`",
                    view.nodes[name].place,
                    help="every way from here leads in a circle: add an edge that leaves it",
                )


def _double(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        for edges in part.out.values():
            if len(edges) < 2:
                continue
            counts = Counter(map(_leads, edges))
            seen: dict[object, model.Edge] = {}
            for edge in edges if len(counts) < len(edges) else ():
                if counts[_leads(edge)] == 1:
                    continue
                first = seen.setdefault((_leads(edge), bare(edge.guard)), edge)
                if first is not edge:
                    message = f"the edge `{edge.source} -> {edge.target}` stands here twice"
                    yield DOUBLE.found(message, edge.place, related=(Label(first.place, "first here"),))


def _leads(edge: model.Edge) -> tuple[str, str, str | None]:
    return edge.target, edge.trigger, edge.outcome


def _contains(resolved: Resolved) -> Iterator[Diagnostic]:
    graphs = resolved.program.graphs
    inside: dict[Key, list[model.Subgraph | model.MapNode]] = {
        key: [n for n in graph.nodes if isinstance(n, model.Subgraph | model.MapNode)]
        for key, graph in graphs.items()
    }
    done: set[Key] = set()
    for start in graphs:
        if start in done:
            continue
        trail = [(start, iter(inside[start]))]
        through: list[model.Subgraph | model.MapNode] = []
        at = {start: 0}
        while trail:
            key, nodes = trail[-1]
            node = next(nodes, None)
            if node is None:
                trail.pop()
                del at[key]
                done.add(key)
                if through:
                    through.pop()
            elif node.graph in at:
                circle = [*through[at[node.graph] :], node]
                yield _circle(circle, node.graph)
            elif node.graph in inside and node.graph not in done:
                at[node.graph] = len(trail)
                trail.append((node.graph, iter(inside[node.graph])))
                through.append(node)


def _circle(nodes: list[model.Subgraph | model.MapNode], start: Key) -> Diagnostic:
    if len(nodes) == 1:
        message = f"graph `{start.name}` contains itself"
    else:
        names = [start.name, *(node.graph.name for node in nodes)]
        message = "graphs that contain each other: " + " -> ".join(names)
    related = tuple(Label(node.place, f"`{node.graph.name}` inside") for node in nodes[1:])
    return CONTAINS.found(message, nodes[0].place, help="repeat with edges, not with graphs", related=related)


_LOOP = (
    "state Job {\n  done: bool = false\n\n  mutation Finish() { done = true }\n}\n"
    "\ngraph work(Job) {\n  task plan { reads done }\n  task act  { records Finish }\n\n"
)

NO_START = Rule(
    "LG301",
    "no-start",
    Severity.ERROR,
    "no edge from `start`",
    "A run begins with the edges of `start`; a graph, or a branch, without one has no first node.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n\n  plan -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n\n  start -> plan -> end\n}\n",
    check=_no_start,
)
NO_END = Rule(
    "LG302",
    "no-end",
    Severity.ERROR,
    "`end` cannot be reached from `start`",
    "Such a run could only stop by an error or by `max_steps`.",
    _LOOP + "  start -> plan -> act -> plan\n}\n",
    _LOOP + "  start -> plan -> act\n  act -> end  when done\n  act -> plan else\n}\n",
    check=_no_end,
    allowable=True,
)
UNREACHABLE = Rule(
    "LG303",
    "unreachable-node",
    Severity.ERROR,
    "a node that no way from `start` leads to",
    "It never runs. Most often an edge to it was forgotten, or its name in one was changed.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n  task act\n\n"
    "  start -> plan -> end\n  act -> end\n}\n",
    _STATE
    + "\ngraph work(Job) {\n  task plan { reads done }\n  task act\n\n  start -> plan -> act -> end\n}\n",
    check=_unreachable,
    allowable=True,
)
STUCK = Rule(
    "LG304",
    "no-way-on",
    Severity.ERROR,
    "a node with no edge, `goto` or `reroute` to go on with",
    "A run that gets there fails, because there is nothing to do next and it is not at `end`.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n  task act\n\n  start -> plan\n"
    "  plan -> end when done\n  plan -> act else\n}\n",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n  task act\n\n  start -> plan\n"
    "  plan -> end when done\n  plan -> act else\n  act -> end\n}\n",
    check=_stuck,
    allowable=True,
)
ENDLESS = Rule(
    "LG305",
    "endless-node",
    Severity.ERROR,
    "a node from which `end` cannot be reached",
    "A run that gets there goes in a circle until `max_steps` stops it.",
    _LOOP + "  start -> plan\n  plan -> end when done\n  plan -> act else\n  act -> act\n}\n",
    _LOOP + "  start -> plan\n  plan -> end when done\n  plan -> act else\n  act -> plan\n}\n",
    check=_endless,
    allowable=True,
)
_SPLIT = (
    _STATE
    + "\ngraph work(Job) {\n  task left { reads done }\n  task right\n  task last\n\n  parallel both {\n"
)
CROSSING = Rule(
    "LG306",
    "crossing-edge",
    Severity.ERROR,
    "an edge crosses a region's border, or a node is in two regions",
    "Branches run beside each other and are joined at their ends. A node in two of them, or an edge "
    "from one out into "
    "the graph, would leave it open which state it sees and when the join is complete.",
    _SPLIT + "    branch a = left\n    branch b = right\n  }\n\n"
    "  start -> both -> last -> end\n  left -> last\n}\n",
    _SPLIT + "    branch a = left\n    branch b = right\n  }\n\n  start -> both -> last -> end\n}\n",
)
DOUBLE = Rule(
    "LG307",
    "impossible-edge",
    Severity.ERROR,
    "the same edge twice, an edge into `start` or out of `end`",
    "One of two equal edges does nothing; `start` is before everything and `end` after it.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n\n  start -> plan -> end\n  plan -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n\n  start -> plan -> end\n}\n",
    check=_double,
)
CONTAINS = Rule(
    "LG311",
    "graphs-in-circle",
    Severity.ERROR,
    "graphs that contain each other",
    "A graph that runs itself as a node, directly or through others, would never come to its end.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done }\n  subgraph again = work\n\n"
    "  start -> plan -> again -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  subgraph once = rest\n\n  start -> once -> end\n}\n"
    "\ngraph rest(Job) {\n  task tidy { reads done }\n\n  start -> tidy -> end\n}\n",
    check_program=_contains,
)

RULES = (NO_START, NO_END, UNREACHABLE, STUCK, ENDLESS, CROSSING, DOUBLE, *cycles.RULES, CONTAINS)
