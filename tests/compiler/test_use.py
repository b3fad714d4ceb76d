"""LG106, LG107, LG504, LG505: which files are judged, and what their repairs leave."""

from __future__ import annotations

import pytest

from lgc.compiler import Checked, check
from lgc.dsl.diagnostic import Diagnostic
from lgc.dsl.source import Source

COMMON = "record Note { text: str }\nrecord Mark { score: float }\nrecord Tag { name: str }\n"
GRAPH = "graph work(Job) {\n  task plan { reads * }\n\n  start -> plan -> end\n}\n"


def checked(files: dict[str, str], *given: str) -> Checked:
    """What is found where some of the files are given and the others can be imported."""

    def load(path: str) -> bytes | None:
        return files[path].encode() if path in files else None

    return check([Source(path, files[path]) for path in given], load=load, root=".")


def found(files: dict[str, str], *given: str) -> list[str]:
    return [f"{d.place.source.path} {d.code}" for d in checked(files, *given).diagnostics]


def repaired(text: str, one: Diagnostic) -> str:
    assert one.fix is not None
    return text[: one.fix.span.start] + one.fix.text + text[one.fix.span.end :]


def all_repaired(text: str) -> str:
    """The text with all its repairs, the last first; those that overlap a later one are left out."""
    files = {"main.lgraph": text, "common.lgraph": COMMON}
    findings = [d for d in checked(files, "main.lgraph").diagnostics if d.code == "LG106"]
    before = len(text)
    for one in sorted(findings, key=lambda d: -d.place.span.start):
        assert one.fix is not None
        if one.fix.span.end <= before:
            text = repaired(text, one)
            before = one.fix.span.start
    return text


JOB = "state Job { a: Note  b: Mark }\n"
A = "state Job { a: Note }\n"
B = "state Job { b: Mark }\n"
C = "state Job { c: Tag }\n"
NONE = "state Job { n: int }\n"
FROM = 'from "./common.lgraph" import '


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FROM + "Note, Mark, Tag\n" + JOB, FROM + "Note, Mark\n" + JOB),
        (FROM + "Note, Mark, Tag\n" + A, FROM + "Note\n" + A),
        (FROM + "Note, Mark, Tag\n" + B, FROM + "Mark\n" + B),
        (FROM + "Note, Mark, Tag\n" + C, FROM + "Tag\n" + C),
        (FROM + "Note,Mark ,Tag,\n" + B, FROM + "Mark,\n" + B),
        (FROM + "Note,\n    Mark,\n    Tag\n" + B, FROM + "Mark\n" + B),
        (FROM + "\n  Note, // a note\n  Mark\n" + B, FROM + "\n  // a note\n  Mark\n" + B),
        (FROM + "\n  Note, // a note\n  Mark // a mark\n" + A, FROM + "\n  Note // a note // a mark\n" + A),
        (
            FROM + "\n  Mark // one, two\n  , Note, // three\n" + B,
            FROM + "\n  Mark // one, two\n, // three\n" + B,
        ),
        (FROM + "\n  Note // one, two\n  , Mark\n" + B, FROM + "\n  // one, two\n   Mark\n" + B),
        (FROM + "Note, Tag\n\n" + NONE, NONE),
        (FROM + "Note, Tag,\n\n" + NONE, NONE),
        (FROM + "\n  Note,\n  Tag\n  , // end\n" + NONE, " // end\n" + NONE),
        (FROM + "Note // later\n" + NONE, " // later\n" + NONE),
        ("// head\n" + FROM + "Note\n" + NONE, "// head\n" + NONE),
        ("// head\n\n" + FROM + "Note\n\n" + NONE, "// head\n\n" + NONE),
        ("\r\n".join([FROM + "Note", "", NONE]), NONE),
    ],
)
def test_repairs_of_imports(before: str, after: str) -> None:
    assert all_repaired(before + GRAPH) == after + GRAPH
    files = {"main.lgraph": after + GRAPH, "common.lgraph": COMMON}
    assert found(files, "main.lgraph") == []


def test_each_repair_of_an_import_can_be_applied_alone() -> None:
    text = FROM + "Note, Mark, Tag\n" + B + GRAPH
    files = {"main.lgraph": text, "common.lgraph": COMMON}
    for one in checked(files, "main.lgraph").diagnostics:
        again = {**files, "main.lgraph": repaired(text, one)}
        assert found(again, "main.lgraph") == ["main.lgraph LG106"]


