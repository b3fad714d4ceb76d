"""Rules LG401-LG406: is there always exactly one way on, for every outcome that a node can have?"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Label, Severity
from .. import model
from ..graph_view import GraphView
from ..model import START, Edge
from ..rule import Rule

_OUTCOMES: dict[type, tuple[str, ...]] = {
    model.Task: ("error", "timeout"),
    model.Decision: (),
    model.Parallel: ("error",),
    model.Subgraph: ("error",),
    model.MapNode: ("error",),
}
_KINDS: dict[type, str] = {
    model.Task: "task",
    model.Decision: "decision",
    model.Barrier: "barrier",
    model.Parallel: "parallel",
    model.Subgraph: "subgraph",
    model.MapNode: "map",
}


def outcomes(node: model.Node) -> tuple[str, ...]:
    """The outcomes that an `on` edge of a node can name."""
    if isinstance(node, model.Barrier):
        return ("timeout", *(answer.name for answer in node.answers))
    return _OUTCOMES[type(node)]


def _plain(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        for edges in part.out.values():
            if len(edges) > 1:
                yield from _of_one_node(edges)


def _of_one_node(edges: list[Edge]) -> Iterator[Diagnostic]:
    when = next((edge for edge in edges if edge.trigger == "when"), None)
    taken: dict[str, Edge] = {}
    for edge in edges:
        if edge.trigger == "when":
            continue
        if edge.trigger == "plain" and when is not None:
            yield PLAIN.found(
                f"`{edge.source}` has `when` edges: a plain edge beside them would always hold",
                edge.place,
                help=f"write `{edge.source} -> {edge.target} else`",
                related=(Label(when.place, "a `when` edge"),),
            )
            continue
        outcome = "" if edge.outcome is None else edge.outcome
        first = taken.get(outcome)
        if first is not None and (first.target, first.trigger) != (edge.target, edge.trigger):
            yield _second(first, edge)
        if first is None and edge.max_visits is None:
            taken[outcome] = edge


def _second(first: Edge, edge: Edge) -> Diagnostic:
    what = "a second plain edge" if edge.trigger == "plain" else "a second `else`"
    help = "to run both, use a `parallel`; to choose, give the first a `when`"
    if edge.trigger == "on":
        what = f"a second edge for `on {edge.outcome}`"
        help = "to limit the first and then take this, give the first `max_visits N`"
    message = f"`{edge.source}` has {what}, which is never taken"
    return PLAIN.found(message, edge.place, help=help, related=(Label(first.place, "this is taken"),))


def _outcome(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        for source, edges in part.out.items():
            node = view.nodes.get(source)
            if node is None and source != START:
                continue
            known = () if node is None else outcomes(node)
            for edge in edges:
                if edge.outcome is None or edge.outcome in known:
                    continue
                owner = "`start`" if node is None else f"a {_KINDS[type(node)]}"
                help = f"{owner} has " + (", ".join(f"`on {name}`" for name in known) or "no outcomes")
                if isinstance(node, model.Barrier):
                    help = f"`{source}` has " + ", ".join(f"`on {name}`" for name in known)
                yield OUTCOME.found(f"{owner} has no outcome `{edge.outcome}`", edge.place, help=help)


def _unanswered(view: GraphView) -> Iterator[Diagnostic]:
    for part in view.regions:
        for name in part.region.nodes:
            node = view.nodes[name]
            if not isinstance(node, model.Barrier) or name in view.excused:
                continue
            edges = part.out.get(name, [])
            handled = {edge.outcome for edge in edges}
            if node.timeout_ms is not None and node.timeout_decides is None and "timeout" not in handled:
                yield UNANSWERED.found(
                    f"barrier `{name}` has no edge for its timeout",
                    node.place,
                    help=f"add `{name} -> … on timeout`, or write `timeout … decides NAME`",
                )
            if any(edge.trigger != "on" for edge in edges):
                continue  # taken by every decision that has no edge of its own
            for answer in node.answers:
                if answer.name not in handled:
                    yield UNANSWERED.found(
                        f"barrier `{name}` has no edge for its decision `{answer.name}`",
                        answer.place,
                        help=f"add `{name} -> … on {answer.name}`",
                    )


_STATE = """\
enum Verdict { accept, revise }

