"""Generated programs of one shape each, for measuring how checking grows: from a number of nodes to files.

All of them are clean: what is measured is the proof that nothing is wrong, which has to look at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

Files: TypeAlias = dict[str, str]

STATE = """\
state S {
  topic: str
  score: float = 0.0  range 0.0..1.0
  count: int = 0

  mutation Grade(score)
  mutation Tick() { count += 1 }
}
"""


def _graph(nodes: Iterable[str], edges: Iterable[str], head: str = STATE, settings: str = "") -> str:
    lines = [head, "graph big(S) {"]
    lines += [f"  {node}" for node in nodes]
    lines.append("")
    lines += [f"  {edge}" for edge in edges]
    return "\n".join([*lines, settings, "}", ""])


def chain(size: int) -> Files:
    """Tasks one after the other; the last asks whether to go round again."""
    nodes = [f"task n{k} {{ reads topic, score  records Grade, Tick }}" for k in range(size)]
    edges = ["start -> n0", *(f"n{k} -> n{k + 1}" for k in range(size - 1))]
    edges += [f"n{size - 1} -> n0 when count < 9 and score < 0.5", f"n{size - 1} -> end else"]
    return {"chain.lgraph": _graph(nodes, edges)}


def branches(size: int) -> Files:
    """One parallel with all nodes in branches of their own."""
    nodes = [f"task n{k} {{ reads topic  records Tick }}" for k in range(size)]
    fan = ["parallel fan {", *(f"    branch b{k} = n{k}" for k in range(size)), "  }"]
    end = ["task last { reads count, score  records Grade }"]
    edges = ["start -> fan -> last", "last -> fan when count < 9 and score < 0.5", "last -> end else"]
    return {"branches.lgraph": _graph([*fan, *nodes, *end], edges)}


def choices(size: int) -> Files:
    """One decision with a guarded edge to each node."""
    nodes = ["decision choose"]
    nodes += [f"task n{k} {{ reads topic, score  records Tick, Grade }}" for k in range(size)]
    edges = ["start -> choose", *(f"choose -> n{k} when count == {k}" for k in range(size))]
    edges += ["choose -> end else", *(f"n{k} -> end" for k in range(size - 1)), f"n{size - 1} -> choose"]
    return {"choices.lgraph": _graph(nodes, edges)}


def nest(size: int) -> Files:
    """Parallels in branches of parallels, half as deep as there are nodes."""
    depth = size // 2
    nodes: list[str] = []
    for k in range(depth):
        inner = f"p{k + 1}" if k + 1 < depth else "leaf"
        nodes += [f"parallel p{k} {{", f"    branch down = {inner}", f"    branch side = n{k}", "  }"]
        nodes.append(f"task n{k} {{ reads topic  records Tick }}")
    nodes.append("task leaf { reads topic  records Tick }")
    nodes.append("task last { reads count, score  records Grade }")
    edges = ["start -> p0 -> last -> end"]
    return {"nest.lgraph": _graph(nodes, edges)}


def loops(size: int) -> Files:
    """Nodes with ten guarded edges back each: `size` counts nodes and edges."""
    count = size // 11
    nodes = [f"task n{k} {{ reads topic, score  records Grade, Tick }}" for k in range(count)]
    edges = ["start -> n0"]
    for k in range(count):
        back = [max(0, k - 7**j % (k + 1)) for j in range(10)]
        targets = list(dict.fromkeys(back))
        edges += [
            f"n{k} -> n{to} when count < {90 - 9 * j} and score < 0.{9 - j}"
            for j, to in enumerate(targets[:9])
        ][:1]
        edges += [f"n{k} -> n{to} when count == {100 + j} max_visits 3" for j, to in enumerate(targets) if j]
        edges.append(f"n{k} -> " + (f"n{k + 1} else" if k + 1 < count else "end else"))
    return {"loops.lgraph": _graph(nodes, edges)}


def guards(size: int) -> Files:
    """Guards of 5,000 comparisons each: `size` counts comparisons."""
    count = max(1, size // 5_000)
    nodes = [f"task n{k} {{ reads topic, score  records Grade, Tick }}" for k in range(count)]
    edges = ["start -> n0"]
    for k in range(count):
        groups = [
            " or ".join(f"count == {3 * (100 * g + a)}" for a in range(100))
            for g in range(min(50, size // 100))
        ]
        atoms = " or ".join(f"({group})" for group in groups)  # a row of more than 200 is nested too deeply
        following = f"n{k + 1}" if k + 1 < count else "end"
        edges += [
            f"n{k} -> {following} when {atoms}",
            f"n{k} -> n{k} when score < 0.5",
            f"n{k} -> {following} else",
        ]
    return {"guards.lgraph": _graph(nodes, edges)}


def grid(size: int) -> Files:
    """Decisions whose guards compare 20 fields with 20 thresholds: `size` counts comparisons."""
    count = max(1, size // 400)
    fields = [f"  f{j}: int = 0" for j in range(20)]
    sets = " ".join(f"f{j} += 1" for j in range(20))
    head = "\n".join(["state S {", *fields, f"  mutation Step() {{ {sets} }}", "}", ""])
    nodes = [f"task n{k} {{ records Step }}" for k in range(count)]
    edges = ["start -> n0"]
    for k in range(count):
        following = f"n{k + 1}" if k + 1 < count else "end"
        for row in range(20):
            atoms = " and ".join(f"f{j} > {5 * ((row + j) % 20)}" for j in range(20))
            edges.append(f"n{k} -> n{max(0, k - row)} when {atoms} max_visits 3")
        edges.append(f"n{k} -> {following} else")
    return {"grid.lgraph": _graph(nodes, edges, head)}


def files(size: int) -> Files:
    """Files of ten nodes each that import the state from one."""
    made: Files = {"common.lgraph": STATE}
    for f in range(size // 10):
        text = _graph(
            [f"task n{k} {{ reads topic, score, count  records Grade, Tick }}" for k in range(10)],
            ["start -> " + " -> ".join(f"n{k}" for k in range(10)) + " -> end"],
            'from "./common.lgraph" import S\n',
        )
        made[f"part{f:05}.lgraph"] = text.replace("graph big(", f"graph g{f}(")
    return made


def alone(size: int) -> Files:
    """Files of ten nodes each that know nothing of each other."""
    made: Files = {}
    for f in range(size // 10):
        text = _graph(
            [f"task n{k} {{ reads topic, score, count  records Grade, Tick }}" for k in range(10)],
            ["start -> " + " -> ".join(f"n{k}" for k in range(10)) + " -> end"],
        )
        made[f"part{f:05}.lgraph"] = text.replace("graph big(", f"graph g{f}(")
    return made


def graphs(size: int) -> Files:
    """Graphs of ten nodes each in one file."""
    parts = [STATE]
    for g in range(size // 10):
        nodes = [f"task n{k} {{ reads topic, score, count  records Grade, Tick }}" for k in range(10)]
        edges = ["start -> " + " -> ".join(f"n{k}" for k in range(10)) + " -> end"]
        parts.append(_graph(nodes, edges, "").replace("graph big(", f"graph g{g}("))
    return {"graphs.lgraph": "\n".join(parts)}


def subgraphs(size: int) -> Files:
    """Graphs in graphs, as deep as there are nodes divided by two."""
    parts = [STATE]
    depth = size // 2
    for g in range(depth):
        inner = (
            [f"subgraph s = g{g + 1}"]
            if g + 1 < depth
            else ["task s { reads topic, score, count  records Grade }"]
        )
        nodes = ["task n { reads topic  records Tick }", *inner]
        parts.append(_graph(nodes, ["start -> n -> s -> end"], "").replace("graph big(", f"graph g{g}("))
    return {"subgraphs.lgraph": "\n".join(parts)}


def calls(size: int) -> Files:
    """One graph that runs another again and again, with values in and out."""
    inner = """\
