"""`lgc test`: scenarios on the real engine, and what is said of those that fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Lgc = Callable[..., Any]

HEAD = 'from "./article.lgraph" import article, Verdict\n'


def scenario(body: str, title: str = "one") -> str:
    """A scenario file for the article."""
    lines = "".join(f"  {line.strip()}\n" for line in body.strip().splitlines())
    return f'{HEAD}\nscenario "{title}" for article {{\n  given {{ topic = "Zeno" }}\n{lines}}}\n'


GOOD = """
    write records SetDraft("v1")
    grade records Grade(0.2, Verdict.revise)
    write records SetDraft("v2")
    grade records Grade(0.9, Verdict.accept)
    sign_off modifies SetDraft("v3") decides reject("no", 1)
    write records SetDraft("v4")
    grade records Grade(1.0, Verdict.accept)
    sign_off reroutes write
    write records SetDraft("v5")
    grade records Grade(1.0, Verdict.accept)
    sign_off decides approve
    expect path write, grade, write, grade, sign_off, write, grade, sign_off, write, grade, sign_off, publish
    expect revision == 5 and draft == "v5" and len(notes) == 1 and notes[0].author == "editor"
    expect ends at publish
"""


def test_a_scenario_that_passes(lgc: Lgc, article: Path) -> None:
    (article / "s.lgraph").write_text(scenario(GOOD))
    ran = lgc("test", "s.lgraph")
    assert ran.status == 0
    assert re.fullmatch(r"s\.lgraph\n  ok   one \(article, \d+ ms\)\n\n1 scenario: 1 passed\n", ran.out)


def test_nothing_of_the_users_python_runs(lgc: Lgc, article: Path) -> None:
    (article / "s.lgraph").write_text(scenario(GOOD))
    (article / "nodes.py").write_text("raise SystemExit('imported')")
    (article / "article_lg.py").write_text("raise SystemExit('imported')")
    assert lgc("test", "s.lgraph").status == 0


FAILURES = {
    "path": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off decides approve
        expect path write, sign_off""",
        "step 2 was expected to be `sign_off`, but was `grade`",
        8,
    ),
    "too short": (
        """write fails "x"
        expect fails "x"
        expect path write, grade""",
        "step 2 was expected to be `grade`, but was the end",
        7,
    ),
    "truth": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off decides approve
        expect score > 0.95 and verdict == Verdict.revise""",
        "expected `score > 0.95 and verdict == Verdict.revise`, but it does not hold",
        8,
    ),
    "end": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off times out
        expect ends at publish""",
        "the run was expected to end at `publish`, but it ended at `sign_off`",
        8,
    ),
    "unexpected failure": (
        'write fails "no model"',
        "the run failed at `write`: no model",
        5,
    ),
    "ensures": (
        "expect path write",
        "the run failed at `write`: `write` ensures `draft`, but it is none afterwards",
        3,
    ),
    "constraint": (
        """write records SetDraft("v1")
        grade records Grade(1.5, Verdict.accept)""",
        "the run failed at `grade`",
        6,
    ),
    "no failure": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off decides approve
        expect fails "boom\"""",
        'the run was expected to fail with "boom", but it did not fail',
        8,
    ),
    "another failure": (
        """write fails "no model"
        expect fails "boom\"""",
        'the run was expected to fail with "boom", but it failed with: no model',
        6,
    ),
    "unanswered": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)""",
        "the run waits at `sign_off`: no line says what is decided there",
        3,
    ),
    "left over": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off decides approve
        write records SetDraft("v2")""",
        "`write` was visited only 1 time, so this line is never reached",
        8,
    ),
    "goto": (
        """write records SetDraft("v1")
        grade records Grade(0.9, Verdict.accept)
        sign_off times out
        expect revision == 1 // 0""",
        "`revision == 1 // 0` cannot be evaluated: `1 // 0` at",
        8,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_scenario_that_fails(lgc: Lgc, article: Path, name: str) -> None:
    body, message, line = FAILURES[name]
    (article / "s.lgraph").write_text(scenario(body))
    ran = lgc("test", "s.lgraph", "--format", "json")
    assert ran.status == 1
    found = json.loads(ran.out)["findings"]
    assert [one["code"] for one in found] == ["LG801"] * len(found)
    told = {one["message"]: one["range"]["start"]["line"] for one in found}
    match = [(text, at) for text, at in told.items() if text.startswith(message)]
    assert match, told
    assert match[0][1] == line


def test_failure_as_people_see_it(lgc: Lgc, article: Path, snapshot: Any) -> None:
    (article / "s.lgraph").write_text(
        scenario(FAILURES["path"][0]) + scenario(FAILURES["truth"][0], "two")[len(HEAD) :]
    )
    ran = lgc("test", "s.lgraph", "--coverage")
    assert ran.status == 1
    assert re.sub(r"\d+ ms", "N ms", ran.out) == snapshot


def test_junit(lgc: Lgc, article: Path) -> None:
    (article / "s.lgraph").write_text(scenario(GOOD, 'a <"quoted">').replace('"a <"quoted">"', '"a <b> & c"'))
    (article / "t.lgraph").write_text(scenario(FAILURES["path"][0]))
    root = ElementTree.fromstring(lgc("test", "s.lgraph", "t.lgraph", "--format", "junit").out)
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    cases = {case.get("name"): len(case) for case in root.iter("testcase")}
    assert cases == {"a <b> & c": 0, "one": 1}


def test_coverage(lgc: Lgc, article: Path) -> None:
    (article / "s.lgraph").write_text(scenario(GOOD))
    ran = lgc("test", "s.lgraph", "--coverage", "--format", "json")
    (one,) = json.loads(ran.out)["coverage"]
    assert one["graph"] == "article"
    assert [edge["edge"] for edge in one["never"]] == ["grade -> end else", "sign_off -> end on timeout"]
    assert one["edges"] - one["taken"] == 2


EVERYTHING = """\
state Inner { total: int = 0  mutation Add(n: int) { total += n } }
graph inner(Inner) { task add { records Add }  start -> add -> end }

state S {
  items: list[int] = []
  sum:   int = 0
  seen:  list[str] = []
  sub:   Inner
  mutation Sum(n: int) { sum += n }
  mutation Saw(what: str) { seen += [what] }
}

graph g(S) {
  task first { records Saw  goto last, fan  timeout 1s }
  parallel fan { branch left = l  branch right { start -> r1 -> r2 -> end } }
  task l { records Saw }
  task r1 { records Saw }
  task r2 { records Sum }
  subgraph one = inner { on sub }
  map each = inner { over items as item  in total = item  out Sum(total) }
  decision choose
  task last { records Saw }
  start -> first
  first -> last on error
  first -> choose on timeout
  fan -> one -> each -> choose
  choose -> last when sum > 10
  choose -> end else
  last -> end
}

scenario "through everything" for g {
  given { items = [4, 8] }
  first records Saw("first") goes to fan
  l records Saw("l")
  r1 records Saw("r1")
  r2 records Sum(1)
  expect path first, fan, one, each, choose, last
  expect path fan/left: l
  expect path fan/right: r1, r2
  expect sum == 13 and seen == ["first", "l", "r1"] and sub.total == 0
}

scenario "scripted as a whole" for g {
  first goes to fan
  one records Saw("one")
  each records Sum(20)
  expect path first, fan, one, each, choose, last
  expect seen == ["one"] and sum == 20
}

scenario "times out" for g {
  first times out
  expect path first, choose
  expect ends at choose
}

scenario "fails over" for g {
  first fails "gone"
  expect path first, last
}

scenario "a map that fails" for g {
  first goes to fan
  each fails "too many"
  expect fails "too many"
  expect ends at each
}
"""


RETRIED = """\
state S { n: int = 0  mutation Add(n) }
graph g(S) {
  task slow { reads n  records Add  timeout 1s  retry 5 backoff 1h..2h }
  task late { records Add }
  start -> slow -> end
  slow -> late on timeout
  late -> end
}

scenario "too slow at every attempt" for g {
  slow times out
  late records Add(7)
  expect path slow, late
  expect n == 7
}
"""


def test_a_visit_that_times_out_is_not_tried_again(lgc: Lgc, place: Path) -> None:
    (place / "g.lgraph").write_text(RETRIED)
    ran = lgc("test", "g.lgraph")
    assert ran.status == 0, ran.out


INNER = """\
state I { n: int?  mutation Set(n) }
graph inner(I) { task set { records Set  ensures n }  task use { reads n! }  start -> set -> use -> end }
state S { sub: I  seen: int = 0  mutation Saw(seen) }
graph g(S) { task first { reads sub, seen  records Saw }  subgraph one = inner { on sub }
  start -> first -> one -> end }

scenario "an inner graph that nobody plays" for g { expect path first, one }
"""


def test_an_inner_graph_that_fails_is_to_be_played_as_a_whole(lgc: Lgc, place: Path) -> None:
    (place / "g.lgraph").write_text(INNER)
    ran = lgc("test", "g.lgraph")
    assert ran.status == 1
    assert "say what `one` does as a whole, such as `one records …`" in ran.out


def test_every_kind_of_node(lgc: Lgc, place: Path) -> None:
    (place / "g.lgraph").write_text(EVERYTHING)
    ran = lgc("test", "g.lgraph", "--coverage")
    assert ran.status == 0, ran.out
    assert "5 scenarios: 5 passed" in ran.out
    assert "14 of 14 edges taken" in ran.out


SUB_STATES = """\
from "./order.lgraph" import order
from "./parts.lgraph" import Box, Item, Kind, Leg, Shipment

scenario "with a shipment" for order {
  given {
    shipment = Shipment(
      carrier = "Nord", weight = 2, kind = Kind.sea, due = "2031-12-24", leg = Leg(km = 7, tags = ["a", "a"]),
      items = [Item(sku = "q"), Item(sku = "r", count = 3)], stock = {"s": Item(sku = "t")}, gift = none,
      box = Box(wide = true)
    )
  }
  send records Send("Süd")
  expect shipment.carrier == "Süd" and shipment.weight == 2.0 and shipment.kind == Kind.sea
  expect shipment.leg.km == 7.0 and shipment.leg.note == none and len(shipment.leg.tags) == 1
  expect shipment.items[0].count == 1 and shipment.items[1].count == 3 and shipment.stock["s"].sku == "t"
  expect shipment.gift == none and shipment.box?.wide == true and shipment.spare.used == 0
}

scenario "with one that is too heavy" for order {
  given { shipment = Shipment(carrier = "Nord", weight = 20, leg = Leg(km = 7)) }
}
"""
PARTS = """\
enum Kind { air, sea }
record Item { sku: str  count: int = 1 }
record Box { wide: bool = false }
state Leg { km: float  note: str?  tags: set[str] = [] }
state Spare { used: int = 0 }
state Shipment {
  carrier: str
  weight: float = 1.0 range 0.0..10.0
  kind: Kind = Kind.air
  due: date?
  leg: Leg
  spare: Spare
  items: list[Item] = []
  stock: dict[str, Item] = {}
  gift: Item?
  box: Box?
}
"""
ORDER = """\
from "./parts.lgraph" import Shipment
state Order { shipment: Shipment  mutation Send(carrier: str) { shipment.carrier = carrier } }
graph order(Order) { task send { reads shipment  records Send }  start -> send -> end }
"""


def test_sub_states_are_given_by_their_names(lgc: Lgc, place: Path) -> None:
    for name, text in (("order", ORDER), ("parts", PARTS), ("s", SUB_STATES)):
        (place / f"{name}.lgraph").write_text(text)
    assert lgc("check", ".").out == "no findings in 3 files\n"
    ran = lgc("test", ".")
    assert "ok   with a shipment" in ran.out
    assert "in `shipment`: `weight` is 20.0, outside 0.0..10.0" in ran.out
    assert "1 passed, 1 failed" in ran.out


def test_no_scenarios(lgc: Lgc, article: Path) -> None:
    ran = lgc("test", ".")
    assert (ran.status, ran.out, ran.err) == (0, "", "no scenarios\n")


NESTED = """
state Job { size: int = 0 merge sum  inner: Inner  mutation Add(n: int) { size += n } }
state Inner { asked: int = 0 }

graph asks(Inner) {
  barrier question { timeout 1h decides approve }
  start -> question -> end
}

graph work(Job) {
  parallel outer {
    branch left { start -> between -> last -> end }
    branch right = asked
  }
  parallel between {
    branch one = deep
    branch two { start -> b -> end }
  }
  parallel deep {
    branch x = c
    branch y = d
  }
  subgraph asked = asks { on inner }
  task b { records Add }
  task c { records Add }
  task d
  task last
  start -> outer -> end
}

scenario "three deep" for work {
  b records Add(1)
  c records Add(2)
  ASKED
  expect path outer
  expect path outer/left: between, last
  expect path between/one: deep
  expect path between/two: b
  expect path deep/x: c
  expect path outer/left/between/one/deep/y: d
  expect size == 3
}
"""


def test_branches_of_nested_parallels(lgc: Lgc, place: Path) -> None:
    (place / "nested.lgraph").write_text(NESTED.replace("ASKED", "asked records Add(0)"))
    ran = lgc("test", "nested.lgraph")
    assert ran.status == 0, ran.out


def test_a_barrier_inside_a_subgraph_is_answered_by_its_line(lgc: Lgc, place: Path) -> None:
    (place / "nested.lgraph").write_text(NESTED.replace("ASKED", ""))
    ran = lgc("test", "nested.lgraph")
    assert ran.status == 1
    assert "the run waits at `outer/right/asked/question`" in ran.out
    assert "say what `asked` does as a whole" in ran.out


def test_files_of_a_folder_far_away(tmp_path: Path, lgc: Lgc) -> None:
    far = tmp_path.parent / f"{tmp_path.name}-far" / "deep"
    far.mkdir(parents=True)
    (far / "common.lgraph").write_text("record Note {\n  text: str\n}\n", "utf-8")
    (far / "main.lgraph").write_text(
        'from "./common.lgraph" import Note\n\n'
        "state Job {\n  note: Note?\n\n  mutation Add(note)\n}\n\n"
        "graph work(Job) {\n  task plan { records Add }\n\n  start -> plan -> end\n}\n\n"
        'scenario "one" for work {\n  plan records Add(Note(text = "x"))\n  expect note != none\n}\n',
        "utf-8",
    )
    result = lgc("test", str(far / "main.lgraph"))
    assert result.status == 0, result.out + result.err
