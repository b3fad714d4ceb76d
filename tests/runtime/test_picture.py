"""The Mermaid picture of a graph, and of what changed between two versions."""

import json
import re
from typing import Any

import pytest

from lgc.compiler import canonical, check
from lgc.dsl.source import Source
from lgc.runtime.changes.kind import ARTICLE, CHECK, GATHER
from lgc.runtime.changes.kinds import KINDS
from lgc.runtime.changes.picture import MOST_ARROWS, picture, picture_of_change
from lgc.runtime.forms.version import Version

Elements = dict[str, Any]


def version(text: str) -> Version:
    program = check([Source("x.lgraph", text)], load=lambda path: None).program
    key = [*program.graphs][-1]
    return Version(canonical.graph_hash(program, key).full, canonical.canonical_text(program, key))


def made(elements: Elements) -> Version:
    return Version("lg1:0", json.dumps({"form": "lg1", "elements": {"graph": {"name": "g"}, **elements}}))


def chain(count: int, **edits: dict[str, Any]) -> Version:
    elements: Elements = {"edges/start": {"plain": [{"to": "n0"}]}}
    for at in range(count):
        elements[f"node/n{at}"] = {"kind": "task", "effect": "pure", **edits.get(f"n{at}", {})}
        elements[f"edges/n{at}"] = {"plain": [{"to": f"n{at + 1}" if at + 1 < count else "end"}]}
    return made(elements)


def changed(name: str) -> str:
    kind = KINDS[name]
    return picture_of_change(version(kind.old), version(kind.new))


def test_each_kind_of_node_has_its_shape() -> None:
    text = picture(version(ARTICLE)) + picture(version(GATHER)) + picture(version(CHECK))
    assert re.search(r'n\d+\["write"\]', text)
    assert re.search(r'n\d+\{\{"sign_off<br/>waits for a decision"\}\}:::barrier', text)
    assert re.search(r'n\d+\[\["first<br/>runs fetch"\]\]', text)
    assert re.search(r'n\d+\[\["rest<br/>runs fetch for each"\]\]', text)
    assert re.search(r'subgraph n\d+\["look · parallel, join all"\]', text)
    assert re.search(r'subgraph n\d+\["facts"\]', text)
    assert '-->|"verdict == Verdict.accept"|' in text
    assert "classDef added" not in text


def test_what_changed_has_its_colour() -> None:
    assert re.search(r'\["publish<br/>effect once"\]:::removed', changed("node-removed"))
    assert re.search(r'\["tone"\]:::added', changed("branch-added"))
    assert re.search(r'\["publish"\]:::changed', changed("effect-changed"))
    guard = changed("guard-changed")
    assert "linkStyle" in guard
    assert "stroke:#9a6700,stroke-width:2px" in guard.split("linkStyle")[1]
    assert '"score #60; 0.7 at most 3 times"' in guard
    assert "score #60; 0.5" not in guard
    moved = changed("edge-target-changed")
    assert moved.count("linkStyle") == 2  # the old arrow and the new one
    assert all(f'legend_{state}["{state}"]' in guard for state in ("added", "removed", "changed"))


def test_it_is_the_same_every_time() -> None:
    kind = KINDS["branch-added"]
    elements = json.loads(version(kind.new).canonical)["elements"]
    shuffled = Version("lg1:0", json.dumps({"form": "lg1", "elements": dict(sorted(elements.items()))}))
    assert changed("branch-added") == changed("branch-added")
    assert picture(shuffled) == picture(version(kind.new))


EVIL = [
    '"]]; click n0 href "javascript:alert(1)"',
    "<img src=x onerror=alert(1)>",
    "`**bold**`\n%% comment",
    "end",
    "1. one",
    "- x",
    "_y_ ~~z~~ *w*",
    "fa:fa-car $$x^2$$ @{ shape: x }",
    "\u202e\x00\x1b[31m",
]


@pytest.mark.parametrize("text", EVIL)
def test_no_text_of_a_source_gets_out_of_its_label(text: str) -> None:
    elements: Elements = {
        "edges/start": {"plain": [{"to": text}]},
        f"node/{text}": {"kind": "task", "effect": "once"},
        f"edges/{text}": {"when": [{"to": "end", "guard": ["==", ["field", "x"], text]}]},
        "node/p": {"kind": "parallel", "branches": [text], "join": text},
    }
    drawn = picture(made(elements))
    without = re.sub(r'"(?:[^"]*)"', '""', drawn)
    plain = (
        r'(subgraph n\d+\[""\]|direction TB|end|n\d+(\[""\]|\(\[""\]\)) ?|flowchart TD|classDef barrier .*)'
    )
    edge = r'n\d+ -->(\|""\|)? n\d+'
    assert all(re.fullmatch(rf"\s*({plain}|{edge})", line) for line in without.splitlines() if line.strip())
    assert not set("<>`*~$@{}\x00\x1b\u202e") & set(drawn.replace("<br/>", "").replace("-->", ""))
    labels = re.findall(r'"([^"]*)"', drawn)
    assert not any(re.match(r"(\d+[.)] |- )", label) for label in labels)


def test_of_a_large_graph_the_changed_part_is_drawn_and_that_is_said() -> None:
    drawn = picture_of_change(chain(300), chain(300, n100={"effect": "once"}))
    assert {*re.findall(r'\["(n\d+)', drawn)} == {"n99", "n100", "n101"}
    assert "297 more nodes are not drawn" in drawn
    alone = picture(chain(300))
    assert len(re.findall(r'\["(n\d+)', alone)) == 60
    assert "240 more nodes are not drawn" in alone
    assert "not drawn" not in picture(chain(60))


def test_there_are_never_more_arrows_than_mermaid_draws() -> None:
    elements: Elements = {"edges/start": {"plain": [{"to": "n0"}]}}
    for at in range(50):
        elements[f"node/n{at}"] = {"kind": "task", "effect": "pure"}
        elements[f"edges/n{at}"] = {"when": [{"to": f"n{to}", "guard": to} for to in range(50)]}
    drawn = picture(made(elements))
    assert len(re.findall(r"^  n\d+ -", drawn, re.M)) == MOST_ARROWS
    assert f"{50 * 50 + 1 - MOST_ARROWS:,} more edges are not drawn" in drawn.replace("#44;", ",")
    assert len(drawn) < 50_000
