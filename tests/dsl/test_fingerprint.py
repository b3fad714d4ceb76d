"""Fingerprints: what they survive, what they tell apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lgc.compiler import check
from lgc.dsl.diagnostic import Diagnostic, error
from lgc.dsl.fingerprint import fingerprints
from lgc.dsl.source import Place, Source, Span

GRAPH = """\
state Job {
  done: bool = false

  mutation Finish(done)
}

graph work(Job) {
  task plan { reads done  records Finish }
  task lost
  task gone

  start -> plan -> end
  lost -> end
  gone -> end
}
"""


def found(text: str, path: str = "a.lgraph") -> dict[str, str]:
    """The fingerprints of the findings of a text, by message."""
    findings = check([Source(path, text)], load=lambda _: None).diagnostics
    prints = fingerprints(findings)
    return {finding.message: prints[finding.sort_key()] for finding in findings}


BEFORE = found(GRAPH)


def test_each_finding_has_its_own() -> None:
    assert len(BEFORE) == 2
    assert len(set(BEFORE.values())) == 2
    assert all(len(one) == 16 for one in BEFORE.values())


def test_moved_lines_other_layout_and_other_nodes_change_nothing() -> None:
    for text in (
        "// a remark\n\n" + GRAPH,
        GRAPH.replace("  task lost", "  task other\n\n  /// Doc.\n  task lost").replace(
            "start -> plan", "start -> other -> plan"
        ),
        GRAPH.replace("  task lost\n  task gone\n", "  task gone\n  task lost\n"),
        GRAPH.replace("\n", "\r\n"),
        GRAPH.replace("  task lost", "  task\n    lost // a remark"),
        GRAPH.replace("task lost", "task lost { timeout 5s }"),
    ):
        assert found(text) == BEFORE, text


def test_the_file_the_graph_and_the_name_count() -> None:
    elsewhere = set(found(GRAPH, "b.lgraph").values())
    other_graph = set(found(GRAPH.replace("graph work", "graph job")).values())
    other_name = set(found(GRAPH.replace("lost", "left")).values())
    before = set(BEFORE.values())
    assert not before & elsewhere
    assert not before & other_graph
    assert len(before & other_name) == 1


def test_equal_ones_are_numbered_by_position() -> None:
    def two(text: str) -> list[str]:
        source = Source("a.lgraph", text)
        places = [Place(source, Span(at, at + 1)) for at, char in enumerate(text) if char == "b"]
        prints = fingerprints([error("LG101", "m", place) for place in reversed(places)])
        return list(prints.values())

    assert two("a -> b\na -> b\n") == two("// new\n\na  ->  b\na -> b\n")
    assert len(set(two("b b"))) == 2


def test_the_path_that_counts_can_be_given() -> None:
    def one(path: str, root: str) -> list[str]:
        finding = error("LG101", "m", Place(Source(path, "x"), Span(0, 1)))
        return list(fingerprints([finding], lambda shown: shown.removeprefix(root)).values())

    assert one("../flows/a.lgraph", "../") == one("/home/me/flows/a.lgraph", "/home/me/")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from("mn")), max_size=12))
def test_they_do_not_depend_on_the_order_in_which_findings_come(rows: list[tuple[int, int, str]]) -> None:
    source = Source("a.lgraph", "aaaaabbbbb")
    findings: list[Diagnostic] = [
        error("LG101", words, Place(source, Span(start, start + length))) for start, length, words in rows
    ]
    prints = fingerprints(findings)
    assert prints == fingerprints(findings[::-1]) == fingerprints(findings * 2)
    assert len(set(prints.values())) == len({finding.sort_key() for finding in findings})
