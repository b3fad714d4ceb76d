"""From trees to text that has no effect: nodes nobody comes to or gets away from, names that nothing uses.

Written without the checker's own analyses, so that it can be a witness against them.
"""

from __future__ import annotations

from collections.abc import Iterable
from re import findall

from lgc.dsl import ast

from .places import Arrow, Case, recorded, walk

GONE = "cannot be reached"
STUCK = "has no way to the end"
UNUSED = "is used nowhere"
NEVER = "is an edge that nothing takes"


def dead_text(case: Case) -> set[tuple[str, str]]:
    """Each piece of text without effect: what it is, and what is wrong with it."""
    found: set[tuple[str, str]] = set()
    for site in case.sites():
        regions: dict[tuple[int, str, str], list[Arrow]] = {}
        for arrow in site.arrows:
            regions.setdefault((id(arrow.graph), arrow.parallel, arrow.branch), []).append(arrow)
        for (_, parallel, branch), arrows in regions.items():
            found |= _region(arrows, f"{parallel}/{branch}" if parallel else arrows[0].graph.name.text)
        for graph in site.graphs:
            found |= _nodes(graph)
            found |= _never(graph)
    return found | _unused(case)


def _steps(arrows: Iterable[Arrow]) -> dict[str, set[str]]:
    steps: dict[str, set[str]] = {}
    jumps: dict[str, set[str]] = {}
    for arrow in arrows:
        steps.setdefault(arrow.source.text, set()).add(arrow.target.text)
        for item in arrow.graph.items if not jumps else ():
            if not isinstance(item, ast.Node):
                continue
            for clause in item.clauses:
                if isinstance(clause, (ast.GotoClause, ast.RerouteClause)):
                    jumps.setdefault(item.name.text, set()).update(t.text for t in clause.targets)
    todo = [*steps, *(name for targets in steps.values() for name in targets)]
    while todo:
        name = todo.pop()
        targets = jumps.pop(name, set())
        if targets:
            steps.setdefault(name, set()).update(targets)
            todo += targets
    return steps


def _closure(steps: dict[str, set[str]], start: str) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        for name in steps.get(todo.pop(), ()):
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen


def _region(arrows: list[Arrow], name: str) -> set[tuple[str, str]]:
    steps = _steps(arrows)
    back: dict[str, set[str]] = {}
    for source, targets in steps.items():
        for target in targets:
            back.setdefault(target, set()).add(source)
    reached, finishing = _closure(steps, "start"), _closure(back, "end")
    known = {*steps, *back} - {"start", "end"}
    found = {(f"{name}: {one}", GONE) for one in known - reached}
    return found | {(f"{name}: {one}", STUCK) for one in known & reached - finishing}


def _nodes(graph: ast.Graph) -> set[tuple[str, str]]:
    named: set[str] = set()
    for part in walk(graph.items):
        match part:
            case ast.Chain(names=names) | ast.GotoClause(targets=names) | ast.RerouteClause(targets=names):
                named |= {name.text for name in names}
            case ast.BranchClause(single=ast.Name(text=text)):
                named.add(text)
            case _:
                pass
    nodes = [item.name.text for item in graph.items if isinstance(item, ast.Node)]
    return {(f"{graph.name.text}: {name}", GONE) for name in nodes if name not in named}


def _never(graph: ast.Graph) -> set[tuple[str, str]]:
    """Edges for the timeout of a task that has none, and timeouts of tasks without an edge are no mistake."""
    timed = {
        item.name.text
        for item in graph.items
        if isinstance(item, ast.Node)
        and (item.kind != "task" or any(isinstance(c, ast.TimeoutClause) for c in item.clauses))
    }
    nodes = {item.name.text for item in graph.items if isinstance(item, ast.Node)}
    found: set[tuple[str, str]] = set()
    for part in walk(graph.items):
        if isinstance(part, ast.Chain) and isinstance(part.trigger, ast.OnTrigger):
            source = part.names[0].text
            if part.trigger.outcome.text == "timeout" and source in nodes - timed:
                found.add((f"{source} on timeout", NEVER))
    return found


def _unused(case: Case) -> set[tuple[str, str]]:
    words: dict[str, int] = {}
    for tree in case.trees.values():
        text = tree.source.text
        for one in tree.declarations:
            if isinstance(one, ast.Scenario):
                text = text.replace(tree.source.text[one.span.start : one.span.end], "")
        for word in findall(r"\w+", "\n".join(line.partition("//")[0] for line in text.split("\n"))):
            words[word] = words.get(word, 0) + 1
    names: list[str] = []
    for state in case.all(ast.State):
        names += [item.name.text for item in state.items]
    for tree in case.trees.values():
        for one in tree.declarations:
            if isinstance(one, (ast.Enum, ast.Record, ast.Union, ast.Opaque)):
                names.append(one.name.text)
    found = {(name, UNUSED) for name in names if words[name] == 1}
    used = {m for g in case.all(ast.Graph) for n in g.items if isinstance(n, ast.Node) for m in recorded(n)}
    mutations = [i.name.text for s in case.all(ast.State) for i in s.items if isinstance(i, ast.Mutation)]
    return found | {(name, UNUSED) for name in mutations if name not in used}
