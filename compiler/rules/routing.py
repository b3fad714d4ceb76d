"""Rules LG401-LG406: is there always exactly one way on, for every outcome that a node can have?

What depends on values stands in `exhaustive`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl import ast
from ...dsl.diagnostic import Diagnostic, Fix, Label, Severity
from ...dsl.source import Span
from .. import model
from ..graph_view import GraphView
from ..model import START, Edge
from ..rule import Rule
from ..spelling import Guess, Speller
from .exhaustive import CONSTANT, DEAD, EXAMPLE_HEAD, EXAMPLE_TAIL, EXHAUSTIVE

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
                fix=_else(edge, edges),
            )
            continue
        outcome = "" if edge.outcome is None else edge.outcome
        first = taken.get(outcome)
        if first is not None and (first.target, first.trigger) != (edge.target, edge.trigger):
            yield _second(first, edge)
        if first is None and edge.max_visits is None:
            taken[outcome] = edge


def _else(edge: Edge, edges: list[Edge]) -> Fix | None:
    """The repair that makes a plain edge the `else` of its node, where it is the only one that can be."""
    if any(other is not edge and other.trigger in ("plain", "else") for other in edges):
        return None
    source, span = edge.place
    arrow = source.text[span.start : span.end].partition("->")
    if arrow[2].strip() != edge.target or arrow[0].strip() != edge.source:
        return None  # part of a chain, or with `max_visits`
    behind, before = source.text[span.end :].lstrip(), source.text[: span.start].rstrip()
    if behind.startswith("->") or before.endswith("->"):
        return None
    return Fix(Span(span.end, span.end), " else", f"write `{edge.source} -> {edge.target} else`")


def _misspelt(edge: Edge, known: tuple[str, ...]) -> Guess:
    """What was probably meant by an outcome that its node has not."""
    source, span = edge.place
    written = source.text[span.start : span.end]
    at = written.rfind(edge.outcome or "")
    name = ast.Name(Span(span.start + at, span.start + at + len(edge.outcome or "")), edge.outcome or "")
    return Speller().guess(name, known)


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
                if edge.outcome == "timeout" and _untimed(view, node):
                    message = f"`{source}` has no `timeout`, so it never times out"
                    yield OUTCOME.found(
                        message, edge.place, help=f"give `{source}` a `timeout`, or drop this edge"
                    )
                if edge.outcome is None or edge.outcome in known:
                    continue
                owner = "`start`" if node is None else f"a {_KINDS[type(node)]}"
                help = f"{owner} has " + (", ".join(f"`on {name}`" for name in known) or "no outcomes")
                if isinstance(node, model.Barrier):
                    help = f"`{source}` has " + ", ".join(f"`on {name}`" for name in known)
                guess = _misspelt(edge, known)
                message = f"{owner} has no outcome `{edge.outcome}`"
                yield OUTCOME.found(message, edge.place, help=guess.help or help, fix=guess.fix)


def _untimed(view: GraphView, node: model.Node | None) -> bool:
    return isinstance(node, model.Task) and node.timeout_ms is None and node.name not in view.excused


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


PLAIN = Rule(
    "LG403",
    "ambiguous-edge",
    Severity.ERROR,
    "a plain edge beside `when` edges, or two plain edges",
    "Edges of one node exclude each other: one is taken. A plain edge always holds, so what stands "
    "beside it would "
    "depend on the order of lines.",
    EXAMPLE_HEAD + "  grade -> end when verdict == Verdict.accept\n  grade -> fix\n" + EXAMPLE_TAIL,
    EXAMPLE_HEAD + "  grade -> end when verdict == Verdict.accept\n  grade -> fix else\n" + EXAMPLE_TAIL,
    check=_plain,
    fixable=True,
)
OUTCOME = Rule(
    "LG404",
    "no-such-outcome",
    Severity.ERROR,
    "`on` an outcome that this kind of node has not",
    "The edge would never be taken. Tasks have `error` and, where they have one, `timeout`; subgraphs, "
    "maps and parallels `error`; barriers `timeout` and their decisions.",
    EXAMPLE_HEAD + "  grade -> end\n  grade -> fix on approve\n" + EXAMPLE_TAIL,
    EXAMPLE_HEAD + "  grade -> end\n  grade -> fix on error\n" + EXAMPLE_TAIL,
    check=_outcome,
    fixable=True,
)
_BARRIER = (
    "state Job {\n  amount: int\n}\n\ngraph work(Job) {\n  barrier sign_off { timeout 2d  shows amount }\n\n"
)
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

RULES = (EXHAUSTIVE, DEAD, PLAIN, OUTCOME, UNANSWERED, CONSTANT)
