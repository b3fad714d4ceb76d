"""How long checking takes: generated graphs of 1,000 and 10,000 nodes, parsing and checking apart.

Run it: `python bench/check_speed.py [NODES …]`. Times are of the processor; the
time per line must not grow with the size.
"""

from __future__ import annotations

import gc
import sys
import time

from lgc.compiler import check
from lgc.compiler.context import Context
from lgc.compiler.project import load_project
from lgc.compiler.resolve import resolve
from lgc.compiler.rules import run_rules
from lgc.dsl.source import Source

STATE = """\
enum Verdict {{ accept, revise, reject }}

record Note {{
  author: str
  text:   str
}}

state S{n} {{
  topic:   str
  score:   float = 0.0  range 0.0..1.0
  verdict: Verdict?
  notes:   list[Note] = []
  count:   int = 0

  mutation Grade(score, verdict)
  mutation Add(note: Note) {{ notes += [note]  count += 1 }}
}}
"""


def one_graph(nodes: int) -> str:
    """One graph with a long loop of tasks, decisions, parallels and guards."""
    parts = [STATE.format(n=0), "graph big(S0) {"]
    edges = ["  start -> n0"]
    at = 0
    while at < nodes:
        here, following = f"n{at}", f"n{at + 1}"
        match at % 8:
            case 0 | 4:
                clauses = "    reads   topic, notes\n    records Grade, Add\n    timeout 60s\n"
                parts.append(f"  task {here} {{\n{clauses}  }}")
                edges.append(f"  {here} -> {following} when score > 0.5 and verdict == Verdict.accept")
                edges.append(f"  {here} -> n{max(0, at - 3)} when len(notes) < 5 max_visits 3")
                edges.append(f"  {here} -> {following} else")
            case 2:
                inner = [f"{here}_{k}" for k in range(2)]
                parts += [f"  task {name} {{ reads topic  records Add }}" for name in inner]
                branches = "\n".join(f"    branch b{k} = {name}" for k, name in enumerate(inner))
                parts.append(f"  parallel {here} {{\n{branches}\n  }}")
                edges.append(f"  {here} -> {following}")
            case 5:
                parts.append(f"  decision {here}")
                edges.append(f"  {here} -> {following} when verdict != none and count >= 2 max_visits 9")
                edges.append(f"  {here} -> {following} else")
            case _:
                parts.append(f"  task {here} {{ reads score, verdict  records Grade }}")
                edges.append(f"  {here} -> {following}")
        at += 1
    parts.append(f"  task n{at}")
    edges.append(f"  n{at} -> end")
    return "\n".join([*parts, "", *edges, "}", ""])


def many_graphs(nodes: int) -> str:
    """Many graphs of ten nodes over many states."""
    parts: list[str] = []
    for n in range(nodes // 10):
        head = STATE.format(n=n)
        parts.append(head if n == 0 else head[head.index("state") :])
        names = [f"t{k}" for k in range(10)]
        tasks = "\n".join(f"  task {name} {{\n    reads *\n    records Grade, Add\n  }}" for name in names)
        parts.append(f"graph g{n}(S{n}) {{\n{tasks}\n\n  start -> {' -> '.join(names)} -> end\n}}\n")
    return "\n".join(parts)


def measure(text: str) -> tuple[float, float, float]:
    """Seconds from text to tree, from tree to program, from program to findings."""
    gc.collect()
    gc.disable()
    context = Context()
    t0 = time.process_time()
    project = load_project(context, [Source("bench.lgraph", text)], lambda path: None, None)
    t1 = time.process_time()
    resolved = resolve(context, project)
    t2 = time.process_time()
    findings = list(run_rules(resolved))
    t3 = time.process_time()
    gc.enable()
    assert not context.findings and not findings, (context.findings + findings)[:3]
    return t1 - t0, t2 - t1, t3 - t2


def main(sizes: list[int]) -> None:
    """Print a table."""
    check([Source("warm.lgraph", one_graph(8))], load=lambda path: None)
    print(f"{'shape':12} {'nodes':>7} {'lines':>7} {'parse':>8} {'resolve':>8} {'rules':>8} {'µs/line':>8}")
    for shape in (one_graph, many_graphs):
        for size in sizes:
            text = shape(size)
            lines = text.count("\n")
            parse, resolving, rules = min((measure(text) for _ in range(3)), key=sum)
            cost = (parse + resolving + rules) / lines * 1e6
            times = f"{parse:>7.3f}s {resolving:>7.3f}s {rules:>7.3f}s {cost:>8.1f}"
            print(f"{shape.__name__:12} {size:>7,} {lines:>7,} {times}")


if __name__ == "__main__":
    main([int(arg) for arg in sys.argv[1:]] or [1_000, 10_000])
