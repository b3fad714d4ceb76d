"""Races in wide and deep graphs: one finding for a field and a parallel, in time that grows with the size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lgc.compiler import check
from lgc.compiler.analyses import Analyses
from lgc.compiler.context import Context
from lgc.compiler.effects.races import races
from lgc.compiler.graph_view import GraphView
from lgc.compiler.project import load_project
from lgc.compiler.resolve import resolve
from lgc.dsl.diagnostic import Diagnostic
from lgc.dsl.source import Source

STATE = """\
state S {
  topic: str
  score: int = 0
  count: int = 0

  mutation Grade(score)
  mutation Count() { count += 1 }
}
"""


def fan(branches: int, records: str = "Grade", reads: str = "topic") -> str:
    """A parallel whose branches all do the same."""
    lines = [STATE, "graph g(S) {", "  parallel p {"]
    lines += [f"    branch b{n} = n{n}" for n in range(branches)]
    lines += ["  }", *(f"  task n{n} {{ reads {reads}  records {records} }}" for n in range(branches))]
    return "\n".join([*lines, "  start -> p -> end", "}", ""])


def nest(depth: int) -> str:
    """Parallels inside each other; every one has a branch that counts beside the next one inside."""
    lines = [STATE, "graph g(S) {", "  start -> p0 -> end"]
    for n in range(depth):
        inner = f"start -> {f'p{n + 1}' if n + 1 < depth else 'last'} -> end"
        lines.append(
            f"  parallel p{n} {{ branch in {{ {inner} }}  branch beside = n{n} }}".replace("in {", "i {")
        )
        lines.append(f"  task n{n} {{ reads topic  records Count }}")
    return "\n".join([*lines, "  task last { records Count, Grade }", "}", ""])


def findings(text: str) -> list[Diagnostic]:
    """Everything that is said of races."""
    found = check([Source("t.lgraph", text)], load=lambda path: None).diagnostics
    return [d for d in found if d.code in ("LG502", "LG503")]


def test_a_wide_fan_is_one_finding_that_counts_the_rest() -> None:
    (found,) = findings(fan(1000))
    assert found.message.startswith("branches `b0`, `b1` and 998 more of `p` all set `score`")
    assert [label.text for label in found.related] == [
        "branch `b0` records `Grade` here",
        "`Grade` sets `score`",
    ]


def test_each_branch_that_reads_is_told_once() -> None:
    found = findings(fan(20, "Count", "*"))
    assert [d.code for d in found] == ["LG503"] * 20
    first = found[0]
    assert first.message.startswith("branch `b0` of `p` reads `count`, which branch `b1` writes")
    assert first.place.source.text[first.place.span.start : first.place.span.end] == "*"


def test_what_is_read_of_many_is_listed_shortly() -> None:
    fields = "".join(f"  f{n}: int = 0\n  mutation M{n}(f{n})\n" for n in range(9))
    tasks = "".join(f"  task n{n} {{ records M{n} }}\n" for n in range(9))
    branches = "".join(f"    branch b{n} = n{n}\n" for n in range(9))
    text = (
        f"state S {{\n{fields}}}\ngraph g(S) {{\n{tasks}  task all {{ reads * }}\n"
        f"  parallel p {{\n{branches}    branch c = all\n  }}\n  start -> p -> end\n}}\n"
    )
    (found,) = findings(text)
    assert (
        "reads `f0`, `f1`, `f2` and 6 more, which branches `b0`, `b1`, `b2` and 6 more write" in found.message
    )
    assert len(found.related) == 3


def test_a_deep_nest_is_no_problem() -> None:
    assert findings(nest(3000)) == []


@pytest.mark.parametrize("mistake", ["records Finsh", "records Odd"])
def test_a_misspelt_name_is_not_an_endless_cycle_as_well(mistake: str) -> None:
    text = f"""
state S {{
  done: bool = false
  mutation Finish() {{ done = true }}
  mutation Odd() {{ doen = true }}
}}
graph g(S) {{
  task a {{ {mistake} }}
  start -> a
  a -> end when done
  a -> a else
}}
"""
    if mistake == "records Finsh":
        text = text.replace("  mutation Odd() { doen = true }\n", "")
    found = check([Source("t.lgraph", text)], load=lambda path: None).diagnostics
    assert [d.code for d in found] == ["LG101"]


@pytest.mark.parametrize("rule", ["merge append", "merge mix", "merge custom"])
def test_a_wrong_merge_rule_is_not_a_race_as_well(rule: str) -> None:
    text = fan(2).replace("score: int = 0", f"score: int = 0  {rule}")
    found = check([Source("t.lgraph", text)], load=lambda path: None).diagnostics
    assert [d.code for d in found if d.severity == "error"] in (["LG207"], ["LG002"])


@pytest.mark.parametrize(("make", "small"), [(fan, 1000), (nest, 500)])
def test_effort_grows_with_the_size(
    make: Callable[[int], str], small: int, effort: Callable[[Callable[[], object]], int]
) -> None:
    def spent(size: int) -> int:
        context = Context()
        project = load_project(context, [Source("t.lgraph", make(size))], lambda path: None, None)
        resolved = resolve(context, project)
        ((key, graph),) = resolved.program.graphs.items()
        view = GraphView(graph, resolved.gaps[key], Analyses(resolved.program, resolved.gaps))
        return effort(lambda: list(races(view)))

    assert spent(8 * small) < 12 * spent(small)


def test_all_fields_read_in_many_branches_are_looked_at_once() -> None:
    fields = "".join(f"  f{n}: int = 0\n  mutation M{n}(f{n})\n" for n in range(150))
    tasks = "".join(f"  task n{n} {{ reads *  records M{n} }}\n" for n in range(150))
    branches = "".join(f"    branch b{n} = n{n}\n" for n in range(150))
    graph = f"graph g(S) {{\n{tasks}  parallel p {{\n{branches}  }}\n  start -> p -> end\n}}\n"
    found = findings(f"state S {{\n{fields}}}\n{graph}")
    assert [d.code for d in found] == ["LG503"] * 150
    assert (
        "reads `f0`, `f2`, `f3` and many more, which branches `b0`, `b2`, `b3` and many" in found[1].message
    )
