"""What is said about two canonical forms that differ."""

# ruff: noqa: E501

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.runtime.changes.compare import Change, compare

ELEMENTS: dict[str, Any] = {
    "graph": {"name": "article", "state": "Article", "max_steps": 200},
    "state/field/score": {"type": "float", "default": ["float", "0"], "range": [0, 1]},
    "state/field/draft": {"type": ["optional", "str"]},
    "state/mutation/Grade": {
        "params": [["score", "float"], ["verdict", ["enum", "Verdict"]]],
        "body": [{"op": "set", "path": ["score"], "value": ["param", "score"]}],
    },
    "substate/Page/field/url": {"type": "str"},
    "enum/Verdict": {"members": ["accept", "reject"]},
    "record/Note": {"fields": {"author": {"type": "str"}, "text": {"type": "str", "default": ""}}},
    "node/write": {
        "kind": "task",
        "effect": "idempotent",
        "reads": ["draft!", "score"],
        "records": ["Grade"],
    },
    "node/sign_off": {
        "kind": "barrier",
        "decisions": {"approve": {"params": []}, "reject": {"params": [["reason", "str"]]}},
        "modify": ["Grade"],
    },
    "node/check": {"kind": "parallel", "branches": ["facts", "style"], "join": "all", "on_error": "fail"},
    "node/load": {
        "kind": "subgraph",
        "graph": "fetch",
        "lens": "values",
        "in": {"url": ["field", "draft"]},
        "out": [],
    },
    "edges/start": {"plain": [{"to": "write"}]},
    "edges/check/style/start": {"plain": [{"to": "end"}]},
    "edges/write": {
        "when": [
            {"to": "sign_off", "guard": ["==", ["field", "verdict"], ["enum", "Verdict", "accept"]]},
            {"to": "write", "guard": ["<", ["field", "score"], ["float", "0.5"]], "max_visits": 3},
        ],
        "else": [{"to": "end"}],
        "on error": [{"to": "end"}],
    },
    "subgraph/fetch": {"hash": "lg1:" + "0" * 64},
}


def changed(element: str, **parts: Any) -> dict[str, Any]:
    """The elements with some parts of one of them replaced (`None` takes a part away)."""
    elements = copy.deepcopy(ELEMENTS)
    for key, value in parts.items():
        if value is None:
            del elements[element][key]
        else:
            elements[element][key] = value
    return elements


def forms(elements: dict[str, Any]) -> dict[str, Any]:
    return {"form": "lg1", "elements": elements}


def said(new: dict[str, Any]) -> list[str]:
    return [change.text for change in compare(forms(ELEMENTS), forms(new))]