def test_a_needless_mark_is_taken_away() -> None:
    text = "state Job { n: int }\n" + GRAPH.replace("reads *", "reads n!")
    (one,) = checked({"main.lgraph": text}, "main.lgraph").diagnostics
    assert one.code == "LG107"
    assert repaired(text, one) == text.replace("n!", "n")


INNER = """\
state Part {
  title: str = ""
  words: int = 0

  mutation Count(words)
  mutation Never(title)
}

graph part(Part) {
  task count { reads title  records Count }

  start -> count -> end
}
"""
OUTER = """\
from "./part.lgraph" import part

state Book {
  titles: list[str]
  total:  int = 0

  mutation Add(n: int) { total += n }
}

graph book(Book) {
  map each = part {
    over titles as title
    in   title = title
    out  Add(words)
  }
  task report { reads total }

  start -> each -> report -> end
}
"""


def test_only_what_was_asked_for_is_judged() -> None:
    files = {"part.lgraph": INNER, "book.lgraph": OUTER}
    assert found(files, "book.lgraph") == []
    assert found(files, "book.lgraph", "part.lgraph") == ["part.lgraph LG505"]
    assert found(files, "part.lgraph", "book.lgraph") == ["part.lgraph LG505"]


def test_a_file_alone_is_judged_by_itself() -> None:
    messages = [d.message for d in checked({"part.lgraph": INNER}, "part.lgraph").diagnostics]
    assert messages == ["`words` is set by `Count`, but nothing reads it", "no node records `Never`"]


def test_scenarios_of_another_file_count() -> None:
    scenario = (
        'from "./part.lgraph" import part\n\nscenario "two words" for part {\n'
        '  given { title = "a b" }\n  count records Count(2)\n  expect words == 2\n}\n'
    )
    files = {"part.lgraph": INNER, "test.lgraph": scenario}
    assert found(files, "part.lgraph", "test.lgraph") == ["part.lgraph LG505"]


@pytest.mark.parametrize("broken", ["state Job { n: itn }\n", "state Job { n: int\n", 'x "\n'])
def test_nothing_is_said_where_a_file_that_uses_it_has_errors(broken: str) -> None:
    files = {"part.lgraph": INNER, "book.lgraph": OUTER + broken}
    codes = found(files, "book.lgraph", "part.lgraph")
    assert codes and all(code.startswith("book.lgraph LG") for code in codes)


def test_a_library_is_no_leftover() -> None:
    library = COMMON + "enum Kind { a, b }\nstate Spare {\n  n: int = 0\n\n  mutation Set(n)\n}\n"
    assert found({"common.lgraph": library}, "common.lgraph") == []
    codes = found({"common.lgraph": library + NONE + GRAPH}, "common.lgraph")
    assert codes == ["common.lgraph LG107"] * 5


def test_what_another_file_imports_is_used() -> None:
    main = "enum Kind { a, b }\n" + NONE + GRAPH
    other = 'from "./main.lgraph" import Kind\n\nrecord R { kind: Kind }\n'
    files = {"main.lgraph": main, "other.lgraph": other}
    assert found(files, "main.lgraph") == ["main.lgraph LG107"]
    assert found(files, "main.lgraph", "other.lgraph") == []


def test_findings_can_be_allowed() -> None:
    text = (
        "state Job {\n  // lgc: allow LG504 the caller reads it\n  sum: int = 0\n\n  mutation Sum(sum)\n"
        "  // lgc: allow LG505 of the next release\n  mutation Clear() { sum = 0 }\n}\n\n"
        "graph work(Job) {\n  task add { records Sum }\n\n  start -> add -> end\n}\n"
    )
    result = checked({"main.lgraph": text}, "main.lgraph")
    assert result.diagnostics == ()
    assert [one.finding.code for one in result.suppressed] == ["LG504", "LG505"]


def test_what_a_migration_names_is_imported_for_it() -> None:
    names = 'from "./common.lgraph" import Note, Mark\n\n'
    migration = '\nmigrate work from "lg1:' + "9" * 64 + '" {\n  set n = len(Note(text = old).text)\n}\n'
    files = {"main.lgraph": names + NONE + GRAPH + migration, "common.lgraph": COMMON}
    (found,) = checked(files, "main.lgraph").diagnostics
    assert found.message == "`Mark` is imported, but nothing here uses it"
