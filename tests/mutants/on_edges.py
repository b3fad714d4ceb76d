"""Mistakes in edges: dropped, led elsewhere, with another guard, bound or trigger."""

from __future__ import annotations

from collections.abc import Iterator

from lgc.dsl import ast
from lgc.dsl.source import Span

from .operators import operator
from .places import Arrow, Edit, Site, guards, walk


def cut(site: Site, arrow: Arrow) -> Edit:
    """Take one arrow out of its chain."""
    names, at = arrow.chain.names, arrow.at
    words = f"drop {arrow.source.text} -> {arrow.target.text}"
    if isinstance(arrow.trigger, ast.OnTrigger):
        words += f" on {arrow.trigger.outcome.text}"
    if len(names) == 2:
        return site.edit(words, (arrow.chain.span, ""))
    if at == 0:
        return site.edit(words, (Span(names[0].span.start, names[1].span.start), ""))
    if at == len(names) - 2:
        return site.edit(words, (Span(names[at].span.end, names[at + 1].span.end), ""))
    return site.edit(words, (Span(names[at].span.end, names[at + 1].span.start), "\n  "))


def lead(site: Site, arrow: Arrow, target: str) -> Edit:
    """Let one arrow lead elsewhere, the rest of its chain as it is."""
    words = f"{arrow.source.text} -> {arrow.target.text} leads to {target}"
    last = arrow.at == len(arrow.chain.names) - 2
    new = target if last else f"{target}\n  {arrow.target.text}"
    return site.edit(words, (arrow.target.span, new))


def _others(site: Site, arrow: Arrow) -> list[str]:
    taken = {
        one.target.text for one in site.arrows if one.graph is arrow.graph and one.source == arrow.source
    }
    return [name for name in [*site.region_nodes(arrow), "end"] if name not in taken | {arrow.source.text}]


@operator("drop a plain edge")
def _drop_plain(site: Site) -> Iterator[Edit]:
    yield from (cut(site, arrow) for arrow in site.arrows if arrow.trigger is None)


@operator("drop a `when` edge")
def _drop_when(site: Site) -> Iterator[Edit]:
    yield from (cut(site, arrow) for arrow, _ in guards(site))


@operator("drop an `else` edge")
def _drop_else(site: Site) -> Iterator[Edit]:
    yield from (cut(site, a) for a in site.arrows if isinstance(a.trigger, ast.ElseTrigger))


def _on(site: Site, *outcomes: str) -> Iterator[Arrow]:
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.OnTrigger) and (arrow.trigger.outcome.text in outcomes) == bool(
            outcomes
        ):
            yield arrow


def _barriers(site: Site) -> set[str]:
    return {node.name.text for _, node in site.nodes if node.kind == "barrier"}


@operator("drop an edge for a barrier's answer or timeout")
def _drop_answer_edge(site: Site) -> Iterator[Edit]:
    barriers = _barriers(site)
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.OnTrigger) and arrow.source.text in barriers:
            yield cut(site, arrow)


@operator("drop an `on error` or `on timeout` edge of a task, subgraph, map or parallel")
def _drop_failure_edge(site: Site) -> Iterator[Edit]:
    barriers = _barriers(site)
    yield from (cut(site, a) for a in _on(site, "error", "timeout") if a.source.text not in barriers)


@operator("misspell an outcome")
def _outcome(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.OnTrigger):
            yield site.replace(arrow.trigger.outcome.span, arrow.trigger.outcome.text + "ed")


@operator("an outcome of another kind of node")
def _other_outcome(site: Site) -> Iterator[Edit]:
    barriers = _barriers(site)
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.OnTrigger):
            new = "error" if arrow.source.text in barriers else "approve"
            yield site.replace(arrow.trigger.outcome.span, new)


@operator("lead an edge to another node")
def _retarget(site: Site) -> Iterator[Edit]:
    for number, arrow in enumerate(site.arrows):
        others = _others(site, arrow)
        if others:
            yield lead(site, arrow, others[number % len(others)])