W, G = "node/write", "state/mutation/Grade"
WHEN, OTHER = ELEMENTS["edges/write"]["when"]
SENTENCES: list[tuple[dict[str, Any], list[str]]] = [
    (changed("graph", max_steps=300), ["graph `article` changed its max_steps from `200` to `300`"]),
    (changed("graph", name="post"), ["graph `post` changed its name from `article` to `post`"]),
    (changed("state/field/score", type="int"), ["field `score` changed its type from `float` to `int`"]),
    (changed("state/field/score", default=None), ["field `score` no longer has the default `0.0`"]),
    (changed("state/field/score", range=[0, None]), ["field `score` changed its range from `0..1` to `0..`"]),
    (
        changed("state/field/draft", default="", pattern="[a-z]"),
        ['field `draft` now has the default `""`', 'field `draft` now has the pattern `"[a-z]"`'],
    ),
    (changed("state/field/draft", merge=["custom", "m:f"]), ['field `draft` now has the merge `custom "m:f"`']),
    (
        changed("substate/Page/field/url", type=["optional", "str"]),
        ["field `url` of state `Page` changed its type from `str` to `str?`"],
    ),
    (changed(G, params=[["score", "int"], ["verdict", ["enum", "Verdict"]]]), [
        "parameter `score` of mutation `Grade` changed its type from `float` to `int`"
    ]),
    (changed(G, params=[["verdict", ["enum", "Verdict"]], ["score", "float"]]), [
        "mutation `Grade` changed the order of its parameters from `score, verdict` to `verdict, score`"
    ]),
    (changed(G, params=[["score", "float"], ["why", "str"]]), [
        "mutation `Grade` no longer takes `verdict: Verdict`", "mutation `Grade` now takes `why: str`"
    ]),
    (changed(G, body=[{"op": "add", "path": ["score"], "value": 1}]), [
        "mutation `Grade` changed its body from `score = score` to `score += 1`"
    ]),
    (changed("enum/Verdict", members=["accept", "revise"]), [
        "enum `Verdict` no longer has the member `reject`", "enum `Verdict` now has the member `revise`"
    ]),
    (changed("record/Note", fields={"author": {"type": "int"}, "tags": {"type": "str"}}), [
        "record `Note` no longer has the field `text`", "record `Note` now has the field `tags`",
        "field `author` of record `Note` changed its type from `str` to `int`",
    ]),
    (changed(W, reads=["draft", "topic"]), [
        "node `write` no longer requires a value of `draft`", "node `write` no longer reads `score`",
        "node `write` now reads `topic`",
    ]),
    (changed(W, records=["SetDraft"]), [
        "node `write` no longer may record `Grade`", "node `write` now may record `SetDraft`"
    ]),
    (changed(W, effect="once"), ["node `write` changed its effect from `idempotent` to `once`"]),
    (changed(W, kind="decision"), ["node `write` changed from `task` to `decision`"]),
    (changed(W, region="check/style"), ["node `write` moved from the graph to branch `check/style`"]),
    (changed("node/sign_off", decisions={"approve": {"params": []}, "later": {"params": []}}), [
        "node `sign_off` now offers the decision `later`", "node `sign_off` no longer offers the decision `reject`"
    ]),
    (changed("node/sign_off", timeout=["reject", {"reason": "late"}]), [
        'node `sign_off` now has the answer when the time is over `reject(reason = "late")`'
    ]),
    (changed("node/check", branches=["style", "facts"]), [
        "node `check` changed the order of its branches from `facts, style` to `style, facts`"
    ]),
    (changed("node/check", branches=["facts", "tone"], join="any"), [
        "node `check` changed its join from `all` to `any`", "node `check` no longer has the branch `style`",
        "node `check` now has the branch `tone`",
    ]),
    (changed("node/load", **{"in": {"url": "x"}, "out": [["Grade", {"score": 1}]]}), [
        "node `load` changed its mutations at the end from `` to `Grade(score = 1)`",
        'node `load` changed its input of `url` from `draft` to `"x"`',
    ]),
    (changed("edges/start", plain=[{"to": "check"}]), ["edge `start -> write` now leads to `check`"]),
    (changed("edges/check/style/start", plain=[{"to": "a"}]), [
        "edge `start -> end` of branch `check/style` now leads to `a`"
    ]),
    (changed("edges/write", when=[{**WHEN, "guard": ["==", ["field", "draft"], None]}, OTHER]), [
        "guard of `write -> sign_off` changed from `verdict == Verdict.accept` to `draft == none`"
    ]),
    (changed("edges/write", when=[WHEN, {**OTHER, "max_visits": 4}]), [
        "edge `write -> write` changed its max_visits from 3 to 4"
    ]),
    (changed("edges/write", when=[OTHER, WHEN]), [
        "the order of the `when` edges of `write` changed from `write -> sign_off when verdict == Verdict.accept, "
        "write -> write when score < 0.5 max_visits 3` to `write -> write when score < 0.5 max_visits 3, "
        "write -> sign_off when verdict == Verdict.accept`"
    ]),
    (changed("edges/write", when=[WHEN]), [
        "edge `write -> write when score < 0.5 max_visits 3` was removed"
    ]),
    (changed("edges/write", **{"on error": None, "on timeout": [{"to": "end"}]}), [
        "edge `write -> end on error` was removed", "edge `write -> end on timeout` was added"
    ]),
    (changed("edges/write", **{"else": [{"to": "write"}]}), ["edge `write -> end else` now leads to `write`"]),
    (changed("subgraph/fetch", hash="lg1:" + "1" * 64), [
        "subgraph `fetch` changed its hash from `lg1:0000000000000000` to `lg1:1111111111111111`"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("new", "sentences"), SENTENCES)
def test_each_change_is_said_in_one_sentence(new: dict[str, Any], sentences: list[str]) -> None:
    assert said(new) == sentences


@pytest.mark.parametrize("new", [row[0] for row in SENTENCES])
def test_backwards_there_is_as_much_to_say(new: dict[str, Any]) -> None:
    there, back = compare(forms(ELEMENTS), forms(new)), compare(forms(new), forms(ELEMENTS))
    assert {change.element for change in there} == {change.element for change in back}
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(opposite[change.kind] for change in there) == sorted(change.kind for change in back)


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("state/field/score", "field `score` was removed"),
        (G, "mutation `Grade` was removed"),
        ("enum/Verdict", "enum `Verdict` was removed"),
        (W, "node `write` was removed"),
        ("edges/start", "edge `start -> write` was removed"),
        ("subgraph/fetch", "subgraph `fetch` was removed"),
    ],
)
def test_a_whole_element(element: str, text: str) -> None:
    fewer = {id_: value for id_, value in ELEMENTS.items() if id_ != element}
    (gone,) = compare(forms(ELEMENTS), forms(fewer))
    (come,) = compare(forms(fewer), forms(ELEMENTS))
    assert (gone.element, gone.kind, gone.text, gone.new) == (element, "removed", text, None)
    assert (come.element, come.kind, come.old, come.new) == (element, "added", None, gone.old)
    assert come.text == text.replace("removed", "added")


