"""How long the canonical form and hash of a graph take, beside writing and hashing the same JSON.

    python bench/hash_speed.py [NODES …]

The floor is `json.dumps` of the finished form and one SHA-256 of its text; the figure to reach for
10,000 nodes is 200 ms on an idle machine. Times are the best of five; trust the ratio.
"""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from time import perf_counter

from lgc.compiler import canonical
from lgc.compiler import model as m
from lgc.dsl.source import Place, Source, Span

P = Place(Source("bench.lgraph", ""), Span(0, 0))
FLOAT, BOOL = m.Scalar("float"), m.Scalar("bool")
STATE, GRAPH = m.Key("bench.lgraph", "S"), m.Key("bench.lgraph", "g")


def program(nodes: int) -> m.Program:
    """A chain of tasks; each has a guarded edge, an `else` edge and a limit."""
    score = m.FieldRef("score", FLOAT, P)
    guard = m.Binary(">", score, m.Const(0.5, FLOAT, P), BOOL, P)
    tasks = tuple(_task(f"n{index}") for index in range(nodes))
    edges = [m.Edge(m.START, "n0", "plain", None, None, None, "", P)]
    for index in range(nodes):
        following = f"n{index + 1}" if index + 1 < nodes else m.END
        edges.append(m.Edge(f"n{index}", following, "when", guard, None, 3, "", P))
        edges.append(m.Edge(f"n{index}", m.END, "else", None, None, None, "", P))
    region = m.Region("", None, None, tuple(task.name for task in tasks), tuple(edges), P)
    field = m.Field("score", FLOAT, m.Const(0.0, FLOAT, P), None, None, None, None, False, "", P)
    target = m.Target(("score",), None, FLOAT, P)
    body = (m.Assign(target, "set", m.ParamRef("to", FLOAT, P), P),)
    grade = m.Mutation("Grade", (m.Param("to", FLOAT, P),), body, None, ("score",), "", P)
    graph = m.Graph(GRAPH, STATE, tasks, (region,), 10_000, m.Checkpointing(), "", P)
    return m.Program((), {}, {}, {}, {}, {STATE: m.State(STATE, (field,), (grade,), "", P)}, {GRAPH: graph})


def _task(name: str) -> m.Task:
    reads, records = (m.Read("score", True, P),), (("Grade", P),)
    return m.Task(name, "", reads, records, (), (), None, None, "idempotent", (), None, "", P)


def best(action: Callable[[], object]) -> float:
    """The shortest of five runs, in milliseconds."""
    times: list[float] = []
    for _ in range(5):
        began = perf_counter()
        action()
        times.append((perf_counter() - began) * 1_000)
    return min(times)


def main() -> None:
    """Print a line for each size."""
    for nodes in [int(size) for size in sys.argv[1:]] or [1_000, 10_000]:
        form = json.loads(canonical.canonical_text(program(nodes), GRAPH))
        floor = best(lambda form=form: sha256(json.dumps(form, sort_keys=True).encode()).hexdigest())
        programs = [program(nodes) for _ in range(5)]  # the last one asked for is remembered
        spent = best(lambda programs=programs: canonical.graph_hash(programs.pop(), GRAPH))
        each = spent / nodes * 1_000
        print(
            f"{nodes:>7,} nodes  {spent:7.1f} ms  {each:5.1f} µs a node  {spent / floor:4.1f} times the floor"
        )


if __name__ == "__main__":
    main()