@operator("lead a plain edge back without a limit")
def _back(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        plain = [a for a in site.arrows if a.graph is arrow.graph and a.trigger is None]
        before = [a for a in plain if a.target.text == arrow.source.text and a.source.text != "start"]
        if arrow.trigger is None and before:
            yield lead(site, arrow, before[0].source.text)


@operator("an edge from a node to itself in place of its way on")
def _self(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if arrow.trigger is None and arrow.source.text != "start":
            yield lead(site, arrow, arrow.source.text)


@operator("an edge across a region's border")
def _across(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        own = {*site.region_nodes(arrow), "start", "end"}
        foreign = [
            a.source.text
            for a in site.arrows
            if a.graph is arrow.graph and (a.parallel, a.branch) != (arrow.parallel, arrow.branch)
        ]
        foreign = [name for name in foreign if name not in own]
        if foreign:
            yield lead(site, arrow, foreign[0])


@operator("write an edge twice")
def _twice(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if len(arrow.chain.names) == 2:
            end = Span(arrow.chain.span.end, arrow.chain.span.end)
            copy = site.of(arrow.chain.span)
            yield site.edit(f"twice: {copy}", (end, f"\n  {copy}"))


def _pairs(site: Site) -> Iterator[tuple[Arrow, Arrow]]:
    found = list(guards(site))
    for n, (arrow, _) in enumerate(found):
        for other, _ in found[n + 1 :]:
            if other.graph is arrow.graph and other.source.text == arrow.source.text:
                yield arrow, other


@operator("swap the targets of two `when` edges")
def _swap_targets(site: Site) -> Iterator[Edit]:
    for one, other in _pairs(site):
        if one.target.text != other.target.text:
            a, b = one.target, other.target
            yield site.edit(f"swap {a.text} and {b.text}", (a.span, b.text), (b.span, a.text))


@operator("swap the order of two `when` edges")
def _swap_order(site: Site) -> Iterator[Edit]:
    for one, other in _pairs(site):
        a, b = site.of(one.chain.span), site.of(other.chain.span)
        yield site.edit(f"swap {a} | {b}", (one.chain.span, b), (other.chain.span, a))


@operator("forget the word `else`")
def _plain_else(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.ElseTrigger):
            yield site.replace(arrow.trigger.span, "")


@operator("forget a guard")
def _plain_when(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        yield site.replace(trigger.span, "")


@operator("`else` in place of a guard")
def _when_else(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        yield site.replace(trigger.span, "else")


@operator("drop `max_visits`")
def _no_limit(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if arrow.chain.max_visits is not None:
            whole = site.of(arrow.chain.span)
            start = arrow.chain.span.start + whole.rindex("max_visits")
            yield site.replace(Span(start, arrow.chain.span.end), "")


@operator("a limit on an `else` edge")
def _limit(site: Site) -> Iterator[Edit]:
    for arrow in site.arrows:
        if isinstance(arrow.trigger, ast.ElseTrigger) and arrow.chain.max_visits is None:
            end = Span(arrow.chain.span.end, arrow.chain.span.end)
            yield site.edit(f"limit {site.of(arrow.chain.span)}", (end, " max_visits 2"))


# --- guards -------------------------------------------------------------------------------------------------


@operator("negate a guard")
def _negate(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        yield site.replace(trigger.guard.span, f"not ({site.of(trigger.guard.span)})")


OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}
EDGE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def _comparisons(site: Site) -> Iterator[ast.Binary]:
    for _, trigger in guards(site):
        for part in walk(trigger.guard):
            if isinstance(part, ast.Binary) and part.op in OPPOSITE:
                yield part


@operator("turn a comparison round")
def _turn(site: Site) -> Iterator[Edit]:
    for part in _comparisons(site):
        yield site.edit(f"turn {site.of(part.span)}", (part.op_span, OPPOSITE[part.op]))


@operator("a bound that belongs to the other side")
def _strict(site: Site) -> Iterator[Edit]:
    for part in _comparisons(site):
        if part.op in EDGE:
            yield site.edit(f"{site.of(part.span)} with {EDGE[part.op]}", (part.op_span, EDGE[part.op]))


@operator("a bound that is off by one")
def _off_by_one(site: Site) -> Iterator[Edit]:
    for part in _comparisons(site):
        for side in (part.left, part.right):
            if isinstance(side, ast.IntLit):
                yield site.replace(side.span, str(side.value + 1))


@operator("a bound far outside the range")
def _far(site: Site) -> Iterator[Edit]:
    for part in _comparisons(site):
        if isinstance(part.right, (ast.IntLit, ast.FloatLit)):
            yield site.replace(part.right.span, "-1000000")


@operator("another member of the enum in a guard")
def _member(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        for part in walk(trigger.guard):
            if isinstance(part, ast.Attr) and isinstance(part.base, ast.Ref):
                enum = site.case.enums.get(part.base.name)
                others = [m.name.text for m in enum.members if m.name.text != part.name.text] if enum else []
                if others:
                    yield site.replace(part.name.span, others[0])


@operator("drop one side of `and` or `or`")
def _side(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        for part in walk(trigger.guard):
            if isinstance(part, ast.Binary) and part.op in ("and", "or"):
                yield site.replace(part.span, site.of(part.left.span))
                yield site.replace(part.span, site.of(part.right.span))


@operator("`and` in place of `or`, and the other way round")
def _connective(site: Site) -> Iterator[Edit]:
    for _, trigger in guards(site):
        for part in walk(trigger.guard):
            if isinstance(part, ast.Binary) and part.op in ("and", "or"):
                new = "or" if part.op == "and" else "and"
                yield site.edit(f"{site.of(part.span)} with {new}", (part.op_span, new))