def test_true_is_not_one() -> None:
    new = changed(
        "record/Note",
        fields={**ELEMENTS["record/Note"]["fields"], "author": {"type": "json", "default": True}},
    )
    newer = copy.deepcopy(new)
    newer["record/Note"]["fields"]["author"]["default"] = 1
    (change,) = compare(forms(new), forms(newer))
    assert change.text == "field `author` of record `Note` changed its default from `true` to `1`"


def test_a_change_is_data() -> None:
    (change,) = compare(forms(ELEMENTS), forms(changed("state/field/score", type="int")))
    assert change == Change(
        element="state/field/score",
        kind="changed",
        path="type",
        old="float",
        new="int",
        text="field `score` changed its type from `float` to `int`",
        name="field-type-changed",
    )


def test_the_same_form_has_no_changes() -> None:
    assert compare(forms(ELEMENTS), json.dumps(forms(ELEMENTS), indent=2)) == ()


def test_data_comes_first_then_nodes_then_edges() -> None:
    new = copy.deepcopy(ELEMENTS)
    new["edges/start"] = {"plain": [{"to": "check"}]}
    new["node/audit"] = {"kind": "task", "effect": "pure"}
    new["state/field/zeal"] = {"type": "int"}
    assert [change.element for change in compare(forms(ELEMENTS), forms(new))] == [
        "state/field/zeal", "node/audit", "edges/start",
    ]  # fmt: skip


def test_another_version_of_the_form_is_said_first() -> None:
    first, *_ = compare({"form": "lg0", "elements": ELEMENTS}, forms(ELEMENTS))
    assert first.element == "form"


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"elements": []}', "[" * 100_000])
def test_what_is_no_form_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="canonical form"):
        compare(text, forms(ELEMENTS))


def test_long_forms_are_cut_in_sentences_only() -> None:
    (change,) = compare(forms(ELEMENTS), forms(changed("state/field/draft", default="x" * 5_000)))
    assert len(change.text) < 400
    assert len(change.new or "") > 5_000


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
paths = [(id_, key) for id_, value in ELEMENTS.items() for key in value]


@given(
    st.lists(st.tuples(st.sampled_from(paths), json_values), max_size=4),
    st.lists(st.sampled_from([*ELEMENTS])),
)
def test_whatever_differs_is_said(edits: list[tuple[tuple[str, str], Any]], gone: list[str]) -> None:
    new = copy.deepcopy(ELEMENTS)
    for (id_, key), value in edits:
        new[id_][key] = value
    for id_ in gone:
        new.pop(id_, None)
    differing = {id_ for id_ in ELEMENTS if json.dumps(ELEMENTS[id_]) != json.dumps(new.get(id_))}
    assert {change.element for change in compare(forms(ELEMENTS), forms(new))} == differing