state Job {
  verdict: Verdict = Verdict.revise
  score:   int = 0  range 0..10

  mutation Grade(verdict, score)
}
"""
_HEAD = _STATE + "\ngraph work(Job) {\n  task grade { records Grade }\n  task fix\n\n  start -> grade\n"
_TAIL = "  fix -> end\n}\n"

EXHAUSTIVE = Rule(
    "LG401",
    "not-exhaustive",
    Severity.ERROR,
    "routing not exhaustive: there are values of the fields for which no edge holds",
    "A run that meets such values fails at that node.",
    _HEAD + "  grade -> end when score > 5\n  grade -> fix when score < 5\n" + _TAIL,
    _HEAD + "  grade -> end when score > 5\n  grade -> fix else\n" + _TAIL,
    active=False,
    allowable=True,
)
DEAD = Rule(
    "LG402",
    "dead-edge",
    Severity.ERROR,
    "an edge that can never be taken: an earlier one always holds, or its guard is false",
    "Where it leads is then not what its writer meant.",
    _HEAD + "  grade -> end when score >= 0\n  grade -> fix when score > 5\n" + _TAIL,
    _HEAD + "  grade -> fix when score > 5\n  grade -> end else\n" + _TAIL,
    active=False,
    allowable=True,
)
PLAIN = Rule(
    "LG403",
    "ambiguous-edge",
    Severity.ERROR,
    "a plain edge beside `when` edges, or two plain edges",
    "Edges of one node exclude each other: one is taken. A plain edge always holds, so what stands "
    "beside it would "
    "depend on the order of lines.",
    _HEAD + "  grade -> end when verdict == Verdict.accept\n  grade -> fix\n" + _TAIL,
    _HEAD + "  grade -> end when verdict == Verdict.accept\n  grade -> fix else\n" + _TAIL,
    check=_plain,
)
OUTCOME = Rule(
    "LG404",
    "no-such-outcome",
    Severity.ERROR,
    "`on` an outcome that this kind of node has not",
    "The edge would never be taken. Tasks have `error` and `timeout`; subgraphs, maps and parallels "
    "`error`; barriers "
    "`timeout` and their decisions.",
    _HEAD + "  grade -> end\n  grade -> fix on approve\n" + _TAIL,
    _HEAD + "  grade -> end\n  grade -> fix on error\n" + _TAIL,
    check=_outcome,
)
_BARRIER = "state Job {\n  done: bool = false\n}\n\ngraph work(Job) {\n  barrier sign_off { timeout 2d }\n\n"
UNANSWERED = Rule(
    "LG405",
    "unanswered-barrier",
    Severity.ERROR,
    "a barrier's decision or timeout with no edge",
    "Somebody could give that answer, or nobody any, and the run would not know where to go.",
    _BARRIER + "  start -> sign_off\n  sign_off -> end on approve\n  sign_off -> end on timeout\n}\n",
    _BARRIER + "  start -> sign_off\n  sign_off -> end on approve\n  sign_off -> end on reject\n"
    "  sign_off -> end on timeout\n}\n",
    check=_unanswered,
    allowable=True,
)
CONSTANT = Rule(
    "LG406",
    "constant-guard",
    Severity.WARNING,
    "a guard that is always true or always false",
    "It decides nothing; most often a bound or a name is wrong.",
    _HEAD + "  grade -> end when score <= 10\n  grade -> fix else\n" + _TAIL,
    _HEAD + "  grade -> end when score < 10\n  grade -> fix else\n" + _TAIL,
    active=False,
    allowable=True,
)

RULES = (EXHAUSTIVE, DEAD, PLAIN, OUTCOME, UNANSWERED, CONSTANT)
