"""The table of change kinds: every change has one, and every one has an example that is one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgc.compiler import canonical, check
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source
from lgc.runtime.changes.change import Change
from lgc.runtime.changes.compare import compare
from lgc.runtime.changes.kinds import BEARINGS, KINDS, ChangeKind

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus" / "compat"


def form_of(text: str) -> str:
    """The canonical form of the last graph of a source; a form itself is returned as it is."""
    if text.startswith("{"):
        return text
    result = check([Source("example.lgraph", text)], load=lambda path: None)
    refused = [str(d) for d in result.diagnostics if d.severity is Severity.ERROR]
    assert not refused
    return canonical.canonical_text(result.program, [*result.program.graphs][-1])


@pytest.mark.parametrize("kind", KINDS.values(), ids=[*KINDS])
def test_the_example_of_a_kind_has_a_change_of_that_kind(kind: ChangeKind) -> None:
    old, new = form_of(kind.old), form_of(kind.new)
    names = {change.name for change in compare(old, new)}
    assert kind.id in names
    assert len(names) <= 7  # an example is small


def test_the_records_are_sentences() -> None:
    for id_, kind in KINDS.items():
        assert id_ == kind.id
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", id_)
        assert kind.title[0].islower()
        assert kind.title[-1] != "."
        assert kind.what[-1] == kind.why[-1] == "."
        assert kind.bearing in BEARINGS


def pairs() -> Iterator[tuple[str, str]]:
    """Old and new sources of the corpus, both ways."""
    for folder in sorted(CORPUS.iterdir()):
        if (folder / "old.lgraph").exists():
            old, new = (folder / "old.lgraph").read_text(), (folder / "new.lgraph").read_text()
            yield from ((old, new), (new, old))


def forms_of(text: str) -> dict[str, str]:
    program = check([Source("x.lgraph", text)], load=lambda path: None).program
    return {key.name: canonical.canonical_text(program, key) for key in program.graphs}


def test_every_change_in_the_corpus_is_of_a_kind_that_is_known() -> None:
    seen: set[str] = set()
    for old, new in pairs():
        before, after = forms_of(old), forms_of(new)
        for name in before.keys() & after.keys():
            seen.update(change.name for change in compare(before[name], after[name]))
    assert seen <= KINDS.keys() - {"other-changed", "form-changed"}
    assert len(seen) > 40


NAMES = ["order", "to", "guard", "max_visits"]


@pytest.mark.parametrize("name", NAMES)
def test_a_node_may_be_called_like_a_part_of_an_edge(name: str) -> None:
    """Paths inside a group of edges hold names of nodes."""

    def form(**groups: object) -> dict[str, object]:
        return {"form": "lg1", "elements": {"graph": {"name": "g"}, "edges/a": groups}}

    edge = {"to": name, "guard": ["field", "x"]}
    come: tuple[Change, ...] = compare(form(), form(when=[edge]))
    gone = compare(form(when=[edge]), form())
    other = compare(form(when=[edge]), form(when=[{**edge, "guard": ["field", "y"]}]))
    assert [one.name for one in (*come, *gone, *other)] == ["edge-added", "edge-removed", "guard-changed"]


def test_the_name_is_a_part_of_what_is_stored_as_json() -> None:
    old, new = form_of(KINDS["node-removed"].old), form_of(KINDS["node-removed"].new)
    assert json.loads(json.dumps([change.name for change in compare(old, new)])).count("node-removed") == 1