state Inner {
  word: str
  size: int = 0
  mutation Measure(size)
}

graph inner(Inner) {
  task look { reads word, size  records Measure }
  start -> look -> end
}
"""
    nodes = [f"subgraph n{k} = inner {{ in word = topic  out Tick() }}" for k in range(size)]
    nodes.append("task last { reads count, score  records Grade }")
    edges = ["start -> n0", *(f"n{k} -> n{k + 1}" for k in range(size - 1)), f"n{size - 1} -> last -> end"]
    return {"calls.lgraph": _graph(nodes, edges, STATE + inner)}


WIDE = 5_000


def wide(size: int) -> Files:
    """A state of 5,000 fields with a mutation each, and nodes that read and set them one after the other."""
    width = min(size, WIDE)
    fields = [f"  f{k}: int = 0" for k in range(width)]
    mutations = [f"  mutation Set{k}(f{k})" for k in range(width)]
    head = "\n".join(["state S {", *fields, *mutations, "}", ""])
    turns = [(k % width, (k - 1) % width) for k in range(size)]
    nodes = [f"task n{k} {{ reads f{b}, f{a}  records Set{a} }}" for k, (a, b) in enumerate(turns)]
    nodes[0] = "task n0 { reads f0  records Set0 }"
    edges = ["start -> n0", *(f"n{k} -> n{k + 1}" for k in range(size - 1)), f"n{size - 1} -> end"]
    return {"wide.lgraph": _graph(nodes, edges, head)}


def optional(size: int) -> Files:
    """A state of 5,000 optional fields; nodes ensure one each and need those that others ensured before."""
    width = min(size, WIDE)
    fields = [f"  f{k}: int?" for k in range(width)]
    mutations = [f"  mutation Set{k}(f{k})" for k in range(width)]
    head = "\n".join(["state S {", *fields, *mutations, "}", ""])
    nodes = ["task n0 { records Set0  ensures f0 }", "task n1 { reads f0!  records Set1  ensures f1 }"]
    for k in range(2, size):
        needs = dict.fromkeys((f"f{k // 2 % width}!", f"f{(k - 1) % width}!"))
        here = k % width
        nodes.append(f"task n{k} {{ reads {', '.join(needs)}  records Set{here}  ensures f{here} }}")
    nodes.append(f"task last {{ reads f{(size - 1) % width}! }}")
    edges = ["start -> n0", *(f"n{k} -> n{k + 1}" for k in range(size - 1))]
    edges += [f"n{size - 1} -> last -> end"]
    return {"optional.lgraph": _graph(nodes, edges, head)}


def values(size: int) -> Files:
    """An enum with as many members as there are nodes, and a decision over them."""
    members = [f"  m{k}" for k in range(size)]
    head = "\n".join(["enum E {", *(f"{m}," for m in members), "}", "", "state S {", "  e: E"])
    head += "\n  count: int = 0\n  mutation Put(e)\n  mutation Tick() { count += 1 }\n}\n"
    nodes = ["decision choose", "task n { reads e, count  records Put, Tick }"]
    edges = ["start -> choose"]
    edges += [f"choose -> n when e == E.m{k}" for k in range(min(size, 200))]
    edges += ["choose -> end else", "n -> choose when count < 9", "n -> end else"]
    return {"values.lgraph": _graph(nodes, edges, head)}


SHAPES: dict[str, Callable[[int], Files]] = {
    shape.__name__: shape
    for shape in (
        chain, branches, choices, nest, loops, guards, grid, files, alone, graphs, subgraphs, calls, wide,
        optional, values,
    )
}  # fmt: skip
