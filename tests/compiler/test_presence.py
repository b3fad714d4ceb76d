"""Which fields surely have a value, asked of the analysis itself; findings where ways are long or deep."""

from __future__ import annotations

from lgc.compiler import check
from lgc.compiler.analyses import Analyses
from lgc.compiler.context import Context
from lgc.compiler.model import Key
from lgc.compiler.presence import Presence
from lgc.compiler.project import load_project
from lgc.compiler.resolve import resolve
from lgc.dsl.diagnostic import Diagnostic
from lgc.dsl.source import Source

STATE = """
state S {
  a: str?
  b: str? = "b"
  n: int = 0

  mutation SetA(x: str) { a = x }
  mutation Offer(b)
}
"""


def presence(text: str) -> Presence:
    context = Context()
    project = load_project(context, [Source("p.lgraph", STATE + text)], lambda path: None, None)
    resolved = resolve(context, project)
    assert not context.findings
    return Analyses(resolved.program, resolved.gaps).presence


def missing(text: str) -> list[Diagnostic]:
    checked = check([Source("p.lgraph", STATE + text)], load=lambda path: None)
    return [found for found in checked.diagnostics if found.code == "LG501"]


def test_before_and_after() -> None:
    known = presence("""
    graph g(S) {
      task write { records SetA, Offer  ensures a }
      task look  { reads a!, b! }
      barrier ask {
        timeout 1h
        decision one(x: str) records Offer(x)
        decision two(x: str) records Offer(x)
        decision three
        modify Offer
      }
      parallel both { branch x = left  branch y = right }
      task left  { records SetA  ensures a }
      task right { records SetA }

      start -> write -> look -> ask
      ask -> both
      ask -> end on three
      ask -> end on timeout
      both -> end when b != none
      both -> end else
    }""")
    key = Key("p.lgraph", "g")
    assert known.after(key, "start") == known.before(key, "write") == frozenset()
    assert known.after(key, "write") == known.before(key, "look") == {"a"}
    assert known.after(key, "look") == known.before(key, "ask") == {"a", "b"}
    assert known.after(key, "ask") == {"a", "b"}  # `three`, which records nothing, has an edge of its own
    assert known.after(key, "start", "both/x") == known.before(key, "right") == {"a", "b"}
    assert known.after(key, "both") == {"a", "b"}
    assert known.after(key, "nowhere") == known.before(key, "nowhere") == frozenset()


def test_a_graph_that_runs_inside_others_knows_what_all_of_them_know() -> None:
    known = presence("""
    graph inner(S) { task look { reads n }  start -> look -> end }
    graph one(S) {
      task write { records SetA, Offer  ensures a, b }
      subgraph run = inner {}
      start -> write -> run -> end
    }
    graph two(S) {
      task write { records SetA, Offer  ensures a }
      subgraph run = inner {}
      start -> write -> run -> end
    }""")
    inner, one, two = (Key("p.lgraph", name) for name in ("inner", "one", "two"))
    assert known.before(inner, "look") == {"a"}
    assert known.after(one, "run") == {"a", "b"}  # of each it keeps what it knew there
    assert known.after(two, "run") == {"a"}


def test_graphs_that_contain_each_other_are_not_judged() -> None:
    assert not missing("""
    graph one(S) { task look { reads a! }  subgraph in_two = two {}  start -> look -> in_two -> end }
    graph two(S) { subgraph in_one = one {}  start -> in_one -> end }""")


def test_a_long_way_is_shortened_in_its_middle() -> None:
    chain = " -> ".join(f"t{number}" for number in range(2_000))
    tasks = "\n".join(f"task t{number} {{ reads n }}" for number in range(2_000))
    (found,) = missing(
        f"graph g(S) {{ {tasks}\n task look {{ reads a! }}\n start -> {chain} -> look -> end }}"
    )
    assert found.message == (
        "`a` may be none when `look` runs: the way `start -> t0 -> t1 -> … -> t1996 -> t1997 -> t1998 -> "
        "t1999 -> look` does not ensure it"
    )


def test_parallels_in_each_other_ever_so_deep() -> None:
    depth = 1_500  # more than Python can call itself
    forks = "\n".join(
        f"parallel p{n} {{ branch x = t{n}  branch y = p{n + 1} }} task t{n} {{ reads n }}"
        for n in range(depth)
    )
    (found,) = missing(f"graph g(S) {{ {forks}\n task p{depth} {{ reads a! }}\n start -> p0 -> end }}")
    assert found.message.startswith(
        f"`a` may be none when `p{depth}` runs: the way `start -> p0/y: start -> "
    )
    assert found.message.endswith(f"p{depth - 1}/y: start -> p{depth}` does not ensure it")


def test_tasks_behind_one_that_forgets_are_one_mistake() -> None:
    (found,) = missing("""
    graph g(S) {
      task write { records SetA }
      task one   { reads a! }
      task two   { reads a! }
      start -> write
      write -> one when n > 3
      write -> two else
      one -> end
      two -> end
    }""")
    assert found.help == "add `ensures a` to `write`, or take this way only `when a != none`"
    assert [label.text for label in found.related] == [
        "may record `SetA`, but does not ensure `a`",
        "needs it, too",
    ]


def test_what_an_error_edge_leaves_behind_is_said() -> None:
    (found,) = missing("""
    graph g(S) {
      task write { records SetA  ensures a }
      task mend  { reads a! }
      start -> write -> end
      write -> mend on error
      mend -> end
    }""")
    assert [label.text for label in found.related] == ["ensures `a`, but not where it fails, as here"]


def test_json_null_is_none() -> None:
    text = """
    state J { data: json?  raw: json = 1  mutation Put(value: json) { data = value }
      mutation Fill() { data = {"k": 1} } }
    graph g(J) {
      barrier ask {
        timeout 1h
        decision put(value: json) records Put(value)
        decision fill records Fill()
      }
      task one { reads data! }
      task two { reads data! }
      start -> ask
      ask -> one on put
      ask -> two on fill
      ask -> end on timeout
      one -> end
      two -> end
    }"""
    assert [found.message.split(":")[0] for found in missing(text)] == ["`data` may be none when `one` runs"]


def wanting(fields: int) -> str:
    """A chain in which each task requires a field of its own that no task ensures."""
    names = range(fields)
    state = "".join(f"  f{n}: str?\n  mutation M{n}(f{n})\n" for n in names)
    tasks = "".join(f"  task n{n} {{ reads f{n}!  records M{n} }}\n" for n in names)
    chain = " -> ".join(["start", *(f"n{n}" for n in names), "end"])
    return f"state S {{\n{state}}}\ngraph g(S) {{\n{tasks}  {chain}\n}}\n"


def test_many_fields_that_are_not_ensured_take_no_longer_than_they_are_many() -> None:
    findings = check([Source("t.lgraph", wanting(2000))], load=lambda path: None).diagnostics
    assert [d.code for d in findings] == ["LG501"] * 2000
    assert findings[3].message.endswith("the way `start -> n0 -> n1 -> n2 -> n3` does not ensure it")
    assert findings[-1].message.endswith("not every way there ensures it")
